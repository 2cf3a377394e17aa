"""Functions of time: time, timestamp, and the calendar in UTC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import promql_parser

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import Array
from obs_magics.local.promql.selectors import without_parens
from obs_magics.local.promql.values import Scalar, Value, Vector, map_values, merge_same_labels, without_name

_DAY = 86_400
# Go turns what does not fit into 64 bits into the smallest integer, and its calendar takes that for this second.
_WRAPPED = 2**63


def _time(node: Any, context: Context) -> Value:
    return Scalar(context.times_ms / 1000)


def _timestamp(node: Any, context: Context) -> Value:
    """The time of the sample where the argument is a selector, of the step elsewhere."""
    inner = without_parens(node.args[0])
    vector = context.vector(inner, "timestamp")
    times = np.broadcast_to(context.times_ms, vector.present.shape)
    if vector.timestamps_ms is not None and isinstance(inner, promql_parser.VectorSelector):
        times = vector.timestamps_ms
    labels = [without_name(one) for one in vector.labels]
    return merge_same_labels(Vector(labels, times / 1000, vector.present))


class _Moments:
    """Days since the epoch and seconds of the day, int64, of times in seconds."""

    def __init__(self, seconds: Array) -> None:
        fits = np.abs(seconds) < 2.0**63
        whole = np.where(fits, seconds, 0.0).astype(np.int64)
        self.days = np.where(fits, whole // _DAY, _WRAPPED // _DAY)
        self.second = np.where(fits, whole % _DAY, _WRAPPED % _DAY)

    def civil(self) -> tuple[Array, Array, Array]:
        """Year, month and day of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms")."""
        shifted = self.days + 719_468
        era, of_era = shifted // 146_097, shifted % 146_097
        year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
        of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
        month_from_march = (5 * of_year + 2) // 153
        day = of_year - (153 * month_from_march + 2) // 5 + 1
        month = np.where(month_from_march < 10, month_from_march + 3, month_from_march - 9)
        return year_of_era + era * 400 + (month <= 2), month, day


def _is_leap(year: Array) -> Array:
    leap: Array = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return leap


_LENGTHS = np.asarray([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_BEFORE = np.concatenate([[0], np.cumsum(_LENGTHS)])


def _days_in_month(moments: _Moments) -> Array:
    year, month, _ = moments.civil()
    length: Array = _LENGTHS[month] + ((month == 2) & _is_leap(year))
    return length


def _day_of_year(moments: _Moments) -> Array:
    year, month, day = moments.civil()
    number: Array = _BEFORE[month] + day + ((month > 2) & _is_leap(year))
    return number


_CALENDAR: dict[str, Callable[[_Moments], Array]] = {
    "day_of_month": lambda moments: moments.civil()[2],
    "day_of_week": lambda moments: (moments.days + 4) % 7,  # 1 January 1970 was a Thursday
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "hour": lambda moments: moments.second // 3600,
    "minute": lambda moments: moments.second % 3600 // 60,
    "month": lambda moments: moments.civil()[1],
    "year": lambda moments: moments.civil()[0],
}


def _calendar(function: Callable[[_Moments], Array]) -> Callable[[Any, Context], Value]:
    def apply(node: Any, context: Context) -> Value:
        if node.args:
            vector = context.vector(node.args[0], str(node.func.name))
        else:
            seconds = (context.times_ms // 1000).astype(np.float64)[np.newaxis]
            vector = Vector([{}], seconds, np.ones(seconds.shape, dtype=bool))
        return map_values(vector, lambda values: function(_Moments(values)).astype(np.float64))

    return apply


TABLE: dict[str, Callable[[Any, Context], Value]] = {
    **{name: _calendar(function) for name, function in _CALENDAR.items()},
    "time": _time,
    "timestamp": _timestamp,
}
