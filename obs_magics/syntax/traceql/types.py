"""The types of TraceQL: what an expression gives, which types meet, and which operator takes which.

Kept as in Tempo's `ast.go` (`impliedType`, `referencesSpan`) and `enum_operators.go` (`binaryTypeValid`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from obs_magics.syntax.traceql.tree import (
    AggregateOf,
    Attribute,
    Field,
    Intrinsic,
    Operation,
    Scalar,
    ScalarOperation,
    Static,
    StaticType,
    Unary,
)
from obs_magics.syntax.traceql.words import COMPARISONS, INTRINSICS, LOGICAL, REGEXES

Type: TypeAlias = StaticType | Literal["any"]
"""`any`: what an attribute holds is seen only in the data."""

NUMERIC: frozenset[Type] = frozenset({"int", "float", "duration"})
_EQUALITY = frozenset({"=", "!="})
_OF_NUMBERS = COMPARISONS | {"+", "-", "*", "/", "%", "^"}
_OPERATORS: Mapping[Type, frozenset[str]] = {
    **dict.fromkeys(NUMERIC, _OF_NUMBERS),
    "bool": _EQUALITY | LOGICAL,
    "string": COMPARISONS | REGEXES,
    "status": _EQUALITY,
    "kind": _EQUALITY,
    "nil": _EQUALITY,
}


def type_of(node: Field | Scalar) -> Type:
    """The type of what an expression gives."""
    if isinstance(node, Static):
        return node.type
    if isinstance(node, Attribute):
        return "any"
    if isinstance(node, Intrinsic):
        return INTRINSICS[node.name] or "any"
    if isinstance(node, Unary):
        return type_of(node.operand)
    if isinstance(node, AggregateOf):
        return "int" if node.expression is None else type_of(node.expression)
    return _type_of_operation(node)


def _type_of_operation(node: Operation | ScalarOperation) -> Type:
    if node.op in LOGICAL | COMPARISONS | REGEXES:
        return "bool"
    left = type_of(node.left)
    return left if left != "any" else type_of(node.right)


def types_meet(left: Type, right: Type) -> bool:
    """Whether an operator may stand between two types at all."""
    return left == right or bool({left, right} & {"any", "nil"}) or {left, right} <= NUMERIC


def takes(op: str, operand: Type) -> bool:
    """Whether a binary operator takes a type."""
    return operand == "any" or op in _OPERATORS[operand]


def sign_takes(sign: str, operand: Type) -> bool:
    """Whether ``-`` or ``!`` takes a type."""
    return operand == "any" or (operand in NUMERIC if sign == "-" else operand == "bool")


def names_span(node: Field) -> bool:
    """Whether an expression looks at the span, and is no mere number or text."""
    if isinstance(node, Operation):
        return names_span(node.left) or names_span(node.right)
    return names_span(node.operand) if isinstance(node, Unary) else not isinstance(node, Static)
