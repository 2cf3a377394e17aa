"""The rate family: rate, increase, delta, irate, idelta, resets, changes.

Extrapolation follows `extrapolatedRate` in Prometheus' promql/functions.go: to the window's edges where the samples
come near enough to them, by half a sample's distance otherwise, and never below a counter's zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import Array
from obs_magics.local.promql.functions.ranges import range_function
from obs_magics.local.promql.values import Value
from obs_magics.local.promql.windows import Windows

_NEAR = 1.1  # average distances between samples; nearer to the edge than that is taken to reach it


def _difference(windows: Windows, *, is_counter: bool) -> Array:
    """Last minus first sample; for counters with what was lost at each reset added in their order."""
    result: Array = windows.values[windows.hi - 1] - windows.values[windows.lo]
    if not is_counter:
        return result
    resets = windows.marks(lambda current, previous: current < previous)
    if not len(resets.places):
        return result
    for rank in range(int(resets.count.max())):
        here = np.flatnonzero(resets.count > rank)
        result[here] += windows.values[resets.places[resets.first[here] + rank] - 1]
    return result


def _extrapolated(windows: Windows, *, is_counter: bool, is_rate: bool) -> Array:
    result = _difference(windows, is_counter=is_counter)
    first_ms, last_ms = windows.times_ms[windows.lo], windows.times_ms[windows.hi - 1]
    to_start = (first_ms - (windows.end_ms - windows.range_ms)) / 1000
    to_end = (windows.end_ms - last_ms) / 1000
    sampled = (last_ms - first_ms) / 1000
    average = sampled / (windows.count - 1)
    near = average * _NEAR
    if windows.version >= 3:
        to_start = np.where(to_start >= near, average / 2, to_start)
    if is_counter:
        first = windows.values[windows.lo]
        to_zero = np.where((result > 0) & (first >= 0), sampled * (first / result), to_start)
        to_start = np.where(to_zero < to_start, to_zero, to_start)
    if windows.version < 3:
        to_start = np.where(to_start < near, to_start, average / 2)
    to_end = np.where(to_end < near, to_end, average / 2)
    factor = (sampled + to_start + to_end) / sampled
    if is_rate:
        factor = factor / (windows.range_ms / 1000)
    extrapolated: Array = result * factor
    return extrapolated


def _last_two(windows: Windows, *, is_rate: bool) -> Array:
    last, before = windows.values[windows.hi - 1], windows.values[windows.hi - 2]
    result: Array = last - before
    if is_rate:
        result = np.where(last < before, last, result)
        result = result / ((windows.times_ms[windows.hi - 1] - windows.times_ms[windows.hi - 2]) / 1000)
    return result


def _resets(windows: Windows) -> Array:
    return windows.marks(lambda current, previous: current < previous).count.astype(np.float64)


def _changes(windows: Windows) -> Array:
    def changed(current: Array, previous: Array) -> Array:
        both_nan: Array = np.isnan(current) & np.isnan(previous)
        differ: Array = (current != previous) & ~both_nan
        return differ

    return windows.marks(changed).count.astype(np.float64)


TABLE: dict[str, Callable[[Any, Context], Value]] = {
    "rate": range_function(lambda w: _extrapolated(w, is_counter=True, is_rate=True), min_samples=2),
    "increase": range_function(lambda w: _extrapolated(w, is_counter=True, is_rate=False), min_samples=2),
    "delta": range_function(lambda w: _extrapolated(w, is_counter=False, is_rate=False), min_samples=2),
    "irate": range_function(lambda w: _last_two(w, is_rate=True), min_samples=2),
    "idelta": range_function(lambda w: _last_two(w, is_rate=False), min_samples=2),
    "resets": range_function(_resets),
    "changes": range_function(_changes),
}
