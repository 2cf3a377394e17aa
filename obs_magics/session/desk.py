"""What the desks of a session have in common: whom they ask, what time it is, and the way of a question."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Protocol

from obs_magics.model.bus import QUERY_COMPLETE, QUERY_START, Bus
from obs_magics.model.gaps import gap_notes
from obs_magics.model.query import EventsQuery, LogsQuery, MetricsQuery, TracesQuery
from obs_magics.model.sources import Answer, Source
from obs_magics.model.time import SECOND
from obs_magics.session.book import SourceBook
from obs_magics.session.finish import finished
from obs_magics.session.plan import Limits, Plan, When

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.security.redact import Redactor


class Ends(Protocol):
    """Options that may say when a range begins and ends."""

    @property
    def start(self) -> When | None:
        """As typed."""

    @property
    def end(self) -> When | None:
        """As typed."""


class Desk:
    """Answers one kind of question for one session.

    Args:
        book: The sources.
        bus: Told of every question.
        limits: The configured bounds of a query.
        zone: How naive times are read and shown.
        clock_ns: What time it is, for sources that have no now of their own.
        redactor: Hides what must not leave a source.
    """

    def __init__(
        self,
        book: SourceBook,
        bus: Bus,
        limits: Limits,
        *,
        zone: tzinfo,
        clock_ns: Callable[[], int],
        redactor: Callable[[], Redactor],
    ) -> None:
        self.book = book
        self.bus = bus
        self.zone = zone
        self._limits = limits
        self._clock_ns = clock_ns
        self._redactor = redactor

    async def _now(self, target: Source) -> tuple[int | None, int]:
        """The source's own now, and the one that counts."""
        own_now = await asyncio.to_thread(target.now_ns)  # a folder may have to be read first
        return own_now, own_now if own_now is not None else self._clock_ns()

    def _gaps(self, options: Ends, query: MetricsQuery | LogsQuery | TracesQuery | EventsQuery) -> tuple[str, ...]:
        """That an end of the range was typed as a time which the clocks jumped over."""
        span = query.range
        return gap_notes(
            start=options.start, end=options.end, start_ns=span.start_ns, end_ns=span.end_ns, zone=self.zone
        )

    async def _asked(self, plan: Plan, answer: Awaitable[Answer]) -> pd.DataFrame:
        """Await the answer to a plan and finish its frame; the bus is told of both ends."""
        self.bus.emit(QUERY_START, query=plan.native_query, platforms=plan.platform.split(","))
        started = time.perf_counter()
        frame = await asyncio.to_thread(finished, plan, await answer, self._clock_ns(), self._redactor)
        seconds = time.perf_counter() - started
        self.bus.emit(QUERY_COMPLETE, query=plan.native_query, results=len(frame), duration=seconds)
        return frame


def still_note(own_now_ns: int) -> str:
    """That a source stands still."""
    when = datetime.fromtimestamp(own_now_ns // SECOND, UTC)
    return f"this source stands still: its now is {when:%Y-%m-%d %H:%M:%S} UTC"
