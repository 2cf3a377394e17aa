"""Series that are not as a scrape gives them: events without a clock, hours as steps, many series, too many events."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.anomaly_worlds import DAY, START, alone, daily, frame_of, instants, noise

from obs_magics.analysis.anomaly import detect, examine


def test_points_without_a_clock_are_taken_as_they_come():
    random = np.random.default_rng(1)
    times = START + np.cumsum(random.pareto(0.7, 600) * 30 + 1).astype(np.int64)
    values = noise(600) + 50
    values[400:404] += 60
    found = detect(alone(times, values))
    assert len(found) == 1
    assert found.iloc[0]["start"] == pd.Timestamp(int(times[400]), unit="s", tz="UTC")


def test_hours_as_steps_have_their_day():
    times = instants(3600, 40 * 24)
    values = daily(times) + noise(len(times))
    values[700:703] += 45
    found = detect(alone(times, values))
    assert len(found) == 1
    assert "daily season" in found.iloc[0]["detection_method"]


def test_one_more_cell_or_less_makes_no_difference_between_series():
    parts = {f"s{number}": (instants(60, 1440 - number), noise(1440 - number, seed=number)) for number in range(30)}
    for number, (_, values) in enumerate(parts.values()):
        values[900 + number : 906 + number] += 40
    found = detect(frame_of(parts))
    assert sorted(found["name"].astype(str)) == sorted(parts)


def test_events_beyond_the_cap_are_left_out_and_said():
    times = instants(60, 7 * DAY // 60)
    values = noise(len(times)) + 100
    for place in range(1000, 9000, 250):
        values[place] += 25 * 1.18 ** (place // 250)
    found = examine(alone(times, values), sensitivity="low")
    assert len(found.events) == 7
    name, reason = found.skipped[0]
    assert name == found.events["series"].iloc[0]
    assert reason.endswith("weaker events left out")


def test_a_row_with_nothing_but_nan_is_told_as_too_short():
    found = examine(alone(instants(60, 100), np.full(100, np.nan)))
    assert found.events.empty
    assert "not enough data: 0 of" in found.skipped[0][1]


def test_a_broken_period_is_found():
    times = instants(60, 3000)
    values = noise(3000, 1.0) + 20 * np.sin(2 * np.pi * np.arange(3000) / 37.3)
    values[2000:2006] += 25
    found = detect(alone(times, values))
    assert len(found) == 1
    assert "37m" in found.iloc[0]["detection_method"]
