"""Attributes of a store as typed values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.traceql.values import (
    BOOL,
    DURATION,
    FLOAT,
    INT,
    MANY,
    NIL,
    STRING,
    Integers,
    Many,
    Values,
)
from obs_magics.syntax.spans import VALUE_TYPES, Attributes, SpanColumns

_STRING, _INT, _DOUBLE, _BOOL, _ARRAY = map(VALUE_TYPES.index, ("string", "int", "double", "bool", "array"))
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def attribute_values(table: Attributes, name: str) -> Values:
    """One value per owner of an attribute; bytes, lists of pairs and empty values count as none, as in Tempo."""
    places = np.flatnonzero(pc.equal(table.keys, name).to_numpy(zero_copy_only=False))
    size = len(table)
    owners = np.searchsorted(table.offsets, places, side="right") - 1
    kinds = table.types[places]
    found = Values.nil(size)
    for code, read in _READERS.items():
        chosen = np.flatnonzero(kinds == code)
        if len(chosen):
            found = read(size, owners[chosen], table.texts.take(pa.array(places[chosen]))).over(found)
    return found


def _spread(size: int, owners: Integers, values: Any, otherwise: Any) -> Any:
    whole = np.full(size, otherwise)
    whole[owners] = values
    return whole


def _strings(size: int, owners: Integers, texts: pa.Array) -> Values:
    encoded = texts.dictionary_encode()
    codes = _spread(size, owners, encoded.indices.to_numpy(zero_copy_only=False), -1)
    return Values.of(np.where(codes < 0, NIL, STRING), codes=codes, strings=encoded.dictionary)


def _ints(size: int, owners: Integers, texts: pa.Array) -> Values:
    try:
        numbers = texts.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:  # larger than 64 bits hold: as near as they do
        numbers = np.array([min(max(int(text), _LOWEST), _HIGHEST) for text in texts.to_pylist()], np.int64)
    return Values.of(_spread(size, owners, INT, NIL), numbers=_spread(size, owners, numbers, 0))


def _floats(size: int, owners: Integers, texts: pa.Array) -> Values:
    numbers = np.array([float(text) for text in texts.to_pylist()], np.float64)
    return Values.of(_spread(size, owners, FLOAT, NIL), floats=_spread(size, owners, numbers, 0.0))


def _bools(size: int, owners: Integers, texts: pa.Array) -> Values:
    flags = pc.equal(texts, "true").to_numpy(zero_copy_only=False)
    return Values.of(_spread(size, owners, BOOL, NIL), numbers=_spread(size, owners, flags.astype(np.int64), 0))


def _arrays(size: int, owners: Integers, texts: pa.Array) -> Values:
    """Arrays of one type of element; others count as none."""
    lists = [_of_one_type(json.loads(text)) for text in texts.to_pylist()]
    there = [number for number, elements in enumerate(lists) if elements is not None]
    flat = [element for number in there for element in lists[number] or ()]
    counts = [len(lists[number] or ()) for number in there]
    elements = _plain(flat)
    whose = np.repeat(owners[there], counts)
    types = _spread(size, owners[there], MANY, NIL)
    return Values.of(types, many=Many(whose, elements, all_differ=True))


def _of_one_type(elements: list[Any]) -> list[Any] | None:
    kinds = {type(element) for element in elements}
    return elements if len(kinds) <= 1 and kinds <= {str, int, float, bool} else None


def _plain(elements: list[Any]) -> Values:
    """Values of Python."""
    types = np.array([_TYPES[type(element)] for element in elements], np.int8)
    numbers = [int(element) if isinstance(element, int) else 0 for element in elements]
    floats = [element if isinstance(element, float) else 0.0 for element in elements]
    texts = pa.array([element if isinstance(element, str) else None for element in elements], pa.string())
    encoded = texts.dictionary_encode()
    return Values.of(
        types,
        numbers=np.array([min(max(number, _LOWEST), _HIGHEST) for number in numbers], np.int64),
        floats=np.array(floats, np.float64),
        codes=encoded.indices.fill_null(0).to_numpy(zero_copy_only=False),
        strings=encoded.dictionary,
    )


_TYPES: Mapping[type, int] = {str: STRING, int: INT, float: FLOAT, bool: BOOL}
_READERS: Mapping[int, Callable[[int, Integers, pa.Array], Values]] = {
    _STRING: _strings,
    _INT: _ints,
    _DOUBLE: _floats,
    _BOOL: _bools,
    _ARRAY: _arrays,
}


def event_values(columns: SpanColumns, name: str, rows: Integers) -> Values:
    """What the events of each span have: ``:name``, ``:timeSinceStart``, or an attribute, whose values are texts."""
    if columns.events is None:
        return Values.nil(len(rows))
    lists = columns.events.take(pa.array(rows))
    owners, events = _flat(lists)
    if name == ":timeSinceStart":
        times = pc.struct_field(events, "timestamp").cast(pa.int64()).to_numpy(zero_copy_only=False)
        elements = Values.of(DURATION, numbers=times - columns.start_ns[rows][owners], size=len(owners))
    elif name == ":name":
        elements = Values.texts(pc.struct_field(events, "name"))
    else:
        elements = Values.texts(pc.map_lookup(pc.struct_field(events, "attributes"), pa.scalar(name), "last"))
    return _any_of(len(rows), owners, elements)


def link_values(links: pa.Array | None, field: str, rows: Integers) -> Values:
    """The `traceID` or the `spanID` of each span's links."""
    if links is None:
        return Values.nil(len(rows))
    owners, flat = _flat(links.take(pa.array(rows)))
    names = {"traceID": "trace_id", "spanID": "span_id"}
    return _any_of(len(rows), owners, Values.texts(pc.struct_field(flat, names[field])))


def _flat(lists: pa.Array) -> tuple[Integers, pa.Array]:
    owners = np.asarray(pc.list_parent_indices(lists).to_numpy(zero_copy_only=False), np.int64)
    return owners, pc.list_flatten(lists)


def _any_of(size: int, owners: Integers, elements: Values) -> Values:
    """Several values of a span, one of which has to fulfil a condition."""
    there = elements.types != NIL
    kept = owners[there]
    types = np.full(size, NIL)
    types[kept] = MANY
    return Values.of(types, many=Many(kept, elements.take(np.flatnonzero(there)), all_differ=False))
