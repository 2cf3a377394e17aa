"""The Jaeger adapter: Jaeger 1.x and 2.x, and what speaks one of its two APIs (VictoriaTraces)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_magics.adapters.jaeger.settings import JaegerSettings
from obs_magics.config.adapter import Adapter, by_health

if TYPE_CHECKING:
    from obs_magics.adapters.jaeger.source import JaegerSource

__all__ = ["ADAPTER", "JaegerSettings", "open_source"]


def open_source(name: str, settings: JaegerSettings) -> JaegerSource:
    """Make the source of one configuration entry; nothing is asked yet."""
    from obs_magics.adapters.jaeger.source import JaegerSource

    return JaegerSource(name, settings)


ADAPTER = Adapter(
    type="jaeger", title="Jaeger", settings=JaegerSettings, open=open_source, detect=by_health(open_source)
)
