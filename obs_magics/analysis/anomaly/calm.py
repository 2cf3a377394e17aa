"""Calm days: whole days that keep the daily course with a smaller swing, as the first weekend that a frame shows.

Such a day is no outage, and what is unusual within it is seen against its own course. Nothing is known of calendars and
time zones: of all instants at which days could begin, the one is taken that explains most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.quantiles import medians

Array = np.ndarray[Any, Any]

_PARTS = 96  # of a day
_QUARTERS = 4
_FEWEST_DAYS = 3
_SMALLEST, _LARGEST = 0.2, 0.85  # of the usual swing: less is an outage, more is nothing
_EXPLAINED = 0.5  # of a day's absolute residual, that may be left
_EVERYWHERE = 0.75  # likewise, of each quarter of it: what happens in a part of a day is an event
_UNLIKE = 2.0  # times what is left of the usual day, that a calm day is off
_MOST_DAYS = 0.4  # of the days
_KEPT = 0.75  # of a day's parts, those that fit best tell how calm it is


@dataclass(frozen=True, slots=True)
class Calm:
    """How each cell of calm days differs: value = level + `lower` + `swing` × season.

    Args:
        rows: Which rows have calm days.
        swing: float64, those rows × cells; 1 on other days.
        lower: float64, likewise, in units of the series; 0 on other days.
    """

    rows: Array
    swing: Array
    lower: Array


def calm_days(values: Array, level: Array, season: Array, day: float) -> Calm | None:
    """Find the calm days of series with a daily course; None where there are none.

    Args:
        values: float64, rows × cells.
        level: float64, likewise: the level over many days.
        season: float64, likewise: what the phase adds.
        day: Cells of a day.
    """
    rows, cells = values.shape
    size = max(1, round(day / _PARTS))
    per_day = round(day / size)
    count = cells // size
    if count < _FEWEST_DAYS * per_day or per_day < 2 * _QUARTERS or per_day * size != round(day):
        return None
    off, usual = (medians(one[:, : count * size].reshape(rows, count, size)) for one in (values - level, season))
    swing, lower, saved = np.ones_like(off), np.zeros_like(off), np.zeros(rows)
    for start in range(per_day):
        own_swing, own_lower, gain = _of_days(off, usual, start, per_day)
        better = gain > saved
        swing[better], lower[better], saved[better] = own_swing[better], own_lower[better], gain[better]
    chosen = np.flatnonzero(saved > 0)
    if not len(chosen):
        return None
    after = cells - count * size
    return Calm(
        chosen,
        np.pad(np.repeat(swing[chosen], size, axis=1), ((0, 0), (0, after)), constant_values=1.0),
        np.pad(np.repeat(lower[chosen], size, axis=1), ((0, 0), (0, after))),
    )


def _of_days(off: Array, usual: Array, start: int, per_day: int) -> tuple[Array, Array, Array]:
    """Swing and offset of each part if days begin at this one, and how much of the residual they take away."""
    rows, count = off.shape
    days = (count - start) // per_day
    whole = slice(start, start + days * per_day)
    shape = (rows, days, per_day)
    own, course = off[:, whole].reshape(shape), usual[:, whole].reshape(shape)
    swing, lower = _fit(own, course)
    before = np.abs(own - course)
    after = np.abs(own - swing[..., None] * course - lower[..., None])
    quarter = per_day // _QUARTERS
    parts = (rows, days, _QUARTERS, quarter)
    in_quarters = [one[..., : quarter * _QUARTERS].reshape(parts).sum(axis=3) for one in (before, after)]
    gone = before.sum(axis=2) - after.sum(axis=2)
    calm = (swing >= _SMALLEST) & (swing <= _LARGEST) & (after.sum(axis=2) <= _EXPLAINED * before.sum(axis=2))
    calm &= (in_quarters[1] <= _EVERYWHERE * in_quarters[0]).all(axis=2)
    calm &= lower <= (1 - swing) * course.max(axis=2)  # its peak is lower
    calm &= before.sum(axis=2) >= _UNLIKE * medians(after.sum(axis=2))[:, None]
    calm &= calm.sum(axis=1, keepdims=True) <= max(1, _MOST_DAYS * days)
    all_swing, all_lower = np.ones_like(off), np.zeros_like(off)
    all_swing[:, whole] = np.repeat(np.where(calm, swing, 1.0), per_day, axis=1)
    all_lower[:, whole] = np.repeat(np.where(calm, lower, 0.0), per_day, axis=1)
    return all_swing, all_lower, np.where(calm, gone, 0.0).sum(axis=1)


def _fit(own: Array, course: Array) -> tuple[Array, Array]:
    """Swing and offset of each day by least squares, fitted again without the parts that fit worst."""
    weights = np.ones_like(own)
    for _ in range(2):
        total = weights.sum(axis=2)
        mean_own, mean_course = ((one * weights).sum(axis=2) / total for one in (own, course))
        apart = course - mean_course[..., None]
        spread = (weights * apart**2).sum(axis=2)
        swing = (weights * apart * own).sum(axis=2) / np.where(spread > 0, spread, 1.0)
        lower = mean_own - swing * mean_course
        left = np.abs(own - swing[..., None] * course - lower[..., None])
        weights = (left <= np.quantile(left, _KEPT, axis=2)[..., None]).astype(np.float64)
    return swing, lower
