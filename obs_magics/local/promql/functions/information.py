"""info: the labels of info metrics (target_info by default) put on the series of the same instance and job.

Follows Prometheus' promql/info.go (experimental there).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import NAME, Array, Labels, Matcher
from obs_magics.local.promql.match import fulfils
from obs_magics.local.promql.selectors import matchers_of, newest_samples
from obs_magics.local.promql.values import LabelKey, Value, Vector, format_labels, merge_same_labels

_IDENTIFYING = ("instance", "job")
_TARGET_INFO = Matcher(NAME, "=", "target_info")


def _info(node: Any, context: Context) -> Value:
    base = context.vector(node.args[0], "info")
    asked = matchers_of(node.args[1], context) if len(node.args) > 1 else []
    names = [matcher for matcher in asked if matcher.name == NAME] or [_TARGET_INFO]
    wanted = [matcher for matcher in asked if matcher.name != NAME]
    infos = newest_samples([*names, *wanted], context.times_ms, context)
    if infos.histograms is not None:
        context.refuse_histograms("info")
    chosen = _choose(infos, context)
    parts = [_enriched(row, base, infos, chosen, (names, wanted), context=context) for row in range(len(base.labels))]
    found = [part for row in parts for part in row]
    if not found:
        return Vector([], base.values[:0], base.present[:0])
    labels, rows, present = zip(*found, strict=True)
    return merge_same_labels(Vector(list(labels), base.values[list(rows)], np.stack(present)))


def _identity(labels: Labels) -> LabelKey:
    return tuple((name, labels[name]) for name in _IDENTIFYING if name in labels)


def _choose(infos: Vector, context: Context) -> dict[tuple[LabelKey, str], Array]:
    """For each identity and info metric the row (int64 [steps]) of the newest info sample, -1 where there is none."""
    groups: dict[tuple[LabelKey, str], list[int]] = {}
    for row, labels in enumerate(infos.labels):
        groups.setdefault((_identity(labels), labels[NAME]), []).append(row)
    chosen = {}
    for key, rows in groups.items():
        assert infos.timestamps_ms is not None  # noqa: S101 - selectors know the times of their samples
        times = np.where(infos.present[rows], infos.timestamps_ms[rows], -1)
        newest = times.max(axis=0)
        if ((times == newest).sum(axis=0)[newest >= 0] > 1).any():
            both = " and ".join(format_labels(infos.labels[row]) for row in rows[:2])
            raise context.error("info", f"found duplicate series for info metric: {both}")
        chosen[key] = np.where(newest >= 0, np.asarray(rows)[times.argmax(axis=0)], -1)
    return chosen


def _enriched(
    row: int,
    base: Vector,
    infos: Vector,
    chosen: dict[tuple[LabelKey, str], Array],
    matchers: tuple[Sequence[Matcher], Sequence[Matcher]],
    *,
    context: Context,
) -> list[tuple[Labels, int, Array]]:
    """The series that one series becomes: labels, its row, and when it has them."""
    labels, present = base.labels[row], base.present[row]
    names, wanted = matchers
    if all(fulfils(matcher, labels.get(NAME, "")) for matcher in names):
        return [(labels, row, present)]  # an info metric itself
    own = [steps for (identity, _), steps in chosen.items() if identity == _identity(labels)]
    choices = np.stack([np.full(len(present), -1), *own])
    patterns, numbers = np.unique(choices, axis=1, return_inverse=True)
    needs_info = not all(fulfils(matcher, "") for matcher in wanted)
    data_labels = {matcher.name for matcher in wanted}
    found = []
    for number, pattern in enumerate(patterns.T):
        rows = [int(one) for one in pattern if one >= 0]
        if rows or not needs_info:
            more = _data([infos.labels[one] for one in rows], labels, data_labels, context)
            here = present & (numbers.ravel() == number)
            found.append((dict(sorted({**labels, **more}.items())), row, here))
    return found


def _data(infos: Sequence[Labels], base: Labels, wanted: set[str], context: Context) -> Labels:
    """The labels that info series add; those that the series has already stay as they are."""
    added: Labels = {}
    for labels in infos:
        for name, value in labels.items():
            if name == NAME or name in base or (wanted and name not in wanted):
                continue
            if added.setdefault(name, value) != value:
                raise context.error("info", f"conflicting label: {name}")
    return added


TABLE: dict[str, Callable[[Any, Context], Value]] = {"info": _info}
