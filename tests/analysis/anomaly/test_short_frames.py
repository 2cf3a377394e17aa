"""Frames of hours: shifts, leaks and swings are found without a usual day, and what noise does is not told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from support.anomaly_worlds import alone, at, frame_of
from support.short_frames import NOTHING, frame_times

from obs_magics.analysis.anomaly import detect, expected, scores
from obs_magics.analysis.anomaly.tails import pareto_of, tail_share

FRAMES = [(1.0, 15), (3.0, 30), (6.0, 60), (24.0, 60)]
SERIES = 30


def _white(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(100.0, 1.0, count)


@pytest.mark.parametrize("kind", NOTHING)
def test_in_frames_of_nothing_hardly_anything_is_told(kind):
    told = 0
    for hours, step in FRAMES:
        times = frame_times(hours, step)
        rows = {f"s{seed}": (times, NOTHING[kind](np.random.default_rng(seed), len(times))) for seed in range(SERIES)}
        told += len(detect(frame_of(rows)))
    assert told <= (0.25 if kind == "heavy tails" else 0.06) * SERIES * len(FRAMES)


@pytest.mark.parametrize(("hours", "step"), FRAMES)
@pytest.mark.parametrize("side", [1, -1])
def test_a_level_that_stays_is_told_from_the_cell_on(hours, step, side):
    times = frame_times(hours, step)
    found = 0
    for seed in range(8):
        values = _white(len(times), seed)
        begins = int((0.5 + 0.04 * seed) * len(times))
        values[begins:] += side * 4
        events = detect(alone(times, values))
        found += len(events) == 1 and abs((events["start"].iloc[0] - at(times[begins])).total_seconds()) <= 3 * step
        assert set(events["kind"].astype(str)) <= {"level_shift"}
    assert found >= 7


@pytest.mark.parametrize(("hours", "step"), FRAMES)
def test_a_slow_rise_is_a_trend_from_where_it_left_the_level(hours, step):
    times = frame_times(hours, step)
    values = _white(len(times), 3)
    begins = int(0.55 * len(times))
    values[begins:] += np.linspace(0, 9, len(times) - begins)
    events = detect(alone(times, values))
    assert events["kind"].astype(str).tolist() == ["trend_change"]
    assert abs((events["start"].iloc[0] - at(times[begins])).total_seconds()) <= 0.06 * hours * 3600
    assert events["ongoing"].iloc[0]


@pytest.mark.parametrize(("hours", "step"), FRAMES[1:])
def test_a_swing_that_begins_and_stays_is_a_variance(hours, step):
    times = frame_times(hours, step)
    values = _white(len(times), 4)
    begins = int(0.7 * len(times))
    values[begins:] = 100 + 4 * (values[begins:] - 100)
    events = detect(alone(times, values))
    assert events["kind"].astype(str).tolist() == ["variance"]


def test_a_daily_course_is_no_leak():
    times = frame_times(6.0, 60)
    for seed in range(6):
        turn = 2 * np.pi * (times - times[0]) / 86_400 + seed
        assert detect(alone(times, 100 + 40 * np.sin(turn) + _white(len(times), seed))).empty


def test_one_error_is_no_event_and_a_burst_of_them_is():
    times = frame_times(1.0, 15)
    values = np.zeros(len(times))
    values[[40, 150]] = 1.0
    assert detect(alone(times, values)).empty
    values[200:204] = [2, 3, 1, 4]
    events = detect(alone(times, values))
    assert events["start"].tolist() == [at(times[200])]


def test_what_comes_back_on_the_hour_is_a_job_and_what_comes_once_is_not():
    times = frame_times(3.0, 60)
    values = _white(len(times), 5)
    job = values + 30.0 * (np.arange(len(times)) % 60 == 20)
    assert detect(alone(times, job)).empty
    values[110:113] += 30
    events = detect(alone(times, values))
    assert events["start"].tolist() == [at(times[110])]


def test_what_began_in_the_history_is_no_news():
    times = frame_times(6.0, 60)
    values = _white(len(times), 6)
    values[150:] += 6
    assert detect(alone(times, values), since=at(times[240])).empty
    assert len(detect(alone(times, values), since=at(times[140]))) == 1


@pytest.mark.parametrize("shape", [0.0, 0.2, 0.5])
def test_the_tail_of_a_known_distribution_is_estimated(shape):
    drawn = np.sort(stats.genpareto.rvs(shape, scale=2.0, size=2000, random_state=1))
    found, scale = pareto_of(drawn)
    assert found == pytest.approx(shape, abs=0.08)
    assert scale == pytest.approx(2.0, rel=0.1)


def test_a_share_beyond_a_tail_is_about_right_and_never_more_than_all():
    drawn = np.random.default_rng(2).exponential(size=4000)
    assert tail_share(drawn, 7.0) == pytest.approx(np.exp(-7.0), rel=0.7)
    assert tail_share(drawn, -9.0) == 1.0
    assert tail_share(np.zeros(50), 1.0) == 0.0


@pytest.mark.parametrize(("hours", "step"), FRAMES)
@pytest.mark.parametrize("side", [1, -1])
def test_what_breaks_is_held_against_what_was_before_it(hours, step, side):
    """An outage of a quarter of the frame, over two cells, is one event: its own height is never what is normal."""
    times = frame_times(hours, step)
    values = _white(len(times), 5)
    first, last = int(0.4 * len(times)), int(0.65 * len(times))
    values[first:last] += side * 40
    values[first] -= side * 20
    frame = alone(times, values)
    events = detect(frame)
    assert events["kind"].astype(str).tolist() == ["level_shift"]
    (event,) = events.itertuples()
    assert event.severity == "critical"
    assert 94 < event.expected_low < 100 < event.expected_high < 106
    assert event.value == (values[first:last].max() if side > 0 else values[first:last].min())
    bands = expected(frame).iloc[first + 2 : last - 2]
    assert bands["expected_low"].min() > 94
    assert bands["expected_high"].max() < 106


def test_a_series_that_ended_before_what_is_judged_has_no_scores_and_no_band():
    times = frame_times(3.0, 30)
    early = len(times) // 3
    frame = frame_of({"lives": (times, _white(len(times), 1)), "ended": (times[:early], _white(early, 2))})
    since = at(times[2 * early])
    for told in (scores(frame, since=since), expected(frame, since=since)):
        assert told["series"].str.contains("lives").all()
        assert len(told) == len(times) - 2 * early


@pytest.mark.parametrize("seed", range(40))
def test_bands_are_never_upside_down_nor_below_zero_where_values_are_not(seed):
    rng = np.random.default_rng(seed)
    times = frame_times(36.0, 300)
    values = rng.lognormal(0, 2, len(times))
    first = int(rng.uniform(0, 0.6) * len(times))
    values[first : first + int(0.41 * len(times))] += 1e6
    frame = alone(times, values)
    for told in (expected(frame), detect(frame)):
        assert (told["expected_low"] <= told["expected_high"]).all()
        assert (told["expected_low"] >= 0).all()
