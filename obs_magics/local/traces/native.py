"""The spans of a native folder: one column per attribute, whose type says what the values are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from obs_magics.local.traces.store import StoredSpans
from obs_magics.model.spans import KINDS, LINKS_TYPE, SPAN_COLUMNS, STATUSES
from obs_magics.syntax.spans import VALUE_TYPES, Attributes, SpanColumns
from obs_magics.syntax.spans.values import json_text

Integers = npt.NDArray[np.int64]
NEEDED = ("trace_id", "span_id", "start", "duration")
"""Without these a table holds no spans."""
_OWN = frozenset({*SPAN_COLUMNS, "links", "events"})
# What OpenTelemetry calls resources begins so: https://opentelemetry.io/docs/specs/semconv/resource/
RESOURCE_PREFIXES = ("service.", "k8s.", "host.", "deployment.", "telemetry.", "process.", "cloud.", "container.", "os.")
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
    lent = [_whole(table[name]) for name in resource_names]
    resource_of, firsts = _distinct_rows(lent, count)
    links = _whole(table["links"]).cast(LINKS_TYPE) if "links" in table.column_names else None
    if links is not None and not pc.any(pc.greater(pc.list_value_length(links), 0)).as_py():
        links = None
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
        attributes=_attributes([name for name in names if name not in resource_names], table, count),
        resources=_stacked(resource_names, [column.take(pa.array(firsts)) for column in lent], len(firsts)),
        resource_of=resource_of,
        scopes=Attributes.of([0], [], np.empty(0, np.int8), []),
        scope_of=np.zeros(count, np.int32),
        links=links,
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], column.type)
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


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


def _attributes(names: Sequence[str], table: pa.Table, count: int) -> Attributes:
    return _stacked(names, [_whole(table[name]) for name in names], count)


def _stacked(names: Sequence[str], columns: Sequence[pa.Array], count: int) -> Attributes:
    """Columns as attributes of their rows, each row's in order of the columns."""
    rows, keys, types, texts = [np.empty(0, np.int64)], [], [np.empty(0, np.int8)], []
    for name, column in zip(names, columns, strict=True):
        there = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
        rows.append(there)
        code, written = _written(column.take(pa.array(there)))
        types.append(np.full(len(there), code, np.int8))
        texts.append(written)
        keys.append(pa.repeat(pa.scalar(name, pa.string()), len(there)))
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=count), out=offsets[1:])
    taken = pa.array(order)
    return Attributes(
        offsets,
        pa.concat_arrays([pa.array([], pa.string()), *keys]).take(taken),
        np.concatenate(types)[order],
        pa.concat_arrays([pa.array([], pa.string()), *texts]).take(taken),
    )


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
