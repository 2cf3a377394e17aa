"""Vector aggregations and label_replace: from a vector to another.

Source: `VectorAggEvaluator` and `LabelReplaceEvaluator` in Loki's `pkg/logql/evaluator.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from obs_magics.local.logql.context import Context
from obs_magics.local.logql.lines import Array
from obs_magics.local.promql.data import Labels
from obs_magics.local.promql.functions.labelling import expand
from obs_magics.local.promql.match import anchored
from obs_magics.local.promql.ranking import top_k
from obs_magics.local.promql.values import (
    DuplicateSeries,
    Vector,
    empty_vector,
    group_rows,
    label_key,
    merge_same_labels,
)
from obs_magics.model.errors import QueryError
from obs_magics.syntax.logql.tree import Grouping, LabelReplace, VectorAggregation

_HEAP = 2  # which of the series that share the last place stay: Loki's heap moves as that of Prometheus 2


def aggregate(node: VectorAggregation, vector: Vector, context: Context) -> Vector:
    """The value of a vector aggregation.

    Raises:
        QueryError: Not supported.
    """
    if node.op not in VECTOR_AGGREGATIONS:
        raise context.error(node.op, f"{node.op} is not supported by the embedded backend")
    if not vector.labels:
        return empty_vector(context.steps)
    keys = [_kept(labels, node.grouping) for labels in vector.labels]
    ids, firsts = group_rows(map(label_key, keys))
    if node.op in _SELECTIONS:
        return _SELECTIONS[node.op](node, vector, ids)
    order = np.argsort(ids, kind="stable")
    groups = _Groups(vector.values[order], vector.present[order], ids[order])
    with np.errstate(all="ignore"):
        values = _REDUCTIONS[node.op](groups)
    return Vector([keys[row] for row in firsts], values, groups.count > 0)


def _kept(labels: Labels, grouping: Grouping | None) -> Labels:
    if grouping is None:
        return {}
    if grouping.without:
        return {name: value for name, value in labels.items() if name not in grouping.labels}
    return {name: labels[name] for name in sorted(grouping.labels) if name in labels}


class _Groups:
    """Rows sorted by group: what a reduction works on.

    Args:
        values: float64 [rows, steps].
        present: bool [rows, steps].
        ids: int64 [rows], ascending from 0 without gaps.
    """

    def __init__(self, values: Array, present: Array, ids: Array) -> None:
        self.values, self.present, self.ids = values, present, ids
        self._starts = np.flatnonzero(np.diff(ids, prepend=-1))
        self.count: Array = np.add.reduceat(present, self._starts, axis=0, dtype=np.int64)

    def reduced(self, function: Any, values: Array, absent: float) -> Array:
        """float64 [groups, steps]: `function` over the rows that are present."""
        result: Array = function.reduceat(np.where(self.present, values, absent), self._starts, axis=0)
        return result

    def total(self) -> Array:
        """The sums."""
        return self.reduced(np.add, self.values, 0.0)

    def mean(self) -> Array:
        """The means; where the sum is too large for a number, of the values' shares."""
        mean = self.total() / self.count
        shares = self.reduced(np.add, self.values / np.maximum(self.count, 1)[self.ids], 0.0)
        return np.where(np.isinf(mean), shares, mean)

    def variance(self) -> Array:
        """The variances; a single value, whatever it is, varies by 0."""
        squares = self.reduced(np.add, (self.values - self.mean()[self.ids]) ** 2, 0.0)
        return np.where(self.count == 1, 0.0, squares / self.count)


_REDUCTIONS: Mapping[str, Callable[[_Groups], Array]] = {
    "sum": _Groups.total,
    "avg": _Groups.mean,
    "min": lambda groups: groups.reduced(np.fmin, groups.values, np.nan),
    "max": lambda groups: groups.reduced(np.fmax, groups.values, np.nan),
    "count": lambda groups: groups.count.astype(np.float64),
    "stddev": lambda groups: np.sqrt(groups.variance()),
    "stdvar": _Groups.variance,
}


def _ranked(node: VectorAggregation, vector: Vector, ids: Array) -> Vector:
    limits = np.full(vector.present.shape[1], int(node.parameter or 0), np.int64)
    keys = vector.values if node.op == "topk" else -vector.values
    chosen = np.zeros_like(vector.present)
    for group in range(int(ids.max()) + 1):
        rows = np.flatnonzero(ids == group)
        chosen[rows] = top_k(keys[rows], vector.present[rows], limits, version=_HEAP)
    alive = np.flatnonzero(chosen.any(axis=1))
    return Vector([vector.labels[row] for row in alive], vector.values[alive], chosen[alive])


def _as_is(_node: VectorAggregation, vector: Vector, _ids: Array) -> Vector:
    """Sorting changes nothing: the answer is one series after the other, each in order of time."""
    return vector


_SELECTIONS: Mapping[str, Callable[[VectorAggregation, Vector, Array], Vector]] = {
    "topk": _ranked,
    "bottomk": _ranked,
    "sort": _as_is,
    "sort_desc": _as_is,
}
VECTOR_AGGREGATIONS = frozenset({*_REDUCTIONS, *_SELECTIONS})


def label_replace(node: LabelReplace, vector: Vector, context: Context) -> Vector:
    """The value of ``label_replace``.

    Raises:
        QueryError: The pattern is not RE2, or two series become one.
    """
    try:
        pattern = anchored(node.pattern, dot_matches_newline=False)
    except QueryError as problem:
        message = f"invalid regex in label_replace: {node.pattern}"
        raise context.error("label_replace", message, hint=problem.message) from None
    labels = [_replaced(node, one, pattern) for one in vector.labels]
    try:
        return merge_same_labels(Vector(labels, vector.values, vector.present))
    except DuplicateSeries as problem:
        raise context.error(
            "label_replace", str(problem), hint="several series become one: keep a label that tells them apart"
        ) from None


def _replaced(node: LabelReplace, labels: Labels, pattern: Any) -> Labels:
    match = pattern.fullmatch(labels.get(node.source, ""))
    if match is None:
        return labels
    changed = {**labels, node.target: expand(node.replacement, match)}
    return {name: value for name, value in sorted(changed.items()) if value}
