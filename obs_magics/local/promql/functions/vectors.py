"""Functions between kinds of values and over whole vectors: scalar, vector, absent, sort, pi."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any

import numpy as np
import promql_parser

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import NAME, Array, Labels
from obs_magics.local.promql.selectors import matchers_of, select_range, windows, without_parens
from obs_magics.local.promql.values import Scalar, Value, Vector, label_key

_CHUNK = re.compile(r"[0-9]+|[^0-9]+")


def _scalar(node: Any, context: Context) -> Value:
    vector = context.vector(node.args[0], "scalar")
    alone = vector.present.sum(axis=0) == 1
    only = np.where(vector.present, vector.values, 0.0).sum(axis=0) if vector.labels else np.zeros(context.steps)
    return Scalar(np.where(alone, only, np.nan))


def _vector(node: Any, context: Context) -> Value:
    values = context.scalar(node.args[0])[np.newaxis]
    return Vector([{}], values, np.ones(values.shape, dtype=bool))


def _pi(node: Any, context: Context) -> Value:
    return Scalar(np.full(context.steps, np.pi))


def _absent(node: Any, context: Context) -> Value:
    value = context.evaluate(node.args[0])
    present = value.present if isinstance(value, Vector) else np.ones((1, context.steps), dtype=bool)
    return _ones_where(~np.any(present, axis=0), node.args[0], context)


def _absent_over_time(node: Any, context: Context) -> Value:
    there = np.zeros(context.steps, dtype=bool)
    for _, filled, _ in windows(select_range(node.args[0], context), context):
        there |= filled.any(axis=0)
    return _ones_where(~there, node.args[0], context)


def _ones_where(wanted: Any, argument: Any, context: Context) -> Vector:
    labels = _labels_of_absent(argument, context)
    return Vector([labels], np.ones((1, context.steps)), wanted[np.newaxis])


def _labels_of_absent(node: Any, context: Context) -> Labels:
    """What the selector asks for with ``=``, each label once."""
    node = without_parens(node)
    if isinstance(node, promql_parser.MatrixSelector):
        node = node.vector_selector
    if not isinstance(node, promql_parser.VectorSelector):
        return {}
    labels: Labels = {}
    seen: set[str] = set()
    for matcher in matchers_of(node, context):
        if matcher.name == NAME:
            continue
        if matcher.op == "=" and matcher.name not in seen:
            seen.add(matcher.name)
            labels[matcher.name] = matcher.value
        else:
            labels.pop(matcher.name, None)
    return {name: value for name, value in sorted(labels.items()) if value}


def _sorted_by_value(sign: float) -> Callable[[Any, Context], Value]:
    def apply(node: Any, context: Context) -> Value:
        vector = context.vector(node.args[0], str(node.func.name))
        if context.steps != 1:  # a range query has an order of its own
            return vector
        return _in_order(vector, np.argsort(vector.values[:, 0] * sign, kind="stable"))

    return apply


def _in_order(vector: Vector, order: Sequence[int] | Array) -> Vector:
    rows = list(order)
    return Vector([vector.labels[row] for row in rows], vector.values[rows], vector.present[rows])


def _sorted_by_label(sign: int) -> Callable[[Any, Context], Value]:
    def apply(node: Any, context: Context) -> Value:
        vector = context.vector(node.args[0], str(node.func.name))
        names = [context.string(argument) for argument in node.args[1:]]

        def compare(one: int, other: int) -> int:
            return sign * _compare(vector.labels[one], vector.labels[other], names)

        return _in_order(vector, sorted(range(len(vector.labels)), key=cmp_to_key(compare)))

    return apply


def _compare(one: Labels, other: Labels, names: Sequence[str]) -> int:
    for name in names:
        mine, theirs = one.get(name, ""), other.get(name, "")
        if mine != theirs:
            return -1 if _natural_less(mine, theirs) else 1
    mine_key, theirs_key = label_key(one), label_key(other)
    return (mine_key > theirs_key) - (mine_key < theirs_key)


def _natural_less(one: str, other: str) -> bool:
    """Whether `one` comes first when digits are read as numbers: "node9" before "node10"."""
    mine, theirs = _CHUNK.findall(one), _CHUNK.findall(other)
    for left, right in zip(mine, theirs, strict=False):
        if left.isdigit() and right.isdigit() and int(left) != int(right):
            return int(left) < int(right)
        if not (left.isdigit() and right.isdigit()) and left != right:
            return bool(left < right)
    return len(mine) <= len(theirs)


TABLE: dict[str, Callable[[Any, Context], Value]] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "pi": _pi,
    "scalar": _scalar,
    "sort": _sorted_by_value(1.0),
    "sort_by_label": _sorted_by_label(1),
    "sort_by_label_desc": _sorted_by_label(-1),
    "sort_desc": _sorted_by_value(-1.0),
    "vector": _vector,
}
