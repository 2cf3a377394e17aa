"""The Prometheus adapter: Prometheus 2.x and 3.x, VictoriaMetrics, Mimir and Thanos speak one API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.prometheus.settings import PrometheusSettings
from obs_magics.config.adapter import Adapter, by_health

if TYPE_CHECKING:
    from obs_magics.adapters.prometheus.source import PrometheusSource

__all__ = ["ADAPTER", "PrometheusSettings", "open_source"]


def open_source(name: str, settings: PrometheusSettings) -> PrometheusSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.prometheus.source import PrometheusSource

    return PrometheusSource(name, settings)


ADAPTER = Adapter(
    type="prometheus", title="Prometheus", settings=PrometheusSettings, open=open_source, detect=by_health(open_source)
)
