"""Text inside maps, lists and structs: attributes of spans, their events. Type and nulls stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Makes an array of strings safe, given the name of what it holds.
Redact: TypeAlias = Callable[[Any, str], Any]


def is_nested(kind: Any) -> bool:
    """Whether this is a map, a struct, or a list of such."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return is_nested(kind.value_type)
    return bool(pa.types.is_map(kind) or pa.types.is_struct(kind))


def redact_nested(values: Any, redact: Redact, name: str = "") -> Any:
    """An array without what has to go.

    Args:
        values: An Arrow array of any type; what holds no text stays as it is.
        redact: For the strings in it. A key of a map, or the name of a field, is the name of its values, and may say
            that they are secret.
        name: Of the whole.
    """
    kind = values.type
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_map(kind):
        return _map(values, redact)
    if pa.types.is_list(kind) and is_nested(kind):
        inside = redact_nested(values.flatten(), redact, name)
        return pa.ListArray.from_arrays(_offsets(values), inside, type=kind, mask=_mask(values))
    if pa.types.is_struct(kind):
        fields = [redact_nested(pc.struct_field(values, field.name), redact, field.name) for field in kind]
        return pa.StructArray.from_arrays(fields, fields=list(kind), mask=_mask(values))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return redact(values, name)
    return values


def _map(values: Any, redact: Redact) -> Any:
    """Values key by key, where the key says that they are secret; all others together."""
    kind = values.type
    pairs = values.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)]))).flatten()
    keys, items = pc.struct_field(pairs, "key"), pc.struct_field(pairs, "value")
    encoded = keys.dictionary_encode()
    codes = np.asarray(encoded.indices)
    for code, key in enumerate(encoded.dictionary.to_pylist()):
        rows = np.flatnonzero(codes == code)
        own = items.take(pa.array(rows))
        safe = redact(own, key)
        if not safe.equals(own):
            items = pc.replace_with_mask(items, pa.array(codes == code), safe)
    return pa.MapArray.from_arrays(_offsets(values), keys, items, type=kind, mask=_mask(values))


def _offsets(values: Any) -> Any:
    if pa.types.is_map(values.type):
        kind = values.type
        values = values.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    return pa.array(np.concatenate([[0], np.cumsum(np.asarray(lengths))]), pa.int32())


def _mask(values: Any) -> Any:
    return pc.is_null(values) if values.null_count else None
