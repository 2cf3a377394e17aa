"""PromQL over a store: `evaluate` answers a range or an instant query the way Prometheus does."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import numpy as np
import promql_parser
import pyarrow as pa

from obs_magics.local.promql.aggregate import aggregate
from obs_magics.local.promql.binary import binary, negate
from obs_magics.local.promql.context import Context, Stopped
from obs_magics.local.promql.data import Array, Labels, Result, SeriesStore
from obs_magics.local.promql.functions import call
from obs_magics.local.promql.selectors import Range, is_range, select_range, select_vector, without_parens
from obs_magics.local.promql.values import Scalar, Text, Value, Vector, label_key
from obs_magics.model.errors import QueryError
from obs_magics.syntax.promql import parse

__all__ = ["Result", "Stopped", "evaluate"]

MAX_STEPS = 1_000_000  # a week at a second; Prometheus' limit of 11,000 is that of its HTTP interface


def evaluate(
    text: str,
    store: SeriesStore,
    *,
    start_ms: int,
    end_ms: int,
    step_ms: int,
    instant: bool = False,
    version: int = 3,
    lookback_ms: int = 300_000,
    stop: Event | None = None,
) -> Result:
    """Evaluate a PromQL query.

    Args:
        text: The query.
        store: Where the samples are.
        start_ms: First step; milliseconds since the epoch.
        end_ms: The steps go up to here, included when the last one falls on it; the time of an instant query.
        step_ms: Distance between steps; not looked at for an instant query.
        instant: One answer, at `end_ms`.
        version: 3 or 2, the Prometheus whose rules hold: 3 leaves out a sample at the very start of a window.
        lookback_ms: How old a sample may be to count.
        stop: When set, the evaluation ends soon with `Stopped`.

    Returns:
        A ``matrix`` for a range query; for an instant one whatever the expression is: a ``vector``, a ``matrix`` (of a
        range selector), a ``scalar`` or a ``string``.

    Raises:
        QueryError: Not PromQL, not supported, or what Prometheus would refuse too (with its words).
        Stopped: `stop` was set.
    """
    tree = parse(text)
    times = _steps(text, start_ms, end_ms, step_ms, instant=instant)
    start_ms = end_ms if instant else start_ms
    context = Context(text, store, times, start_ms, end_ms, version, lookback_ms, stop, _evaluate)
    if is_range(tree):
        if not instant:
            raise QueryError(
                'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
                query=text,
                hint="put a function such as rate or avg_over_time around it, or ask for an instant",
            )
        return _of_range(select_range(tree, context), context)
    value = _value_of(tree, context)
    if isinstance(value, Text):
        if not instant:
            raise QueryError(
                'invalid expression type "string" for range query, must be Scalar or instant Vector', query=text
            )
        return _of_text(value, context)
    return _of_scalar(value, context, instant) if isinstance(value, Scalar) else _of_vector(value, context, instant)


def _value_of(tree: Any, context: Context) -> Value:
    try:
        return context.evaluate(tree)
    except RecursionError:
        raise QueryError("the query is nested too deeply", query=context.text, hint="ask in several queries") from None


def _steps(text: str, start_ms: int, end_ms: int, step_ms: int, *, instant: bool) -> Array:
    if instant:
        return np.asarray([end_ms], np.int64)
    if step_ms <= 0 or end_ms < start_ms:
        raise QueryError("the step must be positive and the end not before the start", query=text)
    if (end_ms - start_ms) // step_ms >= MAX_STEPS:
        raise QueryError(
            f"more than {MAX_STEPS:,} points a series", query=text, hint="take a longer step or a shorter range"
        )
    return np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)


_NODES: dict[type, Callable[[Any, Context], Value]] = {
    promql_parser.NumberLiteral: lambda node, context: Scalar(np.full(context.steps, float(node.val))),
    promql_parser.StringLiteral: lambda node, context: Text(str(node.val)),
    promql_parser.ParenExpr: lambda node, context: context.evaluate(without_parens(node)),
    promql_parser.VectorSelector: select_vector,
    promql_parser.UnaryExpr: negate,
    promql_parser.BinaryExpr: binary,
    promql_parser.AggregateExpr: aggregate,
    promql_parser.Call: call,
}


def _evaluate(node: Any, context: Context) -> Value:
    return _NODES[type(node)](node, context)


def _of_text(value: Text, context: Context) -> Result:
    nothing = np.empty(0)
    return Result(
        "string", [], np.zeros(1, np.int64), nothing.astype(np.int64), nothing, _said(context), text=value.text
    )


def _of_scalar(value: Scalar, context: Context, instant: bool) -> Result:
    offsets = np.asarray([0, context.steps], np.int64)
    return Result("scalar" if instant else "matrix", [{}], offsets, context.times_ms, value.values, _said(context))


def _of_vector(vector: Vector, context: Context, instant: bool) -> Result:
    rows = [int(row) for row in np.flatnonzero(vector.present.any(axis=1))]
    if not instant:
        rows.sort(key=lambda row: label_key(vector.labels[row]))
    present = vector.present[rows]
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int64)
    times = np.broadcast_to(context.times_ms, present.shape)[present]
    histograms = None
    if vector.histograms is not None:
        picked = vector.histograms.rows[rows][present]
        histograms = vector.histograms.samples.take(pa.array(picked, mask=picked < 0))
    labels = [vector.labels[row] for row in rows]
    values = vector.values[rows][present]
    return Result("vector" if instant else "matrix", labels, offsets, times, values, _said(context), histograms)


def _of_range(selected: Range, context: Context) -> Result:
    """The samples in the only window of each series."""
    samples, end = selected.samples, int(selected.end_ms[0])
    start = end - selected.range_ms
    inside = samples.times_ms <= end
    inside &= samples.times_ms > start if context.version >= 3 else samples.times_ms >= start
    before = np.concatenate([[0], np.cumsum(inside)])[samples.offsets]
    rows = np.flatnonzero(np.diff(before))
    labels: list[Labels] = [samples.labels[row] for row in rows]
    histograms = None if samples.histograms is None else samples.histograms.filter(pa.array(inside))
    offsets = np.concatenate([[0], before[1:][rows]]).astype(np.int64)
    return Result(
        "matrix", labels, offsets, samples.times_ms[inside], samples.values[inside], _said(context), histograms
    )


def _said(context: Context) -> tuple[str, ...]:
    return tuple(context.warnings)
