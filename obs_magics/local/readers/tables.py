"""Reads tables with a time column: Parquet and JSON (and CSV: `delimited`), through DuckDB, whatever their size.

The first thousand rows say which column means what (`columns.plan`). Naive times are UTC. A row without a time, or with
something that is no number where one should be, is left out and said; an empty field is no sample.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.block import Rows
from obs_magics.local.database import identifier, quoted
from obs_magics.local.readers.base import LATEST_MS, Complaints, File, Mapping, Problem, Reading
from obs_magics.local.readers.columns import Column, Plan, metric_name, plan
from obs_magics.local.readers.copies import clean, database, good_lines, unpacked
from obs_magics.model.frames import METRIC_NAME_LABEL

Array = np.ndarray[Any, Any]

_SAMPLE_ROWS = 1000
_TIMES = ("TIMESTAMP", "DATE")
# Up to which size a number is a time in seconds, milliseconds, microseconds; each reaches to the year 5138.
_UNITS = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))
_MILLISECONDS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
# More keys of a map than this are no labels.
_MOST_KEYS = 1000
_MANY_SERIES, _MANY_TIMES = 20, 10
_NUMBERS = ("BIGINT", "HUGEINT", "INTEGER", "SMALLINT", "TINYINT", "U", "DOUBLE", "FLOAT", "DECIMAL")


def is_parquet(file: File) -> bool:
    """Whether it begins with Parquet's magic bytes."""
    return file.head.startswith(b"PAR1")


def is_json_lines(file: File) -> bool:
    """Whether its first line is a JSON object."""
    first = file.head.lstrip().split(b"\n", 1)[0].strip()
    return first.startswith(b"{") and first.endswith(b"}") and first.count(b'"') >= 2 and b":" in first


def is_json_array(file: File) -> bool:
    """Whether it is an array of JSON objects."""
    return re.match(rb"\s*\[\s*\{\s*\"", file.head) is not None


def read_parquet(file: File, mapping: Mapping) -> Reading:
    """Read a Parquet file."""
    with unpacked(file) as path:
        return _read_table(file, mapping, path, f"read_parquet({quoted(str(path))})")


def read_json_lines(file: File, mapping: Mapping) -> Reading:
    """Read JSON objects, one a line; lines that are none are left out."""
    complaints = Complaints(file.name)
    lines, good = good_lines(file, complaints)
    with clean(file, good) as path:
        # all of it is looked at for the types: one text among a million numbers must not spoil the file
        source = f"read_json({quoted(str(path))}, format = 'newline_delimited', sample_size = -1)"
        reading = _read_table(file, mapping, path, source, lines)
    return Reading(reading.rows, complaints.all + reading.problems, 1)


def read_json_array(file: File, mapping: Mapping) -> Reading:
    """Read an array of JSON objects."""
    with unpacked(file) as path:
        return _read_table(file, mapping, path, f"read_json({quoted(str(path))}, format = 'array', sample_size = -1)")


def _read_table(file: File, mapping: Mapping, path: Path, source: str, lines: Array | None = None) -> Reading:
    complaints = Complaints(file.name)
    with database(file, path, mapping.zone) as connection:
        try:
            flat = _flat(connection, source)
            chosen = plan(look(connection, flat), mapping, stem(file))
            rows = load(connection, flat, chosen, mapping, complaints=complaints, lines=lambda: lines)
        except (ValueError, duckdb.Error) as problem:
            return Reading(problems=[Problem(file.name, words_of(problem))])
    return Reading(rows, complaints.all, 1)


