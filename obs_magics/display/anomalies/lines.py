"""The points of a series in a small chart: all of them where they are few, else the extremes of stretches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from obs_magics.display.downsample import LARGEST, Line, stretch_ns, thinned, whole
from obs_magics.display.units import seconds_text
from obs_magics.model.series import Series

_POINTS = 1200


def has_numbers(series: Series) -> bool:
    """Whether there is anything to draw."""
    return bool((np.abs(series.values) <= LARGEST).any())


def few_points(series: Series) -> tuple[Line, int]:
    """The line, and how many nanoseconds one stretch of it stands for; 0 where every point is there."""
    values = np.where(np.abs(series.values) <= LARGEST, series.values, np.nan)
    if len(values) <= _POINTS:
        return whole(series.timestamps_ns, values), 0
    stretch = stretch_ns(int(series.timestamps_ns[-1] - series.timestamps_ns[0]), _POINTS // 2)
    return thinned(series.timestamps_ns, values, stretch), stretch


def thinning(stretches: Sequence[int]) -> list[str]:
    """What is said where points were left out."""
    longest = max(stretches)
    return [f"showing the min/max of each {seconds_text(longest / 1e9)}"] if longest else []
