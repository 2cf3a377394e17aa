"""What comes back: the periods of a series, found in the data, and what is usual at each phase of them.

What a period explains is always judged by *other* cycles: the value at a phase is the median of the other cycles there,
never of its own, so that neither an anomaly nor noise can explain itself. Days differ (weekends, holidays): a day is
compared with the days that resemble it most, which needs no calendar and no time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft

from obs_magics.analysis.anomaly.quantiles import medians, row_quantiles

Array = np.ndarray[Any, Any]

_FEWEST_CYCLES = 3
_SHORTEST = 4  # cells of a period
_WEEK = 7
_FOUND = 0.25  # autocorrelation that a period needs
_FELL = 0.2  # below which autocorrelation must fall before it can come back
_AS_GOOD = 0.85  # of the highest peak of autocorrelation: the first such peak is the period, not a multiple of it
_NEAR_A_DAY = 0.06
_EXPLAINS = 0.93  # of the absolute residual that may be left, for a period to be believed
_ALIKE = 0.7  # of the other days, those most like it
_MOST_ALIKE = 21
_LEAST_ALIKE = 4


@dataclass(frozen=True, slots=True)
class Seasons:
    """What is seasonal in each row.

    Args:
        values: float64, rows × cells: what the phase adds to the level; zero where nothing comes back.
        periods: Per row, in cells; empty where nothing comes back.
    """

    values: Array
    periods: tuple[tuple[float, ...], ...]


def find_seasons(moves: Array, absent: Array | None, day: float, *, known: Seasons | None = None) -> Seasons:
    """Look for what comes back in rows without their level.

    Args:
        moves: float64, rows × cells, clipped so that spikes do not rule; without NaN.
        absent: bool, where cells are filled in; None for nowhere.
        day: Cells per day.
        known: Periods found before: only those are tried.
    """
    rows = len(moves)
    left = moves.copy()
    error = _error(left, absent)
    found: list[tuple[float, ...]] = [()] * rows
    values = np.zeros_like(moves)
    for candidates, alike in _candidates(moves, day, known):
        for period in sorted(set(candidates.tolist()) - {0.0}):
            chosen = np.flatnonzero((candidates == period) & (error > 0))
            if not len(chosen):
                continue
            usual = _alike_days(left[chosen], period) if alike else others_median(left[chosen], period)
            rest = left[chosen] - usual
            rest_error = _error(rest, None if absent is None else absent[chosen])
            better = rest_error < _EXPLAINS * error[chosen]
            kept = chosen[better]
            left[kept], error[kept] = rest[better], rest_error[better]
            values[kept] += usual[better]
            for row in kept.tolist():
                found[row] = (*found[row], period)
    return Seasons(values, tuple(found))


def others_median(moves: Array, period: float) -> Array:
    """For each cell, the median of the cells of other cycles at its phase; zero where there is no other.

    Args:
        moves: float64, rows × cells.
        period: In cells; need not be whole.
    """
    table, cell, filled = _cycles(moves, period)
    return _spread_out(_leave_one_out(table), cell, filled, moves.shape)


def _alike_days(moves: Array, period: float) -> Array:
    """The same, of the cycles that are most like the cell's own."""
    table, cell, filled = _cycles(moves, period)
    rows, cycles, _ = table.shape
    many = min(max(_LEAST_ALIKE, round(_ALIKE * (cycles - 1))), _MOST_ALIKE)
    if many >= cycles - 1:
        return _spread_out(_leave_one_out(table), cell, filled, moves.shape)
    apart = np.full((rows, cycles, cycles), np.inf)
    for one in range(cycles):
        for other in range(one + 1, cycles):
            apart[:, one, other] = apart[:, other, one] = _distance(table[:, one], table[:, other])
    nearest = np.argsort(apart, axis=2, kind="stable")[:, :, :many]
    usual = np.empty_like(table)
    for one in range(cycles):
        others = np.take_along_axis(table, nearest[:, one, :, None], axis=1)
        usual[:, one] = medians(np.moveaxis(others, 1, -1))
    return _spread_out(usual, cell, filled, moves.shape)


def _distance(one: Array, other: Array) -> Array:
    """Median distance of two days, over the phases that both have: what is unusual in either hardly counts."""
    distance = medians(np.abs(one - other))
    return np.where(np.isnan(distance), np.inf, distance)


def _leave_one_out(table: Array) -> Array:
    """Medians over the other cycles, NaN left out: from the two or three middle ones of all."""
    ordered = np.sort(table, axis=1)
    count = table.shape[1] - np.isnan(table).sum(axis=1, keepdims=True)
    middle = count // 2

    def at(place: Array) -> Array:
        inside = np.clip(place, 0, np.maximum(count - 1, 0))
        result: Array = np.take_along_axis(ordered, inside, axis=1)
        return result

    below, at_middle, above = at(middle - 1), at(middle), at(middle + 1)
    odd = np.where(
        table < at_middle,
        (at_middle + above) / 2,
        np.where(table > at_middle, (below + at_middle) / 2, (below + above) / 2),
    )
    even = np.where(table < at_middle, at_middle, below)
    return np.where(count < 2, 0.0, np.where(count % 2 == 1, odd, even))


def _cycles(moves: Array, period: float) -> tuple[Array, Array, Array]:
    """Rows × cycles × phases, NaN past the end; the cell of each cycle and phase, and whether there is one."""
    cells = moves.shape[1]
    phases = round(period)
    cycles = int(np.ceil(cells / period - 1e-9))
    starts = np.rint(np.arange(cycles) * period).astype(np.int64)
    cell = starts[:, None] + np.arange(phases)
    filled = cell < cells
    table = np.where(filled, moves[:, np.minimum(cell, cells - 1)], np.nan)
    return table, cell, filled


