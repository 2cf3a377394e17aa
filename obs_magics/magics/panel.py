"""The panel of a metrics question: chart, what the numbers say, what is missing, and what to ask next."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from obs_magics.analysis.summary import summarize
from obs_magics.display.metrics import metrics_chart
from obs_magics.display.panel import Note, Panel, notes_of
from obs_magics.display.units import count_text
from obs_magics.display.words import sentences
from obs_magics.magics.extras import NOTHING, Extras, judged
from obs_magics.model import provenance
from obs_magics.model.series import clip
from obs_magics.model.zones import zone_name
from obs_magics.syntax.promql import metric_names

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.model.provenance import Provenance

_TITLE_LENGTH = 80
_REPEATED_LENGTH = 2000  # a query longer than this is not written out again


def metrics_panel(
    frame: pd.DataFrame,
    question: str,
    *,
    name: str,
    options: str,
    zone: tzinfo,
    magic: str = "obs_metrics",
    extras: Extras = NOTHING,
) -> Panel:
    """What is shown under a cell that asked for metrics.

    Args:
        frame: As the session returned it.
        question: As typed, variables and all: it goes into the next cells.
        name: The variable that holds the frame; empty when there is none.
        options: As typed, those that a next cell keeps: ``--step 30s``.
        zone: In which times are shown.
        magic: The one that asked.
        extras: Events, and what is unusual, where that was asked for.
    """
    origin = provenance.of(frame)
    if origin is None:
        raise ValueError("only a frame that a session returned says where it comes from")
    title = clip(" ".join(origin.native_query.split()), _TITLE_LENGTH)
    if frame.empty:
        return empty_panel(origin, name or title, f"%obs catalog --source {origin.source}")
    summary = summarize(frame, unit=origin.unit)
    summary = judged(summary, extras)
    return Panel(
        headline=f"{name or title}: {count_text(summary.series, 'series', 'series')}, {count_text(summary.rows, 'row')}"
        f" from {origin.source} ({origin.platform})",
        chart=metrics_chart(
            frame,
            unit=origin.unit,
            title=title,
            zone=zone_name(zone),
            events=extras.events,
            anomalies=extras.anomalies,
            expected=extras.expected,
        ),
        sentences=[*sentences(summary, zone=zone_name(zone)), *extras.sentences],
        notes=[*notes_about(origin), *extras.notes],
        sections=extras.sections,
        link=origin.link,
        next_cells=_next_cells(origin, question, name, options, magic),
    )


def empty_panel(origin: Provenance, what: str, next_cell: str) -> Panel:
    """What is shown when there is nothing: why, as far as the source can tell."""
    span = f"from {_clock(origin.start)} to {_clock(origin.end)} UTC"
    why = origin.empty_reason or f"the source has nothing for this query {span}"
    return Panel(
        headline=f"{what}: nothing from {origin.source} ({origin.platform})",
        sentences=[f"Empty: {why}"],
        notes=notes_about(origin),
        link=origin.link,
        next_cells=[next_cell],
    )


def notes_about(origin: Provenance) -> list[Note]:
    """All that a reader has to know of an answer, the gravest first."""
    told = notes_of(warnings=origin.warnings, truncated=origin.truncated, failed=origin.failed)
    return [*told, *(Note(note, "note") for note in origin.notes)]


def _next_cells(origin: Provenance, question: str, name: str, options: str, magic: str) -> list[str]:
    """The stretch of the same length before, and what else there is to know about the metric."""
    if not origin.step:
        options = f"{options} --instant".strip()
    metrics = metric_names(origin.native_query)[:1] if magic == "obs_metrics" else []
    look = [f"%obs catalog {metric} --source {origin.source}" for metric in metrics]
    return [*previous_cell(origin, question, name, options, magic), *look]


def previous_cell(origin: Provenance, question: str, name: str, options: str, magic: str) -> list[str]:
    """The same question about the stretch of the same length before; none where the question is too long to repeat."""
    if len(question) > _REPEATED_LENGTH:
        return []
    start, end = datetime.fromisoformat(origin.start), datetime.fromisoformat(origin.end)
    when = f"--start {_iso(start - (end - start))} --end {_iso(start)}"
    line = " ".join(part for part in (f"--source {origin.source}", when, options) if part)
    target = f"{name}_before << " if name else ""
    return [f"%%{magic} {target}{line}\n{question}" if question else f"%{magic} {target}{line}"]


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def _clock(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S}"
