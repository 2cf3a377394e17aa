"""The Loki adapter: Loki 2.x and 3.x, and what speaks its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.loki.settings import LokiSettings
from obs_magics.config.adapter import Adapter, by_health

if TYPE_CHECKING:
    from obs_magics.adapters.loki.source import LokiSource

__all__ = ["ADAPTER", "LokiSettings", "open_source"]


def open_source(name: str, settings: LokiSettings) -> LokiSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.loki.source import LokiSource

    return LokiSource(name, settings)


ADAPTER = Adapter(type="loki", title="Loki", settings=LokiSettings, open=open_source, detect=by_health(open_source))
