"""Logs and spans as series: what is counted, and which counts are unusual."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.metrics_frames import SECOND, START, regular
from support.odd_frames import found, odd
from support.span_worlds import frame as spans_frame
from support.span_worlds import span

from obs_magics.analysis.anomaly import examine
from obs_magics.analysis.correlation import traffic_before
from obs_magics.analysis.counted import COUNT_UNITS, MOST_POINTS, counted_lines, counted_spans
from obs_magics.analysis.counted_anomalies import telling
from obs_magics.model.anomalies import anomalies_frame, empty_anomalies
from obs_magics.model.frames import check_metrics
from obs_magics.model.logs import LEVEL_DTYPE, empty_logs
from obs_magics.model.series import split_series
from obs_magics.model.spans import empty_spans

MINUTE = 60 * SECOND


def lines(seconds: list[float], *, level: str | None = "error", service: str | None = "a") -> pd.DataFrame:
    """Lines of one service at these seconds from the start."""
    times = pd.DatetimeIndex(START + (np.array(seconds) * SECOND).astype(np.int64), tz="UTC")
    return pd.DataFrame(
        {
            "timestamp": times,
            "level": pd.Categorical([level] * len(seconds), dtype=LEVEL_DTYPE),
            "service": pd.Categorical([service] * len(seconds)),
            "message": "m",
        }
    )


def series_of(frame: pd.DataFrame) -> dict[tuple[str, ...], list[float]]:
    return {(one.metric, *one.labels.values()): one.values.tolist() for one in split_series(frame)}


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lines_are_counted_by_service_and_level() -> None:
    both = pd.concat([lines([0, 5, 65]), lines([70], level=None, service=None)], ignore_index=True)
    both["level"] = both["level"].astype(LEVEL_DTYPE)
    both["service"] = both["service"].astype("category")
    counted = counted_lines(both, step_ns=MINUTE)
    check_metrics(counted)
    assert series_of(counted) == {("lines", "error", "a"): [2, 1], ("lines", "unknown"): [0, 1]}
    assert counted["timestamp"].iloc[0] == pd.Timestamp(START, tz="UTC").floor("min")
    assert set(counted["metric"]) <= set(COUNT_UNITS)


def test_a_stretch_in_which_lines_were_looked_for_counts_as_none() -> None:
    counted = counted_lines(lines([65]), span_ns=(START, START + 4 * MINUTE), step_ns=MINUTE)
    assert series_of(counted) == {("lines", "error", "a"): [0, 1, 0, 0]}


@pytest.mark.parametrize(("count", "length"), [(1, 10), (50, 3600), (5000, 3600), (20, 86400)])
def test_stretches_are_neither_too_many_nor_too_short(count: int, length: int) -> None:
    seconds = np.linspace(0, length, count).tolist()
    counted = counted_lines(lines(seconds))
    steps = np.diff(np.unique(counted["timestamp"].astype("int64")))
    assert len(steps) <= MOST_POINTS + 1
    assert not len(steps) or steps.min() >= 10 * SECOND
    assert counted["value"].sum() == count


def test_spans_are_counted_by_service() -> None:
    frame = spans_frame(
        span("a", None, 0, 2000, service="web", kind="server", status="error"),
        span("b", None, 61_000, 62_000, service="web", kind="server"),
        span("c", None, 0, 9000, service="db", kind="client"),
    )
    counted = counted_spans(frame, step_ns=MINUTE)
    check_metrics(counted)
    told = series_of(counted)
    assert told["requests", "web"] == [1, 1]
    assert told["errors", "web"] == [1, 0]
    assert told["duration_p95", "web"] == [2.0, 1.0]
    assert ("requests", "db") not in told  # a client's span is no request that was answered
    clients = counted_spans(frame.query("kind == 'client'").reset_index(drop=True), step_ns=MINUTE)
    assert series_of(clients)["requests", "db"] == [1]


def test_nothing_gives_an_empty_frame() -> None:
    for empty in (counted_lines(empty_logs()), counted_spans(empty_spans())):
        check_metrics(empty)
        assert empty.empty


# ── anomalies of counts ──────────────────────────────────────────────────────────────────────────────────────────────


def bursting(counts: list[float], *, level: str = "error") -> tuple[pd.DataFrame, pd.DataFrame]:
    counted = regular([({"__name__": "lines", "level": level, "service": "a"}, counts)])
    return counted, telling(examine(counted).events, counted)


def test_a_burst_of_what_never_comes_is_told_from_its_first_to_its_last_stretch() -> None:
    counts = [0.0] * 60
    counts[40:45] = [6, 7, 5, 8, 6]
    _, told = bursting(counts)
    (row,) = told.to_dict("records")
    assert (row["start"] - pd.Timestamp(START, tz="UTC")) == pd.Timedelta("40min")
    assert (row["end"] - pd.Timestamp(START, tz="UTC")) == pd.Timedelta("44min")
    assert row["kind"] in {"spike", "level_shift"}
    assert row["value"] == 8
    assert row["level"] == "error"
    assert list(told.columns) == [*found().columns, "level"]


def test_a_few_errors_are_no_burst() -> None:
    counts = [0.0] * 60
    counts[40] = 2
    assert bursting(counts)[1].empty
    assert bursting([0.0, 1.0] * 30)[1].empty
    assert bursting([0.0] * 60)[1].empty


def test_that_errors_stop_is_no_anomaly_and_that_lines_stop_is() -> None:
    rng = np.random.default_rng(4)
    counts = rng.poisson(40, 200).astype(float)
    counts[150:] = 0
    assert bursting(counts.tolist())[1].empty
    (row,) = bursting(counts.tolist(), level="info")[1].to_dict("records")
    assert row["kind"] in {"silence", "drop", "level_shift"}


def test_what_is_no_count_stays() -> None:
    counted = regular([({"__name__": "duration_p95", "service": "a"}, [1.0] * 40)])
    events = anomalies_frame([odd("duration_p95", (3, 4), "spike", (9, 0, 1), "low", metric="duration_p95")])
    named = events.assign(series='duration_p95{service="a"}')
    pd.testing.assert_frame_equal(telling(named, counted), named)
    assert telling(empty_anomalies(), counted).empty


@settings(max_examples=30)
@given(st.lists(st.integers(0, 6), min_size=24, max_size=80), st.integers(0, 2**32 - 1))
def test_noise_is_told_next_to_never(values: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(np.mean(values), len(values)).astype(float).tolist()
    _, told = bursting(counts)
    assert len(told) <= 1
    again = bursting(counts)[1]
    pd.testing.assert_frame_equal(told, again)


def test_bursts_before_the_judged_time_are_not_told() -> None:
    counts = [0.0] * 60
    counts[10:14] = [9, 9, 9, 9]
    counted = regular([({"__name__": "errors", "service": "a"}, counts)])
    assert len(telling(empty_anomalies(), counted)) == 1
    assert telling(empty_anomalies(), counted, since_ns=START + 30 * MINUTE).empty


# ── traffic ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_change_of_traffic_of_the_same_service_is_told_before_the_others() -> None:
    told = traffic_before(found())
    assert dict(zip(told["anomaly"], told["time_offset"].dt.total_seconds() / 60, strict=True)) == {
        "latency_p99": -1,
        "error_rate": -9,
        "cpu_usage": -26,
    }
    assert set(told["event_type"]) == {"traffic"}
    assert told["event"].iloc[0] == "more than usual, 1.3 times the normal"
    assert told["confidence"].is_monotonic_decreasing
    assert told["confidence"].between(0.2, 0.5).all()


def test_without_traffic_or_without_a_service_nothing_is_told() -> None:
    assert traffic_before(found().query("metric != 'throughput'")).empty
    assert traffic_before(found().assign(service=pd.Categorical([None] * 4))).empty
    assert traffic_before(empty_anomalies()).empty
    late = found().assign(start=found()["start"].where(found()["metric"] != "throughput", found()["end"]))
    assert traffic_before(late).empty
    less = found().assign(value=0.0)
    assert traffic_before(less)["event"].iloc[0] == "less than usual, 0 times the normal"
