"""Opens a folder or a file: a native folder as it lies, anything else through the readers into memory.

There may be metrics, log lines, spans and events.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.local import native
from obs_magics.local.block import assemble
from obs_magics.local.database import connect
from obs_magics.local.events.native import read_native_events
from obs_magics.local.events.store import StoredEvents
from obs_magics.local.logs.store import LogStore, store_of_file, store_of_tables
from obs_magics.local.readers import read_files
from obs_magics.local.readers.base import Mapping as ColumnMapping
from obs_magics.local.readers.base import Problem
from obs_magics.local.store import Store, store_of_block, store_of_folder
from obs_magics.local.traces.native import stored_spans
from obs_magics.local.traces.store import StoredSpans, spans_of_files
from obs_magics.model.errors import BadAnswer, ConfigError, SourceUnavailable

_SHOWN = 5
_MINUTE_MS = 60_000
_LOGS, _SPANS, _EVENTS = "logs", "spans", "events"

Signal = Literal["metrics", "logs", "traces", "events"]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder turned out to hold.

    Args:
        store: The metrics; without a series when there are none.
        connection: The database that may read the folder, and nothing else.
        description: In a few words: `native folder, 2,410 series` or `3 files, 12 series`.
        now_ns: The folder's own now; None when it has neither sample, line nor span, and names none.
        note: A sentence that its manifest has for whoever opens it.
        problems: What could not be read.
        notes: How files were read where that was found out: format, form of times, zone, service.
        tables: Parquet files beside the metrics, by name: logs, spans, events.
        logs: The log lines; None when there are none.
        spans: The spans, read when they are asked for; None when there are none.
        events: What happened, read when it is asked for; None when nothing is told.
    """

    store: Store
    connection: duckdb.DuckDBPyConnection
    description: str
    now_ns: int | None
    note: str = ""
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    tables: Mapping[str, Path] = field(default_factory=dict)
    logs: LogStore | None = None
    spans: StoredSpans | None = None
    events: StoredEvents | None = None

    def read_as(self, most: int) -> tuple[str, ...]:
        """How files were understood where that was found out and not told, `most` of them in words."""
        left = len(self.notes) - most
        return self.notes[:most] + ((f"… and {left:,} more files read likewise",) if left > 0 else ())

    def described(self, most: int) -> tuple[str, ...]:
        """The problems, a sentence a file for `most` of them, and how many more files have some."""
        return _by_file(self.problems, most)

    def warnings(self, signal: Signal, of: Collection[str] | None = None) -> tuple[str, ...]:
        """What an answer has to say: the problems of files that gave something to it, or could have.

        Args:
            signal: What was asked for.
            of: The names of the metrics that were read, or of the files whose lines were; None when that is not known.

        Returns:
            A sentence a file, and how many more files there are.
        """
        return _by_file([one for one in self.problems if _concerns(one, signal, of)], _SHOWN)

    def warnings_of_tables(self, names: Collection[str]) -> tuple[str, ...]:
        """What an answer of SQL has to say that reads these tables (in lower case)."""
        of_metrics = self.warnings("metrics") if {"metrics", "series"} & set(names) else ()
        own = [one for one in self.problems if PurePath(one.file).name.split(".")[0].lower() in names]
        return tuple(dict.fromkeys((*of_metrics, *_by_file(own, _SHOWN))))


def _concerns(problem: Problem, signal: Signal, of: Collection[str] | None) -> bool:
    share = problem.share
    if signal not in share.signals:
        return problem.lost and not share.signals  # nobody knows what it held
    if of is None or problem.lost:
        return True
    return problem.file in of if signal == "logs" else signal != "metrics" or not share.metrics.isdisjoint(of)


def _by_file(problems: Sequence[Problem], most: int) -> tuple[str, ...]:
    files: dict[str, list[Problem]] = {}
    for problem in problems:
        files.setdefault(problem.file, []).append(problem)
    told = [_of_one_file(own) for own in files.values()]
    left = len(told) - most
    more = [f"… and {left:,} more files with problems: %obs connect shows more of them"] if left > 0 else []
    return (*told[:most], *more)


def _of_one_file(problems: Sequence[Problem]) -> str:
    left = sum(problem.count for problem in problems) - 1
    return f"{problems[0]} (and {left:,} more of this file)" if left else str(problems[0])


