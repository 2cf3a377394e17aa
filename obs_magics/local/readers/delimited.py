"""Reads CSV, whatever its delimiter, decimal sign and size: what it looks like is told here, DuckDB reads it.

Rows that are not as the header has it, or hold no number where one should be, are left out and said with their line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import duckdb
import numpy as np

from obs_magics.local.database import quoted
from obs_magics.local.readers.base import Complaints, File, Mapping, Problem, Reading
from obs_magics.local.readers.columns import plan
from obs_magics.local.readers.copies import database, unpacked
from obs_magics.local.readers.tables import load, look, stem, words_of

Array = np.ndarray[Any, Any]

_DELIMITERS = (",", ";", "\t", "|")
_WITH_COMMA = re.compile(r"[-+]?(?P<before>\d+),(?P<after>\d+)")
_WITH_POINT = re.compile(r"[-+]?\d+\.\d+")
_REJECTED = "SELECT line_byte_position, column_name, error_type, error_message FROM reject_errors ORDER BY 1"


def is_csv(file: File) -> bool:
    """Whether its first line is one of names, with a delimiter by which most of the next have as many fields."""
    if b"\0" in file.head:
        return False
    delimiter, (header, *rows) = csv_layout(file)
    if len(header) < 2:
        return False
    lines = file.head.decode("utf-8", "replace").splitlines()[1:6]  # as they are: a quote may never be closed
    alike = max(
        sum(len(row) == len(header) for row in rows[:5]),
        sum(len(line.split(delimiter)) == len(header) for line in lines),
    )
    return alike * 2 >= min(len(rows), 5) if rows else all(map(str.isidentifier, header))


def read_csv(file: File, mapping: Mapping) -> Reading:
    """Read a CSV file with a header."""
    delimiter, records = csv_layout(file)
    names = _unique(records[0])
    decimal = mapping.decimal or _decimal(delimiter, records)
    options = (
        f"delim = {quoted(delimiter)}, header = true, quote = '\"', nullstr = '', auto_detect = false,"
        f" decimal_separator = {quoted(decimal)}"
    )
    complaints = Complaints(file.name)
    with unpacked(file) as path, database(file, path, mapping.zone) as connection:

        def source(types: dict[str, str], more: str) -> str:
            columns = ", ".join(f"{quoted(name)}: {quoted(types.get(name, 'VARCHAR'))}" for name in names)
            return f"read_csv({quoted(str(path))}, {options}, columns = {{{columns}}}, {more})"

        def rejections() -> list[tuple[str, int]]:
            return list(_rejections(file, connection.execute(_REJECTED).fetchall()))

        def lines() -> Array | None:
            return _row_lines(file, delimiter, {line for _, line in rejections()})

        try:
            chosen = plan(look(connection, source({}, "ignore_errors = true"), decimal), mapping, stem(file))
            words = "VARCHAR" if mapping.time_format else "TIMESTAMPTZ"
            types = dict.fromkeys(chosen.values, "DOUBLE") | {chosen.timestamp: words if chosen.words else "DOUBLE"}
            rows = load(
                connection,
                source(types, "store_rejects = true"),
                chosen,
                mapping,
                complaints=complaints,
                lines=lines,
            )
        except (ValueError, duckdb.Error) as problem:
            return Reading(problems=[Problem(file.name, words_of(problem) + _hint(file, records, decimal))])
        complaints.extend(rejections())
    return Reading(rows, complaints.all, 1)


@contextmanager
def fields_up_to(size: int) -> Iterator[None]:
    """Lets Python's reader of CSV read fields of this length; it refuses those of more than 131,072 characters."""
    before = csv.field_size_limit(max(size, csv.field_size_limit()))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def csv_layout(file: File) -> tuple[str, list[list[str]]]:
    """The delimiter, and the first lines taken apart by it, the header first; lines with nothing in them are left out.

    The delimiter is the one by which most lines have as many fields as the header.
    """
    text = file.head.decode("utf-8", "replace")
    found = []
    for delimiter in _DELIMITERS:
        with fields_up_to(len(text)):
            rows = [row for row in csv.reader(io.StringIO(text, newline=None), delimiter=delimiter) if row]
        alike = sum(len(row) == len(rows[0]) for row in rows[1:6])
        found.append(((len(rows[0]) > 1, alike, len(rows[0])) if rows else (False, 0, 0), delimiter, rows))
    _, delimiter, rows = max(found, key=lambda one: one[0])
    return delimiter, rows or [[]]


def _decimal(delimiter: str, records: list[list[str]]) -> str:
    """What stands before the fraction: a comma only when that is sure, as 1,500 may be fifteen hundred."""
    fields = [field for record in records[1:] for field in record]
    commas = [match for field in fields if (match := _WITH_COMMA.fullmatch(field))]
    sure = any(len(match["after"]) != 3 or len(match["before"]) > 3 or match["before"] == "0" for match in commas)
    return "," if sure and delimiter != "," and not any(map(_WITH_POINT.fullmatch, fields)) else "."


def _hint(file: File, records: list[list[str]], decimal: str) -> str:
    """What may help with a file of which nothing could be read."""
    if len(records) == 1:
        return ": there is only a header"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(file.head)
    except UnicodeDecodeError as problem:
        line = file.head.count(b"\n", 0, problem.start) + 1
        return f" (line {line} is not UTF-8: save the file as UTF-8)"
    commas = decimal == "." and any(map(_WITH_COMMA.fullmatch, chain(*records[1:])))
    return "; for numbers such as 1,5 give the option decimal" if commas else ""


def _rejections(file: File, rejected: list[tuple[int, str | None, str, str]]) -> Iterator[tuple[str, int]]:
    """What DuckDB has to say of the rows that it left out, with the line (not the row) of the file."""
    line = 0
    done = 0
    with file.open() as stream:
        for position, column, kind, message in rejected:
            # up to the first byte of the row: its line break is the one before it
            line += stream.read(max(position - done, 0)).count(b"\n")
            done = max(position, done)
            what = message.rsplit(". ", 1)[-1] if kind == "CAST" else message
            yield f"column {column}: {what}" if kind == "CAST" else what, line + 1


def _row_lines(file: File, delimiter: str, rejected: set[int]) -> Array | None:
    """The line in which each row begins that was not rejected; None when that cannot be told."""
    lines, begins = [], 1
    with io.TextIOWrapper(file.open(), "utf-8", "replace", newline="") as text:
        reader = csv.reader(text, delimiter=delimiter)
        try:
            for row in reader:
                if row and begins not in rejected:
                    lines.append(begins)
                begins = reader.line_num + 1
        except csv.Error:  # a field that is too long for this reader, which DuckDB could read
            return None
    return np.asarray(lines[1:], np.int64)


def _unique(names: list[str]) -> list[str]:
    """Column names: none empty, none twice."""
    unique: list[str] = []
    for index, name in enumerate(names, start=1):
        wanted = name.strip() or ("Unnamed: 0" if index == 1 else f"column_{index}")  # as pandas calls it
        unique.append(wanted if wanted.lower() not in {one.lower() for one in unique} else f"{wanted}_{index}")
    return unique
