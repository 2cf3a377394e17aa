"""The slow level under a series: a running median, long enough that what passes within half of it does not move it."""

from __future__ import annotations

from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.quantiles import medians

Array = np.ndarray[Any, Any]

BLOCKS = 24  # of a window: the median is taken over the medians of so many blocks


def running_median(matrix: Array, window: int) -> Array:
    """The median of the `window` cells around each cell of each row, linear between the middles of blocks.

    Towards the first cell the window shrinks to its later half; past the last full window it stays as it is, so that
    what began a while ago is still seen against what was before.

    Args:
        matrix: float64, rows × cells, without NaN.
        window: In cells.
    """
    rows, cells = matrix.shape
    size = max(1, round(window / BLOCKS))
    blocks = cells // size
    width = max(1, min(round(window / size), blocks))
    first = cells - blocks * size
    heights = medians(matrix[:, first:].reshape(rows, blocks, size)) if size > 1 else matrix
    if blocks <= width:
        return np.repeat(medians(matrix)[:, None], cells, axis=1)
    full = medians(np.lib.stride_tricks.sliding_window_view(heights, width, axis=1))
    shrunk = range(width - width // 2, width, 2)
    starts = [medians(heights[:, :short])[:, None] for short in shrunk]
    knots = np.concatenate([*starts, full], axis=1)
    middles = np.concatenate([(np.array(shrunk, float) - 1) / 2, np.arange(full.shape[1]) + (width - 1) / 2])
    return _between_knots(knots, first + size * middles + (size - 1) / 2, cells)


def _between_knots(knots: Array, places: Array, cells: int) -> Array:
    """Linear interpolation of every row at once: the places are those of all rows."""
    target = np.clip(np.arange(cells, dtype=np.float64), places[0], places[-1])
    right = np.clip(np.searchsorted(places, target, side="right"), 1, len(places) - 1)
    left = right - 1
    share = (target - places[left]) / (places[right] - places[left])
    result: Array = knots[:, left] * (1 - share) + knots[:, right] * share
    return result
