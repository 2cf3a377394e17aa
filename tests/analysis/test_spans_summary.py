"""What a spans frame says in numbers, and what is advised."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from support.span_worlds import BASE, frame, hex_id, span, worlds

from obs_magics.analysis.spans import advise_traces, summarize_traces, trace_table
from obs_magics.model.spans import empty_spans
from obs_magics.model.trace_summary import Bottleneck, SlowStep, TraceSummary


def shop(
    *, query: str | None = "SELECT * FROM t WHERE k = 1", status: str = "unset", message: str | None = None
) -> pd.DataFrame:
    """web 0–1000 → stock 100–900 → its database 150–850."""
    return frame(
        span("1", None, 0, 1000, service="web", kind="server", status=status),
        span("2", "1", 100, 900, service="stock", kind="server", status=status),
        span(
            "3", "2", 150, 850, service="stock", kind="client", status=status, message=message, operation="get rows",
            attributes={"db.statement": query} if query else None,
        ),
    )  # fmt: skip


def test_the_summary_names_the_bottleneck_and_its_query() -> None:
    found = summarize_traces(shop(status="error", message="no rows"))
    assert (found.traces, found.spans, found.services, found.errors, found.failed) == (1, 3, 2, 3, 1)
    assert found.total == found.median == found.p95 == found.longest == timedelta(seconds=1)
    assert found.slowest == hex_id("1", 32)
    assert found.bottleneck == Bottleneck(
        service="stock",
        share=pytest.approx(0.8),
        critical=timedelta(milliseconds=800),
        step=SlowStep(
            kind="query",
            text="SELECT * FROM t WHERE k = <*>",
            share=pytest.approx(0.7),
            calls=1,
            average=timedelta(milliseconds=700),
            p95=timedelta(milliseconds=700),
        ),
        since=None,
        example=hex_id("1", 32),
    )
    assert found.origin is not None
    assert (found.origin.service, found.origin.message, found.origin.share) == ("stock", "no rows", 1.0)
    assert found.faults == ()
    assert found.notes == ()


def test_without_a_query_the_operation_is_named() -> None:
    step = summarize_traces(shop(query=None)).bottleneck.step  # type: ignore[union-attr]
    assert step is not None
    assert (step.kind, step.text) == ("operation", "get rows")


def test_a_query_that_takes_next_to_nothing_is_not_named() -> None:
    data = frame(
        span("1", None, 0, 1000, service="web", operation="GET /"),
        span("2", "1", 5, 10, service="web", kind="client", attributes={"db.statement": "SELECT 1"}),
    )
    step = summarize_traces(data).bottleneck.step  # type: ignore[union-attr]
    assert step is not None
    assert (step.kind, step.text) == ("operation", "GET /")


def test_nothing_has_no_bottleneck() -> None:
    found = summarize_traces(empty_spans())
    assert (found.traces, found.slowest, found.bottleneck, found.origin) == (0, "", None, None)
    assert found.longest == timedelta(0)
    assert summarize_traces(frame(span("1", None, 5, 5))).bottleneck is None


def test_what_was_broken_is_said() -> None:
    one = summarize_traces(frame(span("a"), span("b", "dead", 1), span("a", start=2), span("c", "c", 3)))
    assert one.notes == (
        "1 span has a parent that is not here: it stands as a root",
        "1 span is its own ancestor: it stands as a root",
        "1 span has the id of another of its trace",
    )
    two = summarize_traces(frame(span("a", "dead"), span("b", "dead", 1)))
    assert two.notes == ("2 spans have parents that are not here: they stand as roots",)


def test_faults_are_told_with_where_to_look() -> None:
    calls = [
        span(f"{n + 2:x}", "1", n * 2050, n * 2050 + 2001, kind="client", operation="GET /x", status="error")
        for n in range(6)
    ]
    found = summarize_traces(frame(span("1", None, 0, 13000), *calls))
    assert [one.kind for one in found.faults] == ["timeouts", "retries", "n_plus_one"]
    assert [one.count for one in found.faults] == [6, 5, 6]
    assert found.faults[0].timeout == timedelta(seconds=2)
    assert {one.parent_id for one in found.faults} == {hex_id("1", 16)}


def test_a_summary_is_plain_json() -> None:
    data = shop()
    plain = summarize_traces(data).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["bottleneck"]["step"]["average"] == 0.7
    dated = Bottleneck(
        service="x", share=1, critical=timedelta(1), step=None, since=datetime(2026, 1, 1, tzinfo=UTC), example=""
    )
    summary = TraceSummary(
        traces=1, spans=1, services=1, errors=0, failed=0, total=timedelta(0), median=timedelta(0), p95=timedelta(0),
        longest=timedelta(0), slowest="", bottleneck=dated, notes=("x",),
    )  # fmt: skip
    assert summary.to_dict()["bottleneck"]["since"] == "2026-01-01T00:00:00+00:00"
    assert summary.to_dict()["notes"] == ["x"]


def test_traces_are_a_table() -> None:
    data = frame(
        span("a", None, 0, 10, service="web", operation="GET /"),
        span("b", "a", 5, 30, service="db", status="error"),
        span("c", "dead", 40, 50, service=None),
        span("d", trace="2", start=100, end=101),
    )
    found = trace_table(data)
    assert found.drop(columns=["trace_id", "start"]).to_numpy().tolist() == [
        ["web", "GET /", pd.Timedelta(50, "ms"), pd.Timedelta(20, "ms"), 3, 2, 1, 2],
        ["shop", "d", pd.Timedelta(1, "ms"), pd.Timedelta(1, "ms"), 1, 1, 0, 1],
    ]
    assert found["start"][0].value == BASE
    assert trace_table(empty_spans()).empty


def keys(data: pd.DataFrame) -> list[str]:
    return [one.key for one in advise_traces(data, limit=9)]


def test_advice_fits_what_was_found() -> None:
    assert keys(shop())[:2] == ["missing_index", "cache"]
    assert "missing_index" not in keys(shop(query="SELECT version()"))
    assert "slow_write" in keys(shop(query="INSERT INTO t SELECT 1"))
    assert keys(shop(query="INSERT INTO t SELECT a FROM u WHERE b = 1"))[0] == "slow_write"
    assert keys(shop(query="UPDATE t SET a = 1 WHERE b = 2"))[:2] == ["missing_index", "slow_write"]
    assert keys(shop(query=None)) == ["outside"]
    assert "pool_wait" in keys(shop(status="error", message="connection pool exhausted"))
    assert "error_origin" in keys(shop(status="error", message="no"))
    assert keys(empty_spans()) == []


def test_a_call_that_nobody_answers_is_no_slow_code() -> None:
    data = frame(
        span("1", None, 0, 5100, service="web", operation="GET /"),
        span("2", "1", 10, 5050, service="web", kind="client", operation="POST tax", status="error"),
    )
    found = advise_traces(data, limit=9)
    assert [one.key for one in found] == ["error_origin", "outside"]
    assert found[1].about == "POST tax of web"
    answered = frame(
        span("1", None, 0, 5100, service="web", operation="GET /"),
        span("2", "1", 10, 5050, service="web", kind="client", operation="POST tax"),
        span("3", "2", 20, 30, service="tax", operation="POST /tax"),
    )
    assert keys(answered) == ["slow_code"]


def test_waiting_for_a_pool_is_told_from_its_span() -> None:
    data = frame(span("1", None, 0, 100), span("2", "1", 0, 95, operation="redis.pool.acquire"))
    found = advise_traces(data)
    assert found[0].key == "pool_wait"
    assert "redis.pool.acquire" in found[0].text


def test_loops_timeouts_retries_and_fan_out_have_advice() -> None:
    calls = [
        span(f"{n + 2:x}", "1", n * 2050, n * 2050 + 2001, kind="client", operation="GET /x", status="error")
        for n in range(24)
    ]
    found = advise_traces(frame(span("1", None, 0, 50_000), *calls), limit=9)
    assert [one.key for one in found][:3] == ["n_plus_one", "timeout", "retries"]
    assert "fan_out" in {one.key for one in found}
    assert "GET /x of shop after 2 s" in found[1].text
    assert len(advise_traces(frame(span("1", None, 0, 50_000), *calls))) == 3


@settings(max_examples=20)
@given(worlds(rings=True))
def test_every_number_can_be_recounted(data: pd.DataFrame) -> None:
    found = summarize_traces(data)
    table = trace_table(data)
    assert found.longest == table["duration"].max().to_pytimedelta()
    assert found.slowest == table["trace_id"][table["duration"].argmax()]
    assert (found.bottleneck is None) == (found.total == timedelta(0))
    assert found.errors == (data["status"] == "error").sum()
    json.dumps(found.to_dict())
