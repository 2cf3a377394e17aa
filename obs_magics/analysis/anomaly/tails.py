"""Whether a short frame's brief event is more than the tail of what the series does anyway: peaks over a threshold.

Blocks of a short frame are too short to tell how far heavy tails reach. So the largest sizes that a series shows
elsewhere are taken as generalized Pareto (Pickands 1975), and an event is believed if that tail would hardly reach as
far anywhere in the frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammainc

from obs_magics.analysis.anomaly.selection import BRIEF
from obs_magics.analysis.anomaly.windows import Candidate, Evidence, sums_of, window_means
from obs_magics.model.durations import MINUTE

Array = np.ndarray[Any, Any]

_CHANCE = 0.01  # that a frame of nothing shows such an event, at medium sensitivity
_SURE = 2.5  # times its threshold, for what lasts: only what is brief can come from a tail
_MOST = 3  # events of a row that may stand out together: more than that are what the series does
_FEWEST = 12  # sizes elsewhere that tell a tail
_TAIL_SHARE, _TAIL_ROOTS = 0.2, 3.0  # of the sizes, the tail: the smaller of a share and of so many square roots
_USUAL_SHAPE, _USUAL_WEIGHT = 0.1, 10.0  # what is taken of the tail's shape before it is seen, worth so many sizes
_FEWEST_WINDOWS = 20  # of a length that do not overlap, for what is longer a part of it is judged
_ROUND_PERIODS = MINUTE * np.array([5.0, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720])
_APART = 3  # times its length: the least period of what comes back
_AS_LARGE = 0.5  # of an event, what comes back
_CUT = 50.0  # spreads: larger does not matter
_MOSTLY_STILL = 0.4  # at most this share moves
_ROUNDED = 0.02
_LEAST_SHAPE = 1e-6
_GRID = 20  # values of the profile likelihood
_OVERLAP = 2.0  # windows that overlap reach as far as so many times more that do not


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a batch.

    Args:
        values: float64, its cells.
        z: float64, the same in spreads.
        evidence: Of the batch.
        number: Which row it is.
        step_ns: Of a cell.
    """

    values: Array
    z: Array
    evidence: Evidence
    number: int
    step_ns: float


def believable(found: Sequence[Candidate], row: Row, factor: float) -> list[Candidate]:
    """The events of one row without those that its own tail explains, and without jobs.

    The strongest few are judged against everything else, beginning with the weakest of them, so that two alike do not
    hide each other (Rosner 1983).

    Args:
        found: Not overlapping, the strongest first.
        row: Whose they are.
        factor: Of the sensitivity.
    """
    jobs = [one for one in found if not one.kind and recurring(one, row.z, row.step_ns)]
    found = [one for one in found if one not in jobs]
    sure = [one for one in found if one.kind or (one.last - one.first >= BRIEF and one.strength >= _SURE)]
    brief = [one for one in found if one not in sure]
    kept = len(brief[:_MOST])
    moves = moves_of_still(row.values) if kept else None
    while kept:
        one = brief[kept - 1]
        apart = [*jobs, *sure, *brief[:kept]]
        chance = _chance(one, apart, row) if moves is None else _chance_of_moves(one, moves)
        if chance <= _CHANCE**factor:
            break
        kept -= 1
    gone = set(brief[kept:])
    return [one for one in found if one not in gone]


