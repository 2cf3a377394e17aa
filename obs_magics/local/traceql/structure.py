"""Structural operators: which spans stand above, below or beside which, by the numbers of the tree.

Numbers are nested (see `traces.tree`), so that "has an ancestor among these" is one look at how far the farthest of
those that begin before reaches, and "has a descendant" a count of those that begin inside. Source of the meaning:
`SpansetOperation` in Tempo's `pkg/traceql/ast_execute.go`, and `DescendantOf`, `ChildOf`, `SiblingOf` of its blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from obs_magics.local.traceql.sets import Sets, of_pairs
from obs_magics.local.traceql.values import Integers, Mask
from obs_magics.local.traceql.view import View


@dataclass(frozen=True, slots=True)
class Members:
    """Spans of sets that are made of the same inputs.

    Args:
        keys: int64, the input of each.
        rows: int64, positions in the view.
    """

    keys: Integers
    rows: Integers

    @classmethod
    def of(cls, sets: Sets) -> Members:
        """Those of all sets."""
        return cls(sets.inputs[sets.groups], sets.rows)


def related(op: str, left: Sets, right: Sets, view: View) -> Sets:
    """The spans of the right side that stand so to the left one; with ``!`` those that do not, with ``&`` both sides.

    Args:
        op: ``>``, ``>>``, ``<``, ``<<``, ``~``, each with ``!`` or ``&`` before it or without.
        left: At most one set per input.
        right: Likewise.
        view: Their spans.
    """
    bare = op.lstrip("!&")
    one, other = Members.of(left), Members.of(right)
    hits = _RELATIONS[bare](one, other, view)
    chosen = ~hits if op.startswith("!") else hits
    if not op.startswith("&"):
        return of_pairs(other.keys[chosen], other.rows[chosen])
    back = _RELATIONS[_BACK[bare]](other, one, view)
    keys = np.concatenate([other.keys[chosen], one.keys[back]])
    return of_pairs(keys, np.concatenate([other.rows[chosen], one.rows[back]]))


def _is_child(above: Members, below: Members, view: View) -> Mask:
    """bool, of `below`: whose parent is one of `above`."""
    parents = view.parent[below.rows]
    return (parents >= 0) & np.isin(below.keys * len(view) + parents, above.keys * len(view) + above.rows)


def _is_parent(below: Members, above: Members, view: View) -> Mask:
    """bool, of `above`: which have a child in `below`."""
    parents = view.parent[below.rows]
    there = parents >= 0
    named = below.keys[there] * len(view) + parents[there]
    return np.isin(above.keys * len(view) + above.rows, named)


def _is_descendant(above: Members, below: Members, view: View) -> Mask:
    """bool, of `below`: which have an ancestor in `above`."""
    span = view.numbers
    starts = above.keys * span + view.left[above.rows]
    order = np.argsort(starts)
    reach = np.maximum.accumulate((above.keys * span + view.right[above.rows])[order])
    asked = below.keys * span + view.left[below.rows]
    places = np.searchsorted(starts[order], asked) - 1  # the last that begins before
    found: Mask = places >= 0
    if len(reach):
        found &= reach[np.maximum(places, 0)] > asked
    return found


def _is_ancestor(below: Members, above: Members, view: View) -> Mask:
    """bool, of `above`: which have a descendant in `below`."""
    starts = np.sort(below.keys * view.numbers + view.left[below.rows])
    first = np.searchsorted(starts, above.keys * view.numbers + view.left[above.rows], side="right")
    last = np.searchsorted(starts, above.keys * view.numbers + view.right[above.rows])
    found: Mask = last > first
    return found


def _is_sibling(one: Members, other: Members, view: View) -> Mask:
    """bool, of `other`: which have a sibling, not themselves, in `one`."""
    size = len(view) + view.store.traces + 2
    families = np.sort(one.keys * size + view.family[one.rows])
    asked = other.keys * size + view.family[other.rows]
    count = np.searchsorted(families, asked, side="right") - np.searchsorted(families, asked)
    itself = np.isin(other.keys * size + other.rows, one.keys * size + one.rows)
    found: Mask = (count - itself > 0) & (view.family[other.rows] > 0)
    return found


_RELATIONS: Mapping[str, Callable[[Members, Members, View], Mask]] = {
    ">": _is_child,
    "<": _is_parent,
    ">>": _is_descendant,
    "<<": _is_ancestor,
    "~": _is_sibling,
}
_BACK = {">": "<", "<": ">", ">>": "<<", "<<": ">>", "~": "~"}
