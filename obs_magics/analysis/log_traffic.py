"""A lasting change of how many log lines there are: traffic, as far as logs can tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from obs_magics.model.log_summary import TrafficShift
from obs_magics.model.logs import Volume

Array = np.ndarray[Any, Any]

_SHIFT = 1.25  # times as many lines, or its inverse: less is not worth a word
_LIKELY = 0.001  # how often chance alone may look like a shift
_SIDE = 4  # bars on each side of a shift
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def traffic_shift(volume: Volume) -> TrafficShift | None:
    """Where the number of lines (of every level together) changed for good; None where it did not, or not clearly.

    Pettitt's test for one change point, which knows ranks alone, so that bursts count no more than other bars: A. N.
    Pettitt, "A non-parametric approach to the change-point problem", Applied Statistics 28 (1979). The factor is that
    of the medians.
    """
    if not volume.counts:
        return None
    bars = np.sum([list(counts) for counts in volume.counts.values()], axis=0).astype(float)
    bars = bars[1:-1]  # the ends may be cut
    split, chance = _pettitt(bars) if len(bars) >= 2 * _SIDE else (0, 1.0)
    if chance > _LIKELY or not _SIDE <= split <= len(bars) - _SIDE:
        return None
    usual, since_then = float(np.median(bars[:split])), float(np.median(bars[split:]))
    if not usual or not since_then or 1 / _SHIFT < since_then / usual < _SHIFT:
        return None
    since = _EPOCH + timedelta(microseconds=(volume.start_ns + (split + 1) * volume.step_ns) // 1000)
    return TrafficShift(factor=since_then / usual, since=since.isoformat().replace("+00:00", "Z"))


def _pettitt(values: Array) -> tuple[int, float]:
    """Where the most likely change point lies (the first value behind it), and how likely chance gives as much."""
    count = len(values)
    signs = np.sign(values[None, :] - values[:, None])
    statistic = np.abs(np.cumsum(signs.sum(axis=1)))[:-1]  # U of each split
    split = int(np.argmax(statistic)) + 1
    largest = float(statistic[split - 1])
    return split, 2.0 * float(np.exp(-6.0 * largest**2 / (count**3 + count**2)))
