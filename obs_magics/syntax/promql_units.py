"""The unit of a PromQL query's result, worked out from the units of its metrics.

Units are multiplied and divided as in physics: `rate` divides by seconds, a quotient of equal units is a ratio. Two
atoms have no name in the result: `#` counts things (requests, errors), so that `rate(x_total[5m])` is `1/s` and
`x_seconds_sum / x_seconds_count` is `s`; `?name` is the unknown unit of a metric, which still cancels against itself.

>>> from obs_magics.model.catalog import info_from_name
>>> unit_of("rate(node_network_receive_bytes_total[5m])", info_from_name)
'By/s'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

import promql_parser

from obs_magics.model.catalog import MetricInfo
from obs_magics.syntax.promql import tree_of
from obs_magics.syntax.promql_tree import selections, walk

Lookup: TypeAlias = Callable[[str], MetricInfo]
Unit: TypeAlias = "Mapping[str, int]"
"""Exponent of each atom: {"By": 1, "s": -1}; no atoms for a ratio."""


class _Number:
    """A plain number, which scales the other side: `1024`, `60 * 60`; None when it is not known before asking."""

    def __init__(self, value: float | None) -> None:
        self.value = value


_Found: TypeAlias = "Unit | _Number | None"
"""None: unknown."""

_COUNT: Unit = {"#": 1}
_RATIO: Unit = {}
_SECONDS: Unit = {"s": 1}

_SAME_AGGREGATIONS = {"sum", "avg", "min", "max", "topk", "bottomk", "limitk", "limit_ratio", "quantile", "stddev"}
_COUNTING_AGGREGATIONS = {"count", "count_values"}

_SAME = {
    *("abs", "ceil", "floor", "round", "clamp", "clamp_max", "clamp_min", "sort", "sort_desc", "sort_by_label"),
    *("sort_by_label_desc", "label_replace", "label_join", "scalar", "vector", "increase", "delta", "idelta"),
    *("avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "last_over_time", "first_over_time"),
    *("quantile_over_time", "stddev_over_time", "mad_over_time", "predict_linear", "holt_winters"),
    "double_exponential_smoothing",
}
_PER_SECOND = {"rate", "irate", "deriv"}
_COUNTING = {"count_over_time", "changes", "resets"}
_TIMES = {"time", "timestamp", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time"}
_OF_OBSERVATIONS = {"histogram_quantile", "histogram_avg", "histogram_stddev"}

# What a unit becomes when it is multiplied by a number; (atom, factor), no atom for a ratio.
_SCALED: Mapping[tuple[str, float], str] = {
    ("", 100.0): "%",
    ("%", 1 / 100): "",
    ("s", 1e3): "ms",
    ("s", 1e6): "us",
    ("ms", 1 / 1e3): "s",
    ("s", 1 / 60): "min",
    ("s", 1 / 3600): "h",
    ("s", 1 / 86400): "d",
    ("By", 8.0): "bit",
    ("KiBy", 1 / 1024): "MiBy",
    ("MiBy", 1 / 1024): "GiBy",
    ("kBy", 1 / 1e3): "MBy",
    ("MBy", 1 / 1e3): "GBy",
    ("By", 1 / 1e3): "kBy",
    ("By", 1 / 1e6): "MBy",
    ("By", 1 / 1e9): "GBy",
    ("By", 1 / 1024): "KiBy",
    ("By", 1 / 1024**2): "MiBy",
    ("By", 1 / 1024**3): "GiBy",
}
_SCALED_RATES: Mapping[float, str] = {60.0: "min", 3600.0: "h", 86400.0: "d"}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
}
_COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}


def unit_of(query: Any, lookup: Lookup) -> str:
    """The unit of what a query gives, as OpenTelemetry writes it (`s`, `By/s`, `1` for a ratio); empty when unknown.

    Args:
        query: Text, or the tree that promql_parser made of it.
        lookup: Type and unit of a metric, for each name in the query.
    """
    tree = tree_of(query) if isinstance(query, str) else query
    found = None if tree is None else _of(tree, lookup)
    return "" if found is None or isinstance(found, _Number) else _written(found)


def _of(node: Any, lookup: Lookup) -> _Found:
    rule = next((rule for kind, rule in _RULES.items() if isinstance(node, kind)), None)
    return rule(node, lookup) if rule else None


def _of_selector(node: Any, lookup: Lookup) -> _Found:
    names = [item.metric for item in selections(node)]
    return _of_metric(names[0], lookup) if names[0] else None


def _of_metric(name: str, lookup: Lookup) -> _Found:
    if name.endswith("_info"):
        return _Number(1.0)  # always 1: there to be multiplied with, for its labels
    if name.endswith(("_bucket", "_count")):
        return _COUNT
    info = lookup(name)
    if info.unit:
        return _parsed(info.unit)
    return _COUNT if info.type == "counter" or name.endswith("_total") else {f"?{name}": 1}


def _of_observations(node: Any, lookup: Lookup) -> _Found:
    """The unit of what a histogram observed, whichever functions stand between."""
    names = [item.metric for item in selections(node) if item.metric]
    if not names:
        return None
    family = names[0].removesuffix("_bucket")
    unit = lookup(family).unit or lookup(names[0]).unit
    return _parsed(unit) if unit else None


def _of_call(node: Any, lookup: Lookup) -> _Found:
    name = str(node.func.name)
    rule = next((rule for names, rule in _CALLS if name in names), None)
    return rule(node, lookup) if rule else None


def _of_argument(node: Any, lookup: Lookup) -> _Found:
    """A function that keeps the unit of its argument."""
    arguments = list(node.args)
    return _of(arguments[1 if str(node.func.name) == "quantile_over_time" else 0], lookup)


def _of_rate(node: Any, lookup: Lookup) -> _Found:
    return _divided(_of(next(iter(node.args)), lookup), _SECONDS)


def _of_histogram_sum(node: Any, lookup: Lookup) -> _Found:
    unit = _of_observations(node, lookup)
    return _divided(unit, _SECONDS) if _has_rate(node) else unit


def _of_histogram_count(node: Any, _lookup: Lookup) -> _Found:
    return _divided(_COUNT, _SECONDS) if _has_rate(node) else _COUNT


def _has_rate(node: Any) -> bool:
    return any(isinstance(item, promql_parser.Call) and str(item.func.name) in _PER_SECOND for item in walk(node))


def _of_aggregate(node: Any, lookup: Lookup) -> _Found:
    name = str(node.op)
    if name in _COUNTING_AGGREGATIONS:
        return _COUNT
    return _of(node.expr, lookup) if name in _SAME_AGGREGATIONS else None


def _of_binary(node: Any, lookup: Lookup) -> _Found:
    operator, left, right = str(node.op), _of(node.lhs, lookup), _of(node.rhs, lookup)
    if operator in _COMPARISONS:
        wants_bool = node.modifier is not None and node.modifier.return_bool
        return _RATIO if wants_bool else right if isinstance(left, _Number) else left
    if isinstance(left, _Number) and isinstance(right, _Number):
        return _calculated(operator, left, right)
    rule = _BINARY.get(operator)
    return rule(left, right) if rule else None


def _calculated(operator: str, left: _Number, right: _Number) -> _Number:
    action = _ARITHMETIC.get(operator)
    if action is None or left.value is None or right.value is None:
        return _Number(None)
    try:
        return _Number(float(action(left.value, right.value)))
    except (ArithmeticError, TypeError):  # 1/0, or a root of a negative number
        return _Number(None)


def _either(left: _Found, right: _Found) -> _Found:
    """The unit of a sum: that of both sides; a number takes the other's."""
    if isinstance(left, _Number):
        return right
    return left if isinstance(right, _Number) or left == right else None


