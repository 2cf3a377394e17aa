"""The Tempo adapter: Grafana Tempo 2.x and 3.x."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.tempo.settings import TempoSettings
from obs_magics.config.adapter import Adapter, by_health

if TYPE_CHECKING:
    from obs_magics.adapters.tempo.source import TempoSource

__all__ = ["ADAPTER", "TempoSettings", "open_source"]


def open_source(name: str, settings: TempoSettings) -> TempoSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.tempo.source import TempoSource

    return TempoSource(name, settings)


ADAPTER = Adapter(type="tempo", title="Tempo", settings=TempoSettings, open=open_source, detect=by_health(open_source))
