"""Where a stretch begins and ends, to the line: the change points that make the arrival times likeliest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_ROUNDS = 8  # it settles after two or three


def settle(
    seconds: Array, start: int, stop: int, usual: float, *, first: int, last: int, high: bool
) -> tuple[int, int]:
    """Move both ends of a stretch to where the change points are most likely, given the lines' arrival times.

    With Poisson rates of `usual` outside and `r` inside, the log-likelihood of a stretch from one arrival to another is
    ``lines · log(r / usual) - (r - usual) · seconds`` more than without it: a sum over arrivals and gaps, so that the
    best ends are an extreme of its partial sums on each side of the middle. `r` is taken anew until the ends stay.

    Args:
        seconds: Arrivals, and the mark at the end.
        start: Index of the first element of the stretch.
        stop: Of the last.
        usual: Lines a second outside.
        first: Index before which the stretch may not begin.
        last: Index after which it may not end.
        high: Whether the stretch holds more lines than usual (the ends belong to it), or fewer (they do not).
    """
    times = seconds[first : last + 1]
    places = np.arange(len(times), dtype=np.float64)
    start, stop = start - first, stop - first
    for _ in range(_ROUNDS):
        span = max(float(times[stop] - times[start]), 1e-6)
        inside = stop - start + 1 if high else stop - start - 1
        rate = inside / span if high else (inside + 0.5) / span
        if (rate <= usual) if high else (rate >= usual):
            break
        gain = places * math.log(rate / usual) - (rate - usual) * times
        left, right = _middle(times, start, stop, high=high)
        before, after = gain[: left + 1], gain[right:]
        ends = (left - int(np.argmin(before[::-1])), right + len(after) - 1 - int(np.argmax(after[::-1])))
        if ends == (start, stop):
            break
        start, stop = ends
    return start + first, stop + first


def _middle(times: Array, start: int, stop: int, *, high: bool) -> tuple[int, int]:
    """What the stretch keeps: the line in its middle, or the longest silence."""
    if high:
        return (start + stop) // 2, (start + stop) // 2
    longest = start + int(np.argmax(np.diff(times[start : stop + 1])))
    return longest, longest + 1
