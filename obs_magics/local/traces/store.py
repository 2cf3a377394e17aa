"""The spans of a folder in the order of a spans frame, with what questions need of them worked out once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.traces.tree import Tree, tree_of
from obs_magics.model.spans import STATUSES
from obs_magics.syntax.spans import SpanColumns, joined

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
ERROR = STATUSES.index("error")


class TraceStore:
    """Spans, trace by trace: traces in order of their first span, the spans of a trace in order of start.

    Args:
        columns: The spans in whatever order.
    """

    def __init__(self, columns: SpanColumns) -> None:
        trace, order, offsets = _arranged(columns)
        self.columns = columns if order is None else columns.taken(order)
        self.trace = trace
        """int64: the number of each span's trace, ascending."""
        self.offsets = offsets
        """int64: where each trace begins, and the end."""

    def __len__(self) -> int:
        return len(self.trace)

    @property
    def traces(self) -> int:
        """How many traces there are."""
        return len(self.offsets) - 1

    @cached_property
    def extent_ns(self) -> tuple[int, int] | None:
        """Start of the first span and of the last; None when there is none."""
        starts = self.columns.start_ns
        return (int(starts.min()), int(starts.max())) if len(self) else None

    @cached_property
    def tree(self) -> Tree:
        """Who called whom."""
        columns = self.columns
        return tree_of(self.trace, columns.span_id, columns.parent_id, columns.kind)

    @cached_property
    def services(self) -> list[str]:
        """The services that write spans, sorted."""
        return sorted(value for value in pc.unique(self.columns.service).to_pylist() if value is not None)

    def operations(self, service: str | None = None) -> list[str]:
        """Names of spans, of one service or of all, sorted."""
        names = self.columns.operation
        if service is not None:
            names = names.filter(pc.equal(self.columns.service, service).fill_null(False))
        return sorted(pc.unique(names).to_pylist())

    def has_span(self, rows: Mask) -> Mask:
        """bool, one per trace: whether one of its spans is among `rows` (bool, one per span)."""
        found: Mask = np.bincount(self.trace[rows], minlength=self.traces) > 0
        return found

    def within(self, start_ns: int, end_ns: int) -> Mask:
        """bool, one per span: which start in the range, its end excluded."""
        starts = self.columns.start_ns
        inside: Mask = (starts >= start_ns) & (starts < end_ns)
        return inside

    def numbered(self, trace_ids: Sequence[str]) -> Mask:
        """bool, one per trace: which have one of these ids."""
        firsts = self.columns.trace_id.take(pa.array(self.offsets[:-1]))
        known: Mask = pc.is_in(firsts, pa.array(trace_ids, pa.string())).to_numpy(zero_copy_only=False)
        return known

    def rows_of(self, traces: Integers) -> Integers:
        """Positions of the spans of some traces (ascending)."""
        keep = np.zeros(self.traces, bool)
        keep[traces] = True
        rows: Integers = np.flatnonzero(np.repeat(keep, np.diff(self.offsets)))
        return rows

    def frame(self, traces: Integers) -> pd.DataFrame:
        """The spans frame of some traces (ascending), whole."""
        return self.columns.taken(self.rows_of(traces)).frame()


def _arranged(columns: SpanColumns) -> tuple[Integers, Integers | None, Integers]:
    """The number of each span's trace, the order of the spans (None: they stand so), and where traces begin."""
    count = len(columns)
    if not count:
        return np.empty(0, np.int64), None, np.zeros(1, np.int64)
    encoded = columns.trace_id.dictionary_encode()
    codes = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)
    first = np.full(len(encoded.dictionary), np.iinfo(np.int64).max)
    np.minimum.at(first, codes, columns.start_ns)
    order = np.lexsort((np.arange(count), columns.start_ns, codes, first[codes]))
    changes = np.diff(codes[order], prepend=-1) != 0
    trace = np.cumsum(changes) - 1
    offsets = np.append(np.flatnonzero(changes), count)
    return trace, None if (order[1:] > order[:-1]).all() else order, offsets


class StoredSpans:
    """Spans that are read when they are first asked for: how many there are is known before.

    Args:
        count: How many.
        load: Reads them.
    """

    def __init__(self, count: int, load: Callable[[], SpanColumns]) -> None:
        self.count = count
        self._load = load
        self._lock = threading.Lock()
        self._store: TraceStore | None = None

    def store(self) -> TraceStore:
        """The spans.

        Raises:
            OSError: The file is gone.
            pyarrow.ArrowException: It is damaged.
        """
        with self._lock:
            if self._store is None:
                self._store = TraceStore(self._load())
            return self._store


def spans_of_files(parts: Sequence[SpanColumns]) -> StoredSpans | None:
    """The spans of several files, each once; None when there is none."""
    whole = joined(parts) if parts else None
    return StoredSpans(len(whole), lambda: whole) if whole is not None and len(whole) else None
