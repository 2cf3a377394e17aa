"""Files that people have, read as metrics: a table of formats, recognised by what is in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from obs_magics.local.readers import exposition, otlp, prometheus_json, tables, tsdb_dump
from obs_magics.local.readers.base import File, Mapping, Problem, Reading


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name for people, how it is recognised, and how it is read."""

    title: str
    looks_right: Callable[[File], bool]
    read: Callable[[File, Mapping], Reading]


# Whoever connects a home directory by mistake should not wait for an hour.
MOST_FILES = 5000

# In order of how sure the recognition is: the first that fits reads the file.
FORMATS: tuple[Format, ...] = (
    Format("Parquet", tables.is_parquet, tables.read_parquet),
    Format("OTLP JSON metrics", otlp.looks_right, otlp.read),
    Format("Prometheus JSON", prometheus_json.looks_right, prometheus_json.read),
    Format("promtool tsdb dump", tsdb_dump.looks_right, tsdb_dump.read),
    Format("JSON Lines", tables.is_json_lines, tables.read_json_lines),
    Format("OpenMetrics or Prometheus text", exposition.looks_right, exposition.read),
    Format("CSV", tables.is_csv, tables.read_csv),
)


def read_files(path: Path, mapping: Mapping) -> Reading:
    """Read a file, or every file under a folder in order of name; hidden files are passed over."""
    reading = Reading()
    for number, file in enumerate(list_files(path)):
        if number == MOST_FILES:
            reading.problems.append(Problem(path.name, f"has more than {MOST_FILES:,} files: the rest is not read"))
            break
        reading.add(_read(file, mapping))
    return reading


def list_files(path: Path) -> Iterator[File]:
    """A file itself, or every file under a folder in order of name; hidden ones are passed over."""
    if path.is_file():
        yield File(path, path.name)
        return
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path)
        if found.is_file() and not any(part.startswith(".") for part in name.parts):
            yield File(found, name.as_posix())


def _read(file: File, mapping: Mapping) -> Reading:
    try:
        if not file.head.strip():
            return Reading(problems=[Problem(file.name, "the file is empty")])
        form = next((form for form in FORMATS if form.looks_right(file)), None)
        if form is None:
            known = ", ".join(form.title for form in FORMATS)
            return Reading(problems=[Problem(file.name, f"not a format that is known here ({known})")])
        return form.read(file, mapping)
    except (OSError, EOFError) as problem:  # gone, not readable, or its gzip cut in half
        return Reading(problems=[Problem(file.name, f"cannot be read: {problem}")])
