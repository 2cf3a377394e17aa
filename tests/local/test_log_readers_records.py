"""Log files of records: JSON Lines, answers of platforms, OTLP, CSV and Parquet."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.log_files import SPAN, TRACE, columns_beside, log_rows, notes, problems, read_log

from obs_magics.local.readers import read_files
from obs_magics.local.readers.base import Mapping
from obs_magics.local.readers.logs import collect
from obs_magics.local.readers.logs import records as records_module

JSON_LINES: tuple[tuple[str, str | None, str | None, str, dict[str, str], dict[str, Any]], ...] = (
    (
        "14:00:00",
        "error",
        "pay",
        "x",
        {"service_name": "pay", "n": "3", "trace_id": TRACE, "list": "[1,2]"},
        {
            "time": "2026-11-22T14:00:00Z",
            "level": "error",
            "msg": "x",
            "service": {"name": "pay"},
            "n": 3,
            "trace": {"id": TRACE},
            "list": [1, 2],
            "none": None,
        },
    ),
    (
        "14:00:00",
        "error",
        "shop",
        "bad",
        {"name": "shop", "hostname": "h", "pid": "1", "v": "0"},
        {
            "name": "shop",
            "hostname": "h",
            "pid": 1,
            "level": 50,
            "msg": "bad",
            "time": "2026-11-22T14:00:00.000Z",
            "v": 0,
        },
    ),
    (
        "14:00:00.123000",
        "info",
        None,
        "hello",
        {"pid": "1", "hostname": "h"},
        {"level": 30, "time": 1795356000123, "pid": 1, "hostname": "h", "msg": "hello"},
    ),
    (
        "14:00:00.123400",
        "info",
        None,
        "hi",
        {"caller": "x.go:1"},
        {"level": "info", "ts": 1795356000.1234, "caller": "x.go:1", "msg": "hi"},
    ),
    (
        "14:00:00.123456700",
        "warn",
        None,
        "hi",
        {"SourceContext": "X", "trace_id": TRACE},
        {"@t": "2026-11-22T14:00:00.1234567Z", "@m": "hi", "@l": "Warning", "SourceContext": "X", "@tr": TRACE},
    ),
    ("14:00:00", "info", None, "hi", {}, {"@t": "2026-11-22T14:00:00Z", "@mt": "hi"}),
    (
        "14:00:00",
        "info",
        None,
        "user in",
        {"user": "u"},
        {"event": "user in", "level": "info", "timestamp": "2026-11-22T14:00:00Z", "user": "u"},
    ),
    (
        "14:00:00",
        "error",
        "c",
        "x",
        {
            "trace_id": TRACE,
            "severity": "ERROR",
            "resource_labels_container_name": "c",
            "logging_googleapis_com_trace": f"projects/p/traces/{TRACE}",
        },
        {
            "severity": "ERROR",
            "jsonPayload": {"message": "x"},
            "timestamp": "2026-11-22T14:00:00Z",
            "resource": {"labels": {"container_name": "c"}},
            "logging.googleapis.com/trace": f"projects/p/traces/{TRACE}",
        },
    ),
    (
        "14:00:00",
        "warn",
        None,
        "hi",
        {"c": "NETWORK"},
        {"t": {"$date": "2026-11-22T14:00:00.000+00:00"}, "s": "W", "c": "NETWORK", "msg": "hi"},
    ),
    (
        "14:00:00.000000005",
        "info",
        None,
        "hi",
        {},
        {"instant": {"epochSecond": 1795356000, "nanoOfSecond": 5}, "level": "INFO", "message": "hi"},
    ),
    (
        "14:00:00",
        "error",
        "es",
        "m",
        {"log_level": "ERROR", "service_name": "es"},
        {"@timestamp": "2026-11-22T14:00:00Z", "log.level": "ERROR", "message": "m", "service.name": "es"},
    ),
    (
        "14:00:00.123456",
        "error",
        "sshd",
        "hi",
        {"priority": "3", "syslog_identifier": "sshd", "host": "h"},
        {
            "__REALTIME_TIMESTAMP": "1795356000123456",
            "MESSAGE": "hi",
            "PRIORITY": "3",
            "SYSLOG_IDENTIFIER": "sshd",
            "_HOSTNAME": "h",
            "_BOOT_ID": "x",
        },
    ),
    (
        "14:00:00.123456",
        "info",
        None,
        "hi",
        {"priority": "6"},
        {"__REALTIME_TIMESTAMP": "1795356000123456", "MESSAGE": [104, 105], "PRIORITY": "6"},
    ),
    (
        "14:00:00.123456789",
        "error",
        "pay",
        "boom",
        {"app": "pay"},
        {"labels": {"app": "pay", "level": "error"}, "line": "boom", "timestamp": "2026-11-22T14:00:00.123456789Z"},
    ),
    (
        "14:00:00.100000",
        "error",
        None,
        "ERROR boom",
        {"stream": "stderr"},
        {"log": "ERROR boom\n", "stream": "stderr", "time": "2026-11-22T14:00:00.1Z"},
    ),
    (
        "14:00:00.100000",
        None,
        "c",
        "boom",
        {"stream": "stdout", "kubernetes_container_name": "c"},
        {"log": "boom\n", "stream": "stdout", "time": "2026-11-22T14:00:00.1Z", "kubernetes": {"container_name": "c"}},
    ),
    (
        "14:00:00",
        "info",
        None,
        "v",
        {"value": "7"},
        {"ts": "2026-11-22T14:00:00Z", "level": "info", "msg": "v", "value": 7},
    ),
    (
        "14:00:00",
        "warn",
        None,
        "v",
        {"deep_a_b_c_d": '{"e":1}'},
        {"ts": "1795356000", "level": "warn", "msg": "v", "deep": {"a": {"b": {"c": {"d": {"e": 1}}}}}},
    ),
    (
        "14:00:00",
        "info",
        None,
        "x",
        {"label_timestamp": "other", "ok": "true", "_1": "one", "f": "1.5"},
        {
            "@timestamp": "2026-11-22T14:00:00Z",
            "timestamp": "other",
            "level": "info",
            "message": "x",
            "ok": True,
            "1": "one",
            "f": 1.5,
        },
    ),
)


@pytest.mark.parametrize(
    ("time", "level", "service", "message", "columns", "record"),
    JSON_LINES,
    ids=[str(n) for n in range(len(JSON_LINES))],
)
def test_json_lines(
    *, tmp_path: Path, time: str, level: str, service: str, message: str, columns: dict[str, str], record: Any
) -> None:
    lines = f"{json.dumps(record)}\n" * 2
    reading = read_log(tmp_path / "log.jsonl", lines)
    assert log_rows(reading) == [(time, level, service, message)] * 2
    assert columns_beside(reading) == columns
    assert not reading.problems


def test_of_two_keys_that_become_one_column_the_first_stays(tmp_path: Path) -> None:
    record = {"time": "2026-11-22T14:00:00Z", "level": "info", "message": "x", "a.b": 1, "a_b": 2, "a": {"b": 3}}
    assert columns_beside(read_log(tmp_path / "log.jsonl", json.dumps(record) + "\n")) == {"a_b": "1"}


def test_bad_lines_of_json_lines_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    good = '{"time":"2026-11-22T14:00:00Z","msg":"ok \\ud800é"}'
    lines = [
        good,
        '{"time":"never","msg":"x"}',
        '{"msg":"no time"}',
        "",
        '{"time":"2026-11-22T14:00:00Z"}',
        '{"time":"\\udfff","msg":"x"',
        good,
    ]
    reading = read_log(tmp_path / "pay.jsonl", "\n".join(lines))
    assert log_rows(reading) == [
        ("14:00:00", None, "pay", "ok �é"),
        ("14:00:00", None, "pay", lines[5]),
        ("14:00:00", None, "pay", "ok �é"),
    ]
    assert problems(reading) == [
        "pay.jsonl, line 5: it has no message: left out",
        "pay.jsonl, line 6: 1 line is text and no JSON, the first of them here: read as 1 entry beside 2 of JSON",
        "pay.jsonl, line 2: it has no time that can be read: left out",
        "pay.jsonl, line 3: it has no time that can be read: left out",
    ]


def entry(second: int, message: str, level: str = "info") -> str:
    return json.dumps({"time": f"2026-11-22T14:00:{second:02d}Z", "level": level, "msg": message, "user": "u"})


def test_text_between_json_is_read_each_line_by_its_own_form(tmp_path: Path) -> None:
    lines = [
        entry(1, "start"),
        entry(2, "boom", "error"),
        "Traceback (most recent call last):",
        '  File "x.py", line 1',
        "ValueError: bad",
        "",
        "2026-11-22 14:00:03,123 WARN gunicorn: worker died",
        "   in detail",
        "[1]",
        entry(9, "up again"),
        "Listening on 8080",
        "123",
    ]
    content = "\n".join(lines).encode() + b"\n" + "Größe".encode("latin-1")
    reading = read_log(tmp_path / "pay.log", content)
    assert log_rows(reading) == [
        ("14:00:01", "info", "pay", "start"),
        ("14:00:02", "error", "pay", "boom"),
        ("14:00:02", "error", "pay", "\n".join(lines[2:5])),
        ("14:00:03.123000", "warn", "pay", "\n".join(lines[6:9])),
        ("14:00:09", "info", "pay", "up again"),
        ("14:00:09", None, "pay", "Listening on 8080"),
        ("14:00:09", None, "pay", "123"),
        ("14:00:09", None, "pay", "Größe"),
    ]
    assert columns_beside(reading) == {"user": "u"}
    assert not columns_beside(reading, 2)
    assert problems(reading) == [
        "pay.log: 1 line is no UTF-8: read as Windows-1252 where that may be",
        "pay.log, line 3: 9 lines are text and no JSON, the first of them here: read as 5 entries beside 3 of JSON",
    ]
    assert "JSON Lines and plain text, 8 log entries; times as 2026-11-22 14:00:00 (ISO 8601), no zone" in notes(
        reading
    )


def test_an_array_that_is_cut_and_objects_over_several_lines(tmp_path: Path) -> None:
    entries = [json.loads(entry(n, f"m{n}")) for n in range(5)]
    body = json.dumps(entries)
    cut = read_log(tmp_path / "a.json", body[: body.index("m3")])
    assert [message for *_, message in log_rows(cut)] == ["m0", "m1", "m2"]
    assert problems(cut) == ["a.json, line 1: from here on it is not JSON, or cut short: what stands before is read"]
    pretty = read_log(tmp_path / "b.json", "\n".join(json.dumps(one, indent=2) for one in entries))
    assert [message for *_, message in log_rows(pretty)] == ["m0", "m1", "m2", "m3", "m4"]
    assert "JSON objects over several lines, 5 log entries" in notes(pretty)
    mixed = read_log(tmp_path / "c.json", json.dumps([*entries, 3]))
    assert len(log_rows(mixed)) == 5
    assert problems(mixed) == ["c.json: an element is no object: left out"]


def test_text_before_json_and_json_before_text(tmp_path: Path) -> None:
    banner = "  .  ____\n /\\\\ / ___'_\n\n:: Boot ::\n" + "\n".join(entry(n, f"m{n}") for n in range(10))
    rows = log_rows(read_log(tmp_path / "boot.log", banner))
    assert [time for time, *_ in rows] == ["14:00:00"] * 3 + [f"14:00:0{n}" for n in range(1, 10)]
    assert [message for *_, message in rows[:3]] == ["  .  ____\n /\\\\ / ___'_", ":: Boot ::", "m0"]
    text = entry(0, "once") + "\n" + "\n".join(f"2026-11-22 14:00:{n:02d} ERROR bad {n}" for n in range(50))
    rows = log_rows(read_log(tmp_path / "text.log", text))
    assert [level for _, level, *_ in rows].count("error") == 50
    assert len(rows) == 51


CUT = (
    # what is left of the last object, and its level, user and message; None where it is text
    ('{"time":"2026-11-22T14:00:07Z","level":"warn","user":"u","msg":"half of', ("warn", "u", "half of")),
    ('{"time":"2026-11-22T14:00:07Z","level":"warn","user":"u","msg":"caf\\u00e', ("warn", "u", "caf")),
    ('{"time":"2026-11-22T14:00:07Z","level":"warn","user":"u","msg":"a\\', ("warn", "u", "a")),
    ('{"time":"2026-11-22T14:00:07Z","msg":"whole","level":"warn","user":"half a na', ("warn", None, "whole")),
    ('{"time":"2026-11-22T14:00:07Z","msg":"whole","level":"warn","ms":12', ("warn", None, "whole")),
    ('{"time":"2026-11-22T14:00:07Z","msg":"whole","level":"warn","in":{"a":[1,2', ("warn", None, "whole")),
    ('{"time":"2026-11-22T14:00:07Z","msg":"whole","level":"warn"', ("warn", None, "whole")),
    ('{"time":"2026-11-22T14:00:07Z","level":"warn","us', None),
    ('{"time":"2026-11-', None),
    ("{", None),
)


@pytest.mark.parametrize(("left", "told"), CUT, ids=[left[-30:] for left, _ in CUT])
def test_of_an_object_that_is_cut_what_is_whole_is_kept(
    tmp_path: Path, left: str, told: tuple[str, str | None, str] | None
) -> None:
    reading = read_log(tmp_path / "pay.jsonl", f"{entry(1, 'start')}\n{left}")
    time, level, _, message = log_rows(reading)[1]
    if told is None:
        assert message == left
        assert "1 line is text and no JSON" in problems(reading)[0]
    else:
        assert (time, level, columns_beside(reading, 1).get("user"), message) == ("14:00:07", *told)
        assert problems(reading) == ["pay.jsonl, line 2: the object is cut short: what could be read of it is kept"]


@given(st.integers(0, 400))
def test_wherever_json_is_cut_nothing_whole_is_lost(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    body = "\n".join(entry(n, 'a "quoted" {text}, [é]\n') for n in range(4))
    cut = body.encode()[: len(body) // 4 + size]
    reading = read_log(tmp_path_factory.mktemp("cut") / "pay.jsonl", cut)
    assert len(log_rows(reading)) == len([line for line in cut.split(b"\n") if line.strip()])


def test_records_with_many_different_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "_CHUNK", 1000)
    monkeypatch.setattr(records_module, "_MOST_PLANS", 100)
    records = [{"ts": 1795356000 + n, "msg": "x", f"k{n % 1500}": n} for n in range(3000)]
    reading = read_log(tmp_path / "log.jsonl", "\n".join(map(json.dumps, records)))
    assert reading.logs[0].num_rows == 3000
    assert columns_beside(reading, 2999) == {"k1499": "2999"}


LOKI = {
    "status": "success",
    "data": {
        "resultType": "streams",
        "result": [
            {
                "stream": {"app": "pay"},
                "values": [
                    ["1795356000123456789", "boom", {"trace_id": TRACE}],
                    ["1795356000000000000", "x", {"structuredMetadata": {"a.b": "c"}, "parsed": {"level": "error"}}],
                ],
            }
        ],
    },
}
EVENTS = {
    "events": [
        {"eventId": "0", "ingestionTime": 1, "message": "ERROR x\n", "timestamp": 1795356000337, "logStreamName": "s1"}
    ]
}
INSIGHTS = {
    "results": [
        [
            {"field": "@ptr", "value": "z"},
            {"field": "@timestamp", "value": "2026-11-22 14:00:00.000"},
            {"field": "@message", "value": "boom"},
            {"field": "@logStream", "value": "s1"},
        ]
    ],
    "status": "Complete",
}
HITS = {
    "took": 1,
    "hits": {
        "total": 1,
        "hits": [
            {
                "_index": "logs-1",
                "_source": {"@timestamp": "2026-11-22T14:00:00Z", "message": "boom", "log": {"level": "warn"}},
            }
        ],
    },
}
DATADOG = {
    "meta": {},
    "data": [
        {
            "id": "A",
            "type": "log",
            "attributes": {
                "status": "warn",
                "timestamp": "2026-11-22T14:00:00Z",
                "message": "boom",
                "service": "pay",
                "attributes": {"n": 1},
            },
        }
    ],
}
ARRAY = [{"timestamp": "2026-11-22T14:00:00Z", "message": "boom", "level": "warn"}]
DOCUMENTS: tuple[tuple[str, Any, list[tuple[str, str | None, str | None, str]], dict[str, str]], ...] = (
    (
        "answer of Loki",
        LOKI,
        [("14:00:00", "error", "pay", "x"), ("14:00:00.123456789", None, "pay", "boom")],
        {"app": "pay", "a_b": "c"},
    ),
    (
        "events of CloudWatch Logs",
        EVENTS,
        [("14:00:00.337000", "error", None, "ERROR x\n")],
        {"log_stream": "s1", "event_id": "0"},
    ),
    ("results of CloudWatch Logs Insights", INSIGHTS, [("14:00:00", None, None, "boom")], {"logStream": "s1"}),
    ("answer of Elasticsearch", HITS, [("14:00:00", "warn", None, "boom")], {"index": "logs-1", "log_level": "warn"}),
    ("answer of Datadog", DATADOG, [("14:00:00", "warn", "pay", "boom")], {"attributes_n": "1"}),
    ("JSON array", ARRAY, [("14:00:00", "warn", None, "boom")], {}),
)


@pytest.mark.parametrize(("title", "document", "rows", "columns"), DOCUMENTS, ids=[row[0] for row in DOCUMENTS])
def test_documents(tmp_path: Path, title: str, document: Any, rows: Any, columns: dict[str, str]) -> None:
    for text in (json.dumps(document), json.dumps(document, indent=2), f"{json.dumps(document)}\n"):
        reading = read_log(tmp_path / "answer.json", text)
        assert log_rows(reading) == rows
        assert columns_beside(reading) == columns
        assert not reading.problems
        assert title in notes(reading)
    if title != "JSON array":
        several = read_log(tmp_path / "answer.json", f"{json.dumps(document)}\n{{}}\n{{cut\n{json.dumps(document)}")
        assert sorted(log_rows(several)) == sorted(rows * 2)
        assert [problem.line for problem in several.problems] == [2, 3]


def test_a_document_that_is_cut_or_empty_says_so(tmp_path: Path) -> None:
    cut = read_log(tmp_path / "a.json", json.dumps(LOKI, indent=2)[:-9])
    assert problems(cut) == ["a.json, line 1: not JSON: Input data was truncated"]
    nothing = read_log(tmp_path / "a.json", '{"events": []}')
    assert problems(nothing) == ["a.json: it holds no log line"]
    timeless = read_log(tmp_path / "a.json", json.dumps({"events": [{"timestamp": "soon", "message": "x"}]}))
    assert problems(timeless) == ["a.json: an entry has no time that can be read: left out"]


@pytest.mark.contract
def test_real_answers_of_loki(tmp_path: Path, shared: Path) -> None:
    read = 0
    for recording in sorted((shared / "contracts/recordings/loki").glob("*range*.json")):
        response = json.loads(recording.read_text())["response"]
        body = response["body"] if isinstance(response["body"], str) else json.dumps(response["body"])
        if '"resultType":"streams"' not in body.replace(" ", "") or response.get("truncated"):
            continue
        expected = sum(len(stream["values"]) for stream in json.loads(body)["data"]["result"])
        reading = read_log(tmp_path / "answer.json", body)
        assert sum(table.num_rows for table in reading.logs) == expected
        read += expected > 0
    assert read > 5


@pytest.mark.contract
def test_recorded_answers_of_cloudwatch_and_datadog(tmp_path: Path, shared: Path) -> None:
    for name, least in (
        ("cloudwatch/logs_filter_pages", 5),
        ("cloudwatch/logs_insights", 3),
        ("datadog/logs_list_get_v2_pages", 2),
    ):
        recorded = json.loads((shared / f"contracts/fixtures/{name}.json").read_text())
        bodies = [one["response"]["body"] for one in recorded["interactions"]]
        full = max((body for body in bodies if isinstance(body, dict)), key=lambda body: len(json.dumps(body)))
        reading = read_log(tmp_path / "answer.json", json.dumps(full))
        assert sum(table.num_rows for table in reading.logs) >= least
        assert all(level for _, level, _, _ in log_rows(reading))


OTLP = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "pay"}}]},
            "scopeLogs": [
                {
                    "scope": {"name": "x"},
                    "logRecords": [
                        {
                            "timeUnixNano": "1795356000123456789",
                            "severityNumber": 17,
                            "severityText": "ERROR",
                            "body": {"stringValue": "boom"},
                            "attributes": [
                                {"key": "a.b", "value": {"intValue": "3"}},
                                {"key": "l", "value": {"arrayValue": {"values": [{"boolValue": True}]}}},
                                {
                                    "key": "m",
                                    "value": {"kvlistValue": {"values": [{"key": "k", "value": {"doubleValue": 1.5}}]}},
                                },
                                {"key": "none", "value": {}},
                            ],
                            "traceId": TRACE,
                            "spanId": SPAN,
                        },
                        {
                            "timeUnixNano": "0",
                            "observedTimeUnixNano": "1795356001000000000",
                            "severityNumber": "SEVERITY_NUMBER_WARN2",
                            "body": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}},
                        },
                    ],
                }
            ],
        }
    ]
}


def test_otlp_logs(tmp_path: Path) -> None:
    rows = [("14:00:00.123456789", "error", "pay", "boom"), ("14:00:01", "warn", "pay", '{"k":"v"}')]
    for text in (json.dumps(OTLP), json.dumps(OTLP, indent=1)):
        reading = read_log(tmp_path / "otlp.json", text)
        assert log_rows(reading) == rows
    assert columns_beside(reading) == {
        "trace_id": TRACE,
        "span_id": SPAN,
        "a_b": "3",
        "l": "[true]",
        "m_k": "1.5",
        "scope_name": "x",
        "service_name": "pay",
        "severity_number": "17",
        "severity_text": "ERROR",
    }
    lines = "\n".join(
        [json.dumps(OTLP), '{"resourceLogs": 1}', "{", '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}']
    )
    reading = read_log(tmp_path / "otlp.json", lines)
    assert log_rows(reading) == rows
    assert [problem.line for problem in reading.problems] == [2, 3, 4]


CSV_FILES: tuple[tuple[str, list[tuple[str, str | None, str | None, str]], dict[str, str]], ...] = (
    (
        "Date,Host,Service,Status,Message\n2026-11-22T14:00:00.000Z,h1,pay,error,boom\n",
        [("14:00:00", "error", "pay", "boom")],
        {"host": "h1"},
    ),
    ("Date;Status;Message\n2026-11-22T14:00:00.000Z;200;boom\n", [("14:00:00", None, None, "boom")], {"Status": "200"}),
    (
        'labels,Time,Line,tsNs,id\n"{""app"":""x""}",2026-11-22 14:00:00.123,boom line,1795356000123456789,1_a\n',
        [("14:00:00.123456789", None, "x", "boom line")],
        {"Time": "2026-11-22 14:00:00.123", "app": "x", "id": "1_a"},
    ),
    (
        '"@timestamp","message",labels\n"2026-11-22T14:00:00Z","boom",none\n',
        [("14:00:00", None, None, "boom")],
        {"labels": "none"},
    ),
    (
        '"_time","_raw",host\n"2026-11-22T14:00:00.000+0000","ERROR multi\nline",h\n',
        [("14:00:00", "error", None, "ERROR multi\nline")],
        {"host": "h"},
    ),
    (
        '@timestamp,@message\n2026-11-22 14:00:00.000,"ERROR boom, ""x"""\n',
        [("14:00:00", "error", None, 'ERROR boom, "x"')],
        {},
    ),
    ("timestamp,level,value,message\n1795356000,warn,7,x\n", [("14:00:00", "warn", None, "x")], {"value": "7"}),
    (
        "time,text,,text\n2026-11-22T14:00:00Z,hello,a,b\n",
        [("14:00:00", None, None, "hello")],
        {"column_3": "a", "text_4": "b"},
    ),
)


