"""Reads tables with a time column: Parquet, CSV and JSON Lines, through DuckDB, whatever their size.

The first thousand rows say which column means what (`columns.plan`). Naive times are UTC. A row without a time, or with
something that is no number where one should be, is left out and said; an empty field is no sample.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.block import Rows
from obs_magics.local.database import connect, identifier, quoted
from obs_magics.local.readers.base import Complaints, File, Mapping, Problem, Reading
from obs_magics.local.readers.columns import Column, Plan, label_name, metric_name, plan
from obs_magics.local.readers.copies import clean, good_lines, unpacked
from obs_magics.model.frames import METRIC_NAME_LABEL

Array = np.ndarray[Any, Any]

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 1000
_TIMES = ("TIMESTAMP", "DATE")
_NUMBERS = ("BIGINT", "HUGEINT", "INTEGER", "SMALLINT", "TINYINT", "U", "DOUBLE", "FLOAT", "DECIMAL")


def is_parquet(file: File) -> bool:
    """Whether it begins with Parquet's magic bytes."""
    return file.head.startswith(b"PAR1")


def is_json_lines(file: File) -> bool:
    """Whether its first line is a JSON object."""
    first = file.head.lstrip().split(b"\n", 1)[0].strip()
    return first.startswith(b"{") and first.endswith(b"}") and first.count(b'"') >= 2 and b":" in first


def is_csv(file: File) -> bool:
    """Whether its first line is one of names, with a delimiter that the next lines have as often."""
    if b"\0" in file.head:
        return False
    lines = [line for line in file.head.decode("utf-8", "replace").splitlines()[:6] if line.strip()]
    if len(lines) < 2:
        return False
    delimiter = _delimiter(lines[0])
    fields = lines[0].count(delimiter)
    return fields > 0 and sum(line.count(delimiter) == fields for line in lines[1:]) * 2 >= len(lines) - 1


def read_parquet(file: File, mapping: Mapping) -> Reading:
    """Read a Parquet file."""
    with unpacked(file) as path:
        return _read_table(file, mapping, path, f"read_parquet({quoted(str(path))})")


def read_json_lines(file: File, mapping: Mapping) -> Reading:
    """Read JSON objects, one a line; lines that are none are left out."""
    complaints = Complaints(file.name)
    lines, good = good_lines(file, complaints)
    with clean(file, good) as path:
        source = (
            f"read_json({quoted(str(path))}, format = 'newline_delimited'{_gzip(file) if path == file.path else ''})"
        )
        reading = _read_table(file, mapping, path, source, lines)
    return Reading(reading.rows, complaints.all + reading.problems, 1)


def read_csv(file: File, mapping: Mapping) -> Reading:
    """Read a CSV file with a header."""
    header = file.head.decode("utf-8-sig", "replace").splitlines()[0]
    delimiter = _delimiter(header)
    names = _unique(next(csv.reader([header], delimiter=delimiter)))
    options = (
        f"delim = {quoted(delimiter)}, header = true, quote = '\"', nullstr = '', auto_detect = false{_gzip(file)}"
    )

    def source(types: dict[str, str], more: str) -> str:
        columns = ", ".join(f"{quoted(name)}: {quoted(types.get(name, 'VARCHAR'))}" for name in names)
        return f"read_csv({quoted(str(file.path))}, {options}, columns = {{{columns}}}, {more})"

    complaints = Complaints(file.name)
    with connect(file.path) as connection:
        try:
            chosen = plan(_look(connection, source({}, "ignore_errors = true")), mapping, _stem(file))
            types = dict.fromkeys(chosen.values, "DOUBLE")
            types[chosen.timestamp] = "TIMESTAMPTZ" if chosen.factor is None else "DOUBLE"
            rows = _load(connection, source(types, "store_rejects = true"), chosen, complaints, None)
        except (ValueError, duckdb.Error) as problem:
            return Reading(problems=[Problem(file.name, _words(problem))])
        rejected = connection.execute(
            "SELECT line_byte_position, column_name, error_type, error_message FROM reject_errors ORDER BY 1"
        ).fetchall()
    complaints.extend(_rejections(file, rejected))
    return Reading(rows, complaints.all, 1)


