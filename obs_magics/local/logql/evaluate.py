"""LogQL over a store of lines: `evaluate_lines` for what gives lines, `evaluate_metric` for what gives numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

from obs_magics.local.logql.binary import binary
from obs_magics.local.logql.context import Context
from obs_magics.local.logql.lines import Array, Lines
from obs_magics.local.logql.parsers.wanted import Wanted
from obs_magics.local.logql.pipeline import deciding, needed, run
from obs_magics.local.logql.plan import can_push_down
from obs_magics.local.logql.range_functions import range_aggregation
from obs_magics.local.logql.vectors import aggregate, label_replace
from obs_magics.local.logs.store import LogStore
from obs_magics.local.promql.values import Scalar, Value, Vector, label_key
from obs_magics.model.errors import QueryError
from obs_magics.model.logs import Level
from obs_magics.syntax.logql.tree import (
    Binary,
    LabelReplace,
    LogQuery,
    Number,
    RangeAggregation,
    Sample,
    VectorAggregation,
    VectorOf,
)

MAX_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class FoundLines:
    """What a log query gives.

    Args:
        lines: The newest of the lines, with all their labels, in order of time.
        times_ns: int64: times of all lines that were found.
        levels: int8: their levels, as positions in `model.logs.LEVELS`, -1 for unknown.
        context: How it was found.
    """

    lines: Lines
    times_ns: Array
    levels: Array
    context: Context


@dataclass(frozen=True, slots=True)
class FoundSeries:
    """What a metric query gives.

    Args:
        vector: The series, in order of their labels.
        times_ns: int64, of the steps.
        context: How it was found.
    """

    vector: Vector
    times_ns: Array
    context: Context


def evaluate_lines(
    tree: LogQuery,
    text: str,
    store: LogStore,
    *,
    start_ns: int,
    end_ns: int,
    limit: int,
    level: Level | None = None,
    stop: Event | None = None,
) -> FoundLines:
    """Lines from `start_ns` (included) up to `end_ns` (excluded).

    First every line goes through the stages that decide which are left, with no more labels than these stages need;
    then the newest of them go through all stages.

    Args:
        tree: The query.
        text: The same as it was written, for errors.
        store: Where the lines are.
        start_ns: Nanoseconds since the epoch.
        end_ns: Likewise.
        limit: At most so many lines, the newest.
        level: At least so severe.
        stop: When set, the evaluation ends soon with `Stopped`.

    Raises:
        QueryError: Not supported, or what Loki would refuse too.
        Stopped: `stop` was set.
    """
    context = Context(text, store, np.empty(0, np.int64), level, stop)
    selection = context.severe(context.select(tree.matchers, start_ns, end_ns))
    everything = Lines.all_of(selection)
    head = tree.stages[: deciding(tree.stages)]
    left = run(head, everything, needed(head, Wanted(check=context.check)))
    left = left.keep(context.known(selection, left.rows))
    newest = np.zeros(len(selection), bool)
    newest[left.rows[max(len(left) - limit, 0) :]] = True
    shown = run(tree.stages, everything.keep(newest), Wanted(check=context.check))
    levels = store.level_codes(selection)[left.rows]
    return FoundLines(shown, left.times_ns, levels, context)


def evaluate_metric(
    tree: Sample,
    text: str,
    store: LogStore,
    *,
    start_ns: int,
    end_ns: int,
    step_ns: int,
    level: Level | None = None,
    stop: Event | None = None,
) -> FoundSeries:
    """Series over time; steps are multiples of `step_ns`, the first not after the start, the last not before the end.

    Args:
        tree: The query.
        text: The same as it was written, for errors.
        store: Where the lines are.
        start_ns: Nanoseconds since the epoch.
        end_ns: Likewise.
        step_ns: Distance between points.
        level: Lines less severe, and those of unknown level, do not count.
        stop: When set, the evaluation ends soon with `Stopped`.

    Raises:
        QueryError: Not supported, or what Loki would refuse too.
        Stopped: `stop` was set.
    """
    context = Context(text, store, steps(text, start_ns, end_ns, step_ns), level, stop)
    try:
        value = _value(tree, context)
    except RecursionError:
        raise QueryError("the query is nested too deeply", query=text, hint="ask in several queries") from None
    if isinstance(value, Scalar):
        value = Vector([{}], value.values[np.newaxis], np.ones((1, context.steps), bool))
    assert isinstance(value, Vector), "there are no texts in LogQL"  # noqa: S101
    rows = [row for row in range(len(value.labels)) if value.present[row].any()]
    rows.sort(key=lambda row: label_key(value.labels[row]))
    vector = Vector([value.labels[row] for row in rows], value.values[rows], value.present[rows])
    return FoundSeries(vector, context.times_ns, context)


def steps(text: str, start_ns: int, end_ns: int, step_ns: int) -> Array:
    """Times of the steps, aligned as Loki's query frontend does.

    Raises:
        QueryError: There would be too many, or the step is none.
    """
    if step_ns <= 0 or end_ns < start_ns:
        raise QueryError("the step must be positive and the end not before the start", query=text)
    first, last = start_ns // step_ns, -(-end_ns // step_ns)
    if last - first >= MAX_STEPS:
        raise QueryError(
            f"more than {MAX_STEPS:,} points a series", query=text, hint="take a longer step or a shorter range"
        )
    return np.arange(first, last + 1, dtype=np.int64) * step_ns


def _value(node: Any, context: Context) -> Value:
    context.check()
    evaluator = _NODES.get(type(node))
    if evaluator is None:
        raise QueryError(f"{type(node).__name__} is not supported by the embedded backend", query=context.text)
    return evaluator(node, context)


def _aggregation(node: VectorAggregation, context: Context) -> Value:
    inner = node.expression
    if isinstance(inner, RangeAggregation) and can_push_down(node.op, inner):
        vector = range_aggregation(inner, context, node.grouping, pushed=True)
    else:
        vector = _vector(inner, context)
    return aggregate(node, vector, context)


def _vector(node: Any, context: Context) -> Vector:
    value = _value(node, context)
    if not isinstance(value, Vector):
        raise QueryError("numbers cannot be aggregated", query=context.text, hint="put vector(…) around the number")
    return value


def _of_number(node: Number, context: Context) -> Value:
    return Scalar(np.full(context.steps, node.value))


def _of_vector(node: VectorOf, context: Context) -> Value:
    shape = (1, context.steps)
    return Vector([{}], np.full(shape, node.value), np.ones(shape, bool))


_NODES: Mapping[type, Callable[[Any, Context], Value]] = {
    RangeAggregation: range_aggregation,
    VectorAggregation: _aggregation,
    Binary: lambda node, context: binary(node, _value(node.left, context), _value(node.right, context), context),
    Number: _of_number,
    VectorOf: _of_vector,
    LabelReplace: lambda node, context: label_replace(node, _vector(node.expression, context), context),
}
