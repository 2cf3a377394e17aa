"""Every operator, function and type of TraceQL on a small trace, with answers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from obs_magics.local.traceql.buckets import quantiles
from obs_magics.local.traceql.evaluate import search
from obs_magics.local.traceql.metrics import numbers
from obs_magics.model.errors import QueryError
from obs_magics.syntax.traceql import parse
from tests.support.traceql_worlds import BASE, MS, Row, store_of

SECOND = 1_000 * MS
# 1 gateway ─ 2 checkout ─ 4 inventory ─ 6 db
#           └ 3 payment (failed)  └ 5 cache     7: its parent is not there; trace 2: two roots
STORE = store_of(
    Row(1, None, service="gateway", name="POST /checkout", kind="server", start=0, duration=100 * MS,
        attributes={"http.status_code": 500, "retry": False}, resource={"pod": "g-1", "zone": "a"}, message="broken"),
    Row(2, 1, service="checkout", name="pay", kind="client", start=1 * MS, duration=90 * MS,
        attributes={"http.status_code": 200, "zone": "b"}, links=[(2, 1)]),
    Row(3, 1, service="payment", name="charge", status="error", start=2 * MS, duration=10 * MS,
        attributes={"http.status_code": "500", "codes": [1, 5], "names": ["x", "y"]},
        events=[("exception", 3 * MS, {"exception.type": "Timeout"}), ("retry", 5 * MS, {})]),
    Row(4, 2, service="inventory", name="SELECT", start=3 * MS, duration=50 * MS,
        attributes={"ratio": 0.5, "rows": 2**53 + 1}, scope={"otel.scope.name": "sql", "otel.scope.version": "1.2"}),
    Row(5, 2, service="inventory", name="GET", start=4 * MS, duration=1 * MS, status="ok",
        attributes={"empty": [], "mixed": [1, "a"]}),
    Row(6, 4, service="db", name="SELECT", kind="producer", start=5 * MS, duration=40 * MS),
    Row(7, 99, service="late", name="lost", kind=None, start=6 * MS, duration=1 * MS),
    Row(1, None, trace=2, service="gateway", name="GET /", kind="server", start=60 * SECOND, duration=3),
    Row(2, None, trace=2, service="cron", name="tick", start=61 * SECOND, duration=2 * SECOND),
)  # fmt: skip


def found(text: str) -> list[int]:
    """The spans that a query finds: their numbers, those of the second trace from 21 on."""
    columns = STORE.columns
    ids = zip(columns.trace_id.to_pylist(), columns.span_id.to_pylist(), strict=True)
    spans = [int(span, 16) + (20 if int(trace, 16) == 2 else 0) for trace, span in ids]
    rows = search(parse(text), text, STORE, np.ones(STORE.traces, bool)).spans.tolist()
    return sorted(spans[row] for row in rows)


ALL = [1, 2, 3, 4, 5, 6, 7, 21, 22]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ }", ALL),
        ("{ true }", ALL),
        ("{ false }", []),
        # types do not match across each other; a scope is looked at alone
        ("{ span.http.status_code = 500 }", [1]),
        ('{ span.http.status_code = "500" }', [3]),
        ("{ .http.status_code != 500 }", [2]),
        ("{ .http.status_code >= 200 }", [1, 2]),
        ("{ .retry }", []),
        ("{ !.retry }", [1]),
        ("{ .retry = false || .ratio > 0.4 }", [1, 4]),
        ("{ .rows = 9007199254740993 }", [4]),
        ("{ .rows = 9007199254740992 }", []),
        ("{ .ratio = 0.5 && .ratio * 2 = 1 }", [4]),
        ("{ .http.status_code / 100 = 5 }", [1]),
        ("{ .http.status_code % 300 = 200 }", [1, 2]),
        ("{ .http.status_code / 0 = 1 }", []),
        ("{ 2 ^ 3 = 8 && .ratio != nil }", [4]),
        ("{ -.http.status_code < -300 }", [1]),
        ('{ .zone = "a" }', [1]),
        ('{ .zone = "b" }', [2]),
        ('{ resource.zone = "b" }', []),
        ('{ resource.pod =~ "g-." }', [1]),
        ('{ resource.pod =~ "g" }', []),
        ('{ resource.pod !~ "x" }', [1]),
        ('{ name > "SELECS" && name < "b" }', [4, 6]),
        ('{ "SELECT" = name }', [4, 6]),
        ("{ .http.status_code = nil }", [4, 5, 6, 7, 21, 22]),
        ("{ .http.status_code != nil }", [1, 2, 3]),
        ("{ nil != .ratio }", [4]),
        ("{ .pod = .zone }", []),
        ("{ nil = nil }", ALL),
        # arrays: one element fulfils a condition, all of them where they have to differ
        ("{ .codes = 5 }", [3]),
        ("{ .codes != 5 }", []),
        ("{ .codes != 7 }", [3]),
        ("{ 4 < .codes }", [3]),
        ('{ .names =~ "[xy]" && .names !~ "z" }', [3]),
        ('{ .codes = "5" }', []),
        ("{ .empty != 1 }", []),
        ("{ .empty != nil }", []),
        ("{ .mixed != nil }", []),
        # events and links: any of them
        ('{ event:name = "retry" }', [3]),
        ('{ event:name != "retry" }', [3]),
        ("{ event:timeSinceStart > 4ms }", [3]),
        ('{ event.exception.type = "Timeout" }', [3]),
        ('{ .exception.type = "Timeout" }', [3]),
        ('{ link:traceID = "2" }', [2]),
        ('{ link:spanID = "0000000000000001" }', [2]),
        ("{ link.x = 1 }", []),
        # intrinsics
        ("{ duration > 50ms }", [1, 2, 22]),
        ("{ duration = 3ns }", [21]),
        ("{ duration > 50000000 }", [1, 2, 22]),
        ("{ status = error }", [3]),
        ("{ status != unset }", [3, 5]),
        ("{ kind = server }", [1, 21]),
        ("{ kind = unspecified }", [7]),
        ('{ statusMessage = "broken" }', [1]),
        ('{ instrumentation:name = "sql" && instrumentation:version = "1.2" }', [4]),
        ('{ instrumentation.otel.scope.name = "sql" }', [4]),
        ('{ rootName = "POST /checkout" && rootServiceName = "gateway" }', [1, 2, 3, 4, 5, 6, 7]),
        ("{ traceDuration > 1s }", [21, 22]),
        ("{ traceDuration = 100ms }", [1, 2, 3, 4, 5, 6, 7]),
        ('{ trace:id = "2" }', [21, 22]),
        ('{ trace:id =~ "0+2" }', [21, 22]),
        ('{ span:id = "0000000000000006" || span:parentID = "4" }', [6]),
        ('{ span:parentID = "" }', [1, 21, 22]),
        ("{ span:childCount = 2 }", [1, 2]),
        ("{ nestedSetParent < 0 }", [1, 21, 22]),
        ("{ nestedSetParent = 0 }", [7]),
        ("{ nestedSetLeft = 1 }", [1, 21]),
        ("{ nestedSetRight = 12 }", [1]),
        # texts of two names
        ("{ rootName = name }", [1, 21]),
        ("{ name > rootName }", [2, 3, 4, 6, 7, 22]),
        ("{ name = statusMessage }", []),
        # structure
        ('{ name = "POST /checkout" } > { }', [2, 3]),
        ('{ name = "POST /checkout" } >> { }', [2, 3, 4, 5, 6]),
        ("{ } < { status = error }", []),
        ("{ status = error } < { }", [1]),
        ('{ resource.service.name = "db" } << { }', [1, 2, 4]),
        ("{ status = error } ~ { }", [2]),
        ("{ } ~ { }", [2, 3, 4, 5, 21, 22]),
        ('{ name = "pay" } !> { }', [1, 2, 3, 6, 7, 21, 22]),
        ('{ name = "pay" } !>> { duration > 1ms }', [1, 2, 3, 22]),
        ("{ status = error } !< { }", [2, 3, 4, 5, 6, 7, 21, 22]),
        ('{ name = "lost" } !<< { kind = server }', [1, 21]),
        ("{ } !~ { }", [1, 6, 7]),
        ('{ name = "pay" } &> { }', [2, 4, 5]),
        ('{ name = "pay" } &>> { }', [2, 4, 5, 6]),
        ("{ status = error } &< { }", [1, 3]),
        ('{ resource.service.name = "db" } &<< { name = "pay" }', [2, 6]),
        ("{ status = error } &~ { }", [2, 3]),
        ("{ status = error } && { kind = server }", [1, 3]),
        ("{ status = error } && { name = `tick` }", []),
        ("{ status = error } || { name = `tick` }", [3, 22]),
        ("{ name = `pay` } > { name = `SELECT` } > { }", [6]),
        ("{ kind = server } >> ({ status = error } || { status = ok })", [3, 5]),
        # pipelines
        ("{ } | { status = error }", [3]),
        ("{ kind = server } | select(span.zone)", [1, 21]),
        ("{ } | count() > 2", [1, 2, 3, 4, 5, 6, 7]),
        ("{ } | count() = 2", [21, 22]),
        ("{ } | avg(duration) > 1s", [21, 22]),
        ("{ } | max(span.http.status_code) = 500", [1, 2, 3, 4, 5, 6, 7]),
        ("{ } | min(.rows) = 9007199254740993", [1, 2, 3, 4, 5, 6, 7]),
        ("{ } | sum(duration) = 292ms", [1, 2, 3, 4, 5, 6, 7]),
        ("{ } | min(.ratio) < 1", [1, 2, 3, 4, 5, 6, 7]),
        ("{ } | max(.nothing) < 1", []),
        ("{ } | by(resource.service.name) | count() > 1", [4, 5]),
        ("{ } | by(resource.service.name) | count() > 1 | coalesce()", [4, 5]),
        ("{ } | by(kind) | { status = ok } | count() = 1", [5]),
        ("{ } | by(kind) | coalesce() | count() > 6", [1, 2, 3, 4, 5, 6, 7]),
        ("{ } | by(.nothing) | count() > 6", [1, 2, 3, 4, 5, 6, 7]),
        ("({ status = error } | count() = 1) && ({ kind = server })", [1, 3]),
        ("({ } | by(kind) | coalesce()) > ({ status = error })", [3]),
        ("count() = 2", [21, 22]),
        ("by(name) | count() = 2", [4, 6]),
        ("select(.a)", ALL),
    ],
)
def test_searches(text: str, expected: list[int]) -> None:
    assert found(text) == expected


def test_several_sets_of_a_trace_do_not_stand_to_each_other() -> None:
    with pytest.raises(QueryError, match="multiple spansets per trace") as caught:
        found("({ } | by(kind)) > ({ status = error })")
    assert "coalesce()" in caught.value.hint
    assert caught.value.query.startswith("({ }")


def test_spans_without_events_and_links_and_odd_values() -> None:
    store = store_of(
        Row(1, attributes={"huge": 2**70, "names": ["x", "y"], "nested": {"a": 1}, "nothing": None}),
        Row(2, 1, attributes={"huge": -(2**70)}, resource={"names": ["z"]}),
    )

    def spans(text: str) -> list[int]:
        return search(parse(text), text, store, np.ones(1, bool)).spans.tolist()

    assert spans('{ event:name = "x" || event.a != nil || link:spanID = "1" }') == []
    assert spans("{ .huge = maxInt }") == [0]
    assert spans("{ .huge < 0 }") == [1]
    assert spans("{ .nested != nil || .nothing != nil }") == []
    assert spans('{ .names != "x" }') == [1]
    assert spans('{ .names =~ "x|z" } | by(.names) | count() = 1') == [0, 1]


def points(text: str, *, minutes: tuple[float, float] = (0, 2), step: int = 60) -> dict[Any, list[float]]:
    """Values by labels, `nan` where there is none."""
    start, end = (BASE + round(minute * 60) * SECOND for minute in minutes)
    series = numbers(parse(text), text, STORE, start_ns=start, end_ns=end, step_ns=step * SECOND)
    return {
        tuple(sorted(labels.items())): row for labels, row in zip(series.labels, series.values.tolist(), strict=True)
    }


def name(text: str) -> tuple[tuple[str, str], ...]:
    """The labels of a function without groups."""
    return (("__name__", text),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a point stands for the step before it: of the span at 10:00:00 sharp the point at 10:00 tells
        ("{ } | count_over_time()", {name("count_over_time"): [1, 7, 1]}),
        ("{ } | rate()", {name("rate"): [1 / 60, 7 / 60, 1 / 60]}),
        ("{ status = error } | count_over_time() by (name)", {(("name", "charge"),): [0, 1, 0]}),
        (
            "{ .http.status_code != nil } | count_over_time() by (span.http.status_code)",
            {(("span.http.status_code", "200"),): [0, 1, 0], (("span.http.status_code", "500"),): [1, 1, 0]},
        ),
        (
            "{ } | count_over_time() by (status, .retry)",
            {
                ((".retry", "false"), ("status", "unset")): [1, 0, 0],
                ((".retry", "nil"), ("status", "error")): [0, 1, 0],
                ((".retry", "nil"), ("status", "ok")): [0, 1, 0],
                ((".retry", "nil"), ("status", "unset")): [0, 5, 1],
            },
        ),
        ("{ } | sum_over_time(span.http.status_code)", {name("sum_over_time"): [500, 200, math.nan]}),
        ("{ } | max_over_time(duration)", {name("max_over_time"): [0.1, 0.09, 2]}),
        ("{ } | min_over_time(duration)", {name("min_over_time"): [0.1, 3e-9, 2]}),
        ("{ trace:id = `1` } | avg_over_time(duration)", {name("avg_over_time"): [0.1, 0.032, math.nan]}),
        (
            "{ kind = server } | histogram_over_time(duration)",
            {(("__bucket", "0.134217728"),): [1, 0, 0], (("__bucket", "4e-09"),): [0, 1, 0]},
        ),
        ("{ kind = server } | quantile_over_time(duration, 1)", {(("p", "1"),): [0.134217728, 4e-9, 0]}),
        ("{ kind = server } | quantile_over_time(duration, 1, 1) | topk(1)", {(("p", "1"),): [0.134217728, 4e-9, 0]}),
        ("{ } | rate() > 0.1", {name("rate"): [math.nan, 7 / 60, math.nan]}),
        ("{ } | count_over_time() by (kind) | topk(1)", {
            (("kind", "server"),): [1, math.nan, math.nan], (("kind", "internal"),): [math.nan, 3, 1],
            (("kind", "client"),): [math.nan] * 3, (("kind", "producer"),): [math.nan] * 3,
            (("kind", "unspecified"),): [math.nan] * 3,
        }),
        ("{ } | sum_over_time(duration) by (kind) | bottomk(1)", {
            (("kind", "server"),): [0.1, 3e-9, math.nan], (("kind", "internal"),): [math.nan, math.nan, 2],
            (("kind", "client"),): [math.nan] * 3, (("kind", "producer"),): [math.nan] * 3,
            (("kind", "unspecified"),): [math.nan] * 3,
        }),
        (
            "100 * ({ status = error } | count_over_time()) / ({ } | count_over_time())",
            {name("count_over_time"): [0, 100 / 7, 0]},
        ),
        ("({ status = error } | rate()) / ({ kind = server } | rate())", {name("rate"): [0, 1, math.nan]}),
        ("({ } | rate() by (name)) + ({ } | rate() by (kind))", {}),
        ("({ } | count_over_time()) - 1 > 0", {name("count_over_time"): [math.nan, 6, math.nan]}),
        ("{ name = `nobody` } | rate()", {}),
        ("{ } | quantile_over_time(.nothing, .5)", {}),
        ("{ } | histogram_over_time(.nothing)", {}),
    ],
)  # fmt: skip
def test_numbers(text: str, expected: dict[Any, list[float]]) -> None:
    got = points(text)
    assert got.keys() == expected.keys()
    for labels, values in expected.items():
        assert got[labels] == pytest.approx(values, nan_ok=True)


def test_labels_of_every_type() -> None:
    labels = points("{ } | count_over_time() by (duration, .ratio, nestedSetLeft)")
    texts = {dict(one)["duration"]: dict(one) for one in labels}
    assert texts["0.05s"] == {"duration": "0.05s", ".ratio": "0.5", "nestedSetLeft": "3"}


def test_the_points_of_a_range_that_lies_across_steps() -> None:
    assert points("{ } | count_over_time()", minutes=(0.5, 1.5)) == {name("count_over_time"): [1, 7, 1]}
    assert points("{ } | count_over_time()", minutes=(1.5, 1.9)) == {name("count_over_time"): [7, 1]}


def test_too_many_numbers() -> None:
    with pytest.raises(QueryError, match="points a series"):
        numbers(parse("{ } | rate()"), "{ } | rate()", STORE, start_ns=BASE, end_ns=BASE + 10**9, step_ns=1)
    text = "{ } | rate() by (name)"
    with pytest.raises(QueryError, match="8 series of 10,000,001 points"):
        numbers(parse(text), text, STORE, start_ns=BASE, end_ns=BASE + 100 * SECOND, step_ns=10_000)


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.75, 1])
def test_quantiles_between_powers_of_two(share: float) -> None:
    got = quantiles(share, np.array([[2, 0, 2], [0, 0, 0]]), np.array([4.0, 8.0, 16.0]))
    by_hand = {0: 2 * 2**0.5, 0.25: 2 * 2**0.5, 0.5: 4, 0.75: 4 * 4**0.5, 1: 16}[share]
    assert got.tolist() == pytest.approx([by_hand, 0])
