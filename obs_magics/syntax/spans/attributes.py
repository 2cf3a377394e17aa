"""Attributes of many spans, resources or scopes at once: typed, and as Arrow maps of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.model.spans import ATTRIBUTES_TYPE

Integers: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int8]
ValueType = Literal["string", "int", "double", "bool", "bytes", "array", "kvlist", "empty"]

VALUE_TYPES: tuple[ValueType, ...] = get_args(ValueType)
"""OpenTelemetry's types of a value; the position is the code in `Attributes.types`."""

_MOST_PLACES = 1 << 26  # pairs of owner and key looked up in a table; more are sorted


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of several owners, one after the other: those of owner i are `offsets[i]` to `offsets[i + 1]`.

    An owner has a key once: of two with one key the last is kept.

    Args:
        offsets: int64, one more than there are owners.
        keys: Strings.
        types: int8, positions in `VALUE_TYPES`.
        texts: Strings: text as it is; integers in decimal digits, exactly; doubles as Python writes them (`0.5`, `nan`,
            `inf`); `true` and `false`; bytes in base64; arrays and key-value lists as plain JSON (`["a",1]`); an empty
            value is an empty text.
    """

    offsets: Integers
    keys: pa.Array
    types: Codes
    texts: pa.Array

    @classmethod
    def of(
        cls, counts: Sequence[int] | Integers, keys: Sequence[str], types: Codes, texts: Sequence[str]
    ) -> Attributes:
        """Attributes that lie end to end.

        Args:
            counts: How many each owner has.
            keys: Of all of them.
            types: Likewise.
            texts: Likewise.
        """
        offsets = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        return cls(offsets, pa.array(keys, pa.string()), types, pa.array(texts, pa.string())).once()

    def __len__(self) -> int:
        """How many owners there are."""
        return len(self.offsets) - 1

    def owners(self) -> Integers:
        """Which owner each attribute is of."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))

    def values_of(self, key: str) -> tuple[Integers, pa.Array]:
        """The owners that have this attribute, ascending, and its texts."""
        places = self._places(key)
        return np.searchsorted(self.offsets, places, side="right") - 1, self.texts.take(pa.array(places))

    def texts_of(self, key: str) -> pa.Array:
        """The text of one attribute for each owner, null where it has none."""
        owners, texts = self.values_of(key)
        positions = np.full(len(self), -1, np.int64)
        positions[owners] = np.arange(len(owners))
        return texts.take(pa.array(positions, mask=positions < 0))

    def only(self, kept: npt.NDArray[np.bool_]) -> Attributes:
        """Those attributes for which `kept` is true; the owners stay."""
        if kept.all():
            return self
        offsets = np.zeros(len(self) + 1, np.int64)
        np.cumsum(np.bincount(self.owners()[kept], minlength=len(self)), out=offsets[1:])
        mask = pa.array(kept)
        return Attributes(offsets, self.keys.filter(mask), self.types[kept], self.texts.filter(mask))

    def without(self, key: str, kept_where: npt.NDArray[np.bool_] | None = None) -> Attributes:
        """All but this one, which owners keep where `kept_where` (one per owner) is true."""
        places = self._places(key)
        kept = np.ones(len(self.keys), bool)
        kept[places] = (
            False if kept_where is None else kept_where[np.searchsorted(self.offsets, places, side="right") - 1]
        )
        return self.only(kept)

    def plus(self, key: str, texts: pa.Array, code: int) -> Attributes:
        """With one more, before the others, for the owners whose text is not null."""
        owners = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
        if not len(owners):
            return self
        rows = np.concatenate([owners, self.owners()])
        order = np.argsort(rows, kind="stable")
        offsets = np.zeros(len(self) + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=len(self)), out=offsets[1:])
        keys = pa.concat_arrays([pa.array([key] * len(owners), pa.string()), self.keys]).take(pa.array(order))
        both = pa.concat_arrays([texts.take(pa.array(owners)), self.texts]).take(pa.array(order))
        types = np.concatenate([np.full(len(owners), code, np.int8), self.types])[order]
        return Attributes(offsets, keys, types, both).once()

    def taken(self, owners: npt.NDArray[np.integer[Any]]) -> Attributes:
        """The attributes of these owners, in their order."""
        counts = np.diff(self.offsets)[owners]
        offsets = np.zeros(len(owners) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        items = _spread(self.offsets[owners], counts)
        places = pa.array(items)
        return Attributes(offsets, self.keys.take(places), self.types[items], self.texts.take(places))

    def once(self) -> Attributes:
        """Each key once per owner, with its last value."""
        codes, known = _codes([self.keys])
        places = self.owners() * known + codes[0]
        if _all_differ(places, len(self) * known):
            return self
        _, behind = np.unique(places[::-1], return_index=True)
        kept = np.zeros(len(places), bool)
        kept[len(places) - 1 - behind] = True
        return self.only(kept)

    def as_maps(self) -> pa.Array:
        """One `ATTRIBUTES_TYPE` per owner."""
        return _maps(self.offsets, self.keys, self.texts)

    def _places(self, key: str) -> Integers:
        """Where a key stands."""
        found: Integers = np.flatnonzero(
            pc.equal(self.keys, key).to_numpy(zero_copy_only=False).astype(bool, copy=False)
        )
        return found


def concatenated(parts: Sequence[Attributes]) -> Attributes:
    """The owners of all parts, one after the other."""
    ends = np.cumsum([0, *(len(part.keys) for part in parts)])
    offsets = [part.offsets[1:] + end for part, end in zip(parts, ends, strict=False)]
    return Attributes(
        np.concatenate([np.zeros(1, np.int64), *offsets]),
        pa.concat_arrays([part.keys for part in parts]) if parts else pa.array([], pa.string()),
        np.concatenate([np.empty(0, np.int8), *(part.types for part in parts)]),
        pa.concat_arrays([part.texts for part in parts]) if parts else pa.array([], pa.string()),
    )


def merged(own: Attributes, lent: Sequence[tuple[Attributes, npt.NDArray[np.integer[Any]]]]) -> pa.Array:
    """One `ATTRIBUTES_TYPE` per owner of `own`: its own, then what others lend it that it does not have yet.

    Args:
        own: The attributes of each row.
        lent: Attributes of others (scopes, resources), and which of them lends to each row; the first comes first.
    """
    lent = [(attributes, lender) for attributes, lender in lent if len(attributes.keys)]
    if not lent:
        return own.as_maps()
    tables = [own, *(attributes for attributes, _ in lent)]
    codes, known = _codes([table.keys for table in tables])
    rows, items, names = [own.owners()], [np.arange(len(own.keys))], [codes[0]]
    base = len(own.keys)
    for (attributes, lender), code in zip(lent, codes[1:], strict=True):
        counts = np.diff(attributes.offsets)[lender]
        row = np.repeat(np.arange(len(own)), counts)
        item = _spread(attributes.offsets[lender], counts)
        new = _not_there(rows, names, row, code[item], known)
        rows.append(row[new])
        items.append(item[new] + base)
        names.append(code[item][new])
        base += len(attributes.keys)
    row = np.concatenate(rows)
    order = pa.array(np.concatenate(items)[np.argsort(row, kind="stable")])
    offsets = np.zeros(len(own) + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=len(own)), out=offsets[1:])
    keys = pa.concat_arrays([table.keys for table in tables]).take(order)
    return _maps(offsets, keys, pa.concat_arrays([table.texts for table in tables]).take(order))


