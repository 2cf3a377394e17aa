"""Entities with many metrics: made ones whose truth is known, and the labelled ones next door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.metrics_frames import SECOND, START, regular

from obs_magics.analysis.anomaly import detect_together, scores_together
from obs_magics.analysis.anomaly.joint_entities import MOST_METRICS, WHOLE, Entity, entities, wide_entities
from obs_magics.analysis.anomaly.together import detect_entities
from obs_magics.model.anomalies import ANOMALY_COLUMNS, SENSITIVITIES
from obs_magics.model.errors import UsageError

STEP = 300  # seconds
DAY = 86_400 // STEP


def related(count: int = 5 * DAY, metrics: int = 5, *, seed: int = 0) -> np.ndarray:
    """Metrics that follow one rhythm and one common noise, each with a little noise of its own: metrics × points."""
    rng = np.random.default_rng(seed)
    place = np.arange(count)
    common = (
        10 + 3 * np.sin(2 * np.pi * place / DAY) + np.convolve(rng.normal(size=count + 9), np.ones(10), "valid") / 4
    )
    return np.stack([(1 + number) * common + 0.3 * (1 + number) * rng.normal(size=count) for number in range(metrics)])


def frame_of(values: np.ndarray, *, service: str = "shop") -> pd.DataFrame:
    series = [({"__name__": f"m{number}", "service": service}, row) for number, row in enumerate(values)]
    return regular(series, step=STEP)


def at(place: int) -> pd.Timestamp:
    return pd.Timestamp(START + place * STEP * SECOND, tz="UTC")


def test_metrics_that_jump_at_once_are_one_joint_event_that_names_them() -> None:
    values = related()
    values[1:4, 1000:1020] *= 3
    found = detect_together(frame_of(values))
    assert tuple(found.columns) == ANOMALY_COLUMNS
    assert len(found) == 1
    event = found.iloc[0]
    assert (event["kind"], event["series"], event["service"], event["ongoing"]) == ("joint", "shop", "shop", False)
    assert abs(event["start"] - at(1000)) <= pd.Timedelta(seconds=3 * STEP)
    assert abs(event["end"] - at(1019)) <= pd.Timedelta(seconds=5 * STEP)
    assert all(name in event["detection_method"] for name in ("m1", "m2", "m3"))
    assert not event["expected_low"] <= event["value"] <= event["expected_high"]
    assert event["metric"] in {"m1", "m2", "m3"}


def test_a_jump_of_one_metric_alone_is_not_joint() -> None:
    values = related()
    values[2, 1000:1020] *= 3
    found = detect_together(frame_of(values))
    assert "joint" not in set(found["kind"])


def test_what_goes_on_at_the_end_is_ongoing() -> None:
    values = related()
    values[:, -12:] *= 3
    found = detect_together(frame_of(values))
    assert found["ongoing"].tolist() == [True]
    assert found["end"].iloc[0] == at(values.shape[1] - 1)


def test_a_level_that_stays_is_told_as_the_move_to_it() -> None:
    values = related()
    values[:, 700:] *= 3
    found = detect_together(frame_of(values))
    assert len(found) == 1
    assert abs(found["start"].iloc[0] - at(700)) <= pd.Timedelta(seconds=3 * STEP)
    assert found["end"].iloc[0] < at(740)


def test_a_metric_that_leaves_its_companions_is_a_break_though_it_looks_as_ever() -> None:
    values = related()
    values[2, 1100:1140] = values[2, 400:440]  # plausible values, of another time
    found = detect_together(frame_of(values))
    assert found["kind"].tolist() == ["correlation_break"]
    event = found.iloc[0]
    assert event["start"] <= at(1120) <= event["end"]
    assert "m2" in event["detection_method"]
    assert event["metric"] == "m2"
    assert not event["expected_low"] <= event["value"] <= event["expected_high"]


@pytest.mark.parametrize("seed", range(5))
def test_entities_where_nothing_happens_have_no_events(seed: int) -> None:
    rng = np.random.default_rng(seed)
    independent = frame_of(rng.normal(10, 1, (6, 3 * DAY)), service="noise")
    skewed = frame_of(rng.lognormal(0, 0.5, (6, 3 * DAY)), service="skewed")
    assert detect_together(pd.concat([independent, frame_of(related(seed=seed)), skewed])).empty


def test_sensitivities_find_more_and_more() -> None:
    rng = np.random.default_rng(3)
    values = related(seed=3)
    for place, size in zip(range(100, 1400, 100), np.linspace(1.15, 2, 13), strict=True):
        values[:, place : place + 6] *= size * rng.uniform(0.95, 1.05)
    counts = [len(detect_together(frame_of(values), sensitivity=level)) for level in SENSITIVITIES]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_what_was_before_since_tells_what_is_usual() -> None:
    values = related()
    values[1:4, 200:210] *= 3
    values[1:4, 1300:1310] *= 3
    found = detect_together(frame_of(values), since=at(1200))
    assert len(found) == 1
    assert found["start"].iloc[0] >= at(1200)
    whole = detect_together(frame_of(values), since=at(10))  # too little before it
    assert len(whole) == 2


def test_each_service_is_an_entity_and_frames_without_one_are_whole() -> None:
    frame = pd.concat([frame_of(related(200), service="a"), frame_of(related(200), service="b")])
    assert [one.name for one in entities(frame)] == ["a", "b"]
    assert [one.name for one in entities(frame, by=None)] == [WHOLE]
    assert [one.name for one in entities(frame, by="region")] == [WHOLE]
    assert [one.name for one in entities(frame, by=["service", "metric"])][:2] == ["a", "b"]
    assert len(entities(frame)[0].metrics) == 5


def test_the_grid_keeps_gaps_and_counters_count_with_their_rate() -> None:
    values = np.arange(300.0) * 30
    series = [({"__name__": "requests_total"}, values), ({"__name__": "load"}, np.sin(np.arange(300.0)))]
    frame = regular(series, step=10)
    frame = frame.drop(index=[310, 311])
    (entity,) = entities(frame)
    assert entity.step_ns == 10 * SECOND
    assert np.nanmax(np.abs(entity.values[:, 0] - 3)) == 0
    assert np.isnan(entity.values[[0, *range(10, 12)], [0, 1, 1]]).all()
    assert entity.units == ("requests_total", "load")


def test_very_many_metrics_are_cut_to_those_that_move() -> None:
    values = np.ones((MOST_METRICS + 20, 60)) + 0.01 * np.sin(np.arange(60))
    values[-3:] += np.sin(np.arange(60))
    values[:2] = np.nan
    (entity,) = entities(frame_of(values))
    assert len(entity.metrics) == MOST_METRICS
    assert entity.metrics[-1] == f"m{MOST_METRICS + 19}"


def test_what_is_there_from_the_start_on_is_told_as_it_is_seen() -> None:
    values = related()
    values[:, 2:9] *= 3
    found = detect_together(frame_of(values), sensitivity="high")
    assert found["start"].min() <= at(5)


def test_events_that_run_into_each_other_are_one() -> None:
    values = related()
    values[:, 1000:1030] *= 3
    values[:, 1012:1020] *= 4
    found = detect_together(frame_of(values), sensitivity="high")
    assert (found["kind"] == "joint").sum() == 1


def test_minutes_of_days_are_judged_like_steps_of_five() -> None:
    values = np.repeat(related(), 5, axis=1) * np.random.default_rng(8).normal(1, 0.01, (5, 25 * DAY))
    values[1:4, 5000:5060] *= 3
    values = np.vstack([values, np.where(np.arange(25 * DAY) < 60, np.arange(25 * DAY), np.nan)])
    series = [({"__name__": f"m{number}", "service": "shop"}, row) for number, row in enumerate(values)]
    found = detect_together(regular(series, step=60))
    assert found["kind"].tolist() == ["joint"]
    assert abs(found["start"].iloc[0] - pd.Timestamp(START + 5000 * 60 * SECOND, tz="UTC")) <= pd.Timedelta(minutes=5)


def test_a_stray_timestamp_does_not_ask_for_gigabytes() -> None:
    frame = regular({"a": [1.0] * 50}, step=1)
    frame.loc[0, "timestamp"] = pd.Timestamp("1990-01-01", tz="UTC")
    (entity,) = entities(frame)
    assert len(entity.times_ns) <= 200_001


def test_gaps_and_silent_metrics_change_nothing() -> None:
    values = related()
    values[1:4, 1000:1020] *= 3
    frame = frame_of(np.vstack([values, np.full((1, values.shape[1]), 7.0), np.full((1, values.shape[1]), np.nan)]))
    kept = np.random.default_rng(1).random(len(frame)) > 0.1
    found = detect_together(frame[kept].reset_index(drop=True))
    assert found["kind"].tolist() == ["joint"]


def test_little_data_says_nothing() -> None:
    assert detect_together(frame_of(related(40))).empty
    assert detect_together(frame_of(related()[:1])).empty
    assert detect_together(frame_of(related())[:0]).empty
    values = related()[:2]
    values[1, 1100:1140] = values[1, 400:440]
    assert detect_together(frame_of(values))["kind"].tolist() == ["correlation_break"]
    assert detect_together(frame_of(related(60))).empty


def test_scores_are_high_in_events_and_there_for_every_point() -> None:
    values = related()
    values[1:4, 1000:1010] *= 3
    points = scores_together(frame_of(values))
    assert list(points.columns) == ["series_id", "timestamp", "score"]
    assert len(points) == values.shape[1]
    inside = points["timestamp"].between(at(1000), at(1009))
    assert points.loc[inside, "score"].max() > 1
    assert points.loc[~inside, "score"].median() < 0.5
    assert scores_together(frame_of(related(30)))["score"].eq(0).all()
    assert scores_together(frame_of(related()[:2]))["score"].ge(0).all()
    assert scores_together([]).empty


def test_a_wide_table_is_taken_too() -> None:
    values = related()
    values[1:4, 1000:1020] *= 3
    table = pd.DataFrame(values.T, columns=[f"m{number}" for number in range(5)])
    table.insert(0, "timestamp", [at(place) for place in range(values.shape[1])])
    table.insert(0, "entity", "host-1")
    watched = wide_entities(table)
    found = detect_entities(watched)
    assert found["series"].tolist() == ["host-1"]
    assert found["metric"].iloc[0] in {"m1", "m2", "m3"}
    with pytest.raises(UsageError, match="missing: entity"):
        wide_entities(table.drop(columns="entity"))


@settings(max_examples=25, deadline=None)
@given(
    arrays.arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(1, 130)),
        elements=st.one_of(st.floats(-1e12, 1e12), st.just(float("nan"))),
    )
)
def test_any_numbers_give_a_frame_and_the_same_twice(values: np.ndarray) -> None:
    first, second = (detect_together(frame_of(values), sensitivity="high") for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert np.isfinite(scores_together(frame_of(values))["score"]).all()
    assert isinstance(entities(frame_of(values))[0], Entity)


@pytest.mark.contract
def test_breaks_of_the_labelled_entities_are_found_and_quiet_ones_stay_quiet(shared: Path) -> None:
    table = pd.read_parquet(shared / "data" / "anomaly" / "mv_corr.parquet")
    table = table[table["entity"].isin(sorted(table["entity"].unique())[::3])]
    watched = wide_entities(table.drop(columns="label"))
    found = detect_entities(watched)
    labelled = table[table["label"] > 0].groupby("entity")["timestamp"].agg(["min", "max"])
    hits = {
        event["series"]
        for _, event in found.iterrows()
        if event["series"] in labelled.index
        and event["start"].tz_localize(None) <= labelled.loc[event["series"], "max"]
        and event["end"].tz_localize(None) >= labelled.loc[event["series"], "min"]
    }
    assert len(hits) >= 0.85 * len(labelled)
    assert len(set(found["series"]) - set(labelled.index)) == 0
    assert len(found) <= len(hits) + 3
