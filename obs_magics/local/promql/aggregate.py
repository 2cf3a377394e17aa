"""Aggregations: sum, avg, min, max, count, group, stddev, stdvar, quantile, count_values, topk, bottomk, limitk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import promql_parser

from obs_magics.local.promql import sums
from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import NAME, Array, Labels
from obs_magics.local.promql.ranking import first_k, top_k
from obs_magics.local.promql.values import Vector, empty_vector, format_float, group_rows, is_label_name, label_key
from obs_magics.local.promql.windows import Windows

_INT64 = 2.0**63


def _sum(windows: Windows, _: Array) -> Array:
    return sums.kahan_sum(windows) if windows.version >= 3 else sums.plain_sum(windows)


def _mean(windows: Windows, _: Array) -> Array:
    return sums.mean(windows) if windows.version >= 3 else sums.incremental_mean(windows, compensated=False)


# From the windows and the parameter (float64 [W]) to a value per window.
_REDUCTIONS: dict[str, Callable[[Windows, Array], Array]] = {
    "sum": _sum,
    "avg": _mean,
    "min": lambda windows, _: sums.least(windows),
    "max": lambda windows, _: sums.greatest(windows),
    "count": lambda windows, _: windows.count.astype(np.float64),
    "group": lambda windows, _: np.ones(len(windows)),
    "stdvar": lambda windows, _: sums.plain_variance(windows),
    "stddev": lambda windows, _: np.sqrt(sums.plain_variance(windows)),
    "quantile": sums.quantile,
}


def aggregate(node: Any, context: Context) -> Vector:
    """The value of an `AggregateExpr`.

    Raises:
        QueryError: Not supported, or what Prometheus would refuse too.
    """
    name = str(node.op)
    if name not in AGGREGATORS:
        raise context.error(name, f"the aggregation {name} is not supported by the embedded backend")
    parameter = None if node.param is None else _parameter(node.param, name, context)
    vector = context.vector(node.expr, name)
    return AGGREGATORS[name](vector, Grouping(node.modifier), parameter, name, context)


class Grouping:
    """Which labels an aggregation keeps: those of ``by``, all but those of ``without`` and the name, or none."""

    def __init__(self, modifier: Any) -> None:
        self.without = modifier is not None and modifier.type == promql_parser.AggModifierType.Without
        self.names: Sequence[str] = () if modifier is None else [str(label) for label in modifier.labels]

    def labels(self, labels: Labels) -> Labels:
        """The labels of the group that a series belongs to."""
        if self.without:
            return {name: value for name, value in labels.items() if name != NAME and name not in self.names}
        return {name: labels[name] for name in sorted(self.names) if name in labels}

    def and_label(self, name: str) -> Grouping:
        """The same, but `name` is kept where labels are listed."""
        other = Grouping(None)
        other.without, other.names = self.without, self.names if self.without else [*self.names, name]
        return other


def _parameter(node: Any, name: str, context: Context) -> Array | str:
    return context.string(node) if name == "count_values" else context.scalar(node)


def _grouped(vector: Vector, grouping: Grouping) -> tuple[Array, list[Labels]]:
    """The group of each row, and the labels of each group."""
    labels = [grouping.labels(one) for one in vector.labels]
    ids, firsts = group_rows(label_key(one) for one in labels)
    return ids, [labels[row] for row in firsts]


def _reduce(vector: Vector, grouping: Grouping, parameter: Any, name: str, context: Context) -> Vector:
    if name == "quantile":
        context.warn_of_quantiles(parameter)
    if not vector.labels:
        return empty_vector(context.steps)
    ids, labels = _grouped(vector, grouping)
    order = np.argsort(ids, kind="stable")
    present = vector.present[order]
    starts = np.searchsorted(ids[order], np.arange(len(labels)))
    counts = np.add.reduceat(present, starts, axis=0, dtype=np.int64).T
    flat = vector.values[order].T[present.T]
    ends = np.cumsum(counts)
    filled = counts.ravel() > 0
    windows = sums.consecutive(flat, (ends - counts.ravel())[filled], ends[filled], version=context.version)
    per_window = np.zeros(len(windows)) if parameter is None else np.repeat(parameter, len(labels))[filled]
    values = np.zeros(counts.size)
    if len(windows):
        with np.errstate(all="ignore"):
            values[filled] = _REDUCTIONS[name](windows, per_window)
    shape = counts.shape
    return Vector(labels, np.ascontiguousarray(values.reshape(shape).T), np.ascontiguousarray(filled.reshape(shape).T))


def _count_values(vector: Vector, grouping: Grouping, parameter: Any, name: str, context: Context) -> Vector:
    if not is_label_name(parameter, context.version):
        raise context.error(name, f'invalid label name "{parameter}"')
    grouping = grouping.and_label(parameter)
    rows, steps = np.nonzero(vector.present)
    distinct, codes = np.unique(vector.values[rows, steps].view(np.uint64), return_inverse=True)
    texts = [format_float(value) for value in distinct.view(np.float64)]
    pairs, members = np.unique(np.stack([rows, codes]), axis=1, return_inverse=True)
    labels = [grouping.labels({**vector.labels[row], parameter: texts[code]}) for row, code in pairs.T]
    ids, firsts = group_rows(label_key(one) for one in labels)
    counts = np.zeros((len(firsts), context.steps))
    if len(firsts):
        np.add.at(counts, (ids[members.ravel()], steps), 1.0)
    return Vector([dict(sorted(labels[row].items())) for row in firsts], counts, counts > 0)


def _select(vector: Vector, grouping: Grouping, parameter: Any, name: str, context: Context) -> Vector:
    outside = ~((parameter < _INT64) & (parameter >= -_INT64))
    if outside.any():
        raise context.error(name, f"Scalar value {format_float(parameter[outside][0])} overflows int64")
    if not vector.labels:
        return vector
    ids, labels = _grouped(vector, grouping)
    limits = np.clip(np.trunc(parameter), 0, len(vector.labels)).astype(np.int64)
    chosen = np.zeros_like(vector.present)
    for group in range(len(labels)):
        rows = np.flatnonzero(ids == group)
        chosen[rows] = _chosen(name, vector.values[rows], vector.present[rows], limits, context.version)
    return _ordered(Vector(vector.labels, vector.values, chosen), ids, name)


def _chosen(name: str, values: Array, present: Array, limits: Array, version: int) -> Array:
    if name == "limitk":
        return first_k(present, limits)
    return top_k(values if name == "topk" else -values, present, limits, version=version)


def _sample(vector: Vector, grouping: Grouping, parameter: Any, name: str, context: Context) -> Vector:
    """limit_ratio: series whose hash lies in the first `ratio` of all, or, when negative, in the last."""
    if np.isnan(parameter).any():
        raise context.error(name, "Ratio value is NaN")
    ratio = np.clip(parameter, -1.0, 1.0)
    hashes = np.asarray([_hash(labels) for labels in vector.labels]).reshape(-1, 1)
    chosen = np.where(ratio >= 0, hashes < ratio, hashes >= 1.0 + ratio)
    return _ordered(Vector(vector.labels, vector.values, vector.present & chosen), np.zeros(len(hashes)), name)


def _hash(labels: Labels) -> float:
    """A number in [0, 1) that only the labels decide; Prometheus has another, so other series are kept."""
    digest = hashlib.blake2b(repr(label_key(labels)).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def _ordered(vector: Vector, ids: Array, name: str) -> Vector:
    """Only rows that are somewhere; at a single step, group by group from the best to the worst."""
    rows = np.flatnonzero(vector.present.any(axis=1))
    if vector.present.shape[1] == 1 and name in {"topk", "bottomk"}:
        keys = vector.values[rows, 0] * (-1.0 if name == "topk" else 1.0)
        rows = rows[np.lexsort((keys, ids[rows]))]
    return Vector([vector.labels[row] for row in rows], vector.values[rows], vector.present[rows])


AGGREGATORS: dict[str, Callable[[Vector, Grouping, Any, str, Context], Vector]] = {
    **dict.fromkeys(_REDUCTIONS, _reduce),
    **dict.fromkeys(("topk", "bottomk", "limitk"), _select),
    "count_values": _count_values,
    "limit_ratio": _sample,
}
