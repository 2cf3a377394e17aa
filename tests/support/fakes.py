"""A source in memory that answers what it is told to, for tests of what stands above the adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.config.adapter import Adapter
from obs_magics.config.platform import PlatformSettings
from obs_magics.model.catalog import MetricInfo
from obs_magics.model.frames import metrics_frame
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import Answer, Health, ProgressListener, no_progress

NOW_NS = 1_795_363_200_000_000_000  # 2026-11-22 16:00 UTC


class FakeCatalog:
    """Two metrics with one label."""

    async def metric_names(self) -> Sequence[str]:
        return ["http_requests_total", "up"]

    async def metric(self, name: str) -> MetricInfo:
        return MetricInfo(name, "gauge")

    async def label_names(self, metric: str | None = None) -> Sequence[str]:
        return ["job"]

    async def label_values(self, label: str, metric: str | None = None) -> Sequence[str]:
        return ["api", "web"] if label == "job" else []


class FakeSource:
    """Counts up; remembers what it was asked; waits for ever when asked for `wait`, fails with what `error` holds."""

    platform = "fake"

    def __init__(self, name: str, settings: PlatformSettings) -> None:
        self.name = name
        self.address = settings.url or "memory"
        self.asked: list[MetricsQuery] = []
        self.error: Exception | None = None
        self.closed = False
        self.cancelled = False
        self.extra: dict[str, Any] = {}

    def now_ns(self) -> int | None:
        return NOW_NS

    async def health(self) -> Health:
        if self.error:
            raise self.error
        return Health(ok=True, version="fake 1.0", seconds=0.0)

    async def close(self) -> None:
        self.closed = True

    @property
    def catalog(self) -> FakeCatalog:
        return FakeCatalog()

    async def metrics(self, query: MetricsQuery, progress: ProgressListener = no_progress) -> Answer:
        self.asked.append(query)
        if self.error:
            raise self.error
        if query.text == "wait":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        times = np.arange(query.range.start_ns, query.range.end_ns + 1, query.step_ns)
        frame = metrics_frame([{"__name__": "up", "job": "api"}], [len(times)], times, np.arange(len(times)) * 1.0)
        return Answer(frame, query.text, unit="1", **self.extra)


async def detect_fake(_name: str, settings: PlatformSettings) -> bool:
    return "fake" in (settings.url or "")


FAKE = Adapter("fake", "Fake", PlatformSettings, FakeSource, detect_fake)
UNBUILT = Adapter("unbuilt", "Unbuilt", PlatformSettings)


def frame_of(values: Sequence[float], *, name: str = "up", step_s: int = 15) -> pd.DataFrame:
    """A metrics frame with one series that ends at `NOW_NS`."""
    times = NOW_NS - np.arange(len(values))[::-1] * step_s * 1_000_000_000
    return metrics_frame([{"__name__": name, "job": "api"}], [len(values)], times, np.asarray(values, dtype=float))
