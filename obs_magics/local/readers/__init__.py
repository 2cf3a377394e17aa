"""Files that people have, read as metrics, logs, traces or events: tables of formats, recognised by what they hold."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
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
# https://www.gnu.org/software/tar/manual/html_node/Standard.html
_TAR_MAGIC, _TAR_PLACE = b"ustar", 257

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
                continue
            if found.problems:
                share = found.share
                found.problems = [replace(problem, share=share) for problem in found.problems]
            reading.add(found)
    reading.problems += _of_no_format(unknown, path)
    return reading


def list_files(path: Path, database: duckdb.DuckDBPyConnection | None = None) -> Iterator[File]:
    """A file itself, or every file under a folder in order of name; hidden ones are passed over.

    A ZIP archive stands for the files in it. Links to files are followed, unless the file is there anyway; links to
    folders are not. What cannot be listed or read as a file is given back as if it were one, so that whoever opens it
    learns why.
    """
    for found in _walk(path, path.resolve()) if path.is_dir() else [path]:
        name = found.relative_to(path).as_posix() if found != path else path.name
        members = _members(found)
        if members:
            yield from (File(found, f"{name}/{member}", database, member) for member in members)
        else:
            yield File(found, name, database)


def _walk(folder: Path, whole: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), whole)
        elif not _is_read_anyway(Path(entry.path), whole):
            yield Path(entry.path)


def _is_read_anyway(path: Path, whole: Path) -> bool:
    """Whether it is a link to what is read under its own name, or to a folder that holds all of them."""
    if not path.is_symlink():
        return False
    target = Path(os.path.realpath(path))  # pathlib's own raises for a link to itself
    if path.is_dir() and whole.is_relative_to(target):
        return True
    inside = target.relative_to(whole).parts if target.is_relative_to(whole) else (".",)
    return target.exists() and not any(part.startswith(".") for part in inside)


def _members(path: Path) -> list[str]:
    """The files in a ZIP archive in order of name; none when it is no such archive."""
    if path.suffix.lower() != ".zip" or not path.is_file():
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
    except (OSError, zipfile.BadZipFile):
        return []  # whoever opens it as a file learns why
    return sorted(name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/")))


def _read(file: File, mapping: Mapping) -> Reading | None:
    """What came of a file; None when it is of no format that is known."""
    if file.none:
        return Reading(problems=[Problem(file.name, file.none)])
    try:
        if not file.head.strip(b" \t\r\n\0"):
            empty = "the file holds nothing but zeros" if b"\0" in file.head else "the file is empty"
            return Reading(problems=file.damage or [Problem(file.name, empty)])
        if file.head.startswith(_TAR_MAGIC, _TAR_PLACE):
            return Reading(problems=[Problem(file.name, "it is a tar archive: unpack it, and open the folder")])
        found = _by_format(file, mapping)
    except OSError as problem:  # gone, or not to be read by this user
        return Reading(problems=[Problem(file.name, f"cannot be read: {problem.strerror or problem}", lost=True)])
    if found is None:
        return Reading(problems=file.damage) if file.damage else None
    found.problems[:0] = file.damage
    return found


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
