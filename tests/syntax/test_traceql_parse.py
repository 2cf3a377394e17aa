"""TraceQL text as trees: what is accepted, and what it means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings import load

from obs_magics.model.errors import QueryError
from obs_magics.syntax.cursor import MAX_DEPTH
from obs_magics.syntax.traceql import is_metrics, parse
from obs_magics.syntax.traceql.cursor import MAX_TERMS
from obs_magics.syntax.traceql.tree import (
    AggregateOf,
    Attribute,
    By,
    Coalesce,
    Filter,
    Grouped,
    Intrinsic,
    Metrics,
    MetricsOperation,
    Operation,
    Pipeline,
    ScalarFilter,
    SecondStage,
    Select,
    Static,
    Structural,
    Unary,
)
from obs_magics.syntax.traceql.words import INTRINSICS, LOGICAL, RELATIONS, SHORT

A, B, C = (Attribute("", name) for name in "abc")
SECOND = 10**9


def condition(text: str) -> Any:
    """What stands in the braces of a query."""
    stage = parse(f"{{ {text} }}").stages[0]
    assert isinstance(stage, Filter)
    return stage.condition


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (".http.method", Attribute("", "http.method")),
        ("span.http.status_code", Attribute("span", "http.status_code")),
        ("resource.k8s.pod-name/x", Attribute("resource", "k8s.pod-name/x")),
        ("event.exception.type", Attribute("event", "exception.type")),
        ("link.a", Attribute("link", "a")),
        ("instrumentation.a", Attribute("instrumentation", "a")),
        ('span."a b"', Attribute("span", "a b")),
        ('.a."b c".d', Attribute("", "a.b c.d")),
        (r'."say \"x\" \\ y"', Attribute("", 'say "x" \\ y')),
        ('.""', Attribute("", "")),
        (".a+b*2//c", Attribute("", "a+b*2//c")),
        ("span.span.a", Attribute("span", "span.a")),
        (".größe", Attribute("", "größe")),
    ],
)
def test_attributes(text: str, field: Attribute) -> None:
    assert condition(text) == field


@pytest.mark.parametrize(
    ("short", "scoped"),
    [
        ("duration", "span:duration"),
        ("name", "span:name"),
        ("status", "span:status"),
        ("statusMessage", "span:statusMessage"),
        ("kind", "span:kind"),
        ("rootName", "trace:rootName"),
        ("rootServiceName", "trace:rootService"),
        ("traceDuration", "trace:duration"),
    ],
)
def test_an_intrinsic_has_one_name_in_the_tree(short: str, scoped: str) -> None:
    assert condition(f"{short} = .a") == condition(f"{scoped} = .a") == Operation("=", Intrinsic(scoped), A)


@pytest.mark.parametrize("name", sorted(set(INTRINSICS) - set(SHORT.values()) | {"nestedSetLeft", "nestedSetRight"}))
def test_other_intrinsics_keep_theirs(name: str) -> None:
    assert condition(f".a = {name}") == Operation("=", A, Intrinsic(name))


@pytest.mark.parametrize(
    ("text", "static"),
    [
        ('"a\\n\\u00e9"', Static("string", "a\né")),
        ("`a\\n`", Static("string", "a\\n")),
        ("017", Static("int", 17)),
        ("9223372036854775807", Static("int", 2**63 - 1)),
        ("minInt", Static("int", -(2**63))),
        ("maxInt", Static("int", 2**63 - 1)),
        (".99", Static("float", 0.99)),
        ("1.", Static("float", 1.0)),
        ("1e3", Static("float", 1000.0)),
        ("0x1p4", Static("float", 16.0)),
        ("true", Static("bool", True)),
        ("false", Static("bool", False)),
        ("1h30m", Static("duration", 5400 * SECOND)),
        ("1d", Static("duration", 86400 * SECOND)),
        ("1w", Static("duration", 7 * 86400 * SECOND)),
        ("1.5s", Static("duration", SECOND + SECOND // 2)),
        ("100ms", Static("duration", SECOND // 10)),
        ("3us", Static("duration", 3000)),
        ("3µs", Static("duration", 3000)),
        ("7ns", Static("duration", 7)),
        ("error", Static("status", "error")),
        ("unset", Static("status", "unset")),
        ("server", Static("kind", "server")),
        ("unspecified", Static("kind", "unspecified")),
    ],
)
def test_values(text: str, static: Static) -> None:
    assert condition(f".a = {text}") == Operation("=", A, static)


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        (".a || .b && .c", "(.a || .b) && .c"),
        (".a && .b || .c", "(.a && .b) || .c"),
        (".a = .b = .c", "(.a = .b) = .c"),
        (".a + .b * .c > 1", "(.a + (.b * .c)) > 1"),
        (".a - .b - .c > 1", "((.a - .b) - .c) > 1"),
        (".a / .b % .c > 1", "((.a / .b) % .c) > 1"),
        (".a ^ .b ^ .c > 1", "(.a ^ (.b ^ .c)) > 1"),
        ("-.a ^ 2 > 1", "(-(.a ^ 2)) > 1"),
        ("-.a * .b > 1", "(-(.a * .b)) > 1"),
        ("-.a + .b > 1", "((-.a) + .b) > 1"),
        (".a * -.b * .c > 1", "(.a * (-(.b * .c))) > 1"),
        ("!.a = .b", "(!.a) = .b"),
        ("!.a && .b", "(!.a) && .b"),
        ("!.a + .b = .c", "((!.a) + .b) = .c"),
        ("!.a * .b", "!(.a * .b)"),
        ("!-.a", "!(-.a)"),
        (".a + 1 = nil", "(.a + 1) = nil"),
        (".a = nil = .b", "(.a = nil) = .b"),
        ("nil != .a && .b", "(nil != .a) && .b"),
        ("nil = .a + 1", "nil = (.a + 1)"),
    ],
)
def test_operators_bind_as_in_tempo(text: str, grouped: str) -> None:
    assert condition(text) == condition(grouped)


def test_signs_and_nil() -> None:
    assert condition("!-.a") == Unary("!", Unary("-", A))
    assert condition("-1 = .a") == Operation("=", Unary("-", Static("int", 1)), A)
    assert condition("nil = nil") == Operation("=", Static("nil", None), Static("nil", None))
    assert condition(".a != nil") == Operation("!=", A, Static("nil", None))


SETS = [Filter(name) for name in (A, B, C)]


@pytest.mark.parametrize("op", sorted(LOGICAL | RELATIONS))
def test_every_operator_between_sets_of_spans(op: Any) -> None:
    assert parse(f"{{.a}} {op} {{.b}}").stages == (Structural(op, SETS[0], SETS[1]),)
    assert parse(f"{{.a}}{op}{{.b}}") == parse(f"({{.a}} {op} ({{.b}}))")


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("{.a} && {.b} > {.c}", "{.a} && ({.b} > {.c})"),
        ("{.a} >> {.b} && {.c}", "({.a} >> {.b}) && {.c}"),
        ("{.a} || {.b} && {.c}", "({.a} || {.b}) && {.c}"),
        ("{.a} > {.b} !~ {.c}", "({.a} > {.b}) !~ {.c}"),
        ("(({.a}))", "{.a}"),
        ("({.a} && {.b}) >> {.c}", "({.a} && {.b}) >> ({.c})"),
    ],
)
def test_sets_of_spans_bind_as_in_tempo(text: str, grouped: str) -> None:
    assert parse(text) == parse(grouped)


def test_stages() -> None:
    text = "{ } | by(.a + 1) | count() >= 2 | coalesce() | { .b } | select(.c, name) | avg(duration) > -1.5s"
    assert parse(text).stages == (
        Filter(None),
        By((Operation("+", A, Static("int", 1)),)),
        ScalarFilter(">=", AggregateOf("count"), Static("int", 2)),
        Coalesce(),
        Filter(B),
        Select((C, Intrinsic("span:name"))),
        ScalarFilter(">", AggregateOf("avg", Intrinsic("span:duration")), Static("duration", -1_500_000_000)),
    )


@pytest.mark.parametrize(
    "text",
    [
        "count() > 1 | select(.b)",
        "avg(.a) > 1",
        "(count()) > 4",
        "{ } | (count()) > (4)",
        "{ } | ((count())) > 4",
        "by(name) | count() > 2",
        "select(.a) | by(.b)",
        "{ } | ({ .a } && { .b }) | { .c }",
        "{ } | ({ .a }) && { .b }",
        "{ 1 * 1h = 1 }",
        '{ "x" < name }',
        "{ instrumentation:name = duration }",
        "{ } | max((1 + .a) * 2) = 1",
        "{ true }//a comment\n| count() /* another */ > 1",
        "\ufeff{ }",
        "{ } | sum_over_time(name)",
        "{ } | rate() by (.a, .b, .c, name, span:id)",
    ],
)
def test_what_is_accepted_too(text: str) -> None:
    assert parse(text).stages


def test_pipelines_in_brackets() -> None:
    inner = [f"({{ .{name} }} | count() > 1)" for name in "ab"]
    counted = ScalarFilter(">", AggregateOf("count"), Static("int", 1))
    first, second = (Grouped(Pipeline((found, counted))) for found in SETS[:2])
    assert parse(f"{inner[0]} >> {inner[1]}").stages == (Structural(">>", first, second),)
    assert parse(f"({inner[0]} && ({{ .c }}))").stages == (Structural("&&", first, SETS[2]),)
    assert parse(f"{inner[0]} && ({{ .c }} || {{ .b }}) > {inner[1]}").stages == (
        Structural("&&", first, Structural(">", Structural("||", SETS[2], SETS[1]), second)),
    )


def test_brackets_around_the_whole_query_are_gone() -> None:
    assert parse("(({ .a } | count() > 1))") == parse("{ .a } | count() > 1")
    assert parse("(by(.a))") == parse("by(.a)")
    assert parse("(count() > 1)") == parse("count() > 1")
    assert parse("({ } | rate()) | topk(5)") == parse("{ } | rate() | topk(5)")


@pytest.mark.parametrize(
    ("text", "metrics"),
    [
        ("rate()", Metrics("rate")),
        ("count_over_time() by (.a, .b)", Metrics("count_over_time", by=(A, B))),
        ("min_over_time(duration)", Metrics("min_over_time", Intrinsic("span:duration"))),
        ("histogram_over_time(.a) by(name)", Metrics("histogram_over_time", A, by=(Intrinsic("span:name"),))),
        ("quantile_over_time(.a, .99, 1, 0)", Metrics("quantile_over_time", A, (0.99, 1.0, 0.0))),
        ("compare({ .a })", Metrics("compare", parameters=(10,), selection=SETS[0])),
        ("compare({ .a }, 3)", Metrics("compare", parameters=(3,), selection=SETS[0])),
        (
            "compare({ .a }, 3, 1795356000000000001, 1795356000000000003)",
            Metrics("compare", parameters=(3, 1795356000000000001, 1795356000000000003), selection=SETS[0]),
        ),
    ],
)
def test_metrics_functions(text: str, metrics: Metrics) -> None:
    query = parse(f"{{ .b }} >> {{ .c }} | {text}")
    assert query.stages[1] == query.metrics == metrics
    assert is_metrics(query)


def test_second_stages() -> None:
    chain = parse("{ } | rate() > 1 | topk(5) | bottomk(2) <= -1.5 != 100ms").stages[2:]
    assert chain == (
        SecondStage(">", 1.0),
        SecondStage("topk", 5.0),
        SecondStage("bottomk", 2.0),
        SecondStage("<=", -1.5),
        SecondStage("!=", 0.1),
    )


def test_arithmetic_of_metrics() -> None:
    rate, count = (
        Pipeline((found, Metrics(name))) for found, name in zip(SETS, ("rate", "count_over_time"), strict=False)
    )
    first, second = "({ .a } | rate())", "({ .b } | count_over_time())"
    assert parse(f"100 * {first} / {second} > 5").stages == (
        MetricsOperation("/", MetricsOperation("*", 100.0, rate), count),
        SecondStage(">", 5.0),
    )
    assert parse(f"{first} - {second} * -2").stages == (
        MetricsOperation("-", rate, MetricsOperation("*", count, -2.0)),
    )
    assert parse(f"2 + 3s * {first}").stages == (MetricsOperation("+", 2.0, MetricsOperation("*", 3.0, rate)),)
    assert parse(f"({first} + {second}) / ({{ .a }} | rate() | topk(2))").stages == (
        MetricsOperation("/", MetricsOperation("+", rate, count), Pipeline((*rate.stages, SecondStage("topk", 2.0)))),
    )
    assert is_metrics(parse(f"{first} + {second}"))
    assert parse(f"{first} + {second}").metrics is None
    assert not is_metrics(parse("{ } | count() > 1"))


def test_hints() -> None:
    assert parse("{ } | rate() with(sample=0.1, exemplars = 5)").hints == (
        ("sample", Static("float", 0.1)),
        ("exemplars", Static("int", 5)),
    )
    assert parse("{ } with(a=1) with (most_recent=true)").hints == (("most_recent", Static("bool", True)),)


def test_nodes_know_where_they_stand() -> None:
    query = parse('{ .a && name = "x" } > { -.b } | by(.c)')
    structural, by = query.stages
    assert isinstance(structural, Structural)
    assert isinstance(structural.right, Filter)
    assert isinstance(structural.left, Filter)
    assert isinstance(structural.left.condition, Operation)
    assert isinstance(structural.right.condition, Unary)
    assert isinstance(by, By)
    assert (structural.at, structural.right.at, structural.right.condition.at, by.at) == (0, 23, 25, 33)
    assert structural.left.condition.right.at == 8


def test_long_and_deep_queries() -> None:
    chain = " || ".join(f'trace:id = "{number}"' for number in range(MAX_TERMS // 2))
    assert parse(f"{{ {chain} }}")
    assert condition("(" * (MAX_DEPTH - 1) + ".a" + ")" * (MAX_DEPTH - 1)) == A
    for text in ("(" * 70 + ".a" + ")" * 70, "!" * 70 + ".a", "-" * 50_000 + ".a"):
        with pytest.raises(QueryError, match=f"more than {MAX_DEPTH} brackets within each other") as caught:
            condition(text)
        assert caught.value.hint
    for text in ("{ .a" + " + 1" * 201 + " > 1 }", "{}" + "||{}" * 201, "count()" + " + 1" * 201 + " > 1"):
        with pytest.raises(QueryError, match=f"more than {MAX_TERMS} operators in one query"):
            parse(text)
    with pytest.raises(QueryError, match="query is too long"):
        parse("{ .a = `" + "x" * 131_072 + "` }")


PARTS = [
    *("{", "}", "(", ")", "|", "||", "&&", "=", "!=", "=~", ">", ">>", "!~", "&>>", "+", "-", "*", "^", "!", ",", "."),
    *(".a", "span.a", "parent.", "span:", "trace:duration", "duration", "name", "nil", "true", "error", "server"),
    *("1", "1.5", "2s", "1e999", "0x10", '"x"', "`[`", "'c'", '"', 'span."', "\x00", "\ud800", "//", "/*", "foo"),
    *("count()", "count", "avg(", "by(", "select(", "coalesce()", "rate()", "topk(3)", "compare(", "with(", "sample=1"),
]
parts = st.lists(st.sampled_from(PARTS), max_size=14).map(" ".join)


@given(st.one_of(st.text(), st.text().map("{{{}}}".format), parts))
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    error = _error_of(text)
    if error is not None:
        assert error.hint
        assert error.words.startswith("invalid TraceQL query: ")
        assert error.position is not None
        assert 0 <= error.position <= len(text)
        assert str(error)


def _error_of(text: str) -> QueryError | None:
    try:
        parse(text)
    except QueryError as error:
        return error
    return None


@pytest.mark.contract
def test_recorded_queries_are_taken_and_refused_alike(shared: Path) -> None:
    queries = [found for found in load(shared / "contracts/recordings/tempo") if "q" in found.parameters]
    assert len(queries) > 20
    for found in queries:
        text, answer = str(found.parameters["q"]), found.body.decode(errors="replace")
        if answer.startswith("invalid TraceQL query"):
            with pytest.raises(QueryError) as caught:
                parse(text)
            assert caught.value.words == answer
        elif text:
            assert parse(text).stages


@pytest.mark.contract
def test_documented_queries_are_read(shared: Path) -> None:
    lines = (shared / "data/nlq/traceql_docs.jsonl").read_text().splitlines()
    texts = [json.loads(line)["reference_query"] for line in lines]
    # Two of them are no query: one is PromQL, one is three queries in a row.
    odd = [text for text in texts if "tempo_query_frontend" in text or text.count("\n{") == 2]
    assert len(odd) == 2
    for text in texts:
        if text in odd:
            with pytest.raises(QueryError):
                parse(text)
        else:
            assert parse(text).stages


def _examples(language: str) -> list[str]:
    page = (Path(__file__).parents[2] / "docs" / "traceql.md").read_text()
    blocks = page.split(f"```{language}\n")[1:]
    return [line for block in blocks for line in block.split("\n```")[0].splitlines()]


def test_the_examples_of_the_page() -> None:
    taken, refused = _examples("traceql"), _examples("traceql-refused")
    assert len(taken) > 5
    assert len(refused) > 5
    assert all(_error_of(text) is None for text in taken)
    assert all(_error_of(text) is not None for text in refused)