def _not_there(
    rows: Sequence[Integers], names: Sequence[Integers], row: Integers, name: Integers, known: int
) -> npt.NDArray[np.bool_]:
    """Which pairs of row and name do not stand among the earlier ones."""
    used = np.zeros(known, bool)
    for earlier in names:
        used[earlier] = True
    doubtful = used[name]
    new = ~doubtful
    if doubtful.any():
        there = np.concatenate([r * known + n for r, n in zip(rows, names, strict=True)])
        new[doubtful] = ~np.isin(row[doubtful] * known + name[doubtful], there)
    return new


def _codes(keys: Sequence[pa.Array]) -> tuple[list[Integers], int]:
    """Keys of several tables as numbers that mean the same in all of them, and how many there are."""
    encoded = pa.concat_arrays(keys).dictionary_encode()
    flat = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum([len(part) for part in keys])[:-1]
    return list(np.split(flat, ends)), max(len(encoded.dictionary), 1)


def _all_differ(places: Integers, space: int) -> bool:
    if space > _MOST_PLACES:
        return len(np.unique(places)) == len(places)
    seen = np.zeros(space, bool)
    seen[places] = True
    return int(np.count_nonzero(seen)) == len(places)


def _spread(starts: Integers, counts: Integers) -> Integers:
    """The numbers from each start on, as many as its count says: `[5, 0], [2, 3]` gives `[5, 6, 0, 1, 2]`."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    spread: Integers = np.arange(total) + np.repeat(starts - ends + counts, counts)
    return spread


def _maps(offsets: Integers, keys: pa.Array, texts: pa.Array) -> pa.Array:
    return pa.MapArray.from_arrays(pa.array(offsets.astype(np.int32)), keys, texts).cast(ATTRIBUTES_TYPE)
