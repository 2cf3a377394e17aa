"""When something began to take longer: a step in medians per minute, or when slow traces began to come at all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

MINUTE_NS = 60_000_000_000
_MOST_BINS = 240
_FEWEST_BINS = 6
_FEWEST_BEFORE = 2
_FEWEST_INSIDE = 3
_LEAST_INSIDE = 0.03  # of all bins: less is a spike
_STEP_T = 6.0  # of Student's t: high, for it is the best of thousands of stretches
_RISE_T = 4.0
_RISE_SPREADS = 1.5  # apart, or it is a mixture that changes a little
_LEAST_SHARE = 0.1
_LEAST_RATIO = 1.5
_FEWEST_ARRIVALS = 5
_ARRIVALS_FACTOR = 5.0  # times as many as before
_ARRIVALS_GAIN = 8.0  # of log likelihood; about p = 0.001 for the best of so many instants


def rise(times_ns: Array, shares: Array, spent_ns: Array) -> int | None:
    """When a part of traces began to take a larger share of them, or else to take longer.

    Args:
        times_ns: When each trace began.
        shares: The part's share of each trace's critical path.
        spent_ns: Its time on that.

    Returns:
        The begin of the minute in nanoseconds since the epoch; None when it is steady, or was so from the first on.
    """
    found = _step(times_ns, shares, _LEAST_SHARE)
    return _step(times_ns, np.log(np.maximum(spent_ns, 1.0)), float(np.log(_LEAST_RATIO))) if found is None else found


def arrival(times_ns: Array, start_ns: int) -> int | None:
    """When traces that were asked for (the slow ones) began to come, in a range in which they could have come always.

    The instant that splits the range best into two with a lower and a higher rate, by likelihood of Poisson arrivals.

    Args:
        times_ns: When each trace began.
        start_ns: Where the range begins. The traces must be all there were in it, not the latest few.

    Returns:
        The begin of the minute of the first one at the higher rate; None when they came all along, or are too few.
    """
    times = np.sort(times_ns).astype(np.float64) - start_ns
    count = len(times)
    if count < _FEWEST_ARRIVALS or times[0] < 0 or times[-1] <= times[0]:
        return None
    before = np.arange(count - _FEWEST_ARRIVALS + 1)
    splits, whole = np.maximum(times[: len(before)], 1.0), times[-1]
    after, rest = count - before, np.maximum(whole - splits, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slow = np.where(before > 0, before * np.log(before / splits), 0.0)
    gains = slow + after * np.log(after / rest) - count * np.log(count / whole)
    gains[after / rest < _ARRIVALS_FACTOR * before / splits] = -np.inf  # traffic that rises is no such thing
    best = int(np.argmax(gains))
    return _minute(int(times[best]) + start_ns) if gains[best] > _ARRIVALS_GAIN else None


def _step(times_ns: Array, values: Array, least: float) -> int | None:
    """Begin of the stretch of minutes whose medians stand out most above the others; None when none does."""
    begins, medians = _by_minute(times_ns, values)
    count = len(medians)
    if count < _FEWEST_BINS:
        return None
    sums = np.concatenate([[0.0], np.cumsum(medians)])
    start, stop = np.triu_indices(count + 1, max(_FEWEST_INSIDE, math.ceil(_LEAST_INSIDE * count)))
    inside = (stop - start).astype(np.float64)
    fits = start >= _FEWEST_BEFORE
    start, stop, inside = start[fits], stop[fits], inside[fits]
    total = sums[stop] - sums[start]
    above = total / inside - (sums[-1] - total) / (count - inside)
    gain = np.where(above > 0, above * above * inside * (count - inside) / count, 0.0)
    best = int(np.argmax(gain))
    first, last = int(start[best]), int(stop[best])
    error = float(((medians - medians.mean()) ** 2).sum() - gain[best]) / (count - 2)
    if gain[best] <= _STEP_T**2 * max(error, 1e-12):
        return None
    return int(begins[first]) if _rises(medians[:first], medians[first:last], least) else None


def _rises(before: Array, inside: Array, least: float) -> bool:
    """Whether a stretch lies above what was before it: else it only lies above what came after it."""
    higher = inside.mean() - before.mean()
    error = np.sqrt(before.var() / len(before) + inside.var() / len(inside))
    spread = np.sqrt((before.var() + inside.var()) / 2)
    enough = np.median(inside) - np.median(before) >= least
    return bool(enough and higher > max(_RISE_T * error, _RISE_SPREADS * spread))


def _by_minute(times_ns: Array, values: Array) -> tuple[Array, Array]:
    """Begins of the minutes that have traces, and their medians; of more minutes at once in a long range."""
    span = int(times_ns.max() - times_ns.min()) if len(times_ns) else 0
    width = MINUTE_NS * max(1, -(-span // (MINUTE_NS * _MOST_BINS)))
    bins = times_ns // width
    order = np.lexsort((values, bins))
    ordered = values[order]
    begins, first, counts = np.unique(bins[order], return_index=True, return_counts=True)
    low, high = first + (counts - 1) // 2, first + counts // 2
    return begins * width, (ordered[low] + ordered[high]) / 2 if len(ordered) else ordered


def _minute(instant_ns: int) -> int:
    return instant_ns // MINUTE_NS * MINUTE_NS
