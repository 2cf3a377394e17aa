"""Every recorded exchange with VictoriaTraces and every fixture of Jaeger, through the public surface of the source."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.recordings import Recording, Seen, load, replay

from obs_magics.adapters.jaeger import ADAPTER, JaegerSettings, open_source
from obs_magics.adapters.jaeger.source import JaegerSource
from obs_magics.model.errors import BadAnswer, LimitExceeded, ObsError, QueryError
from obs_magics.model.query import TracesQuery
from obs_magics.model.sources import Answer
from obs_magics.model.spans import check_spans
from obs_magics.model.time import SECOND, TimeRange

pytestmark = pytest.mark.contract

SPAN = TimeRange(1_795_356_000 * SECOND, 1_795_359_600 * SECOND)
PREFIX = "/select/jaeger"

# What each recording is for, by its name without the number: what is asked, and how many spans and failures there are.
SEARCHES: dict[str, tuple[dict[str, Any], int, int]] = {
    "traces": ({"service": "payment-api", "limit": 2}, 49, 0),
    "traces-error-tag": ({"service": "payment-api", "status": "error", "limit": 2}, 38, 14),
    "traces-attr-tag": ({"service": "inventory-service", "min_duration_ns": SECOND, "limit": 2}, 52, 0),
    "traces-operation": ({"service": "payment-api", "operation": "POST /charge", "limit": 1}, 24, 0),
    "traces-duration": ({"service": "checkout-api", "min_duration_ns": 3 * SECOND, "max_duration_ns": 10 * SECOND,
                         "limit": 2}, 55, 8),
    "traces-lookback": ({"service": "payment-api", "limit": 1}, 24, 0),
    "trace-consumer-link": ({"service": "notification-service", "operation": "orders process", "limit": 1}, 24, 0),
    "traces-unknown-service": ({"service": "nope"}, 0, 0),
    "traces-ms": ({"service": "payment-api", "limit": 1}, 0, 0),  # asked in milliseconds, answered with nothing
}  # fmt: skip
IDS: dict[str, tuple[str, int]] = {
    "trace": ("8d5118091edb4be0453ef2e052b89273", 17),
    "trace-missing": ("00000000000000000000000000000bad", 0),
    "trace-missing-root": ("046dada45895e1b790ae2d1201af5b05", 2),
    "trace-64bit": ("00000000000000000123456789abcdef", 1),
    "trace-64bit-short": ("123456789abcdef", 0),
}
ERRORS: dict[str, tuple[type[ObsError], str, str]] = {
    "traces-no-service": (QueryError, "service name is required", "--service NAME"),
    "traces-by-ids": (QueryError, "service name is required", "--service NAME"),
    "traces-limit-big": (LimitExceeded, "limit should be not higher than 1000", "--limit"),
    "traces-bad-tags": (QueryError, "cannot parse tags [error]", "attributes"),
    "traces-bad-duration": (QueryError, "cannot parse minDuration [x]", "--min-duration"),
    "traces-limit-1000": (BadAnswer, "broke off", "again"),  # recorded in part
    "trace-huge": (BadAnswer, "broke off", "again"),  # likewise
}
OPERATIONS = {"operations": 6, "operations-unknown": 0}
FOREIGN = ["not-found", "logsql", "health"]
OTHER = ["trace-bad-id", "dependencies"]


def kind_of(file: str) -> str:
    return re.sub(r"^\d+-|\.json$", "", file)


def recordings(shared: Path) -> dict[str, Recording]:
    return {kind_of(item.file): item for item in load(shared / "contracts/recordings/victoria-traces")}


def body(path: str, content: Any, status: int = 200) -> Recording:
    """An exchange that was not recorded, or whose body is a fixture."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    kind = (("content-type", "application/json"),)
    return Recording("", "", "GET", path, {}, status, kind, raw, False, "")