def recurring(one: Candidate, z: Array, step_ns: float) -> bool:
    """Whether a brief event comes back at a round time of the clock, as jobs do: each time it could, about as large.

    Args:
        one: The event.
        z: float64, the cells of the row, in spreads.
        step_ns: Of a cell.
    """
    length = one.last - one.first + 1
    sums = np.concatenate([[0.0], np.cumsum(np.clip(z * one.side, -_CUT, _CUT))])
    means = (sums[length:] - sums[:-length]) / length
    height = float(means[one.first])
    for period in _ROUND_PERIODS / step_ns:
        if _APART * length > period or period > len(z) - length:
            continue
        after = np.arange(1, int((len(means) - 1 - one.first) // period) + 1)
        places = np.rint(one.first + period * np.concatenate([-np.arange(1, int(one.first // period) + 1), after]))
        between = np.rint(places + period / 2).astype(np.int64)
        between = between[(between >= 0) & (between < len(means))]
        near = [np.clip(places.astype(np.int64) + late, 0, len(means) - 1) for late in (-1, 0, 1)]
        there = np.max([means[place] for place in near], axis=0)
        calm = len(between) and float(np.median(means[between])) < _AS_LARGE * height
        if len(there) and there.min() >= _AS_LARGE * height and calm:
            return True
    return False


def _chance_of_moves(one: Candidate, moves: Array) -> float:
    """How many runs of as many moves a frame would hold by chance, if the others came at any time (Poisson)."""
    inside = moves[one.first : one.last + 1]
    rate = (moves.sum() - inside.sum() + 1.0) / len(moves)
    return float(len(moves) * gammainc(inside.sum(), rate * len(inside)))


def moves_of_still(values: Array) -> Array | None:
    """How often a series that mostly stands still moved in each cell; None for one that moves more.

    Sizes that are multiples of the smallest are counted, as so many.

    Args:
        values: float64, the cells of the row.
    """
    away = np.abs(values - np.median(values))
    moved = away > 1e-9 * np.abs(values).max()
    if not moved.any() or np.count_nonzero(moved) > _MOSTLY_STILL * len(values):
        return None
    least = 1.0 if np.all(values == np.rint(values)) else float(away[moved].min())
    counts = np.where(moved, away / least, 0.0)
    counted = np.all(np.abs(counts - np.rint(counts)) < _ROUNDED)
    return np.rint(counts) if counted else moved.astype(np.float64)


def _chance(one: Candidate, apart: Sequence[Candidate], row: Row) -> float:
    """How many windows like the candidate's a frame without it and the others would hold by chance."""
    testable = max(1, len(row.z) // _FEWEST_WINDOWS)
    wanted = [min(length, testable) for length in (one.window, one.last - one.first + 1)]
    lengths = {max(length for length in row.evidence.windows if length <= most) for most in wanted}
    return min(_chance_of(length, one, apart, row) for length in sorted(lengths))


def _chance_of(length: int, one: Candidate, apart: Sequence[Candidate], row: Row) -> float:
    z = row.z[None]
    centre = float(row.evidence.centres[row.evidence.windows.index(length), row.number])
    means = (window_means(z, sums_of(z), length)[0] - centre) * one.side
    usual = np.ones(len(means), np.bool_)
    for other in (one, *apart):
        usual[max(0, other.first - length + 1) : other.last + 1] = False
    sizes = means[np.flatnonzero(usual)[::length]]
    reached = float(means[max(0, one.first - length + 1) : one.last + 1].max(initial=-math.inf))
    if len(sizes) < _FEWEST:
        return 1.0
    return len(sizes) * (_OVERLAP if length > 1 else 1.0) * tail_share(sizes, reached)


def tail_share(sizes: Array, reached: float) -> float:
    """The share of sizes that go as far as `reached`, by the tail of a sample.

    Args:
        sizes: float64, at least 12.
        reached: In their unit.
    """
    ordered = np.sort(sizes)
    count = max(5, int(min(_TAIL_SHARE * len(ordered), _TAIL_ROOTS * math.sqrt(len(ordered)))))
    threshold = float(ordered[-count - 1])
    over = ordered[-count:] - threshold
    beyond = reached - threshold
    if beyond <= 0:
        return 1.0
    if not over[-1] > 0:
        return 0.0
    shape, scale = pareto_of(over)
    share = count / len(ordered)
    if shape < _LEAST_SHAPE:
        return share * math.exp(-beyond / scale)  # no tail is taken to end
    return share * float((1 + shape * beyond / scale) ** (-1 / shape))


def pareto_of(over: Array) -> tuple[float, float]:
    """Shape and scale of a generalized Pareto distribution: the quasi-Bayesian estimate of Zhang and Stephens (2009).

    The shape is drawn towards a usual one, as in Vehtari, Simpson, Gelman, Yao and Gabry (2024).

    Args:
        over: float64, rising, how far beyond the threshold.
    """
    count = len(over)
    quarter = float(over[int(count / 4 + 0.5) - 1])
    quarter = quarter if quarter > 0 else float(over[over > 0][0])
    steps = np.arange(1, _GRID + 1 + int(math.sqrt(count)))
    trial = 1 / over[-1] + (1 - np.sqrt(len(steps) / (steps - 0.5))) / (3 * quarter)
    trial = trial[np.abs(trial * over[-1]) > 1e-9]  # an exponential tail has no such ratio
    shapes = -np.log1p(-trial[:, None] * over).mean(axis=1)
    likelihood = count * (np.log(trial / shapes) + shapes - 1)
    weights = 1 / np.exp(np.clip(likelihood - likelihood[:, None], -700, 700)).sum(axis=1)
    best = float((trial * weights).sum() / weights.sum())
    shape = float(np.log1p(-best * over).mean())
    scale = -shape / best
    shape = (count * shape + _USUAL_WEIGHT * _USUAL_SHAPE) / (count + _USUAL_WEIGHT)
    return shape, scale
