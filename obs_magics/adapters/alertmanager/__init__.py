"""The Alertmanager adapter: Prometheus' own, and what speaks its API v2 (Grafana, Mimir)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.alertmanager.settings import AlertmanagerSettings
from obs_magics.config.adapter import Adapter

if TYPE_CHECKING:
    from obs_magics.adapters.alertmanager.source import AlertmanagerSource

__all__ = ["ADAPTER", "AlertmanagerSettings", "open_source"]


def open_source(name: str, settings: AlertmanagerSettings) -> AlertmanagerSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.alertmanager.source import AlertmanagerSource

    return AlertmanagerSource(name, settings)


async def detect(name: str, settings: AlertmanagerSettings) -> bool:
    """Does an Alertmanager answer at the address? False for any other server, and for none.

    Raises:
        AuthError: A server answers, but wants other credentials.
        RateLimited: A server answers, but not now.
    """
    from obs_magics.adapters.alertmanager.errors import VENDOR
    from obs_magics.adapters.alertmanager.product import is_alertmanager
    from obs_magics.adapters.connection import connection_of
    from obs_magics.net.client import HttpClient

    client = HttpClient(connection_of(name, settings), VENDOR)
    try:
        return await is_alertmanager(client)
    finally:
        await client.close()


ADAPTER = Adapter(
    type="alertmanager", title="Alertmanager", settings=AlertmanagerSettings, open=open_source, detect=detect
)
