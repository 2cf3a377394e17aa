"""The Jaeger adapter: Jaeger 1.x and 2.x, and what speaks one of its two APIs (VictoriaTraces)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.jaeger.settings import JaegerSettings
from obs_magics.config.adapter import Adapter

if TYPE_CHECKING:
    from obs_magics.adapters.jaeger.source import JaegerSource

__all__ = ["ADAPTER", "JaegerSettings", "open_source"]


def open_source(name: str, settings: JaegerSettings) -> JaegerSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.jaeger.source import JaegerSource

    return JaegerSource(name, settings)


async def detect(name: str, settings: JaegerSettings) -> bool:
    """Does a Jaeger answer at the address? False for any other server, and for none.

    Raises:
        AuthError: A server answers, but wants other credentials.
        RateLimited: A server answers, but not now.
    """
    from obs_magics.adapters.connection import connection_of
    from obs_magics.adapters.jaeger.errors import VENDOR
    from obs_magics.adapters.jaeger.product import is_jaeger
    from obs_magics.net.client import HttpClient

    client = HttpClient(connection_of(name, settings), VENDOR)
    try:
        return await is_jaeger(client)
    finally:
        await client.close()


ADAPTER = Adapter(type="jaeger", title="Jaeger", settings=JaegerSettings, open=open_source, detect=detect)
