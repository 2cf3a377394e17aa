"""The spans of a native folder: one column per attribute, whose type says what the values are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from obs_magics.local.traces.store import StoredSpans
from obs_magics.model.spans import ATTRIBUTES_TYPE, EVENTS_TYPE, KINDS, LINKS_TYPE, SPAN_COLUMNS, STATUSES
from obs_magics.syntax.spans import VALUE_TYPES, Attributes, SpanColumns
from obs_magics.syntax.spans.values import json_text

Integers = npt.NDArray[np.int64]
NEEDED = ("trace_id", "span_id", "start", "duration")
"""Without these a table holds no spans."""
_OWN = frozenset({*SPAN_COLUMNS, "links", "events", "resource_attributes"})
_PAIRS = pa.list_(pa.struct([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.string())]))
# What OpenTelemetry calls resources begins so: https://opentelemetry.io/docs/specs/semconv/resource/
RESOURCE_PREFIXES = (
    "service.",
    "k8s.",
    "host.",
    "deployment.",
    "telemetry.",
    "process.",
    "cloud.",
    "container.",
    "os.",
)
_STRING = VALUE_TYPES.index("string")


def read_native(path: Path) -> SpanColumns:
    """The spans of a native folder's table.

    Raises:
        OSError: The file is missing.
        pyarrow.ArrowException: It is damaged, or not a table of spans.
    """
    table = pq.read_table(path)
    missing = [name for name in NEEDED if name not in table.column_names]
    if missing:
        raise pa.ArrowInvalid(f"{path.name} has no column {' and no column '.join(missing)}")
    return columns_of(table)


def stored_spans(path: Path) -> StoredSpans:
    """The spans of a native folder, read when they are asked for.

    Raises:
        OSError: The file is missing.
        pyarrow.ArrowException: It is damaged.
    """
    return StoredSpans(pq.read_metadata(path).num_rows, lambda: read_native(path))


def columns_of(table: pa.Table) -> SpanColumns:
    """Spans of a table in the shape of a spans frame with one column per attribute; ids as they are written.

    Args:
        table: `trace_id`, `span_id`, `start` (timestamp) and `duration` at least.
    """
    count = len(table)
    names = [name for name in table.column_names if name not in _OWN]
    resource_names = [name for name in names if name.startswith(RESOURCE_PREFIXES)]
    own = [name for name in names if name not in resource_names]
    lent = [_whole(table[name]) for name in resource_names]
    maps = _optional(table, "attributes", ATTRIBUTES_TYPE)
    given = _optional(table, "resource_attributes", ATTRIBUTES_TYPE)
    if given is None:
        resource_of, firsts = _distinct_rows(lent, count)
    else:  # one resource a row: maps have no order that would make them comparable
        resource_of, firsts = np.arange(count, dtype=np.int32), np.arange(count)
    return SpanColumns(
        trace_id=_texts(table, "trace_id"),
        span_id=_texts(table, "span_id"),
        parent_id=_texts(table, "parent_id"),
        service=_texts(table, "service"),
        operation=_texts(table, "operation").fill_null(""),
        kind=_positions(_texts(table, "kind"), KINDS, -1),
        start_ns=_nanoseconds(table["start"], pa.timestamp("ns", tz="UTC")),
        duration_ns=_nanoseconds(table["duration"], pa.duration("ns")),
        status=_positions(_texts(table, "status"), STATUSES, 0),
        status_message=_texts(table, "status_message"),
        attributes=_stacked(own, [_whole(table[name]) for name in own], count, maps),
        resources=_stacked(resource_names, [column.take(pa.array(firsts)) for column in lent], len(firsts), given),
        resource_of=resource_of,
        scopes=Attributes.of([0], [], np.empty(0, np.int8), []),
        scope_of=np.zeros(count, np.int32),
        links=_lists(table, "links", LINKS_TYPE),
        events=_lists(table, "events", EVENTS_TYPE),
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _optional(table: pa.Table, name: str, kind: pa.DataType) -> pa.Array | None:
    return _whole(table[name]).cast(kind) if name in table.column_names else None


def _lists(table: pa.Table, name: str, kind: pa.DataType) -> pa.Array | None:
    """A column of lists; None when there is nothing in any."""
    lists = _optional(table, name, kind)
    is_filled = lists is not None and pc.any(pc.greater(pc.list_value_length(lists), 0)).as_py()
    return lists if is_filled else None


def _texts(table: pa.Table, name: str) -> pa.Array:
    if name not in table.column_names:
        return pa.nulls(len(table), pa.string())
    return _whole(table[name]).cast(pa.string())


def _positions(values: pa.Array, known: Sequence[str], otherwise: int) -> npt.NDArray[np.int8]:
    found = pc.index_in(values, pa.array(known, pa.string())).fill_null(otherwise)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int8)


def _nanoseconds(column: pa.ChunkedArray, kind: pa.DataType) -> Integers:
    return np.asarray(_whole(column).cast(kind).cast(pa.int64()).fill_null(0).to_numpy(), np.int64)


def _distinct_rows(columns: Sequence[pa.Array], count: int) -> tuple[npt.NDArray[np.int32], Integers]:
    """Which of the distinct rows each row is, and where each of those stands first."""
    codes = np.zeros(count, np.int64)
    for column in columns:
        encoded = column.dictionary_encode()
        own = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64) + 1
        _, codes = np.unique(codes * (len(encoded.dictionary) + 1) + own, return_inverse=True)
    _, firsts, numbers = np.unique(codes, return_index=True, return_inverse=True)
    return numbers.astype(np.int32), firsts.astype(np.int64)


def _stacked(names: Sequence[str], columns: Sequence[pa.Array], count: int, maps: pa.Array | None = None) -> Attributes:
    """Columns as attributes of their rows, each row's in order of the columns; then those of a map."""
    pieces = [_of_column(name, column) for name, column in zip(names, columns, strict=True)]
    if maps is not None:
        pieces.append(_of_maps(maps))
    row = np.concatenate([np.empty(0, np.int64), *(piece.rows for piece in pieces)])
    order = np.argsort(row, kind="stable")
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=count), out=offsets[1:])
    taken, none = pa.array(order), pa.array([], pa.string())
    found = Attributes(
        offsets,
        pa.concat_arrays([none, *(piece.keys for piece in pieces)]).take(taken),
        np.concatenate([np.empty(0, np.int8), *(piece.types for piece in pieces)])[order],
        pa.concat_arrays([none, *(piece.texts for piece in pieces)]).take(taken),
    )
    return found if maps is None else found.once()


