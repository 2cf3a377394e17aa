"""histogram_quantile and histogram_fraction on classic histograms (series with a label `le`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from obs_magics.local.promql.buckets import Buckets, fraction, quantile, split
from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import Array
from obs_magics.local.promql.values import Value, Vector, empty_vector, format_float, merge_same_labels, without_name


def _quantile(node: Any, context: Context) -> Value:
    q = context.scalar(node.args[0])
    return _quantile_of(q, context.vector(node.args[1], "histogram_quantile"), "histogram_quantile", context)


def _quantile_of(wanted: Array, vector: Vector, name: str, context: Context) -> Vector:
    context.warn_of_quantiles(wanted)
    forced = False

    def of(buckets: Buckets, steps: Array) -> Array:
        nonlocal forced
        values, fixed = quantile(wanted[steps], buckets, version=context.version)
        forced |= fixed
        return values

    result = _each_histogram(vector, context, of)
    if forced and context.version >= 3:
        context.warn(f"PromQL info: input to {name} needed to be fixed for monotonicity")
    return result


def _quantiles(node: Any, context: Context) -> Value:
    """Several quantiles at once, told apart by a label."""
    vector = context.vector(node.args[0], "histogram_quantiles")
    label = context.string(node.args[1])
    parts = []
    for argument in node.args[2:]:
        q = context.scalar(argument)
        found = _quantile_of(q, vector, "histogram_quantiles", context)
        for value in np.unique(q):
            labels = [dict(sorted({**one, label: _openmetrics(value)}.items())) for one in found.labels]
            parts.append(Vector(labels, found.values, found.present & (q == value)))
    return merge_same_labels(
        Vector(
            [labels for part in parts for labels in part.labels],
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.present for part in parts]),
        )
    )


def _openmetrics(value: float) -> str:
    """A number as OpenMetrics writes it: always with a point or an exponent."""
    return repr(float(value)) if np.isfinite(value) else format_float(value)


def _fraction(node: Any, context: Context) -> Value:
    low, high = context.scalar(node.args[0]), context.scalar(node.args[1])
    vector = context.vector(node.args[2], "histogram_fraction")
    if context.version < 3:  # knows only native histograms
        return empty_vector(context.steps)
    return _each_histogram(vector, context, lambda buckets, steps: fraction(low[steps], high[steps], buckets))


def _each_histogram(vector: Vector, context: Context, function: Callable[[Buckets, Array], Array]) -> Vector:
    """One value per histogram and step; `function` gets buckets that are all present at the given steps."""
    labels, rows = [], []
    for group, members in split(vector.labels):
        values = np.zeros(context.steps)
        present = vector.present[[row for _, row in members]]
        for steps, chosen in _patterns(present):
            found = [members[index] for index in chosen]
            counts = vector.values[[row for _, row in found]][:, steps]
            bounds = np.asarray([bound for bound, _ in found])
            with np.errstate(all="ignore"):
                values[steps] = function(Buckets(bounds, counts), steps)
        labels.append(without_name(group))
        rows.append((values, present.any(axis=0)))
    if not rows:
        return empty_vector(context.steps)
    values, there = (np.stack(part) for part in zip(*rows, strict=True))
    return merge_same_labels(Vector(labels, values, there))


def _patterns(present: Array) -> list[tuple[Array, Array]]:
    """Steps at which the same buckets are present, and those buckets."""
    if present.all():
        return [(np.arange(present.shape[1]), np.arange(len(present)))]
    patterns, numbers = np.unique(present, axis=1, return_inverse=True)
    return [
        (np.flatnonzero(numbers.ravel() == number), np.flatnonzero(pattern))
        for number, pattern in enumerate(patterns.T)
        if pattern.any()
    ]


def _native_only(node: Any, context: Context) -> Value:
    """Functions that look at native histograms and leave floats out: without any, nothing remains."""
    context.vector(node.args[0], str(node.func.name))
    return empty_vector(context.steps)


NATIVE_ONLY = ("histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum")

TABLE: dict[str, Callable[[Any, Context], Value]] = {
    **dict.fromkeys(NATIVE_ONLY, _native_only),
    "histogram_quantile": _quantile,
    "histogram_quantiles": _quantiles,
    "histogram_fraction": _fraction,
}
