"""Trees as text and back, and what is changed in them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from support.logql_grammar import expressions, log_queries, samples

from obs_magics.syntax.logql import (
    add_stage,
    is_metric,
    log_query_of,
    log_ranges,
    map_queries,
    parse,
    selectors,
    tree,
    write,
)


@settings(max_examples=400)
@given(expressions)
def test_what_is_written_is_read_back_as_the_same_tree(expression: tree.Expression) -> None:
    text = write(expression)
    assert parse(text) == expression
    assert write(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ('{ app = "x" }|json|a>1', '{app="x"} | json | a > 1'),
        ("{app=`x`, b!~`\\d`}", '{app="x", b!~`\\d`}'),
        ('{a="b"} |= "x" or ip("10.0.0.1") !~ "y"', '{a="b"} |= "x" or ip("10.0.0.1") !~ "y"'),
        ('{a="b"} | x=1,y=2 or z=3', '{a="b"} | x == 1 and (y == 2 or z == 3)'),
        ('{a="b"} | (x=1 or y=2), z=3, q=4', '{a="b"} | (x == 1 or y == 2), z == 3 and q == 4'),
        ('{a="b"} | (x=1, y=2, z=3) or (q=4, r=5)', '{a="b"} | (x == 1, y == 2 and z == 3) or q == 4 and r == 5'),
        ('{a="b"} | x=1 or (y=2 or z=3)', '{a="b"} | x == 1 or (y == 2 or z == 3)'),
        ('{a="b"} | (x=1 and y=2) and z=3 or (q=`1`)', '{a="b"} | x == 1 and y == 2 and z == 3 or q="1"'),
        ('{a="b"} | x=1 and (y=2 and z=3)', '{a="b"} | x == 1, y == 2 and z == 3'),
        ('{a="b"} | x > 90m and y < 1.5KB and z >= 1d', '{a="b"} | x > 1h30m and y < 1500B and z >= 1d'),
        ('{a="b"} | logfmt --keep-empty x, y="z"', '{a="b"} | logfmt --keep-empty x="x", y="z"'),
        ('{a="b"} | label_format x=y,z="{{.q}}"', '{a="b"} | label_format x=y, z="{{.q}}"'),
        ('rate({a="b"}[5m] |= "x")', 'rate({a="b"} |= "x" [5m])'),
        ('rate(({a="b"} | json)[300s] offset 1h)', 'rate({a="b"} | json [5m] offset 1h)'),
        ('sum(rate({a="b"}[1w])) by (x)', 'sum by (x) (rate({a="b"}[7d]))'),
        (
            'max_over_time({a="b"}|unwrap bytes(x)|y=1[1m]) by (z)',
            'max_over_time({a="b"} | unwrap bytes(x) | y == 1 [1m]) by (z)',
        ),
        ("vector(1)+2*3", "vector(1) + 6"),
        ("vector(1) / 0.5 % on (a) group_left vector(2)", "vector(1) / 0.5 % on (a) group_left () vector(2)"),
        ("vector(1) * (vector(2) + 3) - (4 - vector(5))", "vector(1) * (vector(2) + 3) - (4 - vector(5))"),
        ("(vector(1) ^ 2) ^ 3", "(vector(1) ^ 2) ^ 3"),
        ("2 ^ vector(1) ^ vector(2)", "2 ^ vector(1) ^ vector(2)"),
        ('rate({a="b"}[5m] offset -5m)', 'rate({a="b"}[5m] offset -5m)'),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert write(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e22, 1e-7, -0.5, 0.1, 123456789.0])
def test_any_number_can_be_written(value: float) -> None:
    found = parse(write(tree.Binary("+", tree.VectorOf(1.0), tree.Number(value))))
    assert isinstance(found, tree.Binary)
    assert found.right == tree.Number(value)


def test_what_is_no_number_can_be_written_too() -> None:
    found = parse(write(tree.Number(math.nan)))
    assert isinstance(found, tree.Number)
    assert math.isnan(found.value)


@pytest.mark.parametrize("kind", [tree.Drop, tree.Keep])
def test_a_line_filter_behind_a_dropped_name_does_not_become_its_condition(kind: type[tree.Drop | tree.Keep]) -> None:
    needle = tree.LineFilter("!=", (tree.LineText("x"),))
    query = tree.LogQuery((tree.Matcher("a", "=", "b"),), (kind(("c",)), needle))
    found = parse(write(query))
    assert isinstance(found, tree.LogQuery)
    assert found.stages == (kind(("c",)), tree.LineFilter("|=", (tree.LineText(""),)), needle)


# Walks and changes


@given(log_queries)
def test_a_log_query_gives_lines_and_is_its_own_log_query(query: tree.LogQuery) -> None:
    assert not is_metric(query)
    assert selectors(query) == [query]
    assert log_ranges(query) == []
    assert log_query_of(query) is query


@given(samples)
def test_a_metric_query_has_the_selectors_of_its_ranges(sample: tree.Sample) -> None:
    assert is_metric(sample)
    assert selectors(sample) == [found.query for found in log_ranges(sample)]


@given(expressions)
def test_a_stage_is_added_to_every_pipeline(expression: tree.Expression) -> None:
    stage = tree.LineFilter("|=", (tree.LineText("needle"),))
    first, last = add_stage(expression, stage, "first"), add_stage(expression, stage)
    assert all(query.stages[0] == stage for query in selectors(first))
    assert all(query.stages[-1] == stage for query in selectors(last))
    assert parse(write(last)) == last
    assert map_queries(first, lambda query: tree.LogQuery(query.matchers, query.stages[1:])) == expression


def test_the_lines_behind_a_metric_query() -> None:
    query = parse('{a="b"} |= "x"')
    assert log_query_of(parse('sum(label_replace(rate({a="b"} |= "x" [5m]), "a", "b", "c", "d"))')) == query
    assert log_query_of(parse('rate({a="b"}[5m]) / rate({a="b"}[1h])')) == parse('{a="b"}')
    assert log_query_of(parse('rate({a="b"}[5m]) / rate({a="c"}[5m])')) is None
    assert log_query_of(parse("vector(1)")) is None


def test_selectors_stand_in_the_order_of_the_text() -> None:
    found = parse('rate({a="1"}[5m]) + (rate({a="2"}[5m]) - sum(rate({a="3"}[5m])))')
    assert [query.matchers[0].value for query in selectors(found)] == ["1", "2", "3"]
