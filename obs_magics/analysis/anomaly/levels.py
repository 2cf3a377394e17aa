"""The slow level under a series: a running median, long enough that what passes within half of it does not move it."""

from __future__ import annotations

from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.quantiles import medians, row_quantiles

Array = np.ndarray[Any, Any]

_QUARTERS_TO_SIGMA = 0.7413  # of a normal distribution, from the distance of its quartiles
_EARLIER = 0.4  # of a row: what came first
_AT_REST = 1.0  # spreads of the noise that the level may stray, most of the time
_LEFT = 2.0  # spreads between what came first and what there is mostly, for the first to be what is usual
BLOCKS = 24  # of a window: the median is taken over the medians of so many blocks


def slow_level(flat: Array, window: int, judged: int) -> Array:
    """The running median; what is to be judged is seen against what was before it, where it fits into one window.

    Args:
        flat: float64, rows × cells, without what is seasonal and without NaN.
        window: In cells.
        judged: The first cell that is to be judged.
    """
    level = running_median(flat, window)
    if window // 2 <= judged and flat.shape[1] - judged <= window:
        level[:, judged:] = medians(flat[:, max(0, judged - window) : judged])[:, None]
    return level


def drifting(values: Array, window: int) -> Array:
    """Which rows have no one level: their running median is elsewhere most of the time; bool, per row."""
    level = running_median(values, window)
    low, high = row_quantiles(values - level, (0.25, 0.75))
    strays = medians(np.abs(level - medians(values)[:, None]))
    result: Array = strays > _AT_REST * _QUARTERS_TO_SIGMA * (high - low)
    return result


def one_level(flat: Array, judged: int) -> Array:
    """One level for all of a row, of rows that do not drift: what was first, where that is not what there is mostly."""
    cells = flat.shape[1]
    whole = medians(flat[:, :judged] if judged >= _EARLIER * cells else flat)
    early = medians(flat[:, : max(1, int(_EARLIER * cells))])
    low, high = row_quantiles(flat, (0.25, 0.75))
    left = np.abs(early - whole) > _LEFT * _QUARTERS_TO_SIGMA * (high - low)
    return np.repeat(np.where(left, early, whole)[:, None], cells, axis=1)


def running_median(matrix: Array, window: int) -> Array:
    """The median of the `window` cells around each cell of each row, linear between the middles of blocks.

    Towards the first cell the window shrinks to its later half; past the last full window it stays as it is, so that
    what began a while ago is still seen against what was before.

    Args:
        matrix: float64, rows × cells, without NaN.
        window: In cells.
    """
    knots, places, heights, size = _full_windows(matrix, window)
    width = heights.shape[1] - knots.shape[1] + 1
    shrunk = range(width - width // 2, width, 2) if knots.shape[1] > 1 else range(0)
    starts = [medians(heights[:, :short])[:, None] for short in shrunk]
    middles = (np.array(shrunk, np.float64) - 1) / 2 * size + places[0] - size * (width - 1) / 2
    return _between_knots(np.concatenate([*starts, knots], axis=1), np.append(middles, places), matrix.shape[1])


def followed(matrix: Array, window: int) -> Array:
    """The running median of rows that drift: before the first and past the last full window it goes straight on."""
    knots, places, heights, _ = _full_windows(matrix, window)
    cells = matrix.shape[1]
    back = min(max(1, (heights.shape[1] - knots.shape[1]) // 2), knots.shape[1] - 1)
    if back < 1:
        return _between_knots(knots, places, cells)
    before = (knots[:, back] - knots[:, 0]) / (places[back] - places[0]) * places[0]
    after = (knots[:, -1] - knots[:, -1 - back]) / (places[-1] - places[-1 - back]) * (cells - 1 - places[-1])
    ends = np.concatenate([(knots[:, 0] - before)[:, None], knots, (knots[:, -1] + after)[:, None]], axis=1)
    return _between_knots(ends, np.concatenate([[0.0], places, [cells - 1.0]]), cells)


def _full_windows(matrix: Array, window: int) -> tuple[Array, Array, Array, int]:
    """Medians of full windows and the cell in the middle of each; the blocks they are made of, and their size."""
    rows, cells = matrix.shape
    size = max(1, round(window / BLOCKS))
    blocks = cells // size
    width = max(1, min(round(window / size), blocks))
    first = cells - blocks * size
    heights = medians(matrix[:, first:].reshape(rows, blocks, size)) if size > 1 else matrix
    knots = medians(np.lib.stride_tricks.sliding_window_view(heights, width, axis=1))
    places = first + size * (np.arange(knots.shape[1]) + (width - 1) / 2) + (size - 1) / 2
    return knots, places, heights, size


def _between_knots(knots: Array, places: Array, cells: int) -> Array:
    """Linear interpolation of every row at once: the places are those of all rows."""
    if knots.shape[1] == 1:
        return np.repeat(knots, cells, axis=1)
    target = np.clip(np.arange(cells, dtype=np.float64), places[0], places[-1])
    right = np.clip(np.searchsorted(places, target, side="right"), 1, len(places) - 1)
    left = right - 1
    share = (target - places[left]) / (places[right] - places[left])
    result: Array = knots[:, left] * (1 - share) + knots[:, right] * share
    return result