def _rejections(file: File, rejected: list[tuple[int, str | None, str, str]]) -> Iterator[tuple[str, int | None]]:
    """What DuckDB has to say of the rows that it left out, with the line (not the row) of the file."""
    line = done = 0
    with file.open() as stream:
        for position, column, kind, message in rejected:
            line += stream.read(position - done).count(
                b"\n"
            )  # up to the first byte of the row, its line break before it
            done = position
            what = message.rsplit(". ", 1)[-1] if kind == "CAST" else message
            yield f"column {column}: {what}" if kind == "CAST" else what, line + 1


def _read_table(file: File, mapping: Mapping, path: Path, source: str, lines: Array | None = None) -> Reading:
    complaints = Complaints(file.name)
    with connect(path) as connection:
        try:
            flat = _flat(connection, source)
            chosen = plan(_look(connection, flat), mapping, _stem(file))
            rows = _load(connection, flat, chosen, complaints, lines)
        except (ValueError, duckdb.Error) as problem:
            return Reading(problems=[Problem(file.name, _words(problem))])
    return Reading(rows, complaints.all, 1)


def _flat(connection: duckdb.DuckDBPyConnection, source: str) -> str:
    """The source with the fields of its structs as columns: ``{"labels": {"job": "x"}}`` has a column `job`.

    Columns of mixed JSON values become texts, without the quotes that JSON has around some of them.
    """
    rows = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - names are quoted
    schema = connection.sql(f"SELECT * FROM {source} LIMIT 0").to_arrow_table().schema  # noqa: S608
    mixed = {name for name, kind, *_ in rows if kind == "JSON"}
    structs = [column for column in schema if pa.types.is_struct(column.type)]
    plain = [column.name for column in schema if column not in structs]
    parts = [
        f"{identifier(name)} ->> '$' AS {identifier(name)}" if name in mixed else identifier(name) for name in plain
    ]
    taken = {name.lower() for name in plain}
    for column in structs:
        for inner in column.type:
            name = inner.name if inner.name.lower() not in taken else f"{column.name}_{inner.name}"
            taken.add(name.lower())
            parts.append(f"{identifier(column.name)}.{identifier(inner.name)} AS {identifier(name)}")
    return f"(SELECT {', '.join(parts)} FROM {source})" if structs or mixed else source  # noqa: S608


