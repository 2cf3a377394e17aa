"""Gathers everything around an incident, from all sources at once; what does not come is named, the rest stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from obs_magics.incident import graph
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.happened import Happened, happened, windows
from obs_magics.incident.lines import Lines, error_lines
from obs_magics.incident.measured import Measured, measured, within
from obs_magics.incident.onsets import (
    FELT,
    Ending,
    Stretch,
    during,
    ending,
    shifts_of,
    stretches,
    symptoms_of,
    told_start,
)
from obs_magics.incident.parts import Parts, together
from obs_magics.incident.reach import Desks, Reach, check_service, known_services, reach
from obs_magics.incident.timeline import shift_text
from obs_magics.incident.traced import Traced, traced
from obs_magics.model.durations import HOUR, SECOND, format_duration
from obs_magics.model.errors import UsageError
from obs_magics.model.events import ONGOING
from obs_magics.model.incident import Around, FoundBy, Incident, Shift
from obs_magics.model.instants import Instant
from obs_magics.model.provenance import Provenance
from obs_magics.model.ranges import TimeRange
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.model.time import parse_instant, resolve_range
from obs_magics.model.zones import format_instant, to_datetime
from obs_magics.session.plan_events import EventsOptions

_INFO = "PromQL info"  # what Prometheus would have named otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for; see `Session.enrich` for the meaning of each."""

    service: str
    start: Instant | None = None
    end: Instant | None = None
    source: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the configuration says of incidents.

    Args:
        around: How much is gathered.
        search_ns: How far back the start is looked for when nobody tells it.
        calls: Callees by caller, beside what traces tell.
    """

    around: Around = field(default_factory=Around)
    search_ns: int = 6 * HOUR
    calls: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Begun:
    """When an incident began, how that is known, and when it is told to have ended."""

    start_ns: int
    found_by: FoundBy
    because: str
    end_ns: int | None = None
    notes: tuple[str, ...] = ()


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
        if not isinstance(asked.service, str) or not asked.service.strip():
            raise UsageError("an incident has a service", hint="name it: payment-api")
        parts = Parts(progress)
        found = await reach(self._desks.core.book, asked.source, parts, self._clock_ns)
        known, complete = await known_services(self._desks, found, parts)
        odd = check_service(asked.service, known, complete=complete)
        begun = await self._begun(asked, found, parts)
        gathering = _Gathering(self._desks, self._settings, asked, found=found, known=known, parts=parts)
        enriched = await gathering.run(begun)
        return replace(enriched, warnings=(*odd, *enriched.warnings))

    async def _begun(self, asked: Asked, found: Reach, parts: Parts) -> _Begun:
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
        return _Begun(start_ns, "told", "", end_ns)

    def _instant(self, value: Instant, now_ns: int) -> int:
        return parse_instant(value, now_ns=now_ns, zone=self._zone)

    async def _searched(self, service: str, found: Reach, parts: Parts, until_ns: int) -> _Begun:
        """The last time in which the service was not as usual; an alert's begin where no measure tells of one."""
        span = TimeRange(until_ns - self._settings.search_ns, until_ns)
        told = await measured(self._desks, found, [service], span, parts, measures=FELT)
        there = await asyncio.to_thread(stretches, told.points, service)
        if there:
            last = there[-1]
            return _Begun(last.start_ns, "measured", _measured_because(last), notes=tuple(_others(there[:-1])))
        rung = await self._rung(service, found, parts, span)
        if rung is not None:
            return rung
        length = format_duration(self._settings.search_ns)
        why = "its errors, latency and traffic were as usual" if told.points else "no source measures it"
        raise UsageError(
            f"nothing tells when an incident of {service} began: {why} in the {length} up to "
            f"{to_datetime(until_ns):%Y-%m-%d %H:%M} UTC, and no alert rang",
            hint="say when: --at 14:15",
        )

    async def _rung(self, service: str, found: Reach, parts: Parts, span: TimeRange) -> _Begun | None:
        if not found.events:
            return None
        options = EventsOptions(kinds=("alert", "incident"), service=service, start=span.start_ns, end=span.end_ns)
        work = self._desks.events.ask("", options, source=",".join(found.events), progress=no_progress)
        frame = await parts.run("alerts", work)
        if frame is None or frame.empty:
            return None
        last = frame[frame["kind"].isin(ONGOING)].iloc[-1]
        return _Begun(int(last["timestamp"].as_unit("ns").value), "alert", f"{last['kind']}: {last['title']}")


def _measured_because(stretch: Stretch) -> str:
    first = min(stretch.shifts, key=lambda one: (one.start_ns, one.measure))
    return f"measured: {shift_text(first)}"


def _others(earlier: Sequence[Stretch]) -> list[str]:
    """That there were more incidents of the service than the last one."""
    told = [f"{to_datetime(one.start_ns):%H:%M}–{to_datetime(one.end_ns or one.start_ns):%H:%M}" for one in earlier]
    return [f"it was not as usual at {', '.join(told)} UTC either: name one with --at"] if told else []


