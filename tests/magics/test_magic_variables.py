"""Python variables in a query: quoted for the place where they stand, and never more than a value."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.magics.variables import expand, expand_option
from obs_magics.model.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")


def filled(text: str, **namespace: Any) -> str:
    return expand(text, namespace, zone=UTC)


def matchers(query: str) -> list[tuple[str, str, str]]:
    selector = promql_parser.parse(query)
    assert isinstance(selector, promql_parser.VectorSelector)
    return [(str(matcher.op), matcher.name, matcher.value) for matcher in selector.matchers.matchers]


@pytest.mark.parametrize(
    "text",
    [
        "up",
        "rate(x[$__interval])",
        "rate(x[$__rate_interval]) / $__range",
        "rate(x[${__interval}])",
        'label_replace(x, "a", "$1-${1}", "b", "(.*)")',
        "a # ${nothing} here",
        'x{a="$"} + $y',
        "x{a='it$'}",
        'x{a="unfinished',
        "x{a=`raw\n${",
        "}}{{ ${ }",
        "größe{ß='ü'}",
    ],
)
def test_everything_else_stays_as_typed(text: str) -> None:
    assert filled(text, y=1, nothing=2) == text


def test_an_escaped_dollar_brace_is_a_plain_one() -> None:
    assert filled('label_replace(x, "a", "$${name}", "b", "(?P<name>.*)") > ${n}', n=1) == (
        'label_replace(x, "a", "${name}", "b", "(?P<name>.*)") > 1'
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("pay", "pay"),
        ('say "hi"', r"say \"hi\""),
        ("back\\slash", r"back\\slash"),
        ("two\nlines", r"two\nlines"),
        (5, "5"),
        (0.25, "0.25"),
        (True, "true"),
        (np.int64(7), "7"),
        (timedelta(minutes=5), "5m"),
        (datetime(2026, 1, 31, 14, 5, tzinfo=UTC), "2026-01-31T14:05:00+00:00"),
    ],
)
def test_inside_quotes(value: Any, written: str) -> None:
    assert filled('x{a="${v}"}', v=value) == f'x{{a="{written}"}}'
    assert filled("x{a=${v}}", v=value) == f'x{{a="{written}"}}'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("http_requests_total", "http_requests_total"),
        ("5m", "5m"),
        ("1h30m", "1h30m"),
        (5, "5"),
        (-2, "-2"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (float("inf"), "Inf"),
        (float("-inf"), "-Inf"),
        (float("nan"), "NaN"),
        (np.float64(0.5), "0.5"),
        (np.float32(0.5), "0.5"),
        (True, "1"),
        (timedelta(hours=1, minutes=30), "1h30m"),
        (pd.Timedelta("90s"), "1m30s"),
        (datetime(2026, 1, 31, 14, 5, tzinfo=UTC), "1769868300.000"),
        (pd.Timestamp("2026-01-31T14:05:00.250Z"), "1769868300.250"),
        (["job", "instance"], "job, instance"),
    ],
)
def test_outside_quotes(value: Any, written: str) -> None:
    assert filled("f(${v})", v=value) == f"f({written})"


def test_a_comparison_is_no_matching_operator() -> None:
    assert filled("x >= ${v} == ${v} != ${v}", v=5) == "x >= 5 == 5 != 5"


def test_a_naive_datetime_means_the_sessions_zone() -> None:
    when = datetime(2026, 1, 31, 15, 5)
    assert expand("x @ ${when}", {"when": when}, zone=BERLIN) == "x @ 1769868300.000"


@pytest.mark.parametrize(
    "values",
    [
        ["a.b", "c|d"],
        ("a.b", "c|d"),
        {"c|d", "a.b"},
        frozenset({"c|d", "a.b"}),
        pd.Series(["a.b", "c|d", "a.b"]),
        pd.Series(["a.b", "c|d"], dtype="category"),
        pd.Index(["a.b", "c|d"]),
        np.array(["a.b", "c|d"]),
    ],
)
def test_a_list_behind_a_pattern_operator_is_alternatives_each_literal(values: Any) -> None:
    query = filled('x{job=~"${v}"}', v=values)
    assert query == r'x{job=~"a\\.b|c\\|d"}'
    assert filled("x{job=~${v}}", v=values) == query
    assert filled('x{job!~"pre-${v}"}', v=values) == r'x{job!~"pre-(?:a\\.b|c\\|d)"}'
    assert filled("x{job=~`${v}`}", v=values) == r"x{job=~`a\.b|c\|d`}"


def test_numbers_in_a_list() -> None:
    assert filled('x{code=~"${v}"}', v=[500, 503]) == 'x{code=~"500|503"}'


def test_a_text_behind_a_pattern_operator_stays_a_pattern() -> None:
    assert filled('x{job=~"${v}"}', v="pay.*|cart") == 'x{job=~"pay.*|cart"}'
    assert filled('x{job=~"${v}"}', v=re.compile(r"a\d")) == r'x{job=~"a\\d"}'


def test_attributes() -> None:
    incident = SimpleNamespace(service=SimpleNamespace(name="pay"))
    assert filled('x{a="${incident.service.name}"}', incident=incident) == 'x{a="pay"}'
    frame = pd.DataFrame({"job": ["a", "b", "a"]})
    assert filled('x{a=~"${frame.job}"}', frame=frame) == 'x{a=~"a|b"}'


def test_a_query_that_is_nothing_but_a_variable_is_that_text() -> None:
    query = 'sum(rate(x{a="${b}"}[5m]))'
    assert filled("  ${query}\n", query=query) == query
    assert filled("${n}", n=5) == "5"


def test_a_value_is_not_looked_at_again() -> None:
    assert filled('x{a="${v}", b="${w}"}', v="${w}", w="end") == 'x{a="${w}", b="end"}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("${thresold}", "no Python variable thresold\n→ did you mean threshold?"),
        ("f(${zzzzzz})", "set zzzzzz in a cell above"),
        ("${frame.clumn}", "a DataFrame has no attribute clumn\n→ did you mean columns"),
        ("f(${frame})", "is a DataFrame\n→ take a column of it"),
        ('x{a="${nothing}"}', "is None"),
        ("f(${a+b})", "is not a variable"),
        ("f(${threshold", "is not a variable"),
        ("f(${frame[0]})", "is not a variable"),
        ("f(${call()})", "is not a variable"),
        ("f(${evil})", "only a name or a duration can stand outside quotes"),
        ('x{a="${many}"}', "= takes one value"),
        ("x{a=${many}}", "= takes one value"),
        ('x{a=~"${empty}"}', "is empty, and matches nothing"),
        ('x{a=~"${mixed}"}', "holds more than text and whole numbers"),
        ("sum by (${many}) (x)", "'b c', which is not a label name"),
        ("x{a=`${tick}`}", "holds a backtick"),
        ('x{a="${nul}"}', "no query can carry"),
        ('x{a="${surrogate}"}', "no query can carry"),
        ("x[${ago}]", "which no query can say"),
        ("x[${tiny}]", "which no query can say"),
        ("f(${nat})", "is a NaTType"),
        ("f(${mapping})", "is a dict"),
        ("f(${number_list})", "which is not a label name"),
    ],
)
def test_what_cannot_stand_in_a_query(text: str, says: str) -> None:
    namespace = {
        "threshold": 5,
        "frame": pd.DataFrame({"a": [1]}),
        "nothing": None,
        "evil": "x} or up{",
        "many": ["a", "b c"],
        "empty": [],
        "mixed": ["a", None],
        "tick": "a`b",
        "nul": "a\x00b",
        "surrogate": "a\udc80b",
        "ago": timedelta(minutes=-5),
        "tiny": timedelta(microseconds=5),
        "nat": pd.NaT,
        "mapping": {},
        "number_list": [1, 2],
    }
    with pytest.raises(UsageError) as raised:
        filled(text, **namespace)
    assert says in str(raised.value)
    assert raised.value.hint or "attribute" in says
    assert len(str(raised.value).splitlines()) <= 3


_VALUES = st.text(alphabet=st.one_of(st.sampled_from("\"'`\\{}[]()=~|$#\n,"), st.characters(exclude_categories=["Cs"])))


@given(_VALUES.filter(lambda text: "\x00" not in text))
def test_no_text_breaks_out_of_its_quotes(value: str) -> None:
    for query in ('up{a="${v}", z="end"}', "up{a='${v}', z=\"end\"}", "up{a=${v}, z='end'}"):
        assert matchers(filled(query, v=value)) == [("MatchOp.Equal", "a", value), ("MatchOp.Equal", "z", "end")]


@given(st.lists(_VALUES.filter(lambda text: "\x00" not in text), min_size=1, unique=True))
def test_a_list_matches_its_members_and_nothing_else(values: list[str]) -> None:
    ((_, _, pattern),) = matchers(filled('up{a=~"${v}"}', v=values))
    for value in values:
        assert re.fullmatch(pattern, value)
    assert "\U0001f642!" in values or not re.fullmatch(pattern, "\U0001f642!")


@given(st.text(alphabet=st.sampled_from("ab${}.\\\"'`#=~\n "), max_size=40))
def test_no_text_makes_the_expansion_fall_over(text: str) -> None:
    try:
        result = filled(text, a="x", b=["y", "z"])
    except UsageError:
        assert "${" in text
    else:
        assert isinstance(result, str)


def test_options_take_variables_too() -> None:
    namespace = {
        "when": datetime(2026, 1, 31, 14, 5, tzinfo=UTC),
        "window": timedelta(minutes=30),
        "name": "prom",
        "hours": 3,
        "frame": pd.DataFrame(),
    }
    assert expand_option("${when}", namespace) == "2026-01-31T14:05:00+00:00"
    assert expand_option("${window}", namespace) == "30m"
    assert expand_option("${name}-${hours}h", namespace) == "prom-3h"
    assert expand_option("$${name} $1 ${__x}", namespace) == "${name} $1 ${__x}"
    with pytest.raises(UsageError, match="options take text, numbers"):
        expand_option("${frame}", namespace)
