"""A tree as TraceQL text: canonical, and read back as the same tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from obs_magics.syntax.logql.strings import quote
from obs_magics.syntax.logql.units import written_duration
from obs_magics.syntax.traceql.lexer import PLAIN_NAME
from obs_magics.syntax.traceql.tree import (
    AggregateOf,
    Attribute,
    By,
    Coalesce,
    Field,
    Filter,
    Grouped,
    Intrinsic,
    Metrics,
    MetricsOperation,
    Operation,
    Pipeline,
    Scalar,
    ScalarFilter,
    ScalarOperation,
    SecondStage,
    Select,
    Stage,
    Static,
    Structural,
    Unary,
)
from obs_magics.syntax.traceql.words import ADDING, BINDING, LIMITS, NEGATING, SECOND_STAGES

_SIGNS = {"-": ADDING, "!": NEGATING}
_INNER_SCOPES = ("span.", "resource.")


def write(node: Pipeline | Stage | Field) -> str:
    """A query, or a part of one, as text; `parse` reads the same tree from that of a query.

    >>> from obs_magics.syntax.traceql import parse
    >>> write(parse("{duration>90s&&name=`x`}|count()>2"))
    '{ span:duration > 1m30s && span:name = "x" } | count() > 2'
    """
    return str(_WRITERS[type(node)](node))


def _pipeline(pipeline: Pipeline) -> str:
    text = ""
    for stage in pipeline.stages:
        is_comparison = isinstance(stage, SecondStage) and stage.op not in SECOND_STAGES
        text += ("" if not text else " " if is_comparison else " | ") + write(stage)
    hints = ", ".join(f"{name}={_static(value)}" for name, value in pipeline.hints)
    return f"{text} with ({hints})" if hints else text


# Fields


def _name(node: Attribute) -> str:
    plain = PLAIN_NAME.fullmatch(node.name)
    is_scope = node.parent and not node.scope and node.name.startswith(_INNER_SCOPES)
    is_number = not node.scope and not node.parent and node.name[:1] in set("0123456789")
    escaped = node.name.replace("\\", "\\\\").replace('"', '\\"')
    name = node.name if plain and not is_scope and not is_number else f'"{escaped}"'
    return f"{'parent.' if node.parent else ''}{node.scope}{'.' if node.scope or not node.parent else ''}{name}"


def _intrinsic(node: Intrinsic) -> str:
    return f"parent.{node.name.partition(':')[2] or node.name}" if node.parent else node.name


def _static(node: Static) -> str:
    if node.type == "string":
        return quote(str(node.value))
    if node.type == "duration":
        return written_duration(int(node.value or 0))
    if node.type == "bool":
        return str(node.value).lower()
    if node.type == "int" and node.value == LIMITS["minInt"]:
        return "minInt"
    return "nil" if node.value is None else str(node.value)


def _unary(node: Unary) -> str:
    inner = node.operand
    holds = not isinstance(inner, Operation) or BINDING[inner.op] > _SIGNS[node.op]
    return f"{node.op}{write(inner)}" if holds else f"{node.op}({write(inner)})"


def _operation(node: Operation) -> str:
    """From right to left, without a call for each link of a long chain."""
    parts = [_side(node, node.right, is_left=False), node.op]
    while isinstance(node.left, Operation) and _holds(node, node.left, is_left=True):
        node = node.left
        parts += [_side(node, node.right, is_left=False), node.op]
    return " ".join([_side(node, node.left, is_left=True), *reversed(parts)])


def _side(node: Operation, side: Field, *, is_left: bool) -> str:
    return write(side) if _holds(node, side, is_left=is_left) else f"({write(side)})"


def _holds(node: Operation, side: Field, *, is_left: bool) -> bool:
    """Whether an operand neither falls apart, nor takes in what follows, without brackets."""
    own = BINDING[node.op]
    if isinstance(side, Operation):
        return BINDING[side.op] > own or (BINDING[side.op] == own and is_left != (node.op == "^"))
    return own <= ADDING or not isinstance(side, Unary)


def _filter(node: Filter) -> str:
    return "{ }" if node.condition is None else f"{{ {write(node.condition)} }}"


# Sets of spans


def _structural(node: Structural) -> str:
    return _set(node, pipelines=_has_pipeline(node))


def _set(node: Filter | Structural | Grouped, *, pipelines: bool) -> str:
    """Filters beside pipelines in brackets stand in brackets too."""
    if not isinstance(node, Structural):
        return f"({write(node)})" if pipelines and isinstance(node, Filter) else write(node)
    left, right = (_set(side, pipelines=pipelines) for side in (node.left, node.right))
    if isinstance(node.left, Structural) and BINDING[node.left.op] < BINDING[node.op]:
        left = f"({_set(node.left, pipelines=_has_pipeline(node.left))})"
    if isinstance(node.right, Structural) and BINDING[node.right.op] <= BINDING[node.op]:
        right = f"({_set(node.right, pipelines=_has_pipeline(node.right))})"
    return f"{left} {node.op} {right}"


def _has_pipeline(node: Filter | Structural | Grouped) -> bool:
    if isinstance(node, Structural):
        return _has_pipeline(node.left) or _has_pipeline(node.right)
    return isinstance(node, Grouped)


# Stages


def _scalar(node: Scalar) -> str:
    if isinstance(node, Static):
        return _static(node)
    if isinstance(node, AggregateOf):
        return f"{node.function}({'' if node.expression is None else write(node.expression)})"
    left, right = _scalar_side(node, node.left, is_left=True), _scalar_side(node, node.right, is_left=False)
    return f"{left} {node.op} {right}"


def _scalar_side(node: ScalarOperation, side: Scalar, *, is_left: bool) -> str:
    if not isinstance(side, ScalarOperation):
        return _scalar(side)
    own, inner = BINDING[node.op], BINDING[side.op]
    holds = inner > own or (inner == own and is_left != (node.op == "^"))
    return _scalar(side) if holds else f"({_scalar(side)})"


def _listed(nodes: Iterable[Attribute | Intrinsic]) -> str:
    return ", ".join(map(write, nodes))


def _metrics(node: Metrics) -> str:
    inside = [write(part) for part in (node.selection, node.measured) if part is not None]
    inside += map(_number, node.parameters)
    by = f" by ({_listed(node.by)})" if node.by else ""
    return f"{node.function}({', '.join(inside)}){by}"


def _second_stage(node: SecondStage) -> str:
    if node.op in SECOND_STAGES:
        return f"{node.op}({int(node.value)})"
    return f"{node.op} {_number(node.value)}"


def _number(value: float) -> str:
    """A number; the shortest that is read back as the same."""
    is_whole = isinstance(value, int) or (value.is_integer() and abs(value) < 2**53)
    return str(int(value)) if is_whole else repr(value)


def _metrics_operation(node: MetricsOperation) -> str:
    left, right = (_metrics_side(node, side, is_left=side is node.left) for side in (node.left, node.right))
    return f"{left} {node.op} {right}"


def _metrics_side(node: MetricsOperation, side: Pipeline | float | MetricsOperation, *, is_left: bool) -> str:
    if isinstance(side, Pipeline):
        return f"({_pipeline(side)})"
    if not isinstance(side, MetricsOperation):
        return _number(side)
    own, inner = BINDING[node.op], BINDING[side.op]
    return _metrics_operation(side) if inner > own or (inner == own and is_left) else f"({_metrics_operation(side)})"


_WRITERS: Mapping[type[Any], Callable[[Any], str]] = {
    Pipeline: _pipeline,
    Static: _static,
    Attribute: _name,
    Intrinsic: _intrinsic,
    Unary: _unary,
    Operation: _operation,
    Filter: _filter,
    Structural: _structural,
    Grouped: lambda node: f"({_pipeline(node.pipeline)})",
    ScalarFilter: lambda node: f"{_scalar(node.left)} {node.op} {_scalar(node.right)}",
    By: lambda node: f"by({', '.join(map(write, node.expressions))})",
    Select: lambda node: f"select({_listed(node.fields)})",
    Coalesce: lambda _node: "coalesce()",
    Metrics: _metrics,
    SecondStage: _second_stage,
    MetricsOperation: _metrics_operation,
}
