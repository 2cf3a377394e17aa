"""Classic histograms: series put together to buckets, and quantiles and fractions by interpolation within them.

Follows Prometheus' promql/quantile.go (`BucketQuantile`, `BucketFraction`), at many steps at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from obs_magics.local.promql.data import Array, Labels
from obs_magics.local.promql.values import LabelKey, label_key

BUCKET_LABEL = "le"
_TOLERANCE = 1e-12  # smaller relative differences between buckets are rounding (smallDeltaTolerance)
_SMALLEST_NORMAL = float(np.finfo(np.float64).smallest_normal)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Upper bounds (float64 [buckets], ascending) and cumulative counts (float64 [buckets, steps])."""

    bounds: Array
    counts: Array


def split(labels: Sequence[Labels]) -> list[tuple[Labels, list[tuple[float, int]]]]:
    """Rows that make up a histogram: the labels they share, and (upper bound, row) in order of bounds.

    Rows without a readable `le` belong to none.
    """
    groups: dict[LabelKey, tuple[Labels, list[tuple[float, int]]]] = {}
    for row, own in enumerate(labels):
        bound = _bound(own.get(BUCKET_LABEL, ""))
        if bound is not None:
            shared = {name: value for name, value in own.items() if name != BUCKET_LABEL}
            groups.setdefault(label_key(shared), (shared, []))[1].append((bound, row))
    return [(shared, sorted(members, key=lambda member: member[0])) for shared, members in groups.values()]


def _bound(text: str) -> float | None:
    if not text or "_" in text or text != text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def quantile(q: Array, buckets: Buckets, *, version: int) -> tuple[Array, bool]:
    """The q-quantile (float64 [steps]) of a histogram, and whether counts had to be made to ascend."""
    steps = buckets.counts.shape[1]
    forced = False
    if not np.isposinf(buckets.bounds[-1]):
        result = np.full(steps, np.nan)
    else:
        bounds, counts = _coalesced(buckets)
        forced = _make_ascend(counts, tolerance=_TOLERANCE if version >= 3 else 0.0)
        result = _interpolated(q, bounds, counts) if len(bounds) > 1 else np.full(steps, np.nan)
    result = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, result))
    return np.where(np.isnan(q), np.nan, result), forced


def _coalesced(buckets: Buckets) -> tuple[Array, Array]:
    bounds, firsts = np.unique(buckets.bounds, return_index=True)
    if len(bounds) == len(buckets.bounds):
        return bounds, buckets.counts.copy()
    return bounds, np.add.reduceat(buckets.counts, firsts, axis=0)


def _make_ascend(counts: Array, *, tolerance: float) -> bool:
    """Lift counts that are below an earlier bucket's, in place; whether one was by more than rounding."""
    forced = False
    highest = counts[0].copy()
    for row in counts[1:]:
        near = _near(highest, row, tolerance) if tolerance else np.zeros(len(row), dtype=bool)
        lower = (row < highest) & ~near
        forced = forced or bool(lower.any())
        kept = lower | near
        row[kept] = highest[kept]
        highest = np.where(row > highest, row, highest)
    return forced


def _near(one: Array, other: Array, tolerance: float) -> Array:
    total, difference = np.abs(one) + np.abs(other), np.abs(one - other)
    tiny = (one == 0) | (other == 0) | (total < _SMALLEST_NORMAL)
    near = np.where(tiny, difference < tolerance * _SMALLEST_NORMAL, difference / total < tolerance)
    same: Array = near | (one == other)
    return same


def _interpolated(q: Array, bounds: Array, counts: Array) -> Array:
    steps = np.arange(counts.shape[1])
    observations = counts[-1]
    rank = q * observations
    place = _search(counts[:-1], rank)
    inside = np.minimum(place, len(bounds) - 2)
    below = np.maximum(inside - 1, 0)
    start = np.where(inside > 0, bounds[below], 0.0)
    count_below = np.where(inside > 0, counts[below, steps], 0.0)
    count, rank = counts[inside, steps] - count_below, rank - count_below
    result = start + (bounds[inside] - start) * (rank / count)
    if bounds[0] <= 0:
        result = np.where(place == 0, bounds[0], result)
    result = np.where(place == len(bounds) - 1, bounds[-2], result)
    return np.where(observations == 0, np.nan, result)


def _search(counts: Array, rank: Array) -> Array:
    """The first bucket that reaches the rank, by Go's binary search: with a NaN among them its way matters."""
    steps = np.arange(counts.shape[1])
    low: Array = np.zeros(len(rank), np.int64)
    high: Array = np.full(len(rank), len(counts), np.int64)
    while (open_ones := low < high).any():
        middle: Array = (low + high) // 2
        reached = counts[np.minimum(middle, len(counts) - 1), steps] >= rank
        high = np.where(open_ones & reached, middle, high)
        low = np.where(open_ones & ~reached, middle + 1, low)
    return low


def fraction(lower: Array, upper: Array, buckets: Buckets) -> Array:
    """The share of observations between two values (float64 [steps])."""
    bounds, counts = _coalesced(buckets)
    total = counts[-1]
    share = (_rank(upper, bounds, counts) - _rank(lower, bounds, counts)) / total
    share = np.where(lower >= upper, 0.0, share)
    unknown = (total == 0) | np.isnan(lower) | np.isnan(upper) | ~np.isposinf(bounds[-1])
    return np.where(unknown, np.nan, share)


def _rank(value: Array, bounds: Array, counts: Array) -> Array:
    """How many observations lie below a value, interpolated within its bucket; the lowest one starts at 0 if it can."""
    total = counts[-1]
    result, found = total.copy(), np.zeros(len(value), dtype=bool)
    start, below = (0.0 if bounds[0] > 0 else -np.inf), np.zeros(len(value))
    for bound, count in zip(bounds, counts, strict=True):
        inside = count if np.isneginf(start) else below + (count - below) * (value - start) / (bound - start)
        at_start, within = ~found & (start >= value), ~found & (start < value) & (bound > value)
        result = np.where(at_start, below, np.where(within, inside, result))
        found |= at_start | within
        start, below = bound, count
    capped: Array = np.where(~found | (result > total), total, result)
    return capped
