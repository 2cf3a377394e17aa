"""Metrics that normally move together and no longer do: residuals of each metric's regression on all the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly import joint_numbers as numbers
from obs_magics.analysis.anomaly.joint_entities import Entity

Array = np.ndarray[Any, Any]

FEWEST_RELATED = 2
FEWEST_ROWS = 96
LEAST_SPREADS = 3.5  # of the smoothed residuals, for the two that are furthest off
_RIDGE = 0.01  # of each standardized metric's variance: keeps twins from cancelling each other
_FIT_LIMIT = 8.0  # spreads at which a value is cut for the fit
_TRIMMED = 0.05  # of the rows, the worst, that the second fit leaves out
_RELATED = 0.5  # of a metric's variance that the others must explain
_DRIFT_NS = 12 * 3600 * 10**9  # a relation may drift more slowly than this
_SMOOTH_NS = 45 * 60 * 10**9  # what breaks stays broken for a while
_FEWEST_SMOOTH = 9
_PIECES = 24
_USUAL_PIECE = 0.9  # of the pieces' largest residuals: what comes back again and again is usual
_FURTHEST = 2  # metrics that count: a relation has two ends


@dataclass(frozen=True, slots=True)
class Breaks:
    """For each moment how far the relations are from what they were.

    Args:
        score: float64, the mean of the two largest smoothed residuals, in units of the largest that is usual.
        counted: The same, 0 where these residuals are less than a few of their own spreads.
        ratios: float64, times × metrics, signed; 0 for metrics that are not related to the others.
        expected: float64, times × metrics: what the others say the metric should be, in its unit.
        margin: float64, per metric: the largest residual that is usual, in its unit.
    """

    score: Array
    counted: Array
    ratios: Array
    expected: Array
    margin: Array


def breaks(entity: Entity, usual: Array) -> Breaks:
    """Score each moment of an entity by how far related metrics have come apart.

    Each metric is set against what the others say by a ridge regression on robustly standardized values; all of these
    at once from the inverse of the covariance matrix P (residual of metric j: (P z)_j / P_jj; Lauritzen 1996, 5.1.3),
    fitted twice, the second time without the worst 5 % of rows. A residual loses what drifts over half a day, is
    smoothed, and divided by the 90 % quantile of its maxima in 24 pieces of the usual rows: a relation that is loose,
    or breaks all day, cannot break.

    Args:
        entity: With any number of metrics; fewer than two related ones score 0 everywhere.
        usual: bool, the rows that tell what is usual.
    """
    values = entity.values
    centre, spread = numbers.centre_and_spread(values[usual])
    wide = np.nan_to_num((values - centre) / spread, nan=0.0)
    known = np.isfinite(values)
    residuals = _residuals(np.clip(wide, -_FIT_LIMIT, _FIT_LIMIT), usual)
    level = numbers.rolling_median(residuals, int(_DRIFT_NS // entity.step_ns))
    left = np.where(known, residuals - level, np.nan)
    related = _related(left[usual])
    smoothed = numbers.rolling_mean(left, max(_FEWEST_SMOOTH, int(_SMOOTH_NS // entity.step_ns)))
    smoothed = np.where(known, np.nan_to_num(smoothed, nan=0.0), 0.0)
    middle, own = numbers.centre_and_spread(smoothed[usual])
    off = np.where(related, smoothed - middle, 0.0)
    limit = np.maximum(_usual_largest(np.abs(off[usual])), 1e-6)
    ratios = off / limit
    if np.count_nonzero(related) < FEWEST_RELATED:
        ratios = np.zeros_like(ratios)
    score = numbers.mean_of_largest(np.abs(ratios), _FURTHEST)
    far = numbers.mean_of_largest(np.abs(off) / own, _FURTHEST) > LEAST_SPREADS
    expected = values - off * spread
    return Breaks(score, np.where(far, score, 0.0), ratios, expected, limit * spread)


def _residuals(standardized: Array, usual: Array) -> Array:
    kept = usual
    residuals = standardized
    for _ in range(2):
        rows = np.c_[standardized[kept], np.ones(np.count_nonzero(kept))]
        covariance = rows.T @ rows / len(rows) + _RIDGE * np.eye(rows.shape[1])
        precision = np.linalg.inv(covariance)
        count = standardized.shape[1]
        applied = np.c_[standardized, np.ones(len(standardized))] @ precision[:, :count]
        residuals = applied / np.diag(precision)[:count]
        worst = numbers.mean_of_largest(np.abs(numbers.spreads_off(residuals, residuals[usual])), 3)
        kept = usual & (worst <= np.quantile(worst[usual], 1 - _TRIMMED))
    return residuals


def _related(left: Array) -> Array:
    """Which metrics the others explain, drift aside; all metrics have a spread of 1 here."""
    _, spread = numbers.centre_and_spread(left)
    return np.asarray(1 - spread**2 >= _RELATED)


def _usual_largest(sizes: Array) -> Array:
    """Per column the quantile of the pieces' maxima."""
    length = max(1, len(sizes) // _PIECES)
    count = len(sizes) // length
    pieces = sizes[: count * length].reshape(count, length, -1)
    return np.asarray(np.quantile(pieces.max(axis=1), _USUAL_PIECE, axis=0))
