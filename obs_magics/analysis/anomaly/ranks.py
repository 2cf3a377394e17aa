"""How unusual every cell is: the ranking behind `scores`."""

from __future__ import annotations

from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.grids import Batch
from obs_magics.analysis.anomaly.normal import Normal
from obs_magics.analysis.anomaly.windows import evidence_of, sums_of, window_means

Array = np.ndarray[Any, Any]


def ranks_of(batch: Batch, normal: Normal) -> Array:
    """The most that any window around a cell says, as a share of the threshold; float64, rows × cells."""
    evidence = evidence_of(normal, batch.judged)
    sums = sums_of(normal.z)
    best = np.zeros_like(normal.z)
    for number, length in enumerate(evidence.windows):
        off = window_means(normal.z, sums, length) - evidence.centres[number][:, None]
        up, down = evidence.limits[number]
        share = np.where(off > 0, off / up[:, None], -off / down[:, None])
        first = length // 2
        best[:, first : first + share.shape[1]] = np.maximum(best[:, first : first + share.shape[1]], share)
    return best
