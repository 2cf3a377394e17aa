"""Reads tables of log entries: CSV exports of Datadog, Grafana, Kibana, Splunk and Logs Insights, and Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from obs_magics.analysis.loglines import level_code
from obs_magics.local.database import quoted
from obs_magics.local.readers.base import Complaints, File, Mapping, Problem, Reading
from obs_magics.local.readers.copies import database, unpacked
from obs_magics.local.readers.delimited import csv_layout, is_csv
from obs_magics.local.readers.logs.collect import Entries, reading_of, without_times
from obs_magics.local.readers.logs.plain import in_zone
from obs_magics.local.readers.logs.records import column_name, decoded, flattened, times_of
from obs_magics.local.readers.logs.times import NO_TIME
from obs_magics.local.readers.tables import words_of

Array = np.ndarray[Any, Any]

# Names without case and joints, in order of trust: Grafana has a time for people beside one in nanoseconds.
_TIMES = ("tsns", "timestamp", "time", "ts", "datetime", "eventtime", "date", "created")
_MESSAGES = ("message", "msg", "line", "log", "raw", "content", "logline", "text", "body", "event")
_WEAK = frozenset({"content", "text", "body", "event", "line"})
_LEVELS = frozenset({"level", "severity", "loglevel", "status", "detectedlevel", "lvl"})
_VALUES = frozenset({"value", "val"})
_SAMPLE = 100
_LONGEST_ROW = 64 * 1024 * 1024
_BLOCK = 1024 * 1024
_NO_TIME = "it has no time that can be read: left out"
_REJECTED = "SELECT line, error_message FROM reject_errors ORDER BY line"


def is_csv_log(file: File, mapping: Mapping) -> bool:
    """Whether it is CSV with a column of times and one of messages, and the user does not take it for metrics."""
    if mapping.value or mapping.metric or not is_csv(file):
        return False
    _, (names, *rows) = csv_layout(file)
    return _chosen(names, [row for row in rows[:_SAMPLE] if len(row) == len(names)], mapping) is not None


def is_parquet_log(file: File, mapping: Mapping) -> bool:
    """Whether it is Parquet with a column of times and one of messages, and the user does not take it for metrics."""
    if mapping.value or mapping.metric or not file.head.startswith(b"PAR1") or file.packed:
        return False
    try:
        with pq.ParquetFile(file.path) as parquet:
            batch = next(parquet.iter_batches(_SAMPLE), None)
    except (pa.ArrowException, OSError):
        return False
    if batch is None:
        return False
    rows = [[_text(value) or "" for value in row.values()] for row in batch.to_pylist()]
    return _chosen(batch.schema.names, rows, mapping) is not None


def _chosen(names: Sequence[str], rows: Sequence[Sequence[str]], mapping: Mapping) -> tuple[str, str] | None:
    """The columns with the time and the message; None when these are no log entries."""
    squashed = {name.lower().translate(_JOINTS): name for name in reversed(names)}
    named = mapping.timestamp if mapping.timestamp in names else None
    time = named or next((squashed[name] for name in _TIMES if name in squashed), None)
    message = next((name for name in _MESSAGES if name in squashed), None)
    if time is None or message is None or time == squashed[message]:
        return None
    levelled = bool(_LEVELS & squashed.keys())
    if not levelled and (message in _WEAK or _VALUES & squashed.keys()) and _measures(names, rows, time):
        return None
    place = list(names).index(squashed[message])
    texts = [row[place] for row in rows if row[place].strip()]
    numbers = sum(map(_is_number, texts))
    return (time, squashed[message]) if texts and numbers * 2 < len(texts) else None


_JOINTS = str.maketrans("", "", "._-/ @")


def _measures(names: Sequence[str], rows: Sequence[Sequence[str]], time: str) -> bool:
    """Whether a column beside the time holds numbers only."""
    columns = [[row[place] for row in rows if row[place]] for place, name in enumerate(names) if name != time]
    return any(column and all(map(_is_number, column)) for column in columns)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_csv_log(file: File, mapping: Mapping) -> Reading:
    """Read CSV with a header."""
    complaints = Complaints(file.name)
    delimiter, records = csv_layout(file)
    names = _unique(records[0])
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
    options = (
        f"delim = {quoted(delimiter)}, header = true, quote = '\"', escape = '\"', nullstr = '', auto_detect = false,"
        f" store_rejects = true, max_line_size = {_LONGEST_ROW}, parallel = false, columns = {{{columns}}}"
    )
    with unpacked(file) as path, database(file, path, mapping.zone) as connection:
        try:
            table = connection.sql(f"SELECT * FROM read_csv({quoted(str(path))}, {options})").to_arrow_table()  # noqa: S608 - names are quoted
            rejected = connection.execute(_REJECTED).fetchall()
        except duckdb.Error as problem:
            return Reading(problems=[Problem(file.name, words_of(problem))])
    complaints.extend((message, line) for line, message in rejected)
    if _quotes(file) % 2:
        complaints.add("a quote is opened that is never closed: what stands behind it is left out")
    return _reading(file, table, records[1:], mapping, complaints=complaints, title="CSV")


def _quotes(file: File) -> int:
    with file.open() as stream:
        return sum(block.count(b'"') for block in iter(lambda: stream.read(_BLOCK), b""))


def read_parquet_log(file: File, mapping: Mapping) -> Reading:
    """Read Parquet."""
    complaints = Complaints(file.name)
    try:
        table = pq.read_table(file.path)
    except (pa.ArrowException, OSError) as problem:
        return Reading(problems=[Problem(file.name, f"damaged: {words_of(problem)}")])
    sample = [[_text(value) or "" for value in row.values()] for row in table.slice(0, _SAMPLE).to_pylist()]
    return _reading(file, table, sample, mapping, complaints=complaints, title="Parquet")


def _reading(
    file: File,
    table: pa.Table,
    sample: Sequence[Sequence[str]],
    mapping: Mapping,
    *,
    complaints: Complaints,
    title: str,
) -> Reading:
    names = table.column_names
    alike = [row for row in sample if len(row) == len(names)]
    time, message = _chosen(names, alike, mapping) or (names[0], names[-1])  # as when it was recognised
    times, how = _times(table[time], mapping)
    columns: dict[str, pa.ChunkedArray] = {}
    for name in names:
        if name in (time, message):
            continue
        values = _strings(table[name])
        for part, inner in (_label_sets(values) if name.lower() == "labels" else {name: values}).items():
            columns.setdefault(_renamed(part, inner), inner)
    entries = Entries(times, pc.fill_null(_strings(table[message]), ""), columns, title, how)
    return reading_of(file, without_times(entries, complaints, _NO_TIME), complaints)


def _label_sets(values: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """Grafana's column of labels, a JSON object in each row, as a column per label; anything else as it is."""
    encoded = values.combine_chunks().dictionary_encode()
    try:
        sets = [decoded(text.encode()) for text in encoded.dictionary.to_pylist()]
        flat = [dict(flattened(one.items())) for one in sets]
    except (msgspec.DecodeError, AttributeError):
        return {"labels": values}
    names = sorted({name for one in flat for name in one})
    return {
        name: pa.chunked_array([pa.array([one.get(name) for one in flat], pa.string()).take(encoded.indices)])
        for name in names
    }


