"""Events questions of a session: every source that may know is asked at once, and one frame comes of it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from obs_magics.model.errors import ObsError
from obs_magics.model.query import EventsQuery
from obs_magics.model.sources import Answer, EventsSource, Progress, ProgressListener
from obs_magics.net.tasks import stop
from obs_magics.session.desk import Desk, still_note
from obs_magics.session.merge_events import merged
from obs_magics.session.plan import Plan
from obs_magics.session.plan_events import EventsOptions, plan_events_query
from obs_magics.session.several import whole_of

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, slots=True)
class _Targets:
    """Whom a question goes to: those that can have the kinds it asks for; and who could not be opened."""

    asked: Sequence[EventsSource]
    closed: Mapping[str, ObsError]


class EventsDesk(Desk):
    """Answers questions for events."""

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
        return await self._asked(plan, _answer(targets, query, progress))

    async def _plan(self, question: str, options: EventsOptions, source: str | None) -> tuple[Plan, _Targets]:
        sources, closed = self.book.events_sources(source)
        own_now = await self._own_now(sources)
        now_ns = own_now if own_now is not None else self._clock_ns()
        planned = plan_events_query(question, options, now_ns=now_ns, zone=self.zone, limits=self._limits)
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
            notes=(*planned.notes, *self._gaps(options, query), *_still(own_now, query)),
        )
        return plan, targets

    async def _own_now(self, sources: Sequence[EventsSource]) -> int | None:
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
    return (still_note(own_now),)


async def _answer(targets: _Targets, query: EventsQuery, progress: ProgressListener) -> Answer:
    """What came of those that answered, and what is wrong with the others.

    Raises:
        ObsError: The first of their errors, when none answered.
    """
    tasks = {target.name: asyncio.create_task(target.events(query)) for target in targets.asked}
    waiting = set(tasks.values())
    try:
        while waiting:
            progress(Progress(len(tasks) - len(waiting), len(tasks), note="asking for events"))
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(tasks.values())
    return await whole_of(tasks, targets.closed, lambda answers: merged(answers, query))
