"""A database that answers one SQL statement at a time, in bounds: rows, memory, time, and nothing but reading."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping, Sequence

import duckdb
import pyarrow as pa

from obs_magics.local.database import quoted
from obs_magics.local.sql import tables as building
from obs_magics.local.sql.run import Opened, Outcome, Run
from obs_magics.model.errors import BadAnswer, SourceTimeout
from obs_magics.model.query import SqlQuery
from obs_magics.model.sources import Answer
from obs_magics.model.time import format_duration

MEMORY_BYTES = 2 << 30
Warnings = Callable[[Collection[str]], Sequence[str]]
# One thread: the order of rows and the last digits of sums are then the same each time.
_SETTINGS = (
    "threads = 1",
    "temp_directory = ''",
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "python_enable_replacements = false",
    "enable_progress_bar = false",
    "preserve_insertion_order = true",
    "TimeZone = 'UTC'",
)
_LOCKS = ("enable_external_access = false", "lock_configuration = true")
# How long a statement that is to stop may take to do so, and how often it is told.
_GRACE_SECONDS = 2.0
_NUDGE_SECONDS = 0.02


class Database:
    """Answers SQL over the tables of a layout, and over frames that come with the question.

    Opened when first asked. A statement that runs out of bounds is stopped; one that cannot be stopped (DuckDB looks up
    only between two batches of rows) is left behind in its thread.

    Args:
        where: Name and address of the source, for errors; empty when there is none.
        layout: Gives what the tables are made from; called once, in the thread of the first question. None for none.
        memory_bytes: What a statement may use, on top of what the tables take that are held in memory.
    """

    def __init__(
        self, where: str = "", layout: Callable[[], building.Layout] | None = None, *, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._where = where
        self._layout = layout
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._ready: Opened | None = None

    def tables(self) -> Mapping[str, Sequence[str]]:
        """The columns of every table, by its name."""
        return self._opened().tables

    async def answer(self, query: SqlQuery, *, now_ns: int | None = None, warnings: Warnings | None = None) -> Answer:
        """Run a statement; cancelling the task stops it.

        Args:
            query: What to run.
            now_ns: The source's own now, when it stands still.
            warnings: What has to be said of some of the source's tables, by their names in lower case.

        Raises:
            QueryError: The statement is not one, does more than read, or names what is not there.
            SourceTimeout: It took longer than it may.
            LimitExceeded: It needs more memory than it may.
        """
        run = Run(self._opened, query, where=self._where, now_ns=now_ns)
        work = asyncio.ensure_future(asyncio.to_thread(run))
        try:
            done, _ = await asyncio.wait({work}, timeout=query.timeout_ns / 1e9)
        except asyncio.CancelledError:
            await _stop(run, work)
            raise
        if not done:
            await _stop(run, work)
            limit = format_duration(query.timeout_ns)
            raise SourceTimeout(
                f"the statement took longer than {limit} and was stopped", where=self._where,
                hint="filter earlier, or give it more time with --timeout",
            )  # fmt: skip
        outcome = work.result()
        of_tables = warnings(outcome.tables) if warnings is not None else ()
        # what is no table matters to whoever looks for tables
        told = (*outcome.notes, *of_tables, *(() if outcome.tables else self._opened().problems))
        return Answer(outcome.frame, query.text, warnings=told, truncated=outcome.truncated)

    def close(self) -> None:
        """Let go of the files and the memory."""
        with self._lock:
            ready, self._ready = self._ready, None
        if ready is not None:
            ready.connection.close()

    def _opened(self) -> Opened:
        with self._lock:
            if self._ready is None:
                self._ready = self._open()
            return self._ready

    def _open(self) -> Opened:
        try:
            return _open(building.Layout() if self._layout is None else self._layout(), self._memory_bytes)
        except (OSError, pa.ArrowException, duckdb.Error) as problem:
            raise BadAnswer(
                f"the tables cannot be opened: {problem}", where=self._where, hint="check that all files are there"
            ) from problem


def _open(layout: building.Layout, memory_bytes: int) -> Opened:
    held = sum(table.nbytes for table in layout.arrow.values())
    connection = duckdb.connect()
    try:
        for setting in (*_SETTINGS, f"memory_limit = '{memory_bytes + 2 * held}B'"):
            connection.execute(f"SET {setting}")
        connection.execute(f"SET allowed_paths = [{', '.join(quoted(str(file)) for file in layout.files)}]")
        connection.execute(f"SET {_LOCKS[0]}")
        problems = building.create(connection, layout)
        connection.execute(f"SET {_LOCKS[1]}")
        found = connection.execute(
            "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns()"
            " WHERE schema_name = 'main' AND NOT internal GROUP BY table_name ORDER BY table_name"
        ).fetchall()
    except BaseException:
        connection.close()
        raise
    return Opened(connection, {name: tuple(columns) for name, columns in found}, tuple(problems))


async def _stop(run: Run, work: asyncio.Future[Outcome]) -> None:
    """Stop a statement and wait a little for its end; what it raises then is of no interest any more."""
    work.add_done_callback(_look_away)
    waited = 0.0
    while not work.done() and waited < _GRACE_SECONDS:
        run.stop()
        await asyncio.wait({work}, timeout=_NUDGE_SECONDS)
        waited += _NUDGE_SECONDS


def _look_away(work: asyncio.Future[Outcome]) -> None:
    if not work.cancelled():
        work.exception()  # looked at, so that nobody warns that it never was
