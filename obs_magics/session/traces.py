"""Traces questions of a session: whom they go to, one source or several, and the frame with its provenance."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from obs_magics.analysis.spans import corrected
from obs_magics.model.bus import QUERY_COMPLETE, QUERY_START, Bus
from obs_magics.model.errors import ObsError, QueryError
from obs_magics.model.query import TracesQuery
from obs_magics.model.sources import Answer, ProgressListener, TracesSource
from obs_magics.net.tasks import stop
from obs_magics.session.book import SourceBook
from obs_magics.session.finish import finished
from obs_magics.session.merge_traces import merged, where_from
from obs_magics.session.plan import Limits, Plan
from obs_magics.session.plan_traces import TracesOptions, plan_traces_query

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.security.redact import Redactor


class TracesDesk:
    """Answers traces questions for one session.

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

    async def plan(self, question: str, options: TracesOptions, *, source: str | None) -> Plan:
        """What `ask` would ask of whom; asks nobody."""
        return await self._plan(question, options, self._book.traces_sources(source))

    async def ask(
        self, question: str, options: TracesOptions, *, source: str | None, progress: ProgressListener
    ) -> pd.DataFrame:
        """Ask one source, or several at once; the frame carries its provenance."""
        targets = self._book.traces_sources(source)
        plan = await self._plan(question, options, targets)
        query = plan.query
        assert isinstance(query, TracesQuery)  # noqa: S101 - for the type checker
        self._bus.emit(QUERY_START, query=plan.native_query, platforms=[target.platform for target in targets])
        started = time.perf_counter()
        answer = await asyncio.to_thread(_mended, await _answer(targets, query, progress))
        frame = await asyncio.to_thread(finished, plan, answer, self._clock_ns(), self._redactor)
        seconds = time.perf_counter() - started
        self._bus.emit(QUERY_COMPLETE, query=plan.native_query, results=len(frame), duration=seconds)
        return frame

    async def _plan(self, question: str, options: TracesOptions, targets: Sequence[TracesSource]) -> Plan:
        first = targets[0]
        own_now = await asyncio.to_thread(first.now_ns)  # a folder may have to be read first
        now_ns = own_now if own_now is not None else self._clock_ns()
        query = plan_traces_query(question, options, now_ns=now_ns, zone=self._zone, limits=self._limits)
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
        )


def _mended(answer: Answer) -> Answer:
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
    tasks = [asyncio.create_task(target.traces(query, progress)) for target in targets]
    try:
        await asyncio.wait(tasks)
    finally:
        await stop(tasks)
    answers: dict[str, Answer] = {}
    errors: dict[str, ObsError] = {}
    for target, task in zip(targets, tasks, strict=True):
        error = task.exception()
        if error is None:
            answers[target.name] = task.result()
        elif isinstance(error, ObsError):
            errors[target.name] = error
        else:
            raise error
    if not answers:
        raise next(iter(errors.values()))
    whole = await asyncio.to_thread(merged, answers)
    failed = tuple(f"{name} did not answer: {error.message}" for name, error in errors.items())
    missing = f"{len(errors)} of {len(targets)} sources did not answer" if errors else ""
    truncated = "; ".join(part for part in (whole.truncated, missing) if part)
    return dataclasses.replace(whole, failed=(*whole.failed, *failed), truncated=truncated)
