"""What is known of an incident, in words: nothing that its rows do not say."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from obs_magics.analysis.spans import trace_table
from obs_magics.display.clock import MS, clock_text
from obs_magics.display.timeline.rows import since
from obs_magics.display.timeline.times import response_sentences
from obs_magics.display.units import count_text, format_value
from obs_magics.display.visible import short
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.timeline import pattern_text, shift_text
from obs_magics.model.durations import SECOND
from obs_magics.model.events import CHANGES
from obs_magics.model.incident import Remark, Shift

_NAMED, _PATTERNS, _SYMPTOMS = 4, 3, 3
_SAID = 90


def incident_sentences(enriched: Enriched, *, zone: str = "UTC", notes: Sequence[Remark] = ()) -> list[str]:
    """Symptom, extent, traffic, changes before, error lines, traces, alerts and times, a sentence each."""
    told = [
        _symptom(enriched, zone),
        _extent(enriched, zone),
        _neighbours(enriched, zone),
        _traffic(enriched, zone),
        _changes(enriched),
        _errors(enriched, zone),
        _traces(enriched),
        _alerts(enriched, zone),
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
    length = format_value((incident.end_ns - incident.start_ns) / SECOND, "s")
    return f"{name}{incident.service} from {start} to {end} ({length})"


def _clock(ns: int, zone: str) -> str:
    return clock_text(ns // MS, zone, named=False)


def _moment(at: pd.Timestamp, zone: str) -> str:
    return _clock(int(at.as_unit("ns").value), zone)


def _symptom(enriched: Enriched, zone: str) -> str:
    found = enriched.symptoms
    if not found:
        why = "no measure of it left what is usual" if len(enriched.metrics) else "there are no metrics of it"
        return f"symptom: not measured, {why}"
    told = "; ".join(f"{shift_text(one)} {_when(one, zone)}" for one in found[:_SYMPTOMS])
    return f"symptom: {told}"


def _when(one: Shift, zone: str) -> str:
    until = f" until {_clock(one.end_ns, zone)}" if one.end_ns is not None else ", not over yet"
    return f"from {_clock(one.start_ns, zone)}{until}"


def _extent(enriched: Enriched, zone: str) -> str:
    incident = enriched.incident
    end = (
        f"over at {_clock(incident.end_ns, zone)} ({incident.end_because})" if incident.end_ns else incident.end_because
    )
    return f"began at {_clock(incident.start_ns, zone)} ({incident.start_because}); {end}"


def _neighbours(enriched: Enriched, zone: str) -> str:
    names = [name for name in enriched.services if name != enriched.service]
    if not names:
        return ""
    bad = [one for one in enriched.shifts if one.service in names and _is_bad(one)]
    first: dict[str, Shift] = {}
    for one in sorted(bad, key=lambda one: one.start_ns):
        first.setdefault(one.service, one)
    felt = enriched.metrics["metric"].isin(["error_rate", "latency_p99", "saturation"])
    told_of = set(enriched.metrics["service"][felt]) if len(enriched.metrics) else set()
    still = [name for name in names if name not in first and name in told_of]
    unknown = [name for name in names if name not in told_of]
    told = ", ".join(f"{name} ({one.title} from {_clock(one.start_ns, zone)})" for name, one in first.items())
    parts = (
        f"affected too: {told}" if told else "no neighbour is known to be affected",
        f"as usual: {', '.join(still)}" if still else "",
        f"not known of {', '.join(unknown)}" if unknown else "",
    )
    return "; ".join(part for part in parts if part)


def _is_bad(one: Shift) -> bool:
    return one.rises and (one.measure in {"error_rate", "saturation"} or one.measure.startswith("latency"))


def _traffic(enriched: Enriched, zone: str) -> str:
    own = [one for one in enriched.shifts if one.service == enriched.service and one.measure == "throughput"]
    full = [one for one in enriched.shifts if one.service == enriched.service and one.measure == "saturation"]
    told = [f"{shift_text(one)} {_when(one, zone)}" for one in [*own[:1], *full[:2]]]
    return f"beside that: {'; '.join(told)}" if told else ""


def _changes(enriched: Enriched) -> str:
    events = enriched.events
    start = pd.Timestamp(enriched.incident.start_ns, unit="ns", tz="UTC")
    before = events[events["kind"].isin(CHANGES) & (events["timestamp"] <= start)]
    if before.empty:
        return "no change before it is recorded"
    own = before[before["service"] == enriched.service]
    near = before[before["service"].isin([name for name in enriched.services if name != enriched.service])]
    told = [
        f"{since(int(at.as_unit('ns').value), enriched.incident.start_ns)} {short(str(title), _SAID)}"
        for at, title in zip(own["timestamp"].iloc[::-1], own["title"].iloc[::-1], strict=True)
    ]
    more = f", {len(near)} of its neighbours" if len(near) else ""
    head = f"{count_text(len(before), 'change')} before it, {len(own)} of the service itself{more}"
    return f"{head}: {'; '.join(told[:_NAMED])}" if told else head


def _errors(enriched: Enriched, zone: str) -> str:
    first = enriched.first_errors
    if first.empty:
        return "no error lines"
    columns = (first[name].tolist() for name in ("service", "template", "count", "first_seen"))
    told = [
        f"{service} from {_moment(at, zone)}: {short(pattern_text(template), _SAID)} ({count:,})"
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


def _alerts(enriched: Enriched, zone: str) -> str:
    near = set(enriched.services)
    events = enriched.alerts
    own = events[events["service"].isin(list(near)) | events["service"].isna()]
    if own.empty:
        return "no alert concerns it"
    told = [
        f"{_moment(at, zone)} {short(str(title), _SAID)}"
        for at, title in zip(own["timestamp"], own["title"], strict=True)
    ]
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"{count_text(len(own), 'alert')}: {'; '.join(told[:_NAMED])}{more}"
