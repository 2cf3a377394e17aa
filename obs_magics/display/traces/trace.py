"""One trace as it is drawn: its spans in the order of their tree, when each runs, and where the critical path lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.model.errors import UsageError
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.spans import DURATION_DTYPE

Array = np.ndarray[Any, Any]

_LATEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Pieces:
    """Stretches of time: the row of the span that each belongs to, and its bounds in nanoseconds after the begin."""

    row: Array
    start: Array
    end: Array


@dataclass(frozen=True)
class Trace:
    """A trace. A row is the position of a span in the frame; times are int64 nanoseconds after the trace's begin.

    Args:
        frame: Its spans frame.
        parent: The row of each span's parent; -1 for a root.
        depth: How many ancestors each span has.
        walk: Rows as a waterfall shows them: every span followed by all that hangs below it.
        began_ns: When it began, in nanoseconds since the epoch.
        start: When each span begins.
        end: When each span ends.
        pieces: Those of the critical path; None where nobody asked for it.
    """

    frame: pd.DataFrame
    parent: Array
    depth: Array
    walk: Array
    began_ns: int
    start: Array
    end: Array
    pieces: Pieces | None

    def __len__(self) -> int:
        """How many spans there are."""
        return len(self.start)

    @cached_property
    def trace_id(self) -> str:
        """Its id."""
        return str(self.frame["trace_id"].iloc[0]) if len(self) else ""

    @cached_property
    def length(self) -> int:
        """From its first start to its last end."""
        return int(self.end.max()) if len(self) else 0

    @cached_property
    def services(self) -> list[str]:
        """The service of each row; empty where unknown."""
        return _texts(self.frame["service"])

    @cached_property
    def operations(self) -> list[str]:
        """The operation of each row; empty where unknown."""
        return _texts(self.frame["operation"])

    @cached_property
    def messages(self) -> list[str]:
        """What each span says about its status; empty for nothing."""
        return _texts(self.frame["status_message"])

    @cached_property
    def failed(self) -> Array:
        """Whether each span failed."""
        return np.array([status == "error" for status in self.frame["status"]], dtype=bool)

    @cached_property
    def spent(self) -> Array:
        """int64: how long each span is on the critical path itself."""
        spent = np.zeros(len(self), dtype=np.int64)
        if self.pieces is not None:
            np.add.at(spent, self.pieces.row, self.pieces.end - self.pieces.start)
        return spent

    def share(self, ns: int) -> float:
        """A time as a share of the trace's."""
        return ns / self.length if self.length else 0.0

    @cached_property
    def bottleneck(self) -> int:
        """The row that waits longest for what one service does: -1 when nobody asked for the critical path.

        That is where the trace enters the service with most time on the critical path; where it begins in that service
        already, the span of it that takes most of that time itself.
        """
        if not self.spent.any():
            return -1
        entry = np.arange(len(self))
        for row in self.walk.tolist():
            above = int(self.parent[row])
            if above >= 0 and self.services[above] == self.services[row]:
                entry[row] = entry[above]
        codes, names = pd.factorize(np.asarray(self.services, dtype=object))
        sums = _summed(codes, self.spent, len(names))
        inside = codes == int(sums.argmax())
        row = int(_summed(entry, np.where(inside, self.spent, 0), len(self)).argmax())
        return row if self.parent[row] >= 0 else int(np.where(inside, self.spent, -1).argmax())


def trace_of(frame: pd.DataFrame, critical: pd.DataFrame | None, parent: Sequence[int] | Array | None) -> Trace:
    """Bring a trace into the order of its tree.

    Args:
        frame: A spans frame.
        critical: The pieces of its critical path, as the analysis of spans gives them.
        parent: Row of each span's parent, -1 for a root; found by the ids when it is not given.

    Raises:
        UsageError: There are several traces in it.
    """
    traces = frame["trace_id"].nunique()
    if traces > 1:
        raise UsageError(
            f"a waterfall shows one trace, and there are {traces:,}", hint="choose one: frame[frame.trace_id == …]"
        )
    start = frame["start"].to_numpy(dtype="datetime64[ns]").view(np.int64)
    lasted = np.maximum(frame["duration"].to_numpy(dtype=DURATION_DTYPE).view(np.int64), 0)
    began = int(start.min()) if len(start) else 0
    named = _parents(frame) if parent is None else np.array(parent, dtype=np.int64)
    above, depth, walk = _walked(named, start)
    begin = start - began
    return Trace(
        frame, above, depth, walk, began, begin, begin + np.minimum(lasted, _LATEST - begin), _pieces(critical, began)
    )


def _pieces(critical: pd.DataFrame | None, began: int) -> Pieces | None:
    if critical is None:
        return None
    start, end = (critical[name].to_numpy(dtype="datetime64[ns]").view(np.int64) - began for name in ("start", "end"))
    return Pieces(critical["row"].to_numpy(dtype=np.int64), start, end)


def _texts(column: pd.Series[Any]) -> list[str]:
    return [str(text) for text in column.astype(STRING_DTYPE).fillna("")]


def _parents(frame: pd.DataFrame) -> Array:
    ids = _texts(frame["span_id"])
    rows = {name: row for row, name in reversed(list(enumerate(ids)))}
    return np.array([rows.get(name, -1) for name in _texts(frame["parent_id"])], dtype=np.int64)


def _walked(named: Array, start: Array) -> tuple[Array, Array, Array]:
    """Parents without rings, depth, and rows so that every span is followed by what hangs below it."""
    parent, depth = named.copy(), np.zeros(len(named), dtype=np.int64)
    children: dict[int, list[int]] = {}
    by_start = np.argsort(start, kind="stable").tolist()
    for row in by_start:
        children.setdefault(int(named[row]), []).append(row)
    walk: list[int] = []
    seen = np.zeros(len(named), dtype=bool)
    for top in [*children.get(-1, []), *by_start]:  # after the roots, what hangs on none of them: rings
        if seen[top]:
            continue
        parent[top] = -1
        stack = [top]
        while stack:
            row = stack.pop()
            seen[row] = True
            walk.append(row)
            below = [child for child in children.get(row, []) if not seen[child]]
            depth[below] = depth[row] + 1
            stack += reversed(below)
    return parent, depth, np.array(walk, dtype=np.int64)


def _summed(codes: Array, values: Array, number: int) -> Array:
    sums = np.zeros(number, dtype=np.int64)
    np.add.at(sums, codes, values)
    return sums
