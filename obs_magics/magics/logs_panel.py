"""The panel of a question about logs: volume, what the lines say, patterns, the lines, and what to look at next."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from obs_magics.analysis.advice import advise
from obs_magics.analysis.log_summary import summarize_logs
from obs_magics.analysis.log_text import said_text
from obs_magics.analysis.log_volume import observed, volume_of
from obs_magics.analysis.patterns import pattern_table
from obs_magics.analysis.surges import surges as find_surges
from obs_magics.display.log_words import log_sentences
from obs_magics.display.logs.line_rows import Order
from obs_magics.display.logs.lines import log_list
from obs_magics.display.logs.patterns import pattern_table as pattern_section
from obs_magics.display.logs.volume import volume_chart
from obs_magics.display.marks import Mark
from obs_magics.display.panel import Panel, Section
from obs_magics.display.units import count_text
from obs_magics.magics.extras import NOTHING, Extras
from obs_magics.magics.panel import empty_panel, notes_about, previous_cell
from obs_magics.model import provenance
from obs_magics.model.errors import QueryError
from obs_magics.model.log_summary import LogSummary
from obs_magics.model.logs import LEVELS, Volume, levels_from
from obs_magics.model.provenance import span_of
from obs_magics.model.series import clip
from obs_magics.model.sources import Progress, ProgressListener
from obs_magics.model.time import TimeRange
from obs_magics.model.zones import zone_name
from obs_magics.syntax.logql import parse
from obs_magics.syntax.logql.tree import LineFilter
from obs_magics.syntax.logql.walk import selectors

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.display.chart import Chart
    from obs_magics.model.provenance import Provenance

_TITLE_LENGTH = 80
_FEW = 2  # patterns: a table of one says nothing that the list of lines does not
_STRETCHES = 24
_ENOUGH = 30  # lines: fewer tell nothing about what is usual
_MOST_MARKS = 4
_PARTS = 4
_EITHER_SIDE = timedelta(minutes=2)
_BAR = re.compile(r"(?<!\\)\|")


def logs_panel(
    frame: pd.DataFrame,
    question: str,
    *,
    name: str,
    zone: tzinfo,
    patterns: bool | None,
    trace_source: str,
    progress: ProgressListener,
    extras: Extras = NOTHING,
) -> Panel:
    """What is shown under a cell that asked for logs.

    Args:
        frame: As the session returned it.
        question: As typed, variables and all: it goes into the next cells.
        name: The variable that holds the frame; empty when there is none.
        zone: In which times are shown.
        patterns: Whether to show the table of patterns; None where there are enough of them.
        trace_source: The source to ask for the trace of a line; empty when there is none.
        progress: Is told how far it is.
        extras: Events to be marked on the chart.
    """
    origin = provenance.of(frame)
    if origin is None:
        raise ValueError("only a frame that a session returned says where it comes from")
    title = clip(" ".join(origin.native_query.split()), _TITLE_LENGTH)
    if frame.empty:
        return empty_panel(origin, name or title, "%obs_logs")
    zone_text = zone_name(zone)
    every = Volume.from_dict(origin.volume) if origin.volume else None

    def tell(done: int, note: str) -> None:
        progress(Progress(done, _PARTS, len(frame), note))

    tell(0, "finding patterns")
    table, assigned = pattern_table(frame)
    tell(1, "counting")
    summary = summarize_logs(frame, total=origin.total, volume=every, mined=(table["template"].tolist(), assigned))
    tell(2, "looking for what changed")
    enough = not origin.truncated and len(frame) >= _ENOUGH
    changed = (
        find_surges(frame, patterns=(table, assigned), span_ns=observed(span_of(origin), every)) if enough else None
    )
    tell(3, "drawing")
    sections = [log_list(frame, zone=zone_text, order=_order(summary), phrases=_phrases(origin), total=origin.total)]
    if patterns or (patterns is None and len(table) >= _FEW):
        sections.insert(0, _pattern_section(frame, table, assigned, changed, zone_text))
    return Panel(
        headline=f"{name or title}: {_how_many(origin)} from {origin.source} ({origin.platform})",
        chart=_chart(frame, origin, every, changed, title=title, zone=zone_text, events=extras.events),
        sentences=[*log_sentences(summary, zone=zone_text), *_advice(summary)],
        notes=[*notes_about(origin), *extras.notes],
        link=origin.link,
        next_cells=[*_next_cells(origin, question, name, summary), *_trace_cell(frame, trace_source)],
        sections=sections,
    )


def _how_many(origin: Provenance) -> str:
    if origin.total is None or origin.total <= origin.rows:
        return count_text(origin.rows, "line")
    return f"the newest {origin.rows:,} of {count_text(origin.total, 'line')}"


def _order(summary: LogSummary) -> Order:
    return "newest" if summary.subject == "lines" else "severest"


def _chart(
    frame: pd.DataFrame,
    origin: Provenance,
    every: Volume | None,
    changed: pd.DataFrame | None,
    *,
    title: str,
    zone: str,
    events: pd.DataFrame | None,
) -> Chart | None:
    """Lines over time of the levels that were asked for, as the source counted them, else as they were fetched."""
    marks = [] if changed is None else _marks(changed)
    if every is None:
        return volume_chart(volume_of(frame), title=title, zone=zone, marks=marks, events=events, counted_by="fetched")
    wanted = next((levels_from(one) for one in LEVELS if one == origin.level), None)
    counts = {one: counts for one, counts in every.counts.items() if wanted is None or one in wanted}
    volume = Volume(every.start_ns, every.step_ns, counts)
    return volume_chart(volume, title=title, zone=zone, marks=marks, events=events)


def _marks(changed: pd.DataFrame) -> list[Mark]:
    """When the gravest of what is new or surging began."""
    begun = changed[changed["kind"].isin(("new", "surge")) & (changed["level"] >= "error")]
    times = begun["start"].astype("int64")
    rows = zip(begun["service"], begun["template"], times, strict=True)
    return [Mark(int(at), f"{service}: {said_text(template)}") for service, template, at in list(rows)[:_MOST_MARKS]]


def _pattern_section(
    frame: pd.DataFrame, table: pd.DataFrame, assigned: np.ndarray, changed: pd.DataFrame | None, zone: str
) -> Section:
    times = frame["timestamp"].astype("int64").to_numpy()
    span = TimeRange(int(times[0]), int(times[-1]))
    stretch = np.minimum((times - span.start_ns) * _STRETCHES // max(1, span.duration_ns), _STRETCHES - 1)
    counts = np.bincount(assigned * _STRETCHES + stretch, minlength=len(table) * _STRETCHES)
    spark = dict(zip(table["id"], counts.reshape(-1, _STRETCHES).tolist(), strict=True))
    return pattern_section(table, spark, surges=changed, zone=zone, span_ns=(span.start_ns, span.end_ns))


def _phrases(origin: Provenance) -> list[str]:
    """The texts that the query looks for in the lines, to be marked there."""
    try:
        tree = parse(origin.native_query)
    except QueryError:
        return []  # LogsQL, or what only the platform understands
    filters = [stage for query in selectors(tree) for stage in query.stages if isinstance(stage, LineFilter)]
    wanted = [text.value for stage in filters if stage.op in {"|=", "|~"} for text in stage.texts if not text.is_ip]
    either = [one for text in wanted for one in _BAR.split(text.removeprefix("(?i)"))]
    return [one.replace("\\", "") for one in either if one]


def _advice(summary: LogSummary) -> list[str]:
    said: dict[str, int] = {}
    for service in summary.shown:
        for one in service.said:
            said[one.text] = said.get(one.text, 0) + one.count
    if summary.subject == "lines":
        return []
    return [f"look at this next ({count_text(one.lines, 'line')}): {one.text}" for one in advise(said)]


def _next_cells(origin: Provenance, question: str, name: str, summary: LogSummary) -> list[str]:
    """The stretch before; everything that the service in trouble said around its first error; what changed."""
    cells = previous_cell(origin, question, name, f"--level {origin.level}" if origin.level else "", "obs_logs")
    worst = summary.shown[0] if summary.shown else None
    if worst is not None and worst.service and summary.subject != "lines":
        first = datetime.fromisoformat(worst.first)
        start, end = first - _EITHER_SIDE, first + _EITHER_SIDE
        when = f"--start {start:%Y-%m-%dT%H:%M:%SZ} --end {end:%Y-%m-%dT%H:%M:%SZ}"
        cells.append(f"%obs_logs --source {origin.source} {when} {_of_service(worst.service, origin)}")
    if name:
        cells.append(f"{name}.obs.surges()")
    return cells


def _trace_cell(frame: pd.DataFrame, source: str) -> list[str]:
    """The trace of the newest line among the most severe ones that name one."""
    named = frame[frame["trace_id"].notna() & (frame["level"] >= "error")]
    return [f"%obs_traces --source {source} --trace-id {named['trace_id'].iloc[-1]}"] if source and len(named) else []


def _of_service(service: str, origin: Provenance) -> str:
    return f'"{service}"' if origin.platform == "victorialogs" else service
