"""A folder as a source of traces: what is found, what is said of it, and what is said when nothing is."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from obs_magics.local import source as source_module
from obs_magics.local.block import assemble
from obs_magics.local.native import FORMAT, VERSION, Manifest, write_folder
from obs_magics.local.promql.context import Stopped
from obs_magics.local.settings import FolderSettings
from obs_magics.local.source import FolderSource
from obs_magics.local.trace_answers import answer_traces
from obs_magics.model.errors import BadAnswer, ConfigError, QueryError, SourceError
from obs_magics.model.frames import check_metrics
from obs_magics.model.query import TracesQuery
from obs_magics.model.sources import Answer, TracesSource
from obs_magics.model.spans import check_spans
from obs_magics.model.time import SECOND, TimeRange
from tests.support.traceql_worlds import BASE, MS, Row, columns_of, store_of

NOWHERE = "0000000000000000000000000000beef"


def rows() -> list[Row]:
    """Ten traces, one a minute; the last three are slow in inventory, the fourth and fifth fail in payment."""
    found = []
    for number in range(10):
        start, slow = number * 60 * SECOND, number >= 7
        failed = "error" if number in {3, 4} else "unset"
        trace = number + 1
        found += [
            Row(
                1,
                None,
                trace,
                "checkout-api",
                "POST /checkout",
                "server",
                start,
                (6_000 if slow else 50) * MS,
                status=failed,
            ),
            Row(
                2,
                1,
                trace,
                "inventory",
                "SELECT",
                "client",
                start + MS,
                (5_000 if slow else 20) * MS,
                attributes={"db.rows": number},
            ),
            Row(3, 1, trace, "payment-api", "charge", "client", start + 2 * MS, 10 * MS, status=failed),
        ]
    return found


STORE = store_of(*rows())


def ask(**conditions: object) -> Answer:
    """The answer to a question over the ten minutes."""
    asked = {"range": TimeRange(BASE, BASE + 600 * SECOND), "limit": 20, "step_ns": 60 * SECOND, **conditions}
    answer = answer_traces(STORE, TracesQuery(**asked), "demo", warnings=("careful",), stop=threading.Event())
    (check_metrics if answer.signal == "metrics" else check_spans)(answer.frame)
    return answer


def traces_of(answer: Answer) -> list[int]:
    """Their numbers, in order."""
    return [int(one, 16) for one in dict.fromkeys(answer.frame["trace_id"])]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, list(range(1, 11))),
        ({"service": "checkout-api", "min_duration_ns": 5 * SECOND}, [8, 9, 10]),
        ({"service": "payment-api", "min_duration_ns": 5 * SECOND}, []),
        ({"operation": "SELECT", "max_duration_ns": SECOND}, [1, 2, 3, 4, 5, 6, 7]),
        ({"min_duration_ns": 5 * SECOND, "max_duration_ns": 5 * SECOND}, [8, 9, 10]),
        ({"status": "error"}, [4, 5]),
        ({"status": "ok"}, [1, 2, 3, 6, 7, 8, 9, 10]),
        ({"status": "ok", "service": "inventory"}, list(range(1, 11))),
        ({"status": "error", "service": "inventory"}, []),
        ({"range": TimeRange(BASE + 60 * SECOND, BASE + 120 * SECOND)}, [2]),
        ({"text": "{ span.db.rows >= 8 }"}, [9, 10]),
        ({"text": "{ span.db.rows >= 4 }", "status": "error"}, [5]),
        ({"text": "{ } | count() > 3"}, []),
        ({"trace_ids": (f"{4:032x}", f"{6:032x}"), "range": TimeRange(0, 1)}, [4, 6]),
        ({"trace_ids": (f"{4:032x}", f"{6:032x}"), "status": "error"}, [4]),
        ({"trace_ids": (f"{4:032x}",), "text": "{ span.db.rows = 3 }"}, [4]),
    ],
)
def test_whole_traces(conditions: dict[str, object], expected: list[int]) -> None:
    answer = ask(**conditions)
    assert traces_of(answer) == expected
    assert len(answer.frame) == 3 * len(expected)
    assert bool(answer.empty_reason) == (not expected)
    assert answer.warnings[-1] == "careful"
    assert answer.signal == "traces"


def test_the_newest_where_there_are_more() -> None:
    answer = ask(limit=2)
    assert traces_of(answer) == [9, 10]
    assert answer.truncated == "the newest 2 of 10 traces"
    assert answer.native_query == "{ }"
    assert ask(limit=0).truncated == "the newest 0 of 10 traces"
    assert ask(limit=2, trace_ids=(f"{1:032x}",)).truncated == ""


def test_what_the_query_finds_is_noted_and_the_question_is_shown() -> None:
    answer = ask(text="{ status = error }", service="payment-api")
    assert answer.native_query == '{ span:status = error } && { resource.service.name = "payment-api" }'
    assert answer.warnings == ("the query finds 4 spans in 2 traces, which are shown whole", "careful")
    assert ask(text="{ span.db.rows = 1 }").warnings[0] == "the query finds 1 span in 1 trace, which are shown whole"
    assert ask(trace_ids=(NOWHERE, f"{1:032x}")).native_query == f"{NOWHERE}, {1:032x}"


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ({"service": "chekout-api"}, "no span is of the service 'chekout-api'; did you mean checkout-api?"),
        ({"service": "zzz"}, "no span is of the service 'zzz'; there are checkout-api, inventory, payment-api"),
        ({"service": "inventory", "operation": "POST"}, "no span of inventory is named 'POST'; there is SELECT"),
        ({"operation": "SELEC"}, "no span is named 'SELEC'; did you mean SELECT?"),
        (
            {
                "service": "inventory",
                "operation": "SELECT",
                "min_duration_ns": 9 * SECOND,
                "max_duration_ns": 20 * SECOND,
            },
            "no span of inventory named 'SELECT' takes at least 9 s and at most 20 s; "
            "there are 10 such spans of 20 ms to 5 s",
        ),
        ({"max_duration_ns": 5}, "no span takes at most 5 ns; there are 30 such spans of 10 ms to 6 s"),
        (
            {"min_duration_ns": 7 * SECOND, "max_duration_ns": 5_500},
            "no span takes at least 7 s and at most 5.5 µs; there",
        ),
        ({"status": "error", "service": "inventory"}, "there is no failed span of inventory"),
        (
            {"status": "error", "min_duration_ns": SECOND},
            "there is no failed span among the traces that fulfil the rest",
        ),
        (
            {"service": "checkout-api", "range": TimeRange(BASE + 10_000 * SECOND, BASE + 20_000 * SECOND)},
            "the traces lie between 2026-11-22 10:00:00 and 2026-11-22 10:09:00 UTC, with no span in the range",
        ),
        (
            {"status": "error", "range": TimeRange(BASE + 480 * SECOND, BASE + 600 * SECOND)},
            "such traces lie between 2026-11-22 10:03:00 and 2026-11-22 10:04:00 UTC, with no span in the range",
        ),
        ({"text": "{ .x = 1 }"}, "10 traces in this range, but the query finds no span in them"),
        (
            {"text": "{ .x = 1 }", "trace_ids": (f"{4:032x}",)},
            "1 trace found by id, but not one that fulfils what else is asked",
        ),
        (
            {"text": "{ .x = 1 }", "status": "error"},
            "2 traces fulfil the conditions in this range, but the query finds no span in them",
        ),
        (
            {"trace_ids": (NOWHERE,)},
            f"no trace has the id {NOWHERE}; "
            "there are 10 traces, between 2026-11-22 10:00:00 and 2026-11-22 10:09:00 UTC",
        ),
        ({"text": "{ .x = 1 } | rate()"}, "30 spans in this range, but the query gives no number for any"),
        (
            {"text": "{ } | rate()", "range": TimeRange(BASE + 10_000 * SECOND, BASE + 20_000 * SECOND)},
            "the traces lie between 2026-11-22 10:00:00 and 2026-11-22 10:09:00 UTC, with no span in the range",
        ),
    ],
)
def test_why_there_is_nothing(conditions: dict[str, object], reason: str) -> None:
    answer = ask(**conditions)
    assert answer.frame.empty
    assert answer.empty_reason.startswith(reason)


def test_every_trace_fails() -> None:
    store = store_of(Row(1, status="error", service="a"))
    query = TracesQuery(status="ok", service="a", range=TimeRange(BASE, BASE + 1), limit=1, step_ns=1)
    answer = answer_traces(store, query, "x", warnings=(), stop=threading.Event())
    assert answer.empty_reason == "there is no trace without a failed span of a"


def test_numbers_over_time() -> None:
    answer = ask(text="{ } | count_over_time() by (resource.service.name)", service="payment-api")
    assert answer.signal == "metrics"
    assert answer.native_query.startswith('{ resource.service.name = "payment-api" } | count_over_time()')
    assert answer.frame["value"].sum() == 10
    assert set(answer.frame["resource.service.name"]) == {"payment-api"}
    answer = ask(text="{ } | count_over_time()", trace_ids=(f"{4:032x}",))
    assert answer.frame["value"].sum() == 3
    assert set(answer.frame["metric"]) == {"count_over_time"}


def test_errors_name_the_source_and_the_place() -> None:
    with pytest.raises(QueryError) as caught:
        ask(text="{ duration > }")
    assert caught.value.where == "demo"
    assert caught.value.position is not None
    with pytest.raises(QueryError, match="points a series") as caught:
        ask(text="{ } | rate()", step_ns=1)
    assert caught.value.query == "{ } | rate()"


def test_it_stops_when_nobody_waits() -> None:
    stop = threading.Event()
    stop.set()
    query = TracesQuery(text="{ }", range=TimeRange(BASE, BASE + 600 * SECOND), limit=1, step_ns=SECOND)
    with pytest.raises(Stopped):
        answer_traces(STORE, query, "demo", warnings=(), stop=stop)


def native(folder: Path, spans: pa.Table | None) -> Path:
    """A native folder."""
    manifest = Manifest(format=FORMAT, version=VERSION, title="ours")
    write_folder(folder, assemble([]), manifest, None if spans is None else {"spans": spans})
    return folder


def spans_table() -> pa.Table:
    """Some spans in the native layout."""
    columns = columns_of(rows())
    return pa.table(
        {
            "trace_id": columns.trace_id,
            "span_id": columns.span_id,
            "parent_id": columns.parent_id,
            "service": columns.service,
            "operation": columns.operation,
            "start": pa.array(columns.start_ns, pa.timestamp("ns", tz="UTC")),
            "duration": pa.array(columns.duration_ns, pa.duration("ns")),
            "db.rows": pa.array(np.arange(30)),
        }
    )


def question(text: str = "") -> TracesQuery:
    """About all of them."""
    return TracesQuery(text=text, range=TimeRange(BASE, BASE + 600 * SECOND), limit=100, step_ns=SECOND)


async def test_a_native_folder(tmp_path: Path) -> None:
    source = FolderSource("mine", FolderSettings(path=str(native(tmp_path, spans_table()))))
    assert isinstance(source, TracesSource)
    assert source.speaks_traceql
    assert "30 spans" in (await source.health()).detail
    assert source.now_ns() == int(max(row.start for row in rows())) + BASE + 1
    answer = await source.traces(question('{ .db.rows = 4 && resource.service.name = "inventory" }'))
    assert traces_of(answer) == [2]
    assert await source.trace_catalog.services() == ["checkout-api", "inventory", "payment-api"]
    await source.close()


async def test_a_folder_without_spans(tmp_path: Path) -> None:
    source = FolderSource("mine", FolderSettings(path=str(native(tmp_path, None)), now="2026-11-22T16:00:00Z"))
    with pytest.raises(SourceError, match="there are no spans in this folder") as caught:
        await source.traces(question())
    assert "Jaeger JSON" in caught.value.hint
    assert caught.value.where.startswith("mine")
    assert await source.trace_catalog.attribute_names() == []


async def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    folder = native(tmp_path, spans_table())
    source = FolderSource("mine", FolderSettings(path=str(folder), now="2026-11-22T16:00:00Z"))
    source.contents()
    (folder / "spans.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadAnswer, match="the spans cannot be read"):
        await source.traces(question())
    other = FolderSource("other", FolderSettings(path=str(folder)))
    with pytest.raises(BadAnswer, match="the folder is damaged"):
        await other.traces(question())


async def test_a_table_of_something_else(tmp_path: Path) -> None:
    folder = native(tmp_path, spans_table())
    pq.write_table(pa.table({"a": [1]}), folder / "spans.parquet")
    source = FolderSource("mine", FolderSettings(path=str(folder), now="2026-11-22T16:00:00Z"))
    with pytest.raises(BadAnswer, match="has no column trace_id"):
        await source.traces(question())
    with pytest.raises(BadAnswer, match="the folder is damaged"):
        FolderSource("mine", FolderSettings(path=str(folder))).contents()
    with pytest.raises(ConfigError, match="which is not a time"):
        FolderSource("mine", FolderSettings(path=str(folder), now="noon")).contents()


async def test_cancelling_stops_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started, stopped = threading.Event(), threading.Event()

    def wait(*_: object, stop: threading.Event, **__: object) -> None:
        started.set()
        if stop.wait(10):
            stopped.set()

    monkeypatch.setattr(source_module, "answer_traces", wait)
    source = FolderSource("mine", FolderSettings(path=str(native(tmp_path, spans_table()))))
    task = asyncio.create_task(source.traces(question()))
    await asyncio.to_thread(started.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(stopped.wait, 10)
