"""PromQL in parts: which queries can be cut, and that the parts give the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.syntax.promql import parse
from obs_magics.syntax.promql_split import kept_labels, one_of, only_selection, selector_text, with_values
from obs_magics.syntax.promql_tree import selections

CUTTABLE = {
    "up": 'up{pod=~"a|b"}',
    "x{}": 'x{pod=~"a|b",}',
    'x{job="}"} offset 5m': 'x{pod=~"a|b",job="}"} offset 5m',
    '{__name__="x",a="b"}': '{pod=~"a|b",__name__="x",a="b"}',
    "sum by (rate) (rate(rate[5m])) / 2": 'sum by (rate) (rate(rate{pod=~"a|b"}[5m])) / 2',
    "max_over_time(rate(x[1m])[1h:1m])": 'max_over_time(rate(x{pod=~"a|b"}[1m])[1h:1m])',
    "x @ end()": 'x{pod=~"a|b"} @ end()',
}


@pytest.mark.parametrize(("text", "part"), CUTTABLE.items())
def test_a_query_with_one_selector_is_cut(text: str, part: str) -> None:
    found = only_selection(text)
    assert found is not None
    assert with_values(text, found.metric, "pod", ["a", "b"]) == part
    assert parse(part)


@pytest.mark.parametrize(
    "text", ["a / b", "topk(3, x)", "absent(x)", "scalar(x)", "1 + 1", "not promql {", "vector(1)"]
)
def test_what_looks_at_all_series_at_once_is_not_cut(text: str) -> None:
    assert only_selection(text) is None


def test_grafana_variables_stay_and_are_not_taken_for_braces() -> None:
    text = "rate(x[${__rate_interval}])"
    assert with_values(text, "x", "pod", ["a"]) == 'rate(x{pod=~"a"}[${__rate_interval}])'
    with pytest.raises(ValueError, match="no selector of y"):
        with_values("rate(x[5m])", "y", "pod", ["a"])


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("rate(x[5m])", None),
        ("sum(x)", set()),
        ("sum without (pod) (x)", set()),
        ("max by (pod) (sum by (pod, route) (x))", {"pod"}),
    ],
)
def test_the_labels_by_which_a_query_aggregates(text: str, labels: set[str] | None) -> None:
    assert kept_labels(text) == (None if labels is None else frozenset(labels))


@given(
    st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=8), max_size=4)
)
def test_values_of_any_letters_stand_in_a_matcher(values: list[str]) -> None:
    import re2

    (found,) = selections(parse(f"x{{{one_of('pod', values)}}}"))
    ((name, operator, pattern),) = found.matchers
    assert (name, operator) == ("pod", "=~")
    for value in values:
        assert re2.compile(f"(?s:{pattern})").fullmatch(value)


@pytest.mark.parametrize("text", ["up", 'up{job="a"}', '{__name__="a.b",job=~"c|\\\\."}', '{"x.y"="z",a!="b"}'])
def test_a_selector_is_written_as_it_was_read(text: str) -> None:
    (found,) = selections(parse(text))
    (again,) = selections(parse(selector_text(found)))
    assert again == found
