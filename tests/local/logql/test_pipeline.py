"""Stages of pipelines on single lines: what each gives, by hand and after Loki's sources."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence

import pytest
from support.logql_reference import Entry
from support.logql_worlds import SECOND, START, store_of

from obs_magics.local.logql import pipeline
from obs_magics.local.logql.conversions import number, seconds, size
from obs_magics.local.logql.evaluate import evaluate_lines
from obs_magics.local.logql.lines import DETAILS, ERROR
from obs_magics.local.logql.parsers import json_scan
from obs_magics.local.promql.context import Stopped
from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql import parse, tree

STREAM = {"app": "api", "level": "info"}


def after(
    stages: str, *lines: str, stream: dict[str, str] | None = None, metadata: dict[str, str] | None = None
) -> list[tuple[str, dict[str, str]]]:
    """Text and new labels of each line that is left behind some stages."""
    entries = [
        Entry(START + row * SECOND, line, STREAM if stream is None else stream, metadata or {})
        for row, line in enumerate(lines)
    ]
    query = f'{{app="api"}} {stages}'
    node = parse(query)
    assert isinstance(node, tree.LogQuery)
    found = evaluate_lines(
        node, query, store_of(entries), start_ns=START, end_ns=START + 3600 * SECOND, limit=100
    ).lines
    names = [*found.label_names(), ERROR, DETAILS]
    columns = {name: found.label(name).strings().to_pylist() for name in names}
    stored = {**(STREAM if stream is None else stream), **(metadata or {})}
    return [
        (text, {name: values[row] for name, values in columns.items() if values[row] not in (None, stored.get(name))})
        for row, text in enumerate(found.texts().to_pylist())
    ]


def labels(stages: str, line: str, **options: dict[str, str]) -> dict[str, str]:
    """The new labels of a single line."""
    [(_, found)] = after(stages, line, **options)
    return found


def kept(stages: str, *lines: str) -> list[str]:
    """The lines that are left."""
    return [text for text, _ in after(stages, *lines)]


# Line filters


@pytest.mark.parametrize(
    ("stage", "left"),
    [
        ('|= "b"', ["abc", "b\nc", "a.b"]),
        ('!= "b"', ["", "xyz"]),
        ('|= ""', ["abc", "b\nc", "", "xyz", "a.b"]),
        ('|= "a.b"', ["a.b"]),
        ('|~ "b.c"', []),  # a dot stops at line ends
        ('|~ "^b$"', []),
        ('|~ "(?i)ABC"', ["abc"]),
        ('!~ "b|y"', [""]),
        ('|= "y" or "."', ["xyz", "a.b"]),
        ('!= "y" or "."', ["abc", "b\nc", ""]),
        ('|> "a<_>"', ["abc", "a.b"]),
        ('!> "a<_>"', ["b\nc", "", "xyz"]),
        ('|> ""', [""]),
    ],
)
def test_line_filters(stage: str, left: list[str]) -> None:
    assert kept(stage, "abc", "b\nc", "", "xyz", "a.b") == left


def test_a_pattern_filter_wants_something_for_each_placeholder() -> None:
    assert kept('|> "<_>bar<_>"', " bar ", "bar ", " bar") == [" bar "]
    assert kept('|> "<_> bar"', "foo bar baz", "foo bar") == ["foo bar"]
    assert kept('|> "foo <_>"', "foo bar", "xx foo bar", "foo ") == ["foo bar", "xx foo bar"]
    assert kept('|> "<_>aa<_>"', "1aa2", "aa2") == ["1aa2"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("10.0.0.0/8", ["from 10.1.2.3 to x", "[10.0.0.1:80]"]),
        ("10.1.2.3", ["from 10.1.2.3 to x"]),
        ("10.0.0.0-10.0.0.9", ["[10.0.0.1:80]"]),
        ("::1", ["::1 too"]),
        ("2001:db8::/32", ["v6 2001:db8::7 "]),
        ("2001:0db8:0:0:0:0:0:7", ["v6 2001:db8::7 "]),
    ],
)
def test_addresses_in_lines(pattern: str, left: list[str]) -> None:
    # as in Loki, an address takes every character that may stand in one, and is not found at the very end of a line
    lines = [
        "from 10.1.2.3 to x",
        "[10.0.0.1:80]",
        "14:50:17.160 999.1.1.1",
        "1.2",
        "::1 too",
        "v6 2001:db8::7 ",
        "::1",
        "5",
    ]
    assert kept(f'|= ip("{pattern}")', *lines) == left
    assert kept(f'!= ip("{pattern}")', *lines) == [line for line in lines if line not in left]


# Parsers


def test_json_flattens_and_passes_over_arrays_and_nulls() -> None:
    line = '{"a":"x\\u00e9","b":1.50,"c":true,"d":null,"e":[1],"f":{"g":{"h":-0.0}},"1x":1,"k.l m":2,"n":{},"":3," ":4}'
    assert labels("| json", line) == {
        "a": "xé", "b": "1.50", "c": "true", "f_g_h": "-0.0", "_1x": "1", "k_l_m": "2",
    }  # fmt: skip


def test_json_of_lines_with_other_shapes_and_kinds() -> None:
    found = after(
        "| json",
        '{"a":1,"b":"x"}',
        '{"a":"s","b":2}',
        '{"b":false,"a":12345678901234567890123}',
        '{"a":[],"b":{"c":1}}',
    )
    assert [one for _, one in found] == [
        {"a": "1", "b": "x"},
        {"a": "s", "b": "2"},
        {"a": "12345678901234567890123", "b": "false"},
        {"b_c": "1"},
    ]


def test_json_clashes() -> None:
    assert labels("| json", '{"level":"warn","app":1,"trace_id":"z","free":1}', metadata={"trace_id": "t"}) == {
        "level_extracted": "warn", "app_extracted": "1", "trace_id_extracted": "z", "free": "1",
    }  # fmt: skip
    assert labels("| json", '{"a":{"b":1},"a_b":2}') == {"a_b": "1"}  # the first stays
    assert labels("| json | json", '{"a":1}') == {"a": "1"}


def test_a_dropped_label_of_the_stream_still_clashes_but_metadata_does_not() -> None:
    line = '{"level":"warn","trace_id":"z"}'
    found = labels("| drop level, trace_id | json", line, metadata={"trace_id": "t"})
    assert found == {"level_extracted": "warn", "trace_id": "z"}


@pytest.mark.parametrize(
    ("line", "found", "details"),
    [
        ("", {}, "Value looks like object, but can't find closing '}' symbol"),
        ("text", {}, "Value looks like object, but can't find closing '}' symbol"),
        ("[1]", {}, "Value looks like object, but can't find closing '}' symbol"),
        ('{"broken json": ', {}, "Malformed JSON error"),
        ('{"a":1,"b":"x', {"a": "1"}, "Value is string, but can't find closing '\"' symbol"),
        ('{"a":1,"b":[1', {"a": "1"}, "Value is array, but can't find closing ']' symbol"),
        ('{"a":{"c":1},"b":{"c"', {"a_c": "1"}, "Value looks like object, but can't find closing '}' symbol"),
        ('{"a":1 "b":2}', {"a": "1"}, "Value looks like object, but can't find closing '}' symbol"),
        ('{"a":1', {"a": "1"}, "Value is array, but can't find closing ']' symbol"),
        ('{"a":1,', {"a": "1"}, "Value is array, but can't find closing ']' symbol"),
        ('{"a":1,}', {"a": "1"}, "Value looks like object, but can't find closing '}' symbol"),
        ('{"a" 1}', {}, "Malformed JSON error"),
        ('{"a', {}, "Malformed JSON error"),
        ('{"a"', {}, "Malformed JSON error"),
        ("{", {}, "Malformed JSON error"),
        ('{"a":nil}', {}, "Unknown value type"),
        ('{"\\x":1}', {}, "Encountered an invalid escape sequence in a string"),
        ('{"a":{"b":"x\\"}', {}, "Value looks like object, but can't find closing '}' symbol"),
    ],
)
def test_broken_json_keeps_what_was_before_the_break(line: str, found: dict[str, str], details: str) -> None:
    assert labels("| json", line) == {**found, "__error__": "JSONParserErr", "__error_details__": details}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"a":1} and more', {"a": "1"}),
        ('{"a":"\\ud800","b":01,"c":true , "d":null}x', {"a": "", "b": "01", "c": "true"}),
        ('{"a":"tab\there"}', {"a": "tab\there"}),
        ('{"a":{"b":{"c":"d\\n"}}}]', {"a_b_c": "d\n"}),
        ("{ } x", {}),
        ('{"a":"\ufffd"}', {"a": " "}),
    ],
)
def test_lenient_json(line: str, found: dict[str, str]) -> None:
    assert labels("| json", line) == found


def test_json_nested_too_deeply_ends_somewhere() -> None:
    line = '{"a":' * 300 + "1" + "}" * 300
    assert labels("| json", line) == {}


def test_members_of_what_is_none() -> None:
    with pytest.raises(json_scan.Malformed):
        list(json_scan.members("[]"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a", "1.50"),
        ("b.c[0]", "x\ny"),
        ("b.c[1].d", "true"),
        ("b.c[2]", ""),
        ("b.c[9]", ""),
        ('b[\\"e f\\"]', ""),
        ("b", '{"c": ["x\\ny", {"d": true}, null], "e f": null}'),
        ("b.c", '["x\ny", {"d": true}, null]'),
        ("nope", ""),
        ("a.b", ""),
        ("a[0]", ""),
        ("b.c.d", ""),
    ],
)
def test_json_paths(path: str, value: str) -> None:
    line = '{"a": 1.50, "b": {"c": ["x\\ny", {"d": true}, null], "e f": null}}'
    assert labels(f'| json v="{path}"', line) == {"v": value}


def test_json_paths_of_other_lines() -> None:
    assert labels('| json v="a"', "") == {}
    assert labels('| json v="a"', "text") == {"__error__": "JSONParserErr"}
    assert labels('| json v="a"', '{"a":1, "b":') == {"v": "1"}
    assert labels('| json v="a.c"', '{"a":{"c":"d"}, "b":') == {"v": "d"}
    assert labels('| json v="b"', '{"a":1, "b":') == {"v": ""}
    assert labels('| json v="[0]"', '["x", ') == {"v": ""}
    assert labels('| json level="l", app="nope"', '{"l":"warn"}') == {"level_extracted": "warn"}


@pytest.mark.parametrize(
    ("flags", "line", "found"),
    [
        ("", 'a=1 b="x y" c d= e="" f.g=h 1x=y', {"a": "1", "b": "x y", "f_g": "h", "_1x": "y"}),
        ("--keep-empty", 'a= b c=""', {"a": "", "b": "", "c": ""}),
        ("", 'a="q\\"u\\n" b=2', {"a": 'q"u\n', "b": "2"}),
        ("", "a=1 b==2 c=3", {"a": "1", "c": "3"}),
        ("", '=x a="1"b=2', {"a": "1", "b": "2"}),
        ("", 'a="open b=2', {}),
        ("", 'ok=1 a="bad \\x" b=2', {"ok": "1", "b": "2"}),
        ("", "a=1 a=2", {"a": "1"}),
        ("", "level=warn x=1", {"level_extracted": "warn", "x": "1"}),
        ("", 'x"y a=1', {"a": "1"}),
        ("", "a=\ufffd \ufffdb=1 c=2", {"a": " ", "c": "2"}),
        ("", "", {}),
    ],
)
def test_logfmt(flags: str, line: str, found: dict[str, str]) -> None:
    assert labels(f"| logfmt {flags}", line) == found


@pytest.mark.parametrize(
    ("line", "found", "details"),
    [
        ("a=1 b==2 c=3", {"a": "1"}, "logfmt syntax error at pos 7 : unexpected '='"),
        ("é=1 =2", {"_": "1"}, "logfmt syntax error at pos 6 : unexpected '='"),
        ('a="x', {}, "logfmt syntax error at pos 5 : unterminated quoted value"),
        ('a="\\q" b=1', {}, "logfmt syntax error at pos 7 : invalid quoted value"),
        ("\ufffd=1", {}, "logfmt syntax error at pos 4 : invalid key"),
        ('a"b', {}, "logfmt syntax error at pos 2 : unexpected '\"'"),
    ],
)
def test_strict_logfmt(line: str, found: dict[str, str], details: str) -> None:
    assert labels("| logfmt --strict", line) == {
        **found, "__error__": "LogfmtParserErr", "__error_details__": details,
    }  # fmt: skip
    assert labels('| logfmt --strict a="a"', line)["__error_details__"] == details


def test_logfmt_of_named_keys() -> None:
    assert labels('| logfmt v="a", w="nope", level="b"', "a=1 b=2") == {"v": "1", "w": "", "level_extracted": "2"}


def test_regexp() -> None:
    assert labels('| regexp "(?P<verb>[A-Z]+) (?P<path>/[a-z]*)?"', "x GET y") == {"verb": "GET", "path": ""}
    assert labels('| regexp "(?P<verb>[A-Z]+)"', "nothing") == {}
    assert labels('| regexp "(x|y)(?P<v>[0-9]+)"', "a y17") == {"v": "17"}
    assert labels('| regexp "(x|y)(?P<v>[0-9]+)"', "a z") == {}
    assert labels('| regexp "(?P<level>w.*)"', "warn") == {"level_extracted": "warn"}


def test_pattern() -> None:
    stage = '| pattern `<ip> - <_> [<_>] "<verb> <path>" <status>`'
    assert labels(stage, '10.0.0.1 - u [now] "GET /a" 200') == {
        "ip": "10.0.0.1", "verb": "GET", "path": "/a", "status": "200",
    }  # fmt: skip
    assert labels(stage, "10.0.0.1 - u") == {"ip": "10.0.0.1"}
    assert labels("| pattern `GET <a> <b>`", "POST x y") == {}
    assert labels("| pattern `GET <a> <b>`", "GET x") == {"a": "x"}
    assert labels("| pattern `<a>, <b>.`", "x, y.") == {"a": "x", "b": "y"}
    assert labels("| pattern `<a>, <b>.`", "") == {}


def test_unpack() -> None:
    packed = json.dumps({"_entry": "the line", "pod": "p", "app": "other", "n": 1})
    [(text, found)] = after("| unpack", packed)
    assert (text, found) == ("the line", {"pod": "p", "app_extracted": "other"})
    assert after("| unpack", '{"a":"b"}', "") == [('{"a":"b"}', {}), ("", {})]
    [(text, found)] = after("| unpack", "plain")
    assert text == "plain"
    assert found == {"__error__": "JSONParserErr", "__error_details__": "expecting json object(6), but it is not"}
    assert labels("| unpack", '{"_entry":"x"')["__error__"] == "JSONParserErr"
    assert after("| unpack", '{"_entry":"x","a":"\\n"} more') == [("x", {"a": "\n"})]


def test_decolorize() -> None:
    assert kept("| decolorize", "\x1b[31mred\x1b[0m and \x1b[1;32mgreen\x1b[m", "plain é") == [
        "red and green",
        "plain é",
    ]


# Label filters


@pytest.mark.parametrize(
    ("stage", "left"),
    [
        ("| v > 5", ["v=10", "v=7.5", "v=abc"]),
        ("| v == 10", ["v=10", "v=abc"]),
        ("| v != 10", ["v=7.5", "v=abc", "v=-1e2"]),
        ("| v <= -100", ["v=abc", "v=-1e2"]),
        ('| v > 5 | __error__=""', ["v=10", "v=7.5"]),
        ('| v = "10"', ["v=10"]),
        ('| v != "10"', ["v=7.5", "v=abc", "v=-1e2", "w=1"]),
        ('| v =~ "1.*"', ["v=10"]),
        ('| v =~ ".*"', ["v=10", "v=7.5", "v=abc", "v=-1e2", "w=1"]),
        ('| v !~ "1.*|"', ["v=7.5", "v=abc", "v=-1e2"]),
        ('| v > 5 or w = "1"', ["v=10", "v=7.5", "v=abc", "w=1"]),
        ("| v > 5 and v < 9", ["v=7.5", "v=abc"]),
        ('| v > 5, v < 9 | __error__=""', ["v=7.5"]),
        ('| v = "abc" or v > 5 | __error__!=""', []),  # the right side is not looked at when the left holds
        ('| v > 5 or v = "abc" | __error__!=""', ["v=abc"]),
        ('| __error__ =~ "Label.*" and v > 5', []),
    ],
)
def test_label_filters(stage: str, left: list[str]) -> None:
    assert kept(f"| logfmt {stage}", "v=10", "v=7.5", "v=abc", "v=-1e2", "w=1") == left


def test_label_filters_say_what_was_wrong() -> None:
    assert labels("| logfmt | v > 5", "v=abc") == {
        "v": "abc", "__error__": "LabelFilterErr",
        "__error_details__": 'strconv.ParseFloat: parsing "abc": invalid syntax',
    }  # fmt: skip
    assert labels("| json | v > 5", '{"v":"abc","w":') == {
        "v": "abc", "__error__": "JSONParserErr", "__error_details__": "Malformed JSON error",
    }  # fmt: skip


def test_filters_of_durations_sizes_and_addresses() -> None:
    assert kept("| logfmt | t > 1s", "t=1500ms", "t=0.5s", "t=2m", "t=x") == ["t=1500ms", "t=2m", "t=x"]
    assert kept("| logfmt | s >= 1KB", "s=1kb", "s=999", "s=2MiB", 's="1 KB"', "s=x") == [
        "s=1kb",
        "s=2MiB",
        's="1 KB"',
        "s=x",
    ]
    lines = ("a=10.0.0.9", "a=11.0.0.1", "b=1", "a=x")
    assert kept('| logfmt | a = ip("10.0.0.0/8")', *lines) == ["a=10.0.0.9"]
    assert kept('| logfmt | a != ip("10.0.0.0/8")', *lines) == ["a=11.0.0.1", "a=x"]
    assert kept('| json | a = ip("10.0.0.0/8")', "text") == ["text"]  # only texts leave out a line with an error


def test_metadata_and_aliases() -> None:
    assert labels('| trace_id = "t"', "x", metadata={"trace_id": "t"}) == {}
    assert after('| trace_id = "u"', "x", metadata={"trace_id": "t"}) == []
    assert kept('| detected_level = "info"', "x") == ["x"]
    assert kept('| service_name = "unknown_service"', "x") == ["x"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("-.5e-1", -0.05), ("+7.", 7.0), ("0x1p4", 16.0), ("inf", float("inf")), ("-Infinity", float("-inf"))],
)
def test_numbers(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("function", "text", "words"),
    [
        (number, "1_000", 'strconv.ParseFloat: parsing "1_000": invalid syntax'),
        (number, " 1", 'strconv.ParseFloat: parsing " 1": invalid syntax'),
        (number, "", 'strconv.ParseFloat: parsing "": invalid syntax'),
        (number, "1e999", 'strconv.ParseFloat: parsing "1e999": value out of range'),
        (number, "0x1p99999", 'strconv.ParseFloat: parsing "0x1p99999": value out of range'),
        (seconds, "10", 'time: missing unit in duration "10"'),
        (seconds, "10 s", 'time: unknown unit " s" in duration "10 s"'),
        (seconds, "1d", 'time: unknown unit "d" in duration "1d"'),
        (seconds, "x", 'time: invalid duration "x"'),
        (seconds, "1s2", 'time: invalid duration "1s2"'),
        (size, "3 apples", "unhandled size name: apples"),
        (size, "x", 'strconv.ParseFloat: parsing "": invalid syntax'),
        (size, " 1KB", 'strconv.ParseFloat: parsing "": invalid syntax'),
    ],
)
def test_what_is_no_number_says_so_in_go_s_words(function: object, text: str, words: str) -> None:
    assert callable(function)
    with pytest.raises(ValueError, match=r".") as caught:
        function(text)
    assert str(caught.value) == words


def test_nan_is_a_number() -> None:
    assert number("NaN") != number("NaN")
    assert kept("| logfmt | v != 1", "v=nan") == ["v=nan"]


# Formats


def test_line_format() -> None:
    assert kept("| logfmt | line_format `{{.a}}`", "a=1", "b=2") == ["1", ""]
    assert kept("| logfmt | line_format `{{.a | ToUpper}}-{{.app}} {{__line__}}`", "a=x") == ["X-api a=x"]
    [(text, found)] = after("| line_format `{{ .app | substr }}`", "kept")
    assert text == "kept"
    assert found["__error__"] == "TemplateFormatErr"
    assert after('| line_format `{{if eq .app "api"}}yes{{end}}` |= "yes"', "x") == [("yes", {})]


def test_label_format() -> None:
    assert labels("| logfmt | label_format b=a", "a=1") == {"b": "1"}
    assert labels("| label_format b=nope", "x") == {}
    found = labels("| logfmt | label_format b=`{{.a}}{{.a}}`, c=`<{{.b}}>`, a=`new`", "a=1")
    assert found == {"a": "new", "b": "11", "c": "<>"}
    assert labels("| label_format app=`{{.app}}x`", "x") == {"app": "apix"}
    assert labels("| label_format v=`{{.nope}}`", "x") == {"v": ""}
    found = labels("| label_format v=`{{ .app | substr }}`", "x")
    assert found.keys() == {"__error__", "__error_details__"}
    assert labels("| label_format trace_id=`n` | json", '{"trace_id":"z"}', metadata={"trace_id": "t"}) == {
        "trace_id": "n"
    }


def test_what_a_stage_has_set_a_parser_does_not_write_over() -> None:
    assert labels("| label_format a=`mine` | logfmt", "a=1 b=2") == {"a": "mine", "b": "2"}
    assert labels("| logfmt | drop a | logfmt", "a=1 b=2") == {"b": "2"}


def test_drop_and_keep() -> None:
    line = "a=1 b=2 c=3"
    assert labels('| logfmt | drop a, b="2", c="x"', line) == {"c": "3"}
    assert labels('| logfmt | drop a=~"[0-9]"', line) == {"b": "2", "c": "3"}
    [(_, found)] = after('| logfmt | keep a, b="x", app', line)
    assert found == {"a": "1"}
    assert kept('| logfmt | keep a | app = ""', line) == [line]
    assert kept('| keep detected_level | level = "info"', line) == [line]
    assert labels("| json | drop __error__", "x").keys() == {"__error_details__"}
    assert labels('| json | drop __error_details__, __error__=~"JSON.*"', "x") == {}
    assert labels("| json | keep a", "x")["__error__"] == "JSONParserErr"
    assert labels("| drop __error__, __error_details__", "x") == {}


# The whole


def test_only_the_newest_lines_come_and_all_are_counted() -> None:
    entries = [Entry(START + row * SECOND, f"n={row}", STREAM) for row in range(10)]
    query = '{app="api"} | logfmt | n >= 2'
    node = parse(query)
    assert isinstance(node, tree.LogQuery)
    found = evaluate_lines(node, query, store_of(entries), start_ns=START, end_ns=START + 9 * SECOND, limit=3)
    assert found.lines.texts().to_pylist() == ["n=6", "n=7", "n=8"]
    assert len(found.times_ns) == 7
    assert found.levels.tolist() == [2] * 7


def test_a_stop_ends_it() -> None:
    stop = threading.Event()
    stop.set()
    node = parse('{app="api"}')
    assert isinstance(node, tree.LogQuery)
    with pytest.raises(Stopped):
        evaluate_lines(node, "", store_of([]), start_ns=0, end_ns=1, limit=1, stop=stop)


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ((tree.LineFilter("|~", (tree.LineText("("),)),), "not a regular expression"),
        ((tree.LineFilter("|=", (tree.LineText("x", is_ip=True),)),), "ip: invalid pattern"),
        ((tree.Regexp("("),), "not a regular expression"),
        ((tree.Regexp("(a)"),), "at least one named capture"),
        ((tree.StringFilter(tree.Matcher("a", "=~", "(")),), "not a regular expression"),
        ((object(),), "the stage object is not supported"),
    ],
)
def test_what_the_parser_would_have_refused(stages: Sequence[object], words: str) -> None:
    node = tree.LogQuery((tree.Matcher("app", "=", "api"),), tuple(stages))  # type: ignore[arg-type]
    store = store_of([Entry(START, "line", STREAM)])
    with pytest.raises(QueryError, match=words.replace("(", r"\(")):
        evaluate_lines(node, "", store, start_ns=START, end_ns=START + 1, limit=1)


def test_every_stage_of_the_tree_is_known() -> None:
    assert set(pipeline.STAGES) == set(tree.Stage.__args__) - {tree.LabelFilter} | set(tree.LabelFilter.__args__)


def test_templates_get_what_they_look_at() -> None:
    assert kept('| json | line_format `{{range $k, $v := .}}{{$k}}={{$v}};{{end}}` |= "a=1;"', '{"a":1}') == [
        "a=1;app=api;level=info;"
    ]
    assert kept('| json | line_format `{{.a}} {{.app | lower}}` |= "1"', '{"a":1}', '{"a":2}') == ["1 api"]
    assert kept('| json | label_format c=`{{.a}}!`, d=b | c = "1!" | d = "2"', '{"a":1,"b":2}', '{"a":3}') == [
        '{"a":1,"b":2}'
    ]
    assert kept('| json | label_format c=`{{ . }}` | c =~ ".*a:1.*"', '{"a":1}', '{"a":2}') == ['{"a":1}']


def test_a_line_that_unpack_or_a_filter_needs_is_looked_at() -> None:
    packed = '{"_entry":"inside","":"x"}'
    assert kept('| unpack |= "inside"', packed) == ["inside"]
    assert kept('| json |= "inside"', packed) == [packed]
    assert kept('| json | pattern `<a>` |= "nope"', packed) == []


def test_keys_without_a_value_and_quotes() -> None:
    assert labels("| logfmt --keep-empty", 'flag a\tb="\\u00e9"') == {"flag": "", "a": "", "b": "é"}
    assert labels("| logfmt", 'a="\\ud800" b=1') == {"a": " ", "b": "1"}
