"""What happened around an incident: events of all kinds, each from as far back as is asked for its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from obs_magics.display.visible import short
from obs_magics.incident.parts import Parts
from obs_magics.incident.reach import Desks
from obs_magics.model import provenance
from obs_magics.model.durations import HOUR, MINUTE
from obs_magics.model.events import Event, EventKind, empty_events, events_frame, events_of
from obs_magics.model.incident import Around
from obs_magics.model.provenance import Provenance
from obs_magics.model.ranges import TimeRange
from obs_magics.model.sources import no_progress
from obs_magics.session.plan_events import EventsOptions

_MOST = 10_000
_FEW, _NAMED = 3, 120
AHEAD_NS = MINUTE
"""What is dated further ahead of the sources' now is odd."""

# Which of the windows holds for which kind.
WINDOWS: Mapping[str, tuple[EventKind, ...]] = {
    "deployments": ("deployment", "scale"),
    "config_changes": ("config_change", "annotation"),
    "flags": ("feature_flag",),
    "alerts": ("alert", "incident"),
    "restarts": ("restart",),
}
# Which kinds each frame holds.
FRAMES: Mapping[str, tuple[EventKind, ...]] = {
    "deployments": ("deployment",),
    "config_changes": ("config_change",),
    "flags": ("feature_flag",),
    "alerts": ("alert", "incident"),
    "restarts": ("restart",),
}


@dataclass(frozen=True, slots=True)
class Happened:
    """Events around an incident.

    Args:
        events: An events frame of all kinds.
        questions: Where they come from.
        warnings: What is odd about their times.
    """

    events: pd.DataFrame
    questions: tuple[Provenance, ...] = ()
    warnings: tuple[str, ...] = ()

    def frame(self, name: str) -> pd.DataFrame:
        """Those of one of `FRAMES`."""
        kinds = FRAMES[name]
        return events_frame([event for event in events_of(self.events) if event.kind in kinds])


def windows(around: Around, start_ns: int, until_ns: int) -> dict[str, TimeRange]:
    """From when to when each kind of evidence is asked for."""
    before = {
        "metrics": around.metrics_before_ns,
        "logs": around.logs_before_ns,
        "traces": around.traces_before_ns,
        "deployments": around.deployments_before_ns,
        "config_changes": around.config_changes_before_ns,
        "flags": around.flags_before_ns,
        "alerts": around.alerts_before_ns,
        "restarts": around.restarts_before_ns,
    }
    return {name: TimeRange(start_ns - length, until_ns) for name, length in before.items()}


async def happened(
    desks: Desks, sources: Sequence[str], spans: Mapping[str, TimeRange], now_ns: int, parts: Parts
) -> Happened:
    """Ask every source of events at once.

    Args:
        desks: Where questions are answered.
        sources: Names of those with events.
        spans: As `windows` makes them.
        now_ns: The sources' now.
        parts: Told what did not come.
    """
    if not sources:
        parts.note("no source has events: deployments, changes of configuration, flags and alerts are not known")
        return Happened(empty_events())
    start_ns = min(spans[name].start_ns for name in WINDOWS)
    end_ns = spans["alerts"].end_ns
    if end_ns > now_ns - HOUR:  # it is now: what is dated ahead shows that a clock is wrong
        end_ns = now_ns + HOUR
    options = EventsOptions(start=start_ns, end=end_ns, limit=_MOST)
    frame = await parts.run("events", desks.events.ask("", options, source=",".join(sources), progress=no_progress))
    if frame is None:
        return Happened(empty_events())
    origin = provenance.of(frame)
    every = events_of(frame)
    kept = [event for event in every if _wanted(event, spans)]
    questions = () if origin is None else (origin,)
    return Happened(events_frame(kept), questions, tuple(_odd(every, now_ns)))


def _wanted(event: Event, spans: Mapping[str, TimeRange]) -> bool:
    name = next(name for name, kinds in WINDOWS.items() if event.kind in kinds)
    return event.start_ns <= spans[name].end_ns and event.until_ns >= spans[name].start_ns


def _odd(events: Sequence[Event], now_ns: int) -> list[str]:
    """That events are dated ahead, or end before they begin."""
    ahead = [event for event in events if event.start_ns > now_ns + AHEAD_NS]
    turned = [event for event in events if event.end_ns is not None and event.end_ns < event.start_ns]
    told = []
    if ahead:
        told.append(f"{_those(ahead)} dated after the sources' now, so a clock is wrong: {_named(ahead)}")
    if turned:
        ended = "before it began" if len(turned) == 1 else "before they began"
        told.append(f"{_those(turned)} said to end {ended}, so a clock is wrong: {_named(turned)}")
    return told


def _those(events: Sequence[Event]) -> str:
    return "1 event is" if len(events) == 1 else f"{len(events):,} events are"


def _named(events: Sequence[Event]) -> str:
    named = "; ".join(short(event.title or event.kind, _NAMED) for event in events[:_FEW])
    return f"{named}; and {len(events) - _FEW} more" if len(events) > _FEW else named
