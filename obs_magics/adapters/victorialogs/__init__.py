"""The VictoriaLogs adapter: LogsQL through its own API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.victorialogs.settings import VictoriaLogsSettings
from obs_magics.config.adapter import Adapter, by_health

if TYPE_CHECKING:
    from obs_magics.adapters.victorialogs.source import VictoriaLogsSource

__all__ = ["ADAPTER", "VictoriaLogsSettings", "open_source"]


def open_source(name: str, settings: VictoriaLogsSettings) -> VictoriaLogsSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.victorialogs.source import VictoriaLogsSource

    return VictoriaLogsSource(name, settings)


ADAPTER = Adapter(
    type="victorialogs",
    title="VictoriaLogs",
    settings=VictoriaLogsSettings,
    open=open_source,
    detect=by_health(open_source),
)
