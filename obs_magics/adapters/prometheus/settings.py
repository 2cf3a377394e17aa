"""What the YAML may say about a Prometheus: what every platform has, and an address it must have."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from obs_magics.config.platform import PlatformSettings


class PrometheusSettings(PlatformSettings):
    """A Prometheus, VictoriaMetrics, Mimir or Thanos; `url` keeps its path (Mimir: `…/prometheus`)."""

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if self.enabled and not self.url:
            raise ValueError("needs a url: http://…")
        return self
