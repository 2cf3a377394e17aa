"""Changes of variance: a series that swings far more than it does, above and below, though its mean may stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.edges import sharpened
from obs_magics.analysis.anomaly.normal import Normal
from obs_magics.analysis.anomaly.quantiles import spreads
from obs_magics.analysis.anomaly.windows import Candidate, Evidence, candidates_of, evidence_of

Array = np.ndarray[Any, Any]

_SHORTEST = 32  # cells of a window: below, a swing cannot be told from a spike
_LARGEST = 5.0  # spreads that one cell counts for at most
_HARDER = 1.3  # than for a shift: sizes stray more
_BRIEF = 4  # cells of a spike or drop
_STRONG = 0.7  # of the strength of a spike in it: then the swing is the event


def sizes_of(normal: Normal, seen: Array | None) -> Normal:
    """The batch with the size of each cell's deviation, in spreads of such sizes, in place of the deviation."""
    sizes = np.minimum(np.abs(normal.z), _LARGEST)
    middle, below, above = spreads(sizes if seen is None else np.where(seen, sizes, np.nan))
    off = sizes - middle[:, None]
    z = off / np.where(off > 0, np.maximum(above, 1e-9)[:, None], np.maximum(below, 1e-9)[:, None])
    z[normal.still] = 0.0
    if seen is not None:
        z[~seen] = 0.0
    return replace(normal, z=z)


def swing_evidence(sizes: Normal, judged: int) -> Evidence:
    """Thresholds for windows long enough to tell a swing."""
    evidence = evidence_of(sizes, judged, shortest=_SHORTEST)
    return replace(
        evidence,
        limits=evidence.limits * _HARDER,
        best=evidence.best / _HARDER,
        most=evidence.most / _HARDER,
    )


def swings_of(sizes: Normal, evidence: Evidence, row: int, factor: float) -> list[Candidate]:
    """Stretches of one row that swing more, or less, than usual."""
    found = candidates_of(sizes, evidence, row, factor)
    return [replace(sharpened(one, sizes.z[row]), side=0, kind="variance") for one in found if one.side > 0]


def with_swings(events: list[Candidate], swings: list[Candidate]) -> list[Candidate]:
    """The events, spikes within a swing that is nearly as unusual told as that swing.

    Args:
        events: Shifts, spikes and drops, not overlapping.
        swings: Of the same row.
    """
    told = []
    for one in events:
        around = [swing for swing in swings if swing.first <= one.peak <= swing.last]
        best = max(around, key=lambda swing: swing.strength, default=None)
        brief = one.last - one.first < _BRIEF and one.kind is None
        told.append(
            replace(best, strength=max(best.strength, one.strength))
            if best is not None and brief and best.strength >= _STRONG * one.strength
            else one
        )
    return told
