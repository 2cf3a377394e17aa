"""Counters among the series: values that only grow tell nothing until they are a rate.

A counter is known by its values: it never falls but to begin anew, and grows at most instants. A name that speaks of a
level (a share, bytes, a disk) is none, however steadily it grows.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_LEVEL = re.compile(
    r"(?i)ratio|percent|util|usage(?!_seconds_total)|used|free|avail|size|_bytes$|age$|lag$|in_use|(?<!_)p\d\d"
)
_COUNTED = re.compile(r"(?i)(_total|_count|_sum|_bucket|\.count)$")
_LEAST_POINTS = 8
_GROWS = 0.5  # of all steps, from which a counter's rate says more than its level
_RESETS = 0.02  # of all steps: more often nothing begins anew
_NAMED_GROWS = 0.2  # likewise where the name says that it is a counter


def is_counter(metric: str, values: Array) -> bool:
    """Whether values in order of time are those of a counter that runs.

    >>> is_counter("http_requests_total", np.arange(20.0)), is_counter("disk_used_ratio", np.arange(20.0) / 100)
    (True, False)
    """
    named = bool(_COUNTED.search(metric))
    if len(values) < _LEAST_POINTS or (not named and _LEVEL.search(metric)):
        return False
    steps = np.diff(values)
    fell = steps < 0
    anew = values[1:][fell] <= 0.5 * values[:-1][fell]
    if not anew.all() or np.count_nonzero(fell) > max(1, _RESETS * len(steps)):
        return False
    return bool(np.count_nonzero(steps > 0) >= (_NAMED_GROWS if named else _GROWS) * len(steps) and values.min() >= 0)


def rates(instants: Array, values: Array) -> Array:
    """Growth per second since the last value; NaN for the first. What begins anew began at 0, as in PromQL.

    Args:
        instants: int64 nanoseconds since the epoch, ascending.
        values: Of a counter.
    """
    grown = np.diff(values)
    grown = np.where(grown < 0, values[1:], grown)
    apart = np.diff(instants) / 1e9
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([[np.nan], np.where(apart > 0, grown / apart, np.nan)])
