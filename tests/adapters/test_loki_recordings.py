"""Every recorded exchange with Loki, through the public surface of the source."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.loki_api import source_at
from support.recordings import Recording, Seen, load, replay

from obs_magics.adapters.loki import ADAPTER, LokiSettings
from obs_magics.adapters.loki.source import LokiSource
from obs_magics.model.errors import AuthError, BadAnswer, LimitExceeded, ObsError, QueryError
from obs_magics.model.frames import check_metrics, label_column
from obs_magics.model.logs import check_logs
from obs_magics.model.query import LogsQuery, MetricsQuery
from obs_magics.model.sources import Answer
from obs_magics.model.time import SECOND, TimeRange

pytestmark = pytest.mark.contract

FOLDERS = ("loki", "loki-tenants")
FROM, TO = 1_795_356_000 * SECOND, 1_795_359_600 * SECOND
RANGE = "/loki/api/v1/query_range"

# What each recording is for, by its name without the number.
LINES = [
    "range-streams", "range-forward", "range-direction-upper", "range-json-parser", "range-json-parse-error",
    "range-logfmt", "range-pattern", "range-structured-metadata", "range-categorize-labels", "range-by-trace",
    "range-multiline", "range-odd-lines", "range-empty", "range-empty-filter", "range-rfc3339", "range-seconds",
    "range-ms-timestamps", "range-since", "range-limit-default", "page-1", "metric-interval-param", "post-form",
    "query-tenant", "query-other-tenant",
]  # fmt: skip
NUMBERS = ["metric-range-count", "metric-range-unwrap", "metric-no-step"]
INSTANTS = ["metric-instant", "metric-instant-topk", "instant-scalar", "shard-hint-stats"]
ERRORS: dict[str, tuple[type[ObsError], str]] = {
    "range-direction-bad": (QueryError, "invalid direction"),
    "range-limit-5000": (BadAnswer, "not whole JSON"),  # the recorder cut these two bodies
    "gzip": (BadAnswer, "not whole JSON"),
    "range-limit-5001": (LimitExceeded, "max entries limit"),
    "range-limit-0": (QueryError, "limit must be a positive value"),
    "range-31-days": (LimitExceeded, "query time range exceeds the limit"),
    "range-end-before-start": (QueryError, "end timestamp must not be before"),
    "error-parse": (QueryError, "unexpected $end"),
    "error-empty-matchers": (QueryError, "at least one regexp or equality matcher"),
    "error-unclosed": (QueryError, "unexpected $end"),
    "error-bad-regex": (QueryError, "missing closing )"),
    "error-bad-start": (QueryError, "could not parse 'start'"),
    "error-unwrap-nonnumeric": (QueryError, "SampleExtractionErr"),
    "metric-max-series": (LimitExceeded, "maximum number of series (500)"),
    "metric-too-many-points": (LimitExceeded, "exceeded maximum resolution of 11,000 points"),
    "metric-approx-topk": (QueryError, "approx_topk is not enabled"),
    "not-found": (BadAnswer, "404 page not found"),
    "tail-http": (QueryError, "Bad Request"),
    "no-tenant": (AuthError, "no org id"),
    "query-bad-tenant": (AuthError, "unsupported character '/'"),
    "drilldown-limits": (AuthError, "no org id"),
    "accept-protobuf": (BadAnswer, "not whole JSON"),  # we do not ask for it; a body of it is told from JSON
    "format-query": (BadAnswer, "does not have the shape"),
    "ring-disabled": (BadAnswer, "HTML"),
}
DETAILS = [
    "labels", "labels-query", "labels-no-range", "label-values", "label-values-service-name", "label-values-unknown",
    "series", "series-no-match", "index-stats", "index-volume", "index-volume-range", "detected-fields", "patterns",
    "buildinfo",
]  # fmt: skip
UNUSED = {"rules": "alerting rules are no part of logs"}


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


def test_every_recording_is_accounted_for(shared: Path) -> None:
    files = [path for folder in FOLDERS for path in (shared / "contracts/recordings" / folder).glob("*.json")]
    listed = [*LINES, *NUMBERS, *INSTANTS, *ERRORS, *DETAILS, *UNUSED]
    assert {kind_of(path.name) for path in files} == set(listed)
    assert len(listed) == len(set(listed))


async def ask(item: Recording, **settings: Any) -> tuple[Answer, list[Seen]]:
    """Ask for the recorded query in the recorded range, whatever notation the recording has the range in."""
    start, end = (_ns(item.parameters.get(key), default) for key, default in (("start", 0), ("end", 2 * TO)))
    span = TimeRange(min(start, end), max(start, end))
    query = LogsQuery(
        text=str(item.parameters.get("query") or '{app="x"}'), range=span,
        limit=int(item.parameters.get("limit") or 100), step_ns=60 * SECOND, volume_step_ns=span.duration_ns,
    )  # fmt: skip
    with replay({RANGE: item}) as (url, seen):
        async with source_at(url, **settings) as source:
            return await source.logs(query), seen


def _ns(text: Any, default: int) -> int:
    if text is None or text == "x":
        return default
    text = str(text)
    if "T" in text:
        return int(pd.Timestamp(text).value)
    return round(float(text) * SECOND) if "." in text else int(text)


def entries_of(body: bytes) -> list[tuple[int, str]]:
    """Time and line of every entry, by time, read with the standard library; terminals' colours taken out."""
    found = [
        (int(value[0]), re.sub(r"\x1b\[[0-9;]*m", "", value[1]))
        for stream in json.loads(body)["data"]["result"]
        for value in stream["values"]
    ]
    return sorted(found)


