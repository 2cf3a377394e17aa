"""LogQL text: what is accepted and as what, what is refused, in which words and where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.patience import least_seconds
from support.recordings import load

from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql import parse, table, write
from obs_magics.syntax.logql.tree import (
    Binary,
    BothFilters,
    Drop,
    EitherFilter,
    Grouping,
    IpFilter,
    Json,
    Keep,
    LineFilter,
    LineText,
    Logfmt,
    LogQuery,
    LogRange,
    Matcher,
    Number,
    NumberFilter,
    RangeAggregation,
    StringFilter,
    Unwrap,
    VectorAggregation,
    VectorOf,
)

SECOND = 10**9
APP = (Matcher("a", "=", "b"),)


def refusal(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(text)
    return caught.value


def marked(text: str) -> str:
    error = refusal(text)
    assert error.position is not None
    return text[error.position : error.position + error.length]


def stage_of(text: str) -> object:
    query = parse(f'{{a="b"}} {text}')
    assert isinstance(query, LogQuery)
    (stage,) = query.stages
    return stage


def range_of(text: str) -> LogRange:
    found = parse(text)
    assert isinstance(found, RangeAggregation)
    return found.range


# What is accepted


@pytest.mark.parametrize(
    "text",
    [
        '{a="b"}',
        "{ a = `b` , c =~ `d\\d` }",
        '({a="b"} | json)',
        '(((sum(rate({a="b"}[5m])))))',
        '{a="b"} # comment',
        '# first\n{a="b"} // and\n/* so\non */ | json',
        '\ufeff{a="b"}',
        '{é="ü", _x="y"}',
        '{rate="x", duration="y"} | sum > 5 | bytes=`x`',
        '{$="x"}',
        '{a="b"} | json | drop __error__, __error_details__',
        '{a="b"} |= `a` or ip("10.0.0.1/8") or "c" != "d" |> "<_> x" !> "y <_>"',
        '{a="b"} | label_format x="{{.y}}", y=z | line_format `{{.x}}`',
        'rate({a="b"} | json [1h30m] offset 1d)',
        'rate({a="b"}[5m] | json)',
        'rate({a="b"}[5m] offset 5m |= "x" | json)',
        'rate(({a="b"})[5m])',
        'rate(({a="b"} |= "x")[5m] offset 1s)',
        'rate((({a="b"} [5m])))',
        'sum_over_time({a="b"} [5m] | unwrap x)',
        'sum_over_time({a="b"} [5m] offset 1m | unwrap x)',
        'sum_over_time(({a="b"}) [5m] | unwrap x)',
        'sum_over_time(({a="b"} | json | unwrap x)[5m])',
        'sum_over_time(({a="b"} | json | unwrap x [5m]))',
        'absent_over_time({a="b"} | unwrap x [5m])',
        'first_over_time({a="b"} | unwrap bytes(x) | __error__="" [5m]) without (c)',
        'quantile_over_time(0.99, {a="b"} | unwrap duration(x) [5m]) by (c, d)',
        'sum without () (rate({a="b"}[5m]))',
        'SUM BY (x) (RATE({a="b"}[5m]))',
        'topk(5, rate({a="b"}[5m])) by (x)',
        'approx_topk(5, rate({a="b"}[5m]))',
        'sort_desc(rate({a="b"}[5m]))',
        'label_replace(vector(0), "a", "b", "c", "(.*)")',
        'rate({a="b"}[5m]) or on () vector(0)',
        'rate({a="b"}[5m]) / ignoring (x) group_right rate({a="c"}[5m])',
        "1 + -2 * +3",
        'rate({a="b"}[0])',
        '{a=~".+"}',
        '{a=~"x|y", b=~".*"}',
    ],
)
def test_accepted(text: str) -> None:
    assert parse(write(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ('|= "x" or "y"', LineFilter("|=", (LineText("x"), LineText("y")))),
        ('!= ip("::1")', LineFilter("!=", (LineText("::1", is_ip=True),))),
        ("| json", Json()),
        ('| json x, y="a[0].b"', Json((("x", "x"), ("y", "a[0].b")))),
        ("| logfmt --keep-empty --strict", Logfmt(strict=True, keep_empty=True)),
        ('| drop x, y="z"', Drop(("x", Matcher("y", "=", "z")))),
        ('| keep x!~"z", y', Keep((Matcher("x", "!~", "z"), "y"))),
        ('| x="y"', StringFilter(Matcher("x", "=", "y"))),
        ("| x = 5", NumberFilter("x", "==", 5.0)),
        ("| x != -1.5e3", NumberFilter("x", "!=", -1500.0)),
        ("| x == 1_000", NumberFilter("x", "==", 1000.0)),
        ("| x > 1m30s", NumberFilter("x", ">", 90.0, "duration")),
        ("| x > 1.5ms", NumberFilter("x", ">", 0.0015, "duration")),
        ("| x > 1d", NumberFilter("x", ">", 86_400.0, "duration")),
        ("| x > -2s", NumberFilter("x", ">", -2.0, "duration")),
        ("| x > 20KB", NumberFilter("x", ">", 20_000.0, "bytes")),
        ("| x > 1.5KiB", NumberFilter("x", ">", 1536.0, "bytes")),
        ("| x > 5G", NumberFilter("x", ">", 5e9, "bytes")),
        ('| x != ip("10.0.0.0/8")', IpFilter("x", "!=", "10.0.0.0/8")),
    ],
)
def test_stages(text: str, stage: object) -> None:
    assert stage_of(text) == stage


def filters(text: str) -> str:
    """The shape of a label filter, with brackets: `&` for both, `|` for either."""

    def shape(item: object) -> str:
        if isinstance(item, BothFilters | EitherFilter):
            return f"({shape(item.left)}{'&' if isinstance(item, BothFilters) else '|'}{shape(item.right)})"
        assert isinstance(item, NumberFilter)
        return item.name

    return shape(stage_of("| " + text.replace("_", "=1")))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("a_ and b_ and c_", "((a&b)&c)"),
        ("a_ and b_ or c_", "((a&b)|c)"),
        ("a_ or b_ and c_", "(a|(b&c))"),
        ("a_ or b_ or c_", "((a|b)|c)"),
        ("a_, b_ or c_", "(a&(b|c))"),
        ("a_ or b_, c_", "(a|(b&c))"),
        ("a_ b_ or c_", "(a&(b|c))"),
        ("a_ and b_, c_", "(a&(b&c))"),
        ("(a_ or b_) and c_", "((a|b)&c)"),
        ("(a_ or b_) (c_ d_)", "((a|b)&(c&d))"),
    ],
)
def test_how_label_filters_bind(text: str, shape: str) -> None:
    assert filters(text) == shape


def binary(text: str) -> str:
    def shape(item: object) -> str:
        if isinstance(item, Binary):
            return f"({shape(item.left)}{item.op}{shape(item.right)})"
        assert isinstance(item, VectorOf)
        return f"{item.value:g}"

    return shape(parse("".join(f"vector({letter})" if letter.isdigit() else letter for letter in text)))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("1+2*3", "(1+(2*3))"),
        ("1*2+3", "((1*2)+3)"),
        ("1-2-3", "((1-2)-3)"),
        ("1^2^3", "(1^(2^3))"),
        ("1*2^3", "(1*(2^3))"),
        ("1>2+3", "(1>(2+3))"),
        ("1 or 2 and 3", "(1or(2and3))"),
        ("1 unless 2 and 3", "((1unless2)and3)"),
        ("1 and 2>3", "(1and(2>3))"),
        ("(1+2)*3", "((1+2)*3)"),
    ],
)
def test_how_operators_bind(text: str, shape: str) -> None:
    assert binary(text) == shape


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-1 ^ 2", 1),
        ("7 % 4", 3),
        ("1 > 1 < 1", 1),
        ("2 >= bool 2", 1),
        ("1 != 1", 0),
        ("3 <= 2", 0),
        ("2 == 2", 1),
        ("10 - 2 / 4", 9.5),
        ("(-8) ^ 3", -512),
        ("10 ^ 400", float("inf")),
        ("-10 ^ 401", float("-inf")),
        ("0 ^ -1", float("inf")),
    ],
)
def test_arithmetic_between_numbers_is_done_while_reading(text: str, value: float) -> None:
    assert parse(text) == Number(float(value))


@pytest.mark.parametrize("text", ["1 / 0", "1 % 0", "(10 ^ 400) % 2", "(-8) ^ 0.5"])
def test_a_division_by_zero_is_no_number(text: str) -> None:
    found = parse(text)
    assert isinstance(found, Number)
    assert found.value != found.value


def test_modifiers_of_operators() -> None:
    found = parse("vector(1) > bool on (a, b) group_left (c) vector(2)")
    assert found == Binary(">", VectorOf(1.0), VectorOf(2.0), True, True, ("a", "b"), "left", ("c",))
    assert parse("vector(1) + ignoring () vector(2)") == parse("vector(1) + vector(2)")


def test_ranges() -> None:
    found = range_of('sum_over_time({a="b"} | json | unwrap duration_seconds(x) | y=1 | z=2 [5m] offset -90s)')
    assert (found.range_ns, found.offset_ns) == (300 * SECOND, -90 * SECOND)
    assert found.query == LogQuery(APP, (Json(),))
    assert found.unwrap == Unwrap("x", "duration_seconds", (NumberFilter("y", "==", 1.0), NumberFilter("z", "==", 2.0)))


def test_aggregations() -> None:
    found = parse('topk without (x) (3, quantile_over_time(0.5, {a="b"} | unwrap y [1m]) by (z))')
    assert isinstance(found, VectorAggregation)
    assert (found.op, found.parameter, found.grouping) == ("topk", 3.0, Grouping(("x",), without=True))
    inner = found.expression
    assert isinstance(inner, RangeAggregation)
    assert (inner.op, inner.parameter, inner.grouping) == ("quantile_over_time", 0.5, Grouping(("z",)))


def test_nodes_know_where_they_begin() -> None:
    text = 'sum(rate({a="b"} |= "x" | json [5m])) > 2'
    found = parse(text)
    assert isinstance(found, Binary)
    assert text[found.at] == ">"
    outer = found.left
    assert isinstance(outer, VectorAggregation)
    inner = outer.expression
    assert isinstance(inner, RangeAggregation)
    query = inner.range.query
    places = (outer.at, inner.at, query.at, query.matchers[0].at, query.stages[0].at, query.stages[1].at)  # type: ignore[union-attr]
    assert places == tuple(map(text.index, ("sum", "rate", "{", "a=", "|=", "| json")))
    assert isinstance(found.right, Number)
    assert text[found.right.at] == "2"


# What is refused: the words are Loki's


@pytest.mark.parametrize(
    ("text", "words", "mark"),
    [
        ("", "parse error : syntax error: unexpected $end", ""),
        ('{a="b"', "parse error at line 1, col 7: syntax error: unexpected $end, expecting } or ,", ""),
        ('{a="b"} |= ', "parse error at line 1, col 12: syntax error: unexpected $end, expecting STRING or ip", ""),
        ('{a="b"}\n| json\n| |', "parse error at line 3, col 3: syntax error: unexpected |", "|"),
        ("{a}", "parse error at line 1, col 3: syntax error: unexpected }, expecting = or =~ or !~ or !=", "}"),
        ("{a=b}", "parse error at line 1, col 4: syntax error: unexpected IDENTIFIER, expecting STRING", "b"),
        ("{,}", "parse error at line 1, col 2: syntax error: unexpected ,, expecting IDENTIFIER or }", ","),
        ('{a="b",}', "parse error at line 1, col 8: syntax error: unexpected }, expecting IDENTIFIER", "}"),
        ('unk({a="b"}[5m])', "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER", "unk"),
        ('{a="b"} | x', "parse error at line 1, col 12: syntax error: unexpected $end", ""),
        ('{a="b"} | x >= ip("1.2.3.4")', "parse error at line 1, col 16: syntax error: unexpected ip", "ip"),
        ('{a="b"} | x =~ 5', "parse error at line 1, col 16: syntax error: unexpected NUMBER, expecting STRING", "5"),
        (
            '{a="b"} | x=1 and',
            "parse error at line 1, col 18: syntax error: unexpected $end, expecting IDENTIFIER or (",
            "",
        ),
        ('{a="b"} | (x=1', "parse error at line 1, col 15: syntax error: unexpected $end", ""),
        ('{a="b"} | unwrap x', "parse error at line 1, col 11: syntax error: unexpected unwrap", "unwrap"),
        ('{a="b"}[5m]', "parse error at line 0, col 8: syntax error: unexpected RANGE", "[5m]"),
        ('min({a="b"}[5m])', "parse error at line 0, col 12: syntax error: unexpected RANGE", "[5m]"),
        ('min({a="b"})', "parse error at line 1, col 12: syntax error: unexpected )", ")"),
        ('rate({a="b"})', "parse error at line 1, col 13: syntax error: unexpected )", ")"),
        ('rate({a="b"}[5m]', "parse error at line 1, col 17: syntax error: unexpected $end, expecting )", ""),
        ('rate by (x) ({a="b"}[5m])', "parse error at line 1, col 6: syntax error: unexpected by, expecting (", "by"),
        (
            "rate(foo[5m])",
            "parse error at line 1, col 6: syntax error: unexpected IDENTIFIER, expecting NUMBER or { or (",
            "foo",
        ),
        (
            "quantile_over_time(0.5, x)",
            "parse error at line 1, col 25: syntax error: unexpected IDENTIFIER, expecting { or (",
            "x",
        ),
        ("rate((x))", "parse error at line 1, col 7: syntax error: unexpected IDENTIFIER, expecting { or (", "x"),
        ('rate(({a="b"})', "parse error at line 1, col 15: syntax error: unexpected $end, expecting RANGE", ""),
        (
            'rate({a="b"}[5m] | unwrap x [5m])',
            "parse error at line 0, col 29: syntax error: unexpected RANGE, expecting )",
            "[5m]",
        ),
        (
            'sum_over_time({a="b"} | unwrap x)',
            "parse error at line 1, col 33: syntax error: unexpected ), expecting RANGE or |",
            ")",
        ),
        (
            'sum_over_time({a="b"} | unwrap 5 [1m])',
            "parse error at line 1, col 32: syntax error: unexpected NUMBER, "
            "expecting IDENTIFIER or BYTES_CONV or DURATION_CONV or DURATION_SECONDS_CONV",
            "5",
        ),
        ("vector(abc)", "parse error at line 1, col 8: syntax error: unexpected IDENTIFIER, expecting NUMBER", "abc"),
        ("sum", "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER", "sum"),
        ("bool 1", "parse error at line 1, col 1: syntax error: unexpected bool", "bool"),
        ("1 + ", "parse error at line 1, col 5: syntax error: unexpected $end", ""),
        (
            'label_replace(rate({a="b"}[5m]),"")',
            "parse error at line 1, col 35: syntax error: unexpected ), expecting ,",
            ")",
        ),
        ('{a="b"} | json x y', "parse error at line 1, col 18: syntax error: unexpected IDENTIFIER", "y"),
        ('{a="b"} | drop', "parse error at line 1, col 15: syntax error: unexpected $end, expecting IDENTIFIER", ""),
        (
            '{a="b"} | line_format x',
            "parse error at line 1, col 23: syntax error: unexpected IDENTIFIER, expecting STRING",
            "x",
        ),
        (
            '{a="b"} | label_format x="y",',
            "parse error at line 1, col 30: syntax error: unexpected $end, expecting IDENTIFIER",
            "",
        ),
        # the lexer's
        ('{a="b', "parse error at line 1, col 4: literal not terminated", '"b'),
        ('{a="b"} |= "\n| json', "parse error at line 1, col 12: literal not terminated", '"'),
        ("{a=`b", "parse error at line 1, col 4: literal not terminated", "`b"),
        ('{a="\\d"}', "parse error at line 1, col 4: invalid char escape", '"\\d"'),
        ('{a="\\400"}', "parse error at line 1, col 4: invalid char escape", '"\\400"'),
        ('{a="\\ud800"}', "parse error at line 1, col 4: invalid char escape", '"\\ud800"'),
        (
            'rate({a="b"}[5minutes])',
            'parse error at line 0, col 13: unknown unit "minutes" in duration "5minutes"',
            "[5minutes]",
        ),
        ('rate({a="b"}[5m1h])', 'parse error at line 0, col 13: not a valid duration string: "5m1h"', "[5m1h]"),
        ('rate({a="b"}[ 5m])', 'parse error at line 0, col 13: not a valid duration string: " 5m"', "[ 5m]"),
        ('rate({a="b"}[1.5h])', 'parse error at line 0, col 13: unknown unit "." in duration "1.5h"', "[1.5h]"),
        ('rate({a="b"}[])', "parse error at line 0, col 13: empty duration string", "[]"),
        ('rate({a="b"}[999y])', "parse error at line 0, col 13: duration out of range", "[999y]"),
        ('rate({a="b"}[5m)', "parse error at line 0, col 13: missing closing ']' in duration", "[5m)"),
        ('{a="b"} /* x', "parse error at line 1, col 9: comment not terminated", "/* x"),
        ("089", "parse error at line 1, col 1: invalid digit '8' in octal literal", "089"),
        ("0x", "parse error at line 1, col 1: hexadecimal literal has no digits", "0x"),
        ("0x1.8", "parse error at line 1, col 1: hexadecimal mantissa requires a 'p' exponent", "0x1.8"),
        ("0b12", "parse error at line 1, col 1: invalid digit '2' in binary literal", "0b12"),
        ("1e", "parse error at line 1, col 1: exponent has no digits", "1e"),
        ("1__0", "parse error at line 1, col 1: '_' must separate successive digits", "1__0"),
        ('{a="\x00"}', "parse error at line 1, col 4: invalid character NUL", '"\x00"'),
        ('{a="\ud800"}', "parse error at line 1, col 5: invalid UTF-8 encoding", "\ud800"),
        ("{'a'='bc'}", "parse error at line 1, col 6: invalid char literal", "'bc'"),
    ],
)
def test_wrong_grammar(text: str, words: str, mark: str) -> None:
    error = refusal(text)
    assert error.words == words
    assert error.message == words
    assert error.hint
    assert marked(text) == mark


SELECTION = (
    "queries require at least one regexp or equality matcher that does not have an empty-compatible value. For "
    'instance, app=~".*" does not meet this requirement, but app=~".+" will'
)


@pytest.mark.parametrize(
    ("text", "words", "mark"),
    [
        ('{a=~".*"}', SELECTION, "{"),
        ("{}", SELECTION, "{"),
        ('{a=""}', SELECTION, "{"),
        ('{a!="b", c!~"d"}', SELECTION, "{"),
        ('sum(rate({a=~"x?"}[5m]))', SELECTION, "{"),
        ('label_replace(1, "a", "b", "c", "d")', SELECTION, "l"),
        ('{a=~"("}', "error parsing regexp: missing closing ): `(`", '"("'),
        ('{a=~"[z-a]"}', "error parsing regexp: invalid character class range: `z-a`", '"[z-a]"'),
        ('{a=~"*"}', "error parsing regexp: missing argument to repetition operator: `*`", '"*"'),
        ("{a=~`\\`}", "error parsing regexp: trailing backslash at end of expression", "`\\`"),
        ('{a="b"} | x=~"a)"', "error parsing regexp: unexpected ): `a)`", '"a)"'),
        ('{a=~"\\xff"}', "error parsing regexp: invalid UTF-8: `\udcff`", '"\\xff"'),
        ('{a="b"} | regexp "x"', "invalid regexp parser: at least one named capture must be supplied", '"x"'),
        ('{a="b"} | regexp "(?P<é>x)"', "invalid regexp parser: invalid extracted label name 'é'", '"(?P<é>x)"'),
        ('{a="b"} | regexp "("', "invalid regexp parser: error parsing regexp: missing closing ): `(`", '"("'),
        ('{a="b"} | pattern "x"', "invalid pattern parser: at least one capture is required", '"x"'),
        ('{a="b"} | pattern "<_> x"', "invalid pattern parser: at least one capture is required", '"<_> x"'),
        (
            '{a="b"} | pattern "<a><b>"',
            "invalid pattern parser: found consecutive capture '<a><b>': invalid expression",
            '"<a><b>"',
        ),
        (
            '{a="b"} | pattern "<a> <a>"',
            "invalid pattern parser: duplicate capture name (a): invalid expression",
            '"<a> <a>"',
        ),
        (
            '{a="b"} | pattern ""',
            "invalid pattern parser: syntax error: unexpected $end, expecting IDENTIFIER or LITERAL",
            '""',
        ),
        (
            'absent_over_time({a="b"}[5m]) by (x)',
            "grouping not allowed for absent_over_time aggregation",
            "absent_over_time",
        ),
        ('sum_over_time({a="b"}[5m])', "invalid aggregation sum_over_time without unwrap", "sum_over_time"),
        (
            'count_over_time({a="b"} | unwrap x [5m])',
            "invalid aggregation count_over_time with unwrap",
            "count_over_time",
        ),
        ('rate(5, {a="b"}[5m])', "parameter 5 not supported for operation rate", "rate"),
        (
            'quantile_over_time({a="b"} | unwrap x [5m])',
            "parameter required for operation quantile_over_time",
            "quantile_over_time",
        ),
        (
            'quantile_over_time(0x1, {a="b"} | unwrap x [5m])',
            'invalid parameter for operation quantile_over_time: strconv.ParseFloat: parsing "0x1": invalid syntax',
            "quantile_over_time",
        ),
        ('topk(rate({a="b"}[5m]))', "parameter required for operation topk", "topk"),
        ('topk(0, rate({a="b"}[5m]))', "invalid parameter (must be greater than 0) topk(0", "topk"),
        ('topk(1.5, rate({a="b"}[5m]))', "invalid parameter topk(1.5,", "topk"),
        ('sum(3, rate({a="b"}[5m]))', "unsupported parameter for operation sum(3,", "sum"),
        (
            'approx_topk by (x) (3, rate({a="b"}[5m]))',
            "grouping not allowed for approx_topk aggregation",
            "approx_topk",
        ),
        ('sort(rate({a="b"}[5m])) by (x)', "sort and sort_desc doesn't allow grouping by ", "sort"),
        ('{a="b"} + vector(1)', "unexpected type for left leg of binary operation (+): *syntax.MatchersExpr", "+"),
        (
            'vector(1) or ({a="b"} | json)',
            "unexpected type for right leg of binary operation (or): *syntax.PipelineExpr",
            "or",
        ),
        ("vector(1) or 1", "unexpected literal for right leg of logical/set binary operation (or): 1.000000", "or"),
        ("1 and 1", "unexpected literal for left leg of logical/set binary operation (and): 1.000000", "and"),
        ("0x10 + 1", 'unable to parse literal as a float: strconv.ParseFloat: parsing "0x10": invalid syntax', "0x10"),
        ("1e999", 'unable to parse literal as a float: strconv.ParseFloat: parsing "1e999": invalid syntax', "1e999"),
        (
            'label_replace(vector(1), "a", "b", "c", "(")',
            "invalid regex in label_replace: error parsing regexp: missing closing ): `(`",
            '"("',
        ),
        (
            'variants(rate({a="b"}[5m])) of ({a="b"}[5m])',
            "multi variant queries are disabled for this instance",
            "variants",
        ),
        # found by Loki when it prepares the stages
        ('{a="b"} |~ "("', "stage '|~ \"(\"' : error parsing regexp: missing closing ): `(`", '|~ "("'),
        ('{a="b"} |~ ip("1.1.1.1")', "stage '|~ ip(\"1.1.1.1\")' : ip: invalid operation", '|~ ip("1.1.1.1")'),
        ('{a="b"} |= ip("x")', 'stage \'|= ip("x")\' : ip: invalid pattern: "x"', '|= ip("x")'),
        ('{a="b"} |> "<x>"', "stage '|> \"<x>\"' : named captures are not allowed", '|> "<x>"'),
        (
            '{a="b"} |> "<_><_>"',
            "stage '|> \"<_><_>\"' : found consecutive capture '<_><_>': invalid expression",
            '|> "<_><_>"',
        ),
        (
            '{a="b"} | x=ip("10.0.0.9-10.0.0.1")',
            'stage \'| x = ip("10.0.0.9-10.0.0.1")\' : ip: invalid pattern: "10.0.0.9-10.0.0.1"',
            'x=ip("10.0.0.9-10.0.0.1")',
        ),
        (
            '{a="b"} | json x="a[" | json',
            "stage '| json x=\"a[\"' : cannot parse expression [a[]: syntax error: unexpected $end, "
            "expecting STRING or INDEX",
            '| json x="a["',
        ),
        ('{a="b"} | json é="a"', "stage '| json é=\"a\"' : invalid extracted label name 'é'", '| json é="a"'),
        (
            '{a="b"} | logfmt x="a b"',
            "stage '| logfmt x=\"a b\"' : cannot parse expression [a b]: syntax error: unexpected FIELD",
            '| logfmt x="a b"',
        ),
        (
            '{a="b"} | line_format "{{"',
            "stage '| line_format \"{{\"' : invalid line template: template: line:1: unclosed action",
            '| line_format "{{"',
        ),
        (
            '{a="b"} | label_format x="{{y}}"',
            "stage '| label_format x=\"{{y}}\"' : invalid template for label 'x': template: label:1: "
            'function "y" not defined',
            '| label_format x="{{y}}"',
        ),
        (
            '{a="b"} | label_format x=y, x=z',
            "stage '| label_format x=y, x=z' : multiple label name 'x' not allowed in a single format operation",
            "| label_format x=y, x=z",
        ),
        (
            '{a="b"} | label_format __error__=y',
            "stage '| label_format __error__=y' : __error__ cannot be formatted",
            "| label_format __error__=y",
        ),
        (
            'sum_over_time({a="b"} | unwrap x | y=1 and z=ip("q") [5m])',
            'stage \'| y == 1 and z = ip("q")\' : ip: invalid pattern: "q"',
            'y=1 and z=ip("q") [5m])',
        ),
    ],
)
def test_right_grammar_that_makes_no_sense(text: str, words: str, mark: str) -> None:
    error = refusal(text)
    assert error.words == f"parse error : {words}"
    assert error.hint
    assert marked(text) == mark


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('sum(3, topk(rate({a=~".*"}[5m])))', "unsupported parameter for operation sum(3,"),
        ('sum(topk(rate({a=~".*"}[5m])))', "parameter required for operation topk"),
        ('topk(rate({}[5m])) + {a="b"}', "unexpected type for right leg of binary operation (+): *syntax.MatchersExpr"),
        ('sum_over_time({a="b"}[5m]) + topk(vector(1))', "invalid aggregation sum_over_time without unwrap"),
        ("topk(vector(1)) + (", "unexpected $end"),
        ("topk(vector(1)) + vector(2) or 1", "right leg of logical/set binary operation (or): 1.000000"),
        ('(vector(1) + topk(vector(2))) or ({a="b"})', "right leg of binary operation (or): *syntax.MatchersExpr"),
    ],
)
def test_of_several_errors_the_outermost_is_told_and_grammar_comes_first(text: str, words: str) -> None:
    assert refusal(text).words.endswith(words)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('ratee({a="b"}[5m])', "did you mean rate"),
        ('sum(ratee({a="b"}[5m]))', "did you mean rate"),
        ('sum(qqqq({a="b"}[5m]))', "there is no function qqqq"),
        ("errors in payment-api", "a query begins with a selector"),
        ('{a="b"} | jsn', "did you mean json"),
        ('{a="b"} | zzzz', "a stage is json"),
        ('{a="b"} |= error', "put the value in quotes"),
        ("{a=5}", "put the value in quotes"),
        ('{a="b"', "{ is not closed"),
        ('rate({a="b"}[5m]', "( is not closed"),
        ('rate({a="b"}[5m]))', ") closes what was not opened"),
        ('{a="b"} |=', "the query ends too early"),
        ("{a='b'}", "double quotes or backticks"),
        ("{status >= 500}", "compare numbers behind it"),
        ('{a="b"} | x=1 && y=2', "combine filters with and, or"),
        ('{json="x"}', "json is a word of the language"),
        ('{a="b"} | json | by="x"', "by is a word of the language"),
        ('{a="\\d"}', "write a backslash twice"),
        ('{a="b"}[5m]', "a range stands inside a function"),
        ('rate({a="b"}[$__interval])', "a range is whole numbers with a unit"),
        ('sum({a="b"} |= "x" or > 5)', "look at the marked place"),
        ("0x", "look at the marked number"),
        ('{a="b"} {c="d"}', "look at the marked place"),
        ("", "the query is empty"),
    ],
)
def test_hints(text: str, hint: str) -> None:
    assert hint in refusal(text).hint


# Real servers, real queries


@pytest.mark.contract
def test_errors_are_those_of_a_real_loki(shared: Path) -> None:
    recordings = [item for item in load(shared / "contracts/recordings/loki") if "query" in item.parameters]
    compared = 0
    for recording in recordings:
        said = recording.body.decode("utf-8", "replace")
        if recording.status == 400 and said.startswith("parse error"):
            assert refusal(recording.parameters["query"]).words == said
            compared += 1
        elif recording.status == 200 and recording.path.endswith(("query_range", "query")):
            parse(recording.parameters["query"])
    assert compared >= 4


# What the documentation shows beside queries: several queries at once, results, prose, PromQL, or what it calls
# invalid; and queries with Grafana's own variables, which are put in before.
NO_QUERIES = {
    *(f"loki-docs-{number}" for number in (2, 3, 17, 19, 51, 52, 67, 81, 82, 83, 84, 99, 100, 101, 102, 105)),
    *(f"loki-docs-{number}" for number in (9, 93, 95, 104)),  # `sample` of a proposal; [$__auto], [$__interval]
}


@pytest.mark.contract
def test_the_queries_of_the_documentation_parse(shared: Path) -> None:
    lines = (shared / "data/nlq/logql_docs.jsonl").read_text().splitlines()
    queries = {item["id"]: item["reference_query"] for item in map(json.loads, lines)}
    refused = set()
    for name, query in queries.items():
        try:
            assert parse(write(parse(query))) == parse(query)
        except QueryError:
            refused.add(name)
    assert refused == NO_QUERIES


@pytest.mark.contract
def test_the_queries_of_nl2logql_parse_where_they_are_logql(shared: Path) -> None:
    """27 of 212 are not: a quote or a backslash inside double quotes, two queries in one."""
    lines = (shared / "data/nlq/logql_nl2logql.jsonl").read_text().splitlines()
    refused = []
    for query in (json.loads(line)["reference_query"] for line in lines):
        try:
            assert parse(write(parse(query))) == parse(query)
        except QueryError as error:
            refused.append((query, error))
    assert len(refused) == 27
    for query, error in refused:
        broken_string = any(f"({mark}" in query or mark in query for mark in ('[^"]', "\\d", "\\["))
        assert broken_string or "\n)sum(" in query, error


# Any text


@given(st.text(max_size=40))
def test_any_text_either_parses_or_is_refused_with_a_place_inside_it(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        assert error.position is not None  # noqa: PT017
        assert 0 <= error.position <= len(text)  # noqa: PT017
        assert error.hint  # noqa: PT017
        assert str(error)  # noqa: PT017


PIECES = (
    *("{", "}", "(", ")", "[5m]", ",", "=", "!=", "=~", "!~", ">", ">=", "==", "|", "|=", "|~", "|>", "!>"),
    *("+", "-", "*", "/", "%", "^", "a", '"x"', "`y`", "5", "1h", "5KB", "#", "//", "/*", "'", "$", "\\", "é", "\n"),
    *("json", "logfmt", "--strict", "regexp", "pattern", "unpack", "drop", "keep", "line_format", "label_format"),
    *("unwrap", "by", "without", "on", "ignoring", "group_left", "bool", "offset", "and", "or", "unless", "of"),
    *("rate(", "sum(", "topk(", "quantile_over_time(", "label_replace(", "vector(", "ip(", "bytes(", "variants("),
)


@given(st.lists(st.sampled_from([*PIECES, '{a="b"}', 'rate({a="b"}[5m])', "| json"]), max_size=15))
def test_pieces_of_logql_either_parse_or_are_refused(pieces: list[str]) -> None:
    text = " ".join(pieces)
    try:
        tree = parse(text)
    except QueryError as error:
        assert error.words.startswith(("parse error at line", "parse error :"))  # noqa: PT017
    else:
        assert parse(write(tree)) == tree or "NaN" in repr(tree).replace("nan", "NaN")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 20_000 + "1" + ")" * 20_000, "more than 60 brackets within each other"),
        ("sum(" * 100 + "vector(1)" + ")" * 100, "more than 60 brackets within each other"),
        ('{a="b"} | ' + "(" * 100 + "x=1" + ")" * 100, "more than 60 brackets within each other"),
        ("rate(" + "(" * 100 + '{a="b"}[5m]' + ")" * 101, "more than 60 brackets within each other"),
        ("+".join(["vector(1)"] * 300), "more than 100 operators in one query"),
        ("^".join(["2"] * 300), "more than 100 operators in one query"),
        ('{a="b"} | ' + " or ".join(["x=1"] * 300), "more than 100 operators in one query"),
        ('{a="b"} |= "' + "x" * 131_072 + '"', "input size too long (131085 > 131072)"),
    ],
)
def test_what_would_overflow_the_stack_is_refused(text: str, message: str) -> None:
    assert refusal(text).words == f"parse error : {message}"


def test_deep_but_allowed_queries_parse_and_are_written() -> None:
    chain = parse('{a="b"} | ' + ", ".join(["x=1"] * 101))
    nested = parse("sum(" * 60 + "vector(1)" + ")" * 60)
    mixed = parse("-".join(["vector(1)"] * 101))
    for tree in (chain, nested, mixed):
        assert parse(write(tree)) == tree


@pytest.mark.parametrize(
    "text",
    [
        '{a="b"} ' + '|= "some text" ' * 6_500,
        '{a="b"} ' + "| json " * 14_000,
        "{" + 'a="b",' * 16_000 + 'a="b"}',
        '{a="b"} | drop ' + "x, " * 30_000 + "y",
        '{a="' + "\\n" * 50_000 + '"}',
        '{a="b"} ' + "/* " * 30_000,
        '{a="b"} ' + "rate " * 20_000,
        '"' * 100_000,
        "[" * 100_000,
        "'" * 100_000,
        "0" * 100_000,
        "9" * 100_000 + "m",
        "." * 100_000,
        " " * 100_000,
        "# x\n" * 25_000,
        '{a="b"} | json x="' + "a." * 50_000 + '"',
        '{a="b"} | line_format "' + "{{.a}}" * 16_000 + '"',
        "rate({a=`b`}[" + "1h" * 50_000 + "])",
    ],
    ids=range(18),
)
def test_a_long_text_takes_no_longer_than_it_is(text: str) -> None:
    def read() -> None:
        try:
            parse(text)
        except QueryError as error:
            assert error.words  # noqa: PT017

    assert least_seconds(read, 4) < 4


def test_the_page_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    table.main()
    assert (tmp_path / table.WRITTEN).read_text(encoding="utf-8") == table.render()


def test_the_page_in_the_docs_is_current() -> None:
    written = Path(__file__).resolve().parents[2] / table.WRITTEN
    assert written.read_text(encoding="utf-8") == table.render(), "run python -m obs_magics.syntax.logql.table"
