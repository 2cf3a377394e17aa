"""Bodies of Loki's answers become frames: any text, any order, both encodings, fast or slowly."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.loki_api import START, Entry, body_of

from obs_magics.adapters.log_rows import Rows
from obs_magics.adapters.loki import answers, texts
from obs_magics.adapters.loki import entries as reading
from obs_magics.adapters.loki.answers import Lines, parse_answer
from obs_magics.adapters.prometheus.answers import Series
from obs_magics.model.errors import BadAnswer
from obs_magics.model.logs import check_logs

# What looks like the structure of an answer, inside of a text.
TRAPS = [
    '"],["1', '["1795356000000000000","', '",{"s', '",{"structuredMetadata":{"a":"b"}}],["2', "\\", '\\"', '"', "{",
    "[", "{}]", '",{}]', "]]", "\n", "\t", "\x00", "ü🔥", "\u2028", "\x1b[31mred\x1b[0m",
]  # fmt: skip
LINES = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(TRAPS), max_size=4).map("".join)).filter(
    lambda text: not any("\ud800" <= letter <= "\udfff" for letter in text)
)
LABELS = st.fixed_dictionaries(
    {"app": st.sampled_from(["api", "web", 'we"ird\\'])}, optional={"pod": LINES.filter(bool)}
)
METADATA = st.dictionaries(st.sampled_from(["trace_id", "user", 'od"d']), LINES, max_size=2)
ENTRIES = st.lists(
    st.builds(
        lambda offset, line, labels, metadata: Entry(START + offset, line, labels, metadata),
        st.integers(0, 20), LINES, LABELS, METADATA,
    ),
    max_size=12,
)  # fmt: skip


def rows_of(body: str | bytes) -> Rows:
    found = parse_answer(body if isinstance(body, bytes) else body.encode())
    assert isinstance(found, Lines)
    return found.rows


def told(rows: Rows) -> list[tuple[int, str, dict[str, str]]]:
    """Each line as time, text, and labels with metadata."""
    columns = {name: column.to_pylist() for name, column in {**rows.labels, **rows.attributes}.items()}
    times, lines = rows.timestamps_ns.tolist(), rows.messages.to_pylist()
    return [
        (ns, lines[row], {name: values[row] for name, values in sorted(columns.items()) if values[row] is not None})
        for row, ns in enumerate(times)
    ]


def expected(entries: list[Entry]) -> list[tuple[int, str, dict[str, str]]]:
    return [(entry.ns, entry.line, dict(sorted(entry.all_labels.items()))) for entry in entries]


@given(ENTRIES, st.booleans(), st.booleans())
def test_every_line_comes_as_it_was_written(entries: list[Entry], categorised: bool, spaces: bool) -> None:
    rows = rows_of(body_of(entries, categorised=categorised, spaces=spaces))
    assert sorted(told(rows), key=repr) == sorted(expected(entries), key=repr)


@given(ENTRIES)
def test_what_is_read_fast_is_what_is_read_slowly(entries: list[Entry]) -> None:
    body = body_of(entries, categorised=True)
    slow = rows_of(body_of(entries, categorised=True, spaces=True))
    fast = rows_of(body)
    assert told(fast) == told(slow)


@given(st.lists(LINES, min_size=1, max_size=40), st.booleans())
def test_the_fast_way_is_taken_for_what_loki_sends(lines: list[str], with_metadata: bool) -> None:
    metadata = {"trace_id": "a" * 32} if with_metadata else {}
    entries = [Entry(START + number, line, {"app": "api"}, metadata) for number, line in enumerate(lines)]
    with patch.object(reading, "_slowly", side_effect=AssertionError("read slowly")):
        rows = rows_of(body_of(entries, categorised=True))
    assert told(rows) == expected(entries)


@settings(max_examples=25)
@given(ENTRIES, st.booleans())
def test_any_answer_makes_a_logs_frame(entries: list[Entry], categorised: bool) -> None:
    frame = rows_of(body_of(entries, categorised=categorised)).frame()
    check_logs(frame)
    assert len(frame) == len(entries)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=12))
def test_lines_of_one_stream_and_time_stay_in_the_order_they_were_written_in(found: list[tuple[int, str]]) -> None:
    """Loki gives a stream newest first, and so the last written of one time first."""
    found = sorted(found, key=lambda item: item[0])
    entries = [Entry(START + ns, f"{line}{number}", {"app": "api"}) for number, (ns, line) in enumerate(found)]
    rows = rows_of(body_of(reversed(entries), categorised=True))
    assert rows.frame()["message"].tolist() == [entry.line for entry in entries]


def test_metadata_that_looks_like_a_time_stays_a_text() -> None:
    entries = [Entry(START, "x", {"app": "api"}, {"at": "2026-11-22T14:59:58Z"}), Entry(START + 1, "y", {"app": "api"})]
    rows = rows_of(body_of(entries, categorised=True))
    assert rows.attributes["at"].to_pylist() == ["2026-11-22T14:59:58Z", None]


def test_metadata_and_what_a_parser_found_stand_side_by_side() -> None:
    extra = {"structuredMetadata": {"trace_id": "t"}, "parsed": {"status": "500", "trace_id_extracted": "u"}}
    stream = {"stream": {"app": "api"}, "values": [[str(START), "x", extra], [str(START - 1), "y", {"parsed": {}}]]}
    rows = rows_of(wrapped([stream], categorised=True))
    assert told(rows) == [
        (START - 1, "y", {"app": "api"}),
        (START, "x", {"app": "api", "status": "500", "trace_id": "t", "trace_id_extracted": "u"}),
    ]


def test_a_name_that_is_a_label_here_and_metadata_there_is_one_column() -> None:
    entries = [Entry(START, "x", {"app": "a", "user": "ann"}), Entry(START + 1, "y", {"app": "b"}, {"user": "bob"})]
    assert rows_of(body_of(entries, categorised=True)).frame()["user"].tolist() == ["ann", "bob"]


def test_a_server_that_does_not_know_the_flag_gives_the_same_columns() -> None:
    entries = [Entry(START + n, f"line {n}", {"app": "api"}, {"trace_id": f"{n:032x}"}) for n in range(1, 4)]
    frames = [rows_of(body_of(entries, categorised=flagged)).frame() for flagged in (True, False)]
    pd.testing.assert_frame_equal(*frames)
    assert frames[0]["trace_id"].tolist() == [f"{n:032x}" for n in range(1, 4)]


ODD_ENTRIES = {
    "a short time": [["5", "x"]],
    "a time with a sign": [["-5", "x"]],
    "a time without quotes": [[5, "x"]],
    "metadata that is no text": [["5", "x", {"structuredMetadata": {"a": 1}}]],
    "metadata of another kind": [["5", "x", {"other": {"a": "1"}}]],
    "metadata that is null": [["5", "x", {"structuredMetadata": None}]],
}


@pytest.mark.parametrize("values", ODD_ENTRIES.values(), ids=ODD_ENTRIES)
def test_other_shapes_are_read_slowly(values: list[list[object]]) -> None:
    rows = rows_of(wrapped([{"stream": {}, "values": values}], categorised=True))
    assert rows.messages.to_pylist() == ["x"]
    assert abs(rows.timestamps_ns.tolist()[0]) == 5


@pytest.mark.parametrize("text", [r"\ud800", r"x\udc00y", r"\ud83d\ud83d\ude00"])
def test_half_of_a_surrogate_pair_is_no_character(text: str) -> None:
    body = wrapped([{"stream": {}, "values": [[str(START), "xyz"]]}]).replace("xyz", text)
    (line,) = rows_of(body).messages.to_pylist()
    assert "\ufffd" in line


def test_bytes_that_are_no_text_become_marks() -> None:
    body = wrapped([{"stream": {}, "values": [[str(START), "xyz"]]}]).encode().replace(b"xyz", b"x\xff\xfez")
    assert rows_of(body).messages.to_pylist() == ["x\ufffd\ufffdz"]


WRONG_ENTRIES = {
    "no pair": [["5"]],
    "no list": ["5"],
    "no time": [["x", "y"]],
    "a time that no clock has": [["99999999999999999999999", "y"]],
    "extra is a text": [["5", "y", "z"]],
}


@pytest.mark.parametrize("values", WRONG_ENTRIES.values(), ids=WRONG_ENTRIES)
def test_what_is_no_entry_is_refused(values: list[object]) -> None:
    with pytest.raises(BadAnswer, match=r"stream are not pairs|not a time"):
        parse_answer(wrapped([{"stream": {}, "values": values}]).encode())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ('{"status":"success","data":', "not whole JSON"),
        ("<html></html>", "not whole JSON"),
        ("[]", "does not have the shape"),
        ('{"status":"error"}', "not one of Loki"),
        ('{"status":"success"}', "not one of Loki"),
        ('{"status":"success","data":{"resultType":"streams","result":[{"stream":1}]}}', "does not have the shape"),
        ('{"status":"success","data":{"resultType":"scalar","result":[1e400,"2"]}}', "shape"),
        ('{"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}', "not a number"),
        ('{"status":"success","data":{"resultType":"other","result":[]}}', "type 'other'"),
    ],
)
def test_what_is_no_answer_is_refused(body: str, says: str) -> None:
    with pytest.raises(BadAnswer, match=says):
        parse_answer(body.encode())


def test_numbers_and_the_scalar_in_milliseconds() -> None:
    body = (
        '{"status":"success","warnings":["w"],"data":{"resultType":"scalar","result":[1795359600000,"2"],"stats":{}}}'
    )
    found = parse_answer(body.encode())
    assert isinstance(found, Series)
    assert found.warnings == ("w",)
    assert found.frame()["timestamp"].astype("int64").tolist() == [1_795_359_600_000_000_000]
    body = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795359600,"2"]}]}}'
    found = parse_answer(body.encode())
    assert isinstance(found, Series)
    assert found.timestamps_ns.tolist() == [1_795_359_600_000_000_000]


def test_nothing_is_an_empty_frame() -> None:
    rows = rows_of(wrapped([{"stream": {"app": "x"}, "values": []}], categorised=True))
    assert len(rows.frame()) == 0
    assert len(rows_of(wrapped([])).frame()) == 0


def test_many_lines_cross_the_blocks_that_are_read_at_once() -> None:
    entries = [
        Entry(START + n, f"line {n} " + "x" * (n % 977), {"app": f"a{n % 3}"}, {"n": str(n)}) for n in range(3000)
    ]
    entries += [
        Entry(START + 9000, 'one "with" escapes\n', {"app": "a0"}),
        Entry(START + 9001, "y" * 600_000, {"app": "a1"}),
    ]
    with patch.object(reading, "_slowly", side_effect=AssertionError("read slowly")):
        rows = rows_of(body_of(entries, categorised=True))
    assert sorted(told(rows), key=lambda item: item[0]) == expected(entries)


def test_entries_with_and_without_metadata_in_one_answer() -> None:
    values = [
        [str(START + 3), "a", {"structuredMetadata": {"user": "ann"}}],
        [str(START + 2), "b"],
        [str(START + 1), "c", {}],
        [str(START), "d", {"structuredMetadata": {"user": "bob", "at": "2026-11-22"}, "parsed": {"user": "eve"}}],
    ]
    with patch.object(reading, "_slowly", side_effect=AssertionError("read slowly")):
        rows = rows_of(wrapped([{"stream": {}, "values": values}]))
    assert rows.messages.to_pylist() == ["d", "c", "b", "a"]
    assert rows.attributes["user"].to_pylist() == ["bob", None, None, "ann"]
    assert rows.attributes["at"].to_pylist() == ["2026-11-22", None, None, None]


def test_metadata_larger_than_what_is_read_at_once() -> None:
    entries = [Entry(START, "x", {"app": "api"}, {"user": "y" * (5 << 20)})]
    assert len(rows_of(body_of(entries, categorised=True)).attributes["user"].to_pylist()[0]) == 5 << 20


@pytest.mark.parametrize(
    "lines",
    [
        [json.dumps({"msg": f'say "{n}"'}) for n in range(50)],  # only quotation marks are escaped
        [f"line {n}\n\tat Main.run" for n in range(50)],  # other escapes
        ['x"', "\\", '\\"', ""] * 20,
        [*["plain"] * 50, 'one "with" marks', *["plain"] * 50],  # few of many
    ],
)
def test_lines_with_escapes_of_every_density(lines: list[str]) -> None:
    entries = [Entry(START + n, line, {"app": "api"}) for n, line in enumerate(lines)]
    with patch.object(reading, "_slowly", side_effect=AssertionError("read slowly")):
        rows = rows_of(body_of(entries, categorised=True))
    assert rows.messages.to_pylist() == lines


EXTRAS = st.fixed_dictionaries(
    {},
    optional={
        "structuredMetadata": st.dictionaries(st.sampled_from(["trace_id", "user", 'od"d']), LINES, max_size=3),
        "parsed": st.dictionaries(st.sampled_from(["status", "ü", ""]), LINES, max_size=3),
    },
)


@given(st.lists(st.tuples(LINES, EXTRAS), min_size=1, max_size=30), st.booleans(), st.integers(1, 5))
def test_what_is_read_fast_is_what_json_says(
    found: list[tuple[str, dict[str, Any]]], escaped: bool, block: int
) -> None:
    """However many lines are looked at together, and with all that is no ASCII escaped or as it is."""
    values = [[str(START + number), line, extra] for number, (line, extra) in enumerate(found)]
    body = wrapped([{"stream": {}, "values": values}], categorised=True, escaped=escaped)
    with (
        patch.object(texts, "AT_ONCE", block),
        patch.object(reading, "_slowly", side_effect=AssertionError("read slowly")),
    ):
        rows = rows_of(body)
    decoded = json.loads(body)["data"]["result"][0]["values"]
    assert told(rows) == [
        (int(ns), line, dict(sorted(item for section in extra.values() for item in section.items())))
        for ns, line, extra in decoded
    ]


def test_metadata_of_more_shapes_than_are_remembered() -> None:
    entries = [Entry(START + n, "x", {"app": "api"}, {f"name{n}": "v", "user": str(n)}) for n in range(100)]
    with patch.object(reading, "_slowly", side_effect=AssertionError("read slowly")):
        rows = rows_of(body_of(entries, categorised=True))
    assert told(rows) == expected(entries)


def test_names_of_one_length_are_not_taken_for_each_other() -> None:
    entries = [Entry(START + n, "x", {"app": "api"}, {("user", "host")[n % 2]: f"v{n}"}) for n in range(6)]
    assert told(rows_of(body_of(entries, categorised=True))) == expected(entries)


@pytest.mark.parametrize("odd", [[5, "b"], [str(START + 1), "b", {"structuredMetadata": {"a": "b"}}, "more"]])
def test_an_odd_entry_is_no_part_of_the_line_before_it(odd: list[object]) -> None:
    values: list[object] = [[str(START), 'say "a"\n'], odd, [str(START + 2), "c"]]
    body = wrapped([{"stream": {}, "values": values}]).encode()
    assert sorted(rows_of(body).messages.to_pylist()) == ["b", "c", 'say "a"\n']


TIME = str(START)
ODD_EXTRAS: dict[str, tuple[list[object], dict[str, str]]] = {
    "a number": ([{"structuredMetadata": {"a": 1}}], {"a": "1"}),
    "an unknown section": ([{"other": {"a": "b"}}], {}),
    "an unknown section beside a known one": ([{"structuredMetadata": {"a": "b"}, "other": {"c": "d"}}], {"a": "b"}),
    "a second extra": ([{"structuredMetadata": {"a": "b"}}, "y", {"parsed": {"c": "d"}}], {"a": "b"}),
    "escapes, and large": ([{"structuredMetadata": {"a": '"' + "y" * (5 << 20)}}], {"a": '"' + "y" * (5 << 20)}),
    "a name twice": ([{"structuredMetadata": {"a": "b"}, "parsed": {"a": "c"}}], {"a": "b"}),
}


@pytest.mark.parametrize(("extra", "means"), ODD_EXTRAS.values(), ids=ODD_EXTRAS)
def test_odd_metadata_are_read_all_the_same(extra: list[object], means: dict[str, str]) -> None:
    values: list[object] = [[TIME, "x", *extra], [str(START + 1), "y", {"structuredMetadata": {"a": "z"}}]]
    rows = rows_of(wrapped([{"stream": {}, "values": values}], categorised=True))
    assert told(rows) == [(START, "x", means), (START + 1, "y", {"a": "z"})]


@pytest.mark.parametrize("values", [[[TIME, "x"], 5], [[TIME, "x", [1]]], [["179535600000000000x", "y"]]])
def test_what_is_no_entry_is_refused_with_a_time_too(values: list[object]) -> None:
    with pytest.raises(BadAnswer, match="stream are not pairs"):
        parse_answer(wrapped([{"stream": {}, "values": values}]).encode())


def test_entries_of_other_kinds_side_by_side() -> None:
    values: list[object] = [[5, "x"], [TIME, "y"]]
    assert rows_of(wrapped([{"stream": {}, "values": values}])).messages.to_pylist() == ["x", "y"]


def test_entries_that_are_no_list_are_refused() -> None:
    streams: list[object] = [{"stream": {}, "values": 5}, {"stream": {}, "values": [[str(START), "x"]]}]
    with pytest.raises(BadAnswer, match="stream are not pairs"):
        parse_answer(wrapped(streams).encode())


# Texts as JSON may write them, right or wrong: what Loki would not send, too.
RAW = [
    "plain", r"\"", r"\\", r"\/", r"\n\r\t\b\f", r"\u0000", r"\u00e9", r"\ud83d\ude00", r"\ud83d", r"\udc00", r"\x",
    '"', "],[", '"],["1795356000000000001","', '"]]', r"\"]]", r"\\\"]]", ',{"', "\n", "\r\n", "\x00", "\x7f", "ü🔥",
    "\\", "",
]  # fmt: skip
PIECES = [
    '"',
    "\\",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "-",
    "0",
    "1",
    ".0",
    "null",
    " ",
    "\n",
    "\x7f",
    "ü",
    '""',
    '"a":1,',
    "[[",
]


def read(body: bytes, *, slowly: bool) -> object:
    """What a body says, or that it is refused."""
    with patch.object(answers, "_entry_marks", return_value=None) if slowly else contextlib.nullcontext():
        try:
            found = parse_answer(body)
        except BadAnswer:
            return "refused"
    return found.warnings, told(found.rows) if isinstance(found, Lines) else found


def raw_body(streams: list[list[str]], extra: str = "") -> bytes:
    """An answer whose lines are written as they are, whether that is JSON or not."""
    flags = '"encodingFlags":["categorize-labels"],' if extra else ""
    numbers = itertools.count(START)
    lists = [",".join(f'["{next(numbers)}","{text}"{extra}]' for text in texts) for texts in streams]
    inner = ",".join(f'{{"stream":{{"n":"{n}"}},"values":[{values}]}}' for n, values in enumerate(lists))
    return f'{{"status":"success","data":{{"resultType":"streams",{flags}"result":[{inner}],"stats":{{}}}}}}'.encode()


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.lists(st.sampled_from(RAW), max_size=3).map("".join), max_size=4), min_size=1, max_size=3),
    st.sampled_from(["", "", ',{"structuredMetadata":{"a":"b"}}', ",{}"]),
    st.integers(1, 4),
)
def test_any_text_is_read_fast_as_it_is_read_slowly(streams: list[list[str]], extra: str, block: int) -> None:
    body = raw_body(streams, extra)
    with patch.object(texts, "AT_ONCE", block):
        assert read(body, slowly=False) == read(body, slowly=True)


@settings(max_examples=300)
@given(
    st.lists(st.lists(st.sampled_from(RAW[:10]), max_size=3), min_size=1, max_size=3),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.sampled_from(["", *PIECES])), min_size=1, max_size=2),
    st.sampled_from(["", ",{}"]),
)
def test_a_damaged_body_is_refused_or_read_as_json_says(
    streams: list[list[str]], damages: list[tuple[float, int, str]], extra: str
) -> None:
    """Something left out, put in or changed anywhere: between the lines, in them, or in the rest."""
    body = raw_body(streams, extra)
    for share, gone, put in damages:
        at = round(share * len(body))
        body = body[:at] + put.encode() + body[at + gone :]
    assert read(body, slowly=False) == read(body, slowly=True)


@given(st.floats(0, 1))
def test_a_body_that_is_cut_off_is_refused(share: float) -> None:
    body = raw_body([["a", "b"], ["c"]])
    assert read(body[: round(share * (len(body) - 1))], slowly=False) == "refused"


FORGED = {
    "a list elsewhere": lambda body: body.replace(b'"stats":{}', b'"stats":{"values":[["1795356000000000009","x"]]}'),
    "a list and a text in its place": lambda body: body.replace(
        b'"values":[["1795356000000000000","a"]]', b'"values":"\x7f0"'
    ).replace(b'"stats":{}', b'"stats":{"values":[["1795356000000000009","x"]]}'),
    "a sign before a list": lambda body: body.replace(b'"values":[', b'"values":-['),
    "digits behind a list": lambda body: body.replace(b"]]}", b"]].0}"),
    "values twice": lambda body: body.replace(b'"values":[[', b'"values":[["1795356000000000009","x"]],"values":[['),
    "a time later than any": lambda body: body.replace(b"1795356000000000000", b"9999999999999999999"),
    "no text where the last line ends": lambda body: body.replace(b'"a"]]', b'"a"]'),
    "spaces at the end": lambda body: body + b"  \n",
    "a second answer": lambda body: body + body,
    "another status": lambda body: body.replace(b"success", b"failure"),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_what_only_looks_like_an_answer_of_lines(forge: Callable[[bytes], bytes]) -> None:
    body = forge(raw_body([["a"]]))
    assert read(body, slowly=False) == read(body, slowly=True)


@pytest.mark.parametrize("categorised", [True, False])
def test_lines_without_metadata_are_not_decoded_one_by_one(categorised: bool) -> None:
    lines = [json.dumps({"n": n, "say": 'a "word"', "path": "C:\\x"}) for n in range(40)] + ["ü", "", "x" * 1_000_000]
    entries = [Entry(START + n, line, {"app": f"a{n % 3}"}) for n, line in enumerate(lines)]
    with patch.object(answers, "read_entries", side_effect=AssertionError("read as a whole")):
        rows = rows_of(body_of(entries, categorised=categorised))
    assert [line for _, line, _ in told(rows)] == lines


def wrapped(streams: list[object], *, categorised: bool = False, escaped: bool = False) -> str:
    flags = {"encodingFlags": ["categorize-labels"]} if categorised else {}
    data = {"resultType": "streams", **flags, "result": streams}
    return json.dumps({"status": "success", "data": data}, separators=(",", ":"), ensure_ascii=escaped)
