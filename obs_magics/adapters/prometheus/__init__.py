"""The Prometheus adapter: Prometheus 2.x and 3.x, VictoriaMetrics, Mimir and Thanos speak one API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.prometheus.settings import PrometheusSettings
from obs_magics.config.adapter import Adapter

if TYPE_CHECKING:
    from obs_magics.adapters.prometheus.source import PrometheusSource

__all__ = ["ADAPTER", "PrometheusSettings", "open_source"]


def open_source(name: str, settings: PrometheusSettings) -> PrometheusSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.prometheus.source import PrometheusSource

    return PrometheusSource(name, settings)


async def detect(name: str, settings: PrometheusSettings) -> bool:
    """Does a server of this family answer at the address? False for any other server, and for none.

    Raises:
        AuthError: A server answers, but wants other credentials.
        RateLimited: A server answers, but not now.
    """
    from obs_magics.adapters.connection import connection_of
    from obs_magics.adapters.prometheus.errors import VENDOR
    from obs_magics.adapters.prometheus.product import is_one_of_us
    from obs_magics.net.client import HttpClient

    client = HttpClient(connection_of(name, settings), VENDOR)
    try:
        return await is_one_of_us(client)
    finally:
        await client.close()


ADAPTER = Adapter(type="prometheus", title="Prometheus", settings=PrometheusSettings, open=open_source, detect=detect)
