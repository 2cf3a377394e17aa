"""The logs frame of raw columns: levels, services and ids from labels, attributes and bodies."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.loglines import hex_ids, logs_frame_from
from obs_magics.model.logs import check_logs, log_label_columns

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def _frame(lines: list[str | None], *, attributes: dict[str, Any] | None = None, **options: Any) -> pd.DataFrame:
    labels = {name: _column(values) for name, values in options.pop("labels", {}).items()}
    more = {name: pa.array(values, pa.string()) for name, values in (attributes or {}).items()}
    frame = logs_frame_from(
        np.arange(len(lines)), pa.array(lines, pa.string()), labels=labels, attributes=more, **options
    )
    check_logs(frame)
    return frame


def _column(values: Any) -> Any:
    return values if isinstance(values, pd.Categorical | pa.Array | pa.ChunkedArray) else pd.Categorical(values)


def _list(column: pd.Series[Any]) -> list[Any]:
    return [None if pd.isna(value) else value for value in column]


def test_labels_and_attributes_win_over_bodies() -> None:
    frame = _frame(
        ["ERROR x", "ERROR x", "ERROR x", "x"],
        labels={"level": ["info", None, None, None], "app": ["shop", "shop", None, ""]},
        attributes={
            "detected_level": [None, "warn", "unknown", None],
            "service.name": [None, "pay", None, "unknown_service:java"],
        },
    )  # fmt: skip
    assert _list(frame["level"]) == ["info", "warn", "error", None]
    assert _list(frame["service"]) == ["shop", "pay", None, None]
    assert log_label_columns(frame) == ["app", "detected_level", "service.name"]


def test_rows_are_brought_into_the_order_of_time_and_equal_times_stay_as_they_were() -> None:
    frame = logs_frame_from(
        np.array([3, 1, 1, 2]),
        pa.array(["d", "a", "b", "c"]),
        labels={"pod": pd.Categorical(["w", "x", None, "z"])},
        attributes={"n": pa.array(["4", "1", "2", None])},
    )
    check_logs(frame)
    assert list(frame["message"]) == ["a", "b", "c", "d"]
    assert _list(frame["pod"]) == ["x", None, "z", "w"]
    assert _list(frame["n"]) == ["1", "2", None, "4"]


def test_columns_of_the_frame_stay_labels_only_when_they_say_more() -> None:
    lines: list[str | None] = ["x", "y"]
    same = _frame(
        lines,
        labels={"level": ["INFO", "warning"], "service": ["a", "b"]},
        attributes={"trace_id": [TRACE.upper(), "00000000000000000000000000000000"], "span_id": [SPAN, ""]},
    )
    assert log_label_columns(same) == []
    assert _list(same["trace_id"]) == [TRACE, None]
    assert _list(same["span_id"]) == [SPAN, None]
    more = _frame(lines, labels={"level": ["INFO", "audit"]}, attributes={"trace_id": [TRACE, "req-17"]})
    assert log_label_columns(more) == ["label_level", "label_trace_id"]
    assert _list(more["level"]) == ["info", None]
    by_label = _frame(lines, labels={"trace_id": [TRACE, "none"], "span_id": [SPAN, None]})
    assert log_label_columns(by_label) == ["label_trace_id"]
    assert _list(by_label["trace_id"]) == [TRACE, None]


def test_labels_may_come_as_dictionaries_too() -> None:
    words = pa.array(["info", None, "info", "error"])
    level = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None, 3]), words)
    pieces = pa.chunked_array(
        [pa.array(["a", "b"]).dictionary_encode(), pa.array(["b", None, "c"]).dictionary_encode()]
    )
    frame = _frame(["v"] * 5, labels={"level": level, "job": pieces})
    assert _list(frame["level"]) == ["info", None, "info", None, "error"]
    assert _list(frame["service"]) == ["a", "b", "b", None, "c"]
    assert isinstance(frame["job"].dtype, pd.CategoricalDtype)


@pytest.mark.parametrize(
    ("line", "service"),
    [
        ('{"service":"pay","level":"info"}', "pay"), ('{"service":{"name":"pay"},"level":"info"}', "pay"),
        ('{"service.name":"pay","log.level":"info"}', "pay"), ('{"dd":{"service":"pay"},"level":"info"}', "pay"),
        ('{"serviceContext":{"service":"pay"},"severity":"INFO"}', "pay"), ('{"app":"pay"}', "pay"),
        ('{"log":"x","kubernetes":{"labels":{"app":"pay"},"container_name":"c"}}', "pay"),
        ('{"log":"x","kubernetes":{"container_name":"c"}}', "c"), ('{"resource":{"service.name":"pay"}}', "pay"),
        ('{"service":"-","app":"pay","level":"info"}', "pay"), ('{"service":"unknown_service","level":"info"}', None),
        ('{"name":"pay","hostname":"h","pid":1,"level":30}', "pay"), ('{"name":"John","level":"info"}', None),
        ('{"service":"pay","msg":"cut o', "pay"), ('{"service":17,"level":"info"}', None),
        ("level=info service=pay msg=x", "pay"), ('level=info app="web shop" msg=x', "web shop"),
        ("2026-11-22 14:00:00 INFO [trace_id=0 resource.service.name=pay] x", "pay"),
        ("INFO [pay,4bf92f3577b34da6,00f067aa0ba902b7] 1 --- x", "pay"),
        ("<30>1 2026-11-22T14:00:00Z host pay 1 - - hello", "pay"),
        ("<30>1 2026-11-22T14:00:00Z host - 1 - - hi", None),
        ("Nov 22 14:00:00 host pay[17]: hello", "pay"), ("Nov 22 14:00:00 host sshd(pam_unix)[1]: hi", "sshd"),
        ("the service pay is fine", None),
    ],
)  # fmt: skip
def test_the_service_that_a_line_names(line: str, service: str | None) -> None:
    assert _list(_frame([line])["service"]) == [service]
    assert _list(_frame([line], labels={"level": ["info"]})["service"]) == [service]
    assert _list(_frame([line, "x"], labels={"app": [None, "b"]})["service"]) == [service, "b"]


@pytest.mark.parametrize(
    ("line", "trace", "span"),
    [
        (f"level=info trace_id={TRACE} span_id={SPAN}", TRACE, SPAN),
        (f'{{"traceId":"{TRACE.upper()}","spanId":"{SPAN}"}}', TRACE, SPAN),
        (f'{{"traceID":"{TRACE}","parent_span_id":"{SPAN}"}}', TRACE, None),
        (f'{{"trace":{{"id":"{TRACE}"}},"span":{{"id":"{SPAN}"}}}}', TRACE, SPAN),
        (f'{{"trace.id":"{TRACE}","span.id":"{SPAN}"}}', TRACE, SPAN),
        (json.dumps({"msg": json.dumps({"trace_id": TRACE})}), TRACE, None),
        ("dd.trace_id=255 dd.span_id=4096", "0" * 30 + "ff", "0" * 12 + "1000"),
        ('{"dd":{"trace_id":"255","span_id":"4096"}}', "0" * 30 + "ff", "0" * 12 + "1000"),
        (f"traceparent: 00-{TRACE}-{SPAN}-01", TRACE, SPAN),
        (f"X-B3-TraceId: {TRACE[:16]}, X-B3-SpanId: {SPAN}", "0" * 16 + TRACE[:16], SPAN),
        ("X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793", "5759e988bd862e3fe1be46a994272793", None),
        ("uber-trace-id: abc123:f1:0:1", "0" * 26 + "abc123", "0" * 14 + "f1"),
        (f"INFO [pay,{TRACE},{SPAN}] 1 --- x", TRACE, SPAN), (f"otelTraceID={TRACE} otelSpanID={SPAN}", TRACE, SPAN),
        (f'"logging.googleapis.com/trace":"projects/shop/traces/{TRACE}"', TRACE, None),
        (f"trace={TRACE} span={SPAN}", TRACE, SPAN), (f"TRACE_ID={TRACE}", TRACE, None),
        ("trace_id=none span_id=-", None, None), (f"trace_id={'0' * 32}", None, None), ("trace_id=17", None, None),
        ("we traced it", None, None), (f"request {TRACE}", None, None),
    ],
)  # fmt: skip
def test_the_trace_and_span_that_a_line_names(line: str, trace: str | None, span: str | None) -> None:
    frame = _frame([line, "nothing"], labels={"level": ["info"] * 2, "app": ["a"] * 2})
    assert _list(frame["trace_id"]) == [trace, None]
    assert _list(frame["span_id"]) == [span, None]


def test_ids_of_attributes_are_filled_up_from_bodies() -> None:
    frame = _frame([f"trace_id={TRACE}"] * 2, attributes={"traceId": ["ab" * 16, None]})
    assert _list(frame["trace_id"]) == ["ab" * 16, TRACE]
    assert log_label_columns(frame) == ["traceId"]


@pytest.mark.parametrize(
    ("text", "name", "trace", "span"),
    [
        (f"00-{TRACE}-{SPAN}-01", "traceparent", TRACE, SPAN),
        ("abc123:f1:0:1", "uber-trace-id", "0" * 26 + "abc123", "0" * 14 + "f1"),
        (f"Self=1-2;Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1", "x-amzn-trace-id", TRACE, SPAN),
        ("1-5759e988-bd862e3fe1be46a994272793", "xray_trace_id", "5759e988bd862e3fe1be46a994272793", None),
        ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "trace_id", TRACE, None),
        (f"projects/p/traces/{TRACE}", "x", TRACE, None), ("255", "dd.trace_id", "0" * 30 + "ff", "0" * 14 + "ff"),
        (TRACE, "dd.trace_id", TRACE, None),
        (f' "{TRACE}" ', "x", TRACE, None), ("é" * 600, "x", None, None), ("255", "x", None, None),
    ],
)  # fmt: skip
def test_ids_in_all_spellings(text: str, name: str, trace: str | None, span: str | None) -> None:
    for values in (
        pa.array([text, None]),
        pa.array([text, None]).dictionary_encode(),
        pa.chunked_array([[text, None]]),
    ):
        assert hex_ids(values, 32, name=name).to_pylist() == [trace, None]
        assert hex_ids(values, 16, name=name).to_pylist() == [span, None]


def test_ids_that_are_as_they_should_be_are_not_touched() -> None:
    for ids in ([TRACE, TRACE[::-1]], [None, None], []):
        assert hex_ids(pa.array(ids, pa.string()), 32).to_pylist() == ids
    nearly = [TRACE, "0" * 32, "g" * 32]
    assert hex_ids(pa.array(nearly), 32).to_pylist() == [TRACE, None, None]


def test_colour_codes_are_taken_out_and_everything_else_survives() -> None:
    said: list[str] = []
    link = "\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\"
    odd = ["\x1b[31mERROR\x1b[0m boom", "", "a\0b", "\x1b alone", "x" * 20_000, "\u202eevil", link, None]
    frame = _frame(odd, say=said.append)
    assert list(frame["message"]) == ["ERROR boom", "", "a\0b", "\x1b alone", "x" * 20_000, "\u202eevil", "text", ""]
    assert _list(frame["level"])[0] == "error"
    assert said == ["colour codes taken out of 2 lines"]
    assert list(_frame(["\x1b alone"], say=said.append)["message"]) == ["\x1b alone"]
    assert len(said) == 1


def test_folding_keeps_what_the_folded_lines_told() -> None:
    said: list[str] = []
    lines: list[str | None] = [
        "Nov 22, 2026 2:00:00 PM com.foo.Bar method", "other stream", "SEVERE: broken", f"\ttrace_id={TRACE}", "x",
    ]  # fmt: skip
    frame = _frame(lines, labels={"pod": ["a", "b", "a", "a", "a"]}, fold=True, say=said.append)
    assert list(frame["message"]) == ["\n".join([lines[0] or "", *map(str, lines[2:4])]), "other stream", "x"]
    assert _list(frame["level"]) == ["error", None, None]
    assert _list(frame["trace_id"]) == [TRACE, None, None]
    assert _list(frame["pod"]) == ["a", "b", "a"]
    assert said == ["2 lines of stack traces folded into the line that they continue"]
    assert len(_frame(["a", "b"], fold=True, say=said.append)) == 2
    assert len(_frame(["a", " b"], fold=True)) == 1
    assert len(said) == 1


def test_bodies_are_left_alone_when_asked() -> None:
    frame = _frame([f"ERROR service=a trace_id={TRACE}"], infer=False)
    assert [_list(frame[name]) for name in ("level", "service", "trace_id")] == [[None]] * 3


def test_no_lines_make_an_empty_frame() -> None:
    frame = _frame([], labels={"app": []}, attributes={"trace_id": []}, fold=True)
    assert frame.empty
    assert log_label_columns(frame) == ["app"]


def test_what_does_not_belong_together_is_refused() -> None:
    lines = pa.array(["x"])
    with pytest.raises(ValueError, match="one length"):
        logs_frame_from(np.arange(2), lines, labels={})
    with pytest.raises(ValueError, match="both a label and an attribute: a"):
        logs_frame_from(np.arange(1), lines, labels={"a": pd.Categorical(["x"])}, attributes={"a": lines})


WORDS = st.sampled_from(["info", "ERROR", "", "unknown", None, "pay", TRACE, "30"]) | st.none() | st.text(max_size=5)
NAMES = st.sampled_from(["level", "severity", "app", "service", "trace_id", "span_id", "message", "label_level", "é"])


@given(
    st.lists(st.tuples(st.text(max_size=40), st.integers(-5, 5)), min_size=1, max_size=12),
    st.dictionaries(NAMES, st.lists(WORDS, min_size=12, max_size=12), max_size=4),
    st.sets(NAMES),
    st.booleans(),
)
def test_any_lines_with_any_labels_make_a_frame_that_loses_none(
    rows: list[tuple[str, int]], columns: dict[str, list[str | None]], as_labels: set[str], fold: bool
) -> None:
    clean = {
        name: [None if one is None else _utf8(one) for one in values[: len(rows)]] for name, values in columns.items()
    }
    frame = logs_frame_from(
        np.array([time for _, time in rows]),
        pa.array([_utf8(line) for line, _ in rows]),
        labels={name: pd.Categorical(values) for name, values in clean.items() if name in as_labels},
        attributes={name: pa.array(values, pa.string()) for name, values in clean.items() if name not in as_labels},
        fold=fold,
    )
    check_logs(frame)
    kept = [line for line, _ in sorted(rows, key=lambda row: row[1])]
    if not fold:
        assert list(frame["message"]) == [_utf8(line) for line in kept]
    assert len(frame) <= len(rows)
    ids = frame["trace_id"].dropna()
    assert ids.str.fullmatch("[0-9a-f]{32}").all()


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x1b", "e")
