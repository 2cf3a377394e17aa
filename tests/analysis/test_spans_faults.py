"""Loops of calls, fan-out, retries and timeouts."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from support.span_worlds import frame, hex_id, span, worlds

from obs_magics.analysis.spans import fan_out, n_plus_one, retries, timeouts
from obs_magics.model.spans import empty_spans


def loop(
    count: int, *, trace: str = "1", step: float = 10, kind: str = "client", length: float = 8
) -> list[dict[str, object]]:
    """A span that asks for so many rows, one query each."""
    rows = [
        span(
            f"{n + 2:x}", "1", n * step, n * step + length, trace=trace, kind=kind,
            attributes={"db.statement": f"SELECT * FROM t WHERE id = {n}"},
        )
        for n in range(count)
    ]  # fmt: skip
    return [span("1", None, 0, count * step, trace=trace, operation="GET /list", kind="server"), *rows]


def test_one_query_for_each_row_is_found() -> None:
    data = frame(*loop(7), *loop(12, trace="2"), *loop(4, trace="3"))
    found = n_plus_one(data)
    assert found.to_dict("records") == [
        {
            "service": "shop",
            "parent": "GET /list",
            "what": "SELECT * FROM t WHERE id = <*>",
            "count": 12,
            "traces": 2,
            "time": pd.Timedelta(19 * 8, "ms"),
            "trace_id": hex_id("2", 32),
            "parent_id": hex_id("1", 16),
        }
    ]
    assert len(n_plus_one(data, at_least=20)) == 0
    assert len(n_plus_one(frame(*loop(7, kind="internal")))) == 1


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param(loop(9, step=0.1, length=50), id="all at once"),
        pytest.param([{**one, "kind": "internal", "attributes": None} for one in loop(9)], id="not calls"),
        pytest.param(loop(4), id="few"),
    ],
)
def test_what_is_no_loop_of_calls_is_not_found(spans: list[dict[str, object]]) -> None:
    assert n_plus_one(frame(*spans)).empty


def test_wide_spans_are_found_with_what_runs_at_once() -> None:
    data = frame(*loop(30, step=1, length=2.5), *loop(25, trace="2", step=10, length=10))
    found = fan_out(data)
    assert found[["service", "operation", "count", "parallel", "traces"]].to_numpy().tolist() == [
        ["shop", "GET /list", 30, 3, 2]
    ]
    assert found["trace_id"].tolist() == [hex_id("1", 32)]
    assert fan_out(frame(*loop(25, step=10, length=10)))["parallel"].tolist() == [1]
    assert fan_out(data, at_least=31).empty


def attempts(*outcomes: str, trace: str = "1", pause: float = 5) -> list[dict[str, object]]:
    """A parent that calls one operation, one attempt after the other."""
    calls = [
        span(
            f"{n + 2:x}",
            "1",
            n * (10 + pause),
            n * (10 + pause) + 10,
            trace=trace,
            kind="client",
            operation="POST /pay",
            status=one,
        )
        for n, one in enumerate(outcomes)
    ]
    return [span("1", None, 0, 100, trace=trace, operation="checkout"), *calls]


def test_calls_repeated_after_they_failed_are_retries() -> None:
    data = frame(
        *attempts("error", "error", "ok"),
        *attempts("error", "error", trace="2"),
        *attempts("ok", "ok", "error", trace="3"),
    )
    found = retries(data)
    assert found.to_dict("records") == [
        {
            "service": "shop",
            "parent": "checkout",
            "what": "POST /pay",
            "count": 3,
            "most": 2,
            "succeeded": 0.5,
            "traces": 2,
            "time": pd.Timedelta(30, "ms"),
            "trace_id": hex_id("1", 32),
            "parent_id": hex_id("1", 16),
        }
    ]


def test_failures_beside_each_other_are_no_retries() -> None:
    assert retries(frame(*attempts("error", "error", pause=-8))).empty


def waits(
    seconds: float, count: int, *, status: str = "error", operation: str = "GET /slow"
) -> list[dict[str, object]]:
    """Calls that last so long, each a trace below a parent that lasts a little longer."""
    spans = []
    for n in range(count):
        trace, end = f"{operation.encode().hex()[-6:]}{n:x}", seconds * 1000 + n
        spans += [
            span("1", None, 0, end + 3, trace=trace, operation="root", service="web"),
            span("2", "1", 0, end, trace=trace, kind="client", operation=operation, status=status),
        ]
    return spans


def test_calls_that_fail_after_a_round_time_are_timeouts() -> None:
    data = frame(*waits(30, 4), *waits(2, 3, operation="GET /two"), *waits(2.6, 9, operation="GET /odd"))
    found = timeouts(data)
    assert found[["service", "operation", "timeout", "count", "errors", "traces"]].to_numpy().tolist() == [
        ["shop", "GET /slow", pd.Timedelta(30, "s"), 4, 4, 4],
        ["shop", "GET /two", pd.Timedelta(2, "s"), 3, 3, 3],
    ]
    assert found["span_id"].tolist() == [hex_id("2", 16)] * 2
    assert found["parent_id"].tolist() == [hex_id("1", 16)] * 2


def test_calls_that_do_not_fail_have_to_stand_close() -> None:
    assert len(timeouts(frame(*waits(5, 8, status="ok")))) == 1
    spread = [one for n in range(40) for one in waits(4.2 + n * 0.04, 1, status="ok", operation=f"GET /{n % 1}")]
    for n, one in enumerate(spread):
        one["trace"] = f"{n // 2 + 1:x}"
    assert timeouts(frame(*spread)).empty
    assert timeouts(frame(*waits(5, 2))).empty


def test_nothing_repeats_in_nothing() -> None:
    for finder in (n_plus_one, fan_out, retries, timeouts):
        found = finder(empty_spans())
        assert found.empty
        assert {"service", "count", "traces", "trace_id", "parent_id"} <= set(found.columns)


@settings(max_examples=30)
@given(worlds(rings=True))
def test_counts_can_be_recounted(data: pd.DataFrame) -> None:
    parents = data.groupby(["trace_id", "parent_id"]).size()
    for row in fan_out(data, at_least=2).to_dict("records"):
        assert 1 <= row["parallel"] <= row["count"]
    for row in n_plus_one(data, at_least=2).to_dict("records"):
        assert row["count"] <= parents[(row["trace_id"], row["parent_id"])]
    for row in retries(data).to_dict("records"):
        assert row["most"] < parents[(row["trace_id"], row["parent_id"])]
        assert row["most"] <= row["count"]
        assert 0 <= row["succeeded"] <= 1
