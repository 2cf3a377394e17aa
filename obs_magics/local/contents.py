"""Opens a folder or a file: a native folder as it lies, anything else through the readers into memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from obs_magics.local import native
from obs_magics.local.block import assemble
from obs_magics.local.database import connect
from obs_magics.local.readers import read_files
from obs_magics.local.readers.base import Mapping as ColumnMapping
from obs_magics.local.store import Store, store_of_block, store_of_folder
from obs_magics.model.errors import BadAnswer, ConfigError, SourceUnavailable

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder turned out to hold.

    Args:
        store: The metrics.
        connection: The database that may read the folder, and nothing else.
        description: In a few words: `native folder, 2,410 series` or `3 files, 12 series`.
        now_ns: The folder's own now; None when it has no sample and names none.
        note: A sentence that its manifest has for whoever opens it.
        problems: What could not be read, a sentence each: file, line and why.
        tables: Parquet files beside the metrics, by name: logs, spans, events.
    """

    store: Store
    connection: duckdb.DuckDBPyConnection
    description: str
    now_ns: int | None
    note: str = ""
    problems: tuple[str, ...] = ()
    tables: Mapping[str, Path] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The problems, the first few of them in words."""
        return self.described(_SHOWN)

    def described(self, most: int) -> tuple[str, ...]:
        """The problems, `most` of them in words, and how many more there are."""
        left = len(self.problems) - most
        return self.problems[:most] + ((f"… and {left:,} more problems like these",) if left > 0 else ())


def open_contents(path: Path, *, mapping: ColumnMapping, now: str | None) -> Contents:
    """Open a folder or a file.

    Args:
        path: Absolute.
        mapping: Which columns of tables mean what.
        now: ISO 8601; overrides what the manifest or the data say.

    Raises:
        SourceUnavailable: There is nothing at `path`.
        BadAnswer: There is, but nothing in it can be read as metrics.
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
    except (OSError, pa.ArrowException) as problem:
        connection.close()
        raise BadAnswer(
            f"the folder is damaged: {problem}", where=str(path), hint="export it again; for the demo: %obs demo"
        ) from problem
    return Contents(
        store,
        connection,
        f"{manifest.title or 'a folder'}, {_count(store.index.size, 'series', 'series')}",
        _now(now or manifest.now, store),
        manifest.note,
        tables={name: path / file for name, file in manifest.tables.items()},
    )


def _open_files(path: Path, mapping: ColumnMapping, now: str | None) -> Contents:
    reading = read_files(path, mapping)
    block = assemble(reading.rows)
    problems = tuple(map(str, reading.problems))
    if not block.labels:
        raise BadAnswer(
            "nothing here can be read as metrics",
            where=str(path),
            hint="; ".join(problems[:_SHOWN]) or ("the folder is empty" if path.is_dir() else "it holds no sample"),
        )
    if block.repeated:
        problems += (f"{_count(block.repeated, 'sample')} left out: a later one has the same series and time",)
    store = store_of_block(block)
    description = f"{_count(reading.files, 'file')}, {_count(store.index.size, 'series', 'series')}"
    return Contents(store, connect(path), description, _now(now, store), problems=problems)


def _now(text: str | None, store: Store) -> int | None:
    if not text:
        end_ms = store.samples_end_ms
        return None if end_ms is None else end_ms * 1_000_000
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as problem:
        raise ConfigError(f"now is {text!r}, which is not a time", hint="write it as 2026-11-22T16:00:00Z") from problem
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1_000_000) * 1_000


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