@pytest.mark.parametrize("item", of_kind(*LINES))
async def test_lines_become_frames(item: Recording) -> None:
    answer, seen = await ask(item)
    frame = answer.frame
    check_logs(frame)
    assert answer.signal == "logs"
    got = list(zip(frame["timestamp"].astype("int64").tolist(), frame["message"].tolist(), strict=True))
    assert sorted(got) == entries_of(item.body)
    streams = json.loads(item.body)["data"]["result"]
    for name in {name for stream in streams for name in stream["stream"]} & {"app", "pod", "status"}:
        told = sorted(stream["stream"].get(name, "") for stream in streams for _ in stream["values"])
        assert sorted(frame[name].astype(object).fillna("").tolist()) == told
    for name in ("trace_id", "span_id"):
        told = {stream["stream"][name] for stream in streams if name in stream["stream"]}
        assert told <= set(frame[name].dropna())
    if len(frame):
        assert frame["service"].notna().all()
        assert frame["level"].notna().any() or item.parameters["query"] == '{app="x"}'
    page = next(request for request in seen if "direction" in dict(request.parameters))
    sent = dict(page.parameters)
    assert (page.method, page.path) == ("POST", RANGE)
    recorded = {name for name in item.parameters if name not in {"since", "interval"}}
    assert recorded <= sent.keys()
    assert sent["query"] == item.parameters["query"]
    for name in ("start", "end"):  # nanoseconds, as most recordings have them
        if str(item.parameters.get(name, "")).isdigit():
            assert sent[name] == item.parameters[name]


async def test_metadata_beside_the_lines() -> None:
    answer, _ = await ask(one("range-categorize-labels"))
    frame = answer.frame
    assert frame["trace_id"].str.len().tolist() == [32, 32, 32]
    assert frame["route"].tolist() == ["/charge"] * 3
    assert frame["level"].tolist() == ["info"] * 3
    assert frame["trace_id_extracted"].tolist() == frame["trace_id"].tolist()


@pytest.mark.parametrize("item", of_kind(*NUMBERS, *INSTANTS))
async def test_numbers_become_frames(item: Recording) -> None:
    parameters = item.parameters
    instant = item.path.endswith("/query")
    start, end = (int(parameters.get(key, default)) for key, default in (("start", FROM), ("end", TO)))
    query = MetricsQuery(text=parameters["query"], range=TimeRange(start, end), step_ns=60 * SECOND, instant=instant)
    with replay({item.path: item}) as (url, seen):
        async with source_at(url) as source:
            answer = await source.metrics(query)
    check_metrics(answer.frame)
    data = json.loads(item.body)["data"]
    if data["resultType"] == "scalar":
        assert answer.frame["timestamp"].astype("int64").tolist() == [TO]
        assert answer.frame["value"].tolist() == [2.0]
        return
    expected = [
        (series["metric"].get("app"), round(time * 1000) * 1_000_000, float(value))
        for series in data["result"]
        for time, value in series.get("values", [series.get("value")])
    ]
    frame = answer.frame
    apps = frame[label_column("app")].tolist() if "app" in frame else [None] * len(frame)
    got = list(zip(apps, frame["timestamp"].astype("int64").tolist(), frame["value"].tolist(), strict=True))
    np.testing.assert_equal(got, expected)
    sent = dict(seen[0].parameters)
    assert (seen[0].method, seen[0].path) == ("POST", item.path)
    assert set(parameters) <= sent.keys()
    if instant:
        assert sent["time"] == str(end)
    else:
        assert (sent["start"], sent["end"], sent["step"]) == (str(start), str(end), "60")


