"""Every recorded exchange with Tempo, through the public surface of the source."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from support.recordings import Recording, Seen, load, replay
from support.tempo_api import END, START, question, source_at, span, trace_body

from obs_magics.adapters import ADAPTERS
from obs_magics.adapters.tempo import ADAPTER, TempoSettings
from obs_magics.adapters.tempo.source import TempoSource
from obs_magics.model.errors import AuthError, BadAnswer, LimitExceeded, ObsError, QueryError
from obs_magics.model.frames import check_metrics, label_column
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import Answer
from obs_magics.model.spans import check_spans
from obs_magics.model.time import SECOND, TimeRange, parse_duration

pytestmark = pytest.mark.contract

FOLDERS = ("tempo", "tempo-tenants")
SEARCH = "/api/search"
ID = "8d5118091edb4be0453ef2e052b89273"

# What each recording is for, by its name without the number.
TRACES = [
    "trace-v1-json", "trace-v2-default", "trace-out-of-range", "trace-short-id", "trace-64bit-id-full", "trace-huge",
    "trace-missing-root", "trace-odd-attributes",
]  # fmt: skip
LOST = ["trace-missing", "trace-missing-v1"]
SEARCHES = [
    "search-empty-query", "search-error", "search-slow-db", "search-structural", "search-select", "search-aggregate",
    "search-by", "search-tags", "search-most-recent", "search-none", "search-limit-default", "search-no-time",
    "post-search", "empty-tenant", "multi", "search-limit-1000",
]  # fmt: skip
NUMBERS = [
    "metrics-range-rate", "metrics-range-p99", "metrics-range-histogram", "metrics-range-exemplars", "metrics-instant",
    "metrics-compare",
]  # fmt: skip
CATALOG = [
    "tag-values", "tags-v2", "tag-values-v2", "tags-scope", "tag-values-filtered", "tag-values-status",
    "tags-no-range",
]  # fmt: skip
HEALTH = ["echo", "ready", "buildinfo"]
ERRORS: dict[str, tuple[type[ObsError], str]] = {
    "trace-v2-protobuf": (BadAnswer, "not JSON"),  # we do not ask for it; a body of it is told from JSON
    "trace-v2-llm": (BadAnswer, "does not have the shape"),
    "search-protobuf": (BadAnswer, "not JSON"),
    "trace-bad-id": (QueryError, "can only contain hex characters"),
    "trace-bad-id-v1": (QueryError, "can only contain hex characters"),
    "trace-too-long-id": (QueryError, "can't be larger than 128 bits"),
    "search-limit-huge": (LimitExceeded, "exceeds max limit 262144"),
    "search-limit-neg": (QueryError, "invalid limit"),
    "error-parse": (QueryError, "unexpected }"),
    "error-no-braces": (QueryError, "unexpected status"),
    "error-start-after-end": (QueryError, "start must be before end"),
    "error-start-only": (QueryError, "start must be before end"),
    "error-ms-timestamps": (QueryError, "value out of range"),
    "error-ns-timestamps": (QueryError, "value out of range"),
    "error-float-timestamps": (QueryError, "invalid syntax"),
    "error-range-8d": (LimitExceeded, "exceeds 168h0m0s"),
    "tag-bad-scope": (QueryError, "invalid scope"),
    "metrics-not-metric": (QueryError, "not a metrics query"),
    "metrics-summary": (BadAnswer, "404 page not found"),
    "not-found": (BadAnswer, "404 page not found"),
    "no-tenant": (AuthError, "no org id"),
    "no-tenant-trace": (AuthError, "no org id"),
    "bad": (AuthError, "unsupported character '/'"),
}
UNUSED = {"status-config": "the server's configuration is no part of an investigation"}


def kind_of(file: str) -> str:
    return re.sub(r"^\d+-|\.json$", "", file)


def of_kind(*names: str) -> list[Any]:
    root = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "recordings"
    return [
        pytest.param(item, id=f"{folder}-{item.file.removesuffix('.json')}")
        for folder in FOLDERS
        for item in (load(root / folder) if root.is_dir() else ())
        if kind_of(item.file) in names
    ]


def one(name: str) -> Recording:
    (found,) = (item.values[0] for item in of_kind(name))
    return found


def completed(item: Recording, depth: int) -> Recording:
    """A recording whose body the recorder cut, up to the last thing in it that is whole, with all brackets closed.

    Args:
        item: The recording; one that is whole stays as it is.
        depth: How many brackets are open around the things that are kept whole.
    """
    if not item.truncated:
        return item
    text, closing, best = item.body.decode(errors="ignore"), [], ""
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[][{}]', text):
        if token[0] in "{[":
            closing.append("}" if token[0] == "{" else "]")
        elif token[0] in "}]":
            closing.pop()
            if len(closing) <= depth:
                best = text[: token.end()] + "".join(reversed(closing))
    return dataclasses.replace(item, body=best.encode(), truncated=False)


def test_the_bodies_that_were_cut_are_known() -> None:
    cut = {kind_of(item.values[0].file) for item in of_kind(*TRACES, *SEARCHES, *NUMBERS) if item.values[0].truncated}
    assert cut == {"trace-huge", "search-limit-1000", "metrics-range-p99", "metrics-compare"}


@pytest.mark.parametrize("name", ["trace-huge", "search-limit-1000", "metrics-range-p99"])
async def test_half_an_answer_is_none(name: str) -> None:
    item = one(name)
    path = f"/api/v2/traces/{ID}" if "/traces/" in item.path else item.path
    query = question(trace_ids=(ID,)) if "/traces/" in item.path else question(str(item.parameters["q"]))
    with pytest.raises(BadAnswer, match="JSON"):
        await asked({path: item}, lambda source: source.traces(query))


def test_every_recording_is_accounted_for(shared: Path) -> None:
    files = [path for folder in FOLDERS for path in (shared / "contracts/recordings" / folder).glob("*.json")]
    listed = [*TRACES, *LOST, *SEARCHES, *NUMBERS, *CATALOG, *HEALTH, *ERRORS, *UNUSED]
    assert {kind_of(path.name) for path in files} == set(listed)
    assert len(listed) == len(set(listed))


async def asked(
    answers: dict[str, Recording], ask: Callable[[TempoSource], Awaitable[Any]], **settings: Any
) -> tuple[Any, list[Seen]]:
    with replay(answers) as (url, seen):
        async with source_at(url, **settings) as source:
            return await ask(source), seen


def sent_to(seen: list[Seen], path: str) -> list[Seen]:
    return [request for request in seen if request.path == path]


def spans_of(body: bytes) -> list[dict[str, Any]]:
    """The spans of a body, read with the standard library; their resource's attributes beside them."""
    document = json.loads(body)
    groups = document.get("batches") or document["trace"]["resourceSpans"]
    return [
        {**item, "resource": {pair["key"]: pair["value"] for pair in group["resource"]["attributes"]}}
        for group in groups
        for scope in group["scopeSpans"]
        for item in scope["spans"]
    ]


