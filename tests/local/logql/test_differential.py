"""The engine against a slow evaluator that does one line and one step at a time, on generated lines and queries.

`OBS_LOGQL_PAIRS=20000` runs it long.
"""

from __future__ import annotations

import math
import os

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from support import logql_reference as reference
from support.logql_worlds import SECOND, START, entries, log_queries, metric_queries, store_of

from obs_magics.local.logql.evaluate import evaluate_lines, evaluate_metric
from obs_magics.local.logql.lines import DETAILS, ERROR, Lines
from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql import parse
from obs_magics.syntax.logql.tree import Expression, LogQuery

PAIRS = int(os.environ.get("OBS_LOGQL_PAIRS", "400"))
END = START + 241 * SECOND


def labels_of(lines: Lines) -> list[dict[str, str]]:
    """The labels of each line, errors included."""
    names = [*lines.label_names(), ERROR, DETAILS]
    columns = {name: lines.label(name).strings().to_pylist() for name in names}
    return [
        {name: values[row] for name, values in columns.items() if values[row] is not None} for row in range(len(lines))
    ]


def _tree(query: str) -> Expression:
    """The tree; pieces that only by chance make no LogQL together (`drop a != "b" or "c"`) are thrown away."""
    try:
        return parse(query)
    except QueryError:
        return reject()


def _comparable(labels: dict[str, str]) -> dict[str, str]:
    """What was wrong is said in Go's words by the engine, and not by the reference."""
    return {name: value for name, value in labels.items() if name != DETAILS}


@settings(max_examples=PAIRS)
@given(entries, log_queries, st.integers(1, 20))
def test_lines(found: list[reference.Entry], query: str, limit: int) -> None:
    tree = _tree(query)
    assert isinstance(tree, LogQuery)
    expected = list(reference.run(tree, found))
    answer = evaluate_lines(tree, query, store_of(found), start_ns=START, end_ns=END, limit=limit)
    assert answer.times_ns.tolist() == [row.entry.time for row in expected]
    shown = expected[-limit:]
    assert answer.lines.texts().to_pylist() == [row.line for row in shown]
    assert list(map(_comparable, labels_of(answer.lines))) == [_comparable(row.all_labels()) for row in shown]


@settings(max_examples=PAIRS)
@given(entries, metric_queries, st.sampled_from((20, 60, 75)))
def test_metrics(found: list[reference.Entry], query: str, step: int) -> None:
    tree = _tree(query)
    assume(not isinstance(tree, LogQuery))
    times = range(START // (step * SECOND) * step * SECOND, END + step * SECOND, step * SECOND)
    try:
        expected = {time: reference.at(tree, found, time) for time in times if time < END + step * SECOND}
        failed = False
    except reference.PipelineError:
        failed = True
    try:
        answer = evaluate_metric(tree, query, store_of(found), start_ns=START, end_ns=END, step_ns=step * SECOND)
    except QueryError as problem:
        if not (failed and problem.message.startswith("pipeline error")):
            raise
        return
    if failed:  # a parser that is not asked for a label finds nothing wrong: the reference does not know of that
        return
    vector = answer.vector
    for column, time in enumerate(answer.times_ns.tolist()):
        value = expected[time]
        wanted = {(): value} if isinstance(value, float) else value
        there = {
            tuple(sorted(labels.items())): float(vector.values[row, column])
            for row, labels in enumerate(vector.labels)
            if vector.present[row, column]
        }
        assert there.keys() == wanted.keys()
        for key, number in there.items():
            assert number == pytest.approx(wanted[key], rel=1e-9, abs=1e-9) or (
                math.isnan(number) and math.isnan(wanted[key])
            )
