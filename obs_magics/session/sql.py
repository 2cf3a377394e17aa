"""SQL questions of a session: which source they go to, what they would do, and the frame with its provenance."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obs_magics.local.sql import Database, judged
from obs_magics.model import provenance
from obs_magics.model.bus import QUERY_COMPLETE, QUERY_START, Bus
from obs_magics.model.errors import UsageError
from obs_magics.model.provenance import Provenance, fingerprint
from obs_magics.model.query import SqlQuery
from obs_magics.model.sources import Answer, SqlSource
from obs_magics.model.time import SECOND, parse_duration
from obs_magics.session.book import SourceBook
from obs_magics.session.finish import clock_text, redacted, with_provenance

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.security.redact import Redactor

_PLATFORM = "duckdb"
_FRAMES_ALONE = "notebook"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOptions:
    """What can be said beside the statement; see `Session.sql` for the meaning of each."""

    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    limit: int | None = None
    timeout: str | float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPlan:
    """What will be asked of whom: the answer to `--dry-run`.

    Args:
        source: The source whose tables can be named; `notebook` where there are only frames.
        platform: Its platform.
        address: Its address; empty without a source.
        query: What is run.
        names: What the statement names, each with what that is: `table`, `frame`, or `unknown`.
    """

    source: str
    platform: str
    address: str
    query: SqlQuery
    names: Mapping[str, str]


class SqlDesk:
    """Answers SQL for one session.

    Args:
        book: The sources.
        bus: Told of every question.
        clock_ns: What time it is.
        redactor: Hides what must not leave a source.
    """

    def __init__(
        self, book: SourceBook, bus: Bus, clock_ns: Callable[[], int], redactor: Callable[[], Redactor]
    ) -> None:
        self._book = book
        self._bus = bus
        self._clock_ns = clock_ns
        self._redactor = redactor
        self._notebook = Database()

    async def plan(self, text: str, options: SqlOptions, *, source: str | None) -> SqlPlan:
        """What `ask` would do; runs nothing.

        Raises:
            QueryError: The statement is not one, or does more than read.
        """
        target = self._book.sql_source(source)
        query, names = await asyncio.to_thread(_prepared, text, options, target)
        tables = {} if target is None else await target.tables()
        known = {**{name.lower(): "table" for name in tables}, **{name.lower(): "frame" for name in options.frames}}
        return SqlPlan(
            source=_FRAMES_ALONE if target is None else target.name,
            platform=_PLATFORM if target is None else target.platform,
            address="" if target is None else target.address,
            query=query,
            names={name: known.get(name.lower(), "unknown") for name in names},
        )

    async def ask(self, text: str, options: SqlOptions, *, source: str | None) -> pd.DataFrame:
        """Run a statement; the frame carries its provenance."""
        target = self._book.sql_source(source)
        query, _ = await asyncio.to_thread(_prepared, text, options, target)
        platform = _PLATFORM if target is None else target.platform
        self._bus.emit(QUERY_START, query=text, platforms=[platform])
        started = time.perf_counter()
        answer = await (self._notebook.answer(query) if target is None else target.sql(query))
        frame = await asyncio.to_thread(self._finished, query, answer, target)
        self._bus.emit(QUERY_COMPLETE, query=text, results=len(frame), duration=time.perf_counter() - started)
        return frame

    async def tables(self, *, source: str | None) -> dict[str, Sequence[str]]:
        """The columns of every table of a source, by its name; nothing without a source."""
        target = self._book.sql_source(source)
        return {} if target is None else dict(await target.tables())

    def close(self) -> None:
        """Let go of the database for frames alone."""
        self._notebook.close()

    def _finished(self, query: SqlQuery, answer: Answer, target: SqlSource | None) -> pd.DataFrame:
        platform, address = (_PLATFORM, "") if target is None else (target.platform, target.address)
        origins = {name: provenance.of(frame) for name, frame in query.frames.items()}
        request = {
            "platform": platform,
            "address": address,
            "query": query.text,
            "limit": query.limit,
            "frames": {name: "" if origin is None else origin.digest for name, origin in origins.items()},
        }
        frame, hidden = redacted(answer.frame, self._redactor)
        origin = Provenance(
            signal="sql",
            source=_FRAMES_ALONE if target is None else target.name,
            platform=platform,
            address=address,
            question=query.text,
            native_query=answer.native_query,
            fetched_at=clock_text(self._clock_ns()),
            rows=len(frame),
            truncated=answer.truncated,
            notes=hidden,
            warnings=answer.warnings,
            fingerprint=fingerprint(request),
        )
        return with_provenance(frame, origin)


def _prepared(text: str, options: SqlOptions, target: SqlSource | None) -> tuple[SqlQuery, list[str]]:
    """The question, with those frames alone that it names; and all that it names."""
    statement = judged(text, "" if target is None else f"{target.name} ({target.address})")
    names = [table.name for table in statement.tables]
    wanted = {name.lower() for name in names}
    frames = {name: frame for name, frame in options.frames.items() if name.lower() in wanted}
    return _query(text, dataclasses.replace(options, frames=frames)), names


def _query(text: str, options: SqlOptions) -> SqlQuery:
    changes: dict[str, int] = {}
    if options.limit is not None:
        if options.limit < 1:
            raise UsageError(f"--limit takes a number from 1 on, not {options.limit}")
        changes["limit"] = options.limit
    if options.timeout is not None:
        given = options.timeout
        timeout_ns = parse_duration(given) if isinstance(given, str) else round(given * SECOND)
        if timeout_ns <= 0:
            raise UsageError(f"--timeout takes a time above 0, not {given}")
        changes["timeout_ns"] = timeout_ns
    return SqlQuery(text=text, frames=options.frames, **changes)
