"""Robust numbers of a matrix, column by column: spreads, rolling medians, how surprising each value is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]

_MAD_TO_SIGMA = 1.4826
_QUARTERS_TO_SIGMA = 1 / 1.1503  # |z| of a normal distribution at its 75 % quantile
_TAIL_TO_SIGMA = 1 / 1.96  # and at 95 %
_STILL = 0.002  # of a metric's range: what moves less is taken as still
_MOST_AROUND = 120  # points that a rolling median looks at
_FAR = 1e6  # spreads: further off says no more


def centre_and_spread(values: Array) -> tuple[Array, Array]:
    """Median and spread of each column, NaN left out; the spread is the largest that body or tails suggest."""
    centre = np.nanmedian(values, axis=0)
    half, quarter, tail = np.nanquantile(np.abs(values - centre), (0.5, 0.75, 0.95), axis=0)
    spread = np.maximum.reduce([half * _MAD_TO_SIGMA, quarter * _QUARTERS_TO_SIGMA, tail * _TAIL_TO_SIGMA])
    low, high = np.nanquantile(values, (0.001, 0.999), axis=0)
    return centre, np.maximum(spread, _STILL * (high - low) + 1e-12)


def spreads_off(values: Array, usual: Array) -> Array:
    """How many spreads of `usual` (rows of the same matrix) each value lies from its median; 0 where it is NaN."""
    centre, spread = centre_and_spread(usual)
    return np.clip(np.nan_to_num((values - centre) / spread, nan=0.0), -_FAR, _FAR)


def rolling_median(values: Array, width: int) -> Array:
    """The median around each point, per column, over an odd number of points; shorter at the ends.

    Over very many points it comes from the medians of blocks, with straight lines between.
    """
    block = width // _MOST_AROUND
    if block < 2:
        return pd.DataFrame(values).rolling(width | 1, center=True, min_periods=1).median().to_numpy()
    whole = len(values) // block * block
    blocks = pd.DataFrame(values[:whole]).groupby(np.arange(whole) // block).median()
    medians = blocks.rolling((width // block) | 1, center=True, min_periods=1).median().to_numpy()
    middles, places = np.arange(len(medians)) * block + (block - 1) / 2, np.arange(len(values))
    return np.stack([_through(places, middles, column) for column in medians.T], axis=1)


def _through(places: Array, middles: Array, values: Array) -> Array:
    known = np.isfinite(values)
    return np.interp(places, middles[known], values[known]) if known.any() else np.full(len(places), np.nan)


def trailing_median(values: Array, width: int) -> Array:
    """The median of each point and those before it, per column; NaN where half of them are not there."""
    return pd.DataFrame(values).rolling(width, min_periods=width // 2).median().to_numpy()


def rolling_mean(values: Array, width: int) -> Array:
    """The mean around each point, per column, NaN left out; shorter at the ends."""
    frame = pd.DataFrame(values).rolling(width, center=True, min_periods=1).mean()
    return frame.to_numpy()


def surprise(sizes: Array, usual: Array) -> Array:
    """How rare a value at least as large is among `usual`, per column: -ln of its share, 0 for what is common.

    What is larger than all of them has the share of one in their number (and itself).
    """
    result = np.zeros_like(sizes)
    for column in range(sizes.shape[1]):
        ordered = np.sort(usual[:, column])
        at_least = len(ordered) - np.searchsorted(ordered, sizes[:, column], side="left")
        result[:, column] = -np.log(np.maximum(at_least, 1) / len(ordered))
    return np.where(sizes > 0, np.maximum(result, 0.0), 0.0)


def mean_of_largest(values: Array, count: int) -> Array:
    """The mean of the largest few of each row."""
    if values.shape[1] <= count:
        return np.asarray(values.mean(axis=1))
    return np.asarray(np.partition(values, -count, axis=1)[:, -count:].mean(axis=1))


def standard(score: Array, usual: Array) -> Array:
    """A score in spreads (MAD) above the median of what is usual."""
    centre = float(np.median(usual))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(usual - centre)))
    return (score - centre) / max(spread, 1e-9)
