"""Collects the series of the demo world the way a Prometheus would: from life to death of each target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from obs_magics.demo.world.clock import SCRAPE_MS, Axis
from obs_magics.demo.world.population import Target
from obs_magics.local.block import STALE, Block
from obs_magics.local.labels import sort_key
from obs_magics.model.catalog import MetricInfo, MetricType

Array = np.ndarray[Any, Any]
Kind = Literal["gauge", "counter"]


class Recorder:
    """Takes values on the whole axis and keeps what was scraped of them.

    A counter is given as increments: it starts at 0 with each process, or at `before` when the process is older than
    the axis. When a target goes away, its series end with a stale marker.
    """

    def __init__(self, axis: Axis) -> None:
        self.axis = axis
        self._series: list[tuple[dict[str, str], Array, Array]] = []
        self._metadata: dict[str, MetricInfo] = {}
        self._times: dict[int, tuple[Target, list[tuple[int, int]], Array]] = {}

    def describe(self, name: str, kind: MetricType, unit: str, text: str) -> None:
        """What `/metrics` says of a metric."""
        self._metadata[name] = MetricInfo(name, kind, unit, text)

    def gauge(self, target: Target, name: str, labels: Mapping[str, str], values: Array | float) -> None:
        """Record a gauge: one value for each row of the axis, or one for all."""
        whole = np.broadcast_to(np.asarray(values, np.float64), (len(self.axis),))
        self._add(target, name, labels, lambda first, last: whole[first:last])

    def counter(
        self, target: Target, name: str, labels: Mapping[str, str], increments: Array, *, before: float = 0.0
    ) -> None:
        """Record a counter from its increment in each row of the axis."""
        running = np.cumsum(increments)

        def counted(first: int, last: int) -> Array:
            start = running[first - 1] if first else -before
            values: Array = running[first:last] - start
            return values

        self._add(target, name, labels, counted)

    def _add(self, target: Target, name: str, labels: Mapping[str, str], values: Any) -> None:
        _, lives, times = self._scrapes(target)
        if not lives:
            return
        pieces = []
        for first, last in lives:
            pieces.append(values(first, last))
            if last < len(self.axis):
                pieces.append(np.array([STALE]))
        self._series.append(({"__name__": name, **labels}, times, np.concatenate(pieces)))

    def _scrapes(self, target: Target) -> tuple[Target, list[tuple[int, int]], Array]:
        """The target's lives and the times of its samples, stale markers included."""
        if id(target) not in self._times:  # the target itself is kept too, so that its id is not given to another
            lives = target.lives(self.axis)
            shift = target.offset_ms - SCRAPE_MS
            times = [
                np.append(self.axis.times_ms[first:last], self.axis.times_ms[last : last + 1]) + shift
                for first, last in lives
            ]
            self._times[id(target)] = (target, lives, np.concatenate(times) if times else np.empty(0, np.int64))
        return self._times[id(target)]

    def block(self) -> Block:
        """All that was recorded, sorted."""
        self._series.sort(key=lambda series: sort_key(series[0]))
        return Block(
            labels=[labels for labels, _, _ in self._series],
            offsets=np.cumsum([0, *(len(times) for _, times, _ in self._series)]),
            timestamps_ms=np.concatenate([times for _, times, _ in self._series]),
            values=np.concatenate([values for _, _, values in self._series]),
            metadata=self._metadata,
        )
