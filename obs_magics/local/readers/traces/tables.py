"""Reads Parquet with a row per span: saved frames, and tables that exporters write (ClickHouse's `otel_traces`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from obs_magics.local.readers.base import File, Problem, Reading
from obs_magics.local.traces.native import columns_of
from obs_magics.model.spans import KINDS, SPAN_ID_DIGITS, STATUSES, TRACE_ID_DIGITS
from obs_magics.syntax.spans import SpanColumns
from obs_magics.syntax.spans.columns import parents
from obs_magics.syntax.spans.fold import folded
from obs_magics.syntax.spans.ids import read_ids

# Names without case and joints, in order of trust.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "trace_id": ("traceid",),
    "span_id": ("spanid",),
    "parent_id": ("parentid", "parentspanid"),
    "service": ("service", "servicename", "resourceservicename"),
    "operation": ("operation", "operationname", "spanname", "name"),
    "kind": ("kind", "spankind"),
    "start": ("start", "starttime", "starttimeunixnano", "starttimestamp", "timestamp"),
    "end": ("end", "endtime", "endtimeunixnano", "endtimestamp"),
    "duration": (
        "duration", "durationns", "durationnano", "durationnanos", "durationus", "durationms", "durations",
        "durationseconds",
    ),
    "status": ("status", "statuscode"),
    "status_message": ("statusmessage",),
    "resource_attributes": ("resourceattributes",),
    "attributes": ("attributes", "spanattributes"),
}  # fmt: skip
_OF_LOGS = frozenset({"message", "msg", "body", "line"})
_TIME = pa.timestamp("ns", tz="UTC")
# Up to which size a number is a time in seconds, milliseconds, microseconds, as for samples.
_SIZES = ((1e11, 10**9), (1e14, 10**6), (1e17, 10**3))
_UNITS: Mapping[str, int] = {"us": 10**3, "ms": 10**6, "durations": 10**9, "seconds": 10**9}


def is_parquet_spans(file: File) -> bool:
    """Whether it is Parquet with ids, a start and a duration or an end, and no messages."""
    if not file.head.startswith(b"PAR1") or file.packed:
        return False
    try:
        names = pq.read_schema(file.path).names
    except (pa.ArrowException, OSError):
        return False
    found = _found(names)
    has_extent = "duration" in found or "end" in found
    return {"trace_id", "span_id", "start"} <= found.keys() and has_extent and not _OF_LOGS & set(map(_bare, names))


def read_parquet_spans(file: File) -> Reading:
    """Read a table of spans."""
    try:
        columns = _columns(pq.read_table(file.path))
    except (pa.ArrowException, ValueError) as problem:
        return Reading(problems=[Problem(file.name, f"the spans cannot be read: {problem}")])
    problems = [] if len(columns) else [Problem(file.name, "there is no span in it")]
    return Reading(problems=problems, files=1, spans=[columns])


def _bare(name: str) -> str:
    return name.lower().replace("_", "").replace(".", "").replace(" ", "")


def _found(names: Sequence[str]) -> dict[str, str]:
    """The columns of a table by what they mean."""
    bare = {_bare(name): name for name in reversed(names)}
    found = {}
    for meaning, known in _NAMES.items():
        name = next((bare[one] for one in known if one in bare), None)
        if name is not None:
            found[meaning] = name
    return found


def _columns(table: pa.Table) -> SpanColumns:
    found = _found(table.column_names)
    start = _times(table[found["start"]])
    if "duration" in found:
        duration = _durations(table[found["duration"]], _bare(found["duration"]))
    else:
        duration = np.maximum(_times(table[found["end"]]) - start, 0)
    parent, notes = parents(_texts(table, found.get("parent_id")))
    columns = {
        "trace_id": read_ids(_texts(table, found["trace_id"]), TRACE_ID_DIGITS),
        "span_id": read_ids(_texts(table, found["span_id"]), SPAN_ID_DIGITS),
        "parent_id": parent,
        "kind": _named(table, found.get("kind"), ("unspecified", *KINDS)),
        "status": _named(table, found.get("status"), STATUSES),
        "start": pa.array(start).cast(_TIME),
        "duration": pa.array(duration, pa.duration("ns")),
    }
    for meaning in ("service", "operation", "status_message"):
        columns[meaning] = pa.array([text or None for text in _texts(table, found.get(meaning))], pa.string())
    for meaning in ("attributes", "resource_attributes"):
        if meaning in found and pa.types.is_map(table.schema.field(found[meaning]).type):
            columns[meaning] = table[found[meaning]]
    for name in table.column_names:
        if name not in found.values() and name not in columns:
            columns[name] = table[name]
    whole = columns_of(pa.table(columns))
    return folded(_noted(whole, notes).rows_with_ids())


def _noted(columns: SpanColumns, notes: tuple[str, ...]) -> SpanColumns:
    from dataclasses import replace

    return replace(columns, notes=(*columns.notes, *notes))


def _texts(table: pa.Table, name: str | None) -> list[str | None]:
    if name is None:
        return [None] * len(table)
    column = table[name]
    if pa.types.is_binary(column.type) or pa.types.is_fixed_size_binary(column.type):
        return [None if value is None else value.hex() for value in column.to_pylist()]
    texts: list[str | None] = column.cast(pa.string()).to_pylist()
    return texts


def _times(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Nanoseconds since the epoch; of numbers the size of each says their unit."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers = column.fill_null(0).to_numpy()
        factor = np.ones(len(numbers), np.int64)
        for size, nanoseconds in reversed(_SIZES):
            factor[np.abs(numbers) < size] = nanoseconds
        return np.asarray(np.round(numbers * factor) if numbers.dtype.kind == "f" else numbers * factor, np.int64)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.cast(column, pa.timestamp("ns", tz="UTC"))
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is None:
        column = pc.assume_timezone(column, "UTC")
    return np.asarray(column.cast(_TIME).cast(pa.int64()).fill_null(0).to_numpy(), np.int64)


def _durations(column: pa.ChunkedArray, bare: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Nanoseconds; of numbers the column's name says the unit, which else is nanoseconds."""
    if pa.types.is_duration(column.type):
        return np.asarray(column.cast(pa.duration("ns")).cast(pa.int64()).fill_null(0).to_numpy(), np.int64)
    unit = next((size for ending, size in _UNITS.items() if bare.endswith(ending)), 1)
    numbers = column.fill_null(0).to_numpy()
    return np.asarray(np.round(numbers * unit) if numbers.dtype.kind == "f" else numbers * unit, np.int64)


def _named(table: pa.Table, name: str | None, known: Sequence[str]) -> pa.Array:
    """Names of kinds or states, from whatever spelling: `SERVER`, `SPAN_KIND_SERVER`, or OpenTelemetry's number."""
    found = [_name(text, known) for text in _texts(table, name)]
    return pa.array(found, pa.string())


def _name(text: str | None, known: Sequence[str]) -> str | None:
    if text is None:
        return None
    if text.isdecimal():
        return known[int(text)] if int(text) < len(known) else None
    return text.lower().removeprefix("span_kind_").removeprefix("status_code_")
