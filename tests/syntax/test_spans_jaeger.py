"""Jaeger's JSON as columns: typed tags, what tags tell, references, logs, processes, and what VictoriaTraces writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs_magics.model.errors import BadAnswer
from obs_magics.model.spans import check_spans
from obs_magics.syntax.spans import VALUE_TYPES, SpanColumns, read_jaeger

T, S, P = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
START_US = 1_795_356_000_000_001


def span(**fields: Any) -> dict[str, Any]:
    return {
        "traceID": T, "spanID": S, "operationName": "GET /", "references": [], "startTime": START_US, "duration": 5,
        "tags": [], "logs": [], "processID": "p1", "warnings": None, **fields,
    }  # fmt: skip


def tag(key: str, value: Any, kind: str | None = None) -> dict[str, Any]:
    known = {str: "string", bool: "bool", int: "int64", float: "float64"}
    return {"key": key, "type": kind or known[type(value)], "value": value}


def trace(*spans: dict[str, Any], processes: Any = None, **fields: Any) -> dict[str, Any]:
    own = {"p1": {"serviceName": "api", "tags": [tag("host", "a")]}} if processes is None else processes
    return {"traceID": T, "spans": list(spans), "processes": own, **fields}


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def read(*spans: dict[str, Any], **fields: Any) -> SpanColumns:
    return read_jaeger(compact({"data": [trace(*spans, **fields)], "errors": None}))


def rows(columns: SpanColumns) -> list[dict[str, Any]]:
    frame = columns.frame()
    check_spans(frame)
    found: list[dict[str, Any]] = frame.to_dict("records")
    return found


def typed(columns: SpanColumns, row: int = 0) -> list[tuple[str, str, str]]:
    own = columns.attributes
    part = slice(int(own.offsets[row]), int(own.offsets[row + 1]))
    kinds = [VALUE_TYPES[code] for code in own.types[part]]
    return list(zip(own.keys.to_pylist()[part], kinds, own.texts.to_pylist()[part], strict=True))


@pytest.mark.parametrize("wrap", [
    lambda own: {"data": [own], "total": 0, "limit": 0, "offset": 0, "errors": None},
    lambda own: {"data": own},
    lambda own: own,
    lambda own: [own],
    lambda own: [{**own["spans"][0], "processID": None, "process": own["processes"]["p1"]}],
    lambda own: {**own["spans"][0], "process": own["processes"]["p1"]},
])  # fmt: skip
@pytest.mark.parametrize("indent", [None, 2])
def test_every_envelope_is_opened(wrap: Any, indent: int | None) -> None:
    references = [{"refType": "CHILD_OF", "traceID": T, "spanID": P}]
    body = json.dumps(wrap(trace(span(references=references, tags=[tag("a", 1)]))), indent=indent).encode()
    (row,) = rows(read_jaeger(body))
    assert (row["trace_id"], row["span_id"], row["parent_id"]) == (T, S, P)
    assert (row["service"], row["operation"], row["status"]) == ("api", "GET /", "unset")
    assert (row["start"].value, row["duration"].value) == (START_US * 1000, 5000)
    assert dict(row["attributes"]) == {"a": "1", "service.name": "api", "host": "a"}


@pytest.mark.parametrize(("body", "says"), [
    (b'{"resourceSpans":[]}', "it has neither data nor spans"),
    (b'{"data":["a"]}', r"Expected `object`, got `str` - at `\$.data\[0\]`"),
    (b"limit should be", "it is not whole JSON: 'limit should be'"),
    (compact(trace(span(tags=[1]))), "a tag is no key, type and value"),
])  # fmt: skip
def test_what_is_no_jaeger_json_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(BadAnswer, match=says):
        read_jaeger(body)


def test_nothing_and_what_the_server_says() -> None:
    assert rows(read_jaeger(b'{"data":[],"errors":null}')) == []
    columns = read_jaeger(b'{"data":null,"errors":[{"code":404,"msg":"trace not found"},"odd"]}')
    assert columns.notes == ("the server says: trace not found", "the server says: odd")


TAGS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    (tag("k", 'a"\\b\n'), ("string", 'a"\\b\n')),
    (tag("k", 7, "string"), ("string", "7")),
    (tag("k", 9007199254740993), ("int", "9007199254740993")),
    (tag("k", "9223372036854775807", "int64"), ("int", "9223372036854775807")),
    (tag("k", 5.0, "int64"), ("int", "5")),
    (tag("k", 5.5, "int64"), ("double", "5.5")),
    (tag("k", "x", "int64"), ("string", "x")),
    (tag("k", 72, "float64"), ("double", "72.0")),
    (tag("k", "NaN", "float64"), ("double", "nan")),
    (tag("k", "x", "float64"), ("string", "x")),
    (tag("k", True), ("bool", "true")),
    (tag("k", "true", "bool"), ("bool", "true")),
    (tag("k", 1, "bool"), ("int", "1")),
    (tag("k", "AAE=", "binary"), ("bytes", "AAE=")),
    (tag("k", [1, "a"], "string"), ("array", '[1,"a"]')),
    (tag("k", {"a": None}, "string"), ("kvlist", '{"a":null}')),
    (tag("k", None, "string"), ("empty", "")),
    ({"key": "k", "value": True}, ("bool", "true")),
    ({"key": "k", "type": "mars", "value": 0.5}, ("double", "0.5")),
    ({"key": "k"}, ("empty", "")),
]


@pytest.mark.parametrize(("written", "expected"), TAGS)
@pytest.mark.parametrize("indent", [None, 1])
def test_every_type_of_tag_keeps_type_and_text(written: Any, expected: Any, indent: int | None) -> None:
    body = json.dumps(trace(span(tags=[written, tag("z", "y")])), indent=indent,
                      separators=(",", ":") if indent is None else None).encode()  # fmt: skip
    assert typed(read_jaeger(body)) == [("k", *expected), ("z", "string", "y")]


NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.text(max_size=6) | NUMBERS | st.booleans()
OWN = st.dictionaries(st.text(max_size=4).filter(lambda key: key != "error"), VALUES, max_size=5)


@settings(max_examples=150)
@given(st.lists(OWN, max_size=5), OWN.filter(lambda own: "service.name" not in own))
def test_tags_are_the_same_read_fast_or_slowly(owners: list[dict[str, Any]], process: dict[str, Any]) -> None:
    spans = [span(spanID=f"{n + 1:016x}", tags=[tag(*item) for item in own.items()]) for n, own in enumerate(owners)]
    own_tags = [tag(*item) for item in process.items()]
    whole = trace(*spans, processes={"p1": {"serviceName": "api", "tags": own_tags}})
    fast, slow = read_jaeger(compact(whole)), read_jaeger(json.dumps(whole, indent=1).encode())
    lent = {"service.name": "api", **{key: plain(value) for key, value in process.items()}}
    for n, own in enumerate(owners):
        expected = {key: plain(value) for key, value in own.items()}
        assert {key: text for key, _, text in typed(fast, n)} == expected
        assert typed(fast, n) == typed(slow, n)
        assert dict(fast.frame()["attributes"][n]) == {**lent, **expected}
    pd.testing.assert_frame_equal(fast.frame(), slow.frame())


def plain(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(("tags", "status", "left"), [
    ([tag("error", True)], "error", {}),
    ([tag("error", "true")], "error", {}),
    ([tag("error", "unset")], "unset", {}),
    ([tag("error", False)], "unset", {"error": "false"}),
    ([tag("error", "timeout")], "unset", {"error": "timeout"}),
    ([tag("otel.status_code", "ERROR")], "error", {}),
    ([tag("otel.status_code", "OK"), tag("error", "unset")], "ok", {}),
    ([tag("otel.status_code", "UNSET")], "unset", {}),
    ([tag("otel.status_code", "odd")], "unset", {"otel.status_code": "odd"}),
])  # fmt: skip
def test_states_stand_in_tags(tags: Any, status: str, left: dict[str, str]) -> None:
    columns = read(span(spanID="1"), span(tags=tags))
    assert [row["status"] for row in rows(columns)] == ["unset", status]
    assert {key: text for key, _, text in typed(columns, 1)} == left


def test_kind_and_description_stand_in_tags_too() -> None:
    columns = read(
        span(spanID="1", tags=[tag("span.kind", "consumer"), tag("otel.status_description", "pool exhausted")]),
        span(spanID="2", tags=[tag("span.kind", "mars"), tag("otel.status_description", "")]),
        span(spanID="3"),
    )
    found = rows(columns)
    assert found[0]["kind"] == "consumer"
    assert [pd.isna(row["kind"]) for row in found[1:]] == [True, True]
    assert found[0]["status_message"] == "pool exhausted"
    assert [pd.isna(row["status_message"]) for row in found[1:]] == [True, True]
    assert [typed(columns, n) for n in range(3)] == [[], [("span.kind", "string", "mars")], []]


def ref(kind: str, span_id: str, trace_id: str | None = T) -> dict[str, Any]:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


OTHER = "f" * 32


@pytest.mark.parametrize(("fields", "parent", "links"), [
    ({"references": []}, None, None),
    ({"references": None, "parentSpanID": P}, P, None),
    ({"references": None, "parentSpanID": "0"}, None, None),
    ({"references": [ref("CHILD_OF", P)]}, P, None),
    ({"references": [ref("CHILD_OF", P, None)]}, P, None),
    ({"references": [ref("CHILD_OF", "f067aa0ba902b7", T.lstrip("0"))]}, P, None),
    ({"references": [ref("FOLLOWS_FROM", P)]}, None, [(T, P)]),
    ({"references": [ref("CHILD_OF", S, OTHER), ref("FOLLOWS_FROM", S), ref("CHILD_OF", P)]}, P, [(OTHER, S), (T, S)]),
    ({"references": [ref("CHILD_OF", P), ref("CHILD_OF", S)]}, P, [(T, S)]),
])  # fmt: skip
def test_the_first_child_of_in_the_trace_is_the_parent(fields: Any, parent: str | None, links: Any) -> None:
    frame = read(span(**fields), span(spanID="9", startTime=START_US + 1)).frame()
    check_spans(frame)
    assert (None if pd.isna(frame["parent_id"][0]) else frame["parent_id"][0]) == parent
    if links is None:
        assert "links" not in frame
    else:
        assert [(one["trace_id"], one["span_id"]) for one in frame["links"][0]] == links
        assert len(frame["links"][1]) == 0


def test_logs_are_events() -> None:
    log = {"timestamp": START_US, "fields": [tag("event", "retry"), tag("attempt", 2)]}
    frame = read(span(logs=[log, {"timestamp": START_US + 1, "fields": []}])).frame()
    check_spans(frame)
    first, second = frame["events"][0]
    assert (first["name"], dict(first["attributes"])) == ("retry", {"attempt": "2"})
    assert (second["name"], second["timestamp"]) == ("", pd.Timestamp((START_US + 1) * 1000, tz="UTC"))


def test_warnings_are_kept() -> None:
    columns = read(span(warnings=["clock skew"], tags=[tag("a", "b")]), warnings=["late"])
    assert typed(columns) == [("warnings", "array", '["clock skew"]'), ("a", "string", "b")]
    assert columns.notes == (f"trace {T}: late",)


def test_a_process_that_is_not_there_is_said() -> None:
    columns = read(span(processID="p9", traceID=None), span(spanID="1", processID=None))
    assert [pd.isna(row["service"]) for row in rows(columns)] == [True, True]
    assert columns.notes == ("2 spans of a process that is not there: the service is unknown",)


def test_the_process_s_own_tag_for_the_service_does_not_hide_its_name() -> None:
    process = {"serviceName": "api", "tags": [tag("service.name", "other"), tag("host", "a")]}
    (row,) = rows(read(span(), processes={"p1": process}))
    assert (row["service"], dict(row["attributes"])) == ("api", {"service.name": "api", "host": "a"})
    unnamed = {"tags": [tag("service.name", "other")]}
    (row,) = rows(read(span(), processes={"p1": unnamed}))
    assert pd.isna(row["service"])
    assert dict(row["attributes"]) == {"service.name": "other"}


@pytest.mark.parametrize(("start", "duration", "expected", "note"), [
    ("7", "5", (7000, 5000), ""),
    (7.0, 5, (7000, 5000), ""),
    (None, None, (0, 0), ""),
    (7, -5, (7000, 0), "1 span of a negative duration: taken as 0"),
    ("x", 5, (0, 5000), "1 time that cannot be taken as 0"),
    (2**62, 2**62, (0, 0), "2 times that cannot be taken as 0"),
])  # fmt: skip
def test_times_are_microseconds(start: Any, duration: Any, expected: tuple[int, int], note: str) -> None:
    columns = read(span(startTime=start, duration=duration))
    assert (columns.start_ns[0], columns.duration_ns[0]) == expected
    assert columns.notes == ((note,) if note else ())


def test_what_is_no_character_is_marked() -> None:
    body = compact(trace(span(tags=[tag("k", "Y")]))).replace(b'"Y"', rb'"\ud800"')
    assert typed(read_jaeger(body)) == [("k", "string", "\ufffd")]


@pytest.mark.contract
def test_every_fixture_of_the_ui(shared: Path) -> None:
    found = {}
    for path in (shared / "contracts/fixtures/jaeger").glob("*ui*.json"):
        (exchange,) = json.loads(path.read_text())["interactions"]
        columns = read_jaeger(json.dumps(exchange["response"]["body"]).encode())
        found[path.stem] = [(row["service"], row["status"]) for row in rows(columns)]
    assert found == {
        "anonymizer_ui_trace": [("16af988c443cff37", "unset"), ("3c220036602f839e", "error")],
        "ui_json_of_otlp_in": [("telemetrygen", "unset")],  # the same span twice
    }
