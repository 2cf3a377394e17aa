"""Each kind of fault is found, as what it is, from when it began."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.anomaly_worlds import DAY, alone, at, daily, frame_of, instants, noise

from obs_magics.analysis.anomaly import Threshold, detect, examine
from obs_magics.model.errors import ConfigError, UsageError

STEP = 60
WEEK = instants(STEP, 7 * DAY // STEP)
FAULT = len(WEEK) - 180  # three hours before the end


def _one(frame: pd.DataFrame, **options: object) -> pd.Series:
    found = detect(frame, **options)  # type: ignore[arg-type]
    assert len(found) == 1, found[["kind", "start", "end", "score"]]
    return found.iloc[0]


def _late(event: pd.Series, cell: int = FAULT) -> float:
    """Seconds from when the fault began to when it is said to."""
    return (event["start"] - at(WEEK[cell])).total_seconds()


@pytest.mark.parametrize(("sign", "kind"), [(1, "spike"), (-1, "drop")])
@pytest.mark.parametrize("course", ["level", "daily"])
def test_a_spike_or_a_drop(course, sign, kind):
    values = (daily(WEEK) if course == "daily" else 100.0) + noise(len(WEEK))
    values[FAULT : FAULT + 2] += sign * 40
    event = _one(alone(WEEK, values))
    assert event["kind"] == kind
    assert _late(event) == 0
    assert (event["end"] - event["start"]).total_seconds() == STEP
    assert not event["ongoing"]
    assert event["expected_low"] < 100 + 35
    assert (event["value"] > event["expected_high"]) if sign > 0 else (event["value"] < event["expected_low"])
    assert event["severity"] in {"medium", "high", "critical"}


@pytest.mark.parametrize("course", ["level", "daily", "hourly job"])
def test_a_shift_still_going_on(course):
    values = noise(len(WEEK)) + 100
    values += {"level": 0.0, "daily": daily(WEEK) - 100, "hourly job": 80.0 * (WEEK // STEP % 60 < 2)}[course]
    values[FAULT:] += 20
    event = _one(alone(WEEK, values))
    assert event["kind"] == "level_shift"
    assert abs(_late(event)) <= 3 * STEP
    assert event["ongoing"]
    assert event["detection_method"].startswith("robust level")
    assert ("daily season" in event["detection_method"]) == (course == "daily")
    assert ("1h season" in event["detection_method"]) == (course == "hourly job")


def test_hourly_jobs_are_normal_and_a_missed_one_is_not_needed_to_say_so():
    values = noise(len(WEEK)) + 100 + 80.0 * (WEEK // STEP % 60 < 2)
    assert detect(alone(WEEK, values)).empty


def test_a_ramp_begins_where_it_leaves_the_level():
    values = noise(len(WEEK)) + 100
    values[FAULT:] += np.linspace(0, 60, len(WEEK) - FAULT)
    event = _one(alone(WEEK, values))
    assert event["kind"] == "trend_change"
    assert abs(_late(event)) <= 10 * STEP


def test_a_day_without_its_course_breaks_the_season():
    times = instants(300, 14 * 288)
    values = daily(times) + noise(len(times), 2.0)
    values[10 * 288 + 40 : 10 * 288 + 260] = 100 + noise(220, 2.0, seed=1)
    found = detect(alone(times, values))
    assert "seasonality" in set(found["kind"])


def test_a_swing_to_both_sides_is_a_change_of_variance():
    values = noise(len(WEEK)) + 100
    values[FAULT:-60] += noise(120, 15.0, seed=2)
    found = detect(alone(WEEK, values))
    assert list(found["kind"]) == ["variance"]
    assert abs(_late(found.iloc[0])) <= 5 * STEP


def test_a_shift_that_came_to_stay_is_told_once():
    values = noise(len(WEEK)) + 100
    values[4 * DAY // STEP :] += 30
    event = _one(alone(WEEK, values))
    assert event["kind"] == "level_shift"
    assert abs(_late(event, 4 * DAY // STEP)) <= 3 * STEP
    assert not event["ongoing"]


def test_a_series_that_stands_still_though_it_never_does():
    values = noise(len(WEEK)) + 100
    values[FAULT : FAULT + 40] = values[FAULT]
    event = _one(alone(WEEK, values))
    assert event["kind"] == "silence"
    assert _late(event) == 0


def test_a_service_of_which_nothing_is_heard_any_more():
    ends = {"gone": FAULT, "here": len(WEEK)}
    parts = [frame_of({name: (WEEK[:end], noise(end) + 100)}) for name, end in ends.items()]
    frame = pd.concat([part.assign(service=name) for part, name in zip(parts, ends, strict=True)])
    frame = frame.astype({"metric": "category", "name": "category", "service": "category"})
    event = _one(frame)
    assert (event["kind"], event["service"], event["ongoing"]) == ("silence", "gone", True)
    assert _late(event) == 0
    assert np.isnan(event["value"])


@pytest.mark.parametrize(("stuck", "kind"), [(1.0, "level_shift"), (0.0, "silence")])
def test_what_stands_still_higher_than_ever_is_no_silence(stuck, kind):
    times = instants(STEP, 190)
    values = np.clip(0.01 + noise(190, 3) / 500, 0.001, None)
    values[90:142] = stuck
    event = _one(alone(times, values))
    assert (event["kind"], event["start"]) == (kind, at(times[90]))


def test_a_replaced_pod_is_no_silence():
    frame = frame_of({"old": (WEEK[:FAULT], noise(FAULT) + 100), "new": (WEEK, noise(len(WEEK), seed=1) + 100)})
    assert detect(frame.assign(service=pd.Categorical(["pay"] * len(frame)))).empty


def test_thresholds_hold_besides_and_only_where_they_match():
    values = noise(len(WEEK)) + 100
    values[FAULT : FAULT + 30] = 109 + noise(30, 0.1)
    frame = frame_of({"a": (WEEK, values), "b": (WEEK, values)})
    rule = Threshold(metric="lo*", labels={"name": "a"}, above=108.0, for_duration="10m", severity="critical")
    found = detect(frame, thresholds=[rule])
    told = found[found["kind"] == "threshold"]
    assert list(told["name"]) == ["a"]
    event = told.iloc[0]
    assert (event["severity"], event["expected_high"]) == ("critical", 108.0)
    assert event["detection_method"] == "threshold: above 108 for 10m"
    assert _late(event) == 0
    below = Threshold(below=95.0, for_duration="1h")
    assert not (detect(frame, thresholds=[below])["kind"] == "threshold").any()


@pytest.mark.parametrize(
    "wrong", [{}, {"above": float("nan")}, {"above": 1.0, "severity": "hgih"}, {"above": 1.0, "for_duration": "soon"}]
)
def test_rules_that_make_no_sense(wrong):
    with pytest.raises((ConfigError, UsageError)):
        Threshold(**wrong)


def test_counters_are_judged_by_their_rate():
    rates = np.abs(noise(len(WEEK))) + 50
    rates[FAULT:] *= 2
    counted = np.cumsum(rates)
    counted[2000:] -= counted[1999]  # a reset
    event = _one(alone(WEEK, counted, metric="requests_total"))
    assert event["detection_method"].startswith("rate of a counter")
    assert event["value"] == pytest.approx(2 * 53 / STEP, rel=0.2)
    assert abs(_late(event)) <= STEP


def test_since_tells_only_what_reaches_into_it_and_what_was_before_says_what_is_normal():
    values = noise(len(WEEK)) + 100
    values[2000:2002] += 60
    values[FAULT:] += 15
    frame = alone(WEEK, values)
    assert len(detect(frame)) == 2
    event = _one(frame, since=at(WEEK[FAULT - 30]), baseline="2d")
    assert event["kind"] == "level_shift"
    assert abs(_late(event)) <= 3 * STEP
    inside = _one(frame, since=at(WEEK[FAULT + 60]).tz_localize(None))
    assert abs(_late(inside)) <= 3 * STEP


def test_sensitivity_only_adds():
    values = noise(len(WEEK)) + 100
    values[1000] = 100 + 17
    values[3000] += 90
    counts = [len(detect(alone(WEEK, values), sensitivity=level)) for level in ("low", "medium", "high")]
    assert counts[0] == 1
    assert counts == sorted(counts)
    with pytest.raises(UsageError, match="medium"):
        detect(alone(WEEK, values), sensitivity="medum")


def test_what_comes_back_again_and_again_is_usual():
    values = noise(len(WEEK)) + 100
    values[np.random.default_rng(5).choice(len(WEEK), 120, replace=False)] += 60
    assert len(detect(alone(WEEK, values))) <= 3


def test_too_many_events_are_cut_and_said():
    random = np.random.default_rng(6)
    values = noise(len(WEEK)) + 100
    values[random.choice(len(WEEK), 60, replace=False)] += random.pareto(1.0, 60) * 40 + 30
    found = examine(alone(WEEK, values), sensitivity="low")
    assert len(found.events) <= 7
