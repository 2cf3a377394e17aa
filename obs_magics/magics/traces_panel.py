"""The panel of a question about traces: the slowest as a waterfall, why they were slow, and what to look at next."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING

import pandas as pd

from obs_magics.analysis.spans import (
    advise_traces,
    bottlenecks,
    call_graph,
    critical_path,
    services,
    span_tree,
    summarize_traces,
    trace_table,
)
from obs_magics.display.panel import Panel, Section
from obs_magics.display.trace_words import trace_sentences
from obs_magics.display.traces.scatter import latency_scatter
from obs_magics.display.traces.service_map import service_map
from obs_magics.display.traces.time_spent import where_time_goes
from obs_magics.display.traces.trace_list import trace_list
from obs_magics.display.traces.waterfall import waterfall
from obs_magics.display.units import count_text
from obs_magics.magics.extras import NOTHING, Extras
from obs_magics.magics.panel import empty_panel, notes_about, previous_cell
from obs_magics.model import provenance
from obs_magics.model.series import clip
from obs_magics.model.sources import Progress, ProgressListener
from obs_magics.model.zones import zone_name

if TYPE_CHECKING:
    from obs_magics.analysis.spans import SpanTree
    from obs_magics.model.provenance import Provenance
    from obs_magics.model.trace_summary import TraceSummary

_TITLE_LENGTH = 80
_PARTS = 3


def traces_panel(
    frame: pd.DataFrame,
    question: str,
    *,
    name: str,
    options: str,
    zone: tzinfo,
    slow_alone: bool,
    progress: ProgressListener,
    extras: Extras = NOTHING,
) -> Panel:
    """What is shown under a cell that asked for traces.

    Args:
        frame: As the session returned it.
        question: As typed, variables and all: it goes into the next cells.
        name: The variable that holds the frame; empty when there is none.
        options: The conditions as typed, those that a next cell keeps: ``--service checkout-api``.
        zone: In which times are shown.
        slow_alone: Whether only slow traces were asked for: when they began to come then tells when it began.
        progress: Is told how far it is.
        extras: Events to be marked on the chart.
    """
    origin = provenance.of(frame)
    if origin is None:
        raise ValueError("only a frame that a session returned says where it comes from")
    title = clip(" ".join((question or origin.native_query).split()), _TITLE_LENGTH) or "traces"
    if frame.empty:
        return empty_panel(origin, name or title, f"%obs catalog --source {origin.source.partition(',')[0]}")
    zone_text = zone_name(zone)

    def tell(done: int, note: str) -> None:
        progress(Progress(done, _PARTS, len(frame), note))

    tell(0, "finding critical paths")
    tree = span_tree(frame)
    start = pd.Timestamp(origin.start) if slow_alone and not origin.truncated else None
    summary = summarize_traces(frame, start=start, tree=tree)
    tell(1, "looking at what is slow")
    traces = trace_table(frame, tree=tree)
    several = len(traces) > 1
    sections = [_slowest(frame, summary, zone_text)]
    if several:
        sections += _of_all(frame, traces, tree, start, zone_text)
    tell(2, "drawing")
    return Panel(
        headline=f"{name or title}: {_how_many(summary)} from {origin.source} ({origin.platform})",
        chart=latency_scatter(traces, zone=zone_text, title=title, events=extras.events) if several else None,
        sentences=[*trace_sentences(summary, zone=zone_text), *_advice(frame, summary)],
        notes=[*notes_about(origin), *extras.notes],
        link=origin.link,
        next_cells=_next_cells(origin, question, name, options, summary),
        sections=sections,
    )


def _how_many(summary: TraceSummary) -> str:
    return f"{count_text(summary.traces, 'trace')}, {count_text(summary.spans, 'span')}"


def _slowest(frame: pd.DataFrame, summary: TraceSummary, zone: str) -> Section:
    chosen = frame[frame["trace_id"] == summary.slowest].reset_index(drop=True)
    return waterfall(chosen, critical=critical_path(chosen), zone=zone)


def _of_all(
    frame: pd.DataFrame, traces: pd.DataFrame, tree: SpanTree, start: pd.Timestamp | None, zone: str
) -> list[Section]:
    """Where the time of all of them goes, who calls whom, and the list of traces."""
    steps = bottlenecks(frame, by="operation", start=start, tree=tree)
    return [
        where_time_goes(steps, zone=zone),
        service_map(call_graph(frame, tree=tree), services(frame, tree=tree)),
        trace_list(traces, zone=zone),
    ]


def _advice(frame: pd.DataFrame, summary: TraceSummary) -> list[str]:
    return [f"look at this next: {one.text}" for one in advise_traces(frame, summary=summary)]


def _next_cells(origin: Provenance, question: str, name: str, options: str, summary: TraceSummary) -> list[str]:
    """The slowest trace alone, the stretch before, and where the time goes by query."""
    cells = [f"%obs_traces --source {origin.source} --trace-id {summary.slowest}"] if summary.traces > 1 else []
    cells += previous_cell(origin, question, name, options, "obs_traces")
    if summary.traces > 1 and name:
        cells.append(f"%obs_compare {name}")
    return [*cells, f'{name}.obs.bottlenecks(by="query")'] if name else cells