def open_contents(path: Path, *, mapping: ColumnMapping, now: str | None) -> Contents:
    """Open a folder or a file.

    Args:
        path: Absolute.
        mapping: Which columns of tables mean what.
        now: ISO 8601; overrides what the manifest or the data say.

    Raises:
        SourceUnavailable: There is nothing at `path`.
        BadAnswer: There is, but nothing in it can be read as metrics, logs, traces or events.
        ConfigError: `now` is not a time.
    """
    if not path.exists():
        raise SourceUnavailable("there is no such file or folder", where=str(path), hint="check the path")
    manifest = native.read_manifest(path) if path.is_dir() else None
    if manifest is not None:
        return _open_native(path, manifest, now)
    return _open_files(path, mapping, now)


def _open_native(path: Path, manifest: native.Manifest, now: str | None) -> Contents:
    connection = connect(path)
    try:
        store = store_of_folder(connection, path)
        logs = store_of_file(path / manifest.tables[_LOGS]) if _LOGS in manifest.tables else None
        spans = stored_spans(path / manifest.tables[_SPANS]) if _SPANS in manifest.tables else None
        events = _native_events(path / manifest.tables[_EVENTS]) if _EVENTS in manifest.tables else None
        now_ns = _now(now or manifest.now, _Held(store, logs, spans, events))
    except ConfigError:
        connection.close()
        raise
    except (OSError, pa.ArrowException) as problem:
        connection.close()
        raise BadAnswer(
            f"the folder is damaged: {problem}", where=str(path), hint="export it again; for the demo: %obs demo"
        ) from problem
    return Contents(
        store,
        connection,
        f"{manifest.title or 'a folder'}, {_Held(store, logs, spans, events)}",
        now_ns,
        manifest.note,
        tables={name: path / file for name, file in manifest.tables.items()},
        logs=logs,
        spans=spans,
        events=events,
    )


def _native_events(path: Path) -> StoredEvents:
    return StoredEvents(pq.read_metadata(path).num_rows, lambda: read_native_events(path))


def _open_files(path: Path, mapping: ColumnMapping, now: str | None) -> Contents:
    reading = read_files(path, mapping)
    block = assemble(reading.rows)
    problems = tuple(reading.problems)
    logs = store_of_tables(reading.logs) if reading.logs else None
    spans = spans_of_files(reading.spans)
    events = StoredEvents(len(reading.events), lambda: reading.events) if reading.events else None
    if not (block.labels or (logs is not None and len(logs)) or spans is not None or events is not None):
        raise BadAnswer(
            "nothing here can be read as metrics, logs, traces or events",
            where=str(path),
            hint="; ".join(map(str, problems[:_SHOWN]))
            or ("the folder is empty" if path.is_dir() else "it holds no sample, no line and no span"),
        )
    if block.repeated:
        why = f"{_count(block.repeated, 'sample')} left out: a later one has the same series and time"
        problems += (Problem("", why, share=reading.share),)
    store = store_of_block(block)
    held = _Held(store, logs, spans, events)
    now_ns = _now(now, held)
    notes = tuple(map(str, reading.notes))
    return Contents(
        store,
        connect(path),
        f"{_count(reading.files, 'file')}, {held}",
        now_ns,
        problems=problems,
        notes=notes,
        logs=logs,
        spans=spans,
        events=events,
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """All that there is; as a text how much of it."""

    store: Store
    logs: LogStore | None
    spans: StoredSpans | None
    events: StoredEvents | None

    def __str__(self) -> str:
        has_others = any(part is not None for part in (self.logs, self.spans, self.events))
        parts = [_count(self.store.index.size, "series", "series")] if self.store.index.size or not has_others else []
        if self.logs is not None:
            parts.append(_count(len(self.logs), "log line"))
        if self.spans is not None:
            parts.append(_count(self.spans.count, "span"))
        if self.events is not None:
            parts.append(_count(self.events.count, "event"))
        return ", ".join(parts)

    def ends_ns(self) -> list[int]:
        """Where each kind of data ends; events alone, which may be planned ahead, count where there is nothing else."""
        ends_ms = self.store.samples_end_ms
        # up to the full minute: questions for numbers end on a multiple of their step, and the last sample lies before
        ends = [] if ends_ms is None else [-(-ends_ms // _MINUTE_MS) * _MINUTE_MS * 1_000_000]
        lines = self.logs.extent_ns if self.logs is not None else None
        starts = self.spans.store().extent_ns if self.spans is not None else None
        # a range of lines or spans is open at its end, and the last one belongs to it
        ends += [extent[1] + 1 for extent in (lines, starts) if extent]
        if not ends and self.events is not None:
            ends = [max((event.start_ns for event in self.events.events()), default=0)]
        return ends


def _now(text: str | None, held: _Held) -> int | None:
    if not text:
        return max(held.ends_ns(), default=None)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as problem:
        raise ConfigError(f"now is {text!r}, which is not a time", hint="write it as 2026-11-22T16:00:00Z") from problem
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1_000_000) * 1_000


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
