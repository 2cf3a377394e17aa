"""Fewer points with the same picture: the lowest and the highest of each stretch of time, so that no spike is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_SECOND = 1_000_000_000
LARGEST = 8e307
"""Half of the largest double: the span of an axis must stay finite."""
# Lengths a person reads easily, in seconds.
_NICE = (
    *(10.0**power * lead for power in range(-9, 0) for lead in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400),
)
_IRREGULAR_GAP = 5.0  # of the usual distance, when distances vary
_REGULAR_GAP = 1.5  # of the step, when they do not


@dataclass(frozen=True, slots=True)
class Line:
    """What is drawn of one series: NaN in `values` breaks the line there.

    Args:
        timestamps_ns: int64, in order of time.
        values: float64, one per timestamp.
    """

    timestamps_ns: Array
    values: Array

    def isolated(self) -> Array:
        """Which points stand alone between two breaks, so that no line shows them; one bool per point."""
        there = np.isfinite(self.values)
        left = np.concatenate([[False], there[:-1]])
        right = np.concatenate([there[1:], [False]])
        return np.asarray(there & ~left & ~right)


def stretch_ns(span_ns: int, most: int) -> int:
    """The shortest readable length that cuts `span_ns` into at most `most` stretches."""
    least = span_ns / max(most, 1)
    for seconds in _NICE:
        if seconds * _SECOND >= least:
            return max(1, round(seconds * _SECOND))
    days = -(-int(least) // (86400 * _SECOND))
    return days * 86400 * _SECOND


def gaps(timestamps_ns: Array, values: Array) -> Array:
    """Where the line does not go on: True at a point whose predecessor is missing, or is not a number.

    A point is missing where the distance is over 1.5 times the usual one; over 5 times when distances vary anyway.

    Args:
        timestamps_ns: int64, in order of time.
        values: float64, one per timestamp.
    """
    if len(timestamps_ns) < 2:
        return np.zeros(len(timestamps_ns), dtype=bool)
    distances = np.diff(timestamps_ns)
    forward = distances[distances > 0]
    wide = np.zeros(len(distances), dtype=bool)
    if len(forward) > 1:
        usual = float(np.median(forward))
        regular = float(np.mean(np.abs(forward - usual) <= 0.05 * usual)) >= 0.8
        wide = distances > usual * (_REGULAR_GAP if regular else _IRREGULAR_GAP)
    return np.concatenate([[False], wide | ~np.isfinite(values[:-1])])


def whole(timestamps_ns: Array, values: Array) -> Line:
    """Every point that is a number, with breaks where the line does not go on."""
    times, numbers, breaks = _numbers(timestamps_ns, values)
    return _with_breaks(times, numbers, breaks)


def thinned(timestamps_ns: Array, values: Array, stretch: int) -> Line:
    """The lowest and the highest point of each stretch; the first and the last point, and both sides of each gap.

    Gaps shorter than a stretch close: they would be narrower than the line.

    Args:
        timestamps_ns: int64, in order of time.
        values: float64, one per timestamp.
        stretch: Length of a stretch in nanoseconds; stretches start at its multiples.
    """
    times, numbers, breaks = _numbers(timestamps_ns, values)
    if not len(times):
        return Line(times, numbers)
    breaks &= np.diff(times, prepend=times[:1]) >= stretch
    cells = times // stretch
    opens = breaks | np.concatenate([[True], cells[1:] != cells[:-1]])
    starts = np.flatnonzero(opens)
    groups = np.cumsum(opens) - 1
    edges = np.flatnonzero(breaks)
    picked = np.zeros(len(times), dtype=bool)
    for extreme in (np.minimum.reduceat(numbers, starts), np.maximum.reduceat(numbers, starts)):
        hits = np.flatnonzero(numbers == extreme[groups])
        picked[hits[np.concatenate([[True], np.diff(groups[hits]) > 0])]] = True
    picked[edges] = picked[edges - 1] = True
    picked[0] = picked[-1] = True
    return _with_breaks(times[picked], numbers[picked], breaks[picked])


def _numbers(timestamps_ns: Array, values: Array) -> tuple[Array, Array, Array]:
    finite = np.isfinite(values)
    times, numbers = timestamps_ns[finite], values[finite]
    if not len(times):
        return times, numbers, np.zeros(0, dtype=bool)
    # A break survives the removal of what is not a number: it counts from number to number.
    broken = np.cumsum(gaps(timestamps_ns, values))[finite]
    return times, numbers, np.concatenate([[False], np.diff(broken) > 0])


def _with_breaks(times: Array, numbers: Array, breaks: Array) -> Line:
    places = np.flatnonzero(breaks)
    middles = times[places - 1] + (times[places] - times[places - 1]) // 2
    return Line(np.insert(times, places, middles), np.insert(numbers, places, np.nan))
