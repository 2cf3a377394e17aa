"""Sums, means, variances, extremes and quantiles of windows, in the order and with the rounding that Prometheus has.

Aggregations and ``*_over_time`` functions share them: an aggregation's group at one step is a window too, over the
values of its series. Sources: promql/engine.go (`aggregation`), promql/functions.go, promql/quantile.go, util/kahansum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from obs_magics.local.promql.data import Array
from obs_magics.local.promql.windows import Windows, kahan_add

_CELLS_AT_ONCE = 1 << 22  # of the padded table that quantiles are sorted in


def plain_sum(windows: Windows) -> Array:
    """One after the other, without compensation: `sum` of version 2."""
    total = np.full(len(windows), -0.0)
    for active, samples in windows.ranks():
        total[:active] += windows.values[samples]
    return windows.unordered(total)


def kahan_sum(windows: Windows) -> Array:
    """With Neumaier's compensation."""
    total, compensation = _compensated(windows)
    return windows.unordered(np.where(np.isinf(total), total, total + compensation))


def _compensated(windows: Windows) -> tuple[Array, Array]:
    total, compensation = np.full(len(windows), -0.0), np.zeros(len(windows))
    for active, samples in windows.ranks():
        kahan_add(windows.values[samples], total[:active], compensation[:active])
    return total, compensation


def mean(windows: Windows) -> Array:
    """Of version 3: the compensated sum by the count; where the sum overflows, an incremental mean from there on."""
    total, compensation = _compensated(windows)
    count = windows.count[windows.order].astype(np.float64)
    result = windows.unordered(total / count + compensation / count)
    overflown = windows.unordered(~np.isfinite(total))
    if overflown.any():
        result[overflown] = _mean_past_overflow(windows.where(overflown))
    return result


def _mean_past_overflow(windows: Windows) -> Array:
    total, compensation = np.full(len(windows), -0.0), np.zeros(len(windows))
    incremental = np.zeros(len(windows), dtype=bool)
    for rank, (active, samples) in enumerate(windows.ranks()):
        value = windows.values[samples]
        now, rest, seen = total[:active], compensation[:active], rank + 1.0
        summed, lost = now.copy(), rest.copy()
        kahan_add(value, summed, lost)
        starts = ~incremental[:active] & np.isinf(summed) & (rank > 0)
        now[starts] /= max(rank, 1)
        rest[starts] /= max(rank, 1)
        incremental[:active] |= starts
        moving, factor = incremental[:active], rank / seen
        meant, error = factor * now, factor * rest
        kahan_add(value / seen, meant, error)
        total[:active] = np.where(moving, meant, summed)
        compensation[:active] = np.where(moving, error, lost)
    count = windows.count[windows.order].astype(np.float64)
    direct = total / count + compensation / count
    return windows.unordered(np.where(incremental, total + compensation, direct))


def incremental_mean(windows: Windows, *, compensated: bool) -> Array:
    """Of version 2: a running mean (`avg`), compensated in `avg_over_time`; an infinite mean stays."""
    average, rest = np.zeros(len(windows)), np.zeros(len(windows))
    for rank, (active, samples) in enumerate(windows.ranks()):
        value, seen = windows.values[samples], rank + 1.0
        now = average[:active]
        stays = np.isinf(now) & np.where(np.isinf(value), (now > 0) == (value > 0), ~np.isnan(value))
        change = value / seen - now / seen
        if not compensated:
            moved, error = (now + change if rank else value), rest[:active]
        else:
            moved, error = now.copy(), rest[:active].copy()
            kahan_add(change, moved, error)
        average[:active] = np.where(stays, now, moved)
        rest[:active] = np.where(stays, rest[:active], error)
    return windows.unordered(np.where(np.isinf(average), average, average + rest))


def variance(windows: Windows) -> Array:
    """Welford's, with compensation: `stdvar_over_time`."""
    average, rest = np.zeros(len(windows)), np.zeros(len(windows))
    square, square_rest = np.zeros(len(windows)), np.zeros(len(windows))
    for rank, (active, samples) in enumerate(windows.ranks()):
        value = windows.values[samples]
        change = value - (average[:active] + rest[:active])
        kahan_add(change / (rank + 1.0), average[:active], rest[:active])
        left = value - (average[:active] + rest[:active])
        kahan_add(change * left, square[:active], square_rest[:active])
    return windows.unordered((square + square_rest) / windows.count[windows.order])


