"""OTLP JSON as columns: every envelope, every type of value, ids of both kinds, and both ways to read it agree."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs_magics.model.errors import BadAnswer
from obs_magics.model.spans import check_spans
from obs_magics.syntax.spans import VALUE_TYPES, SpanColumns, joined, read_otlp, read_otlp_bodies, read_otlp_lines
from obs_magics.syntax.spans.ids import read_id

T, S, P = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
START = 1_795_356_000_000_000_001


def span(**fields: Any) -> dict[str, Any]:
    return {
        "traceId": T, "spanId": S, "name": "GET /", "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 5), **fields,
    }  # fmt: skip


def pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def document(*spans: dict[str, Any], resource: Any = None, scope: Any = None) -> dict[str, Any]:
    own = {"attributes": pairs({"service.name": {"stringValue": "api"}})} if resource is None else resource
    return {"resourceSpans": [{"resource": own, "scopeSpans": [{"scope": scope or {}, "spans": list(spans)}]}]}


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def read(*spans: dict[str, Any], **around: Any) -> SpanColumns:
    return read_otlp(compact(document(*spans, **around)))


def typed(columns: SpanColumns, row: int = 0) -> dict[str, tuple[str, str]]:
    own = columns.attributes
    part = slice(int(own.offsets[row]), int(own.offsets[row + 1]))
    kinds = [VALUE_TYPES[code] for code in own.types[part]]
    return dict(zip(own.keys.to_pylist()[part], zip(kinds, own.texts.to_pylist()[part], strict=True), strict=True))


DEEP = b'[{"key":"k","value":' + b'{"arrayValue":{"values":[' * 5_000 + b"]}}" * 5_000 + b"}]"


def rows(columns: SpanColumns) -> list[dict[str, Any]]:
    frame = columns.frame()
    check_spans(frame)
    found: list[dict[str, Any]] = frame.to_dict("records")
    return found


def test_one_span_has_all_its_fields() -> None:
    columns = read(span(parentSpanId=P, kind=3, status={"code": 2, "message": "boom"}, attributes=pairs({
        "http.route": {"stringValue": "/cart"}})))  # fmt: skip
    (row,) = rows(columns)
    assert (row["trace_id"], row["span_id"], row["parent_id"]) == (T, S, P)
    assert (row["service"], row["operation"], row["kind"]) == ("api", "GET /", "client")
    assert (row["status"], row["status_message"]) == ("error", "boom")
    assert row["start"].value == START
    assert row["duration"].value == 5
    assert dict(row["attributes"]) == {"http.route": "/cart", "service.name": "api"}
    assert columns.notes == ()
    assert len(columns) == 1


@pytest.mark.parametrize("wrap", [
    lambda doc: doc,
    lambda doc: {"batches": doc["resourceSpans"]},
    lambda doc: {"trace": doc},
    lambda doc: {"trace": doc, "status": "COMPLETE", "metrics": {}},
    lambda doc: {"result": doc},
    lambda doc: [doc],
    lambda doc: {"resourceSpans": [{"resource": doc["resourceSpans"][0]["resource"],
        "instrumentationLibrarySpans": [{"instrumentationLibrary": {"name": "x"},
                                         "spans": doc["resourceSpans"][0]["scopeSpans"][0]["spans"]}]}]},
])  # fmt: skip
def test_every_envelope_is_opened(wrap: Any) -> None:
    (row,) = rows(read_otlp(json.dumps(wrap(document(span()))).encode()))
    assert (row["service"], row["operation"]) == ("api", "GET /")


@pytest.mark.parametrize("body", [
    b"{}", b' {"trace":{},"metrics":{}}', b'{"resourceSpans":[]}', b'{"result":{}}', b'{"resourceSpans":[{}]}',
    b'{"resourceSpans":[{"scopeSpans":[{}]}]}', b"",
])  # fmt: skip
def test_nothing_is_an_empty_frame(body: bytes) -> None:
    assert rows(read_otlp(body)) == []


def test_lines_of_the_file_exporter_are_one_answer() -> None:
    lines = [compact(document(span(spanId=f"{n:016x}", startTimeUnixNano=str(START + n)))) for n in range(1, 4)]
    columns = read_otlp_lines(b"\n".join(lines) + b"\n\n")
    assert [row["span_id"][-1] for row in rows(columns)] == ["1", "2", "3"]
    with pytest.raises(BadAnswer, match=r"line 2 of it is not whole JSON: '\{\"resourceSpans"):
        read_otlp_lines(lines[0] + b"\n" + lines[1][:-5])
    assert len(read_otlp_lines(b"")) == 0


def test_a_stream_that_breaks_off_with_an_error_says_so() -> None:
    body = compact({"result": document(span())}) + b"\n" + compact({"error": {"message": "storage gone"}})
    columns = read_otlp(body)
    assert len(columns) == 1
    assert columns.notes == ("the answer breaks off with an error: storage gone",)
    assert read_otlp(b'{"error":"gone"}').notes == ("the answer breaks off with an error: gone",)


@pytest.mark.parametrize(("body", "says"), [
    (b'{"data":[]}', "it has data, as Jaeger's own JSON does"),
    (b'{"spans":[]}', "it has no resourceSpans"),
    (b"<html>", "it is not whole JSON: '<html>'"),
    (b'{"resourceSpans":7}', r"Expected `array \| null`, got `int` - at `\$.resourceSpans`"),
    (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":1}]}]}]}]}', "no pair of key and value"),
    (compact(document(span(attributes=pairs({"k": {"arrayValue": 7}})))), "no pair of key and value"),
    (compact(document(span(attributes="DEEP"))).replace(b'"DEEP"', DEEP), "it is not whole JSON"),
    (b'{"trace":' * 5_000, "it is not whole JSON"),
])  # fmt: skip
def test_what_is_no_otlp_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(BadAnswer, match=says):
        read_otlp(body)


VALUES: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "text": ({"stringValue": 'a"\\b\n\u2028😀'}, ("string", 'a"\\b\n\u2028😀')),
    "empty text": ({"stringValue": ""}, ("string", "")),
    "int as text": ({"intValue": "-9007199254740993"}, ("int", "-9007199254740993")),
    "int as number": ({"intValue": 9007199254740993}, ("int", "9007199254740993")),
    "int in another form": ({"intValue": "+007"}, ("int", "7")),
    "int that is none": ({"intValue": "x"}, ("string", "x")),
    "int beyond 64 bits": ({"intValue": "99999999999999999999"}, ("int", "99999999999999999999")),
    "double": ({"doubleValue": 0.1}, ("double", "0.1")),
    "whole double": ({"doubleValue": 72}, ("double", "72.0")),
    "no finite double": ({"doubleValue": "-Infinity"}, ("double", "-inf")),
    "no double": ({"doubleValue": "x"}, ("string", "x")),
    "true": ({"boolValue": True}, ("bool", "true")),
    "false": ({"boolValue": False}, ("bool", "false")),
    "true as text": ({"boolValue": "True"}, ("bool", "true")),
    "no bool": ({"boolValue": "x"}, ("string", "x")),
    "bytes": ({"bytesValue": "AAAwOQ=="}, ("bytes", "AAAwOQ==")),
    "array": ({"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "9007199254740993"}, {"doubleValue": 0.5},
                                         {"boolValue": True}, {}, {"doubleValue": "NaN"}, {"bytesValue": "AA=="}, None,
                                         {"intValue": "x"}, {"arrayValue": {"values": [{"intValue": 1}]}}]}},
              ("array", '["a",9007199254740993,0.5,true,null,"nan","AA==",null,"x",[1]]')),
    "empty array": ({"arrayValue": {}}, ("array", "[]")),
    "mapping": ({"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}},
                                            {"key": "b", "value": {"kvlistValue": {"values": []}}}]}},
                ("kvlist", '{"a":1,"b":{}}')),
    "array of mappings": ({"arrayValue": {"values": [{"kvlistValue": {"values": [{"key": "k"}]}}]}},
                          ("array", '[{"k":null}]')),
    "empty": ({}, ("empty", "")),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("indent", [None, 1])
def test_every_type_of_value_keeps_type_and_text(value: Any, expected: tuple[str, str], indent: int | None) -> None:
    doc = document(span(attributes=pairs({"k": value, "after": {"stringValue": "x"}})))
    body = json.dumps(doc, indent=indent, separators=(",", ":") if indent is None else None).encode()
    assert typed(read_otlp(body)) == {"k": expected, "after": ("string", "x")}


def test_a_pair_may_miss_anything() -> None:
    columns = read(span(attributes=[{"key": "a"}, {"key": "b", "value": None}, {"value": {"stringValue": "x"}}, {}]))
    assert typed(columns) == {"a": ("empty", ""), "b": ("empty", ""), "": ("empty", "")}


ODD_PAIRS = {
    '[{"key":"k","value":{"stringValue":"x"},"more":1}]': [("k", "string", "x")],
    '[{"value":{"stringValue":"x"},"key":"k"}]': [("k", "string", "x")],
    '[{"key":"k","value":{"mars":"x"}}]': [("k", "empty", "")],
    '[{"key":"k","value":{"stringValue":"x"}} ]': [("k", "string", "x")],
    '[ {"key":"k","value":{"stringValue":"x"}}]': [("k", "string", "x")],
    '[{"key":"k","value":{"stringValue":"x"}} ,{"key":"l","value":{"intValue":1}}]': [
        ("k", "string", "x"),
        ("l", "int", "1"),
    ],
    '[{"key":"k","value":{"intValue": 1}}]': [("k", "int", "1")],
    '[{"key":"k","value":{"intValue":"1" }}]': [("k", "int", "1")],
    '[{"key":"k","value":{"intValue":"1"} }]': [("k", "int", "1")],
    '[{"key":"k","value":{"stringValue":"x","intValue":"1"}}]': [("k", "string", "x")],
    '[{"key":"k","value":{"stringValue":null}}]': [("k", "empty", "")],
    '[{"key":"k"}]': [("k", "empty", "")],
    '[{"value":{"key":"k"}}]': [("", "empty", "")],
    "[{}]": [("", "empty", "")],
    "[ ]": [],
    "[]": [],
    "null": [],
    '[{"key":"k","value":{"stringValue":"}},{\\"key\\":\\"l\\""}}]': [("k", "string", '}},{"key":"l"')],
}


@pytest.mark.parametrize(("written", "expected"), ODD_PAIRS.items())
def test_pairs_that_are_written_in_another_way(written: str, expected: list[tuple[str, str, str]]) -> None:
    """Another span stands before and behind, whose own pairs are written as usual."""
    usual = pairs({"a": {"stringValue": "b"}})
    spans = [span(spanId=f"{n:016x}", attributes="HERE" if n == 2 else usual) for n in range(1, 4)]
    columns = read_otlp(compact(document(*spans)).replace(b'"HERE"', written.encode()))
    assert [(key, kind, text) for key, (kind, text) in typed(columns, 1).items()] == expected
    assert [typed(columns, n) for n in (0, 2)] == [{"a": ("string", "b")}] * 2


SCALARS = (
    st.builds(
        lambda text: {"stringValue": text}, st.text(max_size=8) | st.sampled_from(['{"key":"', '"}},', "\\", '\\"'])
    )
    | st.builds(lambda number: {"intValue": str(number)}, st.integers(-(2**63), 2**63 - 1))
    | st.builds(lambda number: {"doubleValue": number}, st.floats(allow_nan=False, allow_infinity=False))
    | st.builds(lambda flag: {"boolValue": flag}, st.booleans())
    | st.builds(lambda raw: {"bytesValue": base64.b64encode(raw).decode()}, st.binary(max_size=5))
)
ANY = st.recursive(SCALARS, lambda inner: st.builds(lambda items: {"arrayValue": {"values": items}},
                                                    st.lists(inner, max_size=3)))  # fmt: skip
PAIRS = st.lists(st.tuples(st.text(max_size=5), ANY), max_size=5)


def plain(value: dict[str, Any]) -> str:
    """The text that a value shall have, told in the slowest way."""
    ((kind, content),) = value.items()
    if kind == "boolValue":
        return "true" if content else "false"
    if kind == "doubleValue":
        return repr(float(content))
    if kind == "arrayValue":
        return json.dumps([nested(item) for item in content["values"]], ensure_ascii=False, separators=(",", ":"))
    return str(content)


def nested(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "arrayValue":
        return [nested(item) for item in content["values"]]
    return int(content) if kind == "intValue" else content


@settings(max_examples=150)
@given(st.lists(PAIRS, max_size=5), PAIRS, st.booleans())
def test_attributes_are_the_same_read_fast_or_slowly(owners: list[Any], resource: Any, ascii_only: bool) -> None:
    spans = [
        span(spanId=f"{n + 1:016x}", attributes=[{"key": key, "value": value} for key, value in own])
        for n, own in enumerate(owners)
    ]
    doc = document(*spans, resource={"attributes": [{"key": key, "value": value} for key, value in resource]})
    fast = read_otlp(json.dumps(doc, ensure_ascii=ascii_only, separators=(",", ":")).encode())
    slow = read_otlp(json.dumps(doc, ensure_ascii=ascii_only, indent=1).encode())
    expected = [{key: plain(value) for key, value in own} for own in owners]
    for columns in (fast, slow):
        assert [{k: t for k, (_, t) in typed(columns, n).items()} for n in range(len(columns))] == expected
    assert fast.attributes.types.tolist() == slow.attributes.types.tolist()
    lent = {key: plain(value) for key, value in resource}
    frames = [columns.frame() for columns in (fast, slow)]
    for n, own in enumerate(expected):
        assert [dict(frame["attributes"][n]) for frame in frames] == [{**lent, **own}] * 2
    pd.testing.assert_frame_equal(*frames)


def test_resource_and_scope_lend_what_the_span_does_not_have() -> None:
    scope = {
        "name": "lib",
        "version": "1.2",
        "attributes": pairs({"a": {"stringValue": "scope"}, "b": {"intValue": "1"}}),
    }
    resource = {"attributes": pairs({"service.name": {"stringValue": "api"}, "a": {"stringValue": "resource"},
                                     "b": {"stringValue": "resource"}, "c": {"stringValue": "resource"}})}  # fmt: skip
    columns = read(
        span(attributes=pairs({"a": {"stringValue": "span"}})), span(spanId=P), scope=scope, resource=resource
    )
    first, second = (dict(row["attributes"]) for row in rows(columns))
    lib = {"otel.scope.name": "lib", "otel.scope.version": "1.2", "service.name": "api", "c": "resource", "b": "1"}
    assert first == {**lib, "a": "span"}
    assert second == {**lib, "a": "scope"}
    assert columns.scopes.values_of("b")[1].to_pylist() == ["1"]
    assert columns.resources.texts_of("a").to_pylist() == ["resource"]


@pytest.mark.parametrize(("kind", "status", "expected"), [
    (None, None, (None, "unset")),
    (0, {}, (None, "unset")),
    (2, {"code": 1}, ("server", "ok")),
    ("SPAN_KIND_PRODUCER", {"code": "STATUS_CODE_ERROR"}, ("producer", "error")),
    ("SPAN_KIND_UNSPECIFIED", {"code": "STATUS_CODE_UNSET", "message": ""}, (None, "unset")),
    (99, {"code": 99}, (None, "unset")),
])  # fmt: skip
def test_kinds_and_states_are_numbers_names_or_missing(kind: Any, status: Any, expected: tuple[Any, str]) -> None:
    (row,) = rows(read(span(kind=kind, status=status)))
    assert (None if pd.isna(row["kind"]) else row["kind"], row["status"]) == expected
    assert pd.isna(row["status_message"])


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8))
def test_ids_are_the_same_in_hex_and_in_base64(trace: bytes, own: bytes) -> None:
    written = [
        (trace.hex(), own.hex()),
        (trace.hex().upper(), own.hex().upper()),
        (base64.b64encode(trace).decode(), base64.b64encode(own).decode()),
        (base64.urlsafe_b64encode(trace).decode(), base64.urlsafe_b64encode(own).decode()),
        (trace.hex().lstrip("0") or "0", own.hex().lstrip("0") or "0"),
    ]
    for trace_id, span_id in written:
        (row,) = rows(read(span(traceId=trace_id, spanId=span_id)))
        assert (row["trace_id"], row["span_id"]) == (trace.hex(), own.hex())


@pytest.mark.parametrize("text", ["", "zz!", "0" * 31 + "g", "f" * 33, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="])
def test_what_is_no_id(text: str) -> None:
    assert read_id(text, 32) is None
    columns = read(span(traceId=text), span(traceId=T))
    assert len(columns) == 1
    assert columns.notes == ("1 span without a trace id and a span id that make sense left out",)


def test_zeros_too_many_are_no_harm() -> None:
    assert read_id("0" * 20 + S, 16) == S


def test_roots_have_no_parent_and_odd_parents_are_said() -> None:
    ids = [f"{n:016x}" for n in range(1, 6)]
    parents = ["", None, "0000000000000000", "?", P]
    columns = read(*(span(spanId=own, parentSpanId=parent) for own, parent in zip(ids, parents, strict=True)))
    assert columns.parent_id.to_pylist() == [None, None, None, None, P]
    assert columns.notes == ("1 parent id that makes no sense left out",)


@pytest.mark.parametrize(("start", "end", "expected", "note"), [
    ("5", "7", (5, 2), ""),
    (5, 7, (5, 2), ""),
    (5, "7", (5, 2), ""),
    (None, None, (0, 0), ""),
    ("7", "5", (7, 0), "1 span without an end after the start: duration taken as 0"),
    ("x", "5", (0, 5), "1 time that is none taken as 0"),
    ("18446744073709551615", "5", (0, 5), "1 time that is none taken as 0"),
    (18446744073709551615, 5, (0, 5), "1 time that is none taken as 0"),
])  # fmt: skip
def test_times(start: Any, end: Any, expected: tuple[int, int], note: str) -> None:
    columns = read(span(startTimeUnixNano=start, endTimeUnixNano=end))
    assert (columns.start_ns[0], columns.duration_ns[0]) == expected
    assert columns.notes == ((note,) if note else ())


def test_events_and_links_are_columns_only_when_there_are_any() -> None:
    event = {
        "timeUnixNano": str(START),
        "name": "exception",
        "attributes": pairs({"exception.type": {"stringValue": "E"}}),
    }
    link = {"traceId": base64.b64encode(bytes.fromhex(T)).decode(), "spanId": P}
    frame = read(span(events=[event, {}], links=[link]), span(spanId=P, startTimeUnixNano=str(START + 1))).frame()
    check_spans(frame)
    first, second = frame["events"][0]
    assert (first["timestamp"], first["name"]) == (pd.Timestamp(START, tz="UTC"), "exception")
    assert dict(first["attributes"]) == {"exception.type": "E"}
    assert (second["name"], dict(second["attributes"])) == ("", {})
    assert list(frame["links"][0]) == [{"trace_id": T, "span_id": P}]
    assert [len(frame[name][1]) for name in ("events", "links")] == [0, 0]
    assert not {"events", "links"} & set(read(span()).frame().columns)


def test_a_service_without_a_name_is_missing() -> None:
    bare = {"attributes": pairs({"service.name": {"stringValue": ""}})}
    for resource in ({}, bare):
        (row,) = rows(read(span(), resource=resource))
        assert pd.isna(row["service"])
    assert pd.isna(rows(read_otlp(compact({"batches": [{"scopeSpans": [{"spans": [span()]}]}]})))[0]["service"])


def test_the_same_span_twice_is_one_and_different_ones_are_kept() -> None:
    attributes = {"a": {"stringValue": "1"}, "b": {"intValue": "2"}}
    turned = dict(reversed(attributes.items()))
    columns = read(span(attributes=pairs(attributes)), span(attributes=pairs(turned)), span(spanId=P))
    assert len(columns) == 2
    assert columns.notes == ()
    columns = read(span(), span(name="other"), span(), span(attributes=pairs({"a": {"intValue": "1"}})),
                   span(attributes=pairs({"a": {"stringValue": "1"}})))  # fmt: skip
    assert len(columns) == 4
    assert columns.notes == ("1 span id stands for several spans of one trace that differ; all of them are kept",)
    columns = read(*(span(spanId=own, name=name) for own in (S, P) for name in "ab"))
    assert columns.notes == ("2 span ids stand for several spans of one trace that differ; all of them are kept",)


def test_two_events_may_be_all_that_differs() -> None:
    assert len(read(span(events=[{"name": "a"}]), span(events=[{"name": "b"}]), span(events=[{"name": "a"}]))) == 2


def test_bodies_are_joined_and_what_came_twice_is_kept_once() -> None:
    event, link = {"name": "e"}, {"traceId": T, "spanId": P}
    a = read(span(events=[event], attributes=pairs({"k": {"intValue": "1"}}), startTimeUnixNano="x"))
    b = read(span(spanId=P, links=[link]), resource={"attributes": pairs({"service.name": {"stringValue": "db"}})},
             scope={"name": "lib"})  # fmt: skip
    both = joined([a, b, a])
    assert len(both) == 2
    assert both.notes == a.notes
    found = {row["span_id"]: row for row in rows(both)}
    assert [found[own]["service"] for own in (S, P)] == ["api", "db"]
    assert dict(found[P]["attributes"]) == {"otel.scope.name": "lib", "service.name": "db"}
    assert [len(found[S]["events"]), len(found[S]["links"]), len(found[P]["events"]), len(found[P]["links"])] == [
        1,
        0,
        0,
        1,
    ]
    bodies = [compact(document(span(spanId=own))) for own in (S, P, S)]
    pd.testing.assert_frame_equal(
        read_otlp_bodies([*bodies, b"{}"]).frame(), joined(list(map(read_otlp, bodies))).frame()
    )
    assert joined([a]) is a
    assert rows(joined([])) == []
    assert len(joined([read(span()), read(span(spanId=P))])) == 2


NO_CHARACTERS = compact(document(span(name="X", attributes=pairs({"k": {"stringValue": "Y"}}))))


@pytest.mark.parametrize("body", [
    NO_CHARACTERS.replace(b"X", b"\xff").replace(b"Y", b"\xfe"),
    NO_CHARACTERS.replace(b"X", rb"\ud800").replace(b"Y", rb"\udfff"),
    NO_CHARACTERS.replace(b"X", b"\xef\xbf\xbd").replace(b"Y", rb"\ud800"),
])  # fmt: skip
def test_what_is_no_character_is_marked(body: bytes) -> None:
    (row,) = rows(read_otlp(body))
    assert row["operation"] == "\ufffd"
    assert dict(row["attributes"])["k"] == "\ufffd"


def test_json_that_only_python_writes_is_read_too() -> None:
    body = json.dumps(document(span(attributes=pairs({"k": {"doubleValue": math.nan}})))).encode()
    assert typed(read_otlp(body)) == {"k": ("double", "nan")}


@pytest.mark.contract
def test_every_otlp_fixture(shared: Path) -> None:
    folder = shared / "contracts/fixtures"
    files = [*folder.glob("jaeger/*.json"), *folder.glob("tempo/*.json")]
    counted = 0
    for path in files:
        for exchange in json.loads(path.read_text())["interactions"]:
            body = exchange["response"]["body"]
            if isinstance(body, list) or "data" in body:
                continue
            found = rows(read_otlp(compact(body)))
            assert found == rows(read_otlp(json.dumps(body, indent=2).encode()))
            text = json.dumps(body)
            assert len(found) == text.count('"spanId"') - _linked(body), path.name
            counted += 1
    assert counted >= 25


def _linked(body: Any) -> int:
    """How many span ids are those of links, or of spans that came twice."""
    found = body.get("result", body)
    spans = [s for r in found["resourceSpans"] for scope in r.get("scopeSpans", []) for s in scope["spans"]]
    return sum(len(s.get("links", [])) for s in spans) + len(spans) - len({(s["traceId"], s["spanId"]) for s in spans})
