"""What readers are given and what they give back."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa

from obs_magics.local.block import Rows
from obs_magics.model.events import Event
from obs_magics.syntax.spans import SpanColumns

HEAD = 65_536
# The last millisecond that nanoseconds since the epoch can tell.
LATEST_MS = 9_223_372_036_854
_COMPRESSIONS = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
# The mark that Windows puts before UTF-8.
BOM = b"\xef\xbb\xbf"
# One file can be wrong in every line: this many are described one by one, the rest is counted.
MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which columns of a table mean what; what is None is guessed. See `FolderSettings`."""

    timestamp: str | None = None
    time_unit: str | None = None
    time_format: str | None = None
    zone: str = "UTC"
    decimal: str | None = None
    value: Sequence[str] | None = None
    metric: str | None = None
    labels: Sequence[str] | None = None


@dataclass(frozen=True)
class File:
    """A file to be read.

    Args:
        path: Where it lies.
        name: As people know it: relative to what was opened.
        database: One that may read it, shared by all files of a folder, as opening one takes its time.
    """

    path: Path
    name: str
    database: duckdb.DuckDBPyConnection | None = field(default=None, compare=False)

    @cached_property
    def compression(self) -> str:
        """What it is compressed with by its first bytes, `gzip` or `zstd`; empty when it is not."""
        with self.path.open("rb") as stream:
            magic = stream.read(4)
        return next((name for beginning, name in _COMPRESSIONS if magic.startswith(beginning)), "")

    @property
    def packed(self) -> bool:
        """Whether it is compressed."""
        return bool(self.compression)

    def open(self) -> BinaryIO:
        """Its bytes, unpacked, without a byte order mark."""
        stream = self._unpacked()
        if self.marked:
            stream.read(len(BOM))
        return stream

    def _unpacked(self) -> BinaryIO:
        if self.compression == "zstd":
            return io.BufferedReader(pa.input_stream(str(self.path), compression="zstd"))
        return io.BufferedReader(gzip.open(self.path, "rb")) if self.packed else self.path.open("rb")

    @cached_property
    def marked(self) -> bool:
        """Whether it begins with the byte order mark of UTF-8."""
        with self._unpacked() as stream:
            return stream.read(len(BOM)) == BOM

    @cached_property
    def head(self) -> bytes:
        """The first `HEAD` bytes, unpacked."""
        with self.open() as stream:
            return stream.read(HEAD)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read; `line` counts from 1."""

    file: str
    why: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line is not None else self.file
        return f"{place}: {self.why}"


@dataclass(slots=True)
class Reading:
    """What came of one file or several.

    Args:
        rows: Samples of metrics.
        problems: What could not be read, or was guessed.
        files: How many files were read.
        logs: Log lines, a table per file, in the shape of a logs frame and in order of time: `timestamp` (ns, UTC),
            `level` and `service` (dictionaries, null where unknown), `message`, `trace_id` and `span_id` where any line
            has one; dictionaries for the labels that tell streams apart (`filename` always), strings for the rest.
        spans: Spans, as columns, per file.
        events: What happened, in any order.
        notes: How files were read, where that was found out and not told: their format, how times are written, the
            zone or year or service that was assumed. No problem, but worth knowing.
    """

    rows: list[Rows] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: int = 0
    logs: list[pa.Table] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    spans: list[SpanColumns] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def add(self, other: Reading) -> None:
        """Take in what came of another file."""
        self.rows += other.rows
        self.logs += other.logs
        self.spans += other.spans
        self.events += other.events
        self.notes += other.notes
        self.problems += other.problems
        self.files += other.files


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A format of logs: its name for people, how it is recognised, and how it is read.

    What the user says of columns matters to the recognition: a table whose values are named holds metrics.
    """

    title: str
    looks_right: Callable[[File, Mapping], bool]
    read: Callable[[File, Mapping], Reading]


@dataclass(frozen=True, slots=True)
class SpanFormat:
    """A format of spans: its name for people, how it is recognised, and how it is read."""

    title: str
    looks_right: Callable[[File], bool]
    read: Callable[[File], Reading]


class Complaints:
    """Collects the problems of one file, and counts those beyond the first `MOST_PROBLEMS`."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []
        self._more = 0

    def add(self, why: str, line: int | None = None) -> None:
        """One more problem."""
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(Problem(self._file, why, line))
        else:
            self._more += 1

    def extend(self, problems: Iterable[tuple[str, int | None]]) -> None:
        """More problems, each with its line."""
        for why, line in problems:
            self.add(why, line)

    @property
    def all(self) -> list[Problem]:
        """The problems, the last of which says how many more there are."""
        rest = [Problem(self._file, f"and {self._more:,} more lines like these")] if self._more else []
        return self._problems + rest
