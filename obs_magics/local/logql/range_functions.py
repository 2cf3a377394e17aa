"""Functions over the samples in a window: ``count_over_time``, ``rate``, ``quantile_over_time`` and the others.

Source: Loki's `pkg/logql/range_vector.go`. A window is open on the left: (t - range, t].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from obs_magics.local.logql.context import Context
from obs_magics.local.logql.lines import Array
from obs_magics.local.logql.plan import plan
from obs_magics.local.logql.samples import Samples, samples_of
from obs_magics.local.promql import sums
from obs_magics.local.promql.values import Vector
from obs_magics.local.promql.windows import Windows
from obs_magics.syntax.logql.tree import Grouping, RangeAggregation

_SECOND = 1e9
_CELLS_AT_ONCE = 1 << 22


def range_aggregation(
    node: RangeAggregation, context: Context, outer: Grouping | None = None, *, pushed: bool = False
) -> Vector:
    """The value of a range aggregation at every step.

    Args:
        node: The aggregation.
        context: The steps, the store.
        outer: The grouping of the vector aggregation around it, see `plan`.
        pushed: Whether `outer` takes the place of its own.

    Raises:
        QueryError: Not supported; or a line could not be read.
    """
    if node.op not in RANGE_FUNCTIONS and node.op != "absent_over_time":
        raise context.error(node.op, f"{node.op} is not supported by the embedded backend")
    kept, wanted = plan(node, outer, context.check, pushed=pushed)
    samples = samples_of(node, kept, wanted, context)
    context.check_size(max(len(samples.labels), 1))
    context.check()
    windows, present = _windows(samples, node, context)
    if node.op == "absent_over_time":
        return _absent(node, present)
    values = np.zeros(present.shape)
    if len(windows):
        with np.errstate(all="ignore"):
            values[present] = RANGE_FUNCTIONS[node.op](windows, node)
    alive: Array = np.flatnonzero(present.any(axis=1))
    return Vector([samples.labels[row] for row in alive], values[alive], present[alive])


def _windows(samples: Samples, node: RangeAggregation, context: Context) -> tuple[Windows, Array]:
    """The windows that hold a sample, flattened, and where there is one (bool [series, steps])."""
    ends = context.times_ns - node.range.offset_ns
    shape = (len(samples.labels), context.steps)
    series = np.repeat(np.arange(shape[0]), np.diff(samples.offsets))
    # a sample enters the window of the first step that is not before it, and leaves it a range later
    enters = np.searchsorted(ends, samples.times_ns)
    leaves = np.searchsorted(ends, samples.times_ns + node.range.range_ns)
    entered, left = (_counted(series, step, shape) for step in (enters, leaves))
    starts = samples.offsets[:-1, np.newaxis]
    lo, hi = starts + left, starts + entered
    present: Array = hi > lo
    flat = lo[present]
    zeros = np.zeros(len(flat), np.int64)
    return Windows(
        samples.times_ns, samples.values, samples.offsets[:-1], flat, hi[present], zeros, zeros, 0, zeros, 2
    ), present


def _counted(series: Array, step: Array, shape: tuple[int, int]) -> Array:
    """How many samples of each series have come up to each step: int64 [series, steps]."""
    inside = step < shape[1]
    places = series[inside] * shape[1] + step[inside]
    counts = np.bincount(places, minlength=shape[0] * shape[1])
    running: Array = counts.reshape(shape).cumsum(axis=1)
    return running


def _absent(node: RangeAggregation, present: Array) -> Vector:
    """1 where there is no line at all, with the labels that the selector names."""
    nothing: Array = np.asarray(~present.any(axis=0, keepdims=True))
    equal = [one for one in node.range.query.matchers if one.op == "="]
    others = {one.name for one in node.range.query.matchers if one.op != "="}
    others |= {one.name for number, one in enumerate(equal) if one.name in {before.name for before in equal[:number]}}
    labels = {one.name: one.value for one in equal if one.name not in others and one.value}
    return Vector([dict(sorted(labels.items()))], np.ones(nothing.shape), nothing)


# Kernels: from windows to float64 [W] -------------------------------------------------------------------------------


def _edges(windows: Windows) -> Array:
    return np.stack([windows.lo, windows.hi], axis=1).ravel()


def _total(windows: Windows, values: Array | None = None) -> Array:
    """The sum of each window; `values` (one per sample) instead of the samples' own."""
    padded = np.append(windows.values if values is None else values, 0.0)
    total: Array = np.add.reduceat(padded, _edges(windows))[::2]
    return total


