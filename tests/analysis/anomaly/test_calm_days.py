"""The first weekend of a frame is calm, no outage; an outage on a calm Saturday is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.anomaly_worlds import DAY, at, frame_of

from obs_magics.analysis.anomaly import detect

MONDAY = 1_760_313_600
STEP = 300
SERIES = 8
Array = np.ndarray[Any, Any]


def _weeks(seed: int, days: int, *, calm: float, swing_only: bool = False, first: int = 0) -> tuple[Array, Array]:
    """A daily course of some shape, calmer on Saturdays and Sundays: all of it, or its swing alone."""
    random = np.random.default_rng(seed)
    times = MONDAY + first * DAY + STEP * np.arange(days * DAY // STEP)
    turn = 2 * np.pi * (times / DAY + random.random())
    course = 0.4 * np.sin(turn) + 0.15 * np.sin(2 * turn + seed)
    weekend = (times - MONDAY) // DAY % 7 >= 5
    share = np.where(weekend, calm, 1.0)
    values = 1 + course * share if swing_only else (1 + course) * share
    return times, 300 * (values + 0.03 * random.normal(size=len(times)))


def _frame(days: int, **options: Any) -> tuple[Any, Array]:
    rows = {f"s{seed}": _weeks(seed, days, **options) for seed in range(SERIES)}
    return frame_of(rows), rows["s0"][0]


@pytest.mark.parametrize(("days", "first"), [(7, 0), (9, 0), (8, 3), (14, 0)])
@pytest.mark.parametrize("swing_only", [False, True])
def test_a_calm_weekend_is_hardly_told(days, first, swing_only):
    frame, _ = _frame(days, calm=0.55, first=first, swing_only=swing_only)
    events = detect(frame)
    assert len(events) <= 1.5 * SERIES  # 2 to 5 a series where each day is expected to be like most others
    assert not events["severity"].isin(["critical"]).any()


@pytest.mark.parametrize(("hours", "share"), [(2, 0.2), (5, 0.3)])
def test_an_outage_on_a_calm_saturday_is_found(hours, share):
    rows = {}
    for seed in range(SERIES):
        times, values = _weeks(seed, 7, calm=0.6)
        out = (times >= MONDAY + 5 * DAY + 10 * 3600) & (times < MONDAY + 5 * DAY + (10 + hours) * 3600)
        rows[f"s{seed}"] = times, np.where(out, share * values, values)
    events = detect(frame_of(rows))
    begin = MONDAY + 5 * DAY + 10 * 3600
    within = events[(events["start"] < at(begin + hours * 3600)) & (events["end"] > at(begin))]
    assert within["name"].nunique() >= SERIES - 1


def test_a_saturday_that_is_down_altogether_is_found():
    rows = {}
    for seed in range(SERIES):
        times, values = _weeks(seed, 7, calm=1.0)
        rows[f"s{seed}"] = times, np.where((times - MONDAY) // DAY == 5, 0.05 * values, values)
    events = detect(frame_of(rows))
    assert events["name"].nunique() == SERIES