def _look(connection: duckdb.DuckDBPyConnection, source: str) -> list[Column]:
    """What the columns hold, from the first rows."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sample AS SELECT * FROM {source} LIMIT {_SAMPLE_ROWS}")  # noqa: S608 - names are quoted
    columns = []
    if connection.execute("SELECT count(*) FROM sample").fetchall()[0][0] == 0:
        raise ValueError("it has no row that can be read")
    for name, kind, *_ in connection.execute("DESCRIBE sample").fetchall():
        text = f"CAST({identifier(name)} AS VARCHAR)"
        filled, numbers, times, largest = connection.execute(
            f"SELECT count({text}), count(TRY_CAST({text} AS DOUBLE)), count(TRY_CAST({text} AS TIMESTAMPTZ)),"  # noqa: S608
            f" max(TRY_CAST({text} AS DOUBLE)) FROM sample"
        ).fetchall()[0]
        typed_time, typed_number = kind.startswith(_TIMES), kind.startswith(_NUMBERS) and kind != "UUID"
        columns.append(Column(name, typed_time, typed_number, filled, numbers, times, largest or 0.0))
    return columns


def _load(
    connection: duckdb.DuckDBPyConnection, source: str, chosen: Plan, complaints: Complaints, lines: Array | None
) -> list[Rows]:
    """Read all rows by the plan; `lines` has the line of each row, where it is known."""
    labels = [*([chosen.metric] if chosen.metric else []), *chosen.labels]
    parts = [
        f"{_time(chosen)} AS time",
        *(f"TRY_CAST({identifier(name)} AS DOUBLE) AS v{index}" for index, name in enumerate(chosen.values)),
        *(
            f"{identifier(name)} IS NOT NULL AND TRY_CAST({identifier(name)} AS DOUBLE) IS NULL AS w{index}"
            for index, name in enumerate(chosen.values)
        ),
        *(f"CAST({identifier(name)} AS VARCHAR) AS l{index}" for index, name in enumerate(labels)),
    ]
    table = connection.sql(f"SELECT {', '.join(parts)} FROM {source}").to_arrow_table()  # noqa: S608
    timed = pc.is_valid(table["time"]).to_numpy()
    _complain(complaints, f"column {chosen.timestamp}: not a time", ~timed, lines)
    groups, firsts = _group([table[f"l{index}"] for index in range(len(labels))], len(table))
    sets = [_labels(table, labels, chosen.metric, int(row)) for row in firsts]
    rows = []
    for index, (column, metric) in enumerate(chosen.values.items()):
        _complain(complaints, f"column {column}: not a number", table[f"w{index}"].to_numpy(), lines)
        keep = np.flatnonzero(timed & pc.is_valid(table[f"v{index}"]).to_numpy())
        picked = table.select(["time", f"v{index}"]).take(pa.array(keep))
        named = [{METRIC_NAME_LABEL: metric, **one} for one in sets]
        rows.append(Rows(named, groups[keep], picked["time"].to_numpy(), picked[f"v{index}"].to_numpy()))
    return [part for part in rows if len(part.values)]


def _time(chosen: Plan) -> str:
    """SQL for the time in milliseconds."""
    column = identifier(chosen.timestamp)
    if chosen.factor is None:
        return f"epoch_ms(TRY_CAST(CAST({column} AS VARCHAR) AS TIMESTAMPTZ))"
    return f"TRY_CAST(round(TRY_CAST({column} AS DOUBLE) * {chosen.factor!r}) AS BIGINT)"


def _labels(table: pa.Table, labels: list[str], metric: str | None, row: int) -> dict[str, str]:
    found = {}
    for index, name in enumerate(labels):
        value = table[f"l{index}"][row].as_py()
        if value is not None:
            found[METRIC_NAME_LABEL if name == metric else label_name(name)] = value
    if METRIC_NAME_LABEL in found:
        found[METRIC_NAME_LABEL] = metric_name(found[METRIC_NAME_LABEL])
    return found


def _group(columns: list[pa.ChunkedArray], size: int) -> tuple[Array, Array]:
    """A number for each distinct combination, per row; and the first row of each."""
    codes = np.zeros(size, np.int64)
    for column in columns:
        encoded = column.combine_chunks().dictionary_encode()
        own = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64) + 1
        _, codes = np.unique(codes * (len(encoded.dictionary) + 1) + own, return_inverse=True)
    _, firsts, groups = np.unique(codes, return_index=True, return_inverse=True)
    return groups, firsts


def _complain(complaints: Complaints, why: str, wrong: Array, lines: Array | None) -> None:
    for row in np.flatnonzero(wrong):
        complaints.add(
            why if lines is not None else f"row {row + 1}: {why}", None if lines is None else int(lines[row])
        )


def _gzip(file: File) -> str:
    return ", compression = 'gzip'" if file.packed else ""


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


def _unique(names: list[str]) -> list[str]:
    """Column names: none empty, none twice."""
    unique: list[str] = []
    for index, name in enumerate(names, start=1):
        wanted = name.strip() or f"column_{index}"
        unique.append(wanted if wanted.lower() not in {one.lower() for one in unique} else f"{wanted}_{index}")
    return unique


def _stem(file: File) -> str:
    return file.name.rsplit("/", 1)[-1].split(".", 1)[0]


def _words(problem: Exception) -> str:
    return str(problem).split("\n", 1)[0]
