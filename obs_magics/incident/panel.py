"""The panel of an incident and that of its timeline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from obs_magics.display.chart import Chart
from obs_magics.display.incident import Changed, Moved, changes_table, moved_table
from obs_magics.display.logs.patterns import pattern_table as patterns_section
from obs_magics.display.marks import event_word
from obs_magics.display.metrics import metrics_chart
from obs_magics.display.panel import Note, Panel, Section, notes_of
from obs_magics.display.timeline.picture import timeline_chart
from obs_magics.display.timeline.table import timeline_table
from obs_magics.display.timeline.times import response_sentences
from obs_magics.display.units import count_text
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.measured import measure_title
from obs_magics.incident.missing import missing
from obs_magics.incident.words import headline, incident_sentences
from obs_magics.model.events import CHANGES, events_frame, events_of
from obs_magics.model.incident import Response, Shift
from obs_magics.model.series import Series, split_series
from obs_magics.model.zones import to_datetime

_ORDER = (
    "error_rate",
    "latency_p99",
    "throughput",
    "saturation",
    "availability",
    "cpu_usage",
    "memory_usage",
    "restarts",
)


def incident_panel(enriched: Enriched, *, name: str, zone: str) -> Panel:
    """What is shown when an incident was declared.

    Args:
        enriched: What was gathered.
        name: The variable that holds it; empty when there is none.
        zone: IANA name of the zone in which times are written.
    """
    return Panel(
        headline=headline(enriched, zone=zone),
        chart=incident_chart(enriched, zone),
        sentences=incident_sentences(enriched, zone=zone),
        notes=[*notes_of(failed=missing(enriched.failed), warnings=enriched.warnings), *_notes(enriched)],
        sections=_sections(enriched, zone),
        next_cells=_next_cells(enriched, name),
    )


def _notes(enriched: Enriched) -> list[Note]:
    lacking = f"no source tells its {', '.join(map(measure_title, enriched.missing))}" if enriched.missing else ""
    return [Note(text, "note") for text in (*enriched.notes, lacking) if text]


def incident_chart(enriched: Enriched, zone: str) -> Chart | None:
    """The first symptom of the service over time, with what happened to it; else the first measure there is."""
    frame, own = enriched.metrics, enriched.symptoms
    if frame.empty:
        return None
    measures = (
        [own[0].measure] if own else [name for name in _ORDER if ((frame["metric"] == name) & _own(enriched)).any()]
    )
    return measure_chart(enriched, measures[0], zone) if measures else None


def measure_chart(enriched: Enriched, measure: str, zone: str) -> Chart | None:
    """One measure of the service over time, with what happened to it; None where no source tells it."""
    frame = enriched.metrics
    chosen = frame[(frame["metric"] == measure) & _own(enriched)].reset_index(drop=True)
    if not chosen["value"].notna().any():
        return None
    chosen = chosen.dropna(axis="columns", how="all")
    near = [
        event
        for event in events_of(enriched.events)
        if (event.service == enriched.service and event.kind in CHANGES) or (not event.service)
    ]
    unit = units_of(enriched).get((measure, enriched.service), "")
    title = f"{measure_title(measure)} of {enriched.service}"
    return metrics_chart(chosen, unit=unit, title=title, zone=zone, events=events_frame(near))


def _own(enriched: Enriched) -> pd.Series[bool]:
    return enriched.metrics["service"] == enriched.service


def _sections(enriched: Enriched, zone: str) -> list[Section]:
    span = enriched.incident.windows["metrics"]
    onset_ns = enriched.incident.start_ns
    sections = []
    moved = moved_rows(enriched)
    if moved:
        sections.append(moved_table(moved, span_ns=(span.start_ns, span.end_ns), onset_ns=onset_ns, zone=zone))
    sections.append(changes_table(changed_rows(enriched), onset_ns=onset_ns, zone=zone))
    if len(enriched.patterns):
        logs = enriched.incident.windows["logs"]
        counts = enriched.pattern_counts
        sections.append(patterns_section(enriched.patterns, counts, zone=zone, span_ns=(logs.start_ns, logs.end_ns)))
    return sections


def moved_rows(enriched: Enriched) -> list[Moved]:
    """All measures of the service, and those of its neighbours that moved the way that is bad."""
    shifts = {(one.service, one.measure, one.title): one for one in enriched.shifts}
    units, start_ns = units_of(enriched), enriched.incident.start_ns
    rows: list[tuple[tuple[int, int, str], Moved]] = []
    places = {name: place for place, name in enumerate(enriched.services)}
    for series in split_series(enriched.metrics):
        service = series.labels.get("service", "")
        labels = {name: value for name, value in series.labels.items() if name != "service"}
        title = measure_title(series.metric, labels)
        shift = shifts.get((service, series.metric, title))
        bad = shift is not None and _bad(shift)
        if service != enriched.service and not bad:
            continue
        moved = Moved(
            service=service,
            title=title,
            unit=units.get((series.metric, service), ""),
            times_ns=series.timestamps_ns,
            values=series.values,
            usual=_usual(series, start_ns) if shift is None else shift.usual,
            value=None if shift is None else shift.value,
            start_ns=None if shift is None else shift.start_ns,
            end_ns=None if shift is None else shift.end_ns,
            bad=bad,
        )
        order = _ORDER.index(series.metric) if series.metric in _ORDER else len(_ORDER)
        rows.append(((places.get(service, len(places)), order, title), moved))
    return [row for _, row in sorted(rows, key=lambda row: row[0])]


def units_of(enriched: Enriched) -> dict[tuple[str, str], str]:
    """The unit of each measure of each service."""
    found: dict[tuple[str, str], str] = {}
    for one in enriched.questions:
        if one.signal == "metrics":
            measure, _, services = one.question.partition(" of ")
            found |= {(measure, service): one.unit for service in services.split(", ")}
    return found


def _usual(series: Series, start_ns: int) -> float | None:
    """The median before the onset of a measure that did not move."""
    before = series.values[(series.timestamps_ns < start_ns) & np.isfinite(series.values)]
    return float(np.median(before)) if len(before) else None


def _bad(one: Shift) -> bool:
    if one.measure == "availability":
        return not one.rises
    return one.rises and (one.measure in {"error_rate", "saturation", "restarts"} or one.measure.startswith("latency"))


def changed_rows(enriched: Enriched) -> list[Changed]:
    """Every change with its distance on the call graph."""
    directions = dict(zip(enriched.neighbours["service"], enriched.neighbours["direction"], strict=True))
    found = []
    for event in events_of(enriched.events):
        if event.kind not in CHANGES:
            continue
        distance = enriched.distances.get(event.service) if event.service else 1
        where = _where(event.service, distance, directions.get(event.service, ""))
        found.append(
            Changed(
                at_ns=event.start_ns,
                distance=distance,
                where=where,
                service=event.service,
                what=event_word(event.kind),
                title=event.title,
            )
        )
    return found


def _where(service: str, distance: int | None, direction: str) -> str:
    if not service:
        return "everywhere"
    if distance is None:
        return "not connected"
    known = {0: "the service itself", 1: "it calls" if direction == "callees" else "calls it"}
    return known.get(distance, f"{distance} calls away")


def _next_cells(enriched: Enriched, name: str) -> list[str]:
    span, service = enriched.incident.windows["logs"], enriched.service
    start, end = (f"{to_datetime(ns):%Y-%m-%dT%H:%M:%SZ}" for ns in (span.start_ns, span.end_ns))
    target = f" {name}" if name else ""
    cells = [f"%obs_rca{target}", f"%obs_timeline{target}"]
    if len(enriched.patterns):
        cells.append(f"%obs_logs errors << --start {start} --end {end} --level error {service}")
    if len(enriched.error_traces):
        cells.append(f"%obs_traces failing << --start {start} --end {end} --service {service} --status error")
    if len(enriched.slow_traces) and name:
        cells.append(f"{name}.slow_traces.obs.waterfall()")
    return cells


def timeline_panel(
    frame: pd.DataFrame,
    *,
    response: Response | None,
    service: str,
    zone: str,
    name: str,
    notes: Sequence[Note] = (),
    span_ns: tuple[int, int] | None = None,
) -> Panel:
    """What is shown of a timeline: the picture, the times with the rows they come from, and the table.

    Args:
        frame: A timeline frame.
        response: The moments of the incident; None where there is none.
        service: The incident's; empty where there is none.
        zone: IANA name of the zone in which times are written.
        name: The variable that holds the frame.
        notes: What to know.
        span_ns: What the picture shows; None for the incident with what surrounds it.
    """
    title = f"Timeline of {service}" if service else "Timeline"
    chart = timeline_chart(frame, response=response, service=service, span_ns=span_ns, zone=zone, title=title)
    sentences = [] if response is None else response_sentences(response, zone=zone)
    table = timeline_table(frame, response=response, zone=zone, title="All rows", in_text=chart is None)
    return Panel(
        headline=f"{name or title}: {count_text(len(frame), 'row')}",
        chart=chart,
        sentences=sentences if len(frame) else [*sentences, "nothing is known yet: add what you saw"],
        notes=notes,
        sections=[table] if len(frame) else [],
        next_cells=['%obs_timeline add 14:31 "rolled back"'] if frame.empty else [],
    )
