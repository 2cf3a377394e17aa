"""History that was measured more coarsely than the present, made as noisy as the present.

A rate over 20 minutes strays less than one over a minute: what is normal for the one is no measure for the other. The
level of the history is right all the same. So each residual around the running level of the history is replaced by the
one of the same rank around the running level of the present (quantile mapping; Panofsky and Brier 1968).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from obs_magics.model.series import Series, split_series

Array = np.ndarray[Any, Any]

_FEWEST = 20  # points of the present that tell its noise
_PRESENT_WINDOW = 21  # points of its running level: short, so that an incident is level and not noise
_HISTORY_WINDOW = 60  # points of a block of the history
_TAIL = 0.1  # residuals beyond 5 times the tenths at each end are events, and no noise
_TAILS = 5.0


def as_noisy(history: pd.DataFrame, present: pd.DataFrame) -> pd.DataFrame:
    """The history with the noise of the present, series by series; values that are never negative stay so.

    Args:
        history: A metrics frame with a steady step.
        present: A metrics frame of the same series, measured more finely; those with fewer than 20 points, and those
            that it lacks, leave their history as it is.
    """
    noises = {_key(one): _residuals(one.values) for one in split_series(present)}
    values = history["value"].to_numpy(dtype=np.float64, copy=True)
    for one in split_series(history):
        noise = noises.get(_key(one))
        if noise is not None and len(noise) >= _FEWEST and len(one.values) >= 2 * _HISTORY_WINDOW:
            values[one.rows] = _matched(one.values, noise)
    return history.assign(value=values)


def _key(series: Series) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(series.identity.items()))


def _residuals(values: Array) -> Array:
    """Residuals around a short running median, sorted, without what is no noise."""
    level = pd.Series(values).rolling(_PRESENT_WINDOW, center=True, min_periods=1).median().to_numpy()
    residuals: Array = (values - level)[np.isfinite(values - level)]
    if not len(residuals):
        return residuals
    low, high = np.quantile(residuals, [_TAIL, 1 - _TAIL])
    kept: Array = np.sort(residuals[(residuals >= _TAILS * min(low, 0.0)) & (residuals <= _TAILS * max(high, 0.0))])
    return kept


def _matched(values: Array, noise: Array) -> Array:
    known = np.isfinite(values)
    level = _level(values)
    residuals = (values - level)[known]
    ranks = np.empty(len(residuals))
    ranks[np.argsort(residuals, kind="stable")] = (np.arange(len(residuals)) + 0.5) / len(residuals)
    matched = values.copy()
    matched[known] = level[known] + np.quantile(noise, ranks)
    least = float(np.min(values[known])) if known.any() else 0.0
    if least >= 0:
        np.maximum(matched, 0.0, out=matched)
    return matched


def _level(values: Array) -> Array:
    """Medians of blocks, and straight lines between them."""
    blocks = len(values) // _HISTORY_WINDOW
    table = pd.DataFrame(values[: blocks * _HISTORY_WINDOW].reshape(blocks, _HISTORY_WINDOW))
    medians = table.median(axis=1).interpolate(limit_direction="both").fillna(0.0).to_numpy()
    centres = (np.arange(blocks) + 0.5) * _HISTORY_WINDOW
    level: Array = np.interp(np.arange(len(values)), centres, medians)
    return level
