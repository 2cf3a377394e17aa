"""Operators between values, as Tempo's `ast_execute.go` has them: no match across types, nothing matches nil."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.promql.match import anchored
from obs_magics.local.traceql.values import (
    BOOL,
    FLOAT,
    INT,
    KIND,
    MANY,
    NIL,
    STATUS,
    STRING,
    Floats,
    Integers,
    Many,
    Mask,
    Values,
)

_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": np.equal, "!=": np.not_equal, ">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal,
}  # fmt: skip
_OF_STRINGS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": pc.equal, "!=": pc.not_equal, ">": pc.greater, ">=": pc.greater_equal, "<": pc.less, "<=": pc.less_equal,
}  # fmt: skip
_FLIPPED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


def compared(op: str, left: Values, right: Values) -> Mask:
    """bool: where ``left op right`` holds, for comparisons and regular expressions."""
    found = _one_to_one(op, left, right)
    sides: tuple[tuple[Many | None, Values, bool], ...] = ((left.many, right, True), (right.many, left, False))
    for many, other, is_left in sides:
        if many is not None:
            found = found | _many_to_one(op, many, other, is_left)
    return found


def _many_to_one(op: str, many: Many, other: Values, is_left: bool) -> Mask:
    """bool: where one element fulfils the condition; all of them where an array has to differ."""
    single = other.take(many.owners)
    pair = (many.elements, single) if is_left else (single, many.elements)
    hits = np.bincount(many.owners[_one_to_one(op, *pair)], minlength=len(other))
    if many.all_differ and op in {"!=", "!~"}:
        elements = np.bincount(many.owners, minlength=len(other))
        hits = np.where((hits == elements) & (elements > 0), 1, 0)
    found: Mask = hits > 0
    return found


def _one_to_one(op: str, left: Values, right: Values) -> Mask:
    found = np.zeros(len(left), bool)
    strings = (left.types == STRING) & (right.types == STRING)
    if strings.any():
        found[strings] = _of_strings(op, left, right, np.flatnonzero(strings))
    if op not in _ORDERS:
        return found
    order = _ORDERS[op]
    numeric = left.is_numeric & right.is_numeric
    if numeric.any():
        exact = numeric & (left.types != FLOAT) & (right.types != FLOAT)
        found |= exact & order(left.numbers, right.numbers)
        rest = numeric & ~exact
        if rest.any():
            found |= rest & order(left.as_floats(), right.as_floats())
    if op in {"=", "!="}:
        same = (left.types == right.types) & np.isin(left.types, (BOOL, STATUS, KIND))
        found |= same & order(left.numbers, right.numbers)
    return found


def _of_strings(op: str, left: Values, right: Values, rows: Integers) -> Mask:
    """bool, one per row: a comparison of texts, once per distinct one where the other side is always the same."""
    if op in {"=~", "!~"}:
        matches = anchored(right.strings[int(right.codes[rows[0]])].as_py()).fullmatch
        answers = np.fromiter((matches(text) is not None for text in left.strings.to_pylist()), bool, len(left.strings))
        found: Mask = answers[left.codes[rows]]
        return found if op == "=~" else ~found
    compare = _OF_STRINGS[op]
    if len(right.strings) == 1:
        return _mask(compare(left.strings, right.strings[0]))[left.codes[rows]]
    if len(left.strings) == 1:
        return _mask(_OF_STRINGS[_FLIPPED.get(op, op)](right.strings, left.strings[0]))[right.codes[rows]]
    sides = (side.strings.take(pa.array(side.codes[rows])) for side in (left, right))
    return _mask(compare(*sides))


def _mask(answers: Any) -> Mask:
    found: Mask = answers.to_numpy(zero_copy_only=False)
    return found


def both(left: Values, right: Values) -> Mask:
    """``&&``."""
    return left.true & right.true


def either(left: Values, right: Values) -> Mask:
    """``||``."""
    return left.true | right.true


def calculated(op: str, left: Values, right: Values) -> Values:
    """Arithmetic: integers of integers, else floats (durations in nanoseconds); nil for what are no numbers."""
    ints = (left.types == INT) & (right.types == INT)
    numeric = left.is_numeric & right.is_numeric
    with np.errstate(all="ignore"):
        floats = _FLOATS[op](left.as_floats(), right.as_floats())
        numbers, valid = _INTS[op](left.numbers, right.numbers, floats)
    types = np.where(ints, np.where(valid, INT, NIL), np.where(numeric, FLOAT, NIL))
    return Values.of(types, numbers=numbers, floats=floats)


def negated(operand: Values) -> Values:
    """``-x``; nil for what is no number."""
    kept = operand.is_numeric
    with np.errstate(all="ignore"):
        return Values.of(np.where(kept, operand.types, NIL), numbers=-operand.numbers, floats=-operand.floats)


def inverted(operand: Values) -> Values:
    """``!x``; nil for what is neither true nor false."""
    return Values.of(np.where(operand.types == BOOL, BOOL, NIL), numbers=1 - operand.numbers)


def exists(operand: Values) -> Mask:
    """bool: ``x != nil``."""
    found: Mask = operand.types != NIL
    if operand.many is not None:
        found = found & ((operand.types != MANY) | (np.bincount(operand.many.owners, minlength=len(operand)) > 0))
    return found


def _divided(left: Integers, right: Integers, _: Floats) -> tuple[Integers, Mask]:
    """Towards zero, as in Go; nothing where the divisor is 0 (Tempo fails there)."""
    valid = right != 0
    divisor = np.where(valid, right, 1)
    quotient = left // divisor
    return quotient + ((left % divisor != 0) & ((left < 0) != (divisor < 0))), valid


def _remainder(left: Integers, right: Integers, floats: Floats) -> tuple[Integers, Mask]:
    quotient, valid = _divided(left, right, floats)
    return left - quotient * np.where(valid, right, 1), valid


def _power(left: Integers, right: Integers, floats: Floats) -> tuple[Integers, Mask]:
    """To a negative power what is left behind the point is cut off."""
    inside = np.abs(floats) < 2.0**63
    exact = np.power(left, np.maximum(right, 0))
    cut = np.where(inside, np.trunc(floats), 0).astype(np.int64)
    return np.where(right >= 0, exact, cut), inside


def _always(function: Callable[[Any, Any], Any]) -> Callable[[Integers, Integers, Floats], tuple[Integers, Mask]]:
    return lambda left, right, _: (function(left, right), np.ones(len(left), bool))


_FLOATS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.fmod, "^": np.power,
}  # fmt: skip
_INTS: Mapping[str, Callable[[Integers, Integers, Floats], tuple[Integers, Mask]]] = {
    "+": _always(np.add), "-": _always(np.subtract), "*": _always(np.multiply), "/": _divided, "%": _remainder,
    "^": _power,
}  # fmt: skip
