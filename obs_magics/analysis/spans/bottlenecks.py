"""Bottlenecks: which service, operation or query the traces spend their time in, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from obs_magics.analysis.spans import onset
from obs_magics.analysis.spans.queries import query_template
from obs_magics.analysis.spans.times import bounds, critical_time, durations, self_time
from obs_magics.analysis.spans.tree import SpanTree, span_tree
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE
from obs_magics.model.spans import DURATION_DTYPE, STATUSES

Array = np.ndarray[Any, Any]
By = Literal["service", "operation", "query"]

KEYS: Mapping[By, tuple[str, ...]] = {
    "service": ("service",),
    "operation": ("service", "operation"),
    "query": ("service", "query"),
}
_DATED = 20  # rows for which it is worth looking when they began
_LEAST_SHARE = 0.02  # of all critical paths, likewise
_ERROR = STATUSES.index("error")


@dataclass(frozen=True, slots=True)
class _Groups:
    """Spans by what they are grouped by: the number of each row's group, -1 for none, and the names of the groups."""

    codes: Array
    names: pd.DataFrame


def bottlenecks(
    frame: pd.DataFrame, by: By = "service", *, start: pd.Timestamp | None = None, tree: SpanTree | None = None
) -> pd.DataFrame:
    """Where the time of all traces goes, most of it first.

    Args:
        frame: A spans frame.
        by: `service`; `operation`, which is service and operation; or `query`, which is service and query template
            (`query_template`) of the spans that have one.
        start: Where the range that was asked for begins, when the frame holds all traces of it that fit. Slow traces
            that come only late in it then date their bottlenecks; without it only a change within the frame can.
        tree: The frame's tree, where somebody has it.

    Returns:
        `service` and what else it is by · `critical` (timedelta, on critical paths) · `share` (of all critical paths,
        0 to 1) · `self_time` (timedelta) · `calls` (of a service the spans that enter it, else all) · `average`, `p95`
        (timedeltas, of those) · `errors` (of those) · `example` (the trace in which it took longest) · `since`
        (datetime, the minute from which it takes more; missing when it always did).
    """
    tree = span_tree(frame) if tree is None else tree
    groups = _groups(frame, by)
    critical = critical_time(frame, tree=tree).to_numpy().view(np.int64)
    own = self_time(frame, tree=tree).to_numpy().view(np.int64)
    number = len(groups.names)
    spent = _summed(groups.codes, critical, number)
    total = int(critical.sum())
    table = groups.names.assign(
        critical=spent.view(DURATION_DTYPE),
        share=spent / total if total else np.zeros(number),
        self_time=_summed(groups.codes, own, number).view(DURATION_DTYPE),
    )
    calls = entries(frame, tree) if by == "service" else np.ones(len(frame), dtype=bool)
    for name, column in call_columns(groups.codes, durations(frame), _failed(frame), calls, number).items():
        table[name] = column
    per_trace = _PerTrace.of(frame, tree, groups.codes, critical)
    table["example"] = pd.array([*per_trace.examples(number, tree)], dtype=STRING_DTYPE)
    order = np.lexsort((np.arange(number), -spent))
    worth = [group for group in order[:_DATED].tolist() if table["share"][group] >= _LEAST_SHARE]
    since = np.full(number, np.iinfo(np.int64).min)
    since[worth] = [per_trace.since(group, start) for group in worth]
    table["since"] = pd.DatetimeIndex(since, dtype=TIMESTAMP_DTYPE)
    return table.take(order).reset_index(drop=True)


def entries(frame: pd.DataFrame, tree: SpanTree) -> Array:
    """Spans that enter their service: roots, and those whose parent belongs to another one."""
    services = frame["service"].cat.codes.to_numpy()
    return np.asarray((tree.parent < 0) | (services != services[tree.parent]))


def call_columns(codes: Array, lasted: Array, failed: Array, calls: Array, number: int) -> dict[str, Any]:
    """`calls`, `average`, `p95` and `errors` of each group, of the rows that count as calls."""
    rows = np.flatnonzero(calls & (codes >= 0))
    count = np.bincount(codes[rows], minlength=number)
    average = _summed(codes[rows], lasted[rows], number) // np.maximum(count, 1)
    return {
        "calls": count.astype(np.int64),
        "average": _missing_at(average, count == 0),
        "p95": quantiles(codes[rows], lasted[rows], 0.95, number),
        "errors": np.bincount(codes[rows], weights=failed[rows], minlength=number).astype(np.int64),
    }


