"""LogQL as pieces, and what pieces are made of: strings, durations, sizes, numbers, paths, addresses."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.syntax.logql import parse, quote, string_at, tokens, unquote
from obs_magics.syntax.logql.addresses import address_range
from obs_magics.syntax.logql.highlight import Piece, is_open
from obs_magics.syntax.logql.numbers import go_float
from obs_magics.syntax.logql.paths import json_path, logfmt_key
from obs_magics.syntax.logql.patterns import pattern_parts
from obs_magics.syntax.logql.strings import go_quote
from obs_magics.syntax.logql.tree import LogQuery
from obs_magics.syntax.logql.units import bytes_of, duration_ns, go_duration_ns, range_ns, written_duration

SECOND = 10**9


def kinds(text: str) -> list[tuple[str, str]]:
    return [(piece.kind, text[piece.start : piece.end]) for piece in tokens(text)]


def test_pieces() -> None:
    text = 'sum by (a) (rate({b="c"} |~ `d` | json | e >= 1.5s, f < 5KB [5m])) / 2 # end'
    assert kinds(text) == [
        ("function", "sum"),
        ("keyword", "by"),
        ("bracket", "("),
        ("label", "a"),
        ("bracket", ")"),
        ("bracket", "("),
        ("function", "rate"),
        ("bracket", "("),
        ("brace", "{"),
        ("label", "b"),
        ("operator", "="),
        ("string", '"c"'),
        ("brace", "}"),
        ("operator", "|~"),
        ("string", "`d`"),
        ("pipe", "|"),
        ("stage", "json"),
        ("pipe", "|"),
        ("label", "e"),
        ("operator", ">="),
        ("duration", "1.5s"),
        ("punctuation", ","),
        ("label", "f"),
        ("operator", "<"),
        ("bytes", "5KB"),
        ("range", "[5m]"),
        ("bracket", ")"),
        ("bracket", ")"),
        ("operator", "/"),
        ("number", "2"),
        ("comment", "# end"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ('{a="b', [("brace", "{"), ("label", "a"), ("operator", "="), ("string", '"b')]),
        ('{a="b\n}', [("brace", "{"), ("label", "a"), ("operator", "="), ("string", '"b'), ("brace", "}")]),
        ("rate(", [("function", "rate"), ("bracket", "(")]),
        ("rate", [("label", "rate")]),
        ("[5m", [("range", "[5m")]),
        ("a /* b", [("label", "a"), ("comment", "/* b")]),
        ("/* a */ b // c\n# d\n", [("comment", "/* a */"), ("label", "b"), ("comment", "// c"), ("comment", "# d")]),
        ("| logfmt --strict", [("pipe", "|"), ("stage", "logfmt"), ("flag", "--strict")]),
        ("${x}", [("odd", "$"), ("brace", "{"), ("label", "x"), ("brace", "}")]),
        ("ip(", [("function", "ip"), ("bracket", "(")]),
        ("'x'", [("odd", "'x'")]),
    ],
)
def test_pieces_of_unfinished_text(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@given(st.text(max_size=60))
def test_pieces_never_fail_and_never_overlap(text: str) -> None:
    pieces = tokens(text)
    assert all(one.end <= other.start for one, other in itertools.pairwise(pieces))
    assert all(piece.start < piece.end <= len(text) for piece in pieces)


@given(st.text(alphabet="{}()[]\"'`|=!~<>,a5m#/*\\ \n", max_size=30))
def test_pieces_hold_everything_but_white_space(text: str) -> None:
    covered = {place for piece in tokens(text) for place in range(piece.start, piece.end)}
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ('{a="b"}', 3, None),
        ('{a="b"}', 4, Piece("string", 3, 6)),
        ('{a="b"}', 5, Piece("string", 3, 6)),
        ('{a="b"}', 6, None),
        ('{a="b', 5, Piece("string", 3, 5)),
        ('|= "a" or "b"', 8, None),
        ('|= "a" or "b"', 11, Piece("string", 10, 13)),
        ('# "a"', 3, None),
    ],
)
def test_which_string_a_place_stands_in(text: str, place: int, expected: Piece | None) -> None:
    assert string_at(text, place) == expected


def test_open_strings() -> None:
    assert is_open('|= "a', Piece("string", 3, 5))
    assert not is_open('|= "a"', Piece("string", 3, 6))


# Strings


@given(st.text(max_size=20))
def test_quoted_strings_are_read_back(text: str) -> None:
    assert unquote(quote(text)) == text
    assert unquote(go_quote(text)) == text
    query = parse(f"{{a={quote(text + 'x')}}}")
    assert isinstance(query, LogQuery)
    assert query.matchers[0].value == text + "x"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        ('say "x"', '`say "x"`'),
        ("C:\\x", "`C:\\x`"),
        ("a`b", '"a`b"'),
        ('a`"b', '"a`\\"b"'),
        ('"\n', '"\\"\\n"'),
        ("\x00\x7f\t\u2028\U000e0001", '"\\x00\\x7f\\t\\u2028\\U000e0001"'),
        ("é", '"é"'),
        ("\udcff", '"\\xff"'),
        ("\ud800", '"\\ufffd"'),
    ],
)
def test_quoting(value: str, text: str) -> None:
    assert quote(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"\\x41\\u00e9\\U0001F600\\101\\a\\\\\\""', 'Aé😀A\x07\\"'),
        ('"\\xc3\\xa9"', "é"),
        ('"\\xff"', "\udcff"),
        ("`a\\n\n`", "a\\n\n"),
    ],
)
def test_unquoting(text: str, value: str) -> None:
    assert unquote(text) == value


@pytest.mark.parametrize(
    "text", ["", '"', '"a', "'a'", '"\\q"', '"\\400"', '"\\ud800"', '"\\U00110000"', '"a\nb"', "`a`b`", '"\\\'"']
)
def test_what_is_no_string(text: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        unquote(text)


# Durations and sizes


@given(st.integers(0, 2**63 - 1))
def test_durations_are_written_and_read_back(nanoseconds: int) -> None:
    assert duration_ns(written_duration(nanoseconds)) == nanoseconds
    assert duration_ns(written_duration(-nanoseconds)) == -nanoseconds
    milliseconds = nanoseconds // 10**6 * 10**6
    assert range_ns(written_duration(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1y2w3d4h5m6s7ms", (((365 + 14 + 3) * 24 + 4) * 60 + 5) * 60 * SECOND + 6 * SECOND + 7 * 10**6),
        ("0", 0),
        ("1.5h", 5400 * SECOND),
        ("-1h30m", -5400 * SECOND),
        ("+3s", 3 * SECOND),
        (".5s", SECOND // 2),
        ("1.s", SECOND),
        ("1us1µs1μs1ns", 3001),
        ("1h1h", 7200 * SECOND),
        ("-0", 0),
        ("1.5d", None),
        ("1", None),
        ("h", None),
        ("", None),
        ("-", None),
        (".s", None),
        ("1x", None),
        ("300y", None),
        ("9999999h", None),
        ("9" * 40 + "ns", None),
        ("٣s", None),
    ],
)
def test_durations(text: str, nanoseconds: int | None) -> None:
    assert duration_ns(text) == nanoseconds


def test_days_are_no_duration_of_go() -> None:
    assert go_duration_ns("1d") is None
    assert duration_ns("1d") == 86_400 * SECOND


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5", 5),
        ("5B", 5),
        ("5kb", 5000),
        ("5 KiB", 5120),
        ("1.5MiB", 1_572_864),
        ("1,000MB", 10**9),
        ("2g", 2 * 10**9),
        ("1EiB", 2**60),
        (".5kB", 500),
        ("16EiB", None),
        ("5x", None),
        ("kB", None),
        ("1.2.3B", None),
        ("", None),
    ],
)
def test_sizes(text: str, size: int | None) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize(
    ("text", "value"), [("1.5e3", 1500.0), ("0x1.8p1", 3.0), ("010", 10.0), ("0x1", None), ("1e999", None), ("x", None)]
)
def test_numbers(text: str, value: float | None) -> None:
    assert go_float(text) == value


# Paths, patterns, addresses


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", ("a",)),
        (" a . b ", ("a", "b")),
        ('["x y"][0].z', ("x y", 0, "z")),
        ('a["b"]', ("a", "b")),
        ("[12]", (12,)),
    ],
)
def test_json_paths(text: str, steps: tuple[str | int, ...]) -> None:
    assert json_path(text) == steps


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "syntax error: unexpected $end, expecting LSB or FIELD"),
        ("field with space", "syntax error: unexpected FIELD"),
        ('"pod"]', "syntax error: unexpected STRING, expecting LSB or FIELD"),
        ('["pod"', "syntax error: unexpected $end, expecting RSB"),
        ('["pod""uuid"]', "syntax error: unexpected STRING, expecting RSB"),
        ("pod..uuid", "syntax error: unexpected DOT, expecting FIELD"),
        ("a[b]", "syntax error: unexpected FIELD, expecting STRING or INDEX"),
        ("a-b", "unexpected char -"),
    ],
)
def test_what_is_no_json_path(text: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        json_path(text)
    assert str(caught.value) == words


def test_logfmt_keys() -> None:
    assert logfmt_key("a") == "a"
    assert logfmt_key('"a b"') == "a b"
    assert logfmt_key('a "b"') == "b"
    for wrong in ("", "1", "a b", "a."):
        with pytest.raises(ValueError, match="unexpected"):
            logfmt_key(wrong)


@given(st.lists(st.sampled_from(["<a>", "<_>", "x", " ", "<", ">", "<1>"]), max_size=8))
def test_parts_of_patterns_make_the_pattern(pieces: list[str]) -> None:
    pattern = "".join(pieces)
    assert "".join(f"<{text}>" if is_capture else text for text, is_capture in pattern_parts(pattern)) == pattern


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("10.0.0.1", ("10.0.0.1", "10.0.0.1")),
        ("10.1.2.3/8", ("10.0.0.0", "10.255.255.255")),
        ("10.0.0.1-10.0.0.9", ("10.0.0.1", "10.0.0.9")),
        ("2001:db8::/127", ("2001:db8::", "2001:db8::1")),
        ("::1", ("::1", "::1")),
    ],
)
def test_addresses(text: str, ends: tuple[str, str]) -> None:
    assert tuple(map(str, address_range(text))) == ends


@pytest.mark.parametrize(
    "text", ["", "x", "10.0.0.1/33", "10.0.0.0/255.0.0.0", "10.0.0.9-10.0.0.1", "1.1.1.1-::1", "x/8"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="ip: invalid pattern"):
        address_range(text)
