"""The platforms that the configuration's tests know."""

from __future__ import annotations

import pytest

from obs_magics.config.adapter import Adapter
from obs_magics.config.planned import PLANNED
from obs_magics.config.platform import PlatformSettings
from obs_magics.config.registry import Registry
from obs_magics.config.types import HttpUrl


class Server(PlatformSettings):
    """A platform that is nothing but an address."""

    url: HttpUrl


@pytest.fixture(scope="session")
def registry() -> Registry:
    """All planned platforms and some that stand in for those built in; nothing that other packages bring."""
    titles = ("Prometheus", "Loki", "Jaeger", "Tempo", "Alertmanager")
    built_in = [Adapter(title.lower(), title, Server) for title in titles]
    return Registry([*PLANNED, *built_in], [])
