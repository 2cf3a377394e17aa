"""The Alertmanager adapter: Prometheus' own, and what speaks its API v2 (Grafana, Mimir)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.alertmanager.settings import AlertmanagerSettings
from obs_magics.config.adapter import Adapter, by_health

if TYPE_CHECKING:
    from obs_magics.adapters.alertmanager.source import AlertmanagerSource

__all__ = ["ADAPTER", "AlertmanagerSettings", "open_source"]


def open_source(name: str, settings: AlertmanagerSettings) -> AlertmanagerSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.alertmanager.source import AlertmanagerSource

    return AlertmanagerSource(name, settings)


ADAPTER = Adapter(
    type="alertmanager",
    title="Alertmanager",
    settings=AlertmanagerSettings,
    open=open_source,
    detect=by_health(open_source),
)
