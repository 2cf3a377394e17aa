"""Files of spans that people have: recognised by what is in them, read whole or as far as they can be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from obs_magics.local.readers import read_files
from obs_magics.local.readers.base import Mapping, Reading
from obs_magics.local.settings import FolderSettings
from obs_magics.local.source import FolderSource
from obs_magics.model.query import LogsQuery, MetricsQuery, TracesQuery
from obs_magics.model.time import SECOND, TimeRange
from tests.local.traces.test_zipkin import CLIENT, SERVER, US
from tests.support.traceql_worlds import Row, store_of

START = US * 1_000


def otlp(trace: int, **span: Any) -> dict[str, Any]:
    """One span, as the collector's file exporter writes it."""
    whole = {
        "traceId": f"{trace:032x}", "spanId": "000000000000000a", "name": "GET /", "kind": 2,
        "startTimeUnixNano": str(START), "endTimeUnixNano": str(START + 5),
        "attributes": [{"key": "http.response.status_code", "value": {"intValue": "500"}}], **span,
    }  # fmt: skip
    service = {"key": "service.name", "value": {"stringValue": "api"}}
    return {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [{"scope": {}, "spans": [whole]}]}]}


JAEGER = {
    "traceID": "abc",
    "spans": [
        {"traceID": "abc", "spanID": "1", "operationName": "op", "startTime": US, "duration": 7, "processID": "p1"}
    ],
    "processes": {"p1": {"serviceName": "web"}},
}
DOCUMENTS: dict[str, str] = {
    "OTLP": json.dumps(otlp(1)),
    "OTLP, pretty": json.dumps(otlp(1), indent=2),
    "OTLP lines": "\n".join(json.dumps(otlp(number)) for number in (1, 2)),
    "Tempo v1": json.dumps({"batches": otlp(1)["resourceSpans"]}),
    "Tempo v2": json.dumps({"trace": otlp(1, traceId="jVEYCR7bS+BFPvLgUriScw==", spanId="AAAAAAAAAAo=")}),
    "Jaeger API": json.dumps({"data": [JAEGER], "total": 0, "errors": None}),
    "Jaeger trace": json.dumps(JAEGER),
    "Jaeger v3": json.dumps({"result": otlp(1)}),
    "Zipkin": json.dumps([CLIENT]),
    "Zipkin traces": json.dumps([[CLIENT, SERVER]], indent=1),
    "Zipkin lines": "\n".join(map(json.dumps, [CLIENT, {**SERVER, "traceId": "9"}])),
}


def read(folder: Path) -> Reading:
    """What a folder holds."""
    return read_files(folder, Mapping())


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("packed", [False, True])
def test_documents(name: str, packed: bool, tmp_path: Path) -> None:
    body = DOCUMENTS[name].encode()
    (tmp_path / "file.txt").write_bytes(gzip.compress(body) if packed else b"\n" + body)
    found = read(tmp_path)
    assert not found.problems
    assert found.files == 1
    expected = 2 if name.endswith("lines") or name == "Zipkin traces" else 1
    assert [len(columns) for columns in found.spans] == [expected]
    assert not found.rows
    assert not found.logs


def test_of_broken_files_the_rest_is_read_and_the_line_said(tmp_path: Path) -> None:
    good = json.dumps(otlp(1))
    (tmp_path / "a.jsonl").write_text(good + "\n\n" + good[:100] + "\n" + json.dumps(otlp(3)))
    (tmp_path / "b.json").write_text(json.dumps(otlp(4), indent=1)[:-20])
    (tmp_path / "c.json").write_text(json.dumps({"data": [], "traceID": 1, "spanID": 2, "operationName": 3}))
    (tmp_path / "d.json").write_text(json.dumps({"traces": [{"traceID": "1", "rootTraceName": "x"}]}))
    (tmp_path / "e.json").write_text(json.dumps({"resourceSpans": []}))
    found = read(tmp_path)
    assert [len(columns) for columns in found.spans] == [2, 0]
    said = [str(problem) for problem in found.problems]
    assert said[0].startswith("a.jsonl, line 3: this is not OTLP JSON of traces: it is not whole JSON")
    assert said[1].startswith("b.json: this is not OTLP JSON of traces")
    assert said[2].startswith("c.json: this is not Jaeger's JSON")
    assert said[3].startswith("d.json: it is the answer to a search, which names traces without their spans")
    assert said[4] == "e.json: there is no span in it (OTLP JSON)"