def hexed(text: str, digits: int) -> str:
    return base64.b64decode(text).hex().zfill(digits)


@pytest.mark.parametrize("item", of_kind(*TRACES))
async def test_traces_become_frames(item: Recording) -> None:
    old = item.path.startswith("/api/traces")
    own = item.path.rpartition("/")[2].zfill(32)
    path = f"{'/api/traces' if old else '/api/v2/traces'}/{own}"
    bounds = {name: int(value) for name, value in item.parameters.items()}
    start, end = bounds.get("start", START // SECOND), bounds.get("end", END // SECOND)
    query = question(trace_ids=(own,), start=start * SECOND, end=end * SECOND)
    item = completed(item, depth=7)
    answer, seen = await asked({path: item}, lambda source: source.traces(query), lookup_in_range=bool(bounds))
    frame = answer.frame
    check_spans(frame)
    told = spans_of(item.body)
    assert answer.signal == "traces"
    assert len(frame) == len(told) > 0
    assert set(frame["trace_id"]) == {own}
    expected = {
        hexed(one["spanId"], 16): (
            one["name"],
            one["resource"]["service.name"]["stringValue"],
            int(one["startTimeUnixNano"]),
            int(one["endTimeUnixNano"]) - int(one["startTimeUnixNano"]),
            one["kind"].removeprefix("SPAN_KIND_").lower(),
            "error" if one.get("status", {}).get("code") == "STATUS_CODE_ERROR" else "other",
            hexed(one["parentSpanId"], 16) if one.get("parentSpanId") else None,
        )
        for one in told
    }
    got = {
        row.span_id: (
            row.operation, row.service, row.start.value, row.duration.value, row.kind,
            "error" if row.status == "error" else "other", None if pd.isna(row.parent_id) else row.parent_id,
        )
        for row in frame.itertuples()
    }  # fmt: skip
    assert got == expected
    (request,) = sent_to(seen, path)
    assert request.headers["accept"] == "application/json"
    assert {name: int(value) for name, value in request.parameters} == bounds


@pytest.mark.parametrize("item", of_kind(*LOST))
async def test_a_trace_that_is_not_there(item: Recording) -> None:
    own = item.path.rpartition("/")[2]
    answer, seen = await asked({item.path: item}, lambda source: source.traces(question(trace_ids=(own,))))
    assert len(answer.frame) == 0
    check_spans(answer.frame)
    assert answer.empty_reason.startswith(f"the server knows no trace {own}")
    assert seen[-1].path == item.path


def whole(item: Recording, found: list[dict[str, Any]]) -> dict[str, Recording]:
    """A made-up answer for the lookup of every trace that a search found, under its whole id."""
    answers = {}
    for trace in found:
        own = trace["traceID"].zfill(32)
        spans = [span(own, service=trace.get("rootServiceName", ""), start=int(trace["startTimeUnixNano"]))]
        answers[f"/api/v2/traces/{own}"] = dataclasses.replace(item, body=trace_body(spans).encode())
    return answers


@pytest.mark.parametrize("item", of_kind(*SEARCHES))
async def test_searches_become_frames_of_whole_traces(item: Recording) -> None:
    parameters = item.parameters
    text = str(parameters.get("q", ""))
    limit = int(parameters.get("limit", 20))
    tags = {"service": "payment-api", "min_duration_ns": SECOND} if "tags" in parameters else {}
    query = question(text, limit=limit, **tags)
    item = completed(item, depth=2)
    found = json.loads(item.body)["traces"]
    tenant = {"003-empty-tenant.json": "team-a", "004-multi.json": "team-a|team-b"}.get(item.file)
    answer, seen = await asked(
        {SEARCH: item, **whole(item, found)}, lambda source: source.traces(query), tenant=tenant, most_recent=False
    )
    check_spans(answer.frame)
    assert sorted(answer.frame["trace_id"]) == sorted(trace["traceID"].zfill(32) for trace in found)
    assert answer.failed == ()
    assert bool(answer.truncated) == (len(found) >= limit)
    (request,) = sent_to(seen, SEARCH)
    sent = dict(request.parameters)
    assert request.method == "GET"
    assert request.headers.get("x-scope-orgid") == tenant
    expected = {name: str(value) for name, value in parameters.items() if name not in {"tags", "minDuration", "spss"}}
    assert {"start": str(START // SECOND), "end": str(END // SECOND), "limit": "20"} | expected | {
        "q": sent["q"], "spss": "1",
    } == sent  # fmt: skip
    if "tags" in parameters:
        assert sent["q"] == '{ resource.service.name = "payment-api" && span:duration >= 1s }'
    else:
        assert sent["q"] == (text or "{ }")
    assert answer.native_query == sent["q"]


async def test_found_ids_get_their_leading_zeros_back() -> None:
    found = json.loads(one("search-error").body)["traces"]
    short = [trace["traceID"] for trace in found if len(trace["traceID"]) < 32]
    assert short
    item = one("search-error")
    answer, seen = await asked({SEARCH: item, **whole(item, found)}, lambda s: s.traces(question("{ status = error }")))
    assert {f"/api/v2/traces/{trace_id.zfill(32)}" for trace_id in short} <= {request.path for request in seen}
    assert answer.frame["trace_id"].str.len().eq(32).all()


def value_of(value: dict[str, Any]) -> str:
    (found,) = value.values()
    return str(found)


@pytest.mark.parametrize("item", of_kind(*NUMBERS))
async def test_numbers_become_frames(item: Recording) -> None:
    parameters = item.parameters
    instant = item.path.endswith("/query")
    step = parse_duration(parameters.get("step", "60s"))
    as_traces = dataclasses.replace(question(parameters["q"]), step_ns=step)
    as_metrics = MetricsQuery(text=parameters["q"], range=TimeRange(START, END), step_ns=step, instant=instant)

    async def ask(source: TempoSource) -> Answer:
        return await source.metrics(as_metrics) if instant else await source.traces(as_traces)

    item = completed(item, depth=4 if kind_of(item.file) == "metrics-range-p99" else 2)
    answer, seen = await asked({item.path: item}, ask)
    frame = answer.frame
    check_metrics(frame)
    assert answer.signal == "metrics"
    told = json.loads(item.body)["series"]
    end_ms = END // 1_000_000
    expected = [
        (int(point.get("timestampMs", end_ms)), float(point.get("value", 0)))
        for series in told
        for point in (series["samples"] if not instant else [series])
    ]
    got = list(zip((frame["timestamp"].astype("int64") // 1_000_000).tolist(), frame["value"].tolist(), strict=True))
    np.testing.assert_equal(got, expected)
    for key in {label["key"] for series in told for label in series["labels"]}:
        column = "metric" if key == "__name__" else label_column(key)
        values = {value_of(label["value"]) for series in told for label in series["labels"] if label["key"] == key}
        shown = set(frame[column].dropna())
        assert (
            {float(text) for text in shown} == {float(text) for text in values}
            if key in {"p", "__bucket"}
            else (shown == values)
        )
    (request,) = sent_to(seen, item.path)
    sent = dict(request.parameters)
    assert sent.keys() == parameters.keys() - {"exemplars"}
    assert {name: sent[name] for name in ("q", "start", "end")} == {
        name: str(parameters[name]) for name in ("q", "start", "end")
    }
    if not instant:
        assert parse_duration(sent["step"]) == step


async def test_typed_labels_are_shown_as_people_write_them() -> None:
    item = completed(one("metrics-range-p99"), depth=4)
    answer, _ = await asked({item.path: item}, lambda source: source.traces(question(item.parameters["q"])))
    assert set(answer.frame["p"]) == {"0.99"}
    assert set(answer.frame["resource.service.name"]) == {"api-gateway"}


@pytest.mark.parametrize("item", of_kind(*ERRORS))
async def test_refusals_become_errors(item: Recording) -> None:
    expected, says = ERRORS[kind_of(item.file)]
    query = question(str(item.parameters.get("q", "{ }")))
    by_id = question(trace_ids=(ID,))

    async def ask(source: TempoSource) -> Any:
        if "/traces/" in item.path:
            return await source.traces(by_id)
        if "/search/tags" in item.path:
            return await source.trace_catalog.attribute_names()
        if item.path.startswith("/api/metrics/query_range"):
            return await source.metrics(MetricsQuery(text=query.text, range=query.range, step_ns=query.step_ns))
        return await source.traces(query)

    paths = {f"/api/v2/traces/{ID}", SEARCH, "/api/v2/search/tags", "/api/metrics/query_range"}
    tenant = "../x" if item.file == "005-bad.json" else None
    with pytest.raises(expected) as caught:
        await asked(dict.fromkeys(paths, item), ask, tenant=tenant)
    error = caught.value
    assert type(error) is expected
    assert says in error.message
    assert error.where.startswith("tempo (http://127.0.0.1:")
    assert error.hint, str(error)
    assert len(str(error).splitlines()) <= 5


@pytest.mark.parametrize(("name", "position"), [("error-parse", 11), ("error-no-braces", 0)])
async def test_the_place_of_a_mistake_is_marked(name: str, position: int) -> None:
    item = one(name)
    with pytest.raises(QueryError) as caught:
        await asked({SEARCH: item}, lambda source: source.traces(question(item.parameters["q"])))
    assert caught.value.query == item.parameters["q"]
    assert caught.value.position == position
    assert caught.value.words == item.body.decode().strip()


@pytest.mark.parametrize("item", of_kind(*CATALOG))
async def test_the_catalog_is_read(item: Recording) -> None:
    """The recorded range is an old one: it is asked for when nothing is found in the last day."""
    nothing = dataclasses.replace(item, body=b'{"metrics":{}}')
    document = json.loads(item.body)
    path = unquote(item.path)
    tag = path.removesuffix("/values").rpartition("/")[2]

    async def ask(source: TempoSource) -> Any:
        catalog = source.trace_catalog
        if "/tags" in path:
            return await catalog.attribute_names()
        service = "payment-api" if "q" in item.parameters else None
        span_asked = TimeRange(START, END)
        return await catalog.values_in(tag, span_asked, service) if service else await catalog.attribute_values(tag)

    found, seen = await asked({path: item, "/api/status/buildinfo": nothing}, ask)
    if "/tags" in path:
        told = {f"{scope['name']}.{tag}" for scope in document["scopes"] for tag in scope["tags"]}
        assert found == sorted(name for name in told if not name.startswith("intrinsic."))
    elif kind_of(item.file) == "tag-values-status":
        assert found == ["error", "unset"]
    else:
        told = {one if isinstance(one, str) else one["value"] for one in document["tagValues"]}
        assert found == sorted(told)
    sent = dict(sent_to(seen, path)[-1].parameters)
    assert {"start", "end"} <= sent.keys()
    assert sent.get("q", "").replace(" ", "") == str(item.parameters.get("q", "")).replace(" ", "")


async def test_the_fixture_of_a_trace(shared: Path) -> None:
    file = shared / "contracts" / "fixtures" / "tempo" / "trace_otlp_json_base64_ids.json"
    (exchange,) = json.loads(file.read_text())["interactions"]
    body = json.dumps({"trace": exchange["response"]["body"]}).encode()
    own = hexed(spans_of(body)[0]["traceId"], 32)
    item = dataclasses.replace(one("trace-v2-default"), body=body)
    answer, _ = await asked({f"/api/v2/traces/{own}": item}, lambda source: source.traces(question(trace_ids=(own,))))
    check_spans(answer.frame)
    assert sorted(answer.frame["span_id"]) == sorted({hexed(one["spanId"], 16) for one in spans_of(body)})
    assert set(answer.frame["service"]) == {"tempo-vulture"}


async def test_services_and_health() -> None:
    names = one("tag-values-v2")
    found, _ = await asked({names.path: names}, lambda source: source.trace_catalog.services())
    assert "checkout-api" in found
    answers = {item.path: item for item in map(one, HEALTH)}
    health, _ = await asked(answers, lambda source: source.health())
    assert (health.ok, health.version, health.detail) == (True, "Tempo mirror-ad33aa8", "")
    health, seen = await asked({"/api/echo": one("echo")}, lambda source: source.health())
    assert health.version == "Tempo"
    assert [request.path for request in seen] == ["/api/status/buildinfo", "/api/echo", "/ready"]


@pytest.mark.parametrize(
    "folder",
    ["loki", "prometheus", "prometheus-3", "tempo", "victoria-logs", "victoria-metrics", "victoria-traces"],
)
async def test_none_takes_anothers_answers_for_its_own(shared: Path, folder: str) -> None:
    own = {
        "loki": "loki", "prometheus": "prometheus", "prometheus-3": "prometheus", "tempo": "tempo",
        "victoria-logs": "victorialogs", "victoria-metrics": "prometheus", "victoria-traces": "jaeger",
    }[folder]  # fmt: skip
    answers: dict[str, Recording] = {}
    for item in load(shared / "contracts" / "recordings" / folder):
        if item.status < 400 and not item.truncated:
            answers.setdefault(item.path, item)
    with replay(answers) as (url, _):
        for adapter in ADAPTERS:
            prefix = "/select/jaeger" if adapter.type == "jaeger" and folder == "victoria-traces" else ""
            assert adapter.detect
            yes = await adapter.detect("it", adapter.settings(url=url + prefix))
            if adapter is ADAPTER or folder == "tempo":
                assert yes == (adapter.type == own), adapter.type


async def test_detect_by_echo_and_nobody(shared: Path) -> None:
    assert ADAPTER.detect
    with replay({"/api/echo": one("echo")}) as (url, _):
        assert await ADAPTER.detect("it", TempoSettings(url=url))
    with replay({}) as (url, _):
        assert not await ADAPTER.detect("it", TempoSettings(url=url))