def _multiplied(left: _Found, right: _Found) -> _Found:
    if isinstance(left, _Number):
        return _scaled(right, left, 1)
    if isinstance(right, _Number):
        return _scaled(left, right, 1)
    return None if left is None or right is None else _combined(left, right, 1)


def _divided(left: _Found, right: _Found) -> _Found:
    if isinstance(right, _Number):
        return _scaled(left, right, -1)
    if left is None or right is None:
        return None
    return _combined(_RATIO if isinstance(left, _Number) else left, right, -1)


def _combined(left: Unit, right: Unit, sign: int) -> Unit:
    powers = Counter(left)
    for atom, power in right.items():
        powers[atom] += sign * power
    return {atom: power for atom, power in powers.items() if power}


def _scaled(unit: _Found, number: _Number, sign: int) -> _Found:
    """A unit times a number; only the scales that have a name of their own are known."""
    if unit is None or isinstance(unit, _Number) or not number.value:
        return None
    factor = number.value**sign
    if factor == 1:
        return unit
    above = [atom for atom, power in unit.items() if power > 0 and atom != "#"]
    if unit.get("s") == -1 and not above and factor in _SCALED_RATES:  # 1/s · 60: a minute instead of a second
        return {**_without(unit, "s"), _SCALED_RATES[factor]: -1}
    atom = above[0] if len(above) == 1 else "" if not unit else None
    scaled = next((to for (of, by), to in _SCALED.items() if of == atom and abs(by - factor) <= 1e-12 * by), None)
    if atom is None or scaled is None:
        return None
    return {**_without(unit, atom), scaled: 1} if scaled else _without(unit, atom)


