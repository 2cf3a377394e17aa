"""What stands behind metrics functions and between them: topk, bottomk, comparisons, arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from obs_magics.local.traceql.series import Series
from obs_magics.local.traceql.values import Floats, Integers
from obs_magics.model.frames import METRIC_NAME_LABEL
from obs_magics.syntax.traceql.tree import SecondStage

_COMPARISONS: Mapping[str, Callable[[Any, float], Any]] = {
    "=": np.equal, "!=": np.not_equal, ">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal,
}  # fmt: skip
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide,
}  # fmt: skip


def narrowed(stage: SecondStage, found: Series) -> Series:
    """The points that fulfil a comparison, or the most and the least of each instant."""
    if stage.op in _COMPARISONS:
        kept = _COMPARISONS[stage.op](found.values, stage.value)
    else:
        kept = _extreme(found, int(stage.value), largest=stage.op == "topk")
    return Series(found.labels, found.times_ns, np.where(kept, found.values, np.nan))


def _extreme(found: Series, limit: int, *, largest: bool) -> Any:
    """Marks `limit` points of each instant, the largest or the smallest; of equal ones topk takes the last."""
    order = sorted(range(len(found.labels)), key=lambda row: sorted(found.labels[row].items()), reverse=largest)
    signed = -found.values[order] if largest else found.values[order]
    ranks = np.argsort(np.argsort(np.where(np.isnan(signed), np.inf, signed), axis=0, kind="stable"), axis=0)
    kept = np.empty(found.values.shape, bool)
    kept[order] = ranks < limit
    return kept


def calculated(op: str, left: Series | float, right: Series | float, times_ns: Integers) -> Series:
    """Arithmetic of series with equal labels, or of series and a number; points that are no number are missing."""
    with np.errstate(all="ignore"):
        if isinstance(left, Series) and isinstance(right, Series):
            return _matched(op, left, right)
        series = left if isinstance(left, Series) else right
        assert isinstance(series, Series)  # noqa: S101 - the grammar wants one at least
        sides = (side.values if isinstance(side, Series) else side for side in (left, right))
        return Series(series.labels, times_ns, _finite(_ARITHMETIC[op](*sides)))


def _matched(op: str, left: Series, right: Series) -> Series:
    places = {_key(labels): row for row, labels in enumerate(right.labels)}
    pairs = [(row, places[_key(labels)]) for row, labels in enumerate(left.labels) if _key(labels) in places]
    ones, others = ([pair[side] for pair in pairs] for side in (0, 1))
    values = _finite(_ARITHMETIC[op](left.values[ones], right.values[others]))
    return Series([left.labels[row] for row in ones], left.times_ns, values)


def _key(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Labels without the name, which functions of one kind share by chance."""
    return tuple(sorted((name, text) for name, text in labels.items() if name != METRIC_NAME_LABEL))


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)
