"""Nodes as Tempo writes them in its errors: texts in backticks, brackets around operations, intrinsics unscoped."""

from __future__ import annotations

from obs_magics.syntax.logql.units import written_duration
from obs_magics.syntax.traceql.lexer import PLAIN_NAME
from obs_magics.syntax.traceql.tree import (
    AggregateOf,
    Attribute,
    Field,
    Filter,
    Intrinsic,
    Scalar,
    ScalarFilter,
    Static,
    Unary,
)
from obs_magics.syntax.traceql.words import SHOWN


def shown(node: Field | Scalar | Filter | ScalarFilter) -> str:
    """A node in Tempo's own words."""
    if isinstance(node, Static | Intrinsic | Attribute):
        return _leaf(node)
    if isinstance(node, Unary):
        return f"{node.op}{_wrapped(node.operand)}"
    if isinstance(node, Filter):
        return "{ true }" if node.condition is None else f"{{ {shown(node.condition)} }}"
    if isinstance(node, AggregateOf):
        return f"{node.function}({'' if node.expression is None else shown(node.expression)})"
    return f"{_wrapped(node.left)} {node.op} {_wrapped(node.right)}"


def _wrapped(node: Field | Scalar) -> str:
    is_plain = isinstance(node, Static | Attribute | Intrinsic)
    return shown(node) if is_plain else f"({shown(node)})"


def _leaf(node: Static | Intrinsic | Attribute) -> str:
    if isinstance(node, Intrinsic):
        return SHOWN.get(node.name, node.name)
    if isinstance(node, Attribute):
        name = node.name if PLAIN_NAME.fullmatch(node.name) else f'"{node.name}"'
        return f"{node.scope}.{name}"
    if node.type == "string":
        return f"`{node.value}`"
    if node.type == "duration":
        return written_duration(int(node.value or 0))
    if node.type == "bool":
        return str(node.value).lower()
    return "nil" if node.value is None else f"{node.value}"
