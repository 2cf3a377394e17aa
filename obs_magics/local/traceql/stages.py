"""The stages of a pipeline that finds spans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from obs_magics.local.traceql.fields import evaluate, fulfilled
from obs_magics.local.traceql.operators import compared
from obs_magics.local.traceql.sets import Sets, grouped, of_pairs, united
from obs_magics.local.traceql.structure import related
from obs_magics.local.traceql.values import FLOAT, INT, NIL, STRING, Floats, Integers, Values
from obs_magics.local.traceql.view import View
from obs_magics.model.errors import QueryError
from obs_magics.syntax.traceql.tree import (
    AggregateOf,
    By,
    Coalesce,
    Filter,
    Grouped,
    ScalarFilter,
    Select,
    Stage,
    Static,
    Structural,
)

_SEVERAL = "spanset operators are not supported for multiple spansets per trace"


def run(stages: tuple[Stage, ...], sets: Sets, view: View) -> Sets:
    """What is left of sets behind some stages; `inputs` says which of the sets that went in it was.

    Raises:
        QueryError: A structural operator has several sets of one trace on a side.
    """
    found = sets.inner()
    for stage in stages:
        view.check()
        if isinstance(stage, Coalesce):
            found = of_pairs(found.inputs[found.groups], found.rows)
        else:
            found = _STAGES[type(stage)](stage, found.inner(), view).of_inputs(found)
    return found


def _filter(node: Filter, sets: Sets, view: View) -> Sets:
    return sets.kept(fulfilled(node, view)[sets.rows])


def _in_brackets(node: Grouped, sets: Sets, view: View) -> Sets:
    return run(node.pipeline.stages, sets, view)


def _structural(node: Structural, sets: Sets, view: View) -> Sets:
    left = run((node.left,), sets, view)
    right = run((node.right,), sets, view)
    if node.op == "||":
        return united(left, right)
    if node.op == "&&":
        both = np.intersect1d(left.inputs, right.inputs)
        return united(*(side.only(np.isin(side.inputs, both)).of_inputs(side) for side in (left, right)))
    if any(len(np.unique(side.inputs)) < side.count for side in (left, right)):
        raise QueryError(_SEVERAL, position=node.at, hint="consider using coalesce() behind by(…)")
    return related(node.op, left, right, view)


def _by(node: By, sets: Sets, view: View) -> Sets:
    codes = sets.groups
    for expression in node.expressions:
        values = evaluate(expression, view).first().take(sets.rows)
        codes = _numbered(codes, distinct(values))
    order = np.lexsort((np.arange(len(codes)), codes))
    rows, keys = sets.rows[order], codes[order]
    made = grouped(rows, keys)
    firsts = np.flatnonzero(np.diff(keys, prepend=-1))
    return Sets(made.rows, made.groups, sets.groups[order][firsts])


def _numbered(major: Integers, minor: Integers) -> Integers:
    """A number for each pair, in order of the first, then of the second."""
    size = int(minor.max()) + 1 if len(minor) else 1
    numbers: Integers = np.unique(major * size + minor, return_inverse=True)[1].astype(np.int64)
    return numbers


def distinct(values: Values) -> Integers:
    """A number for each distinct value; those of different types differ."""
    strings = values.strings.dictionary_encode()
    same = np.asarray(strings.indices.to_numpy(zero_copy_only=False), np.int64)
    used = np.where(values.types == STRING, values.codes, 0)
    codes = same[used] if len(same) else np.zeros(len(values), np.int64)
    content = np.where(values.types == STRING, codes, values.numbers)
    content = np.where(values.types == FLOAT, np.ascontiguousarray(values.floats).view(np.int64), content)
    content = np.where(values.types == NIL, 0, content)
    _, known = np.unique(content, return_inverse=True)
    return _numbered(values.types.astype(np.int64), known.astype(np.int64))


def _select(node: Select, sets: Sets, view: View) -> Sets:
    return sets


def _scalar_filter(node: ScalarFilter, sets: Sets, view: View) -> Sets:
    if not (isinstance(node.left, AggregateOf) and isinstance(node.right, Static)):
        raise QueryError("arithmetic of aggregates is not supported", position=node.at)
    scalars = _aggregated(node.left, sets, view)
    return sets.only(compared(node.op, scalars, Values.constant(node.right, sets.count)))


def _aggregated(node: AggregateOf, sets: Sets, view: View) -> Values:
    """One number per set; nil where none of its spans has one."""
    if node.expression is None:
        return Values.of(INT, numbers=sets.sizes(), size=sets.count)
    values = evaluate(node.expression, view).first().take(sets.rows)
    there = values.is_numeric
    groups = sets.groups[there]
    counts = np.bincount(groups, minlength=sets.count)
    if node.function != "avg" and (values.types[there] != FLOAT).all():
        exact = _INTEGERS[node.function](values.numbers[there], groups, sets.count)
        return Values.of(np.where(counts > 0, INT, NIL), numbers=exact)
    with np.errstate(all="ignore"):
        floats = _FLOATS[node.function](values.as_floats()[there], groups, sets.count)
    return Values.of(np.where(counts > 0, FLOAT, NIL), floats=floats)


def _sum(numbers: Floats, groups: Integers, count: int) -> Floats:
    return np.bincount(groups, numbers, minlength=count).astype(np.float64)  # of nothing it gives integers


def _average(numbers: Floats, groups: Integers, count: int) -> Floats:
    average: Floats = _sum(numbers, groups, count) / np.bincount(groups, minlength=count)
    return average


def _exact(ufunc: np.ufunc, start: int) -> Callable[[Integers, Integers, int], Integers]:
    def reduce(numbers: Integers, groups: Integers, count: int) -> Integers:
        found = np.full(count, start, np.int64)
        ufunc.at(found, groups, numbers)
        return found

    return reduce


def _extreme(ufunc: np.ufunc, start: float) -> Callable[[Floats, Integers, int], Floats]:
    def reduce(numbers: Floats, groups: Integers, count: int) -> Floats:
        found = np.full(count, start)
        ufunc.at(found, groups, numbers)
        return found

    return reduce


_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_INTEGERS: Mapping[str, Callable[[Integers, Integers, int], Integers]] = {
    "sum": _exact(np.add, 0),
    "min": _exact(np.minimum, _HIGHEST),
    "max": _exact(np.maximum, _LOWEST),
}
_FLOATS: Mapping[str, Callable[[Floats, Integers, int], Floats]] = {
    "sum": _sum,
    "avg": _average,
    "min": _extreme(np.fmin, np.inf),
    "max": _extreme(np.fmax, -np.inf),
}
_STAGES: Mapping[type[Any], Callable[[Any, Sets, View], Sets]] = {
    Filter: _filter,
    Structural: _structural,
    Grouped: _in_brackets,
    By: _by,
    Select: _select,
    ScalarFilter: _scalar_filter,
}