@dataclass(frozen=True, slots=True)
class _Piece:
    """Attributes of one column: the row, the key, the type and the text of each."""

    rows: Integers
    keys: pa.Array
    types: npt.NDArray[np.int8]
    texts: pa.Array


def _of_column(name: str, column: pa.Array) -> _Piece:
    there = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    code, texts = _written(column if len(there) == len(column) else column.take(pa.array(there)))
    keys = pa.repeat(pa.scalar(name, pa.string()), len(there))
    return _Piece(there, keys, np.full(len(there), code, np.int8), texts)


def _of_maps(maps: pa.Array) -> _Piece:
    """A map has texts alone."""
    lists = maps.cast(pa.map_(pa.string(), pa.string())).cast(_PAIRS)
    pairs = pc.list_flatten(lists)
    keys, texts = pc.struct_field(pairs, [0]), pc.struct_field(pairs, [1])
    there = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
    rows = np.asarray(pc.list_parent_indices(lists).to_numpy(zero_copy_only=False), np.int64)[there]
    taken = pa.array(there)
    return _Piece(rows, keys.take(taken), np.full(len(there), _STRING, np.int8), texts.take(taken))


def _written(values: pa.Array) -> tuple[int, pa.Array]:
    """The type of a column's values, and the values as `Attributes` writes them."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return VALUE_TYPES.index("bool"), values.cast(pa.string())
    if pa.types.is_integer(kind):
        return VALUE_TYPES.index("int"), values.cast(pa.string())
    if pa.types.is_floating(kind):
        return VALUE_TYPES.index("double"), pa.array([repr(float(value)) for value in values.to_pylist()], pa.string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _STRING, values.cast(pa.string())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return VALUE_TYPES.index("array"), pa.array(list(map(json_text, values.to_pylist())), pa.string())
    return _STRING, pa.array([str(value) for value in values.to_pylist()], pa.string())
