"""Functions over the values in a window: ``*_over_time``, deriv, predict_linear, double exponential smoothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from obs_magics.local.promql import sums
from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import Array
from obs_magics.local.promql.functions.ranges import range_function
from obs_magics.local.promql.values import Value
from obs_magics.local.promql.windows import Windows, kahan_add


def _mean(windows: Windows) -> Array:
    return sums.mean(windows) if windows.version >= 3 else sums.incremental_mean(windows, compensated=True)


def _first(windows: Windows) -> Array:
    values: Array = windows.values[windows.lo]
    return values


def _last(windows: Windows) -> Array:
    values: Array = windows.values[windows.hi - 1]
    return values


def _time_of_first(windows: Windows) -> Array:
    times: Array = windows.times_ms[windows.lo] / 1000
    return times


def _time_of_last(windows: Windows) -> Array:
    times: Array = windows.times_ms[windows.hi - 1] / 1000
    return times


def _time_of_extreme(windows: Windows, better: Callable[[Array, Array], Array]) -> Array:
    """When the extreme value was seen last."""
    extreme = windows.values[windows.lo[windows.order]]
    moment = windows.times_ms[windows.lo[windows.order]]
    for active, samples in windows.ranks():
        value = windows.values[samples]
        wins = better(value, extreme[:active]) | np.isnan(extreme[:active])
        extreme[:active] = np.where(wins, value, extreme[:active])
        moment[:active] = np.where(wins, windows.times_ms[samples], moment[:active])
    return windows.unordered(moment) / 1000


def _regression(windows: Windows, origin_ms: Array) -> tuple[Array, Array]:
    """Slope per second and value at `origin_ms` ([W]) of the least-squares line, as Prometheus' `linearRegression`."""
    origin = origin_ms[windows.order]
    first = windows.values[windows.lo[windows.order]]
    constant = np.ones(len(windows), dtype=bool)
    totals, rests = np.zeros((4, len(windows))), np.zeros((4, len(windows)))
    for rank, (active, samples) in enumerate(windows.ranks()):
        y = windows.values[samples]
        x = (windows.times_ms[samples] - origin[:active]) / 1e3
        if rank:
            constant[:active] &= y == first[:active]
        for index, term in enumerate((x, y, x * y, x * x)):
            kahan_add(term, totals[index, :active], rests[index, :active])
    sum_x, sum_y, sum_xy, sum_xx = totals + rests
    n = windows.count[windows.order].astype(np.float64)
    slope = (sum_xy - sum_x * sum_y / n) / (sum_xx - sum_x * sum_x / n)
    intercept = sum_y / n - slope * sum_x / n
    flat, at = np.where(np.isinf(first), np.nan, 0.0), np.where(np.isinf(first), np.nan, first)
    slope, intercept = np.where(constant, flat, slope), np.where(constant, at, intercept)
    return windows.unordered(slope), windows.unordered(intercept)


def _deriv(windows: Windows) -> Array:
    return _regression(windows, windows.times_ms[windows.lo])[0]


def _predict_linear(windows: Windows, seconds: Array) -> Array:
    slope, intercept = _regression(windows, windows.eval_ms)
    predicted: Array = slope * seconds + intercept
    return predicted


def _smooth(windows: Windows, smoothing: Array, trending: Array) -> Array:
    smooth, trend_factor = smoothing[windows.order], trending[windows.order]
    before, now = np.zeros(len(windows)), windows.values[windows.lo[windows.order]]
    trend = windows.values[windows.lo[windows.order] + 1] - now
    for rank, (active, samples) in enumerate(windows.ranks()):
        if rank == 0:
            continue
        factor, level = smooth[:active], now[:active].copy()
        if rank > 1:
            weight = trend_factor[:active]
            trend[:active] = weight * (level - before[:active]) + (1 - weight) * trend[:active]
        scaled = factor * windows.values[samples]
        now[:active] = scaled + (1 - factor) * (level + trend[:active])
        before[:active] = level
    return windows.unordered(now)


def _check_factors(context: Context, smoothing: Array, trending: Array) -> None:
    for what, factors, letter in (("smoothing", smoothing, "sf"), ("trend", trending, "tf")):
        wrong = (factors <= 0) | (factors >= 1)
        if wrong.any():
            value = factors[wrong][0]
            message = f"invalid {what} factor. Expected: 0 < {letter} < 1, got: {value:f}"
            name = "holt_winters" if "holt_winters" in context.text else "double_exponential_smoothing"
            raise context.error(name, message)


_SMOOTHING = range_function(_smooth, min_samples=2, check=_check_factors)

TABLE: dict[str, Callable[[Any, Context], Value]] = {
    "avg_over_time": range_function(_mean),
    "count_over_time": range_function(lambda windows: windows.count.astype(np.float64)),
    "deriv": range_function(_deriv, min_samples=2),
    "double_exponential_smoothing": _SMOOTHING,
    "first_over_time": range_function(_first, keep_name=True),
    "holt_winters": _SMOOTHING,
    "last_over_time": range_function(_last, keep_name=True),
    "mad_over_time": range_function(sums.absolute_deviation),
    "max_over_time": range_function(sums.greatest),
    "min_over_time": range_function(sums.least),
    "predict_linear": range_function(_predict_linear, min_samples=2),
    "present_over_time": range_function(lambda windows: np.ones(len(windows))),
    "quantile_over_time": range_function(sums.quantile, check=Context.warn_of_quantiles),
    "stddev_over_time": range_function(lambda windows: np.sqrt(sums.variance(windows))),
    "stdvar_over_time": range_function(sums.variance),
    "sum_over_time": range_function(sums.kahan_sum),
    "ts_of_first_over_time": range_function(_time_of_first),
    "ts_of_last_over_time": range_function(_time_of_last),
    "ts_of_max_over_time": range_function(lambda windows: _time_of_extreme(windows, np.greater_equal)),
    "ts_of_min_over_time": range_function(lambda windows: _time_of_extreme(windows, np.less_equal)),
}
