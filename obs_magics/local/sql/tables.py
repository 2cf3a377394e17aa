"""The tables of a folder: `metrics` and `series`, the frames beside them, and every table file as it lies.

`metrics` is the tidy frame of `model.frames`: a view that joins each sample to the labels of its series. The labels are
pivoted once, into a small table; DuckDB reads only the columns that a query names, and only the row groups whose series
pass its filters. Stale markers are left out, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.local import native
from obs_magics.local.block import Block
from obs_magics.local.contents import Contents
from obs_magics.local.database import identifier, quoted
from obs_magics.local.promql.data import STALE_BITS
from obs_magics.local.readers import FORMATS, list_files
from obs_magics.local.readers.base import File
from obs_magics.local.sql.frames import unique_names
from obs_magics.local.sql.levels import CREATE_TYPE, LEVEL, as_level, holds_levels
from obs_magics.local.store import Store
from obs_magics.model.frames import label_column

# A NaN is a NaN to SQL: only its bits tell a stale marker from one that was measured.
_STALE = f"'{STALE_BITS:064b}'::BIT"
_NOT_STALE = f"CASE WHEN isnan(value) THEN value::BIT <> {_STALE} ELSE true END"
_MICROSECONDS = {"s": "* 1000000", "ms": "* 1000", "us": "", "ns": "// 1000"}
_READ_PACKED = ("", "gzip", "zstd")  # by DuckDB
_READERS = {
    "CSV": "read_csv({path}, header = true, sample_size = -1, ignore_errors = true)",
    "JSON array": "read_json({path}, format = 'array', sample_size = -1)",
    # a line that is no JSON object comes as a row of nothing
    "JSON Lines": "(FROM read_json({path}, format = 'newline_delimited', sample_size = -1, ignore_errors = true)"
    " WHERE length(concat_ws(' ', 'x', *COLUMNS(*))) > 1)",
}


@dataclass(slots=True)
class Layout:
    """What a database is built from.

    Args:
        files: All that it may read.
        arrow: Tables in memory, by the name under which they are kept.
        statements: SQL that makes the tables.
        optional: SQL for table files, by the file's name: one that cannot be read is said and left out.
        problems: Files that are no tables, a sentence each.
    """

    files: list[Path] = field(default_factory=list)
    arrow: dict[str, pa.Table] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    optional: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def layout_of(contents: Contents, path: Path) -> Layout:
    """How the contents of a folder or file become tables."""
    manifest = native.read_manifest(path) if path.is_dir() else None
    layout = Layout(statements=["CREATE SCHEMA stored"])
    names = contents.store.index.label_names()
    if manifest is not None:
        samples, series = path / native.SAMPLES, path / native.SERIES
        layout.files += [samples, series, *contents.tables.values()]
        read_samples, read_series = parquet(samples), f"read_parquet({quoted(str(series))})"
    else:
        samples_table, series_table = _in_memory(contents.store)
        layout.arrow = {"samples": samples_table, "series": series_table}
        read_samples, read_series = "stored.samples", "stored.series"
    histograms = _has_histograms(layout, path)
    layout.statements += _metrics(read_samples, read_series, names, histograms=histograms)
    layout.statements += [f"CREATE VIEW {identifier(n)} AS FROM {parquet(file)}" for n, file in contents.tables.items()]
    if manifest is None:
        _add_files(layout, path)
    return layout


def _has_histograms(layout: Layout, path: Path) -> bool:
    table = layout.arrow.get("samples")
    return "histogram" in (pq.read_schema(path / native.SAMPLES) if table is None else table.schema).names


def _metrics(samples: str, series: str, names: Sequence[str], *, histograms: bool) -> list[str]:
    """`metrics` and `series` over the samples and the label sets."""
    own = unique_names(["timestamp", "value", "metric", "histogram", *map(label_column, names)])[4:]
    columns = dict(zip(names, own, strict=True))
    pivoted = "".join(f", labels[{quoted(name)}] AS {identifier(column)}" for name, column in columns.items())
    shown = "".join(f", {identifier(column)}" for column in columns.values())
    histogram = ", histogram" if histograms else ""
    taken = unique_names(["metric", *columns.values(), "samples", "first", "last"])[-3:]
    counted, first, last = map(identifier, taken)
    return [
        f"CREATE TABLE stored.labels AS SELECT series AS series_number, metric{pivoted}, samples AS {counted},"  # noqa: S608
        f" make_timestamptz(first_ms * 1000) AS {first}, make_timestamptz(last_ms * 1000) AS {last} FROM {series}",
        f"CREATE VIEW series AS SELECT metric{shown}, {counted}, {first}, {last} FROM stored.labels",  # noqa: S608
        "CREATE VIEW metrics AS SELECT make_timestamptz(timestamp_ms * 1000) AS timestamp, value, metric"  # noqa: S608
        f"{shown}{histogram} FROM (SELECT series AS series_number, timestamp_ms, value{histogram} FROM {samples})"
        f" JOIN stored.labels USING (series_number) WHERE {_NOT_STALE}",
    ]


def _in_memory(store: Store) -> tuple[pa.Table, pa.Table]:
    """Samples and series of a store that was read from files."""
    extent = store.extent(np.arange(store.index.size)) if store.index.size else (0, 0)  # logs or spans alone
    found = store.select((), *extent)
    block = Block(found.labels, found.offsets, found.timestamps_ms, found.values)
    columns: dict[str, Any] = {
        "series": np.repeat(np.arange(len(found.labels), dtype=np.int32), np.diff(found.offsets)),
        "timestamp_ms": found.timestamps_ms,
        "value": found.values,
    }
    if found.histograms is not None:
        columns["histogram"] = found.histograms
    return pa.table(columns), native.series_table(block)


def parquet(path: Path) -> str:
    """SQL that reads a Parquet file with our types.

    Times are TIMESTAMPTZ, durations INTERVAL, levels rank, and no NaN is lost.

    Raises:
        OSError: There is no such file.
        pyarrow.ArrowException: It is damaged.
    """
    with pq.ParquetFile(path) as file:
        schema, metadata = file.schema_arrow, file.metadata
    measured = _with_statistics(metadata)
    changed = [
        f"{written} AS {identifier(column.name)}"
        for column in schema
        if (written := _expression(path, column, has_statistics=column.name in measured))
    ]
    replaced = f" REPLACE ({', '.join(changed)})" if changed else ""
    return f"(SELECT *{replaced} FROM read_parquet({quoted(str(path))}))"  # noqa: S608


def _expression(path: Path, column: pa.Field, *, has_statistics: bool) -> str:
    """How a column is read; nothing when it is taken as it is.

    Smallest and largest value of a Parquet row group leave NaN out, and DuckDB believes them: it passes over groups in
    which ``isnan(value)`` or ``value > 1e9`` should find one. Going over the bits hides the statistics from it.
    """
    name, kind = identifier(column.name), column.type
    if pa.types.is_timestamp(kind) and kind.tz:
        return f"{name}::TIMESTAMPTZ"
    if pa.types.is_duration(kind):
        return f"to_microseconds({name} {_MICROSECONDS[kind.unit]})"
    if column.name.lower() == LEVEL and holds_levels(column.name, pq.read_table(path, columns=[column.name])[0]):
        return as_level(column.name)
    if has_statistics and kind in {pa.float32(), pa.float64()}:
        return f"{name}::BIT::{'DOUBLE' if kind == pa.float64() else 'FLOAT'}"
    return ""


def _with_statistics(metadata: pq.FileMetaData) -> set[str]:
    chunks = [
        metadata.row_group(group).column(index)
        for group in range(metadata.num_row_groups)
        for index in range(metadata.num_columns)
    ]
    return {chunk.path_in_schema for chunk in chunks if chunk.is_stats_set}


def _add_files(layout: Layout, path: Path) -> None:
    """Every CSV, JSON Lines and Parquet file as a table called like the file."""
    found = []
    for file in list_files(path):
        try:
            read = _reading(file)
        except UnicodeDecodeError:  # DuckDB would pass over the header, and take the first row for it
            layout.problems.append(f"{file.name} is no table for SQL: its first line is not UTF-8")
            continue
        if read:
            found.append((file, read))
    names = unique_names(["metrics", "series", *(_table_name(file) for file, _ in found)])[2:]
    for name, (file, read) in zip(names, found, strict=True):
        layout.files.append(file.path)
        layout.optional[file.name] = f"CREATE VIEW {identifier(name)} AS FROM {read}"


def _reading(file: File) -> str:
    """SQL that reads a file which is a table and can be read where it lies; empty for any other."""
    try:
        if file.none or file.compression not in _READ_PACKED or file.encoding not in ("", "utf-8-sig"):
            return ""
        title = next((form.title for form in FORMATS if form.looks_right(file)), "")
        if title == "Parquet":
            return "" if file.packed else parquet(file.path)
        if title == "CSV":
            file.head.split(b"\n", 1)[0].decode()
    except (OSError, pa.ArrowException):
        return ""  # the source has said so already, when it read the file for its metrics
    return _READERS[title].format(path=quoted(str(file.path))) if title in _READERS else ""


def _table_name(file: File) -> str:
    return file.name.rsplit("/", 1)[-1].split(".", 1)[0] or "table"


def create(connection: duckdb.DuckDBPyConnection, layout: Layout) -> list[str]:
    """Make the tables; gives back what could not be made one, a sentence each."""
    connection.execute(CREATE_TYPE)
    for statement in layout.statements[:1]:
        connection.execute(statement)
    for name, table in layout.arrow.items():
        connection.register("given", table)
        connection.execute(f"CREATE TABLE stored.{identifier(name)} AS FROM given")
        connection.unregister("given")
    for statement in layout.statements[1:]:
        connection.execute(statement)
    problems = list(layout.problems)
    for name, statement in layout.optional.items():
        try:
            connection.execute(statement)
        except duckdb.Error as problem:
            problems.append(f"{name} is no table for SQL: {str(problem).split(chr(10), 1)[0]}")
    return problems
