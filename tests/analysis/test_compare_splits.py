"""Which spans are slow or failing, and what tells them in the demo world."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.compare_worlds import noise, spans_with, where
from support.demo_spans import demo_spans

from obs_magics import demo
from obs_magics.analysis.compare import DEFINING, compare, compare_summary, split_spans
from obs_magics.analysis.compare.numbers import cuts, is_identifier, number_text, plain_text, roundest, threshold
from obs_magics.model.errors import UsageError
from obs_magics.model.spans import empty_spans


def two_operations(rows: int = 2000) -> pd.DataFrame:
    """A report that takes seconds by nature, a get that takes milliseconds; both slower on a bad pod."""
    rng = np.random.default_rng(1)
    operation = rng.choice(["report", "get"], rows, p=[0.1, 0.9])
    bad = rng.random(rows) < 0.1
    lasted = np.where(operation == "report", 5000, 10) * rng.lognormal(0, 0.1, rows) * np.where(bad, 3, 1)
    frame = noise(rng, rows).assign(pod=np.where(bad, "bad", "good"))
    return spans_with(frame, operation=operation.tolist(), milliseconds=lasted)


def test_slow_is_slow_for_its_operation() -> None:
    frame = two_operations()
    mask, what = split_spans(frame)
    assert what == "spans slower than the 95th percentile of their operation"
    assert mask.index.equals(frame.index)
    for _, part in frame.groupby("operation", observed=True):
        slow = part["duration"] > part["duration"].quantile(0.95)
        assert mask[part.index].tolist() == slow.tolist()
    table = compare(frame[mask], frame[~mask], ignore=DEFINING["duration"])
    assert table["attribute"].tolist() == ["pod"]
    assert compare_summary(table, selected="slow spans")[0].startswith("slow spans: 100 % have pod=bad, against ")


def test_slow_by_a_threshold_is_compared_within_the_operation() -> None:
    frame = two_operations()
    mask, what = split_spans(frame, threshold=pd.Timedelta("5s"))
    assert what == "spans of at least 5 s"
    assert mask.tolist() == (frame["duration"] >= pd.Timedelta("5s")).tolist()
    assert compare(frame[mask], frame[~mask])["attribute"].tolist()[0] == "operation"
    inside = compare(frame[mask], frame[~mask], within=("service", "operation"))
    assert inside["attribute"].tolist() == ["pod"]


def test_few_spans_of_an_operation_have_no_slowest() -> None:
    frame = spans_with(pd.DataFrame({"k": ["v"] * 30}), operation=["a"] * 19 + ["b"] * 11, milliseconds=np.arange(30.0))
    mask, what = split_spans(frame)
    assert not mask.any()
    assert what.endswith("of their operation (not looked at: 30 spans of operations with fewer than 20)")
    assert not split_spans(empty_spans())[0].any()
    assert split_spans(empty_spans(), "error")[0].tolist() == []


def test_failing_is_status_error() -> None:
    rng = np.random.default_rng(2)
    failed = rng.random(400) < 0.1
    attributes = pd.DataFrame({"version": np.where(where(rng, failed, 0.9, 0.1), "v2", "v1"), "error": failed})
    frame = spans_with(attributes, failed=failed)
    mask, what = split_spans(frame, "error")
    assert what == "failing spans"
    assert mask.tolist() == failed.tolist()
    assert compare(frame[mask], frame[~mask])["attribute"].tolist() == ["error", "version"]
    assert compare(frame[mask], frame[~mask], ignore=DEFINING["error"])["attribute"].tolist() == ["version"]


def test_wrong_splits_are_refused() -> None:
    frame = two_operations(10)
    with pytest.raises(UsageError, match="by 'pod'"):
        split_spans(frame, "pod")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="of durations"):
        split_spans(frame, "error", threshold=pd.Timedelta("1s"))
    for wrong in (pd.Timedelta("-1s"), pd.NaT, "soon"):
        with pytest.raises(UsageError, match="is no duration"):
            split_spans(frame, threshold=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("below", "number", "expected"),
    [
        (1987654, 2000013, 2e6),
        (0.4, 0.41, 0.41),
        (-2.53, -2.48, -2.5),
        (-2.5, -1.0, -1.0),
        (-1.0, 0.0, 0.0),
        (1e-9, 3e-9, 3e-9),
        (9, 9.5, 9.5),
    ],
)
def test_thresholds_are_round(below: float, number: float, expected: float) -> None:
    assert roundest(below, number) == pytest.approx(expected)


NUMBERS = st.floats(-1e15, 1e15, allow_subnormal=False)


@given(NUMBERS, NUMBERS | st.just(None))
def test_thresholds_part_the_same_rows(number: float, below: float | None) -> None:
    low = np.nextafter(number, -np.inf) if below is None or below >= number else below
    found = roundest(float(low), number)
    assert low < found <= number
    assert float(plain_text(found)) == found
    assert len(plain_text(found)) <= 30
    assert low < threshold("payload.size", float(low), number) <= number


def test_thresholds_are_round_in_their_unit_and_read_back() -> None:
    assert threshold("payload.size", 1.9 * 2**20, 2.2 * 2**20) == 2 * 2**20
    assert threshold("n", 5.0, np.nextafter(5.0, 6.0)) == np.nextafter(5.0, 6.0)
    assert number_text(2 * 2**20, "payload.size") == "2 MiB"
    assert number_text(1500, "wait_ms") == "1.5 s"
    assert (number_text(12000, "n"), number_text(0.25, "n"), plain_text(0.25)) == ("12,000", "0.25", "0.25")
    assert not len(cuts(np.array([1.0]), np.array([3.0])))
    assert is_identifier("userId")
    assert not is_identifier("grid")


@pytest.fixture(scope="module")
def world() -> pd.DataFrame:
    return demo_spans(demo.open())


def between(frame: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    low, high = (pd.Timestamp(f"2026-11-22 {clock}", tz="UTC") for clock in (start, end))
    return frame[(frame["start"] >= low) & (frame["start"] < high)]


def test_the_failing_payments_of_the_demo_world_wait_for_the_pool(world: pd.DataFrame) -> None:
    part = between(world, "14:15", "14:40")
    part = part[part["service"] == "payment-api"]
    mask, _ = split_spans(part, "error")
    table = compare(part[mask], part[~mask], ignore=DEFINING["error"])
    told = dict(zip(table["attribute"], table["value"], strict=True))
    assert told["http.response.status_code"] == "503"
    assert told["operation"] == "redis.pool.acquire"
    worst = between(part, "14:23", "14:28")
    told_worst = compare(worst[mask[worst.index]], worst[~mask[worst.index]], ignore=DEFINING["error"])
    assert "503" in set(told_worst["value"].dropna())
    assert "k8s.pod.name" not in told
    assert "service.version" not in told  # the deployment is innocent


def test_the_slow_checkouts_of_the_demo_world_are_slow_in_every_pod(world: pd.DataFrame) -> None:
    """The dropped index slows all pods alike: the operations on the way tell, nothing else does."""
    part = between(world, "12:40", "13:00")
    mask, _ = split_spans(part, threshold=pd.Timedelta("5s"))
    table = compare(part[mask], part[~mask])
    assert {"POST /api/checkout", "POST"} <= set(table["value"].dropna())
    inside = compare(part[mask], part[~mask], within=("service", "operation"))
    assert compare_summary(inside)[0] == "these rows: no attribute tells them apart from the others"
