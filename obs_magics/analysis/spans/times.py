"""Where the time of traces goes: the self time of spans, and the critical paths of traces.

The critical path of a trace is what its duration consists of: at every instant one span, the one that everybody above
it waits for. What is made faster on it makes the trace shorter, what is not on it does not. The rule is that of
Jaeger's interface (`criticalPathForTrace` in jaeger-ui; the idea is that of Zhang et al., "CRISP: Critical Path
Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022). It goes backwards in time:

- A span's path begins at its end. Of its children the last to finish is on the path; what lies between that child's end
  and the span's own is the span's own piece. Then the child's path is followed the same way.
- From the child's start the span is followed on: the last of the other children to finish before that is next, what
  lies between belongs to the span; and so on, until no child is left and the rest down to its start is its own.

The corners, one by one:

- *Children that outlast their parent*, or begin before it, count only as far as they lie within it, and within all that
  is above it. Those that lie outside (that begin when it ends or later, or end when it begins or earlier) are left out
  with all that hangs below them, and so is a child of a span without length.
- *Asynchronous children*, producers and consumers, block nobody: they are left out with all that hangs below them, as
  in Jaeger. One that is a root has a path all the same. Links (`FOLLOWS_FROM`) are no parents at all.
- *Equal ends*: the child that stands first in the frame, which is the one that began first.
- *Back-to-back siblings*, one of which ends in the very instant in which the next begins, follow each other: both are
  on the path. Jaeger's own code asks for `<` there, passes the earlier one over and gives its time to the parent; with
  `touching=False` this is done here too.
- *Spans without length* own no piece.
- *Several roots*: each has a path of its own, also one whose parent is missing.

So the pieces of one root never overlap, leave no gap, and add up to its duration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.spans.tree import SpanTree, span_tree
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE
from obs_magics.model.spans import DURATION_DTYPE, KINDS

Array = np.ndarray[Any, Any]

_LATEST = np.iinfo(np.int64).max
_BLOCKING = np.array([kind not in {"producer", "consumer"} for kind in KINDS] + [True])  # the last is for -1, unknown


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of critical paths: the row of the span that owns each, and its bounds in nanoseconds since the epoch."""

    row: Array
    start: Array
    end: Array


def bounds(frame: pd.DataFrame) -> tuple[Array, Array]:
    """Start and end of every span in nanoseconds since the epoch; an end beyond 2262 is taken as the last instant."""
    start = frame["start"].to_numpy(dtype="datetime64[ns]").view(np.int64)
    duration = np.maximum(durations(frame), 0)
    return start, start + np.minimum(duration, _LATEST - start)


def durations(frame: pd.DataFrame) -> Array:
    """int64 nanoseconds."""
    return frame["duration"].to_numpy(dtype=DURATION_DTYPE).view(np.int64)


def self_time(frame: pd.DataFrame, *, tree: SpanTree | None = None) -> pd.Series[Any]:
    """How long each span does something itself: its duration without the union of its direct children.

    Children count only as far as they lie within the span; where several run at once, they count once.

    Args:
        frame: A spans frame.
        tree: Its tree, where somebody has it.

    Returns:
        A Series of timedelta64[ns] with the frame's index, never negative.
    """
    tree = span_tree(frame) if tree is None else tree
    start, end = bounds(frame)
    children = np.flatnonzero(tree.parent >= 0)
    parent = tree.parent[children]
    begins = np.maximum(start[children], start[parent])
    ends = np.minimum(end[children], end[parent])
    order = np.lexsort((begins, parent))
    order = order[begins[order] < ends[order]]
    parent, begins, ends = parent[order], begins[order], ends[order]
    covered = ends - np.maximum(begins, _latest_before(parent, ends))
    spent = end - start
    np.subtract.at(spent, parent, np.maximum(covered, 0))
    return pd.Series(spent.view(DURATION_DTYPE), index=frame.index, name="self_time")


def _latest_before(group: Array, ends: Array) -> Array:
    """The greatest of the earlier ends of the same group; the least of all instants for its first.

    A running maximum over groups that lie end to end, taken of ranks, which leaves room for the number of the group.
    """
    if not len(ends):
        return ends
    values, ranks = np.unique(ends, return_inverse=True)
    first = np.concatenate([[True], group[1:] != group[:-1]])
    base = np.cumsum(first) * (len(values) + 1)
    running = np.maximum.accumulate(base + ranks)
    before = values[np.concatenate([[0], running[:-1] - base[:-1]])]
    return np.where(first, -_LATEST, before)


def critical_path(frame: pd.DataFrame, *, touching: bool = True, tree: SpanTree | None = None) -> pd.DataFrame:
    """The critical paths of all traces, piece by piece. The module says by which rule.

    Args:
        frame: A spans frame.
        touching: Whether siblings one of which ends in the instant in which the next begins follow each other; False
            for Jaeger's rule to the letter.
        tree: The frame's tree, where somebody has it.

    Returns:
        One row per piece, in order of trace and time: `trace_id` · `row` (int64, the position of its span in the frame)
        · `start` · `end` (datetime64[ns, UTC]) · `duration` (timedelta64[ns], never 0).
    """
    tree = span_tree(frame) if tree is None else tree
    pieces = critical_pieces(frame, tree, touching=touching)
    order = np.lexsort((pieces.start, tree.root[pieces.row], tree.trace[pieces.row]))
    row, start, end = pieces.row[order], pieces.start[order], pieces.end[order]
    ids = pd.array(np.asarray(tree.trace_ids, dtype=object), dtype=STRING_DTYPE)
    return pd.DataFrame(
        {
            "trace_id": ids.take(tree.trace[row]),
            "row": row,
            "start": pd.DatetimeIndex(start, dtype=TIMESTAMP_DTYPE),
            "end": pd.DatetimeIndex(end, dtype=TIMESTAMP_DTYPE),
            "duration": (end - start).view(DURATION_DTYPE),
        }
    )


