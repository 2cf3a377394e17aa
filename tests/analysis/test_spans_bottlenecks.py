"""Bottlenecks by service, operation and query, and since when."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.span_worlds import BASE, MS, frame, span, worlds

from obs_magics.analysis.spans import arrival, bottlenecks, critical_time, self_time, span_tree
from obs_magics.analysis.spans.bottlenecks import quantiles
from obs_magics.analysis.spans.onset import rise
from obs_magics.model.spans import empty_spans

MINUTE = 60_000  # ms
SQL = {"db.query.text": "SELECT 1 FROM t WHERE id = 7"}


def trace(number: int, start: float, query: float, *, status: str = "unset") -> list[dict[str, object]]:
    """shop 0–20+query → shop client 5–15+query → stock server 6–14+query → stock query of so many ms from 8."""
    name = f"{number + 1:x}"
    ends = [(0, 20), (5, 15), (6, 14), (8, 8)]
    shapes = [("shop", "server"), ("shop", "client"), ("stock", "server"), ("stock", "client")]
    parents = [None, "1", "2", "3"]
    return [
        span(
            f"{at + 1}", parents[at], start + low, start + high + query, trace=name, service=service, kind=kind,
            status=status if at == 2 else "unset", operation=("GET /", "GET stock", "GET /stock", "select")[at],
            attributes=SQL if at == 3 else None,
        )
        for at, ((low, high), (service, kind)) in enumerate(zip(ends, shapes, strict=True))
    ]  # fmt: skip


def series(minutes: list[float], *, each: int = 4) -> pd.DataFrame:
    """Some traces a minute, whose query takes so many milliseconds."""
    spans = [
        trace(minute * each + number, minute * MINUTE + number * 10_000, query + number)
        for minute, query in enumerate(minutes)
        for number in range(each)
    ]
    return frame(*itertools.chain.from_iterable(spans))


def test_services_share_the_time_on_the_critical_path() -> None:
    data = frame(*trace(0, 0, 80), *trace(1, 1000, 280, status="error"))
    found = bottlenecks(data).set_index("service")
    assert list(found.index) == ["stock", "shop"]
    assert found["critical"].tolist() == [pd.Timedelta(8 * 2 + 360, "ms"), pd.Timedelta(12 * 2, "ms")]
    assert found["share"].tolist() == pytest.approx([376 / 400, 24 / 400])
    assert found["calls"].tolist() == [2, 2]
    assert found["average"].tolist() == [pd.Timedelta(188, "ms"), pd.Timedelta(200, "ms")]
    assert found["p95"].tolist() == [pd.Timedelta(278, "ms"), pd.Timedelta(290, "ms")]
    assert found["errors"].tolist() == [1, 0]
    assert found["example"].tolist() == [data["trace_id"][4], data["trace_id"][0]]
    assert found["since"].isna().all()


def test_operations_and_queries_name_their_service() -> None:
    data = frame(*trace(0, 0, 80), *trace(1, 1000, 280))
    by_operation = bottlenecks(data, "operation")
    assert by_operation[["service", "operation"]].iloc[0].tolist() == ["stock", "select"]
    assert len(by_operation) == 4
    by_query = bottlenecks(data, "query")
    assert by_query[["service", "query", "calls"]].to_numpy().tolist() == [
        ["stock", "SELECT <*> FROM t WHERE id = <*>", 2]
    ]
    assert by_query["share"].tolist() == pytest.approx([360 / 400])
    assert by_query["self_time"].tolist() == [pd.Timedelta(360, "ms")]


def test_no_queries_and_no_spans_make_empty_tables() -> None:
    for data, by in ((frame(span("a")), "query"), (empty_spans(), "service"), (empty_spans(), "query")):
        found = bottlenecks(data, by)  # type: ignore[arg-type]
        assert found.empty
        assert {str(found[name].dtype) for name in ("critical", "average", "p95")} == {"timedelta64[ns]"}
        assert str(found["since"].dtype) == "datetime64[ns, UTC]"


def test_spans_without_a_service_or_length_are_a_group() -> None:
    found = bottlenecks(frame(span("a", None, 0, 0, service=None)))
    assert found["service"].isna().tolist() == [True]
    assert found["share"].tolist() == [0.0]


def test_a_step_is_dated_to_its_minute() -> None:
    data = series([10] * 12 + [900] * 10)
    found = bottlenecks(data, "query")["since"][0]
    assert found == pd.Timestamp(BASE, tz="UTC") + pd.Timedelta(12, "min")


def test_a_stretch_that_is_over_is_dated_too() -> None:
    found = bottlenecks(series([10] * 12 + [900] * 8 + [10] * 30), "query")["since"][0]
    assert found == pd.Timestamp(BASE, tz="UTC") + pd.Timedelta(12, "min")


def test_longer_time_dates_where_the_share_hardly_changes() -> None:
    found = bottlenecks(series([2_000] * 12 + [9_000] * 10), "query")["since"][0]
    assert found == pd.Timestamp(BASE, tz="UTC") + pd.Timedelta(12, "min")


@pytest.mark.parametrize(
    "minutes",
    [
        pytest.param([10] * 30, id="steady"),
        pytest.param([900] * 20, id="always slow"),
        pytest.param([900] * 12 + [10] * 12, id="better"),
        pytest.param([10, 10, 900, 10], id="too short to tell"),
        pytest.param([10] * 20 + [900] + [10] * 20, id="a spike"),
    ],
)
def test_what_did_not_change_for_long_is_not_dated(minutes: list[float]) -> None:
    assert bottlenecks(series(minutes), "query")["since"].isna().all()


def test_slow_traces_alone_are_dated_by_when_they_come() -> None:
    data = series([900] * 10)
    begun = pd.Timestamp(BASE, tz="UTC")
    assert bottlenecks(data, start=begun - pd.Timedelta(1, "h"))["since"][0] == begun
    assert pd.isna(bottlenecks(data, start=begun)["since"][0])
    assert pd.isna(bottlenecks(data.iloc[:12], start=begun - pd.Timedelta(1, "h"))["since"][0])


def test_arrivals_before_the_range_date_nothing() -> None:
    times = BASE + np.arange(50) * 1_000 * MS
    assert arrival(times, BASE + 10 * MS) is None
    assert arrival(np.full(9, BASE), BASE) is None


def test_traffic_that_rises_dates_nothing() -> None:
    quiet, busy = np.arange(600) * 1_000, 600_000 + np.arange(1_800) * 333
    assert arrival(BASE + np.concatenate([quiet, busy]) * MS, BASE) is None
    rare = np.array([100_000, 400_000])
    assert arrival(BASE + np.concatenate([rare, busy]) * MS, BASE) == BASE + 600_000 * MS


@given(st.lists(st.tuples(st.integers(0, 3 * 3_600), st.floats(0, 1)), max_size=60))
def test_nothing_is_dated_outside_of_what_was_seen(seen: list[tuple[int, float]]) -> None:
    times = np.array([BASE + second * 1_000 * MS for second, _ in seen], dtype=np.int64)
    shares = np.array([share for _, share in seen])
    for found in (rise(times, shares, shares * 1e9), arrival(times, BASE - 60_000 * MS)):
        assert found is None or times.min() // (MINUTE * MS) * MINUTE * MS <= found <= times.max()


@settings(max_examples=40)
@given(worlds())
def test_every_instant_is_counted_once(data: pd.DataFrame) -> None:
    tree = span_tree(data)
    for by in ("service", "operation"):
        found = bottlenecks(data, by, tree=tree)  # type: ignore[arg-type]
        assert found["critical"].sum() == critical_time(data, tree=tree).sum()
        assert found["self_time"].sum() == self_time(data, tree=tree).sum()
        assert found["critical"].is_monotonic_decreasing


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 10**12)), max_size=40), st.floats(0, 1))
def test_quantiles_are_those_of_numpy(pairs: list[tuple[int, int]], share: float) -> None:
    codes = np.array([code for code, _ in pairs], dtype=np.int64)
    values = np.array([value for _, value in pairs], dtype=np.int64)
    for code, found in enumerate(pd.Series(quantiles(codes, values, share, 6))):
        own = values[codes == code]
        if len(own):
            assert found.value == pytest.approx(np.quantile(own, share), abs=2)
        else:
            assert pd.isna(found)