def _flat(connection: duckdb.DuckDBPyConnection, source: str) -> str:
    """The source with the fields of its structs and maps as columns: ``{"labels": {"job": "x"}}`` has a column `job`.

    Columns of mixed JSON values become texts, without the quotes that JSON has around some of them.
    """
    schema = connection.sql(f"SELECT * FROM {source} LIMIT 0").to_arrow_table().schema  # noqa: S608 - names are quoted
    leaves = sorted(_leaves(connection, source, schema), key=lambda leaf: len(leaf[1]) > 1)
    selected = ", ".join(f"{expression} AS c{index}" for index, (expression, _) in enumerate(leaves))
    kinds = [kind for _, kind, *_ in connection.execute(f"DESCRIBE SELECT {selected} FROM {source}").fetchall()]  # noqa: S608
    if "JSON" not in kinds and all(len(path) == 1 for _, path in leaves):
        return source
    taken: set[str] = set()
    parts = []
    for (expression, path), kind in zip(leaves, kinds, strict=True):
        joined = "_".join(path)
        # a `name` inside of something is its name, and not the metric's
        short = (path[-1],) if len(path) == 1 or path[-1].lower() != "name" else ()
        names = chain(short, (joined,), (f"{joined}_{number}" for number in count(2)))
        name = next(name for name in names if name.lower() not in taken)
        taken.add(name.lower())
        parts.append(
            f"{expression} ->> '$' AS {identifier(name)}" if kind == "JSON" else f"{expression} AS {identifier(name)}"
        )
    return f"(SELECT {', '.join(parts)} FROM {source})"  # noqa: S608


