"""The Tempo adapter: Grafana Tempo 2.x and 3.x."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.tempo.settings import TempoSettings
from obs_magics.config.adapter import Adapter

if TYPE_CHECKING:
    from obs_magics.adapters.tempo.source import TempoSource

__all__ = ["ADAPTER", "TempoSettings", "open_source"]


def open_source(name: str, settings: TempoSettings) -> TempoSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.tempo.source import TempoSource

    return TempoSource(name, settings)


async def detect(name: str, settings: TempoSettings) -> bool:
    """Does a Tempo answer at the address? False for any other server, and for none.

    Raises:
        AuthError: A server answers, but wants other credentials, or a tenant.
        RateLimited: A server answers, but not now.
    """
    from obs_magics.adapters.connection import connection_of
    from obs_magics.adapters.tempo.errors import VENDOR
    from obs_magics.adapters.tempo.product import is_tempo
    from obs_magics.net.client import HttpClient

    client = HttpClient(connection_of(name, settings), VENDOR)
    try:
        return await is_tempo(client)
    finally:
        await client.close()


ADAPTER = Adapter(type="tempo", title="Tempo", settings=TempoSettings, open=open_source, detect=detect)
