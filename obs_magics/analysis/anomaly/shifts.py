"""Shifts of the level that came to stay: the running median has followed them, so no residual shows them.

How far the level moves over half a window, against what it usually does in one window and against the noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.normal import Normal
from obs_magics.analysis.anomaly.quantiles import medians, row_quantiles
from obs_magics.analysis.anomaly.settings import APART
from obs_magics.analysis.anomaly.windows import SIDES, Candidate, stretches

Array = np.ndarray[Any, Any]

_REACH = 4  # of a window's length, how far on either side of a cell the level is compared
_SPREADS = 4.0  # of the noise that the level has to move
_BEYOND_CALM = 4.0  # times what it moves in a calm window
_CALM_SHARE = 0.6
_FEWEST_WINDOWS = 8
_TOP = 0.98  # of the largest move: the shift is in the middle of the cells that see that much
_SETTLED = 2  # of a window: after that part of it the new level is normal


@dataclass(frozen=True, slots=True)
class Moves:
    """How the levels of a batch move.

    Args:
        sizes: float64, rows × places, in spreads of the noise; the first place is `reach` cells in.
        limits: float64, per row.
        reach: In cells.
        best: float64, per row: the largest move over its limit.
    """

    sizes: Array
    limits: Array
    reach: int
    best: Array


def moves_of(normal: Normal, judged: int) -> Moves | None:
    """How the levels move; None for series too short to tell."""
    reach = max(2, normal.window // _REACH)
    level = normal.expected - normal.season
    places = level.shape[1] - 2 * reach
    if places < 2 * reach:
        return None
    noise = (medians(normal.low) + medians(normal.high)) / 2
    sizes = (level[:, 2 * reach :] - level[:, : -2 * reach]) / noise[:, None]
    blocks = max(_FEWEST_WINDOWS, places // normal.window)
    size = places // blocks
    highest = np.abs(sizes[:, places - blocks * size :]).reshape(len(sizes), blocks, size).max(axis=2)
    calm = row_quantiles(highest, [_CALM_SHARE])[0]
    if judged > reach:
        sizes[:, : min(judged - reach, places)] = 0.0
    limits = np.maximum(_SPREADS, _BEYOND_CALM * calm)
    return Moves(sizes, limits, reach, np.abs(sizes).max(axis=1) / limits)


def shifts_of(normal: Normal, moves: Moves, values: Array, row: int, factor: float) -> list[Candidate]:
    """Where the level of one row shifts for good.

    Args:
        normal: What is normal.
        moves: Of the batch.
        values: float64, the cells of the row.
        row: Which one.
        factor: On the threshold.
    """
    flat = values - normal.season[row]
    limit = float(moves.limits[row])
    found = []
    for side in SIDES:
        sided = moves.sizes[row] * side
        for first, last in stretches(sided > factor * limit, normal.window // 2):
            top = float(sided[first : last + 1].max())
            middle = first + int(np.median(np.flatnonzero(sided[first : last + 1] >= _TOP * top))) + moves.reach
            onset = _onset(flat, middle, moves.reach, side)
            until = min(len(values) - 1, onset + normal.window // _SETTLED)
            found.append(Candidate(top / limit, onset, until, onset, side, normal.window, top, "level_shift"))
    return found


def _onset(flat: Array, middle: int, reach: int, side: int) -> int:
    """The change point around a cell: where the sum of deviations from half way between both levels turns."""
    first = max(0, middle - 2 * reach)
    around = flat[first : middle + 2 * reach]
    half_way = (np.median(around[:reach]) + np.median(around[-reach:])) / 2
    return min(first + int(np.argmin(np.cumsum((around - half_way) * side))) + 1, len(flat) - 1)


def with_shifts(events: list[Candidate], shifts: list[Candidate]) -> list[Candidate]:
    """The events, one at the onset of a shift told as that shift: what came to stay says more than how it came.

    Args:
        events: Not overlapping.
        shifts: Of the same row.
    """
    told = []
    for one in events:
        around = [shift for shift in shifts if one.first - APART <= shift.first <= one.last + APART]
        best = max(around, key=lambda shift: shift.strength, default=None)
        told.append(one if best is None else replace(best, strength=max(best.strength, one.strength)))
    return told
