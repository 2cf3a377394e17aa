"""Data people have: each format is known by its contents, read whole, and what is wrong in it is named by line."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings import load

from obs_magics.local import readers
from obs_magics.local.block import Block, assemble
from obs_magics.local.promql.data import STALE_BITS
from obs_magics.local.readers import FORMATS, exposition, prometheus_json, read_files
from obs_magics.local.readers.base import File, Mapping, Reading
from obs_magics.model.frames import METRIC_NAME_LABEL

START = 1_795_341_600_000  # 2026-11-22 10:00 UTC


def _read(path: Path, text: str | bytes, **mapping: Any) -> Reading:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_files(path, Mapping(**mapping))


def _samples(reading: Reading | Block) -> dict[tuple[str, ...], list[tuple[int, float]]]:
    """Series as (name, label=value, …) → (ms since START, value)."""
    block = assemble(reading.rows) if isinstance(reading, Reading) else reading
    return {
        (
            labels[METRIC_NAME_LABEL],
            *(f"{name}={value}" for name, value in sorted(labels.items()) if name != METRIC_NAME_LABEL),
        ): [
            (int(block.timestamps_ms[at]) - START, float(block.values[at]))
            for at in range(block.offsets[row], block.offsets[row + 1])
        ]
        for row, labels in enumerate(block.labels)
    }


def _problems(reading: Reading) -> list[str]:
    return [str(problem) for problem in reading.problems]


CSV = (
    "timestamp,service,code,value\n"
    "2026-11-22T10:00:00Z,a,007,1.5\n"
    "2026-11-22T10:00:15Z,a,007,oops\n"
    "bad,a,007,2\n"
    "2026-11-22T10:00:30Z,a,007\n"
    '2026-11-22T10:00:45Z,"x\ny",007,2\n'
    "2026-11-22T11:01:00+01:00,a,007,3,4\n"
    "2026-11-22T11:01:15+01:00,a,,+Inf\n"
    "2026-11-22T10:01:30Z,a,,\n"
)


@pytest.mark.parametrize("packed", [False, True])
def test_csv_with_wrong_rows_gives_the_rest(tmp_path: Path, packed: bool) -> None:
    name = "load.csv.gz" if packed else "load.csv"
    reading = _read(tmp_path / name, gzip.compress(CSV.encode()) if packed else CSV)
    assert _samples(reading) == {
        ("load", "code=007", "service=a"): [(0, 1.5)],
        ("load", "code=007", "service=x\ny"): [(45_000, 2.0)],
        ("load", "service=a"): [(75_000, float("inf"))],
    }
    assert _problems(reading) == [
        f"{name}, line 3: column value: Could not convert string \"oops\" to 'DOUBLE'",
        f"{name}, line 4: column timestamp: Could not convert string \"bad\" to 'TIMESTAMP WITH TIME ZONE'",
        f"{name}, line 5: Expected Number of Columns: 4 Found: 3",
        f"{name}, line 8: Expected Number of Columns: 4 Found: 5",
    ]


def test_numeric_columns_are_metrics_and_numbers_that_name_are_labels(tmp_path: Path) -> None:
    text = "time;cpu load;mem;host;status_code;\n1795341600;1.5;2;a;200;x\n1795341615.5;;3;a;200;x\n"
    assert _samples(_read(tmp_path / "wide.csv", text)) == {
        ("cpu_load", "column_6=x", "host=a", "status_code=200"): [(0, 1.5)],
        ("mem", "column_6=x", "host=a", "status_code=200"): [(0, 2.0), (15_500, 3.0)],
    }


def test_the_user_says_what_the_columns_mean(tmp_path: Path) -> None:
    text = "when,ended,metric,n,a,b\n1,2026-11-22,up.x,5,1,2\n"
    mapping = {"timestamp": "when", "time_unit": "ms", "value": ["n"], "labels": ["a"]}
    assert _samples(_read(tmp_path / "x.csv", text, **mapping)) == {("n", "a=1"): [(1 - START, 5.0)]}
    mapping = {"timestamp": "when", "time_unit": "s", "value": ["n"], "metric": "metric", "labels": ["b"]}
    assert _samples(_read(tmp_path / "x.csv", text, **mapping)) == {("up_x", "b=2"): [(1000 - START, 5.0)]}
    mapping = {"timestamp": "ended", "value": ["a", "b"], "metric": "all", "labels": []}
    assert _samples(_read(tmp_path / "x.csv", text, **mapping)) == {
        ("all_a",): [(-36_000_000, 1.0)],
        ("all_b",): [(-36_000_000, 2.0)],
    }
    mapping = {"timestamp": "ended", "value": ["a"], "metric": "one", "labels": []}
    assert list(_samples(_read(tmp_path / "x.csv", text, **mapping))) == [("one",)]
    reading = _read(tmp_path / "x.csv", text, timestamp="wenn")
    assert _problems(reading) == ["x.csv: there is no column 'wenn'; did you mean when?"]
    reading = _read(tmp_path / "x.csv", text, labels=["zzzz"])
    assert _problems(reading) == ["x.csv: there is no column 'zzzz'; it has when, ended, metric, n, a, b"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "a,b\nx,y\nz,w\n",
            "no column holds times (there are a, b); name one with the option timestamp, and its form with time_format",
        ),
        ("time,b\n2026-11-22,y\n2026-11-23,w\n", "no column holds numbers; name one with the option value"),
    ],
)
def test_a_table_without_times_or_numbers_says_so(tmp_path: Path, text: str, problem: str) -> None:
    assert _problems(_read(tmp_path / "x.csv", text)) == [f"x.csv: {problem}"]


@pytest.mark.parametrize(
    ("factor", "column"), [(1, "ts"), (1_000, "t"), (1_000_000, "time"), (1_000_000_000, "Timestamp")]
)
def test_epochs_are_known_by_their_size(tmp_path: Path, factor: int, column: str) -> None:
    text = f"{column},value,value\n{START // 1000 * factor},1,x\n"
    assert _samples(_read(tmp_path / "m.csv", text)) == {("m", "value_3=x"): [(0, 1.0)]}


@pytest.mark.parametrize(
    ("body", "problem", "samples"),
    [
        (b"timestamp,value\r\n1795341600,1\r\n1795341615,oops\r\n", "line 3: column value: Could not convert", 1),
        (b"\xef\xbb\xbftimestamp,value\n1795341600,1\n1795341615\n", "line 3: Expected Number of Columns", 1),
        ("timestamp,x,value\n1,café,1\n2,b,2\n".encode("latin-1"), "line 2: Invalid unicode", 1),
        (b'timestamp,x,value\n1,"a,1\n2,b,2\n', "it has no row that can be read", 0),
        (b"timestamp,value\n,1\n2,2\n", "line 2: column timestamp: not a time", 1),
        (b"timestamp,value\n1,\n2,\n", "no column holds numbers", 0),
    ],
)
def test_odd_csv_files(tmp_path: Path, body: bytes, problem: str, samples: int) -> None:
    reading = _read(tmp_path / "x.csv", body)
    assert any(problem in one for one in _problems(reading))
    assert sum(len(rows.values) for rows in reading.rows) == samples


def test_many_wrong_lines_are_counted(tmp_path: Path) -> None:
    text = "timestamp,value\n1795341600,1\n" + "1795341600,oops\n" * 30
    reading = _read(tmp_path / "x.csv", text)
    assert len(reading.problems) == 21
    assert _problems(reading)[-1] == "x.csv: and 10 more lines like these"


@pytest.mark.parametrize("packed", [False, True])
def test_json_lines_with_nested_labels_and_wrong_lines(tmp_path: Path, packed: bool) -> None:
    lines = [
        '{"ts": "2026-11-22T10:00:00Z", "value": 1, "metric": "up.x", "labels": {"job": "a", "metric": "m"}}',
        "{broken}",
        "[1]",
        "",
        '{"ts": "2026-11-22T10:00:15Z", "value": "oops", "metric": "up.x", "labels": {"job": "a"}}',
        '{"ts": "?", "value": 3, "metric": "up.x", "labels": {"job": "b"}}',
        '{"ts": "2026-11-22T10:00:30Z", "value": "4", "metric": "up.x", "labels": {"job": "b"}}',
    ]
    text = "\n".join(lines).encode()
    reading = _read(tmp_path / "x.jsonl", gzip.compress(text) if packed else text)
    assert _samples(reading) == {("up_x", "job=a", "labels_metric=m"): [(0, 1.0)], ("up_x", "job=b"): [(30_000, 4.0)]}
    problems = _problems(reading)
    assert problems[0].startswith("x.jsonl, line 2: not JSON: ")
    assert problems[1:] == [
        "x.jsonl, line 3: not a JSON object",
        "x.jsonl, line 6: column ts: not a time",
        "x.jsonl, line 5: column value: not a number",
    ]


def test_json_lines_of_logs_are_no_metrics(tmp_path: Path) -> None:
    reading = _read(tmp_path / "log.jsonl", '{"time": "2026-11-22T10:00:00Z", "msg": "hello"}\n')
    assert not reading.rows
    assert not reading.problems
    assert [table["message"].to_pylist() for table in reading.logs] == [["hello"]]


@pytest.mark.parametrize("packed", [False, True])
def test_parquet_with_typed_columns(tmp_path: Path, packed: bool) -> None:
    frame = pd.DataFrame(
        {
            "at": pd.to_datetime([START, START + 15_000, None], unit="ms", utc=True),
            "latency": np.array([0.25, np.nan, 1.0]),
            "host": pd.Categorical(["a", "b", "a"]),
        }
    )
    plain = tmp_path / "x.parquet"
    frame.to_parquet(plain)
    path = tmp_path / "y.parquet.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    reading = read_files(path if packed else plain, Mapping())
    found = _samples(reading)
    assert found["latency", "host=a"] == [(0, 0.25)]
    assert _problems(reading) == [f"{'y.parquet.gz' if packed else 'x.parquet'}: row 3: column at: not a time"]
    broken = _read(tmp_path / "z.parquet", b"PAR1 and nothing else")
    assert len(broken.problems) == 1
    assert not broken.rows


TEXT = f"""# HELP a_total Things\\nthat are.
# TYPE a_total counter
# A comment.
a_total{{x="1 2",y="\\"q\\"\\\\"}} 5 {START}
a_total{{x="1 2"}} oops {START}
what is this
b NaN {START}
c{{x=1}} 1 {START}
{{x="1"}} 1 {START}
{{"d.e",x="1",}} -Inf {START}
f 1_0 {START}

