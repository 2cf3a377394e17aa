"""Binary operators: arithmetic, comparison and set operators between scalars and vectors, and unary minus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import Array
from obs_magics.local.promql.joining import SET_OPERATORS, Matching, combine, join
from obs_magics.local.promql.values import (
    DuplicateSeries,
    Scalar,
    Value,
    Vector,
    forbid_same_labels,
    merge_same_labels,
    without_name,
)

ARITHMETIC: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISON: dict[str, Callable[[Array, Array], Array]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def negate(node: Any, context: Context) -> Value:
    """The value of a `UnaryExpr`, which is always a minus: the parser drops a plus."""
    value = context.evaluate(node.expr)
    if isinstance(value, Scalar):
        return Scalar(-value.values)
    vector = context.as_vector(value, "-")
    labels = [without_name(one) for one in vector.labels]
    try:
        forbid_same_labels([labels[row] for row in np.flatnonzero(vector.present.any(axis=1))])
    except DuplicateSeries as problem:
        raise context.duplicate("-", problem) from None
    return Vector(labels, -vector.values, vector.present)


def binary(node: Any, context: Context) -> Value:
    """The value of a `BinaryExpr`.

    Raises:
        QueryError: What Prometheus would refuse too, such as many-to-many matching; native histograms.
    """
    operator = str(node.op)
    if operator not in OPERATORS:
        raise context.error(operator, f"the operator {operator} is not supported by the embedded backend")
    left, right = context.evaluate(node.lhs), context.evaluate(node.rhs)
    try:
        with np.errstate(all="ignore"):
            return _apply(operator, left, right, node.modifier, context)
    except DuplicateSeries as problem:
        raise context.duplicate(operator, problem) from None


def _apply(operator: str, left: Value, right: Value, modifier: Any, context: Context) -> Value:
    as_bool = modifier is not None and bool(modifier.return_bool)
    kind = _Operation(operator, as_bool=as_bool, version=context.version)
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return Scalar(_number(operator, left.values, right.values))
    if isinstance(right, Scalar):
        return _with_scalar(kind, context.as_vector(left, operator), right, scalar_first=False)
    if isinstance(left, Scalar):
        return _with_scalar(kind, context.as_vector(right, operator), left, scalar_first=True)
    left, right = context.as_vector(left, operator), context.as_vector(right, operator)
    matching = Matching(modifier, context, operator)
    if operator in SET_OPERATORS:
        return merge_same_labels(combine(operator, left, right, matching))
    return merge_same_labels(join(left, right, matching, kind))


def _number(operator: str, left: Array, right: Array) -> Array:
    if operator in COMPARISON:
        return COMPARISON[operator](left, right).astype(np.float64)
    return ARITHMETIC[operator](left, right)


def _with_scalar(kind: _Operation, vector: Vector, scalar: Scalar, *, scalar_first: bool) -> Vector:
    sides = (scalar.values, vector.values) if scalar_first else (vector.values, scalar.values)
    values, kept = kind(*sides)
    labels = [without_name(one) if kind.drops_name else one for one in vector.labels]
    present = vector.present & kept
    return merge_same_labels(Vector(labels, vector.values if kind.filters else values, present))


class _Operation:
    """An operator between two samples: the value it gives, whether it keeps the pair, whether the name goes."""

    def __init__(self, operator: str, *, as_bool: bool, version: int) -> None:
        self.filters = operator in COMPARISON and not as_bool
        # Prometheus 2 forgets to drop the name after atan2.
        self.drops_name = not self.filters and not (operator == "atan2" and version < 3)
        self._operator = operator

    def __call__(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Values, and which of them are kept."""
        if self.filters:
            return left, COMPARISON[self._operator](left, right)
        values = _number(self._operator, left, right)
        return values, np.ones(values.shape, dtype=bool)


OPERATORS = frozenset({*ARITHMETIC, *COMPARISON, *SET_OPERATORS})