@contextlib.asynccontextmanager
async def replaying(*items: Recording, prefix: str = PREFIX) -> AsyncIterator[tuple[JaegerSource, list[Seen]]]:
    services = body(f"{PREFIX}/api/services", {"data": ["inventory-service", "payment-api"]})
    with replay({services.path: services, **{item.path: item for item in items}}) as (url, seen):
        source = open_source("vt", JaegerSettings(url=url + prefix))
        try:
            yield source, seen
        finally:
            await source.close()


def query(**fields: Any) -> TracesQuery:
    return TracesQuery(**{"range": SPAN, "limit": 20, "step_ns": SECOND, **fields})


async def ask(item: Recording, **fields: Any) -> tuple[Answer, Seen]:
    async with replaying(item) as (source, seen):
        found = await source.traces(query(**fields))
    check_spans(found.frame)
    return found, next(one for one in seen if one.path == item.path)


def test_every_recording_is_accounted_for(shared: Path) -> None:
    listed = [*SEARCHES, *IDS, *ERRORS, *OPERATIONS, *FOREIGN, *OTHER]
    assert set(recordings(shared)) == set(listed)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", SEARCHES)
async def test_searches(shared: Path, name: str) -> None:
    item = recordings(shared)[name]
    fields, spans, failures = SEARCHES[name]
    if name == "traces-lookback":
        fields = {**fields, "range": TimeRange(SPAN.start_ns, SPAN.end_ns + 7200 * SECOND)}
    found, seen = await ask(item, **fields)
    assert (len(found.frame), int((found.frame["status"] == "error").sum())) == (spans, failures)
    sent = dict(seen.parameters)
    for parameter in set(item.parameters) & {"service", "operation", "start", "end", "limit"}:
        if name not in {"traces-ms", "traces-unknown-service"}:
            assert sent[parameter] == str(item.parameters[parameter])
    for parameter in ("minDuration", "maxDuration"):
        assert sent.get(parameter) == item.parameters.get(parameter)
    if name == "traces-error-tag":
        assert json.loads(sent["tags"]) == json.loads(item.parameters["tags"])
        assert "Connection pool exhausted" in set(found.frame["status_message"].dropna())
    if spans:
        assert found.frame["kind"].notna().all()
        assert found.frame["service"].notna().all()
        assert not any({"error", "span.kind"} & set(dict(own)) for own in found.frame["attributes"])
        assert found.warnings == ()


async def test_an_unknown_service_is_told_with_those_that_are_there(shared: Path) -> None:
    found, _ = await ask(recordings(shared)["traces-unknown-service"], service="payment-apis")
    expected = "there is no service payment-apis; did you mean payment-api? there are inventory-service, payment-api"
    assert found.empty_reason == expected


@pytest.mark.parametrize("name", IDS)
async def test_traces_by_id(shared: Path, name: str) -> None:
    trace_id, spans = IDS[name]
    found, _ = await ask(recordings(shared)[name], trace_ids=(trace_id,))
    assert len(found.frame) == spans
    assert bool(found.empty_reason) == (not spans)
    if spans:
        assert set(found.frame["trace_id"]) == {trace_id.zfill(32)}
    else:
        assert trace_id in found.empty_reason
    if name == "trace-missing-root":
        assert set(found.frame["parent_id"].dropna()) - set(found.frame["span_id"])


async def test_a_bad_id_never_reaches_the_server(shared: Path) -> None:
    item = recordings(shared)["trace-bad-id"]
    async with replaying(item) as (source, seen):
        with pytest.raises(QueryError, match="zzz is no id of a trace"):
            await source.traces(query(trace_ids=("zzz",)))
        assert not [one for one in seen if one.path == item.path]


@pytest.mark.parametrize("name", ERRORS)
async def test_refusals(shared: Path, name: str) -> None:
    kind, says, hint = ERRORS[name]
    fields = (
        {"trace_ids": ("0fe96474e02043015deef96890f68879",)} if name == "trace-huge" else {"service": "payment-api"}
    )
    with pytest.raises(kind) as caught:
        await ask(recordings(shared)[name], **fields)
    assert says in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.where.startswith("vt (")