@pytest.mark.parametrize(
    "line",
    [
        {
            "timestamp": "2026-11-22T10:00:00Z",
            "level": "info",
            "message": 'got {"resourceSpans": []}',
            "traceId": "1",
            "id": "2",
        },
        {"time": "2026-11-22T10:00:00Z", "msg": "x", "traceId": "1", "id": "2", "duration": 5},
        {"time": "2026-11-22T10:00:00Z", "level": "warn", "msg": '"traceID": "spanID": "operationName":'},
    ],
)
def test_logs_that_speak_of_spans_stay_logs(line: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("\n".join([json.dumps(line)] * 3))
    found = read(tmp_path)
    assert not found.spans
    assert [len(table) for table in found.logs] == [3]


def _clickhouse() -> pa.Table:
    maps = pa.map_(pa.string(), pa.string())
    return pa.table(
        {
            "Timestamp": pa.array([START, START + 10], pa.timestamp("ns")),
            "TraceId": ["AB" * 16, "cd" * 16],
            "SpanId": ["0000000000000001", "2"],
            "ParentSpanId": ["", "1"],
            "SpanName": ["op", "db"],
            "SpanKind": ["SPAN_KIND_SERVER", "Client"],
            "ServiceName": ["api", ""],
            "ResourceAttributes": pa.array([[("k8s.pod.name", "p")], []], maps),
            "SpanAttributes": pa.array([[("a", "1")], None], maps),
            "Duration": pa.array([1_000, 2_000], pa.int64()),
            "StatusCode": ["STATUS_CODE_ERROR", "Ok"],
            "StatusMessage": ["broken", ""],
        }
    )


def test_tables_that_exporters_write(tmp_path: Path) -> None:
    pq.write_table(_clickhouse(), tmp_path / "otel_traces.parquet")
    found = read(tmp_path)
    assert not found.problems
    frame = found.spans[0].frame()
    assert frame["trace_id"].tolist() == ["ab" * 16, "cd" * 16]
    assert frame["parent_id"].isna().tolist() == [True, False]
    assert frame["kind"].tolist() == ["server", "client"]
    assert frame["status"].tolist() == ["error", "ok"]
    assert frame["duration"].tolist() == [pd.Timedelta(1, "us"), pd.Timedelta(2, "us")]
    assert frame["start"][0] == pd.Timestamp(START, tz="UTC")
    assert [dict(one) for one in frame["attributes"]] == [{"a": "1", "k8s.pod.name": "p"}, {}]
    assert frame["service"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("columns", "start", "duration"),
    [
        ({"start_time": [START // 10**9], "duration_ms": [1.5]}, START, 1_500_000),
        ({"startTime": [START // 10**6], "duration_us": [7]}, START, 7_000),
        ({"start": ["2026-11-22T10:00:00Z"], "duration_seconds": [2]}, START, 2 * SECOND),
        ({"start": [START // 10**3], "end": [START // 10**3 + 1]}, START, 1_000),
        ({"start": [float(START // 10**9)], "duration": [5]}, START, 5),
        ({"start": [START], "end_time": [START - 5]}, START, 0),
    ],
)
def test_how_tables_write_times(columns: dict[str, list[Any]], start: int, duration: int, tmp_path: Path) -> None:
    ids = {"trace_id": pa.array([b"\xab" * 16]), "span_id": [1], "kind": [3], "status": [2], "rows": [5]}
    pq.write_table(pa.table({**ids, **columns}), tmp_path / "spans.parquet")
    found = read(tmp_path)
    assert not found.problems
    spans = found.spans[0]
    assert (spans.start_ns.tolist(), spans.duration_ns.tolist()) == ([start], [duration])
    frame = spans.frame()
    assert (frame["kind"][0], frame["status"][0], frame["span_id"][0]) == ("client", "error", "0000000000000001")
    assert dict(frame["attributes"][0]) == {"rows": "5"}


def test_a_saved_frame_comes_back(tmp_path: Path) -> None:
    store = store_of(
        Row(1, attributes={"a": 1}, resource={"b": "x"}, events=[("e", 5, {"k": "v"})], links=[(2, 3)]), Row(2, 1)
    )
    frame = store.frame(np.arange(1))
    pa_table = pa.Table.from_pandas(frame)
    pq.write_table(pa_table, tmp_path / "frame.parquet")
    found = read(tmp_path)
    assert not found.problems
    pd.testing.assert_frame_equal(found.spans[0].frame(), frame, check_categorical=False)


def test_tables_without_sense(tmp_path: Path) -> None:
    ids = {"trace_id": ["zz!"], "span_id": ["1"]}
    pq.write_table(pa.table({**ids, "start": [START], "duration": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({**ids, "start": ["noon"], "duration": [1]}), tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 and no more")
    pq.write_table(pa.table({**ids, "timestamp": [START], "message": ["x"], "duration": [5]}), tmp_path / "d.parquet")
    found = read(tmp_path)
    said = {problem.file: problem.why for problem in found.problems}
    assert said["a.parquet"] == "there is no span in it"
    assert said["b.parquet"].startswith("the spans cannot be read")
    assert "c.parquet" in said
    assert len(found.logs) == 1


def test_a_first_span_that_is_longer_than_what_is_looked_at(tmp_path: Path) -> None:
    long = {**CLIENT, "tags": {"sql": "x" * 100_000}}
    (tmp_path / "zipkin.json").write_text(json.dumps([long]))
    (tmp_path / "other.json").write_text(json.dumps([{"traceId": "1", "text": "x" * 100_000}]))
    found = read(tmp_path)
    assert [len(columns) for columns in found.spans] == [1]
    assert any(problem.file == "other.json" for problem in found.problems)


async def test_metrics_logs_and_spans_in_one_folder(tmp_path: Path) -> None:
    (tmp_path / "spans.jsonl").write_text(DOCUMENTS["OTLP lines"])
    (tmp_path / "copy.json").write_text(DOCUMENTS["OTLP"])
    (tmp_path / "jaeger.json.gz").write_bytes(gzip.compress(DOCUMENTS["Jaeger API"].encode()))
    (tmp_path / "work.csv").write_text(f"timestamp,value\n{US // 10**6},1\n{US // 10**6 + 15},2\n")
    (tmp_path / "app.log").write_text("2026-11-22T10:00:00Z INFO started\n2026-11-22T10:00:01Z ERROR failed\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n")
    source = FolderSource("mine", FolderSettings(path=str(tmp_path)))
    assert "1 series, 2 log lines, 3 spans" in (await source.health()).detail
    span = TimeRange(START, START + 20 * SECOND)
    traces = await source.traces(
        TracesQuery(text="{ .http.response.status_code = 500 }", range=span, limit=9, step_ns=SECOND)
    )
    assert len(traces.frame) == 2
    assert not any("picture.png" in warning for warning in traces.warnings)
    assert "picture.png" in (await source.health()).detail
    metrics = await source.metrics(MetricsQuery(text="work", range=span, step_ns=15 * SECOND))
    assert len(metrics.frame) == 2
    logs = await source.logs(
        LogsQuery(text='{filename=~".+"}', range=span, limit=9, step_ns=SECOND, volume_step_ns=SECOND)
    )
    assert len(logs.frame) == 2


async def test_spans_alone_and_their_now(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(DOCUMENTS["Jaeger trace"])
    source = FolderSource("mine", FolderSettings(path=str(path)))
    assert (await source.health()).detail.startswith("1 file, 1 span.")
    assert source.now_ns() == START + 1