@pytest.mark.parametrize("item", of_kind(*ERRORS))
async def test_refusals_become_errors(item: Recording) -> None:
    expected, says = ERRORS[kind_of(item.file)]
    with pytest.raises(expected) as caught:
        await ask(item, tenant="../etc" if "tenant ID" in item.body.decode(errors="replace") else None)
    error = caught.value
    assert type(error) is expected
    assert says in error.message
    assert error.where.startswith("loki (http://127.0.0.1:")
    assert error.hint, str(error)
    assert len(str(error).splitlines()) <= 5


@pytest.mark.parametrize(("name", "position"), [("error-parse", 13), ("error-unclosed", 8)])
async def test_the_place_of_a_mistake_is_marked(name: str, position: int) -> None:
    item = one(name)
    with pytest.raises(QueryError) as caught:
        await ask(item)
    assert caught.value.query == item.parameters["query"]
    assert caught.value.position == position
    assert caught.value.words == item.body.decode().strip()


async def asked(item: Recording, question: Callable[[LokiSource], Awaitable[Any]]) -> tuple[Any, dict[str, str]]:
    with replay({item.path: item}) as (url, seen):
        async with source_at(url) as source:
            found = await question(source)
    assert seen[-1].path == item.path
    return found, dict(seen[-1].parameters)


def span_of(item: Recording) -> TimeRange:
    return TimeRange(int(item.parameters.get("start", FROM)), int(item.parameters.get("end", TO)))


@pytest.mark.parametrize("item", of_kind("labels", "labels-query", "labels-no-range"))
async def test_label_names(item: Recording) -> None:
    found, sent = await asked(item, lambda source: source.log_catalog.names_in(span_of(item)))
    assert found == json.loads(item.body).get("data", [])
    assert set(item.parameters) - {"query"} <= sent.keys()
    assert all(sent[name] == item.parameters[name] for name in ("start", "end") if name in item.parameters)


@pytest.mark.parametrize("item", of_kind("label-values", "label-values-service-name", "label-values-unknown"))
async def test_label_values(item: Recording) -> None:
    label = item.path.split("/")[5]
    found, sent = await asked(item, lambda source: source.log_catalog.values_in(label, span_of(item)))
    assert found == json.loads(item.body).get("data", [])
    assert sent == {name: str(value) for name, value in item.parameters.items()}


@pytest.mark.parametrize("item", of_kind("series", "series-no-match"))
async def test_series(item: Recording) -> None:
    match = item.parameters.get("match[]", '{app=~".+"}')
    found, sent = await asked(item, lambda source: source.log_catalog.series([match], span_of(item)))
    assert found == json.loads(item.body)["data"]
    assert sent == {"match[]": match, "start": item.parameters["start"], "end": item.parameters["end"]}


async def test_index_stats() -> None:
    item = one("index-stats")
    query = item.parameters["query"]
    found, sent = await asked(item, lambda source: source.details.index_stats(query, span_of(item)))
    assert (found.streams, found.chunks, found.bytes, found.entries) == (315, 335, 7918592, 39220)
    assert sent == item.parameters


@pytest.mark.parametrize(("name", "step"), [("index-volume", None), ("index-volume-range", 900.0)])
async def test_index_volume(name: str, step: float | None) -> None:
    item = one(name)
    query = item.parameters["query"]
    found, sent = await asked(item, lambda source: source.details.index_volume(query, span_of(item), ["app"], step))
    check_metrics(found)
    series = json.loads(item.body)["data"]["result"]
    assert found["app"].drop_duplicates().tolist() == [one["metric"]["app"] for one in series]
    assert found["value"].tolist() == [float(v) for one in series for _, v in one.get("values", [one.get("value")])]
    assert {**sent, "step": "15m"} == {"step": "15m", **item.parameters}
    assert sent.get("step") == ("900" if step else None)


async def test_detected_fields() -> None:
    item = one("detected-fields")
    query = item.parameters["query"]
    found, sent = await asked(item, lambda source: source.log_catalog.detected_fields(query, span_of(item)))
    fields = {field.label: field for field in found}
    assert fields["duration_ms"].type == "float"
    assert fields["level_extracted"].json_path == ("level",)
    assert fields["detected_level"].parsers is None
    assert len(found) == len(json.loads(item.body)["fields"])
    assert item.parameters.items() <= sent.items()


async def test_patterns() -> None:
    item = one("patterns")
    query = item.parameters["query"]
    found, sent = await asked(item, lambda source: source.details.patterns(query, span_of(item)))
    assert found == []
    assert sent == item.parameters


async def test_health_and_recognition() -> None:
    item = one("buildinfo")
    found, _ = await asked(item, lambda source: source.health())
    assert found.ok
    assert found.version == "Loki"  # a build of its own, which does not know its version
    with replay({item.path: item}) as (url, _):
        assert ADAPTER.detect is not None
        assert await ADAPTER.detect("x", LokiSettings(url=url))
