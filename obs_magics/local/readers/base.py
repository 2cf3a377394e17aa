"""What readers are given and what they give back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa

from obs_magics.local.block import Rows
from obs_magics.local.readers import streams
from obs_magics.model.events import Event
from obs_magics.model.frames import METRIC_NAME_LABEL
from obs_magics.syntax.spans import SpanColumns

HEAD = 65_536
# The last millisecond that nanoseconds since the epoch can tell.
LATEST_MS = 9_223_372_036_854
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
        member: Its name inside of the ZIP archive that `path` is; empty for a file by itself.
        faults: Why it could not be read to its end, as far as that was tried; filled while it is read.
    """

    path: Path
    name: str
    database: duckdb.DuckDBPyConnection | None = field(default=None, compare=False)
    member: str = ""
    faults: list[str] = field(default_factory=list, compare=False)

    @cached_property
    def none(self) -> str:
        """Why it is none that could be opened; empty when it may be one."""
        if self.path.is_symlink():
            if self.path.is_dir():
                return "a link to a folder, not followed: connect that folder itself"
            if not self.path.exists():
                return "a link to what is not there"
        return "" if self.path.is_file() or self.path.is_dir() else "no file with data: a pipe, a socket or a device"

    @cached_property
    def compression(self) -> str:
        """What it is compressed with by its first bytes; empty when it is not."""
        return streams.ZIP if self.member else streams.compression_of(self.path)

    @property
    def packed(self) -> bool:
        """Whether it is compressed."""
        return bool(self.compression)

    @property
    def plain(self) -> bool:
        """Whether it can be read as UTF-8 where it lies."""
        return not self.packed and not self.encoding

    def open(self, *, partial: bool = False) -> BinaryIO:
        """Its bytes, unpacked, as UTF-8 without a byte order mark; where it is damaged, up to there.

        Args:
            partial: Whether a last line that is cut by damage is wanted.

        Raises:
            OSError: It cannot be opened.
        """
        stream = streams.unpacked(self.path, self.compression, self.member)
        return stream if self.plain else streams.as_text(stream, self.encoding, partial=partial, say=self._fault)

    def _fault(self, why: str) -> None:
        if why not in self.faults:
            self.faults.append(why)

    @property
    def damage(self) -> list[Problem]:
        """What is to be said when it could not be read to its end."""
        if not self.faults:
            return []
        kept = "read as far as it goes" if self.head else "nothing of it can be read"
        return [Problem(self.name, f"it is cut short or damaged ({self.faults[0].rstrip('.')}): {kept}", lost=True)]

    @cached_property
    def encoding(self) -> str:
        """How its text is encoded, where it is not UTF-8 without a byte order mark."""
        stream = streams.unpacked(self.path, self.compression, self.member)
        with streams.as_text(stream, "", partial=True, say=self._fault) as text:
            return streams.encoding_of(text.read(streams.LOOK))

    def looked_into(self, size: int) -> File:
        """The same file with a longer `head`."""
        other = replace(self)
        with other.open(partial=True) as stream:
            vars(other)["head"] = stream.read(size)
        return other

    @cached_property
    def head(self) -> bytes:
        """The first `HEAD` bytes, unpacked."""
        with self.open(partial=True) as stream:
            return stream.read(HEAD)


@dataclass(frozen=True, slots=True)
class Share:
    """What a file gave: the signals (`metrics`, `logs`, `traces`, `events`), and the names of its metrics."""

    signals: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read.

    Args:
        file: Of which file.
        why: In words.
        line: Counts from 1; None when it is about more than a line.
        count: How many problems these are.
        lost: Whether a part of the file is missing of which nobody knows what was in it.
        share: What the file gave all the same; known once it is read.
    """

    file: str
    why: str
    line: int | None = None
    count: int = 1
    lost: bool = False
    share: Share = field(default=Share(), compare=False)

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line is not None else self.file
        return f"{place}: {self.why}" if place else self.why


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

    @property
    def share(self) -> Share:
        """What there is of it."""
        given = {"metrics": self.rows, "logs": self.logs, "traces": self.spans, "events": self.events}
        names = {labels.get(METRIC_NAME_LABEL, "") for rows in self.rows for labels in rows.labels}
        return Share(frozenset(signal for signal, found in given.items() if found), frozenset(names))

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
        rest = (
            [Problem(self._file, f"and {self._more:,} more lines like these", count=self._more)] if self._more else []
        )
        return self._problems + rest