def critical_time(frame: pd.DataFrame, *, tree: SpanTree | None = None) -> pd.Series[Any]:
    """How long each span is on a critical path: the sum of its pieces, as timedelta64[ns] with the frame's index."""
    tree = span_tree(frame) if tree is None else tree
    pieces = critical_pieces(frame, tree)
    spent = np.zeros(len(frame), dtype=np.int64)
    np.add.at(spent, pieces.row, pieces.end - pieces.start)
    return pd.Series(spent.view(DURATION_DTYPE), index=frame.index, name="critical")


def critical_pieces(frame: pd.DataFrame, tree: SpanTree, *, touching: bool = True) -> Pieces:
    """The pieces of all critical paths, in no order; what `critical_path` makes its table of."""
    start, end = bounds(frame)
    low, high = tree.over_ancestors(start, np.maximum), tree.over_ancestors(end, np.minimum)
    kept = _kept(frame, tree, (start, end), (low, high))
    start, end = low, high
    chain = _Chain.of(tree.parent, start, end, np.flatnonzero(kept & (tree.parent >= 0)), touching=touching)
    on_chain = tree.parent < 0
    on_chain[chain.rows[chain.followed]] = True
    on_path = tree.over_ancestors(kept & on_chain, np.logical_and)
    tail = np.flatnonzero(on_path)
    tail_start = start.copy()
    tail_start[tree.parent[chain.rows[chain.heads]]] = end[chain.rows[chain.heads]]
    blockers = np.flatnonzero(on_path[chain.rows])
    row = chain.rows[blockers]
    further = chain.next[blockers]
    above = tree.parent[row]
    gap_start = np.where(further >= 0, end[chain.rows[further]] if len(further) else start[:0], start[above])
    rows = np.concatenate([tail, above])
    starts = np.concatenate([tail_start[tail], gap_start])
    ends = np.concatenate([end[tail], start[row]])
    long = starts < ends
    return Pieces(rows[long], starts[long], ends[long])


def _kept(frame: pd.DataFrame, tree: SpanTree, own: tuple[Array, Array], clipped: tuple[Array, Array]) -> Array:
    """Spans that can be on a path: neither they nor any span above them is asynchronous or lies outside its parent."""
    (start, end), (low, high) = own, clipped
    above = np.where(tree.parent < 0, np.arange(len(tree)), tree.parent)
    within = np.where(start >= low[above], start < high[above], end > low[above])
    blocks = _BLOCKING[frame["kind"].cat.codes.to_numpy()]
    return tree.over_ancestors((within & blocks) | (tree.parent < 0), np.logical_and)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Children by parent, the last to finish first, and who of them follows whom on the way back.

    Args:
        rows: The children.
        next: For each, the position in `rows` of the sibling that finished before it began; -1 for none.
        heads: Positions of those that finish last of their parent's.
        followed: Whether a child is on the way back from its parent's end.
    """

    rows: Array
    next: Array
    heads: Array
    followed: Array

    @classmethod
    def of(cls, parent: Array, start: Array, end: Array, children: Array, *, touching: bool) -> _Chain:
        """Order the children and find whom each follows."""
        order = np.lexsort((-end[children], parent[children]))  # stable: of equal ends the first in the frame
        rows = children[order]
        if not len(rows):
            return cls(rows, rows, rows, rows.astype(bool))
        group, begins, ends = parent[rows], start[rows], end[rows]
        first = np.concatenate([[True], group[1:] != group[:-1]])
        heads = np.flatnonzero(first)
        stops = np.concatenate([heads[1:], [len(rows)]])[np.cumsum(first) - 1]
        following = _following(begins, ends, stops, touching=touching)
        return cls(rows, following, heads, _reached(heads, following))


def _following(begins: Array, ends: Array, stops: Array, *, touching: bool) -> Array:
    """For each child the first one after it, of its parent's, whose end is not after its begin; -1 for none.

    A binary search for all children at once. It begins behind the child, for a span without length ends in time for
    itself.
    """
    low, high = np.arange(1, len(ends) + 1), stops.copy()
    latest = begins if touching else begins - 1
    open_ones = np.flatnonzero(low < high)
    while len(open_ones):
        middle = (low[open_ones] + high[open_ones]) // 2
        in_time = ends[middle] <= latest[open_ones]
        high[open_ones[in_time]] = middle[in_time]
        low[open_ones[~in_time]] = middle[~in_time] + 1
        open_ones = open_ones[low[open_ones] < high[open_ones]]
    return np.where(low < stops, low, -1)


def _reached(heads: Array, following: Array) -> Array:
    """Which positions are reached from the heads by following: in doubling steps."""
    reached = np.zeros(len(following) + 1, dtype=bool)
    reached[heads] = True
    jump = np.append(np.where(following < 0, len(following), following), len(following))
    while True:
        rows = np.flatnonzero(reached)
        targets = jump[rows]
        if reached[targets].all() and (jump[jump] == jump).all():
            return reached[:-1]
        reached[targets] = True
        jump = jump[jump]
