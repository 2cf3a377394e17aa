"""Quantiles of the rows of a matrix, by sorting: numpy's sort is vectorised, so nothing is quicker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_QUARTER_TO_SIGMA = 1.4826  # of a normal distribution, from its 75 % quantile
_TAIL_TO_SIGMA = 1 / 1.6449  # from its 95 % quantile
_PART = 12  # cells that a part of a row needs, for its tails
_MOST_PARTS = 12
_MOST = 0.65  # of the parts


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

    The larger of what the quartile and the twentieth on that side say, so that a skewed series (latencies) is not
    unusual all day; both as they are in two thirds of the parts of the row, so that an event that fills the others does
    not hide itself.
    """
    rows, cells = matrix.shape
    middle = medians(matrix)
    parts = min(max(1, cells // _PART), _MOST_PARTS)
    size = cells // parts
    inside = matrix[:, cells - parts * size :].reshape(rows, parts, size)
    q05, q25, q75, q95 = row_quantiles(inside, (0.05, 0.25, 0.75, 0.95)) - middle[None, :, None]
    sizes = np.stack([-q05 * _TAIL_TO_SIGMA, -q25 * _QUARTER_TO_SIGMA, q75 * _QUARTER_TO_SIGMA, q95 * _TAIL_TO_SIGMA])
    outer_below, below, above, outer_above = np.maximum(row_quantiles(sizes, [_MOST])[0], 0.0)
    return middle, np.maximum(below, outer_below), np.maximum(above, outer_above)


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