"""


def test_prometheus_text_with_wrong_lines(tmp_path: Path) -> None:
    reading = _read(tmp_path / "x.prom", TEXT)
    found = _samples(reading)
    assert found["a_total", "x=1 2", 'y="q"\\'] == [(0, 5.0)]
    assert found["d.e", "x=1"] == [(0, float("-inf"))]
    assert np.isnan(found["b",][0][1])
    assert len(found) == 3
    assert reading.rows[0].metadata["a_total"].help == "Things\nthat are."
    assert reading.rows[0].metadata["a_total"].type == "counter"
    assert _problems(reading) == [
        "x.prom, line 5: 'oops' is not a number",
        "x.prom, line 6: not a sample: name{labels} value timestamp",
        "x.prom, line 8: the labels are wrong at 'x=1'",
        "x.prom, line 9: the sample has no metric name",
        "x.prom, line 11: '1_0' is not a number",
    ]


def test_openmetrics_counts_in_seconds(tmp_path: Path) -> None:
    text = (
        "# TYPE lag_seconds histogram\n# UNIT lag_seconds seconds\n"
        f'lag_seconds_bucket{{le="+Inf"}} 5 {START / 1000} # {{trace_id="x y"}} 0.3 1\n# EOF\n'
    )
    reading = _read(tmp_path / "x.txt", text)
    assert _samples(reading) == {("lag_seconds_bucket", "le=+Inf"): [(0, 5.0)]}
    assert reading.rows[0].metadata["lag_seconds"].unit == "s"


def test_a_scrape_without_times_gets_the_time_of_its_file(tmp_path: Path) -> None:
    import os

    path = tmp_path / "scrape"
    path.write_text("up 1\ndown 0\n")
    os.utime(path, (START / 1000, START / 1000))
    reading = read_files(path, Mapping())
    assert _samples(reading) == {("down",): [(0, 0.0)], ("up",): [(0, 1.0)]}
    assert _problems(reading) == ["scrape: no sample has a timestamp: the file's own time is taken"]
    path.write_text(f"up 1 {START}\ndown 0\n")
    assert _problems(read_files(path, Mapping())) == [
        "scrape: 1 samples have no timestamp: the file's own time is taken"
    ]


@given(st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True), st.text(), max_size=4))
def test_labels_come_back_as_they_were_written(labels: dict[str, str]) -> None:
    written = {
        name: value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"') for name, value in labels.items()
    }
    text = "{" + ",".join(f'{name}="{value}"' for name, value in written.items()) + "}"
    assert exposition.parse_labels(text) == labels


DUMP = (
    f'{{__name__="up", job="x"}} 1 {START}\n\n'
    f'{{__name__="h"}} {{count:3, sum:4.5, [-0.1,0.1]:1, (0.5,1]:2}} {START}\n'
    f'{{__name__="up", job="x"}} oops {START}\n'
    f'{{__name__="h"}} {{count:x}} {START}\n'
    "bad\n"
)


def test_a_dump_of_promtool(tmp_path: Path) -> None:
    reading = _read(tmp_path / "dump", DUMP)
    assert _samples(reading)["up", "job=x"] == [(0, 1.0)]
    assert assemble(reading.rows).histograms.to_pylist()[0] == {
        "count": 3.0,
        "sum": 4.5,
        "buckets": [
            {"rule": 3, "lower": -0.1, "upper": 0.1, "count": 1.0},
            {"rule": 0, "lower": 0.5, "upper": 1.0, "count": 2.0},
        ],
    }
    assert _problems(reading) == [
        "dump, line 4: 'oops' is not a number",
        "dump, line 5: '{count:x}' is not a histogram",
        "dump, line 6: not a line of promtool tsdb dump: {labels} value milliseconds",
    ]


@pytest.mark.real
def test_what_promtool_really_dumps(tmp_path: Path, prometheus_binary: str) -> None:
    assert prometheus_binary
    om = "".join(f'a{{x="{name}"}} {n} {START / 1000 + n * 15}\n' for name in "pq" for n in range(20)) + "# EOF\n"
    (tmp_path / "om").write_text("# TYPE a gauge\n" + om)
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", "om", "data"], cwd=tmp_path, check=True)
    (tmp_path / "data" / "wal").mkdir()  # promtool wants one, even when there is none
    dump = subprocess.run(["promtool", "tsdb", "dump", "data"], cwd=tmp_path, check=True, capture_output=True)
    reading = _read(tmp_path / "dump", dump.stdout)
    assert not reading.problems
    assert _samples(reading) == _samples(read_files(tmp_path / "om", Mapping()))
    assert len(_samples(reading)["a", "x=q"]) == 20


ANSWER = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [
            {
                "metric": {"__name__": "up", "job": "a"},
                "values": [[START / 1000, "1"], [START / 1000 + 0.5, "-Inf"]],
                "histograms": [
                    [START / 1000 + 15, {"count": "3", "sum": "4.5", "buckets": [[0, "0.5", "1", "3"]]}],
                ],
            },
            {"metric": {"job": "b"}, "values": [[START / 1000, "2"]]},
        ],
    },
}


def test_answers_of_prometheus_in_every_wrapping(tmp_path: Path) -> None:
    pretty = _read(tmp_path / "my range.json", json.dumps(ANSWER, indent=1))
    found = _samples(pretty)
    assert found["up", "job=a"][:2] == [(0, 1.0), (500, float("-inf"))]
    assert found["my_range", "job=b"] == [(0, 2.0)]
    assert assemble(pretty.rows).histograms.null_count == 3
    assert _problems(pretty) == ["my range.json: series without a name are called my_range, after the file"]
    vector = {"resultType": "vector", "result": [{"metric": {"__name__": "x"}, "value": [START / 1000, "7"]}]}
    scalar = {"data": {"resultType": "scalar", "result": [START / 1000, "8"]}}
    wrong = {"data": {"resultType": "streams", "result": []}}
    failed = {"status": "error", "data": {"resultType": "vector", "result": []}, "error": "no"}
    text = "\n".join(json.dumps(one) for one in (vector, scalar, wrong, failed)) + "\n{]\n"
    lines = _read(tmp_path / "lines.json.gz", gzip.compress(text.encode()))
    assert _samples(lines) == {("x",): [(0, 7.0)], ("lines",): [(0, 8.0)]}
    assert [problem.line for problem in lines.problems] == [3, 4, 5, None]


def test_exports_of_victoria_metrics(tmp_path: Path) -> None:
    good = {"metric": {"__name__": "up"}, "values": [1, None, "Infinity"], "timestamps": [START, START + 1, START + 2]}
    short = {"metric": {"__name__": "up"}, "values": [1], "timestamps": []}
    reading = _read(tmp_path / "x.jsonl", json.dumps(good) + "\n" + json.dumps(short))
    (first, second, third) = _samples(reading)["up",]
    assert first == (0, 1.0)
    assert np.isnan(second[1])
    assert third == (2, float("inf"))
    assert _problems(reading) == [
        "x.jsonl, line 2: not an answer of Prometheus: values and timestamps are not equally many"
    ]


def _file(folder: Path, body: bytes) -> File:
    (folder / "answer").write_bytes(body)
    return File(folder / "answer", "answer")


@pytest.mark.contract
@pytest.mark.parametrize("server", ["prometheus", "prometheus-3", "victoria-metrics"])
def test_recorded_answers_can_be_read(tmp_path: Path, shared: Path, server: str) -> None:
    read = 0
    for recording in load(shared / "contracts" / "recordings" / server):
        if not prometheus_json.looks_right(_file(tmp_path, recording.body)):
            continue
        reading = read_files(tmp_path / "answer", Mapping())
        read += bool(reading.rows)
        assert reading.rows or reading.problems or b'"result":[]' in recording.body, recording.file
    assert read > 20


def _attributes(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key.replace("__", "."), "value": value} for key, value in values.items()]


def _otlp(*metrics: dict[str, Any], **resource: Any) -> dict[str, Any]:
    given = resource or {"service__name": {"stringValue": "shop"}}
    return {
        "resourceMetrics": [
            {"resource": {"attributes": _attributes(**given)}, "scopeMetrics": [{"metrics": list(metrics)}]}
        ]
    }


def _point(second: int, **values: Any) -> dict[str, Any]:
    return {"timeUnixNano": str((START + second * 1000) * 1_000_000), **values}


def test_otlp_gauges_and_sums_get_their_prometheus_names(tmp_path: Path) -> None:
    gauge = {
        "name": "process.cpu.utilization",
        "unit": "1",
        "description": "Share.",
        "gauge": {"dataPoints": [_point(0, asDouble=0.5, attributes=_attributes(**{"9a": {"boolValue": True}}))]},
    }
    total = {
        "name": "http.server.requests.total",
        "unit": "{request}",
        "sum": {"isMonotonic": True, "dataPoints": [_point(0, asInt="5"), _point(15, flags=1)]},
    }
    delta = {
        "name": "net.io",
        "unit": "By/s",
        "sum": {
            "aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA",
            "isMonotonic": True,
            "dataPoints": [_point(15, asInt="2"), _point(0, asInt="3")],
        },
    }
    resource = {
        "service__name": {"stringValue": "shop"},
        "service__namespace": {"stringValue": "eu"},
        "service__instance__id": {"intValue": "7"},
        "tags": {"arrayValue": {"values": [{"stringValue": "x"}]}},
        "none": {},
    }
    reading = _read(tmp_path / "x.json", json.dumps(_otlp(gauge, total, delta, **resource), indent=1))
    assert not reading.problems
    found = {key[0]: (key[1:], value) for key, value in _samples(reading).items()}
    labels, values = found["process_cpu_utilization_ratio"]
    assert values == [(0, 0.5)]
    assert set(labels) == {
        "instance=7", "job=eu/shop", "key_9a=true", "service=shop", "service_instance_id=7", "service_name=shop",
        "service_namespace=eu", 'tags={"arrayValue":{"values":[{"stringValue":"x"}]}}',
    }  # fmt: skip
    assert found["net_io_bytes_per_second_total"][1] == [(0, 3.0), (15_000, 5.0)]
    assert found["http_server_requests_total"][1][0] == (0, 5.0)
    block = assemble(reading.rows)
    assert (block.values.view(np.uint64) == STALE_BITS).sum() == 1
    assert block.metadata["process_cpu_utilization_ratio"].help == "Share."
    assert block.metadata["http_server_requests_total"].type == "counter"
    assert block.metadata["http_server_requests_total"].unit == ""


def test_otlp_histograms_become_classic_or_native_ones(tmp_path: Path) -> None:
    classic = {
        "name": "lag",
        "unit": "s",
        "histogram": {
            "dataPoints": [_point(0, count="6", sum=7.5, bucketCounts=["1", "2", "3"], explicitBounds=[0.5, 1])]
        },
    }
    summary = {
        "name": "took",
        "unit": "ms",
        "summary": {"dataPoints": [_point(0, count="2", sum=3, quantileValues=[{"quantile": 0.99, "value": 2}])]},
    }
    exponential = {
        "name": "1size",
        "exponentialHistogram": {
            "dataPoints": [
                _point(
                    0,
                    count="7",
                    sum=9,
                    scale=0,
                    zeroCount="1",
                    zeroThreshold=0.25,
                    positive={"offset": 0, "bucketCounts": ["2", "0", "3"]},
                    negative={"offset": -1, "bucketCounts": ["1"]},
                )
            ]
        },
    }
    text = "\n".join(json.dumps(_otlp(one)) for one in (classic, summary, exponential))
    bare = {"name": "bare", "histogram": {"dataPoints": [_point(0, count="0", attributes=_attributes(a={}))]}}
    bare["histogram"]["dataPoints"][0]["bucketCounts"] = ["0"]
    sparse = {"name": "sparse", "exponentialHistogram": {"dataPoints": [_point(0, count="0")]}}
    text += "\n" + json.dumps(_otlp(bare, sparse, other={"stringValue": "x"}))
    reading = _read(tmp_path / "x.jsonl.gz", gzip.compress(text.encode()))
    assert not reading.problems
    found = {(key[0], *(one for one in key if one[:3] in {"le=", "qua"})): v for key, v in _samples(reading).items()}
    assert found["lag_seconds_bucket", "le=0.5"] == [(0, 1.0)]
    assert found["lag_seconds_bucket", "le=1"] == [(0, 3.0)]
    assert found["lag_seconds_bucket", "le=+Inf"] == [(0, 6.0)]
    assert found["lag_seconds_count",] == [(0, 6.0)]
    assert found["lag_seconds_sum",] == [(0, 7.5)]
    assert found["took_milliseconds", "quantile=0.99"] == [(0, 2.0)]
    assert found["took_milliseconds_sum",] == [(0, 3.0)]
    block = assemble(reading.rows)
    row = [labels[METRIC_NAME_LABEL] for labels in block.labels].index("_1size")
    assert block.histograms[int(block.offsets[row])].as_py() == {
        "count": 7.0,
        "sum": 9.0,
        "buckets": [
            {"rule": 1, "lower": -1.0, "upper": -0.5, "count": 1.0},
            {"rule": 3, "lower": -0.25, "upper": 0.25, "count": 1.0},
            {"rule": 0, "lower": 1.0, "upper": 2.0, "count": 2.0},
            {"rule": 0, "lower": 4.0, "upper": 8.0, "count": 3.0},
        ],
    }


def test_otlp_with_wrong_lines_gives_the_rest(tmp_path: Path) -> None:
    good = _otlp({"name": "up", "gauge": {"dataPoints": [_point(0, asInt="1")]}})
    strange = _otlp({"name": "up", "sparkline": {}})
    text = "\n".join([json.dumps(good), "{", json.dumps(strange), '{"resourceMetrics": 1}', json.dumps({"a": 1})])
    reading = _read(tmp_path / "x.jsonl", text)
    assert len(_samples(reading)) == 1
    assert [problem.line for problem in reading.problems] == [2, 3, 4, 5]
    assert str(reading.problems[1]) == "x.jsonl, line 3: metric up: it has data of no known kind"


def test_a_folder_of_mixed_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.prom").write_text(f"up 1 {START}\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / ".hidden").write_text("up 1\n")
    (tmp_path / "readme.md").write_text("# Hello\n\nthis is text, and more\nno table\n")
    (tmp_path / "one line").write_text("hello")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\0\0\n,,\n,,\n")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(CSV.encode() * 1000)[:60])
    reading = read_files(tmp_path, Mapping())
    assert reading.files == 2
    assert {problem.file for problem in reading.problems} == {
        "a.csv", "cut.csv.gz", "empty", tmp_path.name,
    }  # fmt: skip
    said = {problem.file: problem.why for problem in reading.problems}
    assert said["empty"] == "the file is empty"
    assert said[tmp_path.name].startswith("3 files are of no format that is known here (Parquet, OTLP")
    assert said[tmp_path.name].endswith("): image.png, one line, readme.md")
    assert reading.problems[-1].file == tmp_path.name  # behind what is wrong in the others
    assert said["cut.csv.gz"].startswith("it is cut short or damaged (Compressed file ended")
    assert ("up",) in _samples(reading)


def test_a_folder_with_too_many_files_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MOST_FILES", 2)
    for name in "abc":
        (tmp_path / name).write_text(f"{name} 1 {START}\n")
    reading = read_files(tmp_path, Mapping())
    assert set(_samples(reading)) == {("a",), ("b",)}
    assert _problems(reading) == [f"{tmp_path.name}: has more than 2 files: the rest is not read"]


def test_every_format_leaves_the_files_of_the_others_alone(tmp_path: Path) -> None:
    examples = {
        "OTLP JSON metrics": json.dumps(_otlp()),
        "Prometheus JSON": json.dumps(ANSWER),
        "promtool tsdb dump": DUMP,
        "JSON Lines": '{"ts": 1, "value": 2}\n',
        "JSON array": '[{"ts": 1, "value": 2}]',
        "OpenMetrics or Prometheus text": TEXT,
        "CSV": CSV,
        "Parquet": "PAR1",
    }
    assert set(examples) == {form.title for form in FORMATS}
    for title, text in examples.items():
        path = tmp_path / "file"
        path.write_text(text)
        fits = [form.title for form in FORMATS if form.looks_right(File(path, "file"))]
        assert fits[0] == title


OM = "# TYPE a counter\n"


@pytest.mark.parametrize(
    ("text", "expected", "problem"),
    [
        # one number that is none must not change the unit of the others, nor another unit the whole column
        ("ts,value\n1795341600,1\nNaN,9\n1795341660,2\n", {0: 1.0, 60_000: 2.0}, "line 3: column ts: not a time"),
        ("ts,value\n1795341600,1\n1795341660000,2\n", {0: 1.0, 60_000: 2.0}, ""),
        ("ts,value\n1795341600,1\n1e30,2\n", {0: 1.0}, "line 3: column ts: not a time"),
        # what pandas writes
        (",timestamp,value\n0,2026-11-22T10:00:00Z,1\n1,2026-11-22T10:01:00Z,2\n", {0: 1.0, 60_000: 2.0}, ""),
        # decimal commas, and none where they may stand between thousands
        ("ts;value\n1795341600;1,5\n1795341660;2\n", {0: 1.5, 60_000: 2.0}, ""),
        ("ts;value\n1795341600;1,500\n1795341660;2\n", {60_000: 2.0}, "line 2: column value: Could not convert"),
        ('"ts","a, b","value"\n"1795341600","x, y","1"\n"1795341660","x, ""y","2"\n', None, ""),
        (OM + "a_total 5 1795341600\na_total 6 1795341660\n", {0: 5.0, 60_000: 6.0}, "taken for seconds"),
        (OM + "a_total 5 1795341600000\n# EOF\n", {0: 5.0}, "taken for milliseconds"),
        (OM + "a_total 5 1795341600.5\na_total 6 1e300\n# EOF\n", None, "milliseconds"),
        ('{"my.metric", job="a"} 1 1795341600000\n', {0: 1.0}, ""),
        ('{ZONE="b", __name__="g"} 1e-07 1795341600000\n', {0: 1e-7}, ""),
        ('\ufeff{"ts": 1795341600, "value": 1}\n', {0: 1.0}, ""),
        ('[{"ts": 1795341600, "value": 1},\n {"ts": 1795341660, "value": 2}]', {0: 1.0, 60_000: 2.0}, ""),
        ("date,value\n20261122,1\n", None, "go up to 20261122 only and are taken for seconds since 1970"),
        ("größe,ts,value\n", None, "there is only a header"),
        ("ts,value\n1795341600,1\n".encode("utf-16"), {0: 1.0}, ""),
        ("größe,ts\nü,1\n".encode("latin-1"), None, "line 1 is not UTF-8"),
        ('{"status":"error","errorType":"bad_data","error":"no"}', None, "it is an error: no"),
        ('{"status":"success","data":{"resultType":"matrix","result":[]}}', None, "the answer holds no series"),
        ('{"resourceSpans": []}', None, "there is no span in it (OTLP JSON)"),
        ('{"resourceMetrics": []}', None, "it holds no metrics"),
    ],
)  # fmt: skip
def test_what_people_have_is_read_right_or_said_to_be_wrong(
    tmp_path: Path, text: str | bytes, expected: dict[int, float] | None, problem: str
) -> None:
    reading = _read(tmp_path / "x", text)
    if expected is not None:
        assert [dict(samples) for samples in _samples(reading).values()] == [expected]
    assert [one for one in _problems(reading) if problem in one] if problem else not reading.problems


@given(st.lists(st.floats(-1e9, 1e9).map(lambda value: round(value, 6)), min_size=1, max_size=30))
def test_decimal_commas_never_change_a_number(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    lines = [f"{START // 1000 + at};{value:.6f}".replace(".", ",") for at, value in enumerate(values)]
    reading = _read(tmp_path_factory.mktemp("comma") / "m.csv", "\n".join(["ts;value", *lines]))
    assert [value for _, value in _samples(reading)["m",]] == values


def test_columns_that_come_to_one_name_stay_apart(tmp_path: Path) -> None:
    text = "time,a.b,a_b,温度,湿度,größe,lat_µs\n2026-11-22T10:00:00Z,1,2,3,4,5,6\n"
    found = {name[0]: samples[0][1] for name, samples in _samples(_read(tmp_path / "x.csv", text)).items()}
    assert found == {"a_b": 1, "a_b_1": 2, "u6e29_u5ea6": 3, "u6e7f_u5ea6": 4, "gro_udf_e": 5, "lat_us": 6}


def test_rows_that_are_all_series_of_their_own_are_said(tmp_path: Path) -> None:
    text = "ts,request,value\n" + "".join(f"{1795341600 + at},r{at},1\n" for at in range(40))
    assert _problems(_read(tmp_path / "x.csv", text)) == [
        "x.csv: 40 rows have become 40 series, as column request is another in nearly each of them; "
        "name the columns that tell series apart with the option labels"
    ]
    assert _problems(_read(tmp_path / "x.csv", text, labels=[])) == []


def test_one_text_late_among_numbers_spoils_its_own_line_only(tmp_path: Path) -> None:
    lines = [f'{{"ts": {1795341600 + at}, "value": {at}}}' for at in range(21_000)]
    reading = _read(tmp_path / "x.jsonl", "\n".join([*lines, '{"ts": 1795370000, "value": "oops"}']))
    assert len(_samples(reading)["x",]) == 21_000
    assert _problems(reading) == ["x.jsonl, line 21001: column value: not a number"]


def test_labels_in_maps_and_in_objects_within_objects(tmp_path: Path) -> None:
    text = '{"ts": 1795341600, "value": 1, "k8s": {"pod": {"name": "p", "ts": "t"}}}\n'
    assert _samples(_read(tmp_path / "x.jsonl", text)) == {("x", "k8s_pod_name=p", "k8s_pod_ts=t"): [(0, 1.0)]}
    maps = pa.array([[("job", "a")], [("job", "b"), ("zone", "z")]], pa.map_(pa.string(), pa.string()))
    pq.write_table(pa.table({"ts": [START, START], "value": [1.0, 2.0], "labels": maps}), tmp_path / "y.parquet")
    reading = read_files(tmp_path / "y.parquet", Mapping())
    assert _samples(reading) == {("y", "job=a"): [(0, 1.0)], ("y", "job=b", "zone=z"): [(0, 2.0)]}


def test_local_times_and_times_of_another_form(tmp_path: Path) -> None:
    text = "when,value\n22/11/2026 11:00,1\n22/13/2026 11:00,2\n"
    options = {"timestamp": "when", "time_format": "%d/%m/%Y %H:%M", "zone": "Europe/Berlin"}
    reading = _read(tmp_path / "x.csv", text, **options)
    assert _samples(reading) == {("x",): [(0, 1.0)]}
    assert _problems(reading) == ["x.csv, line 3: column when: not a time"]
    naive = "time,value\n2026-11-22 11:00:00,1\n2026-11-22T10:01:00Z,2\n"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x.csv").write_text(naive)
    reading = read_files(tmp_path / "folder", Mapping(zone="Europe/Berlin"))  # over the shared database
    assert _samples(reading) == {("x",): [(0, 1.0), (60_000, 2.0)]}


def test_a_long_series_of_victoriametrics_is_known(tmp_path: Path) -> None:
    times = [START + at for at in range(3000)]
    line = {"metric": {"__name__": "m"}, "values": [float(at) for at in range(3000)], "timestamps": times}
    assert len(_samples(_read(tmp_path / "x", json.dumps(line)))["m",]) == 3000


def test_one_wrong_series_of_an_answer_leaves_the_others(tmp_path: Path) -> None:
    series = [
        {"metric": {"__name__": name}, "value": [START / 1000, value]} for name, value in (("a", "?"), ("b", "1"))
    ]
    reading = _read(tmp_path / "x", json.dumps({"data": {"resultType": "vector", "result": series}}))
    assert _samples(reading) == {("b",): [(0, 1.0)]}
    assert _problems(reading)[0].startswith("x, line 1: series 1 is not as Prometheus writes it: ")


def test_what_is_wrong_in_one_otlp_metric_leaves_the_others(tmp_path: Path) -> None:
    bare = {"timeUnixNano": str(START * 1_000_000), "count": "3", "sum": 4.5}
    uneven = {**bare, "explicitBounds": [1, 2], "bucketCounts": ["1"]}
    exponential = {"aggregationTemporality": 1, "dataPoints": [{**bare, "scale": 0, "zeroCount": "3"}]}
    text = json.dumps(
        _otlp(
            {"name": "nothing"},
            {"name": "h", "histogram": {"dataPoints": [bare, uneven, {"count": "1"}]}},
            {"name": "e", "exponentialHistogram": exponential},
        )
    )
    reading = _read(tmp_path / "x.json", text)
    samples = {key[0]: value for key, value in _samples(reading).items()}
    assert samples["h_bucket"] == samples["h_count"] == [(0, 3.0)]
    assert samples["h_sum"] == [(0, 4.5)]
    assert _problems(reading) == [
        "x.json, line 1: metric nothing: it has data of no known kind",
        "x.json, line 1: metric h: a point was left out: 1 buckets do not fit 2 bounds",
        "x.json, line 1: metric h: a point was left out: there is no 'timeUnixNano'",
        "x.json, line 1: metric e: deltas of exponential histograms stay as they are, so do not take their rate",
    ]


def test_a_folder_that_cannot_be_listed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "up.prom").write_text(f"up 1 {START}\n")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    scan = os.scandir

    def refuse(path: Path) -> Any:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    reading = read_files(tmp_path, Mapping())
    assert set(_samples(reading)) == {("up",)}
    assert [problem.file for problem in reading.problems] == ["locked", "self"]
    assert "cannot be read" in reading.problems[0].why
