"""What is known of an incident, in words: nothing that its rows do not say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd

from obs_magics.analysis.spans import trace_table
from obs_magics.display import times
from obs_magics.display.clock import MS, clock_text
from obs_magics.display.timeline.rows import since
from obs_magics.display.timeline.times import response_sentences
from obs_magics.display.units import count_text, format_value, seconds_text
from obs_magics.display.visible import short
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.timeline import pattern_text, shift_text
from obs_magics.model.durations import SECOND
from obs_magics.model.events import CHANGES
from obs_magics.model.incident import Remark, Shift

Clock = Callable[[int], str]
"""How an instant in nanoseconds is written."""
_NAMED, _PATTERNS, _SYMPTOMS = 4, 3, 3
_SAID = 90


def incident_sentences(enriched: Enriched, *, zone: str = "UTC", notes: Sequence[Remark] = ()) -> list[str]:
    """Symptom, extent, traffic, changes before, error lines, traces, alerts and times, a sentence each."""
    clock = clock_of(enriched, zone)
    told = [
        symptom_sentence(enriched, clock),
        extent_sentence(enriched, clock),
        neighbours_sentence(enriched, clock),
        load_sentence(enriched, clock),
        _changes(enriched),
        _errors(enriched, clock),
        _traces(enriched),
        _alerts(enriched, clock),
        *response_sentences(enriched.response(notes), zone=zone),
    ]
    return [sentence for sentence in told if sentence]


def headline(enriched: Enriched, *, zone: str = "UTC") -> str:
    """The incident in a line."""
    incident = enriched.incident
    name = f"Incident “{short(incident.title, 60)}”: " if incident.title else "Incident: "
    start = clock_text(incident.start_ns // MS, zone, day=True)
    if incident.end_ns is None:
        return f"{name}{incident.service} since {start}"
    end = clock_text(incident.end_ns // MS, zone, named=False)
    length = seconds_text((incident.end_ns - incident.start_ns) / SECOND)
    return f"{name}{incident.service} from {start} to {end} ({length})"


def clock_of(enriched: Enriched, zone: str) -> Clock:
    """How times of the incident are written: with their day, where the incident is of more than one."""
    incident = enriched.incident
    last = incident.windows["metrics"].end_ns if incident.end_ns is None else incident.end_ns
    return partial(
        times.clock, zone=zone, day=times.several_days(incident.start_ns, max(last, incident.start_ns), zone)
    )


def _moment(at: pd.Timestamp, clock: Clock) -> str:
    return clock(int(at.as_unit("ns").value))


def symptom_sentence(enriched: Enriched, clock: Clock) -> str:
    """By what it was noticed, from when until when; where nothing moved, or nothing is measured, that."""
    found = enriched.symptoms
    if not found:
        why = "no measure of it left what is usual" if len(enriched.metrics) else "there are no metrics of it"
        return f"symptom: not measured, {why}"
    told = "; ".join(f"{shift_text(one)} {_when(one, clock)}" for one in found[:_SYMPTOMS])
    return f"symptom: {told}"


def _when(one: Shift, clock: Clock) -> str:
    until = f" until {clock(one.end_ns)}" if one.end_ns is not None else ", not over yet"
    return f"from {clock(one.start_ns)}{until}"


def extent_sentence(enriched: Enriched, clock: Clock) -> str:
    """When it began and ended, and how that is known."""
    incident = enriched.incident
    end = f"over at {clock(incident.end_ns)} ({incident.end_because})" if incident.end_ns else incident.end_because
    return f"began at {clock(incident.start_ns)} ({incident.start_because}); {end}"


def affected(enriched: Enriched) -> dict[str, Shift]:
    """Callers and callees with a measure that moved the way that is bad: the first one of each, in order of time."""
    names = [name for name in enriched.services if name != enriched.service]
    first: dict[str, Shift] = {}
    for one in sorted(enriched.shifts, key=lambda one: one.start_ns):
        if one.service in names and _is_bad(one):
            first.setdefault(one.service, one)
    return first


def neighbours_sentence(enriched: Enriched, clock: Clock) -> str:
    """Which callers and callees were affected, since when, and which were not."""
    names = [name for name in enriched.services if name != enriched.service]
    if not names:
        return ""
    first = affected(enriched)
    felt = enriched.metrics["metric"].isin(["error_rate", "latency_p99", "saturation"])
    told_of = set(enriched.metrics["service"][felt]) if len(enriched.metrics) else set()
    still = [name for name in names if name not in first and name in told_of]
    unknown = [name for name in names if name not in told_of]
    told = ", ".join(f"{name} ({one.title} from {clock(one.start_ns)})" for name, one in first.items())
    parts = (
        f"affected too: {told}" if told else "no neighbour is known to be affected",
        f"as usual: {', '.join(still)}" if still else "",
        f"not known of {', '.join(unknown)}" if unknown else "",
    )
    return "; ".join(part for part in parts if part)


def _is_bad(one: Shift) -> bool:
    return one.rises and (one.measure in {"error_rate", "saturation"} or one.measure.startswith("latency"))


def load_sentence(enriched: Enriched, clock: Clock) -> str:
    """How much more it had to do, and what of it was full."""
    own = [one for one in enriched.shifts if one.service == enriched.service and one.measure == "throughput"]
    full = [one for one in enriched.shifts if one.service == enriched.service and one.measure == "saturation"]
    told = [f"{shift_text(one)} {_when(one, clock)}" for one in [*own[:1], *full[:2]]]
    return f"besides: {'; '.join(told)}" if told else ""


def _changes(enriched: Enriched) -> str:
    events = enriched.events
    start = pd.Timestamp(enriched.incident.start_ns, unit="ns", tz="UTC")
    before = events[events["kind"].isin(CHANGES) & (events["timestamp"] <= start)]
    if before.empty:
        return _no_changes(enriched)
    own = before[before["service"] == enriched.service]
    near = before[before["service"].isin([name for name in enriched.services if name != enriched.service])]
    told = [
        f"{since(int(at.as_unit('ns').value), enriched.incident.start_ns)} {short(str(title), _SAID)}"
        for at, title in zip(own["timestamp"].iloc[::-1], own["title"].iloc[::-1], strict=True)
    ]
    more = f", {len(near)} of its neighbours" if len(near) else ""
    head = f"{count_text(len(before), 'change')} before it, {len(own)} of the service itself{more}"
    return f"{head}: {'; '.join(told[:_NAMED])}" if told else head


def _no_changes(enriched: Enriched) -> str:
    """That no change is recorded, or that nothing is recorded of the time in which it would be."""
    asked = [one for one in enriched.questions if one.signal == "events"]
    why = next((one.empty_reason for one in asked if one.empty_reason), "")
    if not asked or any(one.rows for one in asked) or not why:
        return "no change before it is recorded"
    return f"changes before it are not known: {why}"


def _errors(enriched: Enriched, clock: Clock) -> str:
    first = enriched.first_errors
    if first.empty:
        return "no error lines"
    columns = (first[name].tolist() for name in ("service", "template", "count", "first_seen"))
    told = [
        f"{service} from {_moment(at, clock)}: {short(pattern_text(template), _SAID)} ({count:,})"
        for service, template, count, at in zip(*columns, strict=True)
    ]
    more = f"; and {len(told) - _PATTERNS} more" if len(told) > _PATTERNS else ""
    return f"{count_text(enriched.error_lines, 'error line')}: {'; '.join(told[:_PATTERNS])}{more}"


def _traces(enriched: Enriched) -> str:
    failing = enriched.error_traces["trace_id"].nunique()
    slow = enriched.slow_traces
    parts = [f"{count_text(failing, 'failing trace')} at hand"] if failing else []
    if len(slow):
        longest = trace_table(slow)["duration"].max().total_seconds()
        parts.append(
            f"the slowest of {count_text(slow['trace_id'].nunique(), 'slow trace')} took {format_value(longest, 's')}"
        )
    return "; ".join(parts)


def _alerts(enriched: Enriched, clock: Clock) -> str:
    near = set(enriched.services)
    events = enriched.alerts
    own = events[events["service"].isin(list(near)) | events["service"].isna()]
    if own.empty:
        return "no alert concerns it"
    told = [
        f"{_moment(at, clock)} {short(str(title), _SAID)}"
        for at, title in zip(own["timestamp"], own["title"], strict=True)
    ]
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"{count_text(len(own), 'alert')}: {'; '.join(told[:_NAMED])}{more}"
