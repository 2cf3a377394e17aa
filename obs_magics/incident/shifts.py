"""Where measures left what is usual and came back: robust limits from the time before, then the first lasting crossing.

What is usual is the median of the time before; the limit lies `_SPREADS` spreads (1.4826 times the median absolute
deviation) away, and at least a quarter of what is usual, and the least that matters for the measure. A shift begins
with the first of several points beyond the limit that last; a change point nearby (`analysis.changepoint`) moves the
start to where the level changed. It ends with the first usual value after which all are usual for three minutes. Times
are those at which the measure shows it: a rate looks back, and shows what happened up to that much later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from obs_magics.analysis.changepoint import onset
from obs_magics.model.durations import MINUTE, SECOND
from obs_magics.model.incident import Shift

Array = np.ndarray[Any, Any]
Direction = Literal["up", "down", "either"]

_MAD_TO_SIGMA = 1.4826
_SPREADS = 5.0
_SHARE = 0.25  # of what is usual: less is no news, however still a series is
_QUANTILE, _WIDER = 0.9, 1.6  # of the distances from what is usual, and how much further the limit lies
ENOUGH = 8
"""Points before, from which what is usual is told."""
EARLIER_NS = 10 * MINUTE
"""How much earlier than told an incident may have begun: that time does not tell what is usual."""
_LASTS_NS = 45 * SECOND  # beyond the limit, for a shift
_STEADY_NS = 3 * MINUTE  # within the limit, for an end
_NEAR_NS = 90 * SECOND  # of a change point to a crossing, to be the same
_BRIDGE_NS = 5 * MINUTE  # between two stretches, to be one

# The least that matters, in the unit of the measure: half a percent of requests, ten milliseconds, a tenth of a limit.
_FLOORS: Mapping[str, float] = {"error_rate": 0.005, "saturation": 0.1, "availability": 0.05, "restarts": 0.5}
_FLOOR_OF_LATENCY = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """One series of one measure.

    Args:
        service: Whose.
        measure: Its name.
        title: What it is, in words.
        unit: UCUM.
        direction: Which way is bad.
        times_ns: int64, in order.
        values: float64.
    """

    service: str
    measure: str
    title: str
    unit: str
    direction: Direction
    times_ns: Array
    values: Array


@dataclass(frozen=True, slots=True)
class _Limits:
    """Between which values a series is as usual."""

    usual: float
    low: float
    high: float


def since(points: Points, begin_ns: int) -> Points:
    """The series from an instant on."""
    kept = points.times_ns >= begin_ns
    return replace(points, times_ns=points.times_ns[kept], values=points.values[kept])


def shift_near(points: Points, start_ns: int) -> Shift | None:
    """The shift that was under way at an instant, or the first one after it; None when the series stays as it was.

    Args:
        points: The series, with what came before: what is usual is told from the time up to ten minutes before.
        start_ns: When the incident began, as far as is known; it may have begun earlier.
    """
    times, values = _finite(points)
    limits = _limits(points, values[times < start_ns - EARLIER_NS])
    if limits is None:
        return None
    runs = _bridged(times, _runs(points, times, values, limits))
    since = [run for run in runs if times[run[1] - 1] >= start_ns - MINUTE]
    return _shift(points, times, values, limits, since[0]) if since else None


def shifts_within(points: Points) -> list[Shift]:
    """All shifts of a series against its own median, in order of time: for a start that nobody knows."""
    times, values = _finite(points)
    limits = _limits(points, values, robust=True)
    if limits is None:
        return []
    return [_shift(points, times, values, limits, run) for run in _bridged(times, _runs(points, times, values, limits))]


def _finite(points: Points) -> tuple[Array, Array]:
    there = np.isfinite(points.values)
    return points.times_ns[there], points.values[there]


def _limits(points: Points, before: Array, *, robust: bool = False) -> _Limits | None:
    """What is usual; `robust` where what is unusual may be among it."""
    if len(before) < ENOUGH:
        return None
    usual = float(np.median(before))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(before - usual)))
    floor = _FLOORS.get(points.measure, _FLOOR_OF_LATENCY if points.measure.startswith("latency") else 0.0)
    room = max(_SPREADS * spread, _SHARE * abs(usual), floor)
    if not robust:  # what came before has been that far from the median; a single spike does not widen it
        room = max(room, _WIDER * float(np.quantile(np.abs(before - usual), _QUANTILE)))
    low = usual - room if points.direction in {"down", "either"} else -np.inf
    high = usual + room if points.direction in {"up", "either"} else np.inf
    return _Limits(usual, low, high)


def _runs(points: Points, times: Array, values: Array, limits: _Limits) -> list[tuple[int, int]]:
    """Stretches beyond the limit that last, as positions: the first, and the one behind the last."""
    beyond = (values > limits.high) | (values < limits.low)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], beyond, [False]]).astype(np.int8)))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    bridged = _merged(times, list(pairs), _LASTS_NS)
    return [(first, end) for first, end in bridged if times[end - 1] - times[first] >= _LASTS_NS]


def _bridged(times: Array, runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return _merged(times, runs, max(_STEADY_NS, _BRIDGE_NS))


def _merged(times: Array, runs: Sequence[tuple[int, int]], gap_ns: int) -> list[tuple[int, int]]:
    """Neighbours with less than a gap between them as one."""
    merged: list[tuple[int, int]] = []
    for first, end in runs:
        if merged and times[first] - times[merged[-1][1] - 1] <= gap_ns:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((first, end))
    return merged


def _shift(points: Points, times: Array, values: Array, limits: _Limits, run: tuple[int, int]) -> Shift:
    first, end = run
    start_ns = _start(times, values, first)
    step = int(np.median(np.diff(times))) if len(times) > 1 else 0
    steady = end < len(times) and times[-1] - times[end] >= _STEADY_NS
    inside = values[first:end]
    peak = inside[int(np.argmax(np.abs(inside - limits.usual)))]
    end_ns = int(times[end]) if steady else None
    return Shift(
        service=points.service,
        measure=points.measure,
        title=points.title,
        unit=points.unit,
        start_ns=start_ns,
        earliest_ns=start_ns - step,
        end_ns=end_ns,
        usual=limits.usual,
        value=float(np.median(inside)),
        peak=float(peak),
    )


def _start(times: Array, values: Array, first: int) -> int:
    """The crossing, or the change of level just before it."""
    found = onset(values, about=first)
    crossing = int(times[first])
    if found is None or found.index > first:
        return crossing
    changed = int(times[found.index])
    return changed if crossing - changed <= _NEAR_NS else crossing