def _leaves(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    fields: Iterable[pa.Field],
    above: tuple[str, ...] = (),
    of: str = "",
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """SQL for each plain column and for each field inside of others, with the names that lead to it."""
    for column in fields:
        expression, path = f"{of}{identifier(column.name)}", (*above, column.name)
        if pa.types.is_struct(column.type):
            yield from _leaves(connection, source, column.type, path, f"{expression}.")
        elif pa.types.is_map(column.type) and pa.types.is_string(column.type.key_type):
            keys = (
                f"SELECT DISTINCT unnest(map_keys({expression})) AS key FROM {source} ORDER BY key LIMIT {_MOST_KEYS}"  # noqa: S608
            )
            for (key,) in connection.execute(keys).fetchall():
                yield f"{expression}[{quoted(key)}]", (*path, key)
        else:
            yield expression, path


def look(connection: duckdb.DuckDBPyConnection, source: str, decimal: str = ".") -> list[Column]:
    """What the columns hold, from the first rows."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sample AS SELECT * FROM {source} LIMIT {_SAMPLE_ROWS}")  # noqa: S608 - names are quoted
    kinds = {name: kind for name, kind, *_ in connection.execute("DESCRIBE sample").fetchall()}
    seen = ", ".join(_seen(name, decimal) for name in kinds)
    rows, *found = connection.execute(f"SELECT count(*), {seen} FROM sample").fetchall()[0]  # noqa: S608
    if rows == 0:
        raise ValueError("it has no row that can be read")
    columns = []
    for index, (name, kind) in enumerate(kinds.items()):
        filled, numbers, times, largest = found[4 * index : 4 * index + 4]
        typed_time, typed_number = kind.startswith(_TIMES), kind.startswith(_NUMBERS) and kind != "UUID"
        columns.append(Column(name, typed_time, typed_number, filled, numbers, times, largest or 0.0))
    return columns


def _seen(name: str, decimal: str) -> str:
    """SQL for how many values of a column there are, how many of them numbers and times, and for the largest number."""
    text = f"CAST({identifier(name)} AS VARCHAR)"
    pointed = f"replace({text}, ',', '.')" if decimal == "," else text
    number = f"TRY_CAST({pointed} AS DOUBLE)"
    return (
        f"count({text}), count({number}), count(TRY_CAST({text} AS TIMESTAMPTZ)),"
        f" max({number}) FILTER (WHERE isfinite({number}))"
    )


def load(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    chosen: Plan,
    mapping: Mapping,
    *,
    complaints: Complaints,
    lines: Callable[[], Array | None],
) -> list[Rows]:
    """Read all rows by the plan; `lines` gives the line of each row, where it is known."""
    if chosen.doubt:
        complaints.add(chosen.doubt)
    names = ({chosen.metric: METRIC_NAME_LABEL} if chosen.metric else {}) | chosen.labels
    table = _table(connection, source, chosen, mapping, list(names))
    timed = pc.is_valid(table["time"]).to_numpy()
    wrong = {f"column {chosen.timestamp}: not a time": ~timed}
    for index, column in enumerate(chosen.values):
        wrong[f"column {column}: not a number"] = table[f"w{index}"].to_numpy()
    _complain(complaints, wrong, lines)
    groups, firsts = _group([table[f"l{index}"] for index in range(len(names))], len(table))
    _doubt_labels(complaints, table, list(names), len(firsts))
    sets = [_labels(table, list(names.values()), int(row)) for row in firsts]
    rows = []
    for index, metric in enumerate(chosen.values.values()):
        keep = np.flatnonzero(timed & pc.is_valid(table[f"v{index}"]).to_numpy())
        picked = table.select(["time", f"v{index}"]).take(pa.array(keep))
        named = [{METRIC_NAME_LABEL: metric, **one} for one in sets]
        rows.append(Rows(named, groups[keep], picked["time"].to_numpy(), picked[f"v{index}"].to_numpy()))
    return [part for part in rows if len(part.values)]


def _table(
    connection: duckdb.DuckDBPyConnection, source: str, chosen: Plan, mapping: Mapping, labels: Sequence[str]
) -> pa.Table:
    """`time` in milliseconds; per value its number `v0` and whether something else stands there, `w0`; labels `l0`."""
    values = [identifier(name) for name in chosen.values]
    parts = [
        f"{_time(chosen, mapping)} AS time",
        *(f"TRY_CAST({name} AS DOUBLE) AS v{index}" for index, name in enumerate(values)),
        *(
            f"{name} IS NOT NULL AND TRY_CAST({name} AS DOUBLE) IS NULL AS w{index}"
            for index, name in enumerate(values)
        ),
        *(f"CAST({identifier(name)} AS VARCHAR) AS l{index}" for index, name in enumerate(labels)),
    ]
    selected = f"SELECT {', '.join(parts)} FROM {source}"  # noqa: S608 - names are quoted
    inside = f"CASE WHEN time BETWEEN -{LATEST_MS} AND {LATEST_MS} THEN time END AS time"
    return connection.sql(f"SELECT * REPLACE ({inside}) FROM ({selected})").to_arrow_table()  # noqa: S608


def _time(chosen: Plan, mapping: Mapping) -> str:
    """SQL for the time in milliseconds."""
    column = identifier(chosen.timestamp)
    if chosen.words:
        text = f"CAST({column} AS VARCHAR)"
        form = mapping.time_format
        moment = f"try_strptime({text}, {quoted(form)})::TIMESTAMPTZ" if form else f"TRY_CAST({text} AS TIMESTAMPTZ)"
        return f"epoch_ms({moment})"
    number = f"TRY_CAST({column} AS DOUBLE)"
    if mapping.time_unit:
        factor = repr(_MILLISECONDS[mapping.time_unit])
    else:  # each by its own size: people put files together
        sizes = "".join(f" WHEN abs({number}) < {limit!r} THEN {_MILLISECONDS[unit]!r}" for limit, unit in _UNITS)
        factor = f"CASE{sizes} ELSE {_MILLISECONDS['ns']!r} END"
    return f"TRY_CAST(round({number} * {factor}) AS BIGINT)"


def _doubt_labels(complaints: Complaints, table: pa.Table, labels: Sequence[str], series: int) -> None:
    """Say when nearly every row has become a series of its own, though there are many times."""
    if series <= _MANY_SERIES or 2 * series <= len(table) or pc.count_distinct(table["time"]).as_py() < _MANY_TIMES:
        return
    distinct = [pc.count_distinct(table[f"l{index}"]).as_py() for index in range(len(labels))]
    complaints.add(
        f"{len(table):,} rows have become {series:,} series, as column {labels[int(np.argmax(distinct))]} is another "
        "in nearly each of them; name the columns that tell series apart with the option labels"
    )


def _labels(table: pa.Table, names: Sequence[str], row: int) -> dict[str, str]:
    values = {name: table[f"l{index}"][row].as_py() for index, name in enumerate(names)}
    found = {name: value for name, value in values.items() if value is not None}
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


def _complain(complaints: Complaints, wrong: dict[str, Array], lines: Callable[[], Array | None]) -> None:
    """Say of each row what is wrong in it: with its line where that is known, else with its number."""
    if not any(rows.any() for rows in wrong.values()):
        return
    places = lines()
    for why, rows in wrong.items():
        for row in np.flatnonzero(rows):
            if places is not None and len(places) == len(rows):
                complaints.add(why, int(places[row]))
            else:
                complaints.add(f"row {row + 1}: {why}")


def stem(file: File) -> str:
    """The file's name without folders and endings."""
    return file.name.rsplit("/", 1)[-1].split(".", 1)[0]


def words_of(problem: Exception) -> str:
    """The first line of a message."""
    return str(problem).split("\n", 1)[0]
