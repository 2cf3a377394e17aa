"""Metrics functions: numbers over time of the spans that a query finds.

A point stands for the spans that start in the step before it, the end included; points stand at multiples of the step,
from the one at or before the range to the one at or behind it. Both as Tempo's `engine_metrics.go` has them, and so are
the buckets (powers of two) that histograms and quantiles are made of. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event

import numpy as np

from obs_magics.local.promql.context import MAX_CELLS
from obs_magics.local.traceql.buckets import bucket_ends, quantiles
from obs_magics.local.traceql.comparing import compared_sides
from obs_magics.local.traceql.labels import number_text, texts_of
from obs_magics.local.traceql.second_stages import calculated, narrowed
from obs_magics.local.traceql.series import Series
from obs_magics.local.traceql.sets import whole_traces
from obs_magics.local.traceql.stages import distinct, run
from obs_magics.local.traceql.values import DURATION, Floats, Integers, Mask
from obs_magics.local.traceql.view import View
from obs_magics.local.traces.store import TraceStore
from obs_magics.model.errors import QueryError
from obs_magics.model.frames import METRIC_NAME_LABEL
from obs_magics.model.time import SECOND
from obs_magics.syntax.traceql.shown import shown
from obs_magics.syntax.traceql.tree import Metrics, MetricsOperand, MetricsOperation, Pipeline, SecondStage

_BUCKET, _QUANTILE = "__bucket", "p"


@dataclass(frozen=True, slots=True)
class Grid:
    """The points of an answer.

    Args:
        first_ns: The first one.
        step_ns: Their distance.
        count: How many there are.
    """

    first_ns: int
    step_ns: int
    count: int

    @classmethod
    def over(cls, start_ns: int, end_ns: int, step_ns: int) -> Grid:
        """The points of a range."""
        first, last = start_ns // step_ns, -(-end_ns // step_ns)
        return cls(first * step_ns, step_ns, last - first + 1)

    def times_ns(self) -> Integers:
        """int64, nanoseconds since the epoch."""
        return self.first_ns + self.step_ns * np.arange(self.count, dtype=np.int64)

    def places(self, times_ns: Integers) -> Integers:
        """The point that each instant counts for; outside of 0 to `count` for none."""
        places: Integers = -((self.first_ns - times_ns) // self.step_ns)
        return places


def numbers(
    query: Pipeline, text: str, store: TraceStore, *, start_ns: int, end_ns: int, step_ns: int,
    only: Mask | None = None, stop: Event | None = None,
) -> Series:  # fmt: skip
    """What a metrics query gives.

    Args:
        query: One that gives numbers.
        text: The query as it was written, for errors.
        store: The spans.
        start_ns: Of the range.
        end_ns: Likewise.
        step_ns: Distance between points.
        only: bool, one per trace: none but these count; None for all.
        stop: When set, the evaluation ends soon with `Stopped`.

    Raises:
        QueryError: It asks for what the engine cannot do, or for too many numbers.
    """
    grid = Grid.over(start_ns, end_ns, step_ns)
    if grid.count > MAX_CELLS:
        raise QueryError(f"the answer has {grid.count:,} points a series", query=text, hint="ask with a longer step")
    starts = store.columns.start_ns
    counted = (starts > grid.first_ns - step_ns) & (starts <= grid.first_ns + (grid.count - 1) * step_ns)
    traces = store.has_span(counted) if only is None else store.has_span(counted) & only
    view = View(store, traces, stop)
    try:
        return _pipeline(query, view, grid)
    except QueryError as problem:
        problem.query = problem.query or text
        raise


def _pipeline(query: Pipeline, view: View, grid: Grid) -> Series:
    first = query.stages[0]
    if isinstance(first, MetricsOperation):
        found, rest = _operation(first, view, grid), query.stages[1:]
    else:
        place = next(number for number, stage in enumerate(query.stages) if isinstance(stage, Metrics))
        node = query.stages[place]
        assert isinstance(node, Metrics)  # noqa: S101 - found as such
        rows = np.unique(run(query.stages[:place], whole_traces(view), view).rows)
        found, rest = _function(node, rows, view, grid), query.stages[place + 1 :]
    for stage in rest:
        assert isinstance(stage, SecondStage)  # noqa: S101 - the grammar lets nothing else stand there
        found = narrowed(stage, found)
    return found


def _operation(node: MetricsOperation, view: View, grid: Grid) -> Series:
    left, right = _operand(node.left, view, grid), _operand(node.right, view, grid)
    return calculated(node.op, left, right, grid.times_ns())


def _operand(node: MetricsOperand, view: View, grid: Grid) -> Series | float:
    if isinstance(node, MetricsOperation):
        return _operation(node, view, grid)
    return _pipeline(node, view, grid) if isinstance(node, Pipeline) else node


@dataclass(frozen=True, slots=True)
class _Observed:
    """Spans that count, in groups.

    Args:
        rows: int64, positions in the view.
        places: int64, the point each counts for.
        groups: int64, the group of each.
        labels: Of each group.
    """

    rows: Integers
    places: Integers
    groups: Integers
    labels: list[dict[str, str]]

    def some(self, kept: Mask) -> _Observed:
        """Some of the spans; the groups stay."""
        return _Observed(self.rows[kept], self.places[kept], self.groups[kept], self.labels)


def _function(node: Metrics, rows: Integers, view: View, grid: Grid) -> Series:
    if node.function == "compare":
        places = grid.places(view.store.columns.start_ns[view.rows[rows]])
        inside = (places >= 0) & (places < grid.count)
        labels, values = compared_sides(node, rows[inside], places[inside], grid.count, view)
        return Series(labels, grid.times_ns(), values)
    seen = _observed(node, rows, view, grid)
    if len(seen.labels) * grid.count > MAX_CELLS:
        raise QueryError(f"the answer has {len(seen.labels):,} series of {grid.count:,} points", position=node.at)
    if node.measured is None:
        counts = _counts(seen.groups, seen.places, len(seen.labels), grid.count)
        share = 1.0 if node.function == "count_over_time" else SECOND / grid.step_ns
        return Series(seen.labels, grid.times_ns(), counts * share)
    measured = view.values(node.measured).first()
    amounts = measured.as_floats() / np.where(measured.types == DURATION, SECOND, 1)
    seen = seen.some(~np.isnan(amounts[seen.rows]))
    with np.errstate(all="ignore"):
        if node.function in _REDUCTIONS:
            values = _REDUCTIONS[node.function](seen, amounts[seen.rows], grid.count)
            return Series(seen.labels, grid.times_ns(), values)
        ends = bucket_ends(measured)
    seen = seen.some(~np.isnan(ends[seen.rows]))
    makes = _quantiles if node.function == "quantile_over_time" else _histogram
    return makes(node, seen, ends[seen.rows], grid)


def _observed(node: Metrics, rows: Integers, view: View, grid: Grid) -> _Observed:
    places = grid.places(view.store.columns.start_ns[view.rows[rows]])
    inside = (places >= 0) & (places < grid.count)
    rows, places = rows[inside], places[inside]
    if not node.by:
        labels = [{METRIC_NAME_LABEL: node.function}] if len(rows) else []
        return _Observed(rows, places, np.zeros(len(rows), np.int64), labels)
    groups = np.zeros(len(rows), np.int64)
    columns = {shown(name): view.values(name).first().take(rows) for name in node.by}
    for values in columns.values():
        own = distinct(values)
        pairs = groups * (int(own.max(initial=0)) + 1) + own
        groups = np.unique(pairs, return_inverse=True)[1].astype(np.int64)
    _, firsts = np.unique(groups, return_index=True)
    texts = {name: texts_of(values.take(firsts)) for name, values in columns.items()}
    known: dict[tuple[str, ...], int] = {}  # a number and a text that is written like it are one label
    joined = [known.setdefault(row, len(known)) for row in zip(*texts.values(), strict=True)]
    labels = [dict(zip(texts, row, strict=True)) for row in known]
    return _Observed(rows, places, np.asarray(joined, np.int64)[groups], labels)


def _counts(groups: Integers, places: Integers, series: int, points: int) -> Floats:
    counts = np.bincount(groups * points + places, minlength=series * points)
    return counts.reshape(series, points).astype(np.float64)


def _sums(seen: _Observed, amounts: Floats, points: int) -> Floats:
    size = len(seen.labels) * points
    sums = np.bincount(seen.groups * points + seen.places, amounts, minlength=size).reshape(-1, points)
    there = _counts(seen.groups, seen.places, len(seen.labels), points) > 0
    return np.where(there, sums, np.nan)


def _averages(seen: _Observed, amounts: Floats, points: int) -> Floats:
    average: Floats = _sums(seen, amounts, points) / _counts(seen.groups, seen.places, len(seen.labels), points)
    return average


def _extremes(ufunc: np.ufunc) -> Callable[[_Observed, Floats, int], Floats]:
    def reduce(seen: _Observed, amounts: Floats, points: int) -> Floats:
        found = np.full((len(seen.labels), points), np.nan)
        ufunc.at(found, (seen.groups, seen.places), amounts)
        return found

    return reduce


_REDUCTIONS: Mapping[str, Callable[[_Observed, Floats, int], Floats]] = {
    "sum_over_time": _sums,
    "avg_over_time": _averages,
    "min_over_time": _extremes(np.fmin),
    "max_over_time": _extremes(np.fmax),
}


def _histogram(node: Metrics, seen: _Observed, ends: Floats, grid: Grid) -> Series:
    """A series per group and bucket: how many spans fell into it."""
    known, codes = np.unique(ends, return_inverse=True)
    pairs, series = np.unique(seen.groups * max(len(known), 1) + codes, return_inverse=True)
    labels = [
        {**_unnamed(seen.labels[pair // len(known)]), _BUCKET: number_text(known[pair % len(known)])}
        for pair in pairs.tolist()
    ]
    return Series(labels, grid.times_ns(), _counts(series.astype(np.int64), seen.places, len(labels), grid.count))


def _quantiles(node: Metrics, seen: _Observed, ends: Floats, grid: Grid) -> Series:
    """A series per group and quantile."""
    known, codes = np.unique(ends, return_inverse=True)
    cells: Integers = seen.groups * grid.count + seen.places
    counts = np.zeros((len(seen.labels) * grid.count, len(known)), np.int64)
    np.add.at(counts, (cells, codes), 1)
    there = np.flatnonzero(np.bincount(seen.groups, minlength=len(seen.labels)))
    labels, values = [], np.empty((0, grid.count))
    for share in dict.fromkeys(node.parameters):  # one that is asked for twice is one series
        found = quantiles(share, counts, known).reshape(-1, grid.count)[there]
        values = np.concatenate([values, found])
        labels += [{**_unnamed(seen.labels[group]), _QUANTILE: number_text(share)} for group in there.tolist()]
    return Series(labels, grid.times_ns(), values)


def _unnamed(labels: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in labels.items() if name != METRIC_NAME_LABEL}
