"""The VictoriaLogs adapter: LogsQL through its own API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.victorialogs.settings import VictoriaLogsSettings
from obs_magics.config.adapter import Adapter

if TYPE_CHECKING:
    from obs_magics.adapters.victorialogs.source import VictoriaLogsSource

__all__ = ["ADAPTER", "VictoriaLogsSettings", "open_source"]


def open_source(name: str, settings: VictoriaLogsSettings) -> VictoriaLogsSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.victorialogs.source import VictoriaLogsSource

    return VictoriaLogsSource(name, settings)


async def detect(name: str, settings: VictoriaLogsSettings) -> bool:
    """Does a VictoriaLogs answer at the address? False for any other server, and for none.

    Raises:
        AuthError: A server answers, but wants other credentials.
        RateLimited: A server answers, but not now.
    """
    from obs_magics.adapters.victorialogs.connection import open_client
    from obs_magics.adapters.victorialogs.product import is_victorialogs

    client = open_client(name, settings)
    try:
        return await is_victorialogs(client)
    finally:
        await client.close()


ADAPTER = Adapter(
    type="victorialogs", title="VictoriaLogs", settings=VictoriaLogsSettings, open=open_source, detect=detect
)