def plain_variance(windows: Windows) -> Array:
    """Welford's, without compensation: `stdvar`. Version 2 takes a single value, whatever it is, to vary by 0."""
    average, square = np.zeros(len(windows)), np.zeros(len(windows))
    for rank, (active, samples) in enumerate(windows.ranks()):
        value = windows.values[samples]
        change = value - average[:active]
        average[:active] += change / (rank + 1.0)
        square[:active] += change * (value - average[:active])
    result = windows.unordered(square / windows.count[windows.order])
    return np.where(windows.count == 1, 0.0, result) if windows.version < 3 else result


def least(windows: Windows) -> Array:
    """The smallest value; NaN only where there is nothing else."""
    return _reduced(windows, np.fmin)


def greatest(windows: Windows) -> Array:
    """The largest value; NaN only where there is nothing else."""
    return _reduced(windows, np.fmax)


def _reduced(windows: Windows, function: Any) -> Array:
    edges = np.stack([windows.lo, windows.hi], axis=1).ravel()
    padded = np.append(windows.values, np.nan)  # reduceat wants every index to exist, also the one behind the end
    reduced: Array = function.reduceat(padded, edges)[::2]
    return reduced


def quantile(windows: Windows, q: Array) -> Array:
    """The q-quantile (float64 [W]) of each window by linear interpolation; a NaN counts as the smallest value."""
    result = np.empty(len(windows))
    order = np.argsort(windows.count, kind="stable")
    begin = 0
    while begin < len(order):
        end = _as_many_as_fit(windows.count[order], begin)
        rows = order[begin:end]
        result[rows] = _quantile_of_table(_table(windows, rows), windows.count[rows], q[rows])
        begin = end
    result[np.isnan(q)] = np.nan
    result[q < 0] = -np.inf
    result[q > 1] = np.inf
    return result


def absolute_deviation(windows: Windows) -> Array:
    """The median of the distances from the median: `mad_over_time`."""
    half = np.full(len(windows), 0.5)
    median = quantile(windows, half)
    distances = np.abs(windows.values[_members(windows)] - np.repeat(median, windows.count))
    ends = np.cumsum(windows.count)
    return quantile(consecutive(distances, ends - windows.count, ends, version=windows.version), half)


def consecutive(values: Array, lo: Array, hi: Array, *, version: int) -> Windows:
    """Windows over values that have no times: groups of an aggregation."""
    nothing = np.empty(0, np.int64)
    return Windows(nothing, values, nothing, lo, hi, lo, lo, 0, lo, version)


def _members(windows: Windows) -> Array:
    """The indices of all samples of all windows, one window after the other."""
    ends = np.cumsum(windows.count)
    members: Array = np.arange(ends[-1]) + np.repeat(windows.lo - (ends - windows.count), windows.count)
    return members


def _as_many_as_fit(counts: Array, begin: int) -> int:
    widths = counts[begin : begin + _CELLS_AT_ONCE]
    fits = np.flatnonzero(np.arange(1, len(widths) + 1) * widths <= _CELLS_AT_ONCE)
    return begin + (int(fits[-1]) + 1 if len(fits) else 1)


def _table(windows: Windows, rows: Array) -> Array:
    width = int(windows.count[rows].max())
    inside = np.arange(width) < windows.count[rows, np.newaxis]
    samples = np.where(inside, windows.lo[rows, np.newaxis] + np.arange(width), 0)
    table: Array = np.where(inside, windows.values[samples], np.nan)
    return table


def _quantile_of_table(table: Array, count: Array, q: Array) -> Array:
    table.sort(axis=1)  # NaN last: the padding, and the values that Prometheus has first
    nans = count - (~np.isnan(table)).sum(axis=1)
    rank = np.where((q >= 0) & (q <= 1), q, 0.0) * (count - 1)
    lower = np.floor(rank).astype(np.int64)
    upper = np.minimum(count - 1, lower + 1)
    weight = rank - np.floor(rank)
    rows = np.arange(len(table))
    low, high = (np.where(place < nans, np.nan, table[rows, np.maximum(place - nans, 0)]) for place in (lower, upper))
    result: Array = low * (1 - weight) + high * weight
    return result
