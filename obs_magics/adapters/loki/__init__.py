"""The Loki adapter: Loki 2.x and 3.x, and what speaks its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.loki.settings import LokiSettings
from obs_magics.config.adapter import Adapter

if TYPE_CHECKING:
    from obs_magics.adapters.loki.source import LokiSource

__all__ = ["ADAPTER", "LokiSettings", "open_source"]


def open_source(name: str, settings: LokiSettings) -> LokiSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.loki.source import LokiSource

    return LokiSource(name, settings)


async def detect(name: str, settings: LokiSettings) -> bool:
    """Does a Loki answer at the address? False for any other server, and for none.

    Raises:
        AuthError: A server answers, but wants other credentials, or a tenant.
        RateLimited: A server answers, but not now.
    """
    from obs_magics.adapters.connection import connection_of
    from obs_magics.adapters.loki.errors import VENDOR
    from obs_magics.adapters.loki.product import is_loki
    from obs_magics.net.client import HttpClient

    client = HttpClient(connection_of(name, settings), VENDOR)
    try:
        return await is_loki(client)
    finally:
        await client.close()


ADAPTER = Adapter(type="loki", title="Loki", settings=LokiSettings, open=open_source, detect=detect)
