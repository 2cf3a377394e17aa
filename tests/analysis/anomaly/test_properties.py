"""What must hold for any series: order, scale and shift do not matter; hostile input is no error; gaps cost little."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.anomaly_worlds import DAY, alone, daily, frame_of, instants, noise

from obs_magics.analysis.anomaly import detect, examine, expected, scores
from obs_magics.model.anomalies import ANOMALY_COLUMNS, empty_anomalies
from obs_magics.model.frames import empty_metrics

TIMES = instants(300, 8 * 288)


def _faulty(seed: int) -> pd.DataFrame:
    parts = {}
    for number in range(4):
        values = daily(TIMES, 10.0 * number) + noise(len(TIMES), 2.0, seed=seed + number)
        values[1500 + 50 * number : 1512 + 60 * number] += 25
        parts[f"s{number}"] = (TIMES, values)
    return frame_of(parts)


@given(st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_the_order_of_rows_does_not_matter(seed):
    frame = _faulty(3)
    shuffled = frame.sample(frac=1.0, random_state=seed)
    pd.testing.assert_frame_equal(detect(shuffled), detect(frame))
    pd.testing.assert_frame_equal(expected(shuffled), expected(frame))
    pd.testing.assert_frame_equal(scores(shuffled), scores(frame))


def test_of_two_values_at_one_instant_the_order_does_not_matter():
    frame = _faulty(3)
    twice = pd.concat([frame, frame.iloc[100:140].assign(value=0.0)], ignore_index=True)
    pd.testing.assert_frame_equal(detect(twice.iloc[::-1]), detect(twice))


@given(st.integers(-40, 40), st.floats(-1e3, 1e3), st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_scale_and_shift_of_values_do_not_matter(power, shift, seed):
    frame = _faulty(seed)
    usual = detect(frame)
    changed = detect(frame.assign(value=(frame["value"] + 1e3 + shift) * 2.0**power))
    assert list(changed["start"]) == list(usual["start"])
    assert list(changed["kind"]) == list(usual["kind"])


def test_upside_down_drops_are_spikes():
    frame = _faulty(1)
    usual, turned = detect(frame), detect(frame.assign(value=-frame["value"]))
    assert list(usual["start"]) == list(turned["start"])
    assert usual["value"].to_numpy() == pytest.approx(-turned["value"].to_numpy())


def test_series_do_not_depend_on_each_other():
    frame = _faulty(2)
    together = detect(frame)
    for name in frame["name"].unique():
        alone_ = detect(frame[frame["name"] == name])
        assert list(alone_["start"]) == list(together.loc[together["name"] == name, "start"])


@pytest.mark.parametrize("harm", ["missing", "gap", "late"])
def test_gaps_missing_points_and_jitter_hide_nothing(harm):
    frame = _faulty(4)
    random = np.random.default_rng(0)
    if harm == "missing":
        frame = frame[random.random(len(frame)) > 0.1]
    elif harm == "gap":
        frame = frame[
            ~frame["timestamp"].between(
                pd.Timestamp(TIMES[400], unit="s", tz="UTC"), pd.Timestamp(TIMES[600], unit="s", tz="UTC")
            )
        ]
    else:
        shift = pd.to_timedelta(random.integers(-60_000, 60_000, len(frame)), unit="ms")
        frame = frame.assign(timestamp=(frame["timestamp"] + shift).astype("datetime64[ns, UTC]"))
    found = detect(frame)
    assert 4 <= len(found) <= 5
    strongest = found.sort_values("score").groupby("name", observed=True).tail(1).sort_values("name")
    for number, start in enumerate(strongest["start"]):
        begun = pd.Timestamp(TIMES[1500 + 50 * number], unit="s", tz="UTC")
        assert abs((start - begun).total_seconds()) <= 900


values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.sampled_from([0.0, -0.0, 1.0, 1e308, -1e308, 5e-324, 1e-300, float("nan"), float("inf")]),
)


@given(
    st.lists(values, min_size=0, max_size=120),
    st.lists(st.integers(0, 2**40), min_size=120, max_size=120),
    st.sampled_from(["low", "medium", "high"]),
    st.sampled_from(["load", "load_total"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_hostile_values_and_times_are_no_error(numbers, times, level, metric):
    frame = alone(np.array(times[: len(numbers)]), np.array(numbers, np.float64), metric)
    found = examine(frame, sensitivity=level)
    told = found.events
    assert list(told.columns[: len(ANOMALY_COLUMNS)]) == list(ANOMALY_COLUMNS)
    assert (told["start"] <= told["end"]).all()
    assert not told["score"].isna().any()
    assert len(expected(frame)) <= len(frame)
    assert not scores(frame)["score"].isna().any()


@given(st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.0, 1e9]), min_size=24, max_size=300), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_sparse_series_are_no_error_and_are_capped(numbers, step):
    found = detect(alone(instants(60 * step, len(numbers)), np.array(numbers)), sensitivity="high")
    assert len(found) <= max(3, len(numbers) // 4)


def test_an_empty_frame_has_no_anomalies():
    assert detect(empty_metrics()).equals(empty_anomalies())
    assert expected(empty_metrics()).empty
    assert scores(empty_metrics()).empty
    assert examine(empty_metrics()).series == 0


def test_few_points_and_constants_say_nothing_and_why():
    frame = frame_of({"few": (TIMES[:10], noise(10)), "constant": (TIMES, np.full(len(TIMES), 7.0))})
    found = examine(frame)
    assert found.events.empty
    assert found.series == 2
    assert found.skipped == (("few", "not enough data: 10 of at least 24 points"),)


def test_a_constant_that_moves_once_is_told():
    numbers = np.full(len(TIMES), 7.0)
    numbers[1800] = 9.0
    assert list(detect(alone(TIMES, numbers))["kind"]) == ["spike"]


def test_percentages_are_not_expected_below_zero():
    share = np.clip(np.abs(noise(len(TIMES), 0.02)), 0, 1)
    assert expected(alone(TIMES, share))["expected_low"].min() >= 0


def test_bands_hold_nearly_all_points_and_points_of_an_event_rank_highest():
    times = instants(300, 8 * 288)
    numbers = daily(times) + noise(len(times))
    numbers[2000:2010] += 60
    band = expected(alone(times, numbers))
    inside = band["value"].between(band["expected_low"], band["expected_high"])
    assert inside.mean() > 0.97
    assert not inside.iloc[2000:2010].any()
    ranked = scores(alone(times, numbers))["score"]
    assert int(ranked.argmax()) in range(1995, 2015)


def test_noise_alone_gives_few_alarms():
    parts = {f"s{number}": (TIMES, noise(len(TIMES), 1.0, seed=number)) for number in range(60)}
    days = 60 * len(TIMES) * 300 / DAY
    assert len(detect(frame_of(parts))) / days < 0.02
    courses = {name: (times, daily(times) + 4 * numbers) for name, (times, numbers) in parts.items()}
    assert len(detect(frame_of(courses))) / days < 0.02
