"""Quantiles of the rows of a matrix, by sorting: numpy's sort is vectorised, so nothing is quicker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_MAD_TO_SIGMA = 1.4826  # of a normal distribution, from the quartiles
_TAIL_TO_SIGMA = 1 / 1.6449  # from its 95 % quantile


def row_quantiles(matrix: Array, shares: Sequence[float]) -> Array:
    """Quantiles of each row, linear between neighbours; NaN cells do not count.

    Args:
        matrix: float64, rows × cells.
        shares: Between 0 and 1.

    Returns:
        float64, shares × rows; NaN for a row without any number.
    """
    return sorted_quantiles(np.sort(matrix, axis=-1), shares)


def sorted_quantiles(ordered: Array, shares: Sequence[float]) -> Array:
    """The same of rows that are sorted, NaN last (as numpy sorts them)."""
    width = ordered.shape[-1]
    if width == 0:
        return np.full((len(shares), *ordered.shape[:-1]), np.nan)
    if not np.isnan(ordered[..., -1]).any():
        return np.stack([_between(ordered, share * (width - 1)) for share in shares])
    counts = width - np.isnan(ordered).sum(axis=-1)
    return np.stack([_gathered(ordered, share * np.maximum(counts - 1, 0)) for share in shares])


def medians(matrix: Array) -> Array:
    """The median along the last axis; NaN cells do not count."""
    result: Array = row_quantiles(matrix, [0.5])[0]
    return result


def spreads(matrix: Array) -> tuple[Array, Array, Array]:
    """Median of each row, and the spread below and above it, as the sigma of a normal distribution.

    The larger of what the quartile and the twentieth on that side say: a skewed series (latencies) is not unusual all
    day, and what is unusual for less than a twentieth of the time cannot hide itself.
    """
    q05, q25, middle, q75, q95 = row_quantiles(matrix, (0.05, 0.25, 0.5, 0.75, 0.95))
    below = np.maximum((middle - q25) * _MAD_TO_SIGMA, (middle - q05) * _TAIL_TO_SIGMA)
    above = np.maximum((q75 - middle) * _MAD_TO_SIGMA, (q95 - middle) * _TAIL_TO_SIGMA)
    return middle, below, above


def _between(ordered: Array, place: float) -> Array:
    low = int(place)
    first = ordered[..., low]
    share = place - low
    result: Array = first if not share else first + (ordered[..., low + 1] - first) * share
    return result


def _gathered(ordered: Array, places: Array) -> Array:
    low = places.astype(np.int64)[..., None]
    first = np.take_along_axis(ordered, low, axis=-1)[..., 0]
    second = np.take_along_axis(ordered, np.minimum(low + 1, ordered.shape[-1] - 1), axis=-1)[..., 0]
    share = places - low[..., 0]
    result: Array = np.where(share > 0, first + (second - first) * share, first)
    return result