@pytest.mark.parametrize(("text", "rows", "columns"), CSV_FILES, ids=[row[0][:30] for row in CSV_FILES])
def test_csv(tmp_path: Path, text: str, rows: Any, columns: dict[str, str]) -> None:
    for content in (text.encode(), gzip.compress(text.encode()), b"\xef\xbb\xbf" + text.encode()):
        reading = read_log(tmp_path / "export.csv", content)
        assert log_rows(reading) == rows
        assert columns_beside(reading) == columns


@pytest.mark.parametrize(
    "text",
    [
        "time,value,message\n2026-11-22T14:00:00Z,1,x\n",
        "time,event,latency\n2026-11-22T14:00:00Z,deploy,5\n",
        "time,message,latency\n2026-11-22T14:00:00Z,7,5\n",
        "time,host,latency\n2026-11-22T14:00:00Z,a,5\n",
        "2026-11-22T14:00:00Z,5\n2026-11-22T14:00:01Z,6\n",
        "log,host\na,b\n",
        '{"time":"2026-11-22T14:00:00Z","value":1,"message":"x"}\n',
        '{"time":"2026-11-22T14:00:00Z","event":"a","ms":1}\n',
        '[{"time":"2026-11-22T14:00:00Z","value":1,"host":"x"}]',
        '[{"a": {"b": 1}, "cut": ',
    ],
)
def test_tables_of_numbers_are_no_logs(tmp_path: Path, text: str) -> None:
    assert not read_log(tmp_path / "a", text).logs


