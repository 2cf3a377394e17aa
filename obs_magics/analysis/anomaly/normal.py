"""What is normal at each cell of each series: level plus season, and how far its noise usually strays.

The noise is measured on each side by what is robust of it; its size may change with the phase of the day and, slowly,
with time. A series that mostly stands still (no errors for hours) is measured by its moves alone: the usual burst is
one spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.calm import calm_days
from obs_magics.analysis.anomaly.grids import Batch
from obs_magics.analysis.anomaly.levels import drifting, followed, one_level, running_median, slow_level
from obs_magics.analysis.anomaly.quantiles import medians, row_quantiles, spreads
from obs_magics.analysis.anomaly.seasons import Seasons, find_seasons, phase_scale

Array = np.ndarray[Any, Any]

_DAYS_FOR_DAILY_LEVEL = 3
_CELLS_OF_A_DAY = 48  # below, a day is too short a window
_WEEK = 7
_PART_OF_SHORT = 3  # of a series of a few days: what is shorter than half of that part is no level
_LESS_SURE = 4.0  # spreads more per window that the level is carried on
_PART_OF_DRIFT = 8  # likewise, of one that drifts
_PART_OF_EVENTS = 10
_SHORTEST_WINDOW = 12
_CLIP = 6.0  # spreads, for what the seasons are found in
_LEAST_SPREAD = 0.002  # of the level: what moves less is taken as still
_LEAST_OF_MEAN = 1e-3  # of the mean absolute residual
_STILL = 1e-9  # of the largest value: rounding, no move
_MOSTLY_STILL = 0.4  # at most this share moves
_MOVES = (20, 0.005)  # at least so many moves, and this share, tell what a usual move is
_PHASE_BINS = 24
_PHASE_LEAST, _PHASE_MOST = 0.6, 4.0
_HUGE = 20.0  # spreads: an outlier is no larger, where the size of the noise is followed


@dataclass(frozen=True, slots=True)
class Normal:
    """What is normal in a batch; everything float64, rows × cells, but where it says otherwise.

    Args:
        expected: Level plus season.
        low: Size of one spread below, in units of the series.
        high: Size of one spread above.
        z: How many spreads the value is off; 0 where nothing was seen.
        window: Of the level, in cells.
        periods: Of each row, in cells.
        season: What the phase adds.
        moves: bool; for rows that mostly stand still, where they move; True everywhere for the others.
        still: bool, per row: mostly stands still.
        short: Whether there are less days than make a daily level.
    """

    expected: Array
    low: Array
    high: Array
    z: Array
    window: int
    periods: tuple[tuple[float, ...], ...]
    season: Array
    moves: Array
    still: Array
    short: bool
    filled: Array


def normals_of(batch: Batch) -> Iterator[tuple[Batch, Normal]]:
    """Find level, seasons and noise of each row of a batch; one of a few days comes in two parts if some rows drift.

    With days enough the level is the running median of a day. With less, a row that stays where it is has one level,
    and nothing that fills less than half of it can hide; one that drifts (the daily course, of which there is but one
    day) is followed closely, so that only what is quicker than its drift is told.
    """
    cells = int(batch.values.shape[1])
    if not batch.clocked:
        yield batch, _normal(batch, max(_SHORTEST_WINDOW, cells // _PART_OF_EVENTS), slow_level)
    elif cells >= _DAYS_FOR_DAILY_LEVEL * batch.day and batch.day >= _SHORTEST_WINDOW:
        short_days = batch.day < _CELLS_OF_A_DAY and cells >= 2 * _DAYS_FOR_DAILY_LEVEL * batch.day
        yield batch, _normal(batch, round(batch.day * (2 if short_days else 1)), slow_level)
    else:
        window = max(_SHORTEST_WINDOW, cells // _PART_OF_SHORT)
        drifts = drifting(batch.values, window)
        for rows, part, of_part in ((~drifts, _PART_OF_SHORT, _resting), (drifts, _PART_OF_DRIFT, _following)):
            if rows.any():
                chosen = batch.part(np.flatnonzero(rows))
                yield chosen, _normal(chosen, max(_SHORTEST_WINDOW, cells // part), of_part)


_Level = Callable[[Array, int, int], Array]


def _resting(flat: Array, window: int, judged: int) -> Array:
    return one_level(flat, judged)


def _following(flat: Array, window: int, judged: int) -> Array:
    return followed(flat, window)


def _normal(batch: Batch, window: int, level: _Level) -> Normal:
    values = batch.values
    absent = None if batch.seen is None else ~batch.seen
    seasons, expected = _seasons_and_level(batch, values, window, level, None)
    if absent is not None:  # once more, with what is expected where something is missing
        values = np.where(absent, expected, values)
        seasons, expected = _seasons_and_level(batch, values, window, level, seasons)
        values = np.where(absent, expected, values)
    if level is slow_level and batch.clocked:
        expected, seasons = _with_calm_days(batch, values, expected, seasons, window)
    unsure = _unsure(values.shape[1], window) if level is _following else 1.0
    return _with_noise(
        batch,
        values,
        expected,
        seasons,
        window,
        unsure=unsure,
        settles=level is not _resting,
        short=level is not slow_level,
    )


def _seasons_and_level(
    batch: Batch, values: Array, window: int, level: _Level, known: Seasons | None
) -> tuple[Seasons, Array]:
    if batch.clocked:
        absent = None if batch.seen is None else ~batch.seen
        moves = _clipped(values - level(values, window, 0), absent)
        seasons = find_seasons(moves, absent, batch.day, known=known)
    else:
        seasons = Seasons(np.zeros_like(values), ((),) * len(values))
    return seasons, level(values - seasons.values, window, batch.judged) + seasons.values


def _with_calm_days(
    batch: Batch, values: Array, expected: Array, seasons: Seasons, window: int
) -> tuple[Array, Seasons]:
    """What is expected, also on calm days of series with a daily course; all of what makes them calm is seasonal."""
    daily = np.flatnonzero([batch.day in periods for periods in seasons.periods])
    if not len(daily):
        return expected, seasons
    season = seasons.values[daily]
    level = running_median(values[daily] - season, round(_WEEK * batch.day))
    calm = calm_days(values[daily], level, season, batch.day)
    if calm is None:
        return expected, seasons
    rows, level = daily[calm.rows], level[calm.rows]
    known = Seasons(seasons.values[rows], tuple(seasons.periods[row] for row in rows))
    as_usual = (values[rows] - level - calm.lower) / calm.swing + level
    again, lifted = _seasons_and_level(batch.part(rows), as_usual, window, slow_level, known)
    expected, season = expected.copy(), seasons.values.copy()
    expected[rows] = (lifted - level) * calm.swing + calm.lower + level
    season[rows] = expected[rows] - (lifted - again.values)
    return expected, Seasons(season, seasons.periods)


def _clipped(moves: Array, absent: Array | None) -> Array:
    middle, below, above = spreads(moves if absent is None else np.where(absent, np.nan, moves))
    reach = _CLIP * np.maximum(below, above)[:, None]
    result: Array = np.clip(moves - middle[:, None], -reach, reach)
    return result


def _unsure(cells: int, window: int) -> Array:
    """By how much less is known at each cell where the level was carried on in a straight line; 1 elsewhere."""
    inside = np.arange(cells)
    outside = np.maximum(window / 2 - np.minimum(inside, cells - 1 - inside), 0.0)
    return 1.0 + outside * _LESS_SURE / window


def _with_noise(
    batch: Batch,
    values: Array,
    expected: Array,
    seasons: Seasons,
    window: int,
    *,
    unsure: Array | float,
    settles: bool,
    short: bool,
) -> Normal:
    seen = batch.seen
    rest = values - expected
    inside = rest if seen is None else np.where(seen, rest, np.nan)
    middle, below, above = spreads(inside)
    size = np.abs(values).max(axis=1, keepdims=True)
    moves = np.abs(np.nan_to_num(inside)) > _STILL * size
    many = moves.sum(axis=1)
    points = np.full(len(values), values.shape[1]) if seen is None else seen.sum(axis=1)
    still = (many >= np.maximum(_MOVES[0], _MOVES[1] * points)) & (many < _MOSTLY_STILL * points)
    if still.any():
        middle[still] = 0.0
        above[still], below[still] = (_usual_move(inside[still] * side, moves[still]) for side in (1.0, -1.0))
    typical = medians(np.abs(values if seen is None else np.where(seen, values, np.nan)))
    least = np.maximum(_LEAST_SPREAD * typical, _LEAST_OF_MEAN * np.nanmean(np.abs(inside), axis=1))
    least = np.maximum(least, 1e-12 * np.maximum(size[:, 0], 1e-300))
    off = inside - middle[:, None]
    sides = np.where(off > 0, np.maximum(above, least)[:, None], np.maximum(below, least)[:, None])
    strayed = off / sides
    if not settles:  # a shift under one level is no noise
        strayed -= running_median(np.nan_to_num(strayed), max(_SHORTEST_WINDOW, window // _PART_OF_SHORT))
    factor = _noise_size(np.abs(strayed), seasons, window, batch.day)
    factor[still] = 1.0
    factor *= unsure
    evened = spreads((inside - middle[:, None]) / factor)  # now that its size is even, how large the noise is
    below, above = np.where(still, below, evened[1]), np.where(still, above, evened[2])
    low, high = np.maximum(below, least)[:, None] * factor, np.maximum(above, least)[:, None] * factor
    off = rest - middle[:, None]
    z = off / np.where(off > 0, high, low)
    if seen is not None:
        z[~seen] = 0.0
    return Normal(
        expected=expected + middle[:, None],
        low=low,
        high=high,
        z=z,
        window=window,
        periods=seasons.periods,
        season=seasons.values,
        moves=moves | ~still[:, None],
        still=still,
        short=short,
        filled=values,
    )


def _usual_move(sided: Array, moves: Array) -> Array:
    """The upper quartile of the moves to one side; of all moves where there are none to that side."""
    own = row_quantiles(np.where(moves & (sided > 0), sided, np.nan), [0.75])[0]
    any_side = medians(np.where(moves, np.abs(sided), np.nan))
    return np.where(np.isnan(own), any_side, own)


def _noise_size(sizes: Array, seasons: Seasons, window: int, day: float) -> Array:
    """How large the noise is at each cell, over what it is usually: by the phase of the day, then slowly over time.

    Args:
        sizes: float64, rows × cells: how far off, in spreads; NaN where nothing was seen.
        seasons: Of the rows.
        window: Over which time counts, in cells.
        day: In cells.
    """
    factor = np.ones_like(sizes)
    by_period: dict[float, list[int]] = {}
    for row, periods in enumerate(seasons.periods):
        if periods:
            longest = max(one for one in (*periods, 0.0) if one < 1.5 * day) or day
            by_period.setdefault(longest, []).append(row)
    for period, rows in by_period.items():
        if period >= _PHASE_BINS:
            factor[rows] = np.clip(phase_scale(sizes[rows], period, _PHASE_BINS), _PHASE_LEAST, _PHASE_MOST)
    sizes = np.minimum(sizes / factor, _HUGE)
    usual = medians(sizes)[:, None]
    slow = running_median(np.where(np.isnan(sizes), usual, sizes), window)
    result: Array = factor * np.maximum(slow / np.where(usual > 0, usual, 1.0), 1.0)
    return result
