"""How unusual every cell is: the ranking behind `scores`."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from obs_magics.analysis.anomaly.grids import Batch
from obs_magics.analysis.anomaly.normal import Normal
from obs_magics.analysis.anomaly.windows import evidence_of, sums_of, window_means

Array = np.ndarray[Any, Any]

_AROUND = (11, 25, 51, 101, 201)
"""Cells: what is near something unusual ranks above what is far from it."""


def ranks_of(batch: Batch, normal: Normal) -> Array:
    """The most that windows around a cell say, as a share of the threshold, averaged over how far around one looks.

    Returns:
        float64, rows × cells.
    """
    shares = _shares(batch, normal)
    widths = [width for width in _AROUND if 2 * width <= shares.shape[1]] or [1]
    total = np.zeros_like(shares)
    for width in widths:
        total += ndimage.maximum_filter1d(shares, width, axis=1)
    result: Array = total / len(widths)
    return result


def _shares(batch: Batch, normal: Normal) -> Array:
    """At the middle of each window how far it reaches towards the threshold of its length; the most of all lengths."""
    evidence = evidence_of(normal, batch.judged)
    sums = sums_of(normal.z)
    best = np.zeros_like(normal.z)
    for number, length in enumerate(evidence.windows):
        off = window_means(normal.z, sums, length) - evidence.centres[number][:, None]
        up, down = evidence.limits[number]
        share = np.where(off > 0, off / up[:, None], -off / down[:, None])
        middles = best[:, length // 2 : length // 2 + share.shape[1]]
        np.maximum(middles, share, out=middles)
    return best
