"""How a function over a range vector is applied: a kernel sees windows, and gives a value for each or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import NAME, Array, Labels
from obs_magics.local.promql.selectors import is_range, select_range, windows
from obs_magics.local.promql.values import Value, Vector, forbid_same_labels, without_name

_FOR_COUNTERS = frozenset({"rate", "increase"})
_COUNTER_ENDINGS = ("_total", "_sum", "_count", "_bucket")

# Gives float64 [W]; the parameters are the function's scalars, float64 [W] each.
Kernel = Callable[..., Array]


def range_function(
    kernel: Kernel, *, min_samples: int = 1, keep_name: bool = False, check: Callable[..., None] | None = None
) -> Callable[[Any, Context], Value]:
    """Make a function of a call node from a kernel.

    Args:
        kernel: Called with the windows that have `min_samples`, and the call's scalars.
        min_samples: Windows with fewer give no value.
        keep_name: Whether the metric's name stays.
        check: Called with the context and the call's scalars [W] of all windows, however few samples they have;
            raises what Prometheus refuses and says what it warns of.
    """

    def apply(node: Any, context: Context) -> Value:
        return _apply(node, context, kernel, min_samples, keep_name=keep_name, check=check)

    return apply


def _apply(
    node: Any,
    context: Context,
    kernel: Kernel,
    min_samples: int,
    *,
    keep_name: bool,
    check: Callable[..., None] | None,
) -> Vector:
    matrix = next(argument for argument in node.args if is_range(argument))
    parameters = [context.scalar(argument) for argument in node.args if argument is not matrix]
    selected = select_range(matrix, context)
    if selected.samples.histograms is not None:
        context.refuse_histograms(str(node.func.name))
    shape = (len(selected.samples.labels), context.steps)
    values, present = np.zeros(shape), np.zeros(shape, dtype=bool)
    for rows, filled, found in windows(selected, context):
        if check is not None:
            check(context, *(parameter[found.step] for parameter in parameters))
        enough = found.count >= min_samples
        kept = found.where(enough)
        filled[filled] = enough
        if len(kept):
            with np.errstate(all="ignore"):
                values[rows][filled] = kernel(kept, *(parameter[kept.step] for parameter in parameters))
        present[rows] = filled
    alive = np.flatnonzero(present.any(axis=1))
    labels = [selected.samples.labels[row] for row in alive]
    labels = labels if keep_name else [without_name(one) for one in labels]
    forbid_same_labels(labels)
    if context.version >= 3 and node.func.name in _FOR_COUNTERS:
        _doubt_gauges([selected.samples.labels[row] for row in alive], context)
    if len(alive) == len(present):
        return Vector(labels, values, present)
    return Vector(labels, values[alive], present[alive])


def _doubt_gauges(labels: list[Labels], context: Context) -> None:
    for name in sorted({one[NAME] for one in labels if NAME in one}):
        if not name.endswith(_COUNTER_ENDINGS):
            endings = "/".join(_COUNTER_ENDINGS)
            context.warn(
                f'PromQL info: metric might not be a counter, name does not end in {endings}: "{name}"',
            )