def quantiles(codes: Array, values: Array, share: float, number: int) -> Array:
    """A quantile of each group, linear between the neighbours, as timedelta64[ns]; missing for an empty group."""
    ordered = values[np.lexsort((values, codes))]
    count = np.bincount(codes, minlength=number)
    place = share * np.maximum(count - 1, 0)
    first = np.cumsum(count) - count
    low = np.floor(place).astype(np.int64)
    padded = np.append(ordered, 0)
    below = padded[np.minimum(first + low, len(ordered))]
    above = padded[np.minimum(first + np.minimum(low + 1, np.maximum(count - 1, 0)), len(ordered))]
    found = below + np.round((above - below) * (place - low)).astype(np.int64)
    return _missing_at(found, count == 0)


def _missing_at(values: Array, mask: Array) -> Array:
    return np.where(mask, np.iinfo(np.int64).min, values).view(DURATION_DTYPE)


def _failed(frame: pd.DataFrame) -> Array:
    return np.asarray(frame["status"].cat.codes.to_numpy() == _ERROR)


def _groups(frame: pd.DataFrame, by: By) -> _Groups:
    columns = {name: query_template(frame) if name == "query" else frame[name] for name in KEYS[by]}
    coded = [pd.factorize(column.astype(object), use_na_sentinel=name == "query") for name, column in columns.items()]
    numbers = coded[0][0].astype(np.int64)
    for codes, names in coded[1:]:
        numbers = np.where(codes < 0, -1, numbers * max(len(names), 1) + codes)
    codes, found = pd.factorize(np.where(numbers < 0, -1, numbers))
    if (found == -1).any():  # no query
        none = int(np.flatnonzero(found == -1)[0])
        codes = np.where(codes == none, -1, codes - (codes > none))
        found = found[found != -1]
    first = np.full(len(found), 0, dtype=np.int64)
    rows = np.flatnonzero(codes >= 0)[::-1]
    first[codes[rows]] = rows
    names_of = {
        name: pd.array(np.asarray(column.astype(object), dtype=object)[first], dtype=STRING_DTYPE)
        for name, column in columns.items()
    }
    return _Groups(codes, pd.DataFrame(names_of))


def _summed(codes: Array, values: Array, number: int) -> Array:
    """Sums by group, exact: of floats nanoseconds would not be."""
    result = np.zeros(number, dtype=np.int64)
    there = codes >= 0
    np.add.at(result, codes[there], values[there])
    return result


@dataclass(frozen=True, slots=True)
class _PerTrace:
    """Each group's part of each trace that has it, group by group: its begin, what it spent there, of what."""

    group: Array
    trace: Array
    began: Array
    spent: Array
    whole: Array

    @classmethod
    def of(cls, frame: pd.DataFrame, tree: SpanTree, codes: Array, critical: Array) -> _PerTrace:
        """Sum up by group and trace."""
        traces = len(tree.trace_ids)
        began = np.full(traces, np.iinfo(np.int64).max)
        np.minimum.at(began, tree.trace, bounds(frame)[0])
        whole = _summed(tree.trace, critical, traces)
        pairs, place = np.unique(np.where(codes < 0, -1, codes * traces + tree.trace), return_inverse=True)
        spent = _summed(place, critical, len(pairs))
        there = pairs >= 0
        trace = pairs[there] % max(traces, 1)
        return cls(pairs[there] // max(traces, 1), trace, began[trace], spent[there], whole[trace])

    def examples(self, number: int, tree: SpanTree) -> list[str]:
        """The trace in which each group took longest on the critical path; of equal ones the first in the frame."""
        order = np.lexsort((self.trace, -self.spent, self.group))
        first = np.searchsorted(self.group[order], np.arange(number))
        return [tree.trace_ids[trace] for trace in self.trace[order][first].tolist()]

    def since(self, group: int, start: pd.Timestamp | None) -> int:
        """When a group began to take more, in nanoseconds since the epoch; the missing instant when it always did."""
        low, high = np.searchsorted(self.group, [group, group + 1])
        began, spent, whole = self.began[low:high], self.spent[low:high], self.whole[low:high]
        found = onset.rise(began, spent / np.maximum(whole, 1), spent.astype(np.float64))
        if found is None and start is not None:
            found = onset.arrival(began, start.as_unit("ns").value)
        return np.iinfo(np.int64).min if found is None else found
