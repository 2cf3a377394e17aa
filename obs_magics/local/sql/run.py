"""One SQL statement on its way: judged, given the frames that it names, run read-only, read up to its limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import pandas as pd
import pyarrow as pa

from obs_magics.local.database import identifier
from obs_magics.local.sql.frames import to_arrow, to_frame
from obs_magics.local.sql.levels import as_level, holds_levels
from obs_magics.local.sql.problems import explained
from obs_magics.local.sql.statement import CLOCK_FUNCTIONS, Statement, judge
from obs_magics.model.errors import ObsError
from obs_magics.model.logs import LEVELS
from obs_magics.model.query import SqlQuery


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database: its tables with their columns, and what could not be made one."""

    connection: duckdb.DuckDBPyConnection
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The frame, why it is not whole (empty when it is), what else there is to say, and which tables were named."""

    frame: pd.DataFrame
    truncated: str
    notes: tuple[str, ...]
    tables: frozenset[str]


class Run:
    """One statement, called in a thread of its own, stopped from any other.

    Args:
        opened: Gives the database.
        query: What to run.
        where: Name and address of the source, for errors.
        now_ns: The source's own now, when it stands still.
    """

    def __init__(self, opened: Callable[[], Opened], query: SqlQuery, *, where: str, now_ns: int | None) -> None:
        self._opened = opened
        self._query = query
        self._where = where
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._running: duckdb.DuckDBPyConnection | None = None
        self._stopped = False

    def __call__(self) -> Outcome:
        """Run it.

        Raises:
            ObsError: As `Database.answer`.
        """
        database = self._opened()
        statement = None
        named = dict(database.tables)
        try:
            statement = judge(self._query.text)
            frames = self._frames(statement, database)
            named |= {name: [str(column) for column in frame.columns] for name, frame in frames.items()}
            return self._outcome(statement, frames, database)
        except duckdb.Error as error:
            raise explained(error, self._query.text, statement, named, where=self._where) from None
        except ObsError as error:
            error.where = error.where or self._where
            raise

    def stop(self) -> None:
        """Interrupt it; has to be repeated, because a statement that is about to start takes no notice."""
        with self._lock:
            self._stopped = True
            if self._running is not None:
                self._running.interrupt()

    def _frames(self, statement: Statement, database: Opened) -> dict[str, pd.DataFrame]:
        """The frames that the statement names, by variable; case counts only where it tells two names apart."""
        frames = self._query.frames
        tables = {name.lower() for name in database.tables}
        lowered = {name.lower(): name for name in frames if name.lower() not in tables}
        names = [table.name if table.name in frames else lowered.get(table.name.lower()) for table in statement.tables]
        return {name: frames[name] for name in names if name is not None}

    def _outcome(self, statement: Statement, frames: Mapping[str, pd.DataFrame], database: Opened) -> Outcome:
        # a cursor of its own: what it registers and what interrupts it is nobody else's
        with database.connection.cursor() as cursor:
            notes = _register(cursor, frames, database) + self._clock_note(statement) + _level_note(statement)
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            with self._lock:
                self._running = cursor
            try:
                table, truncated = self._read(cursor, statement)
            finally:
                with self._lock:
                    self._running = None
        named = frozenset(table.name.lower() for table in statement.tables)
        return Outcome(to_frame(table), truncated, tuple(notes), named)

    def _read(self, cursor: duckdb.DuckDBPyConnection, statement: Statement) -> tuple[pa.Table, str]:
        limit = self._query.limit
        reader = _relation(cursor, statement).to_arrow_reader(min(limit + 1, _BATCH_ROWS))
        batches: list[pa.RecordBatch] = []
        rows = 0
        while rows <= limit and not self._stopped:
            try:
                batches.append(reader.read_next_batch())
            except StopIteration:
                break
            rows += batches[-1].num_rows
        table = pa.Table.from_batches(batches, reader.schema)
        return table.slice(0, limit), f"the first {limit:,} rows of more (limit)" if rows > limit else ""

    def _clock_note(self, statement: Statement) -> list[str]:
        """Said when a statement asks the clock about a source that stands still."""
        if self._now_ns is None or not statement.functions & CLOCK_FUNCTIONS:
            return []
        now = f"TIMESTAMPTZ '{pd.Timestamp(self._now_ns, tz='UTC').isoformat()}'"
        return [f"now() is what the clock says, and this source stands still: its own now is {now}"]


_BATCH_ROWS = 100_000


def _register(cursor: duckdb.DuckDBPyConnection, frames: Mapping[str, pd.DataFrame], database: Opened) -> list[str]:
    """Make frames known by their names; gives back what a reader has to know about them."""
    notes = []
    tables = {name.lower(): name for name in database.tables}
    for name, frame in frames.items():
        table, lost = to_arrow(name, frame)
        cursor.register(name, _with_levels(cursor, table))
        notes += lost
        if name.lower() in tables:
            own = f"memory.{tables[name.lower()]}"
            notes.append(f"{name} is the frame of the notebook; the table of the source is called {own}")
    return notes


def _with_levels(cursor: duckdb.DuckDBPyConnection, table: pa.Table) -> pa.Table | duckdb.DuckDBPyRelation:
    """The table, its levels in a type in which they rank."""
    columns = zip(table.column_names, table.columns, strict=True)
    ranked = [f"{as_level(name)} AS {identifier(name)}" for name, values in columns if holds_levels(name, values)]
    return cursor.from_arrow(table).project(f"* REPLACE ({', '.join(ranked)})") if ranked else table


def _level_note(statement: Statement) -> list[str]:
    if not statement.no_levels:
        return []
    words = ", ".join(map(repr, dict.fromkeys(statement.no_levels)))
    return [f"{words} is no level ({' < '.join(LEVELS)}): the comparison goes by letters"]


def _relation(cursor: duckdb.DuckDBPyConnection, statement: Statement) -> duckdb.DuckDBPyRelation:
    try:
        return cursor.sql(statement.ranked)
    except (duckdb.BinderException, duckdb.CatalogException):
        # Relations do not say where it is wrong, execute() does; neither gets beyond binding.
        cursor.execute("ROLLBACK")
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        cursor.execute(statement.text)
        raise
