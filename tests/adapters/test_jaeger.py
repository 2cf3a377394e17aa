"""Questions to a Jaeger in memory, through both of its APIs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.jaeger_api import NOW_NS, Call, FakeJaeger
from support.sockets import Step, answer, drop

from obs_magics.adapters.jaeger import ADAPTER, JaegerSettings
from obs_magics.adapters.jaeger.api import Dependency
from obs_magics.adapters.jaeger.search import Search, rfc3339
from obs_magics.model.errors import (
    AuthError,
    BadAnswer,
    LimitExceeded,
    ObsError,
    QueryError,
    SourceTimeout,
    SourceUnavailable,
    UsageError,
)
from obs_magics.model.query import TracesQuery
from obs_magics.model.sources import Answer, Progress, TracesSource
from obs_magics.model.spans import check_spans
from obs_magics.model.time import MILLISECOND, SECOND, TimeRange

SPAN = TimeRange(NOW_NS - 60 * SECOND, NOW_NS + 60 * SECOND)
BOTH = pytest.mark.parametrize("apis", [("v3",), ("old",), ("legacy",), ("v3", "legacy")])
CALLS = [
    Call(1, duration_ms=100),
    Call(1, "db", "SELECT", 10, 80),
    Call(2, start_ms=1000, duration_ms=2000, failed=True),
    Call(2, "db", "SELECT", 1010, 1900, failed=True),
    Call(3, start_ms=2000, operation="POST /charge"),
    Call(4, "db", "VACUUM", 3000, 5000),
]


def query(**fields: Any) -> TracesQuery:
    return TracesQuery(**{"range": SPAN, "limit": 20, "step_ns": SECOND, **fields})


async def ask(fake: FakeJaeger, settings: Mapping[str, Any] | None = None, **fields: Any) -> Answer:
    async with fake.source(**(settings or {})) as (source, _):
        assert isinstance(source, TracesSource)
        found = await source.traces(query(**fields))
    check_spans(found.frame)
    assert found.signal == "traces"
    return found


def traces(found: Answer) -> list[int]:
    return [int(text, 16) for text in found.frame["trace_id"].unique()]


QUESTIONS: list[tuple[dict[str, Any], list[int]]] = [
    ({"service": "api"}, [1, 2, 3]),
    ({"service": "db"}, [1, 2, 4]),
    ({"service": "api", "operation": "POST /charge"}, [3]),
    ({"service": "api", "status": "error"}, [2]),
    ({"service": "api", "status": "ok"}, [1, 3]),
    ({"service": "api", "min_duration_ns": 50 * MILLISECOND}, [1, 2]),
    ({"service": "api", "max_duration_ns": 50 * MILLISECOND}, [3]),
    ({"service": "db", "min_duration_ns": 1500 * MILLISECOND, "max_duration_ns": 2 * SECOND}, [2]),
    ({"service": "api", "range": TimeRange(NOW_NS + SECOND, NOW_NS + SECOND)}, [2]),
    ({"service": "api", "limit": 2}, [2, 3]),
]


@BOTH
@pytest.mark.parametrize(("fields", "expected"), QUESTIONS)
async def test_a_search_gives_whole_traces(apis: tuple[str, ...], fields: dict[str, Any], expected: list[int]) -> None:
    found = await ask(FakeJaeger(CALLS, apis), **fields)
    assert traces(found) == expected
    assert len(found.frame) == sum(call.trace in expected for call in CALLS)
    assert found.failed == ()
    assert found.native_query.startswith("GET /api/traces?" if apis == ("legacy",) else "GET /api/v3/traces?")
    assert bool(found.truncated) == (fields.get("limit") == 2)


async def test_both_apis_give_the_same_frame() -> None:
    frames = [(await ask(FakeJaeger(CALLS, (api,)), service="api")).frame for api in ("v3", "legacy")]
    for name in ("trace_id", "service", "operation", "start", "duration", "status"):
        assert frames[0][name].tolist() == frames[1][name].tolist()
    assert frames[0]["attributes"].map(dict).tolist() == frames[1]["attributes"].map(dict).tolist()


async def test_the_api_is_chosen_once() -> None:
    fake = FakeJaeger(CALLS, ("old",))
    async with fake.source() as (source, _):
        for _ in range(2):
            await source.traces(query(service="api"))
        assert await source.trace_catalog.services() == ["api", "db"]
    asked = [path for path, _ in fake.asked]
    assert asked == ["/api/v3/services", *["/api/v3/traces"] * 3, "/api/v3/services"]
    assert "query.startTimeMin" in fake.asked[1][1]
    assert all("query.start_time_min" in params for _, params in fake.asked[2:4])


async def test_what_an_old_version_does_not_heed_is_left_out_afterwards() -> None:
    found = await ask(FakeJaeger(CALLS, heeds_attributes=False), service="api", status="error")
    assert traces(found) == [2]
    assert found.warnings == ("2 of 3 traces that came do not fulfil all conditions: left out",)
    found = await ask(FakeJaeger(CALLS[:2], heeds_attributes=False), service="api", status="error")
    assert found.empty_reason == "1 traces came, but none of them fulfils all conditions"


async def test_traces_without_a_failure_are_sought_among_more() -> None:
    fake = FakeJaeger([Call(n, start_ms=n, failed=n > 3) for n in range(1, 8)])
    found = await ask(fake, service="api", status="ok", limit=2)
    assert traces(found) == [2, 3]
    assert fake.asked[-1][1]["query.searchDepth"] == "10"
    assert found.truncated == "the newest 2 of 3 traces that were found (--limit)"


async def test_a_search_that_stops_at_its_limit_says_so() -> None:
    found = await ask(FakeJaeger(CALLS), service="api", limit=3)
    assert found.truncated == "3 traces; the search stopped at its limit, there may be more (--limit)"


@BOTH
async def test_without_a_service_each_is_searched(apis: tuple[str, ...]) -> None:
    seen: list[Progress] = []
    async with FakeJaeger(CALLS, apis).source() as (source, _):
        found = await source.traces(query(min_duration_ns=SECOND), seen.append)
    assert traces(found) == [2, 4]
    assert found.warnings == ("a search needs a service here: 2 of 2 were searched (--service)",)
    assert sorted((step.done, step.total, step.note) for step in seen)[-1][:2] == (2, 2)
    assert len(found.frame) == 3  # trace 2 was found twice


async def test_services_beyond_the_bound_are_not_searched() -> None:
    found = await ask(FakeJaeger(CALLS), {"most_services": 1})
    assert traces(found) == [1, 2, 3]
    assert found.warnings == ("a search needs a service here: 1 of 2 were searched (--service)",)


def fails(service: str, step: Step) -> Any:
    return lambda _path, params: step if service in params.values() else None


async def test_a_service_that_fails_is_named_and_the_others_are_kept() -> None:
    broken = answer("storage is gone", status=500)
    found = await ask(FakeJaeger(CALLS, problem=fails("db", broken)))
    assert traces(found) == [1, 2, 3]
    assert found.failed[0].startswith("traces of db: the server failed")
    with pytest.raises(SourceUnavailable):
        await ask(FakeJaeger(CALLS, problem=lambda path, _: broken if path.endswith("/traces") else None))


@BOTH
async def test_traces_by_id(apis: tuple[str, ...]) -> None:
    ids = [f"{n:032x}" for n in (1, 4)]
    fake, seen = FakeJaeger(CALLS, apis), list[Progress]()
    async with fake.source() as (source, stage):
        found = await source.traces(query(trace_ids=tuple(ids), range=TimeRange(0, 1)), seen.append)
        assert traces(found) == [1, 4]
        assert (found.link, len(seen)) == ("", 2)
        found = await source.traces(query(trace_ids=(ids[0],)))
        assert found.link == f"{stage.url}/trace/{ids[0]}"
        assert found.native_query == f"trace {ids[0]}"
        found = await source.traces(query(trace_ids=(ids[0], "0bad")))
        assert (traces(found), found.warnings) == ([1], ("the server knows no trace 0bad",))
        found = await source.traces(query(trace_ids=tuple(f"0bad{n}" for n in range(6))))
        assert found.empty_reason == (
            "the server knows no trace 0bad0, 0bad1, 0bad2, 0bad3, 0bad4 and 1 more: mistyped, not sampled, or older "
            "than it keeps"
        )
        found = await source.traces(query(trace_ids=(ids[0],), service="api", status="error"))
        assert found.empty_reason == "the trace is there, but does not fulfil the other conditions"


@pytest.mark.parametrize("bad", ["zzz", "", "f" * 33, "../services"])
async def test_a_bad_id_is_refused_before_anything_is_sent(bad: str) -> None:
    with pytest.raises(QueryError, match="is no id of a trace") as caught:
        await ask(FakeJaeger(CALLS), trace_ids=(bad,))
    assert "32 hex digits" in caught.value.hint


@pytest.mark.parametrize(("fields", "hint"), [
    ({}, "--service checkout-api --status error --min-duration 1s"),
    ({"service": "api", "operation": "GET /", "status": "ok"}, "--service api --operation GET / --status ok"),
])  # fmt: skip
async def test_traceql_is_refused_with_the_way_out(fields: dict[str, Any], hint: str) -> None:
    with pytest.raises(QueryError, match="Jaeger takes no TraceQL") as caught:
        await ask(FakeJaeger(CALLS), text="{ status = error }", **fields)
    assert caught.value.hint.endswith(hint)
    assert "^^^" in str(caught.value)


EMPTY: list[tuple[dict[str, Any], str]] = [
    ({"service": "ap"}, "there is no service ap; did you mean api? there are api, db"),
    ({"service": "zzzzzz"}, "there is no service zzzzzz; there are api, db"),
    (
        {"service": "api", "operation": "GET"},
        "api has no operation GET; did you mean GET /? there are GET /, POST /charge",
    ),
    ({"service": "api", "min_duration_ns": 9 * SECOND}, "no trace in this range fulfils all of these conditions"),
    ({"service": "api", "range": TimeRange(0, 1)}, "api has no trace in this range"),
    ({"range": TimeRange(0, 1)}, "no service has a trace in this range"),
]


@BOTH
@pytest.mark.parametrize(("fields", "reason"), EMPTY)
async def test_why_there_is_nothing(apis: tuple[str, ...], fields: dict[str, Any], reason: str) -> None:
    found = await ask(FakeJaeger(CALLS, apis), **fields)
    assert (len(found.frame), found.empty_reason) == (0, reason)


async def test_a_server_without_services_says_so() -> None:
    found = await ask(FakeJaeger([]))
    assert found.empty_reason == "no service has written spans yet"
    assert (found.native_query, found.link) == ("", "")
    many = [Call(n, f"service-{n:02}") for n in range(10)]
    found = await ask(FakeJaeger(many), service="mars")
    assert found.empty_reason.endswith("service-06, service-07 and 2 more")


async def test_a_reason_that_cannot_be_had_is_no_error() -> None:
    found = await ask(FakeJaeger(CALLS, problem=fails("api", answer("no", status=500))), service="ap")
    assert found.empty_reason
    asked: list[str] = []

    def second_time(path: str, _params: Any) -> Step | None:
        asked.append(path)
        return answer("no", status=500) if asked.count("/api/v3/services") > 1 else None

    found = await ask(FakeJaeger(CALLS, problem=second_time), service="ap")
    assert (len(found.frame), found.empty_reason) == (0, "")


@BOTH
async def test_the_catalog(apis: tuple[str, ...]) -> None:
    async with FakeJaeger(CALLS, apis).source() as (source, _):
        catalog = source.trace_catalog
        assert await catalog.services() == ["api", "db"]
        assert await catalog.operations("db") == ["SELECT", "VACUUM"]
        assert await catalog.operations() == ["GET /", "POST /charge", "SELECT", "VACUUM"]
        assert await catalog.attribute_names() == []
        await source.traces(query(service="api"))
        assert await catalog.attribute_names() == ["resource.service.name", "span.http.route"]
        for name in ("span.http.route", ".http.route", "http.route"):
            assert await catalog.attribute_values(name) == ["GET /", "POST /charge", "SELECT"]
        assert await catalog.attribute_values("resource.service.name") == ["api", "db"]
        assert await catalog.attribute_values("resource.http.route") == []
        assert source.now_ns() is None


@BOTH
async def test_health_and_dependencies(apis: tuple[str, ...]) -> None:
    async with FakeJaeger(CALLS, apis).source() as (source, _):
        health = await source.health()
        assert (health.ok, health.detail) == (True, "2 services")
        assert health.version == ("Jaeger (legacy API)" if apis == ("legacy",) else "Jaeger (API v3)")
        if apis == ("old",):
            with pytest.raises(BadAnswer):
                await source.dependencies(SPAN)
        else:
            (edge,) = await source.dependencies(SPAN)
            assert edge == Dependency("api", "db", 3 if apis == ("legacy",) else 9007199254740993)


async def test_victoria_traces_lies_below_a_path_and_has_no_page_to_open() -> None:
    fake = FakeJaeger(CALLS, ("legacy",), prefix="/select/jaeger")
    async with fake.source() as (source, _):
        assert (await source.health()).version == "VictoriaTraces (legacy API)"
        found = await source.traces(query(service="api"))
        assert (traces(found), found.link) == ([1, 2, 3], "")
        assert (await source.traces(query(trace_ids=("1",)))).link == ""


async def test_a_search_opens_in_the_ui() -> None:
    async with FakeJaeger(CALLS).source() as (source, stage):
        found = await source.traces(query(service="api", operation="GET /", status="error", min_duration_ns=SECOND))
    assert found.link.startswith(
        f"{stage.url}/search?service=api&operation=GET+%2F&tags=%7B%22error%22%3A%22true%22%7D"
    )
    assert found.link.endswith("&minDuration=1s&limit=20")


ERRORS: list[tuple[Step, type[ObsError], str, str]] = [
    (answer("limit should be not higher than 1000", status=400), LimitExceeded, "not higher than 1000", "--limit"),
    (answer('{"error":{"httpCode":400,"message":"malformed parameter query.durationMin: x"}}', status=400),
     QueryError, "malformed parameter query.durationMin", "--min-duration"),
    (answer('{"data":null,"errors":[{"code":400,"msg":"malformed traceID"}]}', status=400), QueryError,
     "malformed traceID", "32 hex"),
    (answer('["odd"]', status=400), QueryError, "odd", "--dry-run"),
    (answer("unsupported path requested: x", status=400), BadAnswer, "no Jaeger API", "/select/jaeger"),
    (answer('{"error":"odd"}', status=400), QueryError, "odd", "--dry-run"),
    (answer('{"error":null}', status=422), QueryError, "error", "--dry-run"),
    (answer('{"error":{"message":"context deadline exceeded"}}', status=500), SourceTimeout, "deadline", "--limit"),
    (answer('{"error":{"message":"boom"}}', status=500), SourceUnavailable, "the server failed", "log"),
    (answer("who?", status=401), AuthError, "wants to know who asks", "auth"),
    (answer("404 page not found", status=404), BadAnswer, "nothing there: 404 page not found", "prefix"),
    (answer("<html><title>Login</title>", kind="text/html"), BadAnswer, "HTML page", "browser"),
    (answer('{"result":{"resourceSp'), BadAnswer, "broke off", "again"),
    (answer('{"spans":[]}'), BadAnswer, "does not have the shape", "Jaeger"),
    (drop, SourceUnavailable, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("step", "kind", "says", "hint"), ERRORS)
async def test_refusals(step: Step, kind: type[ObsError], says: str, hint: str) -> None:
    with pytest.raises(kind) as caught:
        await ask(FakeJaeger(CALLS, problem=fails("api", step)), service="api")
    assert says in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.where.startswith("tracing (")


@pytest.mark.parametrize(("apis", "body", "says"), [
    (("v3",), '{"data":[]}', "it has data, and no services"),
    (("legacy",), '{"services":[]}', "missing required field `data`"),
    (("legacy",), "OK", "the answer is not JSON"),
])  # fmt: skip
async def test_a_foreign_server(apis: tuple[str, ...], body: str, says: str) -> None:
    part = "/api/v3/" if apis == ("v3",) else "/api/services"
    fake = FakeJaeger(CALLS, apis, problem=lambda path, _: answer(body) if path.startswith(part) else None)
    async with fake.source() as (source, stage):
        with pytest.raises(BadAnswer, match=says if apis != ("v3",) else "HTML page"):
            await source.health()
        assert ADAPTER.detect is not None
        assert await ADAPTER.detect("x", JaegerSettings(url=stage.url)) is False


async def test_a_trace_that_is_no_trace_of_a_legacy_server() -> None:
    fake = FakeJaeger(
        CALLS, ("legacy",), problem=lambda path, _: answer("no", status=404) if "traces/" in path else None
    )
    with pytest.raises(BadAnswer, match="nothing there: no"):
        await ask(fake, trace_ids=("1",))


@BOTH
async def test_it_is_recognised(apis: tuple[str, ...]) -> None:
    assert ADAPTER.detect is not None
    async with FakeJaeger(CALLS, apis).source() as (_, stage):
        assert await ADAPTER.detect("x", JaegerSettings(url=stage.url)) is True
    refuses = FakeJaeger(CALLS, apis, problem=lambda *_: answer("no", status=401))
    async with refuses.source() as (_, stage):
        with pytest.raises(AuthError):
            await ADAPTER.detect("x", JaegerSettings(url=stage.url))


async def test_a_range_that_ends_before_it_begins() -> None:
    with pytest.raises(UsageError):
        await ask(FakeJaeger(CALLS), range=TimeRange(2, 1))


def test_times_and_durations_are_written_exactly() -> None:
    assert rfc3339(NOW_NS) == "2026-11-22T14:00:00Z"
    assert rfc3339(NOW_NS + 120) == "2026-11-22T14:00:00.000000120Z"
    search = Search(service="a", span=TimeRange(5, 5), depth=1, min_ns=250 * MILLISECOND, max_ns=90 * SECOND)
    v3, legacy = dict(search.v3_params()), dict(search.legacy_params())
    assert v3["query.startTimeMin"] < v3["query.startTimeMax"]
    assert (v3["query.durationMin"], v3["query.durationMax"]) == ("0.25s", "90s")
    assert (legacy["start"], legacy["end"], legacy["minDuration"], legacy["maxDuration"]) == (
        "0",
        "1",
        "250ms",
        "1m30s",
    )


@pytest.mark.contract
async def test_requests_of_api_v3_keep_to_its_description(shared: Path) -> None:
    import yaml
    from openapi_core import OpenAPI
    from openapi_core.testing import MockRequest

    description = yaml.safe_load((shared / "contracts/specs/jaeger_v3.yaml").read_text())
    del description["paths"]["/api/v3/trace-summaries"]  # its two operations share one id, which is not allowed
    api = OpenAPI.from_dict(description)
    fake = FakeJaeger(CALLS)
    async with fake.source() as (source, _):
        for fields, _expected in QUESTIONS:
            await source.traces(query(**fields))
        await source.traces(query(trace_ids=(f"{1:032x}",)))
        await source.trace_catalog.operations("api")
        await source.dependencies(SPAN)
    assert {path.split("/")[3] for path, _ in fake.asked} == {"services", "traces", "operations", "dependencies"}
    known = {
        (path, parameter["name"])
        for path, item in description["paths"].items()
        for parameter in item["get"].get("parameters", ())
    }
    for path, params in fake.asked:
        api.validate_request(MockRequest("http://jaeger", "get", path, args=dict(params)))
        for name in set(params) - {"query.attributes"}:  # the description lacks it; the server's query_parser.go has it
            assert (path, name) in known, path
    attributes = [params["query.attributes"] for _, params in fake.asked if "query.attributes" in params]
    assert [json.loads(text) for text in attributes] == [{"error": "true"}]
