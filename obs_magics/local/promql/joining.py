"""Vector matching: which series of two vectors belong together, one to one, many to one, or as sets.

Follows `VectorBinop`, `VectorAnd`, `VectorOr` and `VectorUnless` of Prometheus' promql/engine.go, at all steps at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from obs_magics.local.promql.context import Context
from obs_magics.local.promql.data import NAME, Array, Labels
from obs_magics.local.promql.values import LabelKey, Vector, empty_vector, format_labels, label_key
from obs_magics.model.errors import QueryError

SET_OPERATORS = ("and", "or", "unless")


class Operation(Protocol):
    """What is done with a pair of samples."""

    drops_name: bool

    def __call__(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Values of pairs, and which pairs are kept."""
        ...


class Complainer(Protocol):
    """Who makes errors that mark a place in the query."""

    def error(self, name: str, message: str, *, hint: str = "") -> QueryError:
        """An error that marks where `name` stands."""
        ...


class Matching:
    """The modifiers of a vector operation: on/ignoring, group_left/group_right, and the labels to copy.

    Args:
        modifier: `BinModifier` of the parser; None for none.
        context: For errors.
        operator: The operator, for errors.
    """

    def __init__(self, modifier: Any, context: Context, operator: str) -> None:
        self.context: Complainer = context
        self.operator = operator
        labels = None if modifier is None else modifier.matching
        self.on = labels is not None and str(labels.type).endswith("Include")
        self.names: list[str] = [] if labels is None else [str(label) for label in labels.labels]
        card = "OneToOne" if modifier is None else str(modifier.card).rpartition(".")[2]
        self.many_left, self.many_right = card == "ManyToOne", card == "OneToMany"
        self.copied: list[str] = [] if modifier is None else [str(label) for label in modifier.group_labels or ()]
        if modifier is not None and (modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None):
            raise context.error("fill", "the fill modifier is not supported by the embedded backend")

    @property
    def one_to_one(self) -> bool:
        """Whether each series has at most one partner."""
        return not (self.many_left or self.many_right)

    def group(self, labels: Labels) -> Labels:
        """The labels by which a series finds its partner."""
        if self.on:
            return {name: labels[name] for name in sorted(self.names) if name in labels}
        return {name: value for name, value in labels.items() if name != NAME and name not in self.names}

    def result(self, many: Labels, one: Labels, *, drops_name: bool) -> Labels:
        """The labels of a pair's result."""
        labels = {name: value for name, value in many.items() if not (drops_name and name == NAME)}
        if self.one_to_one:
            labels = {name: value for name, value in labels.items() if (name in self.names) == self.on}
        for name in self.copied:
            labels.pop(name, None)
            if name in one:
                labels[name] = one[name]
        return dict(sorted(labels.items()))

    def keys(self, vector: Vector) -> list[LabelKey]:
        """The group of each row."""
        return [label_key(self.group(labels)) for labels in vector.labels]


def _rows_by_key(keys: list[LabelKey]) -> dict[LabelKey, list[int]]:
    found: dict[LabelKey, list[int]] = {}
    for row, key in enumerate(keys):
        found.setdefault(key, []).append(row)
    return found


def combine(operator: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """The set operators: at each step, left and right are compared by the groups that are present."""
    left_keys, right_keys = matching.keys(left), matching.keys(right)
    if operator == "or":
        free = right.present & ~_present_groups(left, left_keys, right_keys)
        return Vector(
            [*left.labels, *right.labels],
            np.concatenate([left.values, right.values]),
            np.concatenate([left.present, free]),
        )
    there = _present_groups(right, right_keys, left_keys)
    return Vector(left.labels, left.values, left.present & (there if operator == "and" else ~there))


def _present_groups(vector: Vector, keys: list[LabelKey], wanted: list[LabelKey]) -> Array:
    """Whether (bool [wanted, steps]) any row of each wanted group is present."""
    by_key = _rows_by_key(keys)
    there = np.zeros((len(wanted), vector.present.shape[1]), dtype=bool)
    for row, key in enumerate(wanted):
        if key in by_key:
            there[row] = vector.present[by_key[key]].any(axis=0)
    return there


def join(left: Vector, right: Vector, matching: Matching, operation: Operation) -> Vector:
    """Arithmetic and comparison between the partners of two vectors.

    Raises:
        QueryError: A series has several partners where it may have one.
    """
    many, one = (right, left) if matching.many_right else (left, right)
    steps = many.present.shape[1]
    if not many.labels or not one.labels:
        return empty_vector(steps)
    one_keys = matching.keys(one)
    by_key = _rows_by_key(one_keys)
    _forbid_many_to_many(one, by_key, np.any(many.present, axis=0), matching)
    pairs = [(many_row, one_row) for many_row, key in enumerate(matching.keys(many)) for one_row in by_key.get(key, ())]
    if not pairs:
        return empty_vector(steps)
    many_rows, one_rows = (np.asarray(rows, np.int64) for rows in zip(*pairs, strict=True))
    many_values, one_values = many.values[many_rows], one.values[one_rows]
    sides = (one_values, many_values) if matching.many_right else (many_values, one_values)
    values, kept = operation(*sides)
    present = many.present[many_rows] & one.present[one_rows] & kept
    labels = [
        matching.result(many.labels[row], one.labels[other], drops_name=operation.drops_name) for row, other in pairs
    ]
    _forbid_meeting(labels, [one_keys[other] for other in one_rows], present, matching)
    return Vector(labels, values, present)


def _forbid_many_to_many(one: Vector, by_key: dict[LabelKey, list[int]], asked: Any, matching: Matching) -> None:
    for key, rows in by_key.items():
        if len(rows) < 2:
            continue
        crowded = (one.present[rows].sum(axis=0) > 1) & asked
        if crowded.any():
            step = int(np.argmax(crowded))
            first, second = [row for row in rows if one.present[row, step]][:2]
            raise _many_to_many(dict(key), one.labels[second], one.labels[first], matching)


def _many_to_many(group: Labels, new: Labels, old: Labels, matching: Matching) -> QueryError:
    side = "left" if matching.many_right else "right"
    message = (
        f"found duplicate series for the match group {format_labels(group)} on the {side} hand-side of the operation: "
        f"[{format_labels(new)}, {format_labels(old)}];"
        "many-to-many matching not allowed: matching labels must be unique on one side"
    )
    hint = "aggregate that side first, or match on more labels"
    return matching.context.error(matching.operator, message, hint=hint)


def _forbid_meeting(labels: list[Labels], groups: list[LabelKey], present: Array, matching: Matching) -> None:
    """One-to-one: a group gives one result a step; many-to-one: results of a group differ in their labels."""
    keys = groups if matching.one_to_one else list(zip(groups, map(label_key, labels), strict=True))
    for rows in _meeting_candidates(keys):
        if (present[rows].sum(axis=0) > 1).any():
            explicit = "many-to-one matching must be explicit (group_left/group_right)"
            why = explicit if matching.one_to_one else "grouping labels must ensure unique matches"
            raise matching.context.error(matching.operator, f"multiple matches for labels: {why}")


def _meeting_candidates(keys: list[Any]) -> Iterator[list[int]]:
    return (rows for rows in _rows_by_key(keys).values() if len(rows) > 1)
