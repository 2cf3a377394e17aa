"""Parents and children as positions and as intervals: the nested sets that structural questions are answered with.

Every span gets a number on the way down and one on the way up, as in
https://en.wikipedia.org/wiki/Nested_set_model; a span lies below another when its numbers lie between the other's. They
are counted through all traces, so that spans of two traces never meet. Spans whose parent is not there begin a tree of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from obs_magics.model.spans import KINDS

Integers = npt.NDArray[np.int64]
_SERVER = KINDS.index("server")


@dataclass(frozen=True, slots=True)
class Tree:
    """Where spans stand among each other.

    Args:
        parent: int64, the parent's position; -1 for a root, and where the parent is not there.
        is_root: bool: the span names no parent.
        left: int64, the number on the way down, from 1 on.
        right: int64, that on the way up.
        children: int64, how many children each has.
    """

    parent: Integers
    is_root: npt.NDArray[np.bool_]
    left: Integers
    right: Integers
    children: Integers


def tree_of(trace: Integers, span_id: pa.Array, parent_id: pa.Array, kind: npt.NDArray[np.int8]) -> Tree:
    """The tree of spans.

    Args:
        trace: int64, the number of each span's trace, ascending.
        span_id: Strings.
        parent_id: Strings, null for a root.
        kind: int8, positions in `KINDS`.
    """
    is_root = np.asarray(parent_id.is_null().to_numpy(zero_copy_only=False))
    parent = _without_rings(_parents(trace, span_id, parent_id, kind))
    count = len(parent)
    below = np.flatnonzero(parent >= 0)
    children = np.bincount(parent[below], minlength=count)
    by_parent = below[np.argsort(parent[below], kind="stable")]
    starts = np.cumsum(children) - children
    levels = [np.flatnonzero(parent < 0)]
    while len(levels[-1]):
        levels.append(_children_of(levels[-1], starts, children, by_parent))
    sizes = np.ones(count, np.int64)
    for level in levels[:0:-1]:
        np.add.at(sizes, parent[level], sizes[level])
    left = np.zeros(count, np.int64)
    left[levels[0]] = 1 + 2 * _before(sizes[levels[0]])
    for level in levels[1:]:
        running = _before(sizes[level])  # of one parent they stand together, so that what came before it is taken off
        first = np.flatnonzero(np.diff(parent[level], prepend=-1))
        earlier = running - np.repeat(running[first], np.diff(first, append=len(level)))
        left[level] = left[parent[level]] + 1 + 2 * earlier
    return Tree(parent, is_root, left, left + 2 * sizes - 1, children)


def _before(sizes: Integers) -> Integers:
    return np.cumsum(sizes) - sizes


def _children_of(level: Integers, starts: Integers, counts: Integers, by_parent: Integers) -> Integers:
    """The children of some spans, those of one span together."""
    some = counts[level]
    ends = np.cumsum(some)
    total = int(ends[-1]) if len(ends) else 0
    found: Integers = by_parent[np.arange(total) + np.repeat(starts[level] - ends + some, some)]
    return found


def _parents(trace: Integers, span_id: pa.Array, parent_id: pa.Array, kind: npt.NDArray[np.int8]) -> Integers:
    """Positions of parents, -1 for none.

    Of several spans with one id the server's is the parent: client and server share one where Zipkin's propagation is
    used, and the server's span is the one that calls others. It is the child of the client's then.
    """
    count = len(trace)
    if not count:
        return np.empty(0, np.int64)
    whole = pa.chunked_array([span_id, parent_id]).dictionary_encode().unify_dictionaries()
    own, wanted = (np.asarray(chunk.indices.fill_null(-1), np.int64) for chunk in whole.chunks)
    distinct = max(len(whole.chunk(0).dictionary), 1)
    keys = trace * distinct + own
    order = np.lexsort((np.arange(count), kind != _SERVER, keys))
    ordered = keys[order]
    asked = trace * distinct + wanted
    places = np.minimum(np.searchsorted(ordered, asked), count - 1)
    parent = np.where((wanted >= 0) & (ordered[places] == asked), order[places], -1)
    again = np.flatnonzero(
        np.diff(ordered) == 0
    )  # the first of those with one id, which is the server's if there is one
    shared = again[np.diff(again, prepend=-2) > 1] if len(again) else again
    servers, others = order[shared], order[shared + 1]
    twins = (kind[servers] == _SERVER) & (kind[others] != _SERVER)
    parent[servers[twins]] = others[twins]
    parent[parent == np.arange(count)] = -1
    return parent


def _without_rings(parent: Integers) -> Integers:
    """Every ring of parents opened at the first of its spans."""
    ends = np.where(parent < 0, np.arange(len(parent)), parent)
    for _ in range(max(len(parent), 1).bit_length()):
        ends = ends[ends]  # twice as far up each time
    rings = np.unique(ends[parent[ends] >= 0])  # who ends on a span with a parent is on a ring or below one
    if not len(rings):
        return parent
    opened = parent.copy()
    seen: set[int] = set()
    for start in rings.tolist():
        if start in seen:
            continue
        ring, at = [start], int(parent[start])
        while at != start:
            ring.append(at)
            at = int(parent[at])
        opened[min(ring)] = -1
        seen.update(ring)
    return opened
