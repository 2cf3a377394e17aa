"""When an event began and when it ended: the change points of its own run of unusual cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.windows import Candidate

Array = np.ndarray[Any, Any]

_HALF = 0.5
_REFERENCE = (0.75, 3.0)  # spreads: the least and the most that a cell of the event is taken to exceed
_ONE_SIDED = 0.85  # of the cells of a swing on one side: then it is a shift
_RAMP_CELLS = 12
_RAMP_FIT = 0.5  # of the variance that a straight line must explain
_RAMP_START = 0.5  # of the height at its end that a ramp may have at its start


def sharpened(candidate: Candidate, z: Array) -> Candidate:
    """The candidate with its first and last cell where a cumulative sum says that it began and ended.

    Of all runs of cells within the windows, the one whose sum of (spreads - reference) is largest: Page's sum is lowest
    right before a shift begins and highest where it ends, the maximum likelihood estimate of both change points for a
    reference half way between the two levels (Hinkley 1970). The reference is at most 3 spreads, so that what
    begins slowly is seen soon.

    Args:
        candidate: A stretch found with windows, so blurred by half of one.
        z: float64, the cells of the row, in spreads.
    """
    sided = z[candidate.first : candidate.last + 1] * candidate.side
    start, end = _best_run(sided, _REFERENCE[0])
    inside = float(np.median(sided[start : end + 1]))  # now that what is beside the event is gone
    start, end = _best_run(sided, min(max(_HALF * inside, _REFERENCE[0]), _REFERENCE[1]))
    first = candidate.first
    peak = first + start + int(np.argmax(sided[start : end + 1]))
    return replace(candidate, first=first + start, last=first + end, peak=peak)


def _best_run(sided: Array, reference: float) -> tuple[int, int]:
    """The first and the last cell of the run whose sum of (value - reference) is largest."""
    sums = np.concatenate([[0.0], np.cumsum(sided - reference)])
    lowest = np.minimum.accumulate(sums[:-1])
    end = int(np.argmax(sums[1:] - lowest))
    return int(np.flatnonzero(sums[: end + 1] == lowest[end])[-1]), end


def settled(candidate: Candidate, z: Array) -> Candidate:
    """The chosen candidate as what it is: a swing to one side as a shift, a ramp from where its line left the level.

    Args:
        candidate: With sharpened edges.
        z: float64, the cells of the row, in spreads.
    """
    if candidate.kind == "variance":
        above = float(np.mean(z[candidate.first : candidate.last + 1] > 0))
        if max(above, 1 - above) < _ONE_SIDED:
            return candidate
        candidate = replace(candidate, kind=None, side=1 if above > _HALF else -1)
    if candidate.kind is not None:
        return candidate
    sided = z[candidate.first : candidate.last + 1] * candidate.side
    ramp = ramp_of(sided)
    if ramp is None:
        return candidate
    start, slope = ramp
    earlier = min(max(0, round(start / slope)), len(sided), candidate.first)
    return replace(candidate, first=candidate.first - earlier)


def ramp_of(sided: Array) -> tuple[float, float] | None:
    """Height at the first cell and rise per cell of the straight line through a ramp; None when it is no ramp.

    Args:
        sided: float64, the cells of the event, in spreads, positive on its side.
    """
    if len(sided) < _RAMP_CELLS:
        return None
    slope, start = np.polyfit(np.arange(len(sided)), sided, 1)
    left = sided - (start + slope * np.arange(len(sided)))
    fits = float(left @ left) <= (1 - _RAMP_FIT) * float(((sided - sided.mean()) ** 2).sum())
    height = start + slope * (len(sided) - 1)
    return (float(start), float(slope)) if slope > 0 and fits and start <= _RAMP_START * height else None
