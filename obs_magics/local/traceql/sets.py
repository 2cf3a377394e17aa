"""Sets of spans: what goes from stage to stage of a pipeline. Of one trace there may be several, behind `by`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from obs_magics.local.traceql.values import Integers, Mask
from obs_magics.local.traceql.view import View


@dataclass(frozen=True, slots=True)
class Sets:
    """Sets of spans, none of them empty.

    Args:
        rows: int64, the members: positions in the view; those of a set stand together.
        groups: int64, ascending from 0: the set of each member.
        inputs: int64, one per set: which set of what went in it was made of.
    """

    rows: Integers
    groups: Integers
    inputs: Integers

    @property
    def count(self) -> int:
        """How many sets there are."""
        return len(self.inputs)

    def inner(self) -> Sets:
        """The same as what goes into a stage: each set is made of itself."""
        return Sets(self.rows, self.groups, np.arange(self.count))

    def kept(self, members: Mask) -> Sets:
        """With some members only; sets without any are gone. `inputs` says which set of these it was."""
        return grouped(self.rows[members], self.groups[members])

    def only(self, sets: Mask) -> Sets:
        """Some of the sets."""
        return self.kept(sets[self.groups])

    def of_inputs(self, earlier: Sets) -> Sets:
        """The same, made of what `earlier` was made of."""
        return Sets(self.rows, self.groups, earlier.inputs[self.inputs])

    def sizes(self) -> Integers:
        """How many members each has."""
        return np.bincount(self.groups, minlength=self.count)


def whole_traces(view: View) -> Sets:
    """All spans, a set per trace."""
    return grouped(np.arange(len(view)), view.trace)


def grouped(rows: Integers, keys: Integers) -> Sets:
    """One set per key (ascending); its input is the key."""
    changes = np.diff(keys, prepend=-1) != 0
    return Sets(rows, np.cumsum(changes) - 1, keys[changes])


def united(one: Sets, other: Sets) -> Sets:
    """The members of both, each once, a set per input."""
    keys = np.concatenate([one.inputs[one.groups], other.inputs[other.groups]])
    return of_pairs(keys, np.concatenate([one.rows, other.rows]))


def of_pairs(keys: Integers, rows: Integers) -> Sets:
    """Sets by their inputs, of members in whatever order, each once."""
    size = int(rows.max()) + 1 if len(rows) else 1
    pairs = np.unique(keys * size + rows)
    return grouped(pairs % size, pairs // size)
