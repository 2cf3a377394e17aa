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

    Two ways of moving count: away from the median of the two hours around, and jumps over two points. A move is as
    surprising as it is rare for its own metric (-ln of the share of moves at least as large), so that a metric that
    spikes all day tells little; the mean of the three most surprising metrics is set in spreads of what is usual.

    Args:
        entity: With at least one metric.
        usual: bool, the rows that tell what is usual.
    """
    values = entity.values
    width = max(_FEWEST_AROUND, _AROUND_NS // entity.step_ns)
    away = numbers.spreads_off(*_rows(values - numbers.rolling_median(values, int(width)), usual))
    jumps = np.full_like(values, np.nan)
    jumps[_APART:] = values[_APART:] - values[:-_APART]
    jumped = numbers.spreads_off(*_rows(jumps, usual))
    first = numbers.mean_of_largest(numbers.surprise(np.abs(away), np.abs(away[usual])), FEWEST_METRICS)
    second = numbers.mean_of_largest(numbers.surprise(np.abs(jumped), np.abs(jumped[usual])), FEWEST_METRICS)
    second = numbers.rolling_mean(second[:, None], _JUMP_WIDTH)[:, 0]
    size = numbers.mean_of_largest(np.abs(away), FEWEST_METRICS)
    jump = _around(numbers.mean_of_largest(np.abs(jumped), FEWEST_METRICS), _JUMP_WIDTH)
    scores = np.stack([numbers.standard(one, one[usual]) for one in (first, second)])
    sizes = np.stack([size, jump])
    counted = np.where(sizes > LEAST_SPREADS, scores, np.minimum(scores, 0.0))
    off = np.where(np.abs(away) >= np.abs(jumped), away, jumped)
    return JointScores(scores.max(axis=0), counted.max(axis=0), off)


def _rows(values: Array, usual: Array) -> tuple[Array, Array]:
    return values, values[usual]


def _around(values: Array, width: int) -> Array:
    """The largest value among the points around each."""
    from scipy.ndimage import maximum_filter1d

    return np.asarray(maximum_filter1d(values, width))