def test_whoever_names_the_values_of_a_table_means_metrics(tmp_path: Path) -> None:
    csv = "time,latency,message\n2026-11-22T14:00:00Z,5,x\n"
    lines = '{"time":"2026-11-22T14:00:00Z","latency":5,"message":"x"}\n'
    pq.write_table(pa.table({"time": [1795356000], "latency": [5], "message": ["x"]}), tmp_path / "t.parquet")
    for reading in (
        read_log(tmp_path / "a", csv, value=["latency"]),
        read_log(tmp_path / "a", lines, value=["latency"]),
        read_files(tmp_path / "t.parquet", Mapping(value=["latency"])),
    ):
        assert reading.rows
        assert not reading.logs
    for reading in (
        read_log(tmp_path / "a", csv),
        read_log(tmp_path / "a", lines),
        read_files(tmp_path / "t.parquet", Mapping()),
    ):
        assert reading.logs


def test_the_users_word_on_times_counts_for_logs_too(tmp_path: Path) -> None:
    text = "at,time,message\n22/11/2026 14:00,x,boom\nnever,x,lost\n"
    options = {"timestamp": "at", "time_format": "%d/%m/%Y %H:%M", "zone": "Europe/Berlin"}
    reading = read_log(tmp_path / "log.csv", text, **options)
    assert log_rows(reading) == [("13:00:00", None, None, "boom")]
    zoned = read_log(tmp_path / "log.csv", "time,message\n22.11.2026 14+0100,boom\n", time_format="%d.%m.%Y %H%z")
    assert log_rows(zoned) == [("13:00:00", None, None, "boom")]
    counted = read_log(tmp_path / "log.csv", "time,message\n1795356000,boom\n,lost\n", time_unit="s")
    assert log_rows(counted) == [("14:00:00", None, None, "boom")]


