"""Functions that change each value for itself: rounding, logarithms, trigonometry, clamping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import Array
from obs_magics.local.promql.values import Value, Vector, map_values

_PLAIN: dict[str, Callable[[Array], Array]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": lambda values: values * 180 / np.pi,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": lambda values: values * np.pi / 180,
    "sgn": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def _plain(function: Callable[[Array], Array]) -> Callable[[Any, Context], Value]:
    def apply(node: Any, context: Context) -> Value:
        return map_values(context.vector(node.args[0], str(node.func.name)), function)

    return apply


def _round(node: Any, context: Context) -> Value:
    vector = context.vector(node.args[0], "round")
    nearest = context.scalar(node.args[1]) if len(node.args) > 1 else np.ones(context.steps)
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest  # Prometheus inverts for accuracy, and rounds ties up
    return map_values(vector, lambda values: np.floor(values * inverse + 0.5) / inverse)


def _minimum(one: Array, other: Array) -> Array:
    """Go's math.Min: minus infinity wins even over NaN."""
    return np.where(np.isneginf(one) | np.isneginf(other), -np.inf, np.minimum(one, other))


def _maximum(one: Array, other: Array) -> Array:
    """Go's math.Max: infinity wins even over NaN."""
    return np.where(np.isposinf(one) | np.isposinf(other), np.inf, np.maximum(one, other))


def _clamp(node: Any, context: Context) -> Value:
    vector = context.vector(node.args[0], "clamp")
    low, high = context.scalar(node.args[1]), context.scalar(node.args[2])
    allowed = Vector(vector.labels, vector.values, vector.present & ~(high < low))
    return map_values(allowed, lambda values: _maximum(low, _minimum(high, values)))


def _clamp_min(node: Any, context: Context) -> Value:
    vector = context.vector(node.args[0], "clamp_min")
    low = context.scalar(node.args[1])
    return map_values(vector, lambda values: _maximum(low, values))


def _clamp_max(node: Any, context: Context) -> Value:
    vector = context.vector(node.args[0], "clamp_max")
    high = context.scalar(node.args[1])
    return map_values(vector, lambda values: _minimum(high, values))


TABLE: dict[str, Callable[[Any, Context], Value]] = {
    **{name: _plain(function) for name, function in _PLAIN.items()},
    "round": _round,
    "clamp": _clamp,
    "clamp_min": _clamp_min,
    "clamp_max": _clamp_max,
}
