"""The trees that the spans of a frame make: parents, roots, depth, and children in order, for all traces at once.

Nothing here walks from span to span. What depends on all ancestors of a span (its depth, its root) is found by pointer
doubling: every span looks at its parent, then at its parent's parent, then four, eight … up, so that a chain of 3,000
spans takes twelve looks (Hillis and Steele, "Data parallel algorithms", 1986).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.spans.attributes import arrow
from obs_magics.model.spans import KINDS, SPAN_ID_DIGITS

Array = np.ndarray[Any, Any]

_CLIENT, _SERVER = KINDS.index("client"), KINDS.index("server")


@dataclass(frozen=True)
class SpanTree:
    """The trees of a spans frame. A row is the position of a span in the frame.

    Args:
        trace: int64, the trace of each row, counted from 0 in order of first appearance.
        trace_ids: The id of each of those.
        parent: int64, the row of each span's parent; -1 for a root.
        missing: Spans that name a parent which is not in the frame: they are roots here.
        cycles: Spans that were their own ancestors: one of each ring, the first in the frame, is a root here.
        duplicates: Spans whose trace and span id an earlier row has. They stand beside it, children hang on the first;
            but of a client and a server with one id (as Zipkin shares them) the server hangs on the client, and their
            children on the server.
    """

    trace: Array
    trace_ids: tuple[str, ...]
    parent: Array
    missing: int
    cycles: int
    duplicates: int

    def __len__(self) -> int:
        """How many spans there are."""
        return len(self.parent)

    @cached_property
    def roots(self) -> Array:
        """Rows without a parent, in the frame's order: at least one for each trace."""
        return np.flatnonzero(self.parent < 0)

    @cached_property
    def depth(self) -> Array:
        """int64, how many ancestors each span has."""
        start = (self.parent >= 0).astype(np.int64)
        return self.over_ancestors(start, lambda own, above: own + above)

    @cached_property
    def root(self) -> Array:
        """int64, the row of each span's topmost ancestor, its own for a root."""
        above = np.where(self.parent < 0, np.arange(len(self)), self.parent)
        while True:
            further = above[above]
            if (further == above).all():
                return above
            above = further

    @cached_property
    def order(self) -> Array:
        """Rows by parent, roots first, then as in the frame: `children_of` says where whose children lie."""
        return np.argsort(self.parent, kind="stable")

    @cached_property
    def firsts(self) -> Array:
        """Where the children of each row begin in `order`; one more than there are rows."""
        counts = np.bincount(self.parent + 1, minlength=len(self) + 1)
        return np.cumsum(counts)

    @cached_property
    def children_count(self) -> Array:
        """int64, how many direct children each span has."""
        return np.diff(self.firsts)

    def children_of(self, row: int) -> Array:
        """The rows of a span's direct children, in the frame's order, which is that of their starts."""
        return self.order[self.firsts[row] : self.firsts[row + 1]]

    @cached_property
    def sizes(self) -> Array:
        """int64, how many spans hang below each span, itself counted."""
        sizes = np.ones(len(self), dtype=np.int64)
        by_depth = np.argsort(-self.depth, kind="stable")
        ends = np.cumsum(np.bincount(self.depth)[::-1]) if len(self) else np.empty(0, np.int64)
        for start, end in zip([0, *ends[:-2].tolist()], ends[:-1].tolist(), strict=False):  # the roots have no parent
            rows = by_depth[start:end]
            np.add.at(sizes, self.parent[rows], sizes[rows])
        return sizes

    @cached_property
    def walk(self) -> Array:
        """Rows as a waterfall shows them: trace by trace, every span followed by all that hangs below it."""
        before = np.cumsum(self.sizes[self.order]) - self.sizes[self.order]  # of elder siblings, and of all before
        group = np.repeat(before[np.minimum(self.firsts[:-1], max(len(self) - 1, 0))], self.children_count)
        steps = np.zeros(len(self), dtype=np.int64)
        among = np.arange(len(self)) >= len(self.roots)
        steps[self.order[among]] = before[among] - group + 1
        by_trace = self.roots[np.argsort(self.trace[self.roots], kind="stable")]
        steps[by_trace] = np.cumsum(self.sizes[by_trace]) - self.sizes[by_trace]
        places = self.over_ancestors(steps, lambda own, above: own + above)
        walk = np.empty(len(self), dtype=np.int64)
        walk[places] = np.arange(len(self))
        return walk

    @cached_property
    def _looks(self) -> tuple[tuple[Array, Array], ...]:
        """Of each round of looking up: the rows that still see somebody, and whom."""
        looks = []
        above = self.parent.copy()
        rows = np.flatnonzero(above >= 0)
        while len(rows):
            seen = above[rows]
            looks.append((rows, seen))
            further = above[seen]
            above[rows] = further
            rows = rows[further >= 0]
        return tuple(looks)

    def over_ancestors(self, values: Array, join: Callable[[Array, Array], Array]) -> Array:
        """Each span's value joined with those of all its ancestors.

        Args:
            values: One per row.
            join: Associative, of the value of a stretch of ancestors and that of the stretch above it.
        """
        result = values.copy()
        for rows, seen in self._looks:
            result[rows] = join(result[rows], result[seen])  # all of one round look at what was before it
        return result


