"""What stands in braces, worked out for all spans at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from obs_magics.local.traceql import operators
from obs_magics.local.traceql.values import Mask, Values
from obs_magics.local.traceql.view import View
from obs_magics.model.spans import SPAN_ID_DIGITS, TRACE_ID_DIGITS
from obs_magics.syntax.spans.ids import read_id
from obs_magics.syntax.traceql.tree import Attribute, Field, Filter, Intrinsic, Operation, Static, Unary

_ID_DIGITS = {
    "trace:id": TRACE_ID_DIGITS, "link:traceID": TRACE_ID_DIGITS, "span:id": SPAN_ID_DIGITS,
    "span:parentID": SPAN_ID_DIGITS, "link:spanID": SPAN_ID_DIGITS,
}  # fmt: skip
_ARITHMETIC = frozenset("+-*/%^")


def fulfilled(node: Filter, view: View) -> Mask:
    """bool, one per span: which fulfil a filter."""
    return np.ones(len(view), bool) if node.condition is None else evaluate(node.condition, view).true


def evaluate(node: Field, view: View) -> Values:
    """The value of an expression for each span."""
    view.check()
    return _RULES[type(node)](node, view)


def _static(node: Static, view: View) -> Values:
    return Values.constant(node, len(view))


def _named(node: Attribute | Intrinsic, view: View) -> Values:
    return view.values(node)


def _unary(node: Unary, view: View) -> Values:
    operand = evaluate(node.operand, view).first()
    return operators.negated(operand) if node.op == "-" else operators.inverted(operand)


def _operation(node: Operation, view: View) -> Values:
    sides = (node.left, node.right)
    if any(_is_nil(side) for side in sides):
        return _with_nil(node, view)
    if node.op in {"=", "!="}:
        sides = (_padded(node.left, node.right), _padded(node.right, node.left))
    left, right = (evaluate(side, view) for side in sides)
    if node.op in _ARITHMETIC:
        return operators.calculated(node.op, left.first(), right.first())
    if node.op in {"&&", "||"}:
        combine = operators.both if node.op == "&&" else operators.either
        return Values.bools(combine(left.first(), right.first()))
    return Values.bools(operators.compared(node.op, left, right))


def _with_nil(node: Operation, view: View) -> Values:
    """``x = nil``, ``x != nil``."""
    other = node.right if _is_nil(node.left) else node.left
    there = np.zeros(len(view), bool) if _is_nil(other) else operators.exists(evaluate(other, view))
    return Values.bools(there if node.op == "!=" else ~there)


def _is_nil(node: Field) -> bool:
    return isinstance(node, Static) and node.type == "nil"


def _padded(node: Field, other: Field) -> Field:
    """An id that was written without its leading zeros, as Tempo does, with them."""
    digits = _ID_DIGITS.get(other.name) if isinstance(other, Intrinsic) else None
    if digits is None or not isinstance(node, Static) or not isinstance(node.value, str) or not node.value:
        return node
    return replace(node, value=read_id(node.value, digits) or node.value)


_RULES: Mapping[type[Any], Callable[[Any, View], Values]] = {
    Static: _static,
    Attribute: _named,
    Intrinsic: _named,
    Unary: _unary,
    Operation: _operation,
}
