"""What a metrics frame says in numbers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from support.metrics_frames import arbitrary, regular
from support.patience import least_seconds

from obs_magics.analysis.summary import summarize
from obs_magics.display.words import sentences
from obs_magics.model.frames import HISTOGRAM_TYPE, metrics_frame

NAN = float("nan")


def incident(count: int = 240, start: int = 180) -> np.ndarray:
    values = np.random.default_rng(8).normal(0.4, 0.01, count)
    values[start:] *= 6
    return values


def test_the_numbers_are_those_a_reader_recounts() -> None:
    values = [4.0, 1.0, NAN, 3.0, float("inf"), 2.0]
    summary = summarize(regular({"a": values}), unit="s")
    (one,) = summary.shown
    assert (one.points, one.not_numbers, one.current, one.average) == (6, 2, 2.0, 2.5)
    assert (one.minimum, one.maximum, one.median) == (1.0, 4.0, 2.5)
    assert one.p95 == pytest.approx(np.percentile([1, 2, 3, 4], 95))
    assert one.current_at == "2026-11-22T13:35:00Z"
    assert (summary.unit, summary.series, summary.rows) == ("s", 1, 6)


def test_all_series_together_pool_their_values() -> None:
    summary = summarize(regular({"a": [1.0, 2.0], "b": [3.0, 6.0]}))
    assert (summary.overall.average, summary.overall.maximum, summary.overall.current) == (3.0, 6.0, 4.0)
    assert summary.overall.points == 4
    assert summary.overall.anomaly_detected is None


def test_anomalous_series_come_first_and_then_the_largest() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 240)
    frame = regular({"small": 1 + noise, "sick": incident(), "large": 90 + noise, "medium": 50 + noise})
    summary = summarize(frame, limit=3)
    assert [one.name for one in summary.shown] == ["sick", "large", "medium"]
    assert summary.series == 4
    assert summary.overall.anomaly_detected is True


def test_of_very_many_series_only_the_largest_are_looked_into_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obs_magics.analysis.summary._MOST_EXAMINED", 2)
    noise = np.random.default_rng(1).normal(0, 0.01, 240)
    frame = regular({"sick": incident(), "large": 90 + noise, "none": [NAN] * 240, "medium": 50 + noise})
    summary = summarize(frame)
    assert [one.name for one in summary.shown] == ["large", "medium"]
    assert (summary.series, summary.unexamined, summary.overall.points) == (4, 2, 960)
    assert summary.overall.anomaly_detected is None  # rather than "nothing unusual"
    assert sentences(summary)[-1] == "trends and anomalies were looked for in the 2 largest series only"
    assert summarize(regular({"sick": incident()})).unexamined == 0


def test_an_incident_is_told_in_words_that_add_up() -> None:
    (one,) = summarize(regular({"a": incident()}), unit="s").shown
    assert one.anomaly_detected is True
    assert one.anomaly_at == "2026-11-22T16:30:00Z"
    assert one.anomaly_reason == "up to 2.51 s for 59 min, 6.3× the usual 400 ms, still going on"


def test_a_drop_and_a_spike_are_told() -> None:
    values = np.random.default_rng(8).normal(40, 1, 240)
    values[100:130] = 2
    (drop,) = summarize(regular({"a": values}), unit="{request}/s").shown
    assert drop.anomaly_reason == "down to 2 request/s for 29 min, usual 40 request/s"
    values = np.random.default_rng(8).normal(40, 1, 240)
    values[100] = 400
    (spike,) = summarize(regular({"a": values})).shown
    assert spike.anomaly_reason == "a spike to 400, 10× the usual 40"
    (dip,) = summarize(regular({"a": 80 - values})).shown
    assert dip.anomaly_reason == "a drop to −320, usual 40"


def test_too_few_points_are_not_judged() -> None:
    (one,) = summarize(regular({"a": [1.0] * 11})).shown
    assert (one.trend, one.anomaly_detected, one.anomaly_reason) == ("unknown", None, "fewer than 12 points")
    (two,) = summarize(regular({"a": [1.0] * 11 + [NAN] * 9})).shown
    assert two.anomaly_detected is None


def test_a_constant_series_is_steady() -> None:
    (one,) = summarize(regular({"a": [5.0] * 60})).shown
    assert (one.trend, one.anomaly_detected, one.trend_since) == ("steady", False, "")


def test_a_raw_counter_says_so() -> None:
    rising = np.arange(240.0) ** 2
    rising[200:] -= rising[200]  # the process began anew
    frame = regular([({"__name__": "http_requests_total"}, rising)])
    (one,) = summarize(frame).shown
    assert one.anomaly_detected is None
    assert one.anomaly_reason == "a counter, which only rises: ask for its rate()"
    falling = regular([({"__name__": "queue_total"}, np.random.default_rng(0).normal(9, 1, 60))])
    assert summarize(falling).shown[0].anomaly_detected is False


def test_a_trend_says_since_when() -> None:
    values = np.random.default_rng(3).normal(10, 0.2, 240)
    values[130:] += np.linspace(0, 5, 110)
    (one,) = summarize(regular({"a": values})).shown
    assert one.trend == "rising"
    assert "2026-11-22T15:3" <= one.trend_since <= "2026-11-22T16:0"


def test_irregular_and_unsorted_rows_are_put_in_order() -> None:
    frame = regular({"a": incident()})
    shuffled = frame.sample(frac=1, random_state=1)
    assert summarize(shuffled, unit="s").shown == summarize(frame, unit="s").shown


def test_native_histograms_count_with_their_mean() -> None:
    rows = [{"count": 10.0, "sum": 10.0 * value, "buckets": []} for value in range(1, 21)]
    times = np.arange(20) * 60 * 10**9
    frame = metrics_frame([{}], [20], times, np.full(20, NAN), pa.array(rows, type=HISTOGRAM_TYPE))
    summary = summarize(frame)
    assert (summary.shown[0].current, summary.overall.average) == (20.0, 10.5)


def test_nothing_and_no_numbers() -> None:
    summary = summarize(regular({}))
    assert (summary.series, summary.rows, summary.shown) == (0, 0, ())
    assert math.isnan(summary.overall.current)
    assert sentences(summary) == ["no series"]
    (one,) = summarize(regular({"a": [NAN, NAN]})).shown
    assert math.isnan(one.maximum)
    assert one.current_at == ""


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(arbitrary())
def test_any_frame_can_be_summarized_and_told(frame: pd.DataFrame) -> None:
    summary = summarize(frame, unit="By")
    assert repr(summarize(frame, unit="By")) == repr(summary)  # repr, because NaN does not equal itself
    for one in summary.shown:
        assert not math.isinf(one.average)
        assert one.minimum <= one.maximum or math.isnan(one.minimum)
    assert all("\n" not in sentence for sentence in sentences(summary, zone="Asia/Tokyo"))


def test_a_thousand_series_of_a_day_take_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    frame = regular({f"s{number}": rng.normal(10, 1, 1440) for number in range(1000)})
    assert least_seconds(lambda: summarize(frame), 2.5) < 2.5  # 0.65 s on an idle machine
