"""Where failing traces fail first."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from support.span_worlds import BASE, frame, rows_of, span, worlds

from obs_magics.analysis.spans import error_origins, span_tree
from obs_magics.analysis.spans.errors import origin_rows
from obs_magics.model.spans import empty_spans


def test_the_deepest_failing_span_is_the_origin() -> None:
    data = frame(
        span("a", status="error", message="500"),
        span("b", "a", 1, status="error", message="503"),
        span("c", "b", 2, status="error", message="pool exhausted", service="pay", operation="acquire"),
        span("d", "c", 3),
        span("e", "a", 4),
    )
    found = error_origins(data)
    assert list(found.columns) == [
        "service", "operation", "message", "traces", "share", "first", "last", "example", "span_id",
    ]  # fmt: skip
    assert found.iloc[0][["service", "operation", "message", "traces", "share"]].tolist() == [
        "pay", "acquire", "pool exhausted", 1, 1.0,
    ]  # fmt: skip
    assert found["span_id"].tolist() == [data["span_id"][rows_of(data)["acquire"]]]


def test_what_failed_and_was_caught_is_not_the_origin() -> None:
    data = frame(
        span("a", status="error"),
        span("b", "a", 1),
        span("c", "b", 2, status="error"),
        span("d", "c", 3, status="error", operation="caught"),
        span("e", "a", 4, status="error", operation="not caught"),
    )
    assert error_origins(data)["operation"].tolist() == ["not caught"]


def test_of_two_failures_the_deeper_then_the_first_counts() -> None:
    data = frame(
        span("a", status="error"),
        span("b", "a", 1, status="error", operation="x"),
        span("c", "a", 2, status="error"),
        span("d", "c", 3, status="error", operation="deep"),
        span("e", "c", 4, status="error", operation="later"),
    )
    assert error_origins(data)["operation"].tolist() == ["deep"]


def test_origins_are_counted_over_traces_and_values_are_masked() -> None:
    spans = [
        span(
            "a",
            trace=f"{n}",
            start=n,
            status="error",
            message=f"timeout after {n * 7} ms for order {n}",
            operation="get",
        )
        for n in range(1, 6)
    ]
    found = error_origins(
        frame(*spans, span("a", trace="8", status="error", start=50, operation="put"), span("b", trace="9"))
    )
    assert found["traces"].tolist() == [5, 1]
    assert found["share"].tolist() == [5 / 6, 1 / 6]
    assert found["message"].tolist() == ["timeout after <*> ms for order <*>", ""]
    assert (found["first"][0].value - BASE, found["last"][0].value - BASE) == (1_000_000, 5_000_000)
    assert found["example"][0].endswith("1")


def test_a_span_that_says_nothing_speaks_by_its_exception_or_code() -> None:
    instant = pd.Timestamp(BASE, tz="UTC")
    events = [
        {"timestamp": instant, "name": "log", "attributes": [("x", "y")]},
        {"timestamp": instant, "name": "exception", "attributes": [("exception.message", "broken pipe")]},
        {"timestamp": instant, "name": "exception", "attributes": [("exception.message", "second")]},
    ]
    data = frame(
        span("1", trace="1", status="error", operation="a", events=events, message=""),
        span("1", trace="2", status="error", operation="b", attributes={"http.status_code": "503"}),
        span("1", trace="3", status="error", operation="c", attributes={"rpc.grpc.status_code": "14"}),
        span("1", trace="4", status="error", operation="d", attributes={"error.type": "KeyError"}),
    )
    found = error_origins(data).set_index("operation")["message"].to_dict()
    assert found["a"] == "broken pipe"
    assert found["b"] == "HTTP 503"
    assert found["c"] == "gRPC 14"
    assert found["d"] == "KeyError"


def test_nothing_failed() -> None:
    for data in (frame(span("a")), empty_spans()):
        found = error_origins(data)
        assert found.empty
        assert str(found["first"].dtype) == "datetime64[ns, UTC]"


@settings(max_examples=40)
@given(worlds(rings=True))
def test_every_failing_trace_has_one_origin_without_failing_children(data: pd.DataFrame) -> None:
    tree = span_tree(data)
    failed = (data["status"] == "error").to_numpy()
    rows = origin_rows(data, tree)
    assert sorted(tree.trace[rows]) == sorted(set(tree.trace[failed]))
    for row in rows:
        assert failed[row]
        assert not failed[tree.children_of(row)].any()
    assert error_origins(data, tree=tree)["traces"].sum() == len(rows)