def _renamed(name: str, values: pa.ChunkedArray) -> str:
    """A column's name as a label; Datadog's `Status` is a level, if it holds nothing else."""
    if name.lower() == "status":
        words = pc.unique(values.drop_null()).to_pylist()
        if words and all(level_code(word) >= 0 and not _is_number(word) for word in words):
            return "level"
    plain = column_name(name)
    return plain.lower() if plain.lower() in ("service", "host", "level", "trace_id", "span_id") else plain


def _times(values: pa.ChunkedArray, mapping: Mapping) -> tuple[Array, str]:
    zone = mapping.zone
    if mapping.time_format:
        values = _formatted(values, mapping.time_format)
    elif mapping.time_unit and not pa.types.is_timestamp(values.type):
        values = _counted(values, mapping.time_unit)
    if pa.types.is_timestamp(values.type):
        instants = values.cast(pa.timestamp("ns", values.type.tz), safe=False).cast(pa.int64())
        times = pc.fill_null(instants, NO_TIME).to_numpy()
        naive = values.type.tz is None and zone != "UTC"
        good = times != NO_TIME
        if naive:
            times = times.copy()
            times[good] = in_zone(times[good], zone)
        return times, ""
    return times_of(values.to_pylist(), zone)


def _formatted(values: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    """Texts of the user's own form as times; missing where they are not of it."""
    moments = pd.to_datetime(pd.Series(_strings(values).to_pylist(), dtype=object), format=form, errors="coerce")
    if not isinstance(moments.dtype, pd.DatetimeTZDtype):
        return pa.chunked_array([pa.array(moments.astype("datetime64[ns]"))])
    return pa.chunked_array([pa.array(moments.astype("datetime64[ns, UTC]"))])


def _counted(values: pa.ChunkedArray, unit: Any) -> pa.ChunkedArray:
    """Numbers of the user's own unit as times; missing where they are none."""
    numbers = pd.to_numeric(pd.Series(_strings(values).to_pylist(), dtype=object), errors="coerce")
    moments = pd.to_datetime(numbers, unit=unit, utc=True, errors="coerce")
    return pa.chunked_array([pa.array(moments.astype("datetime64[ns, UTC]"))])


def _strings(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as strings; what is no plain value as JSON."""
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.chunked_array([pa.array(map(_text, values.to_pylist()), pa.string())])
    return values.cast(pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if not isinstance(value, dict | list) else json.dumps(value, ensure_ascii=False, default=str)


def _unique(names: Iterable[str]) -> list[str]:
    """Names for columns: none empty, none twice."""
    unique: list[str] = []
    for number, name in enumerate(names, start=1):
        wanted = name.strip().lstrip("\ufeff") or f"column_{number}"
        unique.append(wanted if wanted.lower() not in {one.lower() for one in unique} else f"{wanted}_{number}")
    return unique
