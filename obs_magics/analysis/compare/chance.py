"""How likely a difference of shares is by chance: Fisher's exact test, and the correction for many of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import gammaln

Array = np.ndarray[Any, Any]

_REACH, _LEAST_REACH = 12, 60  # standard deviations, and terms: what lies beyond adds nothing


def fisher(hits: int, total: int, other_hits: int, other_total: int) -> float:
    """The probability that two samples of one population differ at least so much.

    Fisher's exact test, two-sided as twice the smaller tail (Fisher, Statistical Methods for Research Workers, §21.02;
    of the two usual ways to have two sides the more careful one).

    Args:
        hits: Rows of the first sample that have the value.
        total: Rows of the first sample.
        other_hits: Likewise of the second.
        other_total: Likewise.

    >>> round(fisher(3, 4, 1, 4), 4)
    0.4857
    """
    every, marked = total + other_total, hits + other_hits
    low, high = max(0, marked - other_total), min(marked, total)
    mean = total * marked / every if every else 0.0
    spread = math.sqrt(mean * (1 - marked / every) * other_total / max(every - 1, 1)) if every else 0.0
    reach = math.ceil(_REACH * spread) + _LEAST_REACH
    if hits >= mean:
        there = np.arange(hits, min(high, hits + reach) + 1)
    else:
        there = np.arange(max(low, hits - reach), hits + 1)
    logs = (
        _choose(marked, there) + _choose(every - marked, total - there) - _choose(every, np.asarray(total))
    )  # of the hypergeometric distribution
    return min(1.0, 2.0 * float(np.exp(logs).sum()))


def _choose(of: int, many: Array) -> Array:
    chosen: Array = gammaln(of + 1.0) - gammaln(many + 1.0) - gammaln(of - many + 1.0)
    return chosen


def corrected(p_values: Array, tests: int) -> Array:
    """p-values corrected for the number of tests, so that below 0.01 one in a hundred is false.

    Benjamini and Hochberg, Controlling the False Discovery Rate, J. R. Stat. Soc. B 57 (1995).

    Args:
        p_values: float64, in any order.
        tests: How many there were; those without a p-value here count as 1, which is on the careful side.
    """
    order = np.argsort(p_values, kind="stable")
    raised = p_values[order] * max(tests, len(p_values)) / np.arange(1, len(p_values) + 1)
    result = np.empty(len(p_values))
    result[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return result
