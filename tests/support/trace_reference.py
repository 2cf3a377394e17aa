"""Self time and critical paths span by span, by recursion: slow, plain, and written apart from the engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pandas as pd


@dataclass
class Node:
    """A span of one trace."""

    row: int
    start: int
    end: int
    kind: Any
    children: list[Node] = field(default_factory=list)


Piece = tuple[int, int, int]  # row, start, end in nanoseconds


def forest(frame: pd.DataFrame, parents: list[int] | None = None) -> list[Node]:
    """Roots with all that hangs below them. Ids must be unique within their trace and must not go in rings.

    Args:
        frame: A spans frame.
        parents: The row of each parent, -1 for none, where the ids are not to be read.
    """
    starts = frame["start"].astype("int64").tolist()
    durations = frame["duration"].astype("int64").tolist()
    kinds = frame["kind"].astype(object).tolist()
    nodes = [Node(row, starts[row], starts[row] + durations[row], kinds[row]) for row in range(len(frame))]
    ids = list(zip(frame["trace_id"], frame["span_id"], strict=True))
    by_id = {one: row for row, one in reversed(list(enumerate(ids)))}
    roots = []
    for row, (trace, named) in enumerate(zip(frame["trace_id"], frame["parent_id"], strict=True)):
        parent = by_id.get((trace, named), -1) if parents is None else parents[row]
        (roots if parent < 0 else nodes[parent].children).append(nodes[row])
    return roots


def critical_paths(roots: list[Node], *, touching: bool = True) -> list[Piece]:
    """The pieces of all critical paths."""
    pieces: list[Piece] = []
    with _deep():
        for root in roots:
            _sanitize(root)
            _follow(root, pieces, touching)
    return pieces


def self_times(roots: list[Node]) -> dict[int, int]:
    """Nanoseconds by row: what no direct child covers, counted second by second of the sorted edges."""
    found = {}
    pending = list(roots)
    while pending:
        node = pending.pop()
        pending += node.children
        edges = sorted({node.start, node.end, *(e for c in node.children for e in (c.start, c.end))})
        edges = [edge for edge in edges if node.start <= edge <= node.end]
        found[node.row] = sum(
            after - before
            for before, after in pairwise(edges)
            if not any(child.start <= before and after <= child.end for child in node.children)
        )
    return found


def _sanitize(node: Node) -> None:
    kept = []
    for child in node.children:
        if child.kind in {"producer", "consumer"}:
            continue
        if child.start >= node.end or (child.start < node.start and child.end <= node.start):
            continue
        child.start, child.end = max(child.start, node.start), min(child.end, node.end)
        _sanitize(child)
        kept.append(child)
    node.children = kept


def _follow(node: Node, pieces: list[Piece], touching: bool) -> None:
    left = list(node.children)
    instant = node.end
    bounded = False
    while True:
        last = None
        for child in left:
            in_time = not bounded or (child.end <= instant if touching else child.end < instant)
            if in_time and (last is None or child.end > last.end):
                last = child
        if last is None:
            break
        if last.end < instant:
            pieces.append((node.row, last.end, instant))
        _follow(last, pieces, touching)
        left.remove(last)
        instant, bounded = last.start, True
    if node.start < instant:
        pieces.append((node.row, node.start, instant))


@contextmanager
def _deep() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
