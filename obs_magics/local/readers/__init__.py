"""Files that people have, read as metrics, logs, traces or events: tables of formats, recognised by what they hold."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from obs_magics.local.database import connect
from obs_magics.local.readers import delimited, exposition, otlp, prometheus_json, tables, tsdb_dump
from obs_magics.local.readers.base import File, Mapping, Problem, Reading
from obs_magics.local.readers.events import EVENT_TITLES
from obs_magics.local.readers.events import looks_right as holds_events
from obs_magics.local.readers.events import read as read_events
from obs_magics.local.readers.logs import LOG_FORMATS
from obs_magics.local.readers.traces import SPAN_FORMATS, SPAN_TITLES


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name for people, how it is recognised, and how it is read."""

    title: str
    looks_right: Callable[[File], bool]
    read: Callable[[File, Mapping], Reading]


# Whoever connects a home directory by mistake should not wait for an hour.
MOST_FILES = 5000
_SHOWN = 10
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

# Of metrics, behind those of spans and logs, the surest recognition first: the first that fits reads the file.
FORMATS: tuple[Format, ...] = (
    Format("Parquet", tables.is_parquet, tables.read_parquet),
    Format("OTLP JSON metrics", otlp.looks_right, otlp.read),
    Format("Prometheus JSON", prometheus_json.looks_right, prometheus_json.read),
    Format("promtool tsdb dump", tsdb_dump.looks_right, tsdb_dump.read),
    Format("JSON Lines", tables.is_json_lines, tables.read_json_lines),
    Format("OpenMetrics or Prometheus text", exposition.looks_right, exposition.read),
    Format("JSON array", tables.is_json_array, tables.read_json_array),
    Format("CSV", delimited.is_csv, delimited.read_csv),
)


def read_files(path: Path, mapping: Mapping) -> Reading:
    """Read a file, or every file under a folder in order of name; hidden files are passed over.

    Files of no known format are named together, behind whatever is wrong in the others.
    """
    reading = Reading()
    unknown: list[str] = []
    with connect(path, mapping.zone) as database:
        for number, file in enumerate(list_files(path, database)):
            if number == MOST_FILES:
                why = f"has more than {MOST_FILES:,} files: the rest is not read"
                reading.problems.append(Problem(path.name, why))
                break
            found = _read(file, mapping)
            if found is None:
                unknown.append(file.name)
            else:
                reading.add(found)
    reading.problems += _of_no_format(unknown, path)
    return reading


def list_files(path: Path, database: duckdb.DuckDBPyConnection | None = None) -> Iterator[File]:
    """A file itself, or every file under a folder in order of name; hidden ones are passed over.

    Links to files are followed, links to folders are not. A folder that cannot be listed is given back as if it were a
    file, so that whoever opens it learns why.
    """
    if path.is_dir():
        for found in _walk(path):
            yield File(found, found.relative_to(path).as_posix(), database)
    else:
        yield File(path, path.name, database)


def _walk(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif Path(entry.path).is_file():
            yield Path(entry.path)


def _read(file: File, mapping: Mapping) -> Reading | None:
    """What came of a file; None when it is of no format that is known."""
    try:
        if not file.head.strip():
            return Reading(problems=[Problem(file.name, "the file is empty")])
        if file.head.startswith(_UTF_16):
            return Reading(problems=[Problem(file.name, "it is UTF-16: save it as UTF-8")])
        return _by_format(file, mapping)
    except (OSError, EOFError, zlib.error) as problem:  # gone, not readable, or its gzip cut in half or damaged
        return Reading(problems=[Problem(file.name, f"cannot be read: {problem}")])


def _by_format(file: File, mapping: Mapping) -> Reading | None:
    """What came of a file of the first format that fits, the surest recognition first."""
    spans = next((form for form in SPAN_FORMATS if form.looks_right(file)), None)
    if spans is not None:
        return spans.read(file)
    if holds_events(file, mapping):
        return read_events(file, mapping)
    log = next((form for form in LOG_FORMATS if form.looks_right(file, mapping)), None)
    if log is not None:
        return log.read(file, mapping)
    form = next((form for form in FORMATS if form.looks_right(file)), None)
    return None if form is None else form.read(file, mapping)


def _of_no_format(names: Sequence[str], path: Path) -> Iterator[Problem]:
    titles = [form.title for form in FORMATS] + [*SPAN_TITLES, EVENT_TITLES[-1]]
    known = ", ".join(titles + [form.title for form in LOG_FORMATS])
    if len(names) == 1:
        yield Problem(names[0], f"not a format that is known here ({known})")
    elif names:
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        yield Problem(path.name, f"{len(names):,} files are of no format that is known here ({known}): {shown}")
