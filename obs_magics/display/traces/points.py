"""Which traces of many are drawn, and what is said about the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from obs_magics.display.clock import MS
from obs_magics.display.marks import Mark, Pin, pins_of
from obs_magics.display.times import nanoseconds
from obs_magics.display.traces import words
from obs_magics.display.traces.trace import Array
from obs_magics.display.units import count_text
from obs_magics.display.visible import short
from obs_magics.model.spans import DURATION_DTYPE

MAX_POINTS = 2000
_SLOWEST, _FAILED = 500, 700
_WIDE = 30  # times the shortest: from there on an axis of powers tells more
_SHORTEST = 1e-6  # seconds: below that an axis of powers does not go
_NAME, _NOTE = 60, 300


@dataclass(frozen=True, slots=True)
class Point:
    """A trace as drawn; `root` is service and operation."""

    trace_id: str
    root: str
    start_ms: int
    seconds: float
    spans: int
    errors: int


@dataclass(frozen=True, slots=True)
class Points:
    """What the picture shows, before any drawing; `shortest` and `longest` in seconds."""

    title: str
    zone: str
    points: tuple[Point, ...]
    start_ms: int
    end_ms: int
    shortest: float
    longest: float
    median: float
    total: int
    failed: int
    notes: tuple[str, ...]
    pins: tuple[Pin, ...] = ()

    @property
    def logarithmic(self) -> bool:
        """Whether durations are so unlike that the axis goes in powers."""
        return self.longest > _WIDE * self.shortest

    def told(self) -> list[str]:
        """What stands below the title: how many, what the letters mean, and the notes."""
        pins = [" · ".join(pin.said for pin in self.pins)] if self.pins else []
        return [self.about(), *pins, *self.notes]

    def about(self) -> str:
        """How many, how long, how many failed."""
        failed = f", {self.failed:,} with errors" if self.failed else ""
        middle, most = (words.lasted(round(seconds * 1e9)) for seconds in (self.median, self.longest))
        return f"{count_text(self.total, 'trace')}{failed}; median {middle}, longest {most}"


def points_of(
    traces: pd.DataFrame, *, zone: str, title: str, notes: Sequence[str], marks: Sequence[Mark] = ()
) -> Points | None:
    """Choose what to draw; None when there are no traces."""
    if not len(traces):
        return None
    start = nanoseconds(traces["start"])
    lasted = np.maximum(traces["duration"].to_numpy(dtype=DURATION_DTYPE).view(np.int64), 0)
    errors = traces["errors"].to_numpy(dtype=np.int64)
    chosen = _chosen(start, lasted, errors > 0)
    end = int(start.max())
    left = len(traces) - len(chosen)
    start_ms = int(start.min()) // MS
    end_ms = max(end // MS, start_ms + 1)
    pins, left_out = pins_of(marks, start_ms, end_ms, zone)
    thinned = f"{len(chosen):,} of {len(traces):,} traces drawn: the slowest, and of the others every so many"
    return Points(
        title=short(title, words.TITLE) or "traces",
        zone=zone,
        points=tuple(_points(traces.iloc[chosen], start[chosen], lasted[chosen], errors[chosen])),
        start_ms=start_ms,
        end_ms=end_ms,
        shortest=max(float(lasted.min()) / 1e9, _SHORTEST),
        longest=float(lasted.max()) / 1e9,
        median=float(np.median(lasted)) / 1e9,
        total=len(traces),
        failed=int((errors > 0).sum()),
        notes=(*([thinned] if left else []), *(short(note, _NOTE) for note in notes), *left_out),
        pins=pins,
    )


def _chosen(start: Array, lasted: Array, failed: Array) -> Array:
    """Rows in order of time: the slowest, of those that failed and of the others evenly spread ones."""
    order = np.lexsort((np.arange(len(start)), start))
    if len(order) <= MAX_POINTS:
        return order
    kept = np.zeros(len(order), dtype=bool)
    kept[np.argsort(-lasted, kind="stable")[:_SLOWEST]] = True
    kept[_spread(order[failed[order] & ~kept[order]], _FAILED)] = True
    kept[_spread(order[~kept[order]], MAX_POINTS - int(kept.sum()))] = True
    return order[kept[order]]


def _spread(rows: Array, most: int) -> Array:
    return rows if len(rows) <= most else rows[np.arange(most) * len(rows) // most]


def _points(traces: pd.DataFrame, start: Array, lasted: Array, errors: Array) -> list[Point]:
    names = zip(traces["service"].astype(object), traces["operation"].astype(object), strict=True)
    roots = [f"{words.text(service, _NAME)} {words.text(operation, _NAME)}" for service, operation in names]
    ids = [words.text(value) for value in traces["trace_id"].astype(object)]
    columns = zip(ids, roots, start, lasted, traces["spans"], errors, strict=True)
    return [
        Point(name, root, int(begin) // MS, max(int(ns) / 1e9, _SHORTEST), int(spans), int(bad))
        for name, root, begin, ns, spans, bad in columns
    ]
