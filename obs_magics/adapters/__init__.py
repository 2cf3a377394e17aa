"""One module per platform."""

from __future__ import annotations

from obs_magics.adapters import prometheus
from obs_magics.config.adapter import Adapter

__all__ = ["ADAPTERS"]

ADAPTERS: tuple[Adapter, ...] = (prometheus.ADAPTER,)