def _spread_out(usual: Array, cell: Array, filled: Array, shape: tuple[int, ...]) -> Array:
    """From rows × cycles × phases to rows × cells; a cell that no cycle has is as the one before."""
    result = np.full(shape, np.nan)
    result[:, cell[filled]] = usual[:, filled]
    between = np.setdiff1d(np.arange(shape[1]), cell[filled])
    result[:, between] = result[:, between - 1]
    result[np.isnan(result)] = 0.0
    return result


def _error(moves: Array, absent: Array | None) -> Array:
    inside = moves if absent is None else np.where(absent, np.nan, moves)
    result: Array = np.nansum(np.abs(inside - medians(inside)[:, None]), axis=1)
    return result


# ── periods ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _candidates(moves: Array, day: float, known: Seasons | None) -> list[tuple[Array, bool]]:
    """Periods to try one after the other, one per row each time (0 for none), and whether they are days."""
    rows, cells = moves.shape
    days = np.full(rows, day if cells >= _FEWEST_CYCLES * day and day >= _SHORTEST else 0.0)
    weeks = np.full(rows, _WEEK * day if cells >= 0.995 * _FEWEST_CYCLES * _WEEK * day and day >= 1 else 0.0)
    if known is not None:
        has = [set(periods) for periods in known.periods]
        own = np.array(
            [next((one for one in periods if one not in (day, _WEEK * day)), 0.0) for periods in known.periods]
        )
        days = np.array([day if day in one else 0.0 for one in has])
        weeks = np.array([_WEEK * day if _WEEK * day in one else 0.0 for one in has])
        return [(own, False), (days, True), (weeks, False)]
    own = _own_periods(
        moves, min(cells // _FEWEST_CYCLES, round(1.06 * day)) if days.any() else cells // _FEWEST_CYCLES
    )
    if days.any():
        own = np.where(np.abs(own / day - 1) < _NEAR_A_DAY, 0.0, own)
    return [(own, False), (days, True), (weeks, False)]


def _own_periods(moves: Array, longest: int) -> Array:
    """The period of each row by its autocorrelation; 0 where there is none."""
    rows, cells = moves.shape
    found = np.zeros(rows)
    if longest < _SHORTEST + 2:
        return found
    length = fft.next_fast_len(cells + longest + 2, real=True)
    still = (moves - moves.mean(axis=1, keepdims=True)).astype(np.float64)
    scale = np.abs(still).max(axis=1, keepdims=True)
    still /= np.where(scale > 0, scale, 1.0)
    spectrum = np.abs(fft.rfft(still.astype(np.float32), length, axis=1)) ** 2
    product = fft.irfft(spectrum, length, axis=1)[:, : longest + 2] / (cells - np.arange(longest + 2))
    related = product / np.maximum(product[:, :1], 1e-12)
    hopeful = (related[:, _SHORTEST:].max(axis=1) >= _FOUND) & (related.min(axis=1) < _FELL)
    for row in np.flatnonzero(hopeful).tolist():
        found[row] = _first_peak(related[row], longest)
    return found


def _first_peak(related: Array, longest: int) -> float:
    """The first of the highest peaks, its place sharpened by its multiples; 0 when none is high enough."""
    low = int(np.argmax(related < _FELL))
    start = max(_SHORTEST, low + 1)
    inner = related[start:longest]
    peaks = (
        np.flatnonzero((inner >= related[start - 1 : longest - 1]) & (inner > related[start + 1 : longest + 1])) + start
    )
    if not low or not len(peaks) or related[peaks].max() < _FOUND:
        return 0.0
    height = float(related[peaks].max())
    period = float(peaks[related[peaks] >= _AS_GOOD * height][0])
    multiple = 2
    while multiple * period + 2 < longest:
        about = round(multiple * period)
        reach = max(1, min(max(2, about // 50), int(period / 3)))
        first = max(1, about - reach)
        peak = first + int(np.argmax(related[first : min(longest, about + reach) + 1]))
        if related[peak] < 0.5 * height:
            break
        period, multiple = peak / multiple, multiple * 2
    return period


def phase_scale(sizes: Array, period: float, bins: int) -> Array:
    """How large a row's moves are at each phase, over how large they are all day; 1 when that does not depend on it.

    Args:
        sizes: float64, rows × cells, not negative, NaN where nothing was seen.
        period: In cells, at least `bins`.
        bins: Into which a period is cut.

    Returns:
        float64, rows × cells.
    """
    cells = sizes.shape[1]
    turn = (np.arange(cells) % period) / period * bins
    inside = turn.astype(np.int64)
    heights = np.stack([row_quantiles(sizes[:, inside == one], [0.5])[0] for one in range(bins)], axis=1)
    usual = medians(heights)[:, None]
    ratio = np.where(np.isnan(heights) | ~(usual > 0), 1.0, heights / np.where(usual > 0, usual, 1.0))
    ratio = (np.roll(ratio, 1, axis=1) + 2 * ratio + np.roll(ratio, -1, axis=1)) / 4
    place = turn - 0.5
    left = np.floor(place).astype(np.int64)
    share = place - left
    result: Array = ratio[:, left % bins] * (1 - share) + ratio[:, (left + 1) % bins] * share
    return result
