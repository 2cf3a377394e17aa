"""Arithmetic between two numbers, which is done while reading, as Loki does: `2 * 60` is the number 120."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from obs_magics.syntax.logql.tree import Binary, Number, Sample
from obs_magics.syntax.logql.words import SET_OPERATORS

_NAN = float("nan")


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and right % 2 == 1 else math.inf
    except ValueError:  # a root of a negative number, or 0 to a negative power
        return _NAN if left else math.inf


ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right if right else _NAN,
    "%": lambda left, right: math.fmod(left, right) if right and math.isfinite(left) else _NAN,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    ">": lambda left, right: float(left > right),
    ">=": lambda left, right: float(left >= right),
    "<": lambda left, right: float(left < right),
    "<=": lambda left, right: float(left <= right),
}
"""Loki's operators on two numbers (`MergeBinOp`): a division by zero is NaN, a comparison 0 or 1."""


def folded(sign: Binary, left: Sample, right: Sample) -> Sample:
    """The operator with its operands; a number, when both are numbers."""
    if isinstance(left, Number) and isinstance(right, Number) and sign.op not in SET_OPERATORS:
        return Number(ARITHMETIC[sign.op](left.value, right.value), at=left.at)
    return replace(sign, left=left, right=right)
