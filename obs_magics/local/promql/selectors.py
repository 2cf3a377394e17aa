"""Selectors and subqueries: samples from the store, as instant vectors or as windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import promql_parser
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.promql.context import MAX_CELLS, Context
from obs_magics.local.promql.data import NAME, STALE_BITS, Array, Labels, Matcher
from obs_magics.local.promql.values import Histograms, Vector, empty_vector, label_key
from obs_magics.local.promql.windows import Windows
from obs_magics.model.errors import QueryError

DEFAULT_SUBQUERY_STEP_MS = 60_000  # Prometheus: global.evaluation_interval
# Windows worked on at once: enough to make numpy's own cost small, few enough to stay in the processor's cache.
_WINDOWS_AT_ONCE = 1 << 15

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True, slots=True)
class Samples:
    """Series end to end, in Prometheus' order of labels, without stale markers or with them."""

    labels: list[Labels]
    offsets: Array
    times_ms: Array
    values: Array
    histograms: pa.Array | None = None

    def slice_of(self, series: int) -> slice:
        """Where a series lies in the flat arrays."""
        return slice(int(self.offsets[series]), int(self.offsets[series + 1]))


@dataclass(frozen=True, slots=True)
class Range:
    """A range vector: samples, and the window of each step.

    Args:
        samples: Without stale markers.
        end_ms: int64 [steps], where each step's window ends.
        range_ms: Its length.
    """

    samples: Samples
    end_ms: Array
    range_ms: int


def without_parens(node: Any) -> Any:
    """What stands inside of parentheses, however many."""
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    return node


def is_range(node: Any) -> bool:
    """Whether a node is a range vector."""
    return isinstance(without_parens(node), promql_parser.MatrixSelector | promql_parser.SubqueryExpr)


def matchers_of(selector: Any, context: Context) -> list[Matcher]:
    """The matchers of a `VectorSelector`, the metric's name among them."""
    if selector.matchers.or_matchers:
        raise context.error("or", "'or' between label matchers is not supported")
    found = [
        Matcher(str(item.name), _OPERATORS[str(item.op).rpartition(".")[2]], str(item.value))
        for item in selector.matchers.matchers
    ]
    return [Matcher(NAME, "=", str(selector.name)), *found] if selector.name else found


def reference_times(node: Any, context: Context) -> Array:
    """int64 [steps]: the steps moved by the node's ``@`` and ``offset``."""
    offset = milliseconds(node.offset)
    at = at_time(node, context)
    return context.times_ms - offset if at is None else np.full(context.steps, at - offset, np.int64)


def at_time(node: Any, context: Context) -> int | None:
    """The time behind ``@`` in milliseconds; None when there is none."""
    if node.at is None:
        return None
    fixed = {"Start": context.start_ms, "End": context.end_ms}.get(str(node.at.type).rpartition(".")[2])
    return round((node.at.at - _EPOCH) / _MILLISECOND) if fixed is None else fixed


def milliseconds(duration: timedelta | None) -> int:
    """A duration of the parser in whole milliseconds; 0 for none."""
    return 0 if duration is None else duration // _MILLISECOND


def select(matchers: Sequence[Matcher], context: Context, start_ms: int, end_ms: int) -> Samples:
    """The samples that matchers select between two times, both included, series in Prometheus' order."""
    found = context.store.select(matchers, start_ms, end_ms)
    labels = [{name: value for name, value in sorted(one.items()) if value} for one in found.labels]
    order = sorted(range(len(labels)), key=lambda row: label_key(labels[row]))
    offsets = np.asarray(found.offsets, np.int64)
    times, values = np.asarray(found.timestamps_ms, np.int64), np.asarray(found.values, np.float64)
    histograms = found.histograms if found.histograms is not None and found.histograms.null_count < len(times) else None
    if order != list(range(len(labels))):
        counts = np.diff(offsets)[order]
        rows = np.concatenate([np.arange(offsets[row], offsets[row + 1]) for row in order])
        times, values = times[rows], values[rows]
        histograms = None if histograms is None else histograms.take(pa.array(rows))
        offsets = np.concatenate([[0], np.cumsum(counts)])
        labels = [labels[row] for row in order]
    return Samples(labels, offsets, times, values, histograms)


def select_vector(node: Any, context: Context) -> Vector:
    """A `VectorSelector` at every step."""
    return newest_samples(matchers_of(node, context), reference_times(node, context), context)


def newest_samples(matchers: Sequence[Matcher], references: Array, context: Context) -> Vector:
    """For each reference time the newest sample of each series that is not older than the lookback."""
    if not context.steps:
        return empty_vector(0)
    samples = select(matchers, context, int(references.min()) - context.lookback_ms, int(references.max()))
    if not len(samples.times_ms):
        return empty_vector(context.steps)
    context.check_size(len(samples.labels))
    rows = _newest(samples, references)
    times = samples.times_ms[rows]
    oldest = references - context.lookback_ms
    fresh = times > oldest if context.version >= 3 else times >= oldest
    values = samples.values[rows]
    present = (rows >= 0) & fresh & (values.view(np.uint64) != STALE_BITS)
    keep = np.flatnonzero(present.any(axis=1))
    kept = [samples.labels[row] for row in keep]
    histograms = _histograms(samples, np.where(present, rows, -1)[keep])
    return Vector(kept, values[keep], present[keep], times[keep], histograms)


