"""Tables of log lines brought into one shape: in order of time, labels as dictionaries, the rest as strings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.logs.column import Array, Column

TIME, MESSAGE = "timestamp", "message"
# What differs from line to line by its nature, however few lines there are.
PER_LINE = ("trace_id", "span_id")
# A column of plain strings with at most so many distinct ones tells streams apart.
MOST_STREAM_VALUES = 1_000

_TIMESTAMP = pa.timestamp("ns", tz="UTC")


def times_of(table: pa.Table) -> Array:
    """The times of a table's lines: int64, nanoseconds since the epoch."""
    instants = table[TIME].cast(_TIMESTAMP).cast(pa.int64())
    return np.asarray(instants.to_numpy(), np.int64)


def order_of(times_ns: Array) -> Array | None:
    """Positions that bring the lines into the order of time; None when they are in it. Equal times keep their order."""
    if len(times_ns) < 2 or bool((times_ns[1:] >= times_ns[:-1]).all()):
        return None
    return np.argsort(times_ns, kind="stable")


def gathered(tables: Sequence[pa.Table]) -> pa.Table:
    """One table of several, in order of time; a label that one of them has as plain strings is plain in all.

    Args:
        tables: Each with `timestamp` and `message`; other columns as they come.
    """
    pieces = [pa.table(dict(_plain(table))) for table in tables]
    whole = pa.concat_tables(pieces, promote_options="default") if pieces else _EMPTY
    stream = _stream_names(tables)
    columns = {
        name: whole[name].dictionary_encode() if name in stream else whole[name].combine_chunks()
        for name in whole.column_names
    }
    table = pa.table(columns)
    order = order_of(times_of(table))
    return table if order is None else table.take(pa.array(order))


def _plain(table: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray]]:
    for name in table.column_names:
        yield name, table[name].cast(_TIMESTAMP if name == TIME else pa.large_string())


def _stream_names(tables: Sequence[pa.Table]) -> set[str]:
    kinds: dict[str, bool] = {}
    for table in tables:
        for column in table.schema:
            kinds[column.name] = kinds.get(column.name, True) and pa.types.is_dictionary(column.type)
    return {name for name, is_stream in kinds.items() if is_stream}


_EMPTY = pa.table({TIME: pa.array([], _TIMESTAMP), MESSAGE: pa.array([], pa.large_string())})


def stream_columns(table: pa.Table, schema: pa.Schema, *, counting: bool) -> Mapping[str, Column]:
    """The labels that tell streams apart, by name; one that is empty is missing.

    Args:
        table: The lines; as dictionaries whatever reads faster so.
        schema: What the columns are by themselves: dictionaries tell streams apart.
        counting: Whether columns of plain values do so too when there are few distinct ones.
    """
    found = {}
    for name in table.column_names:
        if name in {TIME, MESSAGE, *PER_LINE}:
            continue
        is_stream = pa.types.is_dictionary(schema.field(name).type)
        if not (is_stream or counting):
            continue
        column = Column.of(table[name])
        if is_stream or len(column.values) <= MOST_STREAM_VALUES:
            found[name] = _without_empty(column)
    return found


def metadata_column(values: pa.ChunkedArray) -> Column:
    """A label that differs from line to line; an empty one is missing."""
    return _without_empty(Column.of(values))


def _without_empty(column: Column) -> Column:
    empty = pc.index(column.values, "").as_py()
    return column if empty < 0 else column.where(column.codes != empty)
