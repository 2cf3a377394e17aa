"""Every recorded exchange with VictoriaLogs, through the public surface of the source."""

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

from obs_magics.adapters.victorialogs import ADAPTER, VictoriaLogsSettings, open_source
from obs_magics.adapters.victorialogs.source import VictoriaLogsSource
from obs_magics.model.errors import BadAnswer, ObsError, QueryError
from obs_magics.model.frames import check_metrics
from obs_magics.model.logs import check_logs
from obs_magics.model.query import LogsQuery, MetricsQuery
from obs_magics.model.sources import Answer
from obs_magics.model.time import SECOND, TimeRange

pytestmark = pytest.mark.contract

SPAN = TimeRange(1_795_356_000 * SECOND, 1_795_359_600 * SECOND)
QUERY = "/select/logsql/query"

# What each recording is for, by its name without the number.
LINES = [
    "query", "query-raw-tenant", "query-empty", "query-unpack-json", "query-offset-limit", "query-no-time",
    "error-bad-pipe",  # 200 and nothing: `nope` is taken for a filter
]  # fmt: skip
ERRORS: dict[str, tuple[type[ObsError], str]] = {
    "error-parse": (QueryError, "missing filter after '('"),
    "error-no-query": (QueryError, "missing query"),
    "error-bad-limit": (QueryError, 'cannot parse integer "limit"="x"'),
    "error-bad-time": (QueryError, "cannot parse start=x"),
    "not-found": (BadAnswer, "no LogsQL API"),
    "loki-query-api": (BadAnswer, "no LogsQL API"),
    "facets": (BadAnswer, "broke off"),  # one object without an end of line
}
NUMBERS = ["query-stats-pipe", "stats-query", "stats-query-range", "hits"]
NAMES = ["field-names", "field-values", "streams", "stream-field-names", "stream-field-values"]


def kind_of(file: str) -> str:
    return re.sub(r"^\d+-|\.json$", "", file)


def of_kind(*names: str) -> list[Any]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "recordings" / "victoria-logs"
    found = load(folder) if folder.is_dir() else ()
    return [pytest.param(item, id=item.file.removesuffix(".json")) for item in found if kind_of(item.file) in names]


def one(name: str) -> Recording:
    (found,) = (item.values[0] for item in of_kind(name))
    return found


def test_every_recording_is_accounted_for(shared: Path) -> None:
    files = list((shared / "contracts/recordings/victoria-logs").glob("*.json"))
    listed = [*LINES, *ERRORS, *NUMBERS, *NAMES]
    assert {kind_of(path.name) for path in files} == set(listed)
    assert len(listed) == len(set(listed))


@contextlib.asynccontextmanager
async def replaying(item: Recording, path: str = "", **settings: Any) -> AsyncIterator[tuple[VictoriaLogsSource, Any]]:
    with replay({path or item.path: item}) as (url, seen):
        source = open_source("vl", VictoriaLogsSettings(url=url, **settings))
        try:
            yield source, seen
        finally:
            await source.close()


async def ask(
    item: Recording, *, path: str = QUERY, span: TimeRange = SPAN, **settings: Any
) -> tuple[Answer, list[Seen]]:
    limit = item.parameters.get("limit", 100)
    query = LogsQuery(
        text=str(item.parameters.get("query", "*")), range=span, limit=limit if isinstance(limit, int) else 100,
        step_ns=300 * SECOND, volume_step_ns=300 * SECOND,
    )  # fmt: skip
    async with replaying(item, QUERY, **settings) as (source, seen):
        return await source.logs(query), seen


@pytest.mark.parametrize("item", of_kind(*LINES))
async def test_lines_become_frames(item: Recording) -> None:
    span = TimeRange(0, SPAN.end_ns) if "start" not in item.parameters else SPAN
    tenant = {"tenant": "1"} if kind_of(item.file) in {"query-raw-tenant", "query-unpack-json"} else {}
    answer, seen = await ask(item, span=span, **tenant)
    check_logs(answer.frame)
    rows = sorted((json.loads(line) for line in item.body.splitlines()), key=lambda row: row["_time"])
    assert answer.frame["timestamp"].tolist() == [pd.Timestamp(row["_time"]) for row in rows]
    for name in ("app", "pod", "route"):
        told = [row.get(name) for row in rows]
        if any(told):
            assert [None if pd.isna(value) else value for value in answer.frame[name].tolist()] == told
    lines = [row.get("_msg", "") for row in rows]
    expected = [row["msg"] if line.startswith("missing _msg") or not line else line
                for row, line in zip(rows, lines, strict=True)]  # fmt: skip
    assert answer.frame["message"].tolist() == expected
    for row, trace in zip(rows, answer.frame["trace_id"].tolist(), strict=True):
        if "trace_id" in row:
            assert trace == row["trace_id"]
    page = next(request for request in seen if "limit" in dict(request.parameters))
    assert (page.method, page.path) == ("POST", item.path)
    sent = dict(page.parameters)
    assert sent["query"] == item.parameters["query"]
    assert set(item.parameters) <= sent.keys()
    for name in ("start", "end"):
        if name in item.parameters:
            assert pd.Timestamp(sent[name]) == pd.Timestamp(item.parameters[name])
    assert page.headers.get("accountid") == tenant.get("tenant")
    assert "x-scope-orgid" not in page.headers
    if not rows:
        assert answer.total == 0


