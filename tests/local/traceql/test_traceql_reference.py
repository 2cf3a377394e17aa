"""The engine against a slow evaluator of its own, on generated queries and generated spans."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from obs_magics.local.traceql.evaluate import search
from obs_magics.local.traceql.metrics import numbers
from obs_magics.local.traceql.series import Series
from obs_magics.model.errors import QueryError
from obs_magics.syntax.traceql import tree, write
from tests.support import traceql_grammar as grammar
from tests.support.traceql_reference import SECOND, World
from tests.support.traceql_worlds import BASE, Row, store_of, worlds

# Of each kind of query; more than a few take a while.
PAIRS = int(os.environ.get("OBS_TRACEQL_PAIRS", "60"))
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def _found(query: tree.Pipeline, rows: list[Row]) -> set[tuple[int, int]]:
    store = store_of(*rows)
    found = search(query, write(query), store, np.ones(store.traces, bool))
    ids = zip(store.columns.trace_id.to_pylist(), store.columns.span_id.to_pylist(), strict=True)
    spans = [(int(trace, 16), int(span, 16)) for trace, span in ids]
    assert found.traces.tolist() == sorted(set(store.trace[found.spans].tolist()))
    return {spans[row] for row in found.spans.tolist()}


def _compare(query: tree.Pipeline, rows: list[Row]) -> None:
    try:
        expected = World(rows).search(query)
    except QueryError:
        event("refused")
        with pytest.raises(QueryError, match="multiple spansets"):
            _found(query, rows)
        return
    event("some" if expected else "none")
    assert _found(query, rows) == expected


@settings(max_examples=PAIRS, suppress_health_check=CHECKS, deadline=None)
@given(grammar.searches, worlds())
def test_searches(query: tree.Pipeline, rows: list[Row]) -> None:
    _compare(query, rows)


@settings(max_examples=PAIRS, suppress_health_check=CHECKS, deadline=None)
@given(grammar.conditions, worlds(most=4))
def test_conditions(condition: tree.Field, rows: list[Row]) -> None:
    _compare(tree.Pipeline((tree.Filter(condition),)), rows)


plain = st.builds(
    tree.Filter,
    st.sampled_from(
        [
            None,
            tree.Operation("=", tree.Intrinsic("span:status"), tree.Static("status", "error")),
            tree.Operation("=", tree.Intrinsic("span:name"), tree.Static("string", "op")),
            tree.Operation("=", tree.Attribute("resource", "service.name"), tree.Static("string", "api")),
        ]
    ),
)
families = st.recursive(plain, lambda inner: st.builds(tree.Structural, grammar.relations, inner, inner), max_leaves=4)
grouping = st.just(tree.By((tree.Attribute("resource", "service.name"),)))


@settings(max_examples=PAIRS, suppress_health_check=CHECKS, deadline=None)
@given(families, st.lists(st.one_of(families, grouping, st.just(tree.Coalesce())), max_size=3), worlds())
def test_structure(first: tree.Spanset, rest: list[tree.Stage], rows: list[Row]) -> None:
    _compare(tree.Pipeline((first, *rest)), rows)


def _points(series: Series) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
    found = {}
    for labels, values in zip(series.labels, series.values, strict=True):
        points = {
            time: value
            for time, value in zip(series.times_ns.tolist(), values.tolist(), strict=True)
            if not math.isnan(value)
        }
        if points:
            found[tuple(sorted(labels.items()))] = points
    return found


@settings(max_examples=PAIRS, suppress_health_check=CHECKS, deadline=None)
@given(grammar.metrics_queries, worlds(), st.integers(0, 200), st.integers(1, 300), st.sampled_from([7, 60, 500]))
def test_metrics(query: tree.Pipeline, rows: list[Row], start: int, lasting: int, step: int) -> None:
    _compare_metrics(query, rows, BASE + start * SECOND, BASE + (start + lasting) * SECOND, step * SECOND)


simple = st.builds(
    lambda first, function, chain: tree.Pipeline((first, function, *chain)),
    plain,
    st.one_of(
        st.builds(
            tree.Metrics,
            st.sampled_from(("rate", "count_over_time")),
            by=st.sampled_from([(), (tree.Intrinsic("span:name"),)]),
        ),
        st.builds(
            tree.Metrics,
            st.sampled_from([f"{name}_over_time" for name in ("min", "max", "avg", "sum", "histogram")]),
            st.sampled_from([tree.Intrinsic("span:duration"), tree.Attribute("", "a")]),
            by=st.sampled_from([(), (tree.Intrinsic("span:kind"), tree.Attribute("", "http.status_code"))]),
        ),
        st.builds(
            tree.Metrics,
            st.just("quantile_over_time"),
            st.sampled_from([tree.Intrinsic("span:duration"), tree.Attribute("", "a")]),
            st.lists(st.floats(0, 1), min_size=1, max_size=3).map(tuple),
            st.sampled_from([(), (tree.Intrinsic("span:status"),)]),
        ),
    ),
    st.lists(
        st.builds(tree.SecondStage, st.sampled_from(("topk", "bottomk", ">", "!=")), st.sampled_from([1.0, 2.0])),
        max_size=2,
    ),
)  # fmt: skip


@settings(max_examples=PAIRS, suppress_health_check=CHECKS, deadline=None)
@given(simple, worlds(), st.sampled_from([7, 60, 500]))
def test_simple_metrics(query: tree.Pipeline, rows: list[Row], step: int) -> None:
    _compare_metrics(query, rows, BASE, BASE + 300 * SECOND, step * SECOND)


def _compare_metrics(query: tree.Pipeline, rows: list[Row], start: int, end: int, step: int) -> None:
    store = store_of(*rows)
    if "compare(" in write(query):  # has tests of its own
        return
    try:
        expected = World(rows).metrics(query, start, end, step)
    except QueryError:
        with pytest.raises(QueryError, match="multiple spansets"):
            numbers(query, write(query), store, start_ns=BASE - SECOND, end_ns=BASE + 400 * SECOND, step_ns=step)
        return
    found = _points(numbers(query, write(query), store, start_ns=start, end_ns=end, step_ns=step))
    event("some" if expected else "none")
    assert found.keys() == expected.keys()
    for labels, points in expected.items():
        assert found[labels].keys() == points.keys()
        assert list(found[labels].values()) == pytest.approx(
            [points[time] for time in found[labels]], rel=1e-9, nan_ok=True
        )
