"""Between what values a series is normal: around what was expected at each moment, or around where an event began."""

from __future__ import annotations

from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.grids import Batch
from obs_magics.analysis.anomaly.normal import Normal
from obs_magics.analysis.anomaly.quantiles import spreads
from obs_magics.analysis.anomaly.windows import Candidate

Array = np.ndarray[Any, Any]

BAND = 3.0
"""Spreads on either side of what is expected that are normal."""
_AROUND = 24  # cells beside an event, at least
_FEWEST = 8  # of them with a value


def band(batch: Batch, normal: Normal, row: int) -> tuple[Array, Array]:
    """Between what values each cell of a row is normal; never below zero for a series that never is."""
    low = normal.expected[row] - BAND * normal.low[row]
    high = normal.expected[row] + BAND * normal.high[row]
    return _possible(batch, row, low, high)


def band_beside(batch: Batch, normal: Normal, row: int, event: Candidate) -> tuple[Array, Array] | None:
    """The same around what the series was before an event, or after one with which the frame begins.

    In a short frame the level follows what lasts; at the height of an event it says what the event itself is.

    Returns:
        As `band`; None where there is too little beside the event, or it is no different from it.
    """
    values = batch.values[row] - normal.season[row]
    reach = max(_AROUND, event.last + 1 - event.first)
    for beside in (values[max(0, event.first - reach) : event.first], values[event.last + 1 : event.last + 1 + reach]):
        known = beside[np.isfinite(beside)]
        if len(known) < _FEWEST:
            continue
        centre, below, above = (float(one[0]) for one in spreads(known[None]))
        low = centre - BAND * below + normal.season[row]
        high = centre + BAND * above + normal.season[row]
        inside = slice(event.first, event.last + 1)
        off = (batch.values[row] - (high if event.side > 0 else low))[inside] * event.side
        if not np.nanmax(off, initial=-np.inf) > 0:
            return None
        return _possible(batch, row, low, high)
    return None


def _possible(batch: Batch, row: int, low: Array, high: Array) -> tuple[Array, Array]:
    """The band without what is below zero, for a series that never is."""
    if batch.rows[row].track.values.min() < 0:
        return low, high
    return np.maximum(low, 0.0), np.maximum(high, 0.0)