def test_tables_that_are_damaged_say_so(tmp_path: Path) -> None:
    table = pa.table({"time": [1795356000 + n for n in range(400)], "message": [f"text {n}" for n in range(400)]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=200, compression="zstd")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    start = pq.read_metadata(tmp_path / "a.parquet").row_group(1).column(1).dictionary_page_offset
    content[start + 30 : start + 90] = b"\0" * 60
    (tmp_path / "a.parquet").write_bytes(content)
    assert problems(read_files(tmp_path / "a.parquet", Mapping()))[0].startswith("a.parquet: damaged: ")
    endless = 'time,message\n2026-11-22T14:00:00Z,a\n2026-11-22T14:00:00Z,"never closed\n'
    reading = read_log(tmp_path / "a.csv", endless)
    assert [message for *_, message in log_rows(reading)] == ["a"]
    assert problems(reading) == ["a.csv: a quote is opened that is never closed: what stands behind it is left out"]
    latin = read_log(tmp_path / "a.csv", "time,message\n2026-11-22T14:00:00Z,caf\u00e9\n".encode("latin-1"))
    assert not latin.logs
    assert latin.problems


def test_a_file_whose_times_are_none_says_so(tmp_path: Path) -> None:
    reading = read_log(tmp_path / "a.log", "2026-13-45 14:00:00 a\n" * 3)
    assert problems(reading) == ["a.log: no line has a time that can be read"]
    assert not reading.logs


def test_csv_with_wrong_rows_says_which(tmp_path: Path) -> None:
    text = "time,message\n2026-11-22T14:00:00Z,a\n2026-11-22T14:00:00Z,b,c\nsoon,d\n2026-11-22T14:00:01Z,e\n"
    reading = read_log(tmp_path / "a.csv", text)
    assert [message for *_, message in log_rows(reading)] == ["a", "e"]
    assert problems(reading) == [
        "a.csv, line 3: Expected Number of Columns: 2 Found: 3",
        "a.csv: it has no time that can be read: left out",
    ]


def test_parquet(tmp_path: Path) -> None:
    when = pd.to_datetime(["2026-11-22T14:00:00.123456789", None, "2026-11-22T14:00:01"], format="ISO8601")
    frame = pd.DataFrame(
        {
            "timestamp": when,
            "message": ["boom", "x", None],
            "n": [1, 2, 3],
            "labels": [{"a": "b"}] * 3,
            "raw": [b"\xff", b"a", None],
        }
    )
    frame["host"] = pd.Categorical(["h", "h", None])
    frame.to_parquet(tmp_path / "log.parquet")
    reading = read_files(tmp_path / "log.parquet", Mapping(zone="Europe/Berlin"))
    assert log_rows(reading) == [("13:00:00.123456789", None, None, "boom"), ("13:00:01", None, None, "")]
    assert columns_beside(reading) == {"n": "1", "a": "b", "raw": "�", "host": "h"}
    frame.assign(timestamp=frame["timestamp"].dt.tz_localize("UTC")).to_parquet(tmp_path / "log.parquet")
    assert log_rows(read_files(tmp_path / "log.parquet", Mapping(zone="Europe/Berlin")))[0][0] == "14:00:00.123456789"
    frame[:0].to_parquet(tmp_path / "log.parquet")
    assert not read_files(tmp_path / "log.parquet", Mapping()).logs
    (tmp_path / "log.parquet").write_bytes(b"PAR1 and no more")
    assert not read_files(tmp_path / "log.parquet", Mapping()).logs
