"""The demo world, built once for all of its tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from obs_magics.demo.cache import open_world
from obs_magics.local.settings import FolderSettings
from obs_magics.local.source import FolderSource


@pytest.fixture(scope="session")
def world_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where worlds are kept for this run."""
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture(scope="session")
def world(world_cache: Path) -> Path:
    """The folder of the demo world."""
    return open_world(folder=world_cache)


@pytest.fixture(scope="session")
def shop(world: Path) -> Iterator[FolderSource]:
    """The demo world as a source."""
    source = FolderSource("demo", FolderSettings(path=str(world)))
    yield source
    source.contents().connection.close()
