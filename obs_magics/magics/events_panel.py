"""The panel of a question about events: a strip over time, what they say together, the table, and what to ask next."""

from __future__ import annotations

import shlex
from datetime import tzinfo
from typing import TYPE_CHECKING

import pandas as pd

from obs_magics.analysis.events import summarize_events
from obs_magics.display.event_words import event_sentences, kinds_text
from obs_magics.display.events.picture import event_strip
from obs_magics.display.events.table import event_table
from obs_magics.display.panel import Panel
from obs_magics.display.units import count_text
from obs_magics.magics.panel import empty_panel, notes_about, previous_cell
from obs_magics.model import provenance
from obs_magics.model.series import clip
from obs_magics.model.time import MINUTE
from obs_magics.model.zones import zone_name

if TYPE_CHECKING:
    from obs_magics.model.event_summary import EventSummary
    from obs_magics.model.provenance import Provenance

_TITLE_LENGTH = 80
_AROUND_NS = 30 * MINUTE


def events_panel(frame: pd.DataFrame, question: str, *, name: str, options: str, zone: tzinfo, logs: str = "") -> Panel:
    """What is shown under a cell that asked for events.

    Args:
        frame: As the session returned it.
        question: As typed, variables and all: it goes into the next cells.
        name: The variable that holds the frame; empty when there is none.
        options: The conditions as typed, those that a next cell keeps: ``--service checkout-api``.
        zone: In which times are shown.
        logs: A source that has logs; empty when there is none.
    """
    origin = provenance.of(frame)
    if origin is None:
        raise ValueError("only a frame that a session returned says where it comes from")
    title = clip(" ".join(question.split()), _TITLE_LENGTH) or "events"
    if frame.empty:
        return empty_panel(origin, name or title, f"%obs_events --source {origin.source} --last 24h")
    summary = summarize_events(frame)
    zone_text = zone_name(zone)
    start_ns, end_ns = provenance.span_of(origin)
    previous = previous_cell(origin, question, name, options, "obs_events")
    after = [f"{name}.obs.summary()"] if name else []
    told = f"{origin.source} ({origin.platform})".replace(",", ", ")
    return Panel(
        headline=f"{name or title}: {count_text(summary.rows, 'event')} from {told}",
        chart=event_strip(
            frame, span_ns=(start_ns, end_ns), zone=zone_text, title=title, about=kinds_text(summary.kinds)
        ),
        sentences=event_sentences(
            summary,
            end_ns=end_ns,
            zone=zone_text,
            whole=_saw_changes(summary, question, options, start_ns),
            chosen=bool(question.strip() or options),
        ),
        notes=notes_about(origin),
        link=origin.link,
        next_cells=[*_next_cells(origin, previous, options, summary, logs), *after],
        sections=[event_table(frame, zone=zone_text)],
    )


def _saw_changes(summary: EventSummary, question: str, options: str, start_ns: int) -> bool:
    """Whether changes before the trouble would be among the events: all were asked for, from long enough before."""
    before = summary.before
    return before is not None and not (question.strip() or options) and start_ns <= before.begin_ns


def _next_cells(origin: Provenance, cells: list[str], options: str, summary: EventSummary, logs: str) -> list[str]:
    """The cells given, what happened around the first severe trouble, and what was logged then."""
    if summary.before is not None:
        trouble = summary.before.trouble
        start, end = (_iso(trouble.start_ns + shift) for shift in (-_AROUND_NS, _AROUND_NS))
        span = f"--start {start} --end {end}"
        where = f" --service {shlex.quote(trouble.service)}" if trouble.service else ""
        if not where or where.strip() not in options:
            cells = [*cells, f"%obs_events --source {origin.source} {span}{where}"]
        if logs:
            cells = [*cells, f"%obs_logs --source {logs} {span} --level error"]
    return cells


def _iso(ns: int) -> str:
    return pd.Timestamp(ns, tz="UTC").floor("min").strftime("%Y-%m-%dT%H:%M:%SZ")
