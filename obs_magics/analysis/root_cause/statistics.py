"""How surprising a change is: one measure for shifts of medians and for changed shares, so that they can be compared.

A surprise is ``log(1 + x)`` where x is what a chi-squared test with one degree of freedom would be given: the squared
distance in standard errors for a median, the G statistic for a share. The logarithm is that of a heavy-tailed
alternative: a thousand standard errors are more telling than a hundred, but not a hundred times more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

REFERENCE, INCIDENT, NEITHER = 0, 1, -1
"""What a row belongs to: what is usual, the incident, or what lies between and is left out."""

_MEDIAN_VARIANCE = 1.5708  # of the mean's, for a normal distribution: pi / 2
_QUARTERS_TO_SIGMA = 0.7413  # of a normal distribution's distance between quartiles
_TAIL_TO_SIGMA = 0.7803  # of its distance between the median and the upper tenth
_DRIFT = 0.5  # spreads by which a median wanders from one time to another without a fault
_FEW = 3.0  # rows of reference at which a spread is half believed


@dataclass(frozen=True, slots=True)
class Shifts:
    """Medians of groups before and during, and the spread before.

    Args:
        before: Rows of each group in the reference.
        during: Rows of each group in the incident.
        usual: Median in the reference; NaN without rows.
        now: Median in the incident; NaN without rows.
        spread: Of the reference, as the sigma of a normal distribution; NaN without rows.
    """

    before: Array
    during: Array
    usual: Array
    now: Array
    spread: Array

    @property
    def change(self) -> Array:
        """By how much the median moved; 0 where either side is missing."""
        moved: Array = np.nan_to_num(self.now - self.usual)
        return moved


def shifts(values: Array, group: Array, period: Array, many: int) -> Shifts:
    """Medians and spreads of all groups at once.

    Args:
        values: float64, finite.
        group: int64, from 0 to `many` - 1.
        period: REFERENCE, INCIDENT or NEITHER of each row.
        many: How many groups there are.
    """
    used = np.flatnonzero(period >= 0)
    lane = group[used] * 2 + period[used]
    order = np.lexsort((values[used], lane))
    ordered = values[used][order]
    counts = np.bincount(lane, minlength=2 * many)
    first = np.cumsum(counts) - counts
    before, during = counts[0::2], counts[1::2]
    quarter, usual, upper, high = (_quantile(ordered, first[0::2], before, at) for at in (0.25, 0.5, 0.75, 0.9))
    now = _quantile(ordered, first[1::2], during, 0.5)
    spread = np.maximum((upper - quarter) * _QUARTERS_TO_SIGMA, (high - usual) * _TAIL_TO_SIGMA)
    return Shifts(before, during, usual, now, spread)


def _quantile(ordered: Array, first: Array, counts: Array, share: float) -> Array:
    """A quantile of each stretch of sorted values, linear between neighbours; NaN for an empty one."""
    result = np.full(len(first), np.nan)
    there = np.flatnonzero(counts)
    place = share * (counts[there] - 1)
    low = np.floor(place).astype(np.int64)
    part = place - low
    start = first[there]
    above = np.minimum(low + 1, counts[there] - 1)
    result[there] = ordered[start + low] * (1 - part) + ordered[start + above] * part
    return result


def surprise_of_shift(change: Array, spread: Array, before: Array, during: Array) -> Array:
    """How surprising shifts of medians are, given the spread before; 0 where a side has no rows.

    The variance of a shift is that of both medians, and that of the drift which goes on without any fault. Where only
    few rows tell the spread, the surprise is believed in part.
    """
    few = np.maximum(np.minimum(before, during), 1)
    variance = spread**2 * (_DRIFT**2 + _MEDIAN_VARIANCE / few)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        surprise = np.log1p(change**2 / variance) * before / (before + _FEW)
    return np.where((before > 0) & (during > 0) & (variance > 0), np.nan_to_num(surprise, posinf=0.0), 0.0)


def g_statistic(hits: Array, total: Array, other_hits: Array, other_total: Array) -> Array:
    """The G statistic of two shares being one (Sokal and Rohlf, Biometry, section 17.4); arrays of any one shape."""
    every, marked = total + other_total, hits + other_hits
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(every > 0, marked / np.maximum(every, 1), 0.0)
    terms = (
        (hits, total * share),
        (total - hits, total * (1 - share)),
        (other_hits, other_total * share),
        (other_total - other_hits, other_total * (1 - share)),
    )
    result = np.zeros(np.broadcast(hits, total, other_hits, other_total).shape)
    for seen, expected in terms:
        with np.errstate(divide="ignore", invalid="ignore"):
            result += np.where(seen > 0, seen * np.log(np.maximum(seen, 1e-300) / np.maximum(expected, 1e-300)), 0.0)
    return np.maximum(2.0 * result, 0.0)
