"""Traces questions of a session: whom they go to, one source or several, and the frame with its provenance."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

from obs_magics.analysis.spans import corrected
from obs_magics.model.errors import QueryError
from obs_magics.model.query import TracesQuery
from obs_magics.model.sources import Answer, ProgressListener, TracesSource
from obs_magics.net.tasks import stop
from obs_magics.session.desk import Desk
from obs_magics.session.merge_traces import merged, where_from
from obs_magics.session.plan import Plan
from obs_magics.session.plan_traces import TracesOptions, plan_traces_query
from obs_magics.session.several import whole_of

if TYPE_CHECKING:
    import pandas as pd


class TracesDesk(Desk):
    """Answers questions for traces."""

    async def plan(self, question: str, options: TracesOptions, *, source: str | None) -> Plan:
        """What `ask` would ask of whom; asks nobody."""
        return await self._plan(question, options, self.book.traces_sources(source))

    async def ask(
        self, question: str, options: TracesOptions, *, source: str | None, progress: ProgressListener
    ) -> pd.DataFrame:
        """Ask one source, or several at once; the frame carries its provenance."""
        targets = self.book.traces_sources(source)
        plan = await self._plan(question, options, targets)
        query = plan.query
        assert isinstance(query, TracesQuery)  # noqa: S101 - for the type checker
        return await self._asked(plan, _mended(_answer(targets, query, progress)))

    async def _plan(self, question: str, options: TracesOptions, targets: Sequence[TracesSource]) -> Plan:
        _, now_ns = await self._now(targets[0])
        query = plan_traces_query(question, options, now_ns=now_ns, zone=self.zone, limits=self._limits)
        deaf = [target for target in targets if query.text and not target.speaks_traceql]
        if deaf:
            raise QueryError(
                f"{deaf[0].platform} takes no TraceQL",
                query=query.text,
                where=deaf[0].name,
                hint="say it with options: --service, --operation, --status, --min-duration; or name a trace id",
            )
        return Plan(
            signal="traces",
            source=",".join(target.name for target in targets),
            platform=",".join(dict.fromkeys(target.platform for target in targets)),
            address=", ".join(target.address for target in targets),
            question=question,
            query=query,
            notes=self._gaps(options, query),
        )


async def _mended(coming: Awaitable[Answer]) -> Answer:
    return await asyncio.to_thread(_with_one_clock, await coming)


def _with_one_clock(answer: Answer) -> Answer:
    """The answer with clock skew corrected, which is said, and which traces came from where."""
    if answer.signal != "traces" or not len(answer.frame):
        return answer
    frame, notes = corrected(answer.frame)
    told = [note for note in (where_from(frame), *notes) if note]
    return dataclasses.replace(answer, frame=frame, warnings=(*answer.warnings, *told))


async def _answer(targets: Sequence[TracesSource], query: TracesQuery, progress: ProgressListener) -> Answer:
    """The answer of one source; of several, what came of those that answered, and what is wrong with the others.

    Raises:
        ObsError: The first of their errors, when none answered.
    """
    if len(targets) == 1:
        return await targets[0].traces(query, progress)
    tasks = {target.name: asyncio.create_task(target.traces(query, progress)) for target in targets}
    try:
        await asyncio.wait(tasks.values())
    finally:
        await stop(tasks.values())
    return await whole_of(tasks, {}, merged)
