"""Walks through a query's tree, and small changes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

from obs_magics.syntax.logql.tree import (
    Binary,
    Expression,
    LabelReplace,
    LogQuery,
    LogRange,
    RangeAggregation,
    Stage,
    VectorAggregation,
)


def is_metric(expression: Expression) -> bool:
    """Whether a query gives numbers over time; log queries give lines.

    >>> from obs_magics.syntax.logql import parse
    >>> is_metric(parse('{app="api"}')), is_metric(parse('rate({app="api"}[5m])'))
    (False, True)
    """
    return not isinstance(expression, LogQuery)


def selectors(expression: Expression) -> list[LogQuery]:
    """Every selector of a query with its pipeline, in the order of the text."""
    return [node if isinstance(node, LogQuery) else node.query for node in _leaves(expression)]


def log_ranges(expression: Expression) -> list[LogRange]:
    """Every range of a query, in the order of the text; none in a log query."""
    return [node for node in _leaves(expression) if isinstance(node, LogRange)]


def log_query_of(expression: Expression) -> LogQuery | None:
    """The lines that a query looks at: itself, or the one selector with pipeline of a metric query.

    None where there are none (``vector(1)``), or different ones (a ratio).
    """
    found = selectors(expression)
    return found[0] if found and all(query == found[0] for query in found) else None


def add_stage(expression: Expression, stage: Stage, where: Literal["first", "last"] = "last") -> Expression:
    """The same query with one more stage in each of its pipelines.

    Args:
        expression: The query.
        stage: What to put in.
        where: ``first`` for right behind the selector, ``last`` for behind the last stage (before an `unwrap`).
    """

    def extended(query: LogQuery) -> LogQuery:
        stages = (stage, *query.stages) if where == "first" else (*query.stages, stage)
        return replace(query, stages=stages)

    return map_queries(expression, extended)


def map_queries(expression: Expression, change: Callable[[LogQuery], LogQuery]) -> Expression:
    """The same query with each of its selectors and pipelines changed."""
    if isinstance(expression, LogQuery):
        return change(expression)
    if isinstance(expression, RangeAggregation):
        log_range = replace(expression.range, query=change(expression.range.query))
        return replace(expression, range=log_range)
    if isinstance(expression, VectorAggregation | LabelReplace):
        return replace(expression, expression=map_queries(expression.expression, change))  # type: ignore[arg-type]
    if isinstance(expression, Binary):
        left, right = map_queries(expression.left, change), map_queries(expression.right, change)
        return replace(expression, left=left, right=right)  # type: ignore[arg-type]
    return expression


def _leaves(expression: Expression) -> Iterator[LogQuery | LogRange]:
    left: list[Expression] = [expression]
    while left:
        node = left.pop()
        if isinstance(node, LogQuery):
            yield node
        elif isinstance(node, RangeAggregation):
            yield node.range
        elif isinstance(node, VectorAggregation | LabelReplace):
            left.append(node.expression)
        elif isinstance(node, Binary):
            left += [node.right, node.left]
