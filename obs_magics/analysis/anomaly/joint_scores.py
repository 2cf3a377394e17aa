"""How unusual it is, at each moment, that several metrics of an entity move at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly import joint_numbers as numbers
from obs_magics.analysis.anomaly.joint_entities import Entity

Array = np.ndarray[Any, Any]

FEWEST_METRICS = 3  # that are looked at together
LEAST_SPREADS = 5.0  # that these must lie off, on average
_AROUND_NS = 2 * 3600 * 10**9  # what was usual around a moment
_FEWEST_AROUND = 5
_APART = 2  # points between which a jump is measured
_STEP_WIDTH = 12
_STEP_WEIGHT = 0.8  # a step takes more: levels wander
_JUMP_WIDTH = 5  # points over which jumps of several metrics are taken as one


@dataclass(frozen=True, slots=True)
class JointScores:
    """For each moment: the score, and how many spreads each metric was off.

    Args:
        score: float64, spreads above the usual common surprise.
        counted: The same, 0 at most where the three largest moves are small: what is rare need not be large.
        off: float64, times × metrics: by how many spreads each metric moved, signed.
    """

    score: Array
    counted: Array
    off: Array


def joint_scores(entity: Entity, usual: Array) -> JointScores:
    """Score each moment of an entity by how surprising its three most surprising metrics are together.

    Three ways of moving count: away from the median of the two hours around; a jump over two points; a step, from the
    median of twelve points to that of the next twelve. A move is as surprising as it is rare for its own metric (-ln of
    the share of moves at least as large), so that a metric that spikes all day tells little; the mean of the three most
    surprising metrics is set in spreads of what is usual.

    Args:
        entity: With at least one metric.
        usual: bool, the rows that tell what is usual.
    """
    values = entity.values
    width = int(max(_FEWEST_AROUND, _AROUND_NS // entity.step_ns))
    away = _spreads(values - numbers.rolling_median(values, width), usual)
    jumps = np.full_like(values, np.nan)
    jumps[_APART:] = values[_APART:] - values[:-_APART]
    jumped, stepped = _spreads(jumps, usual), _spreads(_steps(values), usual)
    ways = (_Way(away), _Way(jumped, width=_JUMP_WIDTH), _Way(stepped, weight=_STEP_WEIGHT, peaks=2 * _STEP_WIDTH + 1))
    scores = np.stack([way.score(usual) for way in ways])
    counting = np.stack([way.counts(score) for way, score in zip(ways, scores, strict=True)])
    counted = np.where(counting, scores, np.minimum(scores, 0.0))
    off = away
    for other in (jumped, stepped):
        off = np.where(np.abs(off) >= np.abs(other), off, other)
    return JointScores(scores.max(axis=0), counted.max(axis=0), off)


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of moving.

    Args:
        off: float64, times × metrics: how far each moved so, in spreads.
        weight: What it counts.
        width: Over how many points moves count as one.
        peaks: Among how many points only the most surprising one counts.
    """

    off: Array
    weight: float = 1.0
    width: int = 1
    peaks: int = 1

    def score(self, usual: Array) -> Array:
        sizes = np.abs(self.off)
        surprise = numbers.mean_of_largest(numbers.surprise(sizes, sizes[usual]), FEWEST_METRICS)
        if self.width > 1:
            surprise = numbers.rolling_mean(surprise[:, None], self.width)[:, 0]
        return self.weight * numbers.standard(surprise, surprise[usual])

    def counts(self, score: Array) -> Array:
        """Where the three largest moves are large, and nothing near is more surprising."""
        size = _around(numbers.mean_of_largest(np.abs(self.off), FEWEST_METRICS), self.width)
        return (size > LEAST_SPREADS) & (score >= _around(score, self.peaks))


def _spreads(values: Array, usual: Array) -> Array:
    return numbers.spreads_off(values, values[usual])


def _steps(values: Array) -> Array:
    """At each point, the median of it and the next eleven, less that of the twelve before; NaN at the ends."""
    trailing = numbers.trailing_median(values, _STEP_WIDTH)
    steps = np.full_like(values, np.nan)
    steps[_STEP_WIDTH : 1 - _STEP_WIDTH] = trailing[2 * _STEP_WIDTH - 1 :] - trailing[_STEP_WIDTH - 1 : -_STEP_WIDTH]
    return steps


def _around(values: Array, width: int) -> Array:
    """The largest value among the points around each."""
    from scipy.ndimage import maximum_filter1d

    return np.asarray(maximum_filter1d(values, width))
