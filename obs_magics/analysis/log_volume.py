"""Log lines over time, by level, as they stand in a frame."""

from __future__ import annotations

import numpy as np
import pandas as pd

from obs_magics.model.logs import LEVELS, UNKNOWN, Volume
from obs_magics.model.query import choose_step
from obs_magics.model.time import TimeRange

MOST_BARS = 60


def volume_of(frame: pd.DataFrame, *, span: TimeRange | None = None, step_ns: int | None = None) -> Volume:
    """Count the lines of a logs frame in bars that begin at multiples of the step.

    Args:
        frame: A logs frame with at least one line, or an empty one with `span`.
        span: What the bars cover; None for the times of the lines.
        step_ns: Width of a bar; None for a readable one that gives at most 60.
    """
    times = frame["timestamp"].astype("int64").to_numpy()
    covered = span or TimeRange(int(times.min()), int(times.max()))
    step = step_ns or choose_step(covered, MOST_BARS)
    start = covered.start_ns // step * step
    bars = (covered.end_ns - start) // step + 1
    levels = frame["level"].cat.codes.to_numpy().astype(np.int64) + 1
    inside = (times >= start) & (times < start + bars * step)
    places = (times[inside] - start) // step * (len(LEVELS) + 1) + levels[inside]
    table = np.bincount(places, minlength=bars * (len(LEVELS) + 1)).reshape(bars, len(LEVELS) + 1)
    named = dict(zip((UNKNOWN, *LEVELS), table.T.tolist(), strict=True))
    return Volume(start, step, {level: tuple(counts) for level, counts in named.items() if any(counts)})


def observed(span_ns: tuple[int, int], volume: Volume | None) -> tuple[int, int]:
    """The part of a range in which there can be lines: from the first bar on in which there is one of any level.

    Before, the source may have kept nothing; that a pattern is not there then says nothing about it.
    """
    if volume is None or not volume.total:
        return span_ns
    filled = np.flatnonzero(np.sum([list(counts) for counts in volume.counts.values()], axis=0))
    return max(span_ns[0], volume.start_ns + int(filled[0]) * volume.step_ns), span_ns[1]
