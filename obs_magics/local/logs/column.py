"""A label over many lines: a code per line, and the distinct texts that the codes stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Array = np.ndarray[Any, Any]

# Values that no line has any more are dropped once there are this many times more of them than lines.
_SPARSE = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One label of some lines.

    Args:
        codes: int32, one per line: a position in `values`, -1 where the line lacks the label.
        values: Distinct strings (`large_string`, no nulls); some may be unused.
    """

    codes: Array
    values: pa.Array

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, values: pa.Array | pa.ChunkedArray) -> Column:
        """From Arrow strings or a dictionary of them, null where the label is missing."""
        chunked = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
        if not pa.types.is_dictionary(chunked.type):
            chunked = chunked.cast(pa.large_string()).dictionary_encode()
        whole = chunked.unify_dictionaries().combine_chunks()
        if isinstance(whole, pa.ChunkedArray):  # no chunks at all
            return cls.missing(0)
        codes = np.asarray(whole.indices.cast(pa.int32()).fill_null(-1), np.int32)
        return _distinct(codes, whole.dictionary.cast(pa.large_string()))

    @classmethod
    def missing(cls, size: int) -> Column:
        """A label that no line has."""
        return cls(np.full(size, -1, np.int32), NO_VALUES)

    @classmethod
    def constant(cls, size: int, value: str) -> Column:
        """A label that every line has, with the same value."""
        return cls(np.zeros(size, np.int32), pa.array([value], pa.large_string()))

    @property
    def present(self) -> Array:
        """bool: which lines have the label."""
        there: Array = self.codes >= 0
        return there

    def texts(self) -> list[str]:
        """The distinct values as Python strings."""
        found: list[str] = self.values.to_pylist()
        return found

    def strings(self) -> pa.Array:
        """One string per line, null where the label is missing."""
        return self.values.take(pa.array(self.codes, mask=self.codes < 0))

    def kept(self, mask: Array) -> Column:
        """Only the lines for which `mask` (bool) is true, or those whose positions it names."""
        codes = self.codes[mask]
        return (
            Column(codes, self.values).compact()
            if len(self.values) > _SPARSE * len(codes) + 64
            else Column(codes, self.values)
        )

    def compact(self) -> Column:
        """The same without values that no line has."""
        used, codes = np.unique(self.codes, return_inverse=True)
        if len(used) and used[0] < 0:
            used, codes = used[1:], codes - 1
        return Column(codes.astype(np.int32), self.values.take(pa.array(used)))

    def where(self, keep: Array) -> Column:
        """The same, but missing where `keep` (bool) is false."""
        return self if keep.all() else Column(np.where(keep, self.codes, np.int32(-1)), self.values)

    def over(self, other: Column) -> Column:
        """This label, and `other` where this one is missing."""
        here = self.present
        if here.all() or not other.present.any():
            return self
        if not here.any():
            return other
        codes = np.where(here, self.codes, np.where(other.codes >= 0, other.codes + np.int32(len(self.values)), -1))
        return _distinct(codes.astype(np.int32), pa.concat_arrays([self.values, other.values]))

    def mask(self, fulfilled: Callable[[str], bool], *, missing: bool) -> Array:
        """bool: which lines have a value that is `fulfilled`; `missing` is the answer for those without."""
        column = self.compact() if len(self.values) > len(self.codes) else self
        answers = np.fromiter((fulfilled(value) for value in column.texts()), bool, len(column.values))
        return column.spread(answers, missing=missing)

    def spread(self, answers: Array | pa.Array, *, missing: bool) -> Array:
        """bool: an answer for each line from one for each value; `missing` is that for lines without the label."""
        picked: Array = np.append(np.asarray(answers), missing)[self.codes]  # the last place answers for -1
        return picked


NO_VALUES = pa.array([], pa.large_string())


def _distinct(codes: Array, values: pa.Array) -> Column:
    """A column whose `values` may hold nulls and repetitions, made one that does not."""
    encoded = values.dictionary_encode()
    if len(encoded.dictionary) == len(values):
        return Column(codes, values)
    moved = np.asarray(encoded.indices.fill_null(-1), np.int32)
    return Column(np.append(moved, np.int32(-1))[codes].astype(np.int32), encoded.dictionary)


def scattered(size: int, positions: Sequence[Array], values: Sequence[pa.Array]) -> Column:
    """A label of `size` lines from pieces: the lines' positions and their strings; of two for a line the first stays.

    Args:
        size: How many lines there are.
        positions: int64, per piece.
        values: Strings, per piece; null where the line lacks the label.
    """
    whole = pa.concat_arrays([piece.cast(pa.large_string()) for piece in values])
    encoded = whole.dictionary_encode()
    places = np.concatenate(positions)
    found = np.asarray(encoded.indices.fill_null(-1), np.int32)
    there = found >= 0
    codes = np.full(size, -1, np.int32)
    codes[places[there][::-1]] = found[there][::-1]  # numpy keeps what it writes last
    return Column(codes, encoded.dictionary)


def without_invalid(column: Column) -> Column:
    """U+FFFD, which stands for bytes that were no UTF-8, made a space, as Loki does."""
    if not pc.any(pc.match_substring(column.values, "\ufffd")).as_py():
        return column
    return _distinct(column.codes, pc.replace_substring(column.values, "\ufffd", " "))