def _mean(windows: Windows) -> Array:
    mean = _total(windows) / windows.count
    overflown = np.isinf(mean) & ~(_total(windows, np.isinf(windows.values).astype(np.float64)) > 0)
    if overflown.any():
        some = windows.where(overflown)
        mean[overflown] = [float(np.mean(windows.values[lo:hi] / (hi - lo)) * (hi - lo))
                           for lo, hi in zip(some.lo, some.hi, strict=True)]  # fmt: skip
    return mean


def _variance(windows: Windows) -> Array:
    """Around the window's own mean, in two passes, so that nothing is lost by cancellation."""
    mean, result = _mean(windows), np.empty(len(windows))
    for begin, end in _stretches(windows.count):
        count = windows.count[begin:end]
        stops = np.cumsum(count)
        members = np.arange(stops[-1]) + np.repeat(windows.lo[begin:end] - (stops - count), count)
        squares = (windows.values[members] - np.repeat(mean[begin:end], count)) ** 2
        result[begin:end] = np.add.reduceat(squares, stops - count) / count
    return result


def _stretches(counts: Array) -> Iterator[tuple[int, int]]:
    """Windows that together hold as many samples as are calculated with at once."""
    upto, begin = np.cumsum(counts), 0
    while begin < len(counts):
        before = upto[begin - 1] if begin else 0
        end = max(int(np.searchsorted(upto, before + _CELLS_AT_ONCE, side="right")), begin + 1)
        yield begin, end
        begin = end


def _quantile(windows: Windows, node: RangeAggregation) -> Array:
    return sums.quantile(windows, np.full(len(windows), node.parameter))


def _rate_counter(windows: Windows, node: RangeAggregation) -> Array:
    """What Loki calculates: its times are nanoseconds where Prometheus', whose formula it is, are milliseconds.

    The increase is therefore hardly stretched at all, and a window of one sample gives 0.
    """
    first, last = windows.lo, windows.hi - 1
    values, times = windows.values, windows.times_ms  # nanoseconds here
    resets = windows.marks(lambda current, previous: current < previous)
    lost = np.append(0.0, np.cumsum(values[resets.places - 1] if len(resets.places) else np.empty(0)))
    increase = values[last] - values[first] + (lost[resets.first + resets.count] - lost[resets.first])
    seconds = node.range.range_ns / _SECOND
    sampled = (times[last] - times[first]) / 1000
    to_start = np.full(len(windows), seconds)
    to_zero = sampled * (values[first] / increase)
    to_start = np.where((increase > 0) & (values[first] >= 0) & (to_zero < to_start), to_zero, to_start)
    average = sampled / np.maximum(windows.count - 1, 1)
    stretched = sampled + np.where(to_start < average * 1.1, to_start, average / 2)
    stretched += np.where(average > 0, 0.0, average / 2)
    result = increase * (stretched / sampled) / seconds
    return np.where(windows.count < 2, 0.0, result)


def _per_second(windows: Windows, node: RangeAggregation) -> Array:
    return _total(windows) / (node.range.range_ns / _SECOND)


def _first(windows: Windows, _node: RangeAggregation) -> Array:
    values: Array = windows.values[windows.lo]
    return values


def _last(windows: Windows, _node: RangeAggregation) -> Array:
    values: Array = windows.values[windows.hi - 1]
    return values


RANGE_FUNCTIONS: Mapping[str, Callable[[Windows, RangeAggregation], Array]] = {
    "avg_over_time": lambda windows, node: _mean(windows),
    "bytes_over_time": lambda windows, node: _total(windows),
    "bytes_rate": _per_second,
    "count_over_time": lambda windows, node: windows.count.astype(np.float64),
    "first_over_time": _first,
    "last_over_time": _last,
    "max_over_time": lambda windows, node: sums.greatest(windows),
    "min_over_time": lambda windows, node: sums.least(windows),
    "quantile_over_time": _quantile,
    "rate": _per_second,
    "rate_counter": _rate_counter,
    "stddev_over_time": lambda windows, node: np.sqrt(_variance(windows)),
    "stdvar_over_time": lambda windows, node: _variance(windows),
    "sum_over_time": lambda windows, node: _total(windows),
}
