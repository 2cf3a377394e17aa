"""One gathering around an incident: first what tells how long to look, then everything at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from obs_magics.incident import graph
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.happened import FRAMES, Happened, happened, windows
from obs_magics.incident.lines import Lines, error_lines
from obs_magics.incident.measured import Measured, measured, step_of, within
from obs_magics.incident.missing import outside
from obs_magics.incident.onsets import (
    FELT,
    SAME_NS,
    Ending,
    Stretch,
    begun_before,
    ending,
    measured_start,
    shifts_of,
    symptoms_around,
    told_start,
)
from obs_magics.incident.parts import Parts, both
from obs_magics.incident.reach import Desks, Reach
from obs_magics.incident.response import response
from obs_magics.incident.timeline import timeline
from obs_magics.incident.traced import Traced, traced
from obs_magics.model.durations import HOUR
from obs_magics.model.incident import Around, FoundBy, Incident, Shift
from obs_magics.model.instants import Instant
from obs_magics.model.provenance import Provenance
from obs_magics.model.ranges import TimeRange
from obs_magics.model.zones import to_datetime

_LATE_NS = 3 * HOUR  # how much earlier than told an incident is looked for
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
class Begun:
    """When an incident began, how that is known, when it is told to have ended, and when else it was not as usual."""

    start_ns: int
    found_by: FoundBy
    because: str
    end_ns: int | None = None
    others: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class _Extent:
    """When an incident was, by what was told and measured.

    Args:
        incident: Without its detection.
        symptoms: What people noticed of it.
        step_ns: Distance between the points by which that was told.
        own: The measures by which it was told.
    """

    incident: Incident
    symptoms: Sequence[Shift]
    step_ns: int
    own: Measured

    @property
    def lasted(self) -> TimeRange:
        """From its start to its end, as far as is known."""
        incident = self.incident
        until = incident.windows["metrics"].end_ns if incident.end_ns is None else incident.end_ns
        return TimeRange(incident.start_ns, max(until, incident.start_ns))


class Gathering:
    """Gathers around one incident.

    Args:
        desks: Where questions are answered.
        settings: How much is gathered.
        asked: What was asked for.
        found: Whom to ask.
        known: The services that the sources know.
        parts: Told what did not come.
    """

    def __init__(
        self, desks: Desks, settings: Settings, asked: Asked, *, found: Reach, known: set[str], parts: Parts
    ) -> None:
        self._desks, self._settings, self._asked = desks, settings, asked
        self._found, self._known, self._parts = found, known, parts

    async def declared(self, begun: Begun) -> Incident:
        """The incident alone: when it was, and when somebody was told."""
        extent = await self._extent(begun)
        events = await self._events(extent.incident.windows)
        rows = await asyncio.to_thread(timeline, extent.incident, events=events.events)
        calls = [(caller, callee) for caller, callees in self._settings.calls.items() for callee in callees]
        near = [name for name, distance in graph.distances(calls, self._asked.service).items() if distance == 1]
        told = response(rows, extent.incident, near).of("detected")
        return replace(extent.incident, detected_ns=told.at_ns, detected_because=told.because)

    async def run(self, begun: Begun) -> Enriched:
        """Gather."""
        extent = await self._extent(begun)
        spans = extent.incident.windows
        events, traces = await both(self._events(spans), self._traces(extent))
        every = await asyncio.to_thread(lambda: traces.every)
        edges = await asyncio.to_thread(graph.topology, every, self._settings.calls, self._known)
        near = graph.neighbours(edges, self._asked.service, self._settings.around.neighbours)
        services = list(dict.fromkeys([self._asked.service, *near["service"].tolist()]))
        metrics, lines = await both(
            self._metrics(services, spans["metrics"], extent.step_ns), self._lines(services, spans["logs"])
        )
        if metrics.frame.empty:  # went away in the meantime: what tells the incident's extent had come
            metrics = extent.own
        moved = await asyncio.to_thread(shifts_of, metrics.points, extent.incident.start_ns)
        questions = (*metrics.questions, *lines.questions, *traces.questions, *events.questions)
        return Enriched(
            incident=extent.incident,
            metrics=within(metrics, spans["metrics"]).frame,
            error_logs=lines.kept,
            all_error_logs=lines.every,
            error_lines=lines.total,
            error_traces=traces.failing,
            slow_traces=traces.slow,
            usual_traces=traces.usual,
            spans=await asyncio.to_thread(lambda: traces.fair),
            **{name: events.frame(name) for name in FRAMES},
            events=events.events,
            patterns=lines.patterns,
            pattern_counts=lines.counts,
            first_errors=lines.first,
            topology=edges,
            neighbours=near,
            shifts=tuple(begun_before(moved, extent.incident.end_ns)),
            missing=metrics.missing,
            failed=(*self._parts.failed, *_incomplete(questions)),
            warnings=(*self._found.warnings, *events.warnings, *_cut(questions), *lines.warnings),
            notes=(*_others(begun.others, extent.lasted), *_short(spans, self._found.now_ns), *outside(questions)),
            questions=questions,
            now_ns=self._found.now_ns,
        ).detected()

    async def _extent(self, begun: Begun) -> _Extent:
        """When it began and ended: measures move a start that is not exact, and tell an end that nobody told."""
        around, service, now_ns = self._settings.around, self._asked.service, self._found.now_ns
        start_ns = begun.start_ns
        horizon = min(now_ns, (begun.end_ns or start_ns + around.longest_ns) + around.after_ns)
        before_ns = around.metrics_before_ns
        step_ns = step_of(TimeRange(start_ns - before_ns, horizon))
        span = TimeRange(start_ns - max(before_ns, _LATE_NS), horizon)
        own = await measured(self._desks, self._found, [service], span, self._parts, measures=FELT, step_ns=step_ns)
        symptoms = await asyncio.to_thread(symptoms_around, own.points, service, start_ns, before_ns)
        begun = _moved(begun, symptoms)
        over = ending(symptoms, measured=bool(own.points))
        if begun.end_ns is not None:
            over = Ending(begun.end_ns, "as told")
        until = horizon if over.end_ns is None else min(horizon, over.end_ns + around.after_ns)
        incident = Incident(
            service=service,
            start_ns=begun.start_ns,
            end_ns=over.end_ns,
            found_by=begun.found_by,
            start_because=begun.because,
            end_because=over.because,
            title=self._asked.title,
            windows=windows(around, begun.start_ns, max(until, begun.start_ns)),
        )
        return _Extent(incident, symptoms, step_ns, own)

    async def _events(self, spans: Mapping[str, TimeRange]) -> Happened:
        return await happened(self._desks, self._found.events, spans, self._found.now_ns, self._parts)

    async def _traces(self, extent: _Extent) -> Traced:
        around = self._settings.around
        return await traced(
            self._desks,
            self._found.traces,
            self._asked.service,
            extent.incident.windows["traces"],
            lasted=extent.lasted,
            before_ns=around.metrics_before_ns,
            slowness=next((one for one in extent.symptoms if one.measure.startswith("latency")), None),
            most=around.traces,
            parts=self._parts,
        )

    async def _metrics(self, services: Sequence[str], span: TimeRange, step_ns: int) -> Measured:
        if not self._found.metrics:
            self._parts.note("no source has metrics: what moved is not known")
        return await measured(self._desks, self._found, services, span, self._parts, step_ns=step_ns)

    async def _lines(self, services: Sequence[str], span: TimeRange) -> Lines:
        if not self._found.logs:
            self._parts.note("no source has logs: error lines are not known")
        most = self._settings.around.log_lines
        return await error_lines(self._desks, self._found.logs, services, span, most=most, parts=self._parts)


def _moved(begun: Begun, symptoms: Sequence[Shift]) -> Begun:
    """The start by what was measured, where that is earlier than what was told: people tell when they saw it."""
    first_ns = min((one.start_ns for one in symptoms), default=begun.start_ns)
    if begun.found_by == "measured":  # now by finer points
        return replace(begun, start_ns=first_ns, because=measured_start(symptoms) if symptoms else begun.because)
    because = told_start(begun.start_ns, symptoms) if begun.found_by == "told" else begun.because
    if first_ns >= begun.start_ns - SAME_NS:
        return replace(begun, because=because)
    return replace(begun, start_ns=first_ns, found_by="measured", because=because)


def _others(earlier: Sequence[Stretch], lasted: TimeRange) -> list[str]:
    """That there were more incidents of the service than this one."""
    apart = [one for one in earlier if one.end_ns is not None and one.end_ns < lasted.start_ns]
    told = [f"{to_datetime(one.start_ns):%H:%M}–{to_datetime(one.end_ns or one.start_ns):%H:%M}" for one in apart]
    return [f"it was not as usual at {', '.join(told)} UTC either: name one with --at"] if told else []


def _incomplete(questions: Sequence[Provenance]) -> list[str]:
    return list(dict.fromkeys(reason for one in questions for reason in one.failed))


def _cut(questions: Sequence[Provenance]) -> list[str]:
    """What the sources say of their answers: warnings, and answers that are not whole."""
    whole = [one for one in questions if one.signal != "traces"]  # of traces few are asked for
    told = [(one, one.truncated.removesuffix(" (--limit)")) for one in whole if one.truncated and not one.failed]
    cut = [f"{one.signal} from {one.source}: {text}" for one, text in told]
    said = [text for one in questions for text in one.warnings if not text.startswith(_INFO)]
    return list(dict.fromkeys([*said, *cut]))


def _short(spans: Mapping[str, TimeRange], now_ns: int) -> list[str]:
    """That the sources' now cuts the time after the incident."""
    until = spans["metrics"].end_ns
    return [f"evidence ends at {to_datetime(until):%H:%M:%S} UTC, the sources' now"] if until >= now_ns else []
