"""PromQL text: what parses, what does not and where it fails, metric names, quoting."""

from __future__ import annotations

import itertools

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.errors import QueryError
from obs_magics.syntax import promql
from obs_magics.syntax.promql_tokens import find_call, tokens_of


def refusal(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        promql.parse(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "up",
        "sum by (job) (rate(http_requests_total{code=~'5..'}[5m])) > 0.5",
        "holt_winters(x[5m], 0.5, 0.5)",
        'x offset -5m @ start() # said "so',
        '{"utf-8.name", "a.b"="c"}',
        "max_over_time((rate(x[1m]))[1h:30s])",
    ],
)
def test_promql_parses(text: str) -> None:
    assert isinstance(promql.parse(text), promql_parser.Expr)


@pytest.mark.parametrize(
    ("text", "message", "marked"),
    [
        ("sum(x", "'(' is not closed", "("),
        ('x{a="b', "the quote is not closed", '"'),
        ("x{a='b'", "'{' is not closed", "{"),
        ("x)", "unexpected ')'", ")"),
        ("x $ y", "unexpected character '$'", "$"),
        ("sum by (a) rate(x[5m])", "unexpected 'by'", "by"),
        ("a b", "unexpected 'b'", "b"),
        ("a\n+ * b", "unexpected '*'", "*"),
        ("rate(x)", "expected type matrix in call to function 'rate', got vector", "rate(x)"),
        ("1 + sum(x[5m])", "expected type vector in aggregation expression, got matrix", "sum(x[5m])"),
        ('y + x{a=~"("}', "illegal regex for (", 'x{a=~"("}'),
        ("1 > 2", "comparisons between scalars must use BOOL modifier", "1 > 2"),
        ("x @ -3", "times before 1970 are not supported behind @", "-"),
    ],
)
def test_an_error_marks_its_place(text: str, message: str, marked: str) -> None:
    error = refusal(text)
    assert error.message == message
    assert error.position is not None
    assert text[error.position : error.position + error.length] == marked
    assert error.query == text
    assert str(error).count("^") == error.length


@pytest.mark.parametrize(("text", "position"), [("x + ", 3), ("sum(x) by", 9), ("", 0), (" # only this", 0)])
def test_a_query_that_stops_too_early_says_so(text: str, position: int) -> None:
    error = refusal(text)
    assert error.message in {"the query ends too early", "the query is empty"}
    assert error.position == position


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("rtae(x[5m])", 0, "did you mean rate"),
        ("1 + summ by (a) (x)", 4, "did you mean sum"),
        ("sum(histogram_quantil(0.9, x))", 4, "did you mean histogram_quantile"),
        ("zzzzzz(x)", 0, ""),
    ],
)
def test_a_mistyped_function_gets_a_suggestion(text: str, position: int, hint: str) -> None:
    error = refusal(text)
    assert error.position == position
    assert error.hint.startswith(hint)
    assert bool(error.hint) == bool(hint)


@pytest.mark.parametrize("text", ["(" * 30_000 + "x" + ")" * 30_000, "+".join(["x"] * 30_000), "-" * 30_000 + "x"])
def test_a_query_that_would_overflow_the_stack_is_refused(text: str) -> None:
    assert refusal(text).message == "more than 2,000 brackets and operators in one query"


def test_a_long_query_parses() -> None:
    assert promql.metric_names(" or ".join(f"metric_{number}" for number in range(1_000)))[-1] == "metric_999"


def test_a_later_error_keeps_the_words_of_the_parser() -> None:
    assert refusal("foo(x)").words == "unknown function with name 'foo'"


@given(st.text(max_size=40))
def test_any_text_either_parses_or_is_refused_with_a_place_inside_it(text: str) -> None:
    try:
        promql.parse(text)
    except QueryError as error:
        assert error.position is None or 0 <= error.position <= len(text)  # noqa: PT017


@given(st.text(alphabet="xsum(){}[]=~\"'`,:@+-*/ 15m\n#by", max_size=25))
def test_promql_like_text_either_parses_or_is_refused(text: str) -> None:
    try:
        promql.parse(text)
    except QueryError as error:
        assert error.message  # noqa: PT017


@given(st.text(max_size=40))
def test_tokens_cover_what_is_not_white_space_or_comment(text: str) -> None:
    tokens = tokens_of(text)
    assert all(text[token.start : token.end] == token.text for token in tokens)
    assert all(one.end <= other.start for one, other in itertools.pairwise(tokens))


def test_a_call_is_found_before_a_metric_of_the_same_name() -> None:
    tokens = tokens_of('sum + sum by (a) (x) + "sum("')
    assert find_call(tokens, "sum") == tokens[2]
    assert find_call(tokens_of("a + sum"), "sum") == tokens_of("a + sum")[2]
    assert find_call(tokens, "avg") is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ["a"]),
        ("sum(rate(b[5m])) / a + b", ["b", "a"]),
        ('{__name__="c", x="y"}', ["c"]),
        ('{"d.e"}', ["d.e"]),
        ('{__name__=~"c|d"}', []),
        ("topk(scalar(n), m) and on () max_over_time(q[5m:])", ["n", "m", "q"]),
        ("1 + 1", []),
        ("not promql (", []),
    ],
)
def test_metric_names(text: str, names: list[str]) -> None:
    assert promql.metric_names(text) == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [("up", True), ("job:up:sum5m", True), ("1up", False), ("up{}", False), ("", False), ("a b", False), ("ü", False)],
)
def test_is_metric_name(text: str, expected: bool) -> None:
    assert promql.is_metric_name(text) is expected


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_quoted_value_comes_back_as_it_was(value: str) -> None:
    tree = promql.parse(f'x{{a="{promql.quote(value)}"}}')
    assert tree.matchers.matchers[0].value == value


def test_an_error_of_the_engine_marks_a_function() -> None:
    error = promql.error_at("a + info(x)", "info", "no", hint="way")
    assert (error.position, error.length, error.hint) == (4, 4, "way")
    assert promql.error_at("a", "nowhere", "no").position is None