@pytest.mark.parametrize("item", of_kind(*ERRORS))
async def test_refusals_become_errors(item: Recording) -> None:
    expected, says = ERRORS[kind_of(item.file)]
    with pytest.raises(expected) as caught:
        await ask(item)
    error = caught.value
    assert type(error) is expected
    assert says in error.message
    assert error.where.startswith("vl (http://127.0.0.1:")
    assert error.hint, str(error)
    assert len(str(error).splitlines()) <= 5


async def test_the_place_of_a_mistake_is_marked() -> None:
    with pytest.raises(QueryError) as caught:
        await ask(one("error-parse"))
    assert (caught.value.query, caught.value.position) == ("app:(", 5)


def counts_of(frame: pd.DataFrame) -> dict[str, float]:
    return dict(zip(frame["app"].tolist(), frame["value"].tolist(), strict=True))


async def test_a_stats_pipe_gives_numbers() -> None:
    item = one("query-stats-pipe")
    answer, _ = await ask(item)  # the server has no such series over time: its rows are taken as they are
    check_metrics(answer.frame)
    assert answer.signal == "metrics"
    expected = {row["app"]: float(row["n"]) for row in map(json.loads, item.body.splitlines())}
    assert counts_of(answer.frame) == expected
    assert answer.frame["metric"].tolist() == ["n"] * 5


@pytest.mark.parametrize(("name", "instant"), [("stats-query", True), ("stats-query-range", False)])
async def test_stats_become_frames(name: str, instant: bool) -> None:
    item = one(name)
    query = MetricsQuery(text=item.parameters["query"], range=SPAN, step_ns=300 * SECOND, instant=instant)
    async with replaying(item) as (source, seen):
        answer = await source.metrics(query)
    check_metrics(answer.frame)
    series = json.loads(item.body)["data"]["result"]
    expected = [
        (s["metric"]["app"], t * SECOND, float(v)) for s in series for t, v in s.get("values", [s.get("value")])
    ]
    frame = answer.frame
    times = frame["timestamp"].astype("int64").tolist()
    assert list(zip(frame["app"].tolist(), times, frame["value"].tolist(), strict=True)) == expected
    sent = dict(seen[0].parameters)
    assert sent.keys() == item.parameters.keys()
    assert sent["query"] == item.parameters["query"]
    assert all(pd.Timestamp(sent[key]) == pd.Timestamp(item.parameters[key]) for key in ("start", "end"))
    assert instant or sent["step"] == "300s"


async def test_hits() -> None:
    item = one("hits")
    async with replaying(item) as (source, seen):
        answer = await source.hits(item.parameters["query"], SPAN, 300 * SECOND, ["app"])
    check_metrics(answer.frame)
    hits = json.loads(item.body)["hits"]
    assert answer.frame["value"].tolist() == [float(value) for group in hits for value in group["values"]]
    assert answer.frame["timestamp"].tolist() == [pd.Timestamp(t) for group in hits for t in group["timestamps"]]
    assert answer.frame["app"].drop_duplicates().tolist() == [group["fields"]["app"] for group in hits]
    sent = dict(seen[0].parameters)
    assert (seen[0].method, seen[0].path, sent["field"], sent["step"]) == ("POST", item.path, "app", "300s")
    assert sent.keys() == item.parameters.keys()


@pytest.mark.parametrize("item", of_kind(*NAMES))
async def test_names_and_values(item: Recording) -> None:
    endpoint, parameters = item.path.rpartition("/")[2], item.parameters
    async with replaying(item) as (source, seen):
        found = await source.log_catalog.hits(
            endpoint, SPAN, query=parameters["query"], field=parameters.get("field", "")
        )
    assert [{"value": hit.value, "hits": hit.hits} for hit in found] == json.loads(item.body)["values"]
    sent = dict(seen[0].parameters)
    assert set(parameters) <= sent.keys()
    assert sent["query"] == parameters["query"]


async def test_recognition() -> None:
    item = one("field-names")
    with replay({item.path: item}) as (url, _):
        assert ADAPTER.detect is not None
        assert await ADAPTER.detect("x", VictoriaLogsSettings(url=url))
    item = one("loki-query-api")
    with replay({"/select/logsql/field_names": item}) as (url, _):
        assert not await ADAPTER.detect("x", VictoriaLogsSettings(url=url))
