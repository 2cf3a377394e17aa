"""Series that are not as a scrape gives them: events without a clock, hours as steps, many series, too many events."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.anomaly_worlds import DAY, START, alone, daily, frame_of, instants, noise

from obs_magics.analysis.anomaly import detect, detect_together, examine
from obs_magics.model.errors import UsageError


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


GOOD = alone(instants(60, 400), np.r_[noise(300) + 100, noise(100, seed=1) + 160])


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (None, "not a NoneType"),
        (GOOD["value"], "not a Series"),
        (GOOD.drop(columns="value"), "needs the column value"),
        (GOOD.set_index("timestamp"), "needs the column timestamp"),
        (pd.concat([GOOD, GOOD[["value"]]], axis=1), "there twice: value"),
        (GOOD.assign(value="abc"), "which are no numbers"),
        (GOOD.assign(value=GOOD["value"] + 1j), "complex numbers have no order"),
        (GOOD.assign(timestamp=GOOD["timestamp"].dt.tz_localize(None)), "no time zone"),
        (GOOD.assign(timestamp="soon"), "which is no time"),
    ],
    ids=str,
)
@pytest.mark.parametrize("look", [detect, detect_together])
def test_what_is_no_metrics_frame_is_refused_in_words(spoilt, words, look):
    with pytest.raises(UsageError, match=words):
        look(spoilt)


@pytest.mark.parametrize(
    "odd",
    [
        GOOD.sample(frac=1, random_state=1),
        pd.concat([GOOD, GOOD], ignore_index=True),
        GOOD.assign(value=GOOD["value"].astype(object)),
        GOOD.assign(value=GOOD["value"].astype("Float64")),
        GOOD.assign(value=GOOD["value"].astype(str)),
        GOOD.assign(timestamp=GOOD["timestamp"].dt.tz_convert("Asia/Tokyo")),
        GOOD.assign(timestamp=GOOD["timestamp"].dt.as_unit("us")),
        GOOD.assign(name=[["a"]] * len(GOOD)),
        pd.concat([GOOD, GOOD.iloc[:3].assign(timestamp=pd.NaT)]).astype({"timestamp": "datetime64[ns, UTC]"}),
    ],
    ids=["shuffled", "twice", "objects", "nullable", "texts", "another zone", "microseconds", "lists", "no time"],
)
def test_odd_frames_say_the_same(odd):
    first = detect(GOOD).iloc[0]
    found = detect(odd)
    assert len(found) == 1
    assert found.iloc[0]["start"] == first["start"]
    assert found.iloc[0]["kind"] == first["kind"]


@pytest.mark.parametrize(
    "values",
    [np.full(400, np.inf), np.full(400, 2**63 - 1), np.zeros(400), np.full(400, 1e300), -np.arange(400.0)],
    ids=["infinite", "the largest integer", "zeros", "huge", "falling"],
)
def test_values_that_say_nothing_say_nothing(values):
    assert detect(GOOD.assign(value=values)).empty


@pytest.mark.parametrize("unit", [1e-310, 1e-300, 1e-9, 1e147])
def test_the_unit_does_not_matter(unit):
    found = detect(GOOD.assign(value=GOOD["value"] * unit))
    assert found[["start", "end"]].equals(detect(GOOD)[["start", "end"]])


def test_years_between_points_are_no_grid():
    times = GOOD["timestamp"].copy()
    times[200:] += pd.Timedelta("365D")
    assert len(detect(GOOD.assign(timestamp=times))) == 1
