"""One module per platform."""

from __future__ import annotations

from obs_magics.adapters import alertmanager, jaeger, loki, prometheus, tempo, victorialogs
from obs_magics.config.adapter import Adapter

__all__ = ["ADAPTERS"]

ADAPTERS: tuple[Adapter, ...] = (
    prometheus.ADAPTER,
    loki.ADAPTER,
    victorialogs.ADAPTER,
    jaeger.ADAPTER,
    tempo.ADAPTER,
    alertmanager.ADAPTER,
)
