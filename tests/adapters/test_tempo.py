"""Tempo as a source: what is sent, what comes of it, and what is said when something is missing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.patience import eventually_async
from support.servers import nobody
from support.sockets import Asked, Step, answer, hang, serving
from support.tempo_api import END, START, FakeTempo, question, source_at, span, trace_body

from obs_magics.adapters import ADAPTERS
from obs_magics.adapters.tempo import ADAPTER, TempoSettings
from obs_magics.adapters.tempo.search import between, written
from obs_magics.model.errors import (
    AuthError,
    BadAnswer,
    LimitExceeded,
    ObsError,
    QueryError,
    RateLimited,
    SourceTimeout,
    SourceUnavailable,
    UsageError,
)
from obs_magics.model.frames import check_metrics
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import Answer, MetricsSource, Progress, TracesSource
from obs_magics.model.spans import check_spans
from obs_magics.model.time import MILLISECOND, SECOND, TimeRange
from obs_magics.syntax.traceql import is_metrics, parse

A, B, C = "000000000000000000000000000000aa", "00bb" * 8, "cc" * 16
NEWEST = " with (most_recent=true)"


def three() -> dict[str, list[dict[str, Any]]]:
    return {
        A: [span(A, 1, service="api"), span(A, 2, service="db", name="SELECT")],
        B: [span(B, 1, service="api", failed=True, start=START + SECOND)],
        C: [span(C, 1, service="web", start=START + 2 * SECOND)],
    }


def text(words: str, status: int = 400) -> Step:
    return answer(words, status=status, kind="text/plain; charset=utf-8")


async def ask(step: Step, query: str = "{ }", **settings: object) -> Answer:
    async with serving(step) as stage, source_at(stage.url, timeout="60s", **settings) as source:
        return await source.traces(question(query))


async def test_a_search_gives_whole_traces() -> None:
    steps: list[Progress] = []
    tempo = FakeTempo(three())
    async with tempo.source() as (source, _):
        assert isinstance(source, TracesSource)
        assert isinstance(source, MetricsSource)
        assert source.now_ns() is None
        found = await source.traces(question("{ span.a = 1 }"), steps.append)
    check_spans(found.frame)
    assert found.frame["trace_id"].tolist() == [A, A, B, C]
    assert found.native_query == "{ span.a = 1 }" + NEWEST
    assert (found.failed, found.truncated, found.warnings, found.link) == ((), "", (), "")
    assert steps[0].note == "searching"
    assert [(step.done, step.total) for step in steps[1:]] == [(1, 3), (2, 3), (3, 3)]
    assert steps[-1].rows == 4
    assert tempo.searches() == [
        {"q": found.native_query, "start": "1795356000", "end": "1795359600", "limit": "20", "spss": "1"}
    ]


@pytest.mark.parametrize(
    ("typed", "conditions", "sent"),
    [
        ("", {}, "{ }" + NEWEST),
        ("{ a } with (most_recent=false)", {}, "{ a } with (most_recent=false)"),
        ("{ .a = 1 } // why", {}, "{ .a = 1 } // why\nwith (most_recent=true)"),
        ("{ this is none", {}, "{ this is none"),
        ("", {"service": "api"}, '{ resource.service.name = "api" }' + NEWEST),
        (
            "",
            {"service": "api", "operation": "GET /", "status": "error", "min_duration_ns": SECOND,
             "max_duration_ns": 2 * SECOND},
            '{ resource.service.name = "api" && span:name = "GET /" && span:status = error && span:duration >= 1s'
            " && span:duration <= 2s }" + NEWEST,
        ),
        ("{ .a = 1 }", {"service": "api"}, '{ .a = 1 } && { resource.service.name = "api" }' + NEWEST),
        ("{ .a = 1 }", {"trace_ids": (A,)}, f'{{ .a = 1 }} && {{ trace:id = "{A}" || trace:id = "aa" }}' + NEWEST),
        (
            "{ .a = 1 } | rate()",
            {"service": "api", "trace_ids": (C,)},
            f'{{ .a = 1 && (trace:id = "{C}" && resource.service.name = "api") }} | rate()',
        ),
    ],
)  # fmt: skip
def test_what_is_sent(typed: str, conditions: dict[str, Any], sent: str) -> None:
    found = written(question(typed, **conditions), newest=True)
    if "trace_ids" in conditions:
        assert parse(found.text) == parse(sent)
    else:
        assert found.text == sent
    assert written(question(typed, **conditions), newest=False).text == found.bare


def test_what_our_grammar_does_not_know_is_not_changed() -> None:
    found = written(question("{ } | median_over_time(duration)"), newest=True)
    assert (found.text, found.numbers, found.tree) == ("{ } | median_over_time(duration)", True, None)
    assert not written(question("{ } | frobnicate()"), newest=True).numbers
    with pytest.raises(QueryError):
        written(question("{ } | frobnicate()", service="api"), newest=True)


@given(st.integers(0, 2**61), st.integers(0, 10**15))
def test_bounds_are_whole_seconds_around_the_range(start: int, length: int) -> None:
    (_, low), (_, high) = between(TimeRange(start, start + length))
    assert int(low) * SECOND <= start < (int(low) + 1) * SECOND
    assert start + length <= int(high) * SECOND < start + length + 2 * SECOND
    assert int(low) < int(high)


async def test_without_failed_spans() -> None:
    tempo = FakeTempo(three())
    async with tempo.source() as (source, _):
        found = await source.traces(question(status="ok", limit=1))
        bad = await source.traces(question(status="ok", service="api"))
    assert found.frame["trace_id"].unique().tolist() == [C]
    assert "1 of 3 traces that came have a span that failed" in found.warnings[0]
    assert found.truncated == "the newest 1 of 2 traces that were found (--limit)"
    assert tempo.searches()[0]["limit"] == "5"
    assert bad.frame["trace_id"].unique().tolist() == [A]  # C has no span of the service
    async with FakeTempo({B: three()[B]}).source() as (source, _):
        none = await source.traces(question(status="ok"))
    assert none.empty_reason == "1 traces came, but all of them have a span that failed"


async def test_a_limit_that_is_reached_is_said() -> None:
    async with FakeTempo(three()).source() as (source, _):
        found = await source.traces(question(limit=2))
    assert found.truncated == "the newest 2 traces that the server found; there may be more (--limit)"
    async with FakeTempo(three()).source(most_recent=False) as (source, _):
        found = await source.traces(question(limit=2))
    assert found.truncated.startswith("the first 2 traces")


async def test_a_server_that_does_not_know_the_hint() -> None:
    def old_grammar(path: str, params: Mapping[str, str]) -> Step | None:
        at = params.get("q", "").find("with")
        return text(f"invalid TraceQL query: parse error at line 1, col {at + 1}: syntax error: unexpected with") \
            if at > 0 else None  # fmt: skip

    tempo = FakeTempo(three(), problem=old_grammar)
    async with tempo.source() as (source, _):
        for _ in range(2):
            found = await source.traces(question("{ .a = 1 }"))
            assert found.native_query == "{ .a = 1 }"
    assert [params["q"] for params in tempo.searches()] == ["{ .a = 1 }" + NEWEST, "{ .a = 1 }", "{ .a = 1 }"]


async def test_ids_are_looked_up_without_a_search() -> None:
    tempo = FakeTempo(three())
    async with tempo.source() as (source, _):
        found = await source.traces(question(trace_ids=(A, "dd" * 16)))
        narrow = await source.traces(question(trace_ids=(A, B), service="db"))
        nothing = await source.traces(question(trace_ids=(B,), status="ok"))
        lost = await source.traces(question(trace_ids=tuple(f"{number:032x}" for number in range(1, 8))))
        with pytest.raises(QueryError, match="zzz is no id of a trace"):
            await source.traces(question(trace_ids=("zzz",)))
    assert found.frame["trace_id"].tolist() == [A, A]
    assert found.warnings == (f"the server knows no trace {'dd' * 16}",)
    assert found.native_query == f"trace {A}\ntrace {'dd' * 16}"
    assert narrow.frame["trace_id"].unique().tolist() == [A]
    assert nothing.empty_reason == "the trace is there, but does not fulfil the other conditions"
    assert lost.empty_reason.count(",") == 6
    assert "and 2 more" in lost.empty_reason
    assert not tempo.searches()
    assert all(not params for _, params in tempo.asked)


async def test_ids_in_the_range_alone_where_the_settings_say_so() -> None:
    tempo = FakeTempo(three())
    async with tempo.source(lookup_in_range=True) as (source, _):
        await source.traces(question(trace_ids=(A,)))
    assert tempo.asked == [(f"/api/v2/traces/{A}", {"start": "1795356000", "end": "1795359600"})]


async def test_an_old_server_has_one_api_for_traces_and_values() -> None:
    tempo = FakeTempo(three(), values={"service.name": ["web", "api"]}, old=True)
    async with tempo.source() as (source, _):
        found = await source.traces(question())
        lost = await source.traces(question(trace_ids=("dd" * 16,)))
        assert await source.trace_catalog.services() == ["api", "web"]
    assert found.frame["trace_id"].tolist() == [A, A, B, C]
    assert "knows no trace" in lost.empty_reason
    lookups = [path for path, _ in tempo.asked if "/traces/" in path]
    assert lookups[-1].startswith("/api/traces/")
    assert sum(path.startswith("/api/v2/traces/") for path in lookups) <= 3  # those that began at once


async def test_single_traces_that_fail_are_named_and_the_others_kept() -> None:
    tempo = FakeTempo(
        three(),
        problem=lambda path, _: text("trace exceeds max size (max bytes: 5000000)", 422) if path.endswith(B) else None,
    )
    async with tempo.source() as (source, stage):
        found = await source.traces(question())
        assert len([one for one in stage.asked if one.target.endswith(B)]) == 1
    assert found.frame["trace_id"].tolist() == [A, A, C]
    assert found.failed == (
        f"trace {B}: the server refused (422): trace exceeds max size (max bytes: 5000000)",
    )  # fmt: skip
    assert found.empty_reason == ""


async def test_a_trace_that_the_search_found_and_the_server_lost() -> None:
    tempo = FakeTempo(
        three(), problem=lambda path, _: answer('{"trace":{},"metrics":{}}') if path.endswith(B) else None
    )
    async with tempo.source() as (source, _):
        found = await source.traces(question())
    assert found.failed == (f"trace {B}: the search found it, but the server does not give it",)
    assert found.frame["trace_id"].nunique() == 2


async def test_a_server_that_fails_again_and_again_is_left_alone() -> None:
    many = {f"{number:032x}": [span(f"{number:032x}")] for number in range(1, 31)}
    tempo = FakeTempo(
        many, problem=lambda path, _: text("boom", 500) if "/traces/" in path and not path.endswith("1e") else None
    )
    async with tempo.source() as (source, _):
        with pytest.raises(SourceUnavailable, match="boom"):
            await source.traces(question(limit=30))
    assert len([path for path, _ in tempo.asked if "/traces/" in path]) <= 9
    good = f"{1:032x}"
    tempo = FakeTempo(
        many, problem=lambda path, _: text("boom", 500) if "/traces/" in path and good not in path else None
    )
    async with tempo.source() as (source, _):
        found = await source.traces(question(limit=30))
    assert found.frame["trace_id"].tolist() == [good]
    assert found.failed[-1].endswith("more traces were not asked for after 5 failures") or len(found.failed) > 6


async def test_partial_answers_say_what_is_missing() -> None:
    partial = trace_body(three()[A], status="PARTIAL", message="trace exceeds max size")
    tempo = FakeTempo(three(), problem=lambda path, _: answer(partial) if path.endswith(A) else None)
    async with tempo.source() as (source, _):
        found = await source.traces(question())
    assert found.warnings == (f"trace {A}: trace exceeds max size",)
    silent = trace_body(three()[A], status=1)
    async with serving(answer(silent)) as stage, source_at(stage.url) as source:
        found = await source.traces(question(trace_ids=(A,)))
    assert found.warnings == (f"trace {A}: the server gives a part of it only",)
    hits = json.dumps({"traces": [{"traceID": "?"}], "metrics": {}, "message": "one querier did not answer"})
    tempo = FakeTempo({}, problem=lambda path, _: answer(hits) if path == "/api/search" else None)
    async with tempo.source() as (source, _):
        found = await source.traces(question())
    assert found.warnings == ("one querier did not answer", "1 found traces have ids that make no sense: left out")


async def test_cancelling_stops_the_work() -> None:
    tempo = FakeTempo(three(), problem=lambda path, _: hang if "/traces/" in path else None)
    async with tempo.source() as (source, stage):
        task = asyncio.create_task(source.traces(question()))
        await eventually_async(lambda: stage.open >= 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await stage.all_gone()


async def test_five_at_a_time() -> None:
    many = {f"{number:032x}": [span(f"{number:032x}")] for number in range(1, 21)}
    slow = FakeTempo(many)
    asked: list[str] = []

    def wait(path: str, _params: Mapping[str, str]) -> Step | None:
        if "/traces/" not in path:
            return None
        asked.append(path)

        async def step(request: Asked, writer: Any) -> None:
            await eventually_async(lambda: len(asked) >= 5)  # nobody is answered before five have asked
            await answer(trace_body(many[path.rpartition("/")[2]]))(request, writer)

        return step

    slow.problem = wait
    async with slow.source() as (source, stage):
        found = await source.traces(question())
        assert found.frame["trace_id"].nunique() == 20
        assert stage.most_at_once == 5


VALUES = {
    "resource.service.name": ["api", "checkout-api", "web"],
    'name { resource.service.name = "api" }': ["GET /", "POST /"],
    "name": ["GET /", "POST /", "SELECT"],
}


@pytest.mark.parametrize(
    ("query", "conditions", "says"),
    [
        ("", {"service": "chekout-api"}, "there is no service chekout-api in this range; did you mean checkout-api?"),
        ('{ resource.service.name = "zzzzz" }', {}, "there are api, checkout-api, web"),
        ('{ "zzzzz" = .service.name } >> { .a = 1 }', {}, "there is no service zzzzz"),
        ("", {"service": "api", "operation": "GET"}, "api has no operation GET"),
        ('{ name = "SELEC" }', {}, "no service has an operation SELEC; did you mean SELECT?"),
        ("", {"service": "api", "operation": "POST /"}, "no trace fulfils all of the query"),
        ("{ .a = 1 && duration > 5s }", {}, "there are spans in this range, but no trace"),
        ('{ span.a = "x" && status = ok }', {}, "there are spans in this range, but no trace"),
        ("{ } | rate()", {"service": "nope"}, "there is no service nope"),
        ("{ } | unknown()", {}, ""),
    ],
)
async def test_an_empty_answer_says_why(query: str, conditions: dict[str, Any], says: str) -> None:
    empty = FakeTempo(
        {}, values=VALUES, problem=lambda path, _: answer('{"series":[]}') if path.startswith("/api/metrics") else None
    )
    async with empty.source() as (source, _):
        found = await source.traces(question(query, **conditions))
    assert says in found.empty_reason
    assert bool(says) == bool(found.empty_reason)
    assert len(found.frame) == 0


async def test_an_empty_range_and_a_catalog_that_fails() -> None:
    async with FakeTempo({}).source() as (source, _):
        found = await source.traces(question())
    assert found.empty_reason.startswith("there are no spans in this range")
    async with FakeTempo({}, problem=lambda path, _: text("boom", 500) if "/tag/" in path else None).source() as (
        source,
        _,
    ):
        found = await source.traces(question())
    assert found.empty_reason == ""
    async with FakeTempo({}, values={"resource.service.name": [f"s{n:02}" for n in range(12)]}).source() as (source, _):
        found = await source.traces(question(service="zzzz"))
    assert found.empty_reason.endswith("s07 and 4 more")


async def test_the_catalog_is_asked_once() -> None:
    tempo = FakeTempo({}, values=VALUES | {".http.route": ["/a"], 'span."a b"': ["x"], "span:kind": [2]})
    async with tempo.source() as (source, _):
        catalog = source.trace_catalog
        first, second = await asyncio.gather(catalog.services(), catalog.services())
        assert first == second == ["api", "checkout-api", "web"]
        assert await catalog.operations("api") == ["GET /", "POST /"]
        assert await catalog.operations() == ["GET /", "POST /", "SELECT"]
        assert await catalog.attribute_values("http.route") == ["/a"]
        assert await catalog.attribute_values("span.a b") == ["x"]
        assert await catalog.attribute_values("nothing") == []
    services = [params for path, params in tempo.asked if "service.name" in path]
    assert len(services) == 1
    assert int(services[0]["end"]) - int(services[0]["start"]) in {86_400, 86_401}


async def test_typed_values_and_scopes() -> None:
    bodies = {
        f"/api/v2/search/tag/{tag}/values": {
            "tagValues": values and [{"type": kind, "value": one} for kind, one in values]
        }
        for tag, values in {
            "status": [("int", "1"), ("int", "7")],
            "span:kind": [("int", 2), ("keyword", "x")],
            "span.cached": [("bool", True)],
            "span.none": None,
        }.items()
    }
    scopes = [{"name": "span", "tags": ["b", "a"]}, {"name": "intrinsic", "tags": ["name"]}]
    bodies["/api/v2/search/tags"] = {"scopes": scopes}
    tempo = FakeTempo({}, problem=lambda path, _: answer(json.dumps(bodies[path])) if path in bodies else None)
    async with tempo.source() as (source, _):
        catalog = source.trace_catalog
        assert await catalog.attribute_values("status") == ["7", "ok"]
        assert await catalog.attribute_values("span:kind") == ["client", "x"]
        assert await catalog.attribute_values("span.cached") == ["true"]
        assert await catalog.attribute_values("span.none") == []
        assert await catalog.attribute_names() == ["span.a", "span.b"]


async def test_names_of_an_old_server() -> None:
    def old(path: str, _params: Mapping[str, str]) -> Step | None:
        return answer('{"tagNames":["http.route","name","status"]}') if path == "/api/search/tags" else None

    async with FakeTempo({}, problem=old).source() as (source, _):
        assert await source.trace_catalog.attribute_names() == [".http.route"]


REFUSALS: list[tuple[str, int, type[ObsError], str]] = [
    ("no org id\n", 401, AuthError, "tenant"),
    ("multiple org IDs present", 400, AuthError, "one tenant at a time"),
    ("tenant ID 'a b' contains unsupported character ' '", 400, AuthError, "tenant:"),
    ("job queue full", 429, RateLimited, "ask again"),
    ("range specified by start and end exceeds 168h0m0s. received start=1 end=2", 400, LimitExceeded, "--last 168h"),
    ("range specified by start and end (25h0m0s) exceeds 24h0m0s. received start=1 end=2", 400, LimitExceeded, "24 h"),
    ("limit 500000 exceeds max limit 262144", 400, LimitExceeded, "--limit"),
    ("response larger than the max (5 vs 4)", 500, LimitExceeded, "narrow"),
    ("context deadline exceeded", 504, SourceTimeout, "narrow"),
    ("error finding ring: empty ring", 500, SourceUnavailable, "ask again later"),
    ("boom", 500, SourceUnavailable, "log"),
    ("bad gateway", 502, SourceUnavailable, "starting"),
    ("nobody knows what this is", 400, QueryError, "--dry-run"),
    ("invalid TraceQL query: binary operations must operate on the same type: `x = 1`", 400, QueryError, "one type"),
    ("not a metrics query", 400, QueryError, "rate()"),
    ("not a metrics query", 422, QueryError, "rate()"),
    ("", 400, QueryError, "look at the query"),
    ("forbidden", 403, AuthError, "auth"),
    ("404 page not found", 404, BadAnswer, "prefix"),
]


@pytest.mark.parametrize(("words", "status", "expected", "way_out"), REFUSALS)
async def test_refusals_and_the_way_out(words: str, status: int, expected: type[ObsError], way_out: str) -> None:
    with pytest.raises(expected) as caught:
        await ask(text(words, status))
    error = caught.value
    assert type(error) is expected
    assert way_out in error.hint
    assert error.where.startswith("tempo (http://127.0.0.1:")
    assert words.strip().removeprefix("invalid TraceQL query: ").split(" (")[0][:40] in str(error)


async def test_a_mistake_is_marked_in_what_was_typed() -> None:
    words = "invalid TraceQL query: parse error at line 2, col 5: syntax error: unexpected END_ATTRIBUTE, expecting }"
    with pytest.raises(QueryError) as caught:
        await ask(text(words), "{ # ä\n.a = }")
    assert (caught.value.query, caught.value.position) == ("{ # ä\n.a = }", 10)
    assert caught.value.words == words
    with pytest.raises(QueryError) as caught:
        await ask(text("invalid TraceQL query: parse error at line 1, col 4: syntax error: unexpected $end"), "{ }")
    assert caught.value.position == 3
    words = "invalid TraceQL query: parse error at line 1, col 3: bad"
    async with serving(text(words)) as stage, source_at(stage.url) as source:
        with pytest.raises(QueryError) as caught:
            await source.traces(question(service="api"))
    assert caught.value.query.startswith('{ resource.service.name = "api" }')
    assert caught.value.position == 2


async def test_what_is_no_answer_of_a_tempo() -> None:
    for body in ('{"status":"success","data":{}}', "[]", '{"traces": 5}', "{}{}"):
        with pytest.raises(BadAnswer):
            await ask(answer(body))
    with pytest.raises(BadAnswer, match="Sign in"):
        await ask(answer("<html><title>Sign in</title></html>", kind="text/html"))
    query = question(trace_ids=(A,))
    bodies = (
        '{"data":[]}',
        '{"trace":{"services":[]}}',
        '{"trace":5}',
        '{"trace":{"resourceSpans":5}}',
        "<html></html>",
    )
    for body in bodies:
        async with serving(answer(body)) as stage, source_at(stage.url) as source:
            with pytest.raises(BadAnswer):
                await source.traces(query)
    async with serving(text("404 page not found", 404)) as stage, source_at(stage.url) as source:
        with pytest.raises(BadAnswer, match="nothing there"):
            await source.traces(query)
    async with serving(answer("{}")) as stage, source_at(stage.url) as source:
        assert "knows no trace" in (await source.traces(query)).empty_reason
        for ask_it in (source.trace_catalog.services, source.trace_catalog.attribute_names):
            assert await ask_it() == []
    async with serving(answer('{"status":"success","data":["a"]}')) as stage, source_at(stage.url) as source:
        with pytest.raises(BadAnswer, match="tagValues"):
            await source.trace_catalog.services()


async def test_one_body_that_is_none_is_named_and_the_others_kept() -> None:
    bad = '{"trace":{"resourceSpans":[{"scopeSpans":5}]},"metrics":{}}'
    tempo = FakeTempo(three(), problem=lambda path, _: answer(bad) if path.endswith(B) else None)
    async with tempo.source() as (source, _):
        found = await source.traces(question())
    assert found.frame["trace_id"].tolist() == [A, A, C]
    assert len(found.failed) == 1
    assert found.failed[0].startswith(f"trace {B}: the answer does not have the shape of Tempo's API")


async def test_a_large_trace_in_a_form_for_people() -> None:
    spans = [span(A, number, name="x" * 1000) for number in range(1, 1001)]
    body = json.dumps(json.loads(trace_body(spans)), indent=1)
    tempo = FakeTempo(three(), problem=lambda path, _: answer(body) if path.endswith(A) else None)
    async with tempo.source() as (source, _):
        found = await source.traces(question())
    assert len(found.frame) == 1002


async def test_texts_that_are_none_are_read() -> None:
    body = trace_body([span(A, name="bad")]).replace('"bad"', '"\\ud800"').encode() + b" "
    async with serving(answer(body)) as stage, source_at(stage.url) as source:
        found = await source.traces(question(trace_ids=(A,)))
    assert found.frame["operation"].tolist() == ["�"]
    hits = b'{"traces":[{"traceID":"aa","rootTraceName":"\\ud800"}],"metrics":{},"message":"\\ud800"}'
    tempo = FakeTempo(three(), problem=lambda path, _: answer(hits) if path == "/api/search" else None)
    async with tempo.source() as (source, _):
        found = await source.traces(question())
    assert found.frame["trace_id"].unique().tolist() == [A]
    with pytest.raises(BadAnswer):
        await ask(answer(b'{"traces":"\\ud800"}'))


def series(*values: object, **label: object) -> dict[str, Any]:
    points = [{"timestampMs": str(START // MILLISECOND + 60_000 * n), "value": v} for n, v in enumerate(values)]
    return {"labels": [{"key": "x", "value": label}], "samples": points}


async def test_numbers_over_time() -> None:
    several = [series(1, "NaN", stringValue="a"), series(2.5, boolValue=True), series(3, intValue="7")]
    several += [series(4, doubleValue=2), series(5)]
    body = {"series": several, "status": "PARTIAL", "message": "max series reached"}
    async with serving(answer(json.dumps(body))) as stage, source_at(stage.url) as source:
        found = await source.traces(question("{ } | rate() by (.x)"))
        limited = await source.metrics(
            MetricsQuery(text="{ } | rate()", range=TimeRange(START, END), step_ns=250 * MILLISECOND, limit=2)
        )
        sent = [parse_qs(urlsplit(one.target).query) for one in stage.asked]
    check_metrics(found.frame)
    assert found.frame["x"].tolist() == ["a", "a", "true", "7", "2", "nil"]
    assert found.frame["value"].isna().tolist() == [False, True, False, False, False, False]
    assert found.truncated == "max series reached"
    assert found.warnings == ("max series reached",)
    assert (found.signal, limited.truncated) == ("metrics", "the first 2 of 5 series (--limit)")
    assert [one["step"] for one in sent] == [["60s"], ["250ms"]]
    for bad in (
        '{"series":[{"samples":[{"timestampMs":"x"}]}]}',
        '{"series":[{"samples":[{"value":"x"}]}]}',
        '{"a":1}',
    ):
        async with serving(answer(bad)) as stage, source_at(stage.url) as source:
            with pytest.raises(BadAnswer, match="shape"):
                await source.traces(question("{ } | rate()"))


async def test_a_metrics_query_that_is_refused_is_marked() -> None:
    words = "invalid TraceQL query: parse error at line 1, col 7: syntax error: unexpected IDENTIFIER"
    async with serving(text(words)) as stage, source_at(stage.url) as source:
        with pytest.raises(QueryError) as caught:
            await source.metrics(MetricsQuery(text="{ } | rat()", range=TimeRange(START, END), step_ns=SECOND))
    assert caught.value.position == 6


@pytest.mark.parametrize("typed", ["{ } | rate()", "{ .a = 1 } | quantile_over_time(duration, .9)", "{ .a = 1 }"])
def test_numbers_are_told_from_spans(typed: str) -> None:
    assert written(question(typed), newest=True).numbers == is_metrics(parse(typed))


async def test_links_where_the_settings_name_a_grafana() -> None:
    settings = {"grafana_url": "http://grafana:3000/", "grafana_datasource": "t1"}
    async with FakeTempo(three()).source(**settings) as (source, _):
        searched = await source.traces(question("{ .a = 1 }"))
        named = await source.traces(question(trace_ids=(A,)))
        several = await source.traces(question(trace_ids=(A, B)))
    parts = urlsplit(searched.link)
    assert searched.link.startswith("http://grafana:3000/explore?")
    pane = json.loads(parse_qs(parts.query)["panes"][0])["obs"]
    assert pane["datasource"] == "t1"
    assert pane["queries"][0] == {"refId": "A", "query": "{ .a = 1 }" + NEWEST, "queryType": "traceql"}
    assert pane["range"] == {"from": str(START // MILLISECOND), "to": str(END // MILLISECOND)}
    assert A in named.link
    assert several.link == ""


async def test_questions_that_make_no_sense_are_not_asked() -> None:
    async with FakeTempo({}).source() as (source, stage):
        with pytest.raises(UsageError):
            await source.traces(question(start=END, end=START))
        with pytest.raises(UsageError):
            await source.traces(question(limit=0))
        assert not stage.asked


async def test_health_detect_and_dead_servers() -> None:
    assert ADAPTER.detect is not None
    async with FakeTempo({}).source() as (source, stage):
        health = await source.health()
        assert (health.ok, health.version) == (True, "Tempo 2.9.0")
        assert await ADAPTER.detect("it", TempoSettings(url=stage.url))
    starting = FakeTempo({}, problem=lambda path, _: text("Ingester not ready", 503) if path == "/ready" else None)
    async with starting.source() as (source, _):
        health = await source.health()
        assert (health.ok, health.detail) == (False, "Ingester not ready")
    for step in (answer('{"status":"success","data":{"version":"2.42.0"}}'), answer("[]"), answer("hello")):
        async with serving(step) as stage:
            assert not await ADAPTER.detect("it", TempoSettings(url=stage.url))
    async with serving(text("404", 404), text("hello", 200)) as stage:
        assert not await ADAPTER.detect("it", TempoSettings(url=stage.url))
    async with serving(text("who are you", 401)) as stage:
        with pytest.raises(AuthError):
            await ADAPTER.detect("it", TempoSettings(url=stage.url))
    with nobody() as dead:
        assert not await ADAPTER.detect("it", TempoSettings(url=dead))
        async with source_at(dead, timeout="60s") as source:
            with pytest.raises(SourceUnavailable, match="refused"):
                await source.traces(question())
            with pytest.raises(SourceUnavailable):
                await source.health()


def test_it_is_built_in() -> None:
    assert ADAPTER in ADAPTERS
    assert (ADAPTER.type, ADAPTER.open is not None) == ("tempo", True)