def span_tree(frame: pd.DataFrame) -> SpanTree:
    """Find the parent of every span.

    Missing parents, spans that are their own ancestors and ids that occur twice do no harm: see `SpanTree`.

    Args:
        frame: A spans frame; traces may lie in it in any order.
    """
    traces = arrow(frame["trace_id"]).dictionary_encode()
    trace = traces.indices.to_numpy().astype(np.int64)
    own, named = _numbered(frame, trace)
    number = max(int(codes.max(initial=-1)) for codes in (own, named)) + 1
    owner, duplicates, shared = _owners(own, number, frame["kind"].cat.codes.to_numpy())
    found = np.where(named >= 0, owner[named], -1)
    found = np.where((found >= 0) & (trace[found] == trace), found, -1)
    missing = int(np.count_nonzero((named >= 0) & (found < 0) & (shared < 0)))
    parent, cycles = _without_cycles(np.where(shared >= 0, shared, found))
    return SpanTree(trace, tuple(traces.dictionary.to_pylist()), parent, missing, cycles, duplicates)


def _numbered(frame: pd.DataFrame, trace: Array) -> tuple[Array, Array]:
    """A number for each span, equal for equal trace and span id, and that of its parent, -1 where it names none."""
    ids = pa.concat_arrays([arrow(frame["span_id"]), arrow(frame["parent_id"])])
    coded = _binary(ids).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy().astype(np.int64)
    own, named = codes[: len(frame)], codes[len(frame) :]
    number = len(coded.dictionary)
    if np.bincount(own, minlength=1).max() <= 1:  # no id in two traces: the rule, and much faster
        return own, named
    pairs = np.concatenate([trace * number + own, np.where(named < 0, -1, trace * number + named)])
    dense = np.unique(pairs, return_inverse=True)[1] - int(pairs.min() < 0)
    return dense[: len(frame)], dense[len(frame) :]


def _binary(ids: pa.Array) -> pa.Array:
    """Ids as numbers of 64 bits, which are looked up much faster than texts; as they are when they are no such ids."""
    given = ids.drop_null()
    if not len(given) or not pc.all(pc.equal(pc.binary_length(given), SPAN_ID_DIGITS)).as_py():
        return ids
    digits = pa.concat_arrays([given]).buffers()[2].to_pybytes()  # a copy that begins where its buffer does
    try:
        numbers = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return ids
    if 2 * len(numbers) != len(digits):  # there were spaces, which fromhex skips
        return ids
    result = np.zeros(len(ids), dtype=np.uint64)
    there = ids.is_valid().to_numpy(zero_copy_only=False)
    result[there] = np.frombuffer(numbers, dtype=np.uint64)
    return pa.array(result, mask=~there)


def _owners(own: Array, number: int, kinds: Array) -> tuple[Array, int, Array]:
    """By number of a span: the row that its children hang on; how many rows repeat a number; shared parents.

    The last is, for a server that shares its id with a client, the row of that client; else -1.
    """
    shared = np.full(len(own), -1, dtype=np.int64)
    owner = _first_of(own, np.ones(len(own), dtype=bool), number)
    repeated = len(own) - int(np.count_nonzero(owner >= 0))
    if repeated:
        client, server = (_first_of(own, kinds == kind, number) for kind in (_CLIENT, _SERVER))
        both = (client >= 0) & (server >= 0)
        shared[server[both]] = client[both]
        owner = np.where(both, server, owner)
    return owner, repeated, shared


def _first_of(group: Array, mask: Array, number: int) -> Array:
    """The first row of each group where the mask holds; -1 for none."""
    first = np.full(number, -1, dtype=np.int64)
    rows = np.flatnonzero(mask)[::-1]
    first[group[rows]] = rows
    return first


def _without_cycles(parent: Array) -> tuple[Array, int]:
    """Parents of which none is below its child, and how many spans stood in rings.

    After as many steps up as there are spans, one is at a root or in a ring.
    """
    above = np.where(parent < 0, np.arange(len(parent)), parent)
    for _ in range(len(parent).bit_length()):
        further = above[above]
        if (further == above).all():
            break
        above = further
    ringed = np.unique(above[parent[above] >= 0])
    if not len(ringed):
        return parent, 0
    least, above = np.full(len(parent), len(parent)), parent.copy()
    least[ringed] = ringed
    for _ in range(len(ringed).bit_length()):
        least[ringed], above[ringed] = np.minimum(least[ringed], least[above[ringed]]), above[above[ringed]]
    broken = parent.copy()
    broken[np.unique(least[ringed])] = -1
    return broken, len(ringed)
