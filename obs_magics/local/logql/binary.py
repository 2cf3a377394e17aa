"""Arithmetic, comparison and set operators between vectors and numbers.

Source: `vectorBinop` and `LiteralStepEvaluator` in Loki's `pkg/logql/evaluator.go`, `MergeBinOp` in `pkg/logql/syntax`.
Unlike in PromQL, a division by zero gives NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from obs_magics.local.logql.context import Context
from obs_magics.local.logql.lines import Array
from obs_magics.local.promql.joining import SET_OPERATORS, Matching, combine, join
from obs_magics.local.promql.values import DuplicateSeries, Scalar, Value, Vector, merge_same_labels
from obs_magics.syntax.logql.tree import Binary


def _over(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda left, right: np.where(right == 0, np.nan, function(left, right))


ARITHMETIC: Mapping[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _over(np.divide),
    "%": _over(np.fmod),
    "^": np.power,
}
COMPARISON: Mapping[str, Callable[[Array, Array], Array]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
OPERATORS = (*ARITHMETIC, *COMPARISON, *SET_OPERATORS)


class _LogMatching(Matching):
    """The modifiers of an operator as the tree of LogQL has them."""

    def __init__(self, node: Binary, context: Context) -> None:
        self.context, self.operator = context, node.op
        self.on = node.on
        self.names = list(node.labels)
        self.many_left, self.many_right = node.group == "left", node.group == "right"
        self.copied = list(node.include)


class _Operation:
    """An operator between two samples: the value it gives, and whether it keeps the pair."""

    drops_name = False  # series of logs have no name

    def __init__(self, node: Binary) -> None:
        self._operator = node.op
        self.filters = node.op in COMPARISON and not node.returns_bool

    def __call__(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Values, and which of them are kept."""
        if self.filters:
            return left, COMPARISON[self._operator](left, right)
        values = number(self._operator, left, right)
        return values, np.ones(values.shape, bool)


def number(operator: str, left: Array, right: Array) -> Array:
    """The values of an operator between numbers; a comparison gives 1 or 0."""
    if operator in COMPARISON:
        return COMPARISON[operator](left, right).astype(np.float64)
    return ARITHMETIC[operator](left, right)


def binary(node: Binary, left: Value, right: Value, context: Context) -> Value:
    """The value of an operator.

    Raises:
        QueryError: Not supported, or what Loki would refuse too, such as many-to-many matching.
    """
    if node.op not in OPERATORS:
        raise context.error(node.op, f"the operator {node.op} is not supported by the embedded backend")
    try:
        with np.errstate(all="ignore"):
            return _applied(node, left, right, context)
    except DuplicateSeries as problem:
        hint = "several series have the same labels: keep a label that tells them apart"
        raise context.error(node.op, str(problem), hint=hint) from None


def _applied(node: Binary, left: Value, right: Value, context: Context) -> Value:
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return Scalar(number(node.op, left.values, right.values))
    operation = _Operation(node)
    if isinstance(right, Scalar):
        return _with_number(operation, left, right, number_first=False)
    if isinstance(left, Scalar):
        return _with_number(operation, right, left, number_first=True)
    assert isinstance(left, Vector), "there are no texts in LogQL"  # noqa: S101
    assert isinstance(right, Vector), "there are no texts in LogQL"  # noqa: S101
    matching = _LogMatching(node, context)
    if node.op in SET_OPERATORS:
        return merge_same_labels(combine(node.op, left, right, matching))
    return merge_same_labels(join(left, right, matching, operation))


def _with_number(operation: _Operation, vector: Value, scalar: Scalar, *, number_first: bool) -> Vector:
    assert isinstance(vector, Vector), "there are no texts in LogQL"  # noqa: S101
    sides = (scalar.values, vector.values) if number_first else (vector.values, scalar.values)
    values, kept = operation(*sides)
    return Vector(vector.labels, vector.values if operation.filters else values, vector.present & kept)
