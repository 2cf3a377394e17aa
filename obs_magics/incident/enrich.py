"""Gathers everything around an incident, from all sources at once; what does not come is named, the rest stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo

from obs_magics.incident.enriched import Enriched
from obs_magics.incident.gathering import Asked, Begun, Gathering, Settings
from obs_magics.incident.measured import measured
from obs_magics.incident.onsets import FELT, measured_start, stretches
from obs_magics.incident.parts import Parts
from obs_magics.incident.reach import Desks, Reach, check_service, known_services, reach
from obs_magics.incident.shifts import ENOUGH
from obs_magics.model.durations import HOUR, SECOND, format_duration
from obs_magics.model.errors import UsageError
from obs_magics.model.events import ONGOING
from obs_magics.model.gaps import gap_notes
from obs_magics.model.incident import Incident
from obs_magics.model.instants import Instant
from obs_magics.model.ranges import TimeRange
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.model.time import parse_instant, resolve_range
from obs_magics.model.zones import format_instant, to_datetime
from obs_magics.session.plan_events import EventsOptions


class Enricher:
    """Gathers around incidents for one session.

    Args:
        desks: Where questions are answered.
        settings: How much is gathered.
        zone: How naive times are read.
        clock_ns: What time it is, for sources that have no now of their own.
    """

    def __init__(self, desks: Desks, settings: Settings, *, zone: tzinfo, clock_ns: Callable[[], int]) -> None:
        self._desks = desks
        self._settings = settings
        self._zone = zone
        self._clock_ns = clock_ns

    async def enrich(self, asked: Asked, *, progress: ProgressListener = no_progress) -> Enriched:
        """Gather.

        Raises:
            UsageError: There is no source, no such service, the times make no sense, or no start can be found.
        """
        gathering, begun, odd = await self._prepared(asked, progress)
        enriched = await gathering.run(begun)
        return replace(enriched, warnings=(*odd, *self._gaps(asked, begun), *enriched.warnings))

    async def declare(self, asked: Asked, *, progress: ProgressListener = no_progress) -> Incident:
        """The incident without its evidence; raises as `enrich` does."""
        gathering, begun, _ = await self._prepared(asked, progress)
        return await gathering.declared(begun)

    async def _prepared(self, asked: Asked, progress: ProgressListener) -> tuple[Gathering, Begun, list[str]]:
        """Whom to ask, since when, and what to say of a service that nobody knows."""
        if not isinstance(asked.service, str) or not asked.service.strip():
            raise UsageError("an incident has a service", hint="name it: payment-api")
        parts = Parts(progress)
        found = await reach(self._desks.core.book, asked.source, parts, self._clock_ns)
        known, complete = await known_services(self._desks, found, parts)
        if asked.service not in known and (await self._told_of(asked, found, parts)):
            known.add(asked.service)  # what is down may be told of by its alert alone
        odd = check_service(asked.service, known, complete=complete)
        begun = await self._begun(asked, found, parts)
        gathering = Gathering(self._desks, self._settings, asked, found=found, known=known, parts=parts)
        return gathering, begun, odd

    async def _told_of(self, asked: Asked, found: Reach, parts: Parts) -> bool:
        """Whether an event around the time that is asked about concerns the service."""
        if not found.events:
            return False
        about_ns = found.now_ns if asked.start is None else self._instant(asked.start, found.now_ns)
        start_ns, end_ns = about_ns - self._settings.search_ns, min(about_ns + HOUR, found.now_ns)
        options = EventsOptions(service=asked.service, start=start_ns, end=max(end_ns, start_ns + 1))
        work = self._desks.events.ask("", options, source=",".join(found.events), progress=no_progress)
        told = await parts.run("events", work)
        return told is not None and bool((told["service"] == asked.service).any())

    async def _begun(self, asked: Asked, found: Reach, parts: Parts) -> Begun:
        if asked.start is None:
            end_ns = None if asked.end is None else self._instant(asked.end, found.now_ns)
            begun = await self._searched(asked.service, found, parts, found.now_ns if end_ns is None else end_ns)
            return replace(begun, end_ns=end_ns)
        if asked.end is None:
            start_ns = self._instant(asked.start, found.now_ns)
            end_ns = None
        else:
            span = resolve_range(
                start=asked.start, end=asked.end, now_ns=found.now_ns, zone=self._zone, default_ns=HOUR
            )
            start_ns, end_ns = span.start_ns, span.end_ns
        if start_ns > found.now_ns:
            start, now = (format_instant(ns // SECOND * SECOND, self._zone) for ns in (start_ns, found.now_ns))
            raise UsageError(
                f"the start {start} lies after the sources' now {now}", hint="ask for a time that has begun"
            )
        return Begun(start_ns, "told", "", end_ns)

    def _gaps(self, asked: Asked, begun: Begun) -> tuple[str, ...]:
        """That a time was typed which the clocks jumped over."""
        end_ns = begun.start_ns if begun.end_ns is None else begun.end_ns
        return gap_notes(start=asked.start, end=asked.end, start_ns=begun.start_ns, end_ns=end_ns, zone=self._zone)

    def _instant(self, value: Instant, now_ns: int) -> int:
        return parse_instant(value, now_ns=now_ns, zone=self._zone)

    async def _searched(self, service: str, found: Reach, parts: Parts, until_ns: int) -> Begun:
        """The last time in which the service was not as usual; an alert's begin where no measure tells of one."""
        span = TimeRange(until_ns - self._settings.search_ns, until_ns)
        told = await measured(self._desks, found, [service], span, parts, measures=FELT)
        there = await asyncio.to_thread(stretches, told.points, service)
        if there:
            last = there[-1]
            return Begun(last.start_ns, "measured", measured_start(last.shifts), others=tuple(there[:-1]))
        rung = await self._rung(service, found, parts, span)
        if rung is not None:
            return rung
        length = format_duration(self._settings.search_ns)
        short = all(len(one.values) < ENOUGH for one in told.points)
        why = _NOT_TOLD[bool(told.points), short]
        raise UsageError(
            f"nothing tells when an incident of {service} began: {why} in the {length} up to "
            f"{to_datetime(until_ns):%Y-%m-%d %H:%M} UTC, and no alert rang",
            hint="say when: --at 14:15",
        )

    async def _rung(self, service: str, found: Reach, parts: Parts, span: TimeRange) -> Begun | None:
        if not found.events:
            return None
        options = EventsOptions(kinds=("alert", "incident"), service=service, start=span.start_ns, end=span.end_ns)
        work = self._desks.events.ask("", options, source=",".join(found.events), progress=no_progress)
        frame = await parts.run("alerts", work)
        if frame is None or frame.empty:
            return None
        last = frame[frame["kind"].isin(ONGOING)].iloc[-1]
        return Begun(int(last["timestamp"].as_unit("ns").value), "alert", f"{last['kind']}: {last['title']}")


# Why nothing tells of an incident: by whether anything is measured, and whether that is too short to tell.
_NOT_TOLD = {
    (False, True): "no source measures it",
    (True, True): "what is measured of it is too short to tell what is usual",
    (True, False): "its errors, latency and traffic were as usual",
}