def _without(unit: Unit, atom: str) -> Unit:
    return {name: power for name, power in unit.items() if name != atom}


def _parsed(unit: str) -> Unit:
    above, _, below = unit.partition("/")
    powers = Counter(atom for atom in above.split(".") if atom != "1")
    powers.subtract(atom for atom in below.split(".") if atom)
    return {atom: power for atom, power in powers.items() if power}


def _written(unit: Unit) -> str:
    """As text: counts have no name, what is not known or has odd powers is not told."""
    if not unit:
        return "1"
    named = {atom: power for atom, power in unit.items() if atom != "#"}
    if not named or any(atom.startswith("?") or abs(power) != 1 for atom, power in named.items()):
        return ""
    above = ".".join(sorted(atom for atom, power in named.items() if power > 0))
    below = ".".join(sorted(atom for atom, power in named.items() if power < 0))
    return f"{above or '1'}/{below}" if below else above


_RULES: Mapping[type[Any], Callable[[Any, Lookup], _Found]] = {
    promql_parser.NumberLiteral: lambda node, _: _Number(float(node.val)),
    promql_parser.VectorSelector: _of_selector,
    promql_parser.MatrixSelector: _of_selector,
    promql_parser.ParenExpr: lambda node, lookup: _of(node.expr, lookup),
    promql_parser.UnaryExpr: lambda node, lookup: _of(node.expr, lookup),
    promql_parser.SubqueryExpr: lambda node, lookup: _of(node.expr, lookup),
    promql_parser.AggregateExpr: _of_aggregate,
    promql_parser.Call: _of_call,
    promql_parser.BinaryExpr: _of_binary,
}

_CALLS: Sequence[tuple[Collection[str], Callable[[Any, Lookup], _Found]]] = (
    (_SAME, _of_argument),
    (_PER_SECOND, _of_rate),
    (_OF_OBSERVATIONS, _of_observations),
    ({"histogram_sum"}, _of_histogram_sum),
    ({"histogram_count"}, _of_histogram_count),
    ({"histogram_fraction"}, lambda _node, _lookup: _RATIO),
    (_COUNTING, lambda _node, _lookup: _COUNT),
    (_TIMES, lambda _node, _lookup: _SECONDS),
)

_BINARY: Mapping[str, Callable[[_Found, _Found], _Found]] = {
    "*": _multiplied,
    "/": _divided,
    "+": _either,
    "-": _either,
    "%": _either,
    "or": _either,
    "and": lambda left, _right: left,
    "unless": lambda left, _right: left,
}