class _Gathering:
    """One gathering: first what tells how long to look, then everything at once."""

    def __init__(
        self, desks: Desks, settings: Settings, asked: Asked, *, found: Reach, known: set[str], parts: Parts
    ) -> None:
        self._desks, self._settings, self._asked = desks, settings, asked
        self._found, self._known, self._parts = found, known, parts

    async def run(self, begun: _Begun) -> Enriched:
        around, found, parts, service = self._settings.around, self._found, self._parts, self._asked.service
        start_ns = begun.start_ns
        horizon = min(found.now_ns, (begun.end_ns or start_ns + around.longest_ns) + around.after_ns)
        early = TimeRange(start_ns - around.metrics_before_ns, horizon)
        own = await measured(self._desks, found, [service], early, parts, measures=FELT)
        symptoms = symptoms_of(await asyncio.to_thread(shifts_of, own.points, start_ns), service, start_ns)
        if begun.found_by == "measured" and symptoms:  # now by finer points
            start_ns = min(one.start_ns for one in symptoms)
        over = ending(symptoms, measured=bool(own.points))
        if begun.end_ns is not None:
            over = Ending(begun.end_ns, "as told")
        until = horizon if over.end_ns is None else min(horizon, over.end_ns + around.after_ns)
        spans = windows(around, start_ns, until)
        events, traces = await together([self._events(spans), self._traces(spans, start_ns, symptoms)])
        assert isinstance(events, Happened)  # noqa: S101 - for the type checker
        assert isinstance(traces, Traced)  # noqa: S101
        every = await asyncio.to_thread(lambda: traces.every)
        edges = await asyncio.to_thread(graph.topology, every, self._settings.calls, self._known)
        near = graph.neighbours(edges, service, around.neighbours)
        services = [service, *dict.fromkeys(name for name in near["service"].tolist() if name != service)]
        metrics, lines = await together([self._metrics(services, spans), self._lines(services, spans)])
        assert isinstance(metrics, Measured)  # noqa: S101
        assert isinstance(lines, Lines)  # noqa: S101
        moved = await asyncio.to_thread(shifts_of, metrics.points, start_ns)
        shifts = during(moved, over.end_ns)
        incident = Incident(
            service=service,
            start_ns=start_ns,
            end_ns=over.end_ns,
            found_by=begun.found_by,
            start_because=begun.because or told_start(start_ns, symptoms),
            end_because=over.because,
            title=self._asked.title,
            windows=spans,
        )
        questions = (*metrics.questions, *lines.questions, *traces.questions, *events.questions)
        whole = Enriched(
            incident=incident,
            metrics=within(metrics, spans["metrics"]).frame,
            error_logs=lines.kept,
            error_lines=lines.total,
            error_traces=traces.failing,
            slow_traces=traces.slow,
            usual_traces=traces.usual,
            **{name: events.frame(name) for name in ("deployments", "config_changes", "flags", "alerts", "restarts")},
            events=events.events,
            patterns=lines.patterns,
            first_errors=lines.first,
            topology=edges,
            neighbours=near,
            shifts=tuple(shifts),
            missing=metrics.missing,
            failed=(*parts.failed, *_incomplete(questions)),
            warnings=(*found.warnings, *events.warnings, *_cut(questions)),
            notes=(*begun.notes, *_short(spans, found.now_ns)),
            questions=questions,
            now_ns=found.now_ns,
        )
        return whole.detected()

    async def _events(self, spans: Mapping[str, TimeRange]) -> Happened | Traced:
        return await happened(self._desks, self._found.events, spans, self._found.now_ns, self._parts)

    async def _traces(
        self, spans: Mapping[str, TimeRange], start_ns: int, symptoms: Sequence[Shift]
    ) -> Happened | Traced:
        around = self._settings.around
        return await traced(
            self._desks,
            self._found.traces,
            self._asked.service,
            spans["traces"],
            start_ns=start_ns,
            before_ns=around.metrics_before_ns,
            slowness=next((one for one in symptoms if one.measure.startswith("latency")), None),
            most=around.traces,
            parts=self._parts,
        )

    async def _metrics(self, services: Sequence[str], spans: Mapping[str, TimeRange]) -> Measured | Lines:
        if not self._found.metrics:
            self._parts.note("no source has metrics: what moved is not known")
        return await measured(self._desks, self._found, services, spans["metrics"], self._parts)

    async def _lines(self, services: Sequence[str], spans: Mapping[str, TimeRange]) -> Measured | Lines:
        if not self._found.logs:
            self._parts.note("no source has logs: error lines are not known")
        most = self._settings.around.log_lines
        return await error_lines(self._desks, self._found.logs, services, spans["logs"], most=most, parts=self._parts)


def _incomplete(questions: Sequence[Provenance]) -> list[str]:
    return list(dict.fromkeys(reason for one in questions for reason in one.failed))


def _cut(questions: Sequence[Provenance]) -> list[str]:
    """What the sources say of their answers: warnings, and answers that are not whole."""
    whole = [one for one in questions if one.signal != "traces"]  # of traces few are asked for
    cut = [f"{one.signal} from {one.source}: {one.truncated}" for one in whole if one.truncated and not one.failed]
    said = [text for one in questions for text in one.warnings if not text.startswith(_INFO)]
    return list(dict.fromkeys([*said, *cut]))


def _short(spans: Mapping[str, TimeRange], now_ns: int) -> list[str]:
    """That the sources' now cuts the time after the incident."""
    until = spans["metrics"].end_ns
    return [f"evidence ends at {to_datetime(until):%H:%M:%S} UTC, the sources' now"] if until >= now_ns else []