@pytest.mark.parametrize("name", OPERATIONS)
async def test_operations(shared: Path, name: str) -> None:
    item = recordings(shared)[name]
    async with replaying(item) as (source, _):
        found = await source.trace_catalog.operations(item.path.split("/")[-2])
    assert len(found) == OPERATIONS[name]
    assert list(found) == sorted(found)


async def test_dependencies_that_the_server_does_not_count(shared: Path) -> None:
    async with replaying(recordings(shared)["dependencies"]) as (source, seen):
        with pytest.raises(QueryError, match="not supported yet") as caught:
            await source.dependencies(SPAN)
    assert "service map" in caught.value.hint
    assert dict(seen[-1].parameters) == {"endTs": "1795359600000", "lookback": "3600000"}


@pytest.mark.parametrize("name", FOREIGN)
async def test_foreign_servers_are_not_taken_for_a_jaeger(shared: Path, name: str) -> None:
    item = recordings(shared)[name]
    both = [body(path, item.body, item.status) for path in ("/api/services", "/api/v3/services")]
    async with replaying(*both, prefix="") as (source, _):
        with pytest.raises(BadAnswer):
            await source.health()
        assert ADAPTER.detect is not None
        assert await ADAPTER.detect("x", JaegerSettings(url=source.address)) is False


def fixture_bodies(shared: Path) -> dict[str, Any]:
    files = sorted((shared / "contracts/fixtures/jaeger").glob("*.json"))
    return {path.stem: json.loads(path.read_text())["interactions"][0]["response"]["body"] for path in files}


async def test_every_fixture_comes_through_its_api(shared: Path) -> None:
    services = body("/api/v3/services", {"services": ["a"]})
    wide, counted = TimeRange(0, 2_000_000_000 * SECOND), dict[str, int]()
    for name, content in fixture_bodies(shared).items():
        if name == "model_queries":  # questions of the vendor's own tests, no traces
            continue
        legacy = isinstance(content, list) or "data" in content
        path = "/api/traces" if legacy else "/api/v3/traces"
        probes = [body("/api/services", {"data": ["a"]})] if legacy else [services]
        async with replaying(*probes, body(path, content), prefix="") as (source, _):
            answer = await source.traces(query(range=wide))
        check_spans(answer.frame)
        counted[name] = len(answer.frame)
        assert answer.frame["service"].isna().sum() == (1 if name.startswith("v3_") else 0), name
    assert counted.pop("model_opname_maxdur_trace") == 2
    assert counted.pop("anonymizer_ui_trace") == 2
    assert set(counted.values()) == {1}
    assert len(counted) == 28


async def test_the_vendor_s_questions_can_be_asked(shared: Path) -> None:
    """The questions of Jaeger's own storage tests, as far as `TracesQuery` has words for them."""
    seen_all = []
    for case in fixture_bodies(shared)["model_queries"]:
        asked = case["Query"]
        span = TimeRange(*(pd.Timestamp(asked[name]).value for name in ("StartTimeMin", "StartTimeMax")))
        fields = {"min_duration_ns": asked["DurationMin"] or None, "max_duration_ns": asked["DurationMax"] or None}
        content = {"result": {"resourceSpans": []}}
        probes = [body("/api/v3/services", {"services": [asked["ServiceName"]]}), body("/api/v3/traces", content)]
        async with replaying(*probes, prefix="") as (source, seen):
            await source.traces(query(service=asked["ServiceName"], operation=asked["OperationName"] or None,
                                      range=span, limit=asked["NumTraces"], **fields))  # fmt: skip
        sent = dict(next(one for one in seen if one.path == "/api/v3/traces").parameters)
        assert pd.Timestamp(sent["query.startTimeMin"]).value == span.start_ns
        assert pd.Timestamp(sent["query.startTimeMax"]).value == span.end_ns
        assert sent["query.searchDepth"] == str(asked["NumTraces"])
        for name, key in (("query.durationMin", "DurationMin"), ("query.durationMax", "DurationMax")):
            assert pd.Timedelta(sent.get(name, "0s")).value == asked[key]
        seen_all.append(sent)
    assert len(seen_all) > 15
