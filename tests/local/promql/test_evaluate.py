"""The engine's surface: kinds of results, steps, refusals, native histograms, staleness, the way to stop."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory_store import MemoryStore

from obs_magics.local.promql import binary, table
from obs_magics.local.promql.aggregate import AGGREGATORS
from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import STALE_BITS, Matcher, SeriesSet
from obs_magics.local.promql.evaluate import Stopped, _evaluate, evaluate
from obs_magics.local.promql.functions import FUNCTIONS
from obs_magics.local.promql.match import anchored, fulfils
from obs_magics.local.promql.ranking import _heap
from obs_magics.local.promql.values import Text
from obs_magics.model.errors import QueryError
from obs_magics.model.frames import HISTOGRAM_TYPE
from obs_magics.syntax import promql as syntax

STEP = 15_000
STALE = float(np.array([STALE_BITS]).view(np.float64)[0])


def data() -> MemoryStore:
    store = MemoryStore()
    times = np.arange(0, 41 * STEP, STEP)
    for job in ("a", "b"):
        store.add({"__name__": "x_total", "job": job}, times, np.arange(41.0) * (2 if job == "b" else 1))
    return store


def ask(query: str, store: MemoryStore | None = None, *, instant: bool = False, **how: object):
    settings = {"start_ms": 300_000, "end_ms": 330_000, "step_ms": STEP, "instant": instant, **how}
    return evaluate(query, store or data(), **settings)  # type: ignore[arg-type]


def test_a_range_query_gives_a_matrix_in_order_of_labels() -> None:
    found = ask("x_total * -1")
    assert found.kind == "matrix"
    assert found.labels == [{"job": "a"}, {"job": "b"}]
    assert found.offsets.tolist() == [0, 3, 6]
    assert found.timestamps_ms.tolist() == [300_000, 315_000, 330_000] * 2
    assert found.values.tolist() == [-20, -21, -22, -40, -42, -44]


@pytest.mark.parametrize(
    ("query", "kind", "values"),
    [
        ("x_total", "vector", [22, 44]),
        ("1 + 1", "scalar", [2]),
        ('"text"', "string", []),
        ("x_total[30s]", "matrix", [21, 22, 42, 44]),
    ],
)
def test_an_instant_query_gives_what_the_expression_is(query: str, kind: str, values: list[float]) -> None:
    found = ask(query, instant=True)
    assert (found.kind, found.values.tolist()) == (kind, values)
    assert found.text == ("text" if kind == "string" else "")


def test_a_scalar_over_a_range_is_a_matrix_without_labels() -> None:
    found = ask("time()")
    assert (found.kind, found.labels, found.values.tolist()) == ("matrix", [{}], [300, 315, 330])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("x_total[5m]", "range vector"),
        ('"text"', "string"),
        ("nope(x)", "unknown function nope"),
        ("x_total / on () x_total", "many-to-many matching not allowed"),
        ('x_total * on () group_left () {job="a"} * on () x_total', "many-to-many"),
        ("x_total + on () vector(1)", "many-to-one matching must be explicit"),
        ("vector(1) + on () group_right (job) x_total", "grouping labels must ensure unique matches"),
        ("sum by (job) (x_total) * on () group_right () vector(1)", "many-to-many matching not allowed"),
        ("label_replace(x_total, 'job', '', '', '')", "vector cannot contain metrics with the same labelset"),
        ("label_replace(x_total, 'job', '', '', '(')", "invalid regular expression in label_replace"),
        ("x_total + on () fill(0) x_total", "fill modifier"),
        ('x_total{job="a" or job="b"}', "'or' between label matchers"),
        ("step()", "step is not supported"),
        ("topk(scalar(nothing), x_total)", "Scalar value NaN overflows int64"),
        ("limit_ratio(scalar(nothing), x_total)", "Ratio value is NaN"),
        ("{__name__=~'x_total|y'} + on (__name__, job) group_left () {__name__=~'x_total|y'}", "same labelset"),
        ("{__name__=~'x_total|y'} + 1", "same labelset"),
        ("rate((({__name__=~'x_total|y'}))[5m:15s])", "same labelset"),
        ("rate(x_total[5m:]) + rate({__name__=~'x_total|y'}[1h])", "same labelset"),
        ('count_values("", x_total)', "invalid label name"),
        ("holt_winters(x_total[5m], 0.5, 1.5)", "invalid trend factor"),
        ("double_exponential_smoothing(x_total[5m], 0, 0.5)", "invalid smoothing factor"),
        ('-{__name__=~"x_total|y"}', ""),
        ("-'text'", "unary"),
        ("sum(x_total) + on (job) group_left () fill_left(1) x_total", "fill modifier"),
    ],
)  # fmt: skip
def test_refusals_name_what_is_wrong(query: str, words: str) -> None:
    store = data()
    store.add({"__name__": "y", "job": "a"}, [285_000, 300_000], [1.0, 2.0])
    with pytest.raises(QueryError) as caught:
        ask(query, store)
    assert words in caught.value.message
    assert caught.value.query == query


@pytest.mark.parametrize(
    ("how", "words"),
    [({"step_ms": 0}, "step"), ({"end_ms": 0}, "end"), ({"step_ms": 1, "end_ms": 2_000_000}, "1,000,000 points")],
)
def test_impossible_steps_are_refused(how: dict[str, int], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        ask("x_total", **how)


def test_vectors_without_partners_give_nothing() -> None:
    assert ask("x_total + on (job) nothing").labels == []
    assert ask("x_total + on (job, __name__) -x_total").labels == []
    assert ask("absent_over_time(((x_total[1m])))").labels == []
    assert ask("idelta(((x_total[1m])))").values.tolist() == [1, 1, 1, 2, 2, 2]


def test_11000_points_pass() -> None:
    assert len(ask("vector(1)", start_ms=0, end_ms=10_999, step_ms=1).values) == 11_000


def test_every_function_and_aggregation_that_parses_has_a_state_in_the_table() -> None:
    page = table.render()
    for name in syntax.FUNCTIONS | syntax.AGGREGATIONS:
        assert f"| `{name}` |" in page
    assert set(FUNCTIONS) == syntax.FUNCTIONS


def test_the_table_says_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(AGGREGATORS, "group")
    assert "| `group` | refused |" in table.render()


def test_the_table_in_the_docs_is_current() -> None:
    written = Path(__file__).resolve().parents[3] / table.WRITTEN
    assert written.read_text(encoding="utf-8") == table.render(), "run python -m obs_magics.local.promql.table"


# Staleness and gaps


def test_a_stale_marker_ends_a_series_at_once() -> None:
    store = MemoryStore()
    store.add({"__name__": "x"}, [0, 15_000, 30_000, 45_000], [1.0, math.nan, STALE, 4.0])
    found = ask("x", store, start_ms=0, end_ms=60_000)
    assert found.timestamps_ms.tolist() == [0, 15_000, 45_000, 60_000]
    assert np.isnan(found.values[1])
    assert ask("count_over_time(x[1m])", store, start_ms=45_000, end_ms=45_000).values.tolist() == [3]
    assert ask("x[1m]", store, instant=True, end_ms=46_000).timestamps_ms.tolist() == [0, 15_000, 45_000]
    assert ask("absent(x)", store, start_ms=30_000, end_ms=30_000).values.tolist() == [1]


def test_the_lookback_can_be_set() -> None:
    assert ask("x_total", start_ms=700_000, end_ms=700_000, lookback_ms=50_000).labels == []
    assert len(ask("x_total", start_ms=700_000, end_ms=700_000, lookback_ms=200_000).labels) == 2


def test_series_may_come_in_any_order_with_empty_labels() -> None:
    store = MemoryStore()
    for name in ("b", "a", "c"):
        store.add({"__name__": "x", "job": name, "empty": ""}, [300_000], [float(ord(name))])
    assert ask("x", store, instant=True).labels == [{"__name__": "x", "job": name} for name in "abc"]
    assert ask("max(x)", store, instant=True).values.tolist() == [99]
    assert ask("topk(2, x)", store, instant=True).values.tolist() == [99, 98]
    assert ask("bottomk(2, x)", store, instant=True).values.tolist() == [97, 98]


def test_the_store_is_asked_for_the_least_that_is_needed() -> None:
    asked: list[tuple[list[Matcher], int, int]] = []

    class Watched(MemoryStore):
        def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesSet:
            asked.append((list(matchers), start_ms, end_ms))
            return super().select(matchers, start_ms, end_ms)

    ask('rate(x{job!="b"}[1m] offset 30s) + on () group_left () y @ 100', Watched())
    assert asked == [
        ([Matcher("__name__", "=", "x"), Matcher("job", "!=", "b")], 210_000, 300_000),
        ([Matcher("__name__", "=", "y")], -200_000, 100_000),
    ]


# Native histograms


def native() -> MemoryStore:
    store = data()
    one = {"count": 3.0, "sum": 5.0, "buckets": [{"rule": 0, "lower": 1.0, "upper": 2.0, "count": 3.0}]}
    store.add({"__name__": "h", "job": "n"}, [285_000, 300_000, 315_000], [math.nan, math.nan, 7.0])
    none = pa.nulls(41, HISTOGRAM_TYPE)
    store.histograms = {0: none, 1: none, 2: pa.array([one, {**one, "count": 4.0}, None], HISTOGRAM_TYPE)}
    return store


def test_native_histograms_are_returned_by_selectors() -> None:
    found = ask("h", native())
    assert found.histograms is not None
    assert [one and one["count"] for one in found.histograms.to_pylist()] == [4.0, None, None]
    assert found.values.tolist()[1:] == [7.0, 7.0]
    raw = ask("h[1m]", native(), instant=True)
    assert raw.histograms is not None
    assert raw.histograms.null_count == 1
    mixed = ask('{__name__=~"h|x_total"}', native())
    assert mixed.histograms is not None
    assert len(mixed.histograms) == len(mixed.values) == 9
    assert ask("x_total", native()).histograms is None


def test_series_with_histograms_may_come_in_any_order() -> None:
    store = native()
    store.series.reverse()
    store.histograms = {2 - number: column for number, column in store.histograms.items()}
    found = ask('{__name__=~"h|x_total"}', store)
    assert found.histograms is not None
    assert [one is None for one in found.histograms.to_pylist()][:3] == [False, True, True]
    stale = native()
    stale.series[2][2][2] = STALE
    assert ask("h[2m]", stale, instant=True).offsets.tolist() == [0, 2]


@pytest.mark.parametrize(
    "query",
    [
        "abs(h)", "rate(h[1m])", "sum(h)", "h + 1", "1 - h", "-h", "h and x_total", "histogram_count(h)",
        "max_over_time(h[1m:])", "label_replace(h, 'a', 'b', '', '')", "histogram_quantile(0.9, h)",
        "info(x_total, {__name__='h'})", "timestamp(h)",
    ],
)  # fmt: skip
def test_calculating_with_native_histograms_is_refused_by_name(query: str) -> None:
    with pytest.raises(QueryError, match="on native histograms is not supported") as caught:
        ask(query, native())
    assert caught.value.hint


def test_functions_on_other_series_of_a_store_with_histograms_work() -> None:
    assert len(ask("rate(x_total[1m])", native()).labels) == 2


# The way to stop


def test_a_set_event_stops_the_evaluation() -> None:
    stop = threading.Event()
    assert len(ask("x_total", stop=stop).labels) == 2
    stop.set()
    with pytest.raises(Stopped):
        ask("x_total", stop=stop)


def test_an_event_set_while_samples_are_read_stops_before_the_next_node() -> None:
    stop = threading.Event()

    class Slow(MemoryStore):
        def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesSet:
            stop.set()
            return super().select(matchers, start_ms, end_ms)

    store = Slow(data().series)
    with pytest.raises(Stopped):
        ask("x_total + rate(x_total[5m])", store, stop=stop)
    stop.clear()
    with pytest.raises(Stopped):
        ask("rate(x_total[5m])", store, stop=stop)


# Regular expressions


def test_patterns_are_re2_and_match_the_whole_value() -> None:
    assert fulfils(Matcher("a", "=~", r"\pL+"), "größe")
    assert not fulfils(Matcher("a", "=~", "b"), "ab")
    assert fulfils(Matcher("a", "!~", "b|c"), "ab")
    assert fulfils(Matcher("a", "!=", ""), "x")
    with pytest.raises(QueryError, match="not a regular expression of RE2"):
        anchored("(?<=a)b")


# What the parser's own checks leave for the engine


@pytest.mark.parametrize(
    "inner",
    [
        "x_total", "rate(x_total[5m])", "sum(x_total)", "topk(1, x_total)", "count_values('v', x_total)", "-x_total",
        "x_total + on (job) x_total", "x_total or vector(1)", "max_over_time((x_total)[5m:])", "absent(x_total)",
        "quantile(0.5, x_total)", "histogram_quantile(0.5, x_total)", "vector(scalar(x_total))", "sort(x_total)",
        "limit_ratio(0.5, x_total)", "info(x_total)", "timestamp(x_total)", "hour()",
        "label_join(x_total, 'a', '-', 'job')",
    ],
)  # fmt: skip
def test_a_subquery_without_a_step_is_empty(inner: str) -> None:
    found = ask(f"max_over_time(({inner})[5s:1m])", start_ms=330_000, end_ms=330_000)
    assert found.labels == []


def context(text: str) -> Context:
    return Context(text, data(), np.asarray([300_000]), 0, 0, 3, 300_000, None, _evaluate)


def test_nodes_of_the_wrong_type_are_refused() -> None:
    made = context("abs(1)")
    with pytest.raises(QueryError, match="abs needs an instant vector"):
        made.vector(syntax.parse("1"), "abs")
    with pytest.raises(QueryError, match="r needs an instant vector"):
        made.as_vector(Text("a"), "r")
    with pytest.raises(QueryError, match="a scalar is needed"):
        made.scalar(syntax.parse("x"))
    with pytest.raises(QueryError, match="a string is needed"):
        made.string(syntax.parse("x"))


def test_what_a_newer_parser_may_know_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(AGGREGATORS, "group")
    monkeypatch.setattr(binary, "OPERATORS", frozenset("+"))
    for query, words in {"group(x_total)": "aggregation group", "x_total % 2": "operator %"}.items():
        with pytest.raises(QueryError, match=f"the {words} is not supported"):
            ask(query)


def test_too_many_samples_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QueryError, match="a subquery of more than 50,000,000 steps"):
        ask("max_over_time((x_total)[100y:1ms])")
    with pytest.raises(QueryError, match="nested too deeply"):
        ask("-" * 1_500 + "x_total")
    assert len(ask("(" * 1_500 + "x_total" + ")" * 1_500).labels) == 2
    assert len(ask("rate(" + "(" * 1_500 + "x_total[1m]" + ")" * 1_501).labels) == 2
    monkeypatch.setattr("obs_magics.local.promql.context.MAX_CELLS", 5)
    for query in ("x_total", "rate(x_total[1m])"):
        with pytest.raises(QueryError, match="2 series at 3 steps are more than 5 samples"):
            ask(query)


def test_series_that_take_turns_become_one() -> None:
    store = MemoryStore()
    store.add({"__name__": "old", "job": "a"}, [0], [1.0])
    store.add({"__name__": "new", "job": "a"}, [600_000], [2.0])
    how = {"start_ms": 0, "end_ms": 600_000, "step_ms": 300_000, "lookback_ms": 1000}
    found = ask('{__name__=~"old|new"} * 2', store, **how)
    assert (found.labels, found.values.tolist()) == ([{"job": "a"}], [2, 4])
    joined = ask('{__name__=~"old|new"} * on (job) {__name__=~"old|new"}', store, **how)
    assert joined.values.tolist() == [1, 4]


@pytest.mark.parametrize(("version", "kept"), [(2, {"e", "f"}), (3, {"c", "f"})])
def test_ties_at_the_last_place_are_decided_as_the_heaps_of_prometheus_do(version: int, kept: set[str]) -> None:
    store = MemoryStore()
    for name, number in {"a": 563.0, "b": 775.0, "c": 1.0, "d": 3.0, "e": 1.0, "f": 0.0}.items():
        store.add({"__name__": "x", "i": name}, [300_000], [number])
    chosen = {labels["i"] for labels in ask("bottomk(2, x)", store, instant=True, version=version).labels}
    assert chosen == kept


@given(
    st.lists(st.sampled_from([1.0, 2.0, 3.0, math.nan, -math.inf]), min_size=1, max_size=12),
    st.integers(1, 6),
    st.sampled_from([2, 3]),
)
def test_a_heap_keeps_the_largest(values: list[float], limit: int, version: int) -> None:
    def rank(value: float) -> float:
        return -math.inf if math.isnan(value) else value

    kept = _heap(values, limit, version)
    assert len(kept) == len(set(kept)) == min(limit, len(values))
    best = sorted(map(rank, values), reverse=True)[: len(kept)]
    assert sorted((rank(values[place]) for place in kept), reverse=True) == best


def test_the_page_is_written_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    table.main()
    assert (tmp_path / table.WRITTEN).read_text(encoding="utf-8") == table.render()
    assert str(table.WRITTEN) in capsys.readouterr().out
