"""The demo world as a session, built once for all tests that ask it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from obs_magics import Session
from obs_magics.demo.cache import open_world


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demo world."""
    return open_world(folder=tmp_path_factory.mktemp("worlds"))


@pytest.fixture(scope="session")
def shop(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session without a configuration whose only source is the demo world."""
    ignore_file = tmp_path_factory.mktemp("project") / "ignore.yaml"
    with Session(zone="UTC", environ={}, ignore_file=ignore_file) as session:
        session.connect("demo", str(demo_folder))
        yield session
