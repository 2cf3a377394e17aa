"""Changes questions of a session: which events, and which changes of traffic, came just before an anomaly."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from obs_magics.config.settings import Correlation
from obs_magics.model.bus import CORRELATION_FOUND, Bus
from obs_magics.model.errors import ObsError
from obs_magics.model.sources import Progress, ProgressListener, no_progress
from obs_magics.model.time import DAY, MINUTE, SECOND
from obs_magics.session.events import EventsDesk
from obs_magics.session.plan_events import EventsOptions
from obs_magics.session.plan_traces import TracesOptions
from obs_magics.session.traces import TracesDesk

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.analysis.correlation import Relations, Windows

_LOOKED_BACK_NS = 7 * DAY  # for how usual an event is
_AROUND_NS = 15 * MINUTE  # an onset, for who calls whom
_TRACES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What `Session.changes_before` gives.

    Args:
        frame: `anomaly`, `start`, `event_type`, `event`, `event_time`, `service`, `time_offset`, `confidence`, `reason`
            (see `analysis.correlation.correlate_with_events`).
        events: The events frame in which they were looked for.
        notes: What could not be asked.
    """

    frame: pd.DataFrame
    events: pd.DataFrame
    notes: tuple[str, ...] = ()


class ChangesDesk:
    """Looks for what changed before anomalies, for one session.

    Args:
        bus: Told of every find.
        events: Asks for events.
        traces: Asks for traces, which tell who calls whom.
        settings: How far back events are looked for.
        calls: Who calls whom, beside what traces tell: callees by caller.
        max_range_ns: The longest range that may be asked for.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        events: EventsDesk,
        traces: TracesDesk,
        settings: Correlation,
        calls: Mapping[str, Sequence[str]],
        max_range_ns: int,
    ) -> None:
        self._bus = bus
        self._events = events
        self._traces = traces
        self._windows = settings
        self._calls = [(caller, callee) for caller, callees in calls.items() for callee in callees]
        self._max_range_ns = max_range_ns

    async def changes(self, anomalies: pd.DataFrame, *, source: str | None, progress: ProgressListener) -> Changes:
        """The events in their windows before the onsets of anomalies; the bus is told of each.

        Args:
            anomalies: An anomalies frame; what is for the better is looked into as well.
            source: Whose events; None for all that have some.
            progress: Told what is asked.
        """
        progress(Progress(0, 2, note="asking what happened"))
        events, notes = await self._happened(anomalies, source)
        progress(Progress(1, 2, note="asking who calls whom"))
        relations, more = await self._relations(anomalies, events, source)
        frame = await asyncio.to_thread(_before, anomalies, events, windows(self._windows), relations)
        self._emit(anomalies, frame)
        return Changes(frame=frame, events=events, notes=(*notes, *more))

    async def _happened(self, anomalies: pd.DataFrame, source: str | None) -> tuple[pd.DataFrame, list[str]]:
        """The events of the week before the last onset, and what could not be asked."""
        from obs_magics.model.events import empty_events

        if anomalies.empty:
            return empty_events(), []
        starts = anomalies["start"].astype("int64")
        end = int(starts.max()) + 5 * MINUTE
        first = int(starts.min()) - _ns(windows(self._windows).longest)
        start = max(min(first, end - _LOOKED_BACK_NS), end - self._max_range_ns)
        options = EventsOptions(start=_moment(start), end=_moment(end))
        try:
            return await self._events.ask("", options, source=source, progress=no_progress), []
        except ObsError as problem:
            return empty_events(), [f"without events: {problem.message}"]

    async def _relations(
        self, anomalies: pd.DataFrame, events: pd.DataFrame, source: str | None
    ) -> tuple[Relations | None, list[str]]:
        """Who calls whom around the first onset, as traces tell; None where nobody tells or nobody needs to know."""
        from obs_magics.analysis.correlation import Relations

        services = set(events["service"].dropna().astype(str)) | set(anomalies["service"].dropna().astype(str))
        if len(services) < 2 or not anomalies["service"].notna().any():
            return None, []
        onset = int(anomalies["start"].astype("int64").min())
        options = TracesOptions(start=_moment(onset - _AROUND_NS), end=_moment(onset + _AROUND_NS), limit=_TRACES)
        try:
            spans = await self._traces.ask("", options, source=source, progress=no_progress)
        except ObsError as problem:
            told = [] if self._calls else [f"without knowing who calls whom: {problem.message}"]
            return Relations.of(self._calls), told
        return Relations.of([*self._calls, *await asyncio.to_thread(_edges, spans)]), []

    def _emit(self, anomalies: pd.DataFrame, found: pd.DataFrame) -> None:
        rows = {
            (str(row["series"]), row["start"]): _told(row, ("series", "metric", "service", "start", "severity"))
            for row in anomalies.to_dict("records")
        }
        for row in found.to_dict("records"):
            event = _told(row, ("event_type", "event", "event_time", "service", "confidence"))
            event["time_offset"] = row["time_offset"].total_seconds()
            self._bus.emit(CORRELATION_FOUND, anomaly=rows[str(row["anomaly"]), row["start"]], correlated_event=event)


def _before(
    anomalies: pd.DataFrame, events: pd.DataFrame, looked: Windows, relations: Relations | None
) -> pd.DataFrame:
    """Events and changes of traffic before the onsets; of each the most confident first."""
    import pandas as pd

    from obs_magics.analysis.correlation import correlate_with_events, traffic_before

    parts = [
        correlate_with_events(anomalies, events, windows=looked, relations=relations),
        traffic_before(anomalies),
    ]
    kept = [part.astype({"event_type": "str", "service": "str"}) for part in parts if len(part)]
    if len(kept) < 2:
        return next((part for part in parts if len(part)), parts[0])
    whole = pd.concat(kept, ignore_index=True)
    missing = whole["service"].isin(["nan", ""])
    whole = whole.assign(
        event_type=whole["event_type"].astype("category"),
        service=whole["service"].mask(missing).astype("category"),
    )
    order = {key: place for place, key in enumerate(zip(anomalies["series"], anomalies["start"], strict=True))}
    ranks = [order[key] for key in zip(whole["anomaly"], whole["start"], strict=True)]
    ranked = whole.assign(_rank=ranks).sort_values(["_rank", "confidence"], ascending=[True, False], kind="stable")
    return ranked.drop(columns="_rank").reset_index(drop=True)


def windows(settings: Correlation) -> Windows:
    """How far back each kind of event is looked for, as configured."""
    from obs_magics.analysis.correlation import Windows

    given = {
        "deployment": settings.deployment_window,
        "config_change": settings.config_change_window,
        "feature_flag": settings.config_change_window,
        "alert": settings.alert_window,
    }
    return Windows().replaced({kind: timedelta(microseconds=int(ns) // 1000) for kind, ns in given.items()})


def _edges(spans: pd.DataFrame) -> Iterable[tuple[str, str]]:
    """Callers with their callees."""
    from obs_magics.analysis.spans import call_graph

    if spans.empty or "span_id" not in spans.columns:
        return []
    graph = call_graph(spans)
    return [(str(caller), str(callee)) for caller, callee in zip(graph["caller"], graph["callee"], strict=True)]


def _told(row: Mapping[Any, Any], names: Sequence[str]) -> dict[str, Any]:
    """Some of a row as plain values: times in ISO 8601, nothing for what is missing."""
    told: dict[str, Any] = {}
    for name in names:
        value = row[name]
        if isinstance(value, datetime):
            told[name] = value.isoformat()
        elif isinstance(value, float) and name == "confidence":
            told[name] = value
        else:
            told[name] = value if isinstance(value, str) else ""
    return told


def _moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / SECOND, UTC)


def _ns(length: timedelta) -> int:
    return length // timedelta(microseconds=1) * 1000
