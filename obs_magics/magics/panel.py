"""The panel of a metrics question: chart, what the numbers say, what is missing, and what to ask next."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from obs_magics.analysis.summary import summarize
from obs_magics.display.metrics import metrics_chart
from obs_magics.display.panel import Note, Panel, notes_of
from obs_magics.display.units import count_text
from obs_magics.display.words import sentences
from obs_magics.model import provenance
from obs_magics.model.series import clip
from obs_magics.syntax.promql import metric_names

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.model.provenance import Provenance

_TITLE_LENGTH = 80
_REPEATED_LENGTH = 2000  # a query longer than this is not written out again


def metrics_panel(frame: pd.DataFrame, question: str, *, name: str, options: str, zone: tzinfo) -> Panel:
    """What is shown under a cell that asked for metrics.

    Args:
        frame: As the session returned it.
        question: As typed, variables and all: it goes into the next cells.
        name: The variable that holds the frame; empty when there is none.
        options: As typed, those that a next cell keeps: ``--step 30s``.
        zone: In which times are shown.
    """
    origin = provenance.of(frame)
    if origin is None:
        raise ValueError("only a frame that a session returned says where it comes from")
    title = clip(" ".join(origin.native_query.split()), _TITLE_LENGTH)
    if frame.empty:
        return _empty(origin, name or title)
    summary = summarize(frame, unit=origin.unit)
    return Panel(
        headline=f"{name or title}: {count_text(summary.series, 'series', 'series')}, {count_text(summary.rows, 'row')}"
        f" from {origin.source} ({origin.platform})",
        chart=metrics_chart(frame, unit=origin.unit, title=title, zone=_zone_name(zone)),
        sentences=sentences(summary, zone=_zone_name(zone)),
        notes=_notes(origin),
        link=origin.link,
        next_cells=_next_cells(origin, question, name, options),
    )


def _empty(origin: Provenance, what: str) -> Panel:
    span = f"from {_clock(origin.start)} to {_clock(origin.end)} UTC"
    why = origin.empty_reason or f"the source has nothing for this query {span}"
    return Panel(
        headline=f"{what}: nothing from {origin.source} ({origin.platform})",
        sentences=[f"Empty: {why}"],
        notes=_notes(origin),
        link=origin.link,
        next_cells=[f"%obs catalog --source {origin.source}"],
    )


def _notes(origin: Provenance) -> list[Note]:
    told = notes_of(warnings=origin.warnings, truncated=origin.truncated, failed=origin.failed)
    return [*told, *(Note(note, "note") for note in origin.notes)]


def _next_cells(origin: Provenance, question: str, name: str, options: str) -> list[str]:
    """The stretch of the same length before, and what else there is to know about the metric."""
    start, end = datetime.fromisoformat(origin.start), datetime.fromisoformat(origin.end)
    source = f"--source {origin.source}"
    when = f"--start {_iso(start - (end - start))} --end {_iso(start)}"
    line = " ".join(part for part in (source, when, options, "" if origin.step else "--instant") if part)
    before = f"%%obs_metrics {name}_before << {line}\n{question}" if name else f"%%obs_metrics {line}\n{question}"
    metrics = metric_names(origin.native_query)[:1]
    look = [f"%obs catalog {metric} {source}" for metric in metrics]
    return [before, *look] if len(question) <= _REPEATED_LENGTH else look


def _zone_name(zone: tzinfo) -> str:
    """The zone's IANA name; a machine that tells only its offset is shown UTC, which the chart says."""
    return zone.key if isinstance(zone, ZoneInfo) else "UTC"


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def _clock(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S}"
