"""Where a bar stands: the time of a trace in cells, each empty, taken by a span, or on the critical path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from obs_magics.display.traces.trace import Trace

Array = np.ndarray[Any, Any]

EMPTY, RUNS, CRITICAL = 0, 1, 2
_FINEST, _MOST_PARTS = 500, 40


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: from where to where, as shares of the trace, and what is there (`RUNS` or `CRITICAL`)."""

    start: float
    end: float
    kind: int


def cells(trace: Trace, rows: Sequence[int] | Array, count: int) -> Array:
    """int8: what most of each cell holds of these spans together; at least one cell is not empty.

    Of several spans a cell is taken where there is anything of them, and critical only where that fills half of it.
    """
    rows = np.asarray(rows, dtype=np.int64)
    edges = np.linspace(0, max(trace.length, 1), count + 1)
    taken = _covered(trace.start[rows], trace.end[rows], edges)
    there = np.full(count, EMPTY, dtype=np.int8)
    half = (edges[1] - edges[0]) / 2
    there[taken >= half if len(rows) == 1 else taken > 0] = RUNS
    if not there.any():
        middle = (int(trace.start[rows].min()) + int(trace.end[rows].max())) / 2
        there[min(int(middle / edges[-1] * count), count - 1)] = RUNS
    if trace.pieces is not None:
        own = np.isin(trace.pieces.row, rows)
        critical = _covered(trace.pieces.start[own], trace.pieces.end[own], edges)
        enough = np.minimum(taken, 2 * half) / 2 if len(rows) == 1 else half
        there[(there == RUNS) & (critical > 0) & (critical >= enough)] = CRITICAL
    return there


def together(trace: Trace, rows: Sequence[int] | Array) -> int:
    """How many nanoseconds at least one of these spans runs."""
    rows = np.asarray(rows, dtype=np.int64)
    low, high = _union(trace.start[rows], trace.end[rows])
    return int((high - low).sum())


def parts(trace: Trace, rows: Sequence[int] | Array) -> list[Part]:
    """The bar of some spans in as few parts as a picture needs, at most forty."""
    rows = np.asarray(rows, dtype=np.int64)
    count = _FINEST
    while True:
        there = cells(trace, rows, count)
        changes = np.flatnonzero(np.diff(there)) + 1
        if len(changes) < _MOST_PARTS or count < _MOST_PARTS:
            break
        count //= 2
    bounds = [0, *changes.tolist(), count]
    found = [Part(low / count, high / count, int(there[low])) for low, high in pairwise(bounds) if there[low] != EMPTY]
    return _exact(trace, rows, found)


def _exact(trace: Trace, rows: Array, found: list[Part]) -> list[Part]:
    """The bar of one span from where it really begins to where it ends, however short it is."""
    if len(found) == len(rows) == 1 and trace.length:
        start, end = (int(each) / trace.length for each in (trace.start[rows].min(), trace.end[rows].max()))
        return [Part(start, end, found[0].kind)]
    return found


def _covered(start: Array, end: Array, edges: Array) -> Array:
    """How much of each stretch between two edges the union of such intervals covers."""
    if not len(start):
        return np.zeros(len(edges) - 1)
    low, high = (bound.astype(np.float64) for bound in _union(start, end))
    sums = np.cumsum(high - low)
    before = np.concatenate([[0.0], sums[:-1]])
    corners = np.stack([low, high], axis=1).ravel()
    heights = np.stack([before, sums], axis=1).ravel()
    return np.diff(np.interp(edges, corners, heights))


def _union(start: Array, end: Array) -> tuple[Array, Array]:
    """Intervals joined where they touch, in order; of one at least."""
    order = np.argsort(start, kind="stable")
    start, end = start[order], np.maximum.accumulate(end[order])
    first = np.concatenate([[True], start[1:] > end[:-1]])
    last = np.concatenate([first[1:], [True]])
    return start[first], end[last]
