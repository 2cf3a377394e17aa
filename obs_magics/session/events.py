"""Events questions of a session: every source that may know is asked at once, and one frame comes of it."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from obs_magics.model.bus import QUERY_COMPLETE, QUERY_START, Bus
from obs_magics.model.errors import ObsError
from obs_magics.model.query import EventsQuery
from obs_magics.model.sources import Answer, EventsSource, Progress, ProgressListener
from obs_magics.model.time import SECOND
from obs_magics.net.tasks import stop
from obs_magics.session.book import SourceBook
from obs_magics.session.finish import finished
from obs_magics.session.merge_events import merged
from obs_magics.session.plan import Limits, Plan
from obs_magics.session.plan_events import EventsOptions, plan_events_query

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.security.redact import Redactor


@dataclasses.dataclass(frozen=True, slots=True)
class _Targets:
    """Whom a question goes to: those that can have the kinds it asks for; and who could not be opened."""

    asked: Sequence[EventsSource]
    closed: Mapping[str, ObsError]


class EventsDesk:
    """Answers events questions for one session.

    Args:
        book: The sources.
        bus: Told of every question.
        limits: The configured bounds of a query.
        zone: How naive times are read.
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
        self._book = book
        self._bus = bus
        self._limits = limits
        self._zone = zone
        self._clock_ns = clock_ns
        self._redactor = redactor

    async def plan(self, question: str, options: EventsOptions, *, source: str | None) -> Plan:
        """What `ask` would ask of whom; asks nobody."""
        plan, _ = await self._plan(question, options, source)
        return plan

    async def ask(
        self, question: str, options: EventsOptions, *, source: str | None, progress: ProgressListener
    ) -> pd.DataFrame:
        """Ask every source that may know, all at once; the frame carries its provenance.

        Raises:
            UsageError: The options do not go together, or there is no source of events.
            ObsError: What is wrong with the first source, when none answered.
        """
        plan, targets = await self._plan(question, options, source)
        query = plan.query
        assert isinstance(query, EventsQuery)  # noqa: S101 - for the type checker
        self._bus.emit(QUERY_START, query=plan.native_query, platforms=plan.platform.split(","))
        started = time.perf_counter()
        answer = await _answer(targets, query, progress)
        frame = await asyncio.to_thread(finished, plan, answer, self._clock_ns(), self._redactor)
        seconds = time.perf_counter() - started
        self._bus.emit(QUERY_COMPLETE, query=plan.native_query, results=len(frame), duration=seconds)
        return frame

    async def _plan(self, question: str, options: EventsOptions, source: str | None) -> tuple[Plan, _Targets]:
        sources, closed = self._book.events_sources(source)
        own_now = await self._now(sources)
        now_ns = own_now if own_now is not None else self._clock_ns()
        planned = plan_events_query(question, options, now_ns=now_ns, zone=self._zone, limits=self._limits)
        query = planned.query
        wanted = frozenset(query.kinds)
        knowing = [one for one in sources if not wanted or wanted.intersection(one.event_kinds)]
        targets = _Targets(knowing or sources, closed)
        plan = Plan(
            signal="events",
            source=",".join(target.name for target in targets.asked),
            platform=",".join(dict.fromkeys(target.platform for target in targets.asked)),
            address=", ".join(target.address for target in targets.asked),
            question=question,
            query=query,
            notes=(*planned.notes, *_still(own_now, query)),
        )
        return plan, targets

    async def _now(self, sources: Sequence[EventsSource]) -> int | None:
        """The first source's own now: that of the default, where it has events.

        Several sources are asked about one and the same time, so one of them has to say what `now` is.
        """
        try:
            return await asyncio.to_thread(sources[0].now_ns)  # a folder may have to be read first
        except ObsError:
            if len(sources) == 1:
                raise
            return None


def _still(own_now: int | None, query: EventsQuery) -> tuple[str, ...]:
    if own_now is None or own_now != query.range.end_ns:
        return ()
    when = datetime.fromtimestamp(own_now / SECOND, UTC)
    return (f"this source stands still: its now is {when:%Y-%m-%d %H:%M:%S} UTC",)


async def _answer(targets: _Targets, query: EventsQuery, progress: ProgressListener) -> Answer:
    """What came of those that answered, and what is wrong with the others.

    Raises:
        ObsError: The first of their errors, when none answered.
    """
    tasks = [asyncio.create_task(target.events(query)) for target in targets.asked]
    waiting: set[asyncio.Task[Answer]] = set(tasks)
    try:
        while waiting:
            progress(Progress(len(tasks) - len(waiting), len(tasks), note="asking for events"))
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(tasks)
    answers: dict[str, Answer] = {}
    errors = dict(targets.closed)
    for target, task in zip(targets.asked, tasks, strict=True):
        error = task.exception()
        if error is None:
            answers[target.name] = task.result()
        elif isinstance(error, ObsError):
            errors[target.name] = error
        else:
            raise error
    if not answers:
        raise next(iter(errors.values()))
    whole = await asyncio.to_thread(merged, answers, query)
    failed = tuple(f"{name} did not answer: {error.message}" for name, error in errors.items())
    missing = f"{len(errors)} of {len(answers) + len(errors)} sources did not answer" if errors else ""
    truncated = "; ".join(part for part in (whole.truncated, missing) if part)
    return dataclasses.replace(whole, failed=(*whole.failed, *failed), truncated=truncated)
