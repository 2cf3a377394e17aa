"""When an event began and when it ended: the change points of its own run of unusual cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.windows import Candidate

Array = np.ndarray[Any, Any]

_HALF = 0.5
_REFERENCE = (0.75, 1.5)  # spreads: the least and the most that a cell of the event is taken to exceed


def sharpened(candidate: Candidate, z: Array) -> Candidate:
    """The candidate with its first and last cell where a cumulative sum says that it began and ended.

    Page's sum of (spreads - reference) is lowest right before a shift begins and highest where it ends: the maximum
    likelihood estimate of the change point for a reference half way between the two levels (Hinkley 1970). Reference is
    at most 1.5 spreads, so that a ramp is seen when it starts.

    Args:
        candidate: A stretch found with windows, so blurred by half of one.
        z: float64, the cells of the row, in spreads.
    """
    sided = z * candidate.side
    inside = sided[candidate.first : candidate.last + 1]
    reference = min(max(_HALF * float(np.median(inside)), _REFERENCE[0]), _REFERENCE[1])
    peak = candidate.first + int(np.argmax(inside)) if candidate.window <= 2 else candidate.peak
    before = np.cumsum((sided[candidate.first : peak + 1] - reference)[::-1])
    after = np.cumsum(sided[peak : candidate.last + 1] - reference)
    return replace(candidate, first=peak - int(np.argmax(before)), last=peak + int(np.argmax(after)), peak=peak)
