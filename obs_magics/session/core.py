"""The asynchronous core of a session. Everything here runs on the one background loop."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from obs_magics.model.bus import QUERY_COMPLETE, QUERY_START, Bus
from obs_magics.model.provenance import ATTRIBUTE, Provenance, content_digest, fingerprint
from obs_magics.model.sources import Answer, Health, MetricsSource, ProgressListener
from obs_magics.model.time import SECOND
from obs_magics.session.book import SourceBook
from obs_magics.session.plan import Limits, MetricsOptions, Plan, plan_metrics_query

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.model.query import MetricsQuery


class Core:
    """Sources, time and questions of one session.

    Args:
        book: The sources.
        limits: The configured bounds of a query.
        zone: How naive times are read and shown.
        clock_ns: What time it is, for sources that have no now of their own.
    """

    def __init__(self, book: SourceBook, limits: Limits, *, zone: tzinfo, clock_ns: Callable[[], int]) -> None:
        self.book = book
        self.bus = Bus()
        self.zone = zone
        self._limits = limits
        self._clock_ns = clock_ns

    async def plan(self, question: str, options: MetricsOptions, *, source: str | None) -> Plan:
        """What `metrics` would ask of whom."""
        return await self._plan(question, options, self.book.metrics_source(source))

    async def _plan(self, question: str, options: MetricsOptions, target: MetricsSource) -> Plan:
        own_now = await asyncio.to_thread(target.now_ns)  # a folder may have to be read first
        now_ns = own_now if own_now is not None else self._clock_ns()
        query = plan_metrics_query(question, options, now_ns=now_ns, zone=self.zone, limits=self._limits)
        return Plan(
            signal="metrics",
            source=target.name,
            platform=target.platform,
            address=target.address,
            question=question,
            query=query,
            notes=(_standing_still(now_ns),) if own_now is not None and _reaches(query, own_now) else (),
        )

    async def metrics(
        self, question: str, options: MetricsOptions, *, source: str | None, progress: ProgressListener
    ) -> pd.DataFrame:
        """Ask one source; the frame carries its provenance."""
        target = self.book.metrics_source(source)
        plan = await self._plan(question, options, target)
        self.bus.emit(QUERY_START, query=plan.native_query, platforms=[plan.platform])
        started = time.perf_counter()
        answer = await target.metrics(plan.query, progress)
        frame = await asyncio.to_thread(self._finished, plan, answer)
        seconds = time.perf_counter() - started
        self.bus.emit(QUERY_COMPLETE, query=plan.native_query, results=len(frame), duration=seconds)
        return frame

    def _finished(self, plan: Plan, answer: Answer) -> pd.DataFrame:
        query = plan.query
        request = {
            "platform": plan.platform,
            "address": plan.address,
            "query": answer.native_query,
            "start_ns": query.range.start_ns,
            "end_ns": query.range.end_ns,
            "step_ns": 0 if query.instant else query.step_ns,
            "limit": query.limit,
        }
        provenance = Provenance(
            signal=plan.signal,
            source=plan.source,
            platform=plan.platform,
            address=plan.address,
            question=plan.question,
            native_query=answer.native_query,
            start=query.range.start.isoformat(),
            end=query.range.end.isoformat(),
            step=0.0 if query.instant else query.step_ns / SECOND,
            unit=answer.unit,
            fetched_at=datetime.fromtimestamp(self._clock_ns() / SECOND, UTC).isoformat(timespec="seconds"),
            rows=len(answer.frame),
            truncated=answer.truncated,
            empty_reason=answer.empty_reason,
            notes=plan.notes,
            warnings=answer.warnings,
            failed=answer.failed,
            link=answer.link,
            fingerprint=fingerprint(request),
        )
        frame = answer.frame
        provenance = dataclasses.replace(provenance, digest=content_digest(frame))
        frame.attrs[ATTRIBUTE] = provenance.to_dict()
        return frame

    async def health(self, source: str | None) -> Health:
        """Ask one source whether it is well."""
        return await self.book.source(source).health()

    async def close(self) -> None:
        """Close every source."""
        await self.book.close()


def _reaches(query: MetricsQuery, now_ns: int) -> bool:
    """Whether the range ends at the source's now, as far as its steps go."""
    return 0 <= now_ns - query.range.end_ns < max(query.step_ns, 1)


def _standing_still(now_ns: int) -> str:
    when = datetime.fromtimestamp(now_ns / SECOND, UTC)
    return f"this source stands still: its now is {when:%Y-%m-%d %H:%M:%S} UTC"
