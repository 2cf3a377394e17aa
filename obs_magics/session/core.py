"""The asynchronous core of a session. Everything here runs on the one background loop."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from obs_magics.model.errors import ObsError
from obs_magics.model.query import LogsQuery, MetricsQuery
from obs_magics.model.sources import Answer, Health, LogsSource, MetricsSource, ProgressListener, Source
from obs_magics.model.time import TimeRange
from obs_magics.session.desk import Desk, still_note
from obs_magics.session.plan import MetricsOptions, Plan, plan_metrics_query
from obs_magics.session.plan_logs import LogsOptions, plan_logs_query
from obs_magics.session.volume import with_every_level

if TYPE_CHECKING:
    import pandas as pd


class Core(Desk):
    """Answers questions for metrics and logs, and for what else asks a single source."""

    async def plan(self, question: str, options: MetricsOptions, *, source: str | None) -> Plan:
        """What `metrics` would ask of whom."""
        return await self._plan_metrics(question, options, self.book.metrics_source(source))

    async def logs_plan(self, question: str, options: LogsOptions, *, source: str | None) -> Plan:
        """What `logs` would ask of whom; words are translated, which may ask the source for its services."""
        return await self._plan_logs(question, options, self.book.logs_source(source))

    async def metrics(
        self, question: str, options: MetricsOptions, *, source: str | None, progress: ProgressListener
    ) -> pd.DataFrame:
        """Ask one source; the frame carries its provenance."""
        target = self.book.metrics_source(source)
        plan = await self._plan_metrics(question, options, target)
        assert isinstance(plan.query, MetricsQuery)  # noqa: S101 - for the type checker
        return await self._asked(plan, target.metrics(plan.query, progress))

    async def ask(
        self, plan: Plan, *, progress: ProgressListener, dress: Callable[[Answer], Answer] | None = None
    ) -> pd.DataFrame:
        """Ask for metrics what `plan` gave, or what was made of it; `dress` changes the answer before it is kept."""
        assert isinstance(plan.query, MetricsQuery)  # noqa: S101 - for the type checker
        target = self.book.metrics_source(plan.source)
        return await self._asked(plan, _dressed(target.metrics(plan.query, progress), dress))

    async def logs(
        self, question: str, options: LogsOptions, *, source: str | None, progress: ProgressListener
    ) -> pd.DataFrame:
        """Ask one source; the frame carries its provenance."""
        target = self.book.logs_source(source)
        plan = await self._plan_logs(question, options, target)
        assert isinstance(plan.query, LogsQuery)  # noqa: S101 - for the type checker
        query = plan.query
        if query.range.end_ns == await asyncio.to_thread(target.now_ns):
            # Where time stands still, the line that it ends with belongs to it.
            query = dataclasses.replace(query, range=TimeRange(query.range.start_ns, query.range.end_ns + 1))
        return await self._asked(plan, with_every_level(target, query, progress))

    async def _plan_metrics(self, question: str, options: MetricsOptions, target: MetricsSource) -> Plan:
        own_now, now_ns = await self._now(target)
        query = plan_metrics_query(question, options, now_ns=now_ns, zone=self.zone, limits=self._limits)
        return _plan("metrics", target, question, query, notes=(*self._gaps(options, query), *_still(own_now, query)))

    async def _plan_logs(self, question: str, options: LogsOptions, target: LogsSource) -> Plan:
        own_now, now_ns = await self._now(target)
        found = await plan_logs_query(question, options, target, now_ns=now_ns, zone=self.zone, limits=self._limits)
        notes = (*found.notes, *self._gaps(options, found.query), *_still(own_now, found.query))
        return _plan("logs", target, question, found.query, translated_by=found.translated_by, notes=notes)

    def hidden(self, text: str) -> str:
        """What was typed, as it may be kept: without its secrets."""
        return self._redactor().text(text)

    async def now_of(self, source: str | None) -> int:
        """What time it is for a source of metrics, which may stand still."""
        _, now_ns = await self._now(self.book.metrics_source(source))
        return now_ns

    def now_ns(self) -> int:
        """What time it is for the default source, which may stand still; the clock's without one."""
        try:
            own = self.book.source(None).now_ns()
        except ObsError:
            own = None
        return self._clock_ns() if own is None else own

    async def health(self, source: str | None) -> Health:
        """Ask one source whether it is well."""
        return await self.book.source(source).health()

    async def close(self) -> None:
        """Close every source."""
        await self.book.close()


async def _dressed(answer: Awaitable[Answer], dress: Callable[[Answer], Answer] | None) -> Answer:
    given = await answer
    return given if dress is None else await asyncio.to_thread(dress, given)


def _plan(
    signal: str,
    target: Source,
    question: str,
    query: MetricsQuery | LogsQuery,
    *,
    translated_by: str = "",
    notes: tuple[str, ...],
) -> Plan:
    return Plan(
        signal=signal,
        source=target.name,
        platform=target.platform,
        address=target.address,
        question=question,
        query=query,
        translated_by=translated_by,
        notes=notes,
    )


def _still(own_now: int | None, query: MetricsQuery | LogsQuery) -> tuple[str, ...]:
    """That a source stands still, where the range ends at its now, as far as its steps go."""
    if own_now is None or not 0 <= own_now - query.range.end_ns < max(query.step_ns, 1):
        return ()
    return (still_note(own_now),)
