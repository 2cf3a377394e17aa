"""One value per span, of whatever type each has: what an expression of TraceQL gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from obs_magics.model.spans import KINDS, STATUSES
from obs_magics.syntax.traceql.tree import Static

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

NIL, STRING, INT, FLOAT, BOOL, DURATION, STATUS, KIND, MANY = range(9)
TYPE_NAMES = ("nil", "string", "int", "float", "bool", "duration", "status", "kind")
NUMERIC = (INT, FLOAT, DURATION)
NO_STRINGS = pa.array([], pa.string())
UNSPECIFIED = -1
"""A kind that is none of `KINDS`."""


@dataclass(frozen=True, slots=True)
class Many:
    """Several values of some spans: the elements of an array, or one of each event.

    Args:
        owners: int64, ascending: whose each is.
        elements: The values, none of them many itself.
        all_differ: Whether all elements have to differ where one is asked to (arrays), or any of them (events).
    """

    owners: Integers
    elements: Values
    all_differ: bool


@dataclass(frozen=True, slots=True)
class Values:
    """Values of spans.

    Args:
        types: int8: `NIL` … `MANY`.
        numbers: int64: of `INT`; nanoseconds of `DURATION`; 0 and 1 of `BOOL`; positions in `STATUSES` and `KINDS`.
        floats: float64, of `FLOAT`.
        codes: int32, positions in `strings`, of `STRING`.
        strings: Distinct or not; some may be unused.
        many: Of those whose type is `MANY`.
    """

    types: Codes
    numbers: Integers
    floats: Floats
    codes: npt.NDArray[np.int32]
    strings: pa.Array
    many: Many | None = None

    def __len__(self) -> int:
        return len(self.types)

    @classmethod
    def of(
        cls, types: Any, *, numbers: Any = 0, floats: Any = 0.0, codes: Any = 0, strings: pa.Array = NO_STRINGS,
        many: Many | None = None, size: int | None = None,
    ) -> Values:  # fmt: skip
        """From arrays, and numbers that stand for all spans."""
        length = len(types) if size is None else size

        def whole(array: Any, kind: Any) -> Any:
            return np.broadcast_to(np.asarray(array, kind), (length,))

        return cls(
            whole(types, np.int8), whole(numbers, np.int64), whole(floats, np.float64), whole(codes, np.int32), strings,
            many,
        )  # fmt: skip

    @classmethod
    def nil(cls, size: int) -> Values:
        """No value at all."""
        return cls.of(NIL, size=size)

    @classmethod
    def bools(cls, mask: Mask) -> Values:
        """True or false."""
        return cls.of(BOOL, numbers=mask, size=len(mask))

    @classmethod
    def constant(cls, static: Static, size: int) -> Values:
        """A literal."""
        kind, value = TYPE_NAMES.index(static.type), static.value
        if kind == STRING:
            text = str(value).encode("utf-8", "replace").decode()
            return cls.of(kind, strings=pa.array([text], pa.string()), size=size)
        if kind == FLOAT:
            return cls.of(kind, floats=value, size=size)
        return cls.of(kind, numbers=_number(kind, value), size=size)

    @classmethod
    def texts(cls, texts: pa.Array) -> Values:
        """Strings, nil where null."""
        encoded = texts.dictionary_encode()
        codes = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int32)
        return cls.of(np.where(codes < 0, NIL, STRING), codes=codes, strings=encoded.dictionary)

    def take(self, rows: npt.NDArray[np.integer[Any]]) -> Values:
        """Those of some spans, in their order."""
        many = None if self.many is None else _taken(self.many, rows)
        parts = (self.types, self.numbers, self.floats, self.codes)
        types, numbers, floats, codes = (part[rows] for part in parts)
        return Values(types, numbers, floats, codes, self.strings, many)

    def over(self, other: Values) -> Values:
        """These, and others where these are nil."""
        gaps = self.types == NIL
        if not gaps.any() or (other.types == NIL).all():
            return self
        if gaps.all():
            return other
        codes = np.where(gaps, other.codes + np.int32(len(self.strings)), self.codes)
        return Values(
            np.where(gaps, other.types, self.types),
            np.where(gaps, other.numbers, self.numbers),
            np.where(gaps, other.floats, self.floats),
            codes,
            pa.concat_arrays([self.strings, other.strings]),
            _mixed(self, other, gaps),
        )

    def first(self) -> Values:
        """With the first of many for those that have several."""
        if self.many is None:
            return self
        owners, places = np.unique(self.many.owners, return_index=True)
        found = np.full(len(self), -1, np.int64)
        found[owners] = places
        firsts = Values.nil(len(self)) if not len(places) else self.many.elements.take(np.maximum(found, 0))
        kept = Values.of(
            np.where(self.types == MANY, NIL, self.types), numbers=self.numbers, floats=self.floats, codes=self.codes,
            strings=self.strings,
        )  # fmt: skip
        there = Values.of(
            np.where(found >= 0, firsts.types, NIL), numbers=firsts.numbers, floats=firsts.floats, codes=firsts.codes,
            strings=firsts.strings,
        )  # fmt: skip
        return kept.over(there)

    @property
    def true(self) -> Mask:
        """bool: which are the bool true."""
        found: Mask = (self.types == BOOL) & (self.numbers == 1)
        return found

    @property
    def is_numeric(self) -> Mask:
        """bool: which are numbers or durations."""
        return np.isin(self.types, NUMERIC)

    def as_floats(self) -> Floats:
        """float64; durations in nanoseconds, NaN for what is no number."""
        numbers = np.where(self.types == FLOAT, self.floats, self.numbers.astype(np.float64))
        return np.where(self.is_numeric, numbers, np.nan)


def _number(kind: int, value: Any) -> int:
    if kind == STATUS:
        return STATUSES.index(value)
    if kind == KIND:
        return KINDS.index(value) if value in KINDS else UNSPECIFIED
    return 0 if kind == NIL else int(value)


def _taken(many: Many, rows: npt.NDArray[np.integer[Any]]) -> Many:
    starts = np.searchsorted(many.owners, rows)
    counts = np.searchsorted(many.owners, rows, side="right") - starts
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    places = np.arange(total) + np.repeat(starts - ends + counts, counts)
    return Many(np.repeat(np.arange(len(rows)), counts), many.elements.take(places), many.all_differ)


def _mixed(one: Values, other: Values, gaps: Mask) -> Many | None:
    """The many of both; in those of `other` only where `one` is nil."""
    if other.many is None:
        return one.many
    kept = gaps[other.many.owners]
    added = Many(other.many.owners[kept], other.many.elements.take(np.flatnonzero(kept)), other.many.all_differ)
    if one.many is None:
        return added
    order = np.argsort(np.concatenate([one.many.owners, added.owners]), kind="stable")
    owners = np.concatenate([one.many.owners, added.owners])[order]
    first, second = one.many.elements, added.elements
    strings = pa.concat_arrays([first.strings, second.strings])
    both = Values(
        np.concatenate([first.types, second.types]),
        np.concatenate([first.numbers, second.numbers]),
        np.concatenate([first.floats, second.floats]),
        np.concatenate([first.codes, second.codes + np.int32(len(first.strings))]),
        strings,
    )
    return Many(owners, both.take(order), one.many.all_differ)
