"""The grammar above the braces: sets of spans, stages, pipelines, and arithmetic of aggregates and of metrics.

Brackets may hold four kinds of things, and what may stand beside them depends on the kind. Tempo's grammar (LALR) tells
them apart by their first tokens; here each `Part` carries its kind. Two of its habits are kept: brackets around nothing
but filters are no pipeline, so that ``({ a }) && ({ b } | count() > 1)`` is refused while the two the other way round
are not, and a filter without brackets never stands beside a pipeline in brackets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from obs_magics.syntax.traceql.cursor import Cursor
from obs_magics.syntax.traceql.fields import expression, listed, name, spans_filter
from obs_magics.syntax.traceql.metrics import metrics, number, second_stages, seconds_of
from obs_magics.syntax.traceql.tree import (
    Aggregate,
    AggregateOf,
    By,
    Coalesce,
    ComparisonOp,
    Filter,
    Grouped,
    MetricsOp,
    MetricsOperation,
    Pipeline,
    Scalar,
    ScalarFilter,
    ScalarOp,
    ScalarOperation,
    Select,
    Stage,
    Static,
    Structural,
    StructuralOp,
)
from obs_magics.syntax.traceql.words import AGGREGATES, BINDING, COMPARISONS, LOGICAL, METRICS, RELATIONS

Kind: TypeAlias = Literal["spans", "scalar", "pipeline", "metrics"]
_EVERYTHING: frozenset[Kind] = frozenset({"spans", "scalar", "pipeline", "metrics"})
_OF_PIPELINES: frozenset[Kind] = frozenset({"spans", "pipeline"})
_OF_STAGES: frozenset[Kind] = frozenset({"spans", "scalar"})
_OF_NUMBERS: frozenset[Kind] = frozenset({"scalar", "metrics"})
_SPANS: frozenset[Kind] = frozenset({"spans"})
_SCALAR: frozenset[Kind] = frozenset({"scalar"})
_METRICS: frozenset[Kind] = frozenset({"metrics"})

_SPANSET_OPERATORS = LOGICAL | RELATIONS
_SCALAR_OPERATORS = frozenset({"+", "-", "*", "/", "%", "^"})
_METRICS_OPERATORS = frozenset({"+", "-", "*", "/"})
_NUMBERS = frozenset({"-", "INTEGER", "FLOAT", "DURATION"})


@dataclass(frozen=True, slots=True)
class Part:
    """Something of the grammar, and what it is.

    Args:
        kind: `spans`: filters and operators between them; `scalar`: aggregates and numbers; `pipeline`: what was in
            brackets with stages in it; `metrics`: a metrics query.
        node: A `Filter` or `Structural`; a `Scalar`; a `Grouped` or `Structural`; a `Pipeline` or `MetricsOperation`.
        start: Where it begins, brackets included.
    """

    kind: Kind
    node: Filter | Structural | Grouped | Scalar | Pipeline | MetricsOperation
    start: int


def query(cursor: Cursor) -> Pipeline:
    """A whole query without its hints."""
    part = _sequence(cursor, _EVERYTHING)
    node = part.node
    if part.kind == "metrics":
        if cursor.kind == "|" or cursor.kind in COMPARISONS:
            return Pipeline((*_stages_of(node), *second_stages(cursor)))
        return Pipeline(_stages_of(node))
    return Pipeline(_stages_of(node))


def _stages_of(node: object) -> tuple[Stage, ...]:
    if isinstance(node, Grouped):
        return node.pipeline.stages
    return node.stages if isinstance(node, Pipeline) else (cast(Stage, node),)


def _sequence(cursor: Cursor, allowed: frozenset[Kind]) -> Part:
    """What may stand between brackets or be a whole query, up to where it ends."""
    start, kind = cursor.here.start, cursor.kind
    if kind == "{" and allowed & {"spans", "pipeline", "metrics"}:
        return _behind(cursor, _spans(cursor, Part("spans", spans_filter(cursor), start)), allowed)
    if kind == "(":
        return _continued(cursor, _group(cursor, allowed), allowed)
    if (kind in AGGREGATES or kind in _NUMBERS) and allowed & {"scalar", "pipeline", "metrics"}:
        return _continued(cursor, _number_or_aggregate(cursor), allowed)
    if kind in {"by", "select"} and "pipeline" in allowed:
        return _behind(cursor, _staged(_STAGES[kind](cursor), start), allowed)
    raise cursor.unexpected()


def _continued(cursor: Cursor, part: Part, allowed: frozenset[Kind]) -> Part:
    """The operators behind a first operand, then the stages."""
    if part.kind == "spans":
        return _behind(cursor, _spans(cursor, part), allowed)
    if part.kind == "pipeline":
        return _spans(cursor, part)
    part = _arithmetic(cursor, part, BINDING["+"], allowed)
    if part.kind == "metrics":
        return part
    if cursor.kind not in COMPARISONS:
        if "scalar" in allowed and cursor.kind == ")":
            return part
        raise cursor.unexpected()
    if "pipeline" not in allowed:
        return part
    return _behind(cursor, _staged(_scalar_filter(cursor, part), part.start), allowed)


def _staged(stage: Stage, start: int) -> Part:
    return Part("pipeline", Grouped(Pipeline((stage,))), start)


def _behind(cursor: Cursor, part: Part, allowed: frozenset[Kind]) -> Part:
    """The stages behind a set of spans."""
    if cursor.kind != "|" or "pipeline" not in allowed:
        return part
    stages = list(_stages_of(part.node))
    while cursor.accept("|"):
        if cursor.kind in METRICS and "metrics" in allowed:
            stages.append(metrics(cursor))
            return Part("metrics", Pipeline((*stages, *second_stages(cursor))), part.start)
        stages.append(_stage(cursor))
    return Part("pipeline", Grouped(Pipeline(tuple(stages))), part.start)


# Sets of spans ---------------------------------------------------------------------------------------------------


def _spans(cursor: Cursor, left: Part, tightest: int = 1) -> Part:
    """Sets of spans and the operators between them, or pipelines in brackets and the operators between them."""
    while cursor.kind in _SPANSET_OPERATORS and BINDING[cursor.kind] >= tightest:
        cursor.one_more_term()
        op = cast(StructuralOp, cursor.advance().kind)
        right = _spans(cursor, _spans_operand(cursor, left.kind), BINDING[op] + 1)
        node = Structural(op, cast(Filter, left.node), cast(Filter, right.node), at=left.start)
        left = Part(left.kind, cursor.noted(node, left.start), left.start)
    return left


def _spans_operand(cursor: Cursor, beside: Kind) -> Part:
    start = cursor.here.start
    if beside == "spans" and cursor.kind == "{":
        return Part("spans", spans_filter(cursor), start)
    if cursor.kind != "(":
        raise cursor.unexpected("(" if beside == "pipeline" else "{ or (")
    if beside == "spans":
        return _group(cursor, _SPANS)
    part = _group(cursor, _OF_PIPELINES)
    return Part("pipeline", part.node, start)


def _group(cursor: Cursor, allowed: frozenset[Kind]) -> Part:
    """``( … )``."""
    start = cursor.take("(").start
    with cursor.deeper():
        part = _sequence(cursor, allowed)
    cursor.take(")", expecting="")
    return Part(part.kind, part.node, start)


# Aggregates, numbers, metrics ------------------------------------------------------------------------------------


def _number_or_aggregate(cursor: Cursor) -> Part:
    start = cursor.here.start
    return Part("scalar", number(cursor) if cursor.kind in _NUMBERS else _aggregate(cursor), start)


def _aggregate(cursor: Cursor) -> AggregateOf:
    token = cursor.take(*AGGREGATES, expecting="")
    cursor.take("(")
    inner = None if token.kind == "count" else expression(cursor)
    cursor.take(")", expecting=")" if inner is None else "")
    return cursor.noted(AggregateOf(cast(Aggregate, token.kind), inner), token.start)


def _arithmetic(cursor: Cursor, left: Part, tightest: int, allowed: frozenset[Kind]) -> Part:
    """Aggregates and numbers, or metrics queries and numbers, and the operators between them."""
    while cursor.kind in _SCALAR_OPERATORS and BINDING[cursor.kind] >= tightest:
        if left.kind == "metrics" and cursor.kind not in _METRICS_OPERATORS:
            raise cursor.unexpected()
        cursor.one_more_term()
        op = cursor.advance().kind
        right = _arithmetic(cursor, _arithmetic_operand(cursor, left, op, allowed), BINDING[op] + (op != "^"), allowed)
        left = _combined(cursor, op, left, right)
    return left


def _arithmetic_operand(cursor: Cursor, left: Part, op: str, allowed: frozenset[Kind]) -> Part:
    kinds = _OF_NUMBERS if "metrics" in allowed and op in _METRICS_OPERATORS else _SCALAR
    if left.kind == "metrics":
        kinds = _METRICS
    elif not isinstance(left.node, Static):
        kinds = _SCALAR
    if cursor.kind == "(":
        return _group(cursor, kinds | _OF_PIPELINES if "metrics" in kinds else kinds)
    if cursor.kind in _NUMBERS or ("scalar" in kinds and cursor.kind in AGGREGATES):
        return _number_or_aggregate(cursor)
    raise cursor.unexpected()


def _combined(cursor: Cursor, op: str, left: Part, right: Part) -> Part:
    kinds = {left.kind, right.kind}
    if kinds == {"scalar"}:
        scalars = ScalarOperation(cast(ScalarOp, op), cast(Scalar, left.node), cast(Scalar, right.node))
        return Part("scalar", cursor.noted(scalars, left.start), left.start)
    sides = [_metrics_operand(side) for side in (left, right)]
    if "pipeline" in kinds or "spans" in kinds or None in sides:
        raise cursor.unexpected()
    node = MetricsOperation(cast(MetricsOp, op), sides[0], sides[1], at=left.start)  # type: ignore[arg-type]
    return Part("metrics", cursor.noted(node, left.start), left.start)


def _metrics_operand(part: Part) -> Pipeline | MetricsOperation | float | None:
    if isinstance(part.node, Static):
        return seconds_of(part.node)
    return part.node if isinstance(part.node, Pipeline | MetricsOperation) else None


# Stages ----------------------------------------------------------------------------------------------------------


def _stage(cursor: Cursor) -> Stage:
    """What stands behind a bar, metrics functions aside."""
    kind, start = cursor.kind, cursor.here.start
    if kind in _STAGES:
        return _STAGES[kind](cursor)
    if kind == "{":
        return cast(Filter, _spans(cursor, Part("spans", spans_filter(cursor), start)).node)
    if kind == "(":
        part = _group(cursor, _OF_STAGES)
    elif kind in AGGREGATES or kind in _NUMBERS:
        part = _number_or_aggregate(cursor)
    else:
        raise cursor.unexpected()
    if part.kind == "spans":
        return cast(Filter, _spans(cursor, part).node)
    return _scalar_filter(cursor, _arithmetic(cursor, part, BINDING["+"], _SCALAR))


def _scalar_filter(cursor: Cursor, left: Part) -> ScalarFilter:
    op = cursor.take(*COMPARISONS, expecting="").kind
    right = cursor.here.start
    if cursor.kind == "(":
        operand = _group(cursor, _SCALAR)
    elif cursor.kind in _NUMBERS or cursor.kind in AGGREGATES:
        operand = _number_or_aggregate(cursor)
    else:
        raise cursor.unexpected()
    operand = _arithmetic(cursor, Part(operand.kind, operand.node, right), BINDING["+"], _SCALAR)
    node = ScalarFilter(cast(ComparisonOp, op), cast(Scalar, left.node), cast(Scalar, operand.node), at=left.start)
    return cursor.noted(node, left.start)


def _by(cursor: Cursor) -> By:
    start = cursor.take("by").start
    cursor.take("(")
    found = expression(cursor)
    cursor.take(")", expecting="")
    return cursor.noted(By((found,), at=start), start)


def _select(cursor: Cursor) -> Select:
    start = cursor.take("select").start
    return cursor.noted(Select(listed(cursor, name), at=start), start)


def _coalesce(cursor: Cursor) -> Coalesce:
    start = cursor.take("coalesce").start
    cursor.take("(")
    cursor.take(")")
    return cursor.noted(Coalesce(at=start), start)


_STAGES: Mapping[str, Callable[[Cursor], Stage]] = {"by": _by, "select": _select, "coalesce": _coalesce}
