"""What the YAML may say about a Prometheus: nothing of its own, so far, beyond what every platform has."""

from __future__ import annotations

from obs_magics.config.platform import PlatformSettings


class PrometheusSettings(PlatformSettings):
    """A Prometheus, VictoriaMetrics, Mimir or Thanos; `url` keeps its path (Mimir: `…/prometheus`)."""