def _newest(samples: Samples, references: Array) -> Array:
    """int64 [series, steps]: index of the newest sample at or before each reference time, -1 where there is none."""
    rows = np.empty((len(samples.labels), len(references)), np.int64)
    for series, found in enumerate(_search(samples, references)):
        start = int(samples.offsets[series])
        rows[series] = np.where(found > 0, found + (start - 1), -1)
    return rows


def _search(samples: Samples, times: Array, side: Any = "right") -> Iterator[Array]:
    """Each series searched for the same times; series that were scraped together are searched once."""
    before: Array | None = None
    found = np.empty(0, np.int64)
    for series in range(len(samples.labels)):
        own = samples.times_ms[samples.slice_of(series)]
        if before is None or len(own) != len(before) or not np.array_equal(own, before):
            found, before = np.searchsorted(own, times, side=side), own
        yield found


def _histograms(samples: Samples, rows: Array) -> Histograms | None:
    if samples.histograms is None:
        return None
    floats = np.asarray(pc.is_null(samples.histograms))
    rows = np.where((rows < 0) | floats[rows], -1, rows)
    return Histograms(samples.histograms, rows) if (rows >= 0).any() else None


def select_range(node: Any, context: Context) -> Range:
    """A `MatrixSelector`, or a subquery, as windows."""
    node = without_parens(node)
    if isinstance(node, promql_parser.SubqueryExpr):
        return _subquery(node, context)
    selector, range_ms = node.vector_selector, milliseconds(node.range)
    ends = reference_times(selector, context)
    if not context.steps:
        return Range(_NOTHING, ends, range_ms)
    samples = select(matchers_of(selector, context), context, int(ends.min()) - range_ms, int(ends.max()))
    return Range(_without_stale(samples), ends, range_ms)


_NOTHING = Samples([], np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


def _without_stale(samples: Samples) -> Samples:
    live = samples.values.view(np.uint64) != STALE_BITS
    if live.all():
        return samples
    before = np.concatenate([[0], np.cumsum(live)])
    histograms = None if samples.histograms is None else samples.histograms.filter(pa.array(live))
    return Samples(samples.labels, before[samples.offsets], samples.times_ms[live], samples.values[live], histograms)


def _subquery(node: Any, context: Context) -> Range:
    range_ms = milliseconds(node.range)
    step = milliseconds(node.step) or DEFAULT_SUBQUERY_STEP_MS
    ends = reference_times(node, context)
    if not context.steps:
        return Range(_NOTHING, ends, range_ms)
    earliest = int(ends.min()) - range_ms
    start = -(-earliest // step) * step
    if context.version >= 3 and start == earliest:
        start += step
    if (int(ends.max()) - start) // step >= MAX_CELLS:
        raise QueryError(f"a subquery of more than {MAX_CELLS:,} steps", query=context.text, hint="take a longer step")
    inner = context.at(np.arange(start, int(ends.max()) + 1, step, dtype=np.int64))
    return Range(_flattened(inner.vector(node.expr, "a subquery"), inner.times_ms), ends, range_ms)


def _flattened(vector: Vector, times_ms: Array) -> Samples:
    counts = vector.present.sum(axis=1)
    _, steps = np.nonzero(vector.present)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Samples(vector.labels, offsets, times_ms[steps], vector.values[vector.present])


def windows(selected: Range, context: Context) -> Iterator[tuple[slice, Array, Windows]]:
    """The windows of a range vector, some series at a time.

    Yields:
        The rows of the series, which of their windows have samples (bool [series, steps]), and those windows.
    """
    samples, ends = selected.samples, selected.end_ms
    context.check_size(len(samples.labels))
    at_once = max(1, _WINDOWS_AT_ONCE // max(1, context.steps))
    los = _search(samples, ends - selected.range_ms, "right" if context.version >= 3 else "left")
    his = _search(samples, ends, "right")
    for begin in range(0, len(samples.labels), at_once):
        context.check()
        rows = slice(begin, min(begin + at_once, len(samples.labels)))
        part = slice(int(samples.offsets[rows.start]), int(samples.offsets[rows.stop]))
        base = samples.offsets[rows] - part.start
        lo = np.stack([next(los) for _ in base]) + base[:, np.newaxis]
        hi = np.stack([next(his) for _ in base]) + base[:, np.newaxis]
        filled = hi > lo
        step = np.broadcast_to(np.arange(context.steps), lo.shape)[filled]
        found = Windows(
            times_ms=samples.times_ms[part],
            values=samples.values[part],
            series_starts=base[base < part.stop - part.start],
            lo=lo[filled],
            hi=hi[filled],
            step=step,
            end_ms=ends[step],
            range_ms=selected.range_ms,
            eval_ms=context.times_ms[step],
            version=context.version,
        )
        yield rows, filled, found
