"""The charts of a postmortem: the measures of its service over one time, and once what their marks mean."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from obs_magics.display.chart import Chart
from obs_magics.display.document import Block, Figure
from obs_magics.display.marks import LETTERS, MAX_MARKS, event_marks, event_word
from obs_magics.display.metrics import Shape, metrics_chart
from obs_magics.display.panel import Note
from obs_magics.display.table import Table
from obs_magics.display.times import clock, several_days
from obs_magics.display.units import count_text
from obs_magics.display.visible import short, upper_first
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.measured import measure_title
from obs_magics.incident.panel import units_of
from obs_magics.model.events import CHANGES, Event, events_frame, events_of

Marked = tuple[int, str]
"""An event, by when it was and its title."""
_MEASURES = ("error_rate", "latency_p99", "throughput", "saturation")
_TITLE, _SERVICE = 200, 60
_SHAPE = Shape(width=680, height=120, margin=86)  # four of them, one below the other, fit on a page of paper


def charts_of(enriched: Enriched, zone: str, *, also: Collection[Marked] = ()) -> list[Block]:
    """A chart for each measure that is known of the service, and above them what their letters stand for.

    Those by which the incident was noticed come first.

    Args:
        enriched: What was gathered.
        zone: IANA name of the zone in which times are written.
        also: When and title of events of other services that are marked as well: causes, and what ended it.
    """
    felt = {one.measure for one in enriched.symptoms}
    ordered = sorted(_MEASURES, key=lambda measure: measure not in felt)
    frames = {measure: frame for measure in ordered if len(frame := _points(enriched, measure))}
    if not frames:
        return []
    start = max(int(frame["timestamp"].min().as_unit("ns").value) for frame in frames.values())
    end = min(int(frame["timestamp"].max().as_unit("ns").value) for frame in frames.values())
    marked, more = _marked(enriched, start, end, also)
    figures = [_figure(enriched, measure, frame, marked, zone) for measure, frame in frames.items()]
    return [*_letters(marked, more, zone), *(figure for figure in figures if figure is not None)]


def _points(enriched: Enriched, measure: str) -> pd.DataFrame:
    """The numbers of one measure of the service."""
    frame: pd.DataFrame = enriched.metrics
    if frame.empty:  # without rows there may be no columns either
        return frame
    own: pd.Series[bool] = (frame["metric"] == measure) & (frame["service"] == enriched.service)
    finite = np.isfinite(frame["value"].to_numpy(dtype=np.float64))
    chosen: pd.DataFrame = frame[own & finite]
    return chosen.reset_index(drop=True)


def _marked(enriched: Enriched, start_ns: int, end_ns: int, also: Collection[Marked]) -> tuple[list[Event], int]:
    """The events that every chart marks, in the order of their letters, and how many there are besides.

    They are changes of the service, what concerns no service in particular, and what is asked for. They lie where all
    charts have points, so that one letter means one event in all of them.
    """
    inside = [
        event
        for event in events_of(enriched.events)
        if (
            (event.kind in CHANGES if event.service == enriched.service else not event.service) or _named(event) in also
        )
        and start_ns <= event.start_ns <= end_ns
    ]
    named = dict(zip(event_marks(events_frame(inside)), events_of(events_frame(inside)), strict=True))
    onset = enriched.incident.start_ns
    near = sorted(named, key=lambda mark: (_named(named[mark]) not in also, abs(mark.at_ns - onset), mark.label))
    near = near[:MAX_MARKS]
    ordered = sorted(near, key=lambda mark: (mark.at_ns, mark.label, mark.kind))
    return [named[mark] for mark in ordered], len(named) - len(ordered)


def _named(event: Event) -> Marked:
    return event.start_ns, event.title


def _letters(marked: Sequence[Event], more: int, zone: str) -> list[Block]:
    """What the letters of the charts stand for; nothing where nothing is marked."""
    if not marked:
        return []
    day = several_days(marked[0].start_ns, marked[-1].start_ns, zone)
    rows = [
        (letter, clock(one.start_ns, zone, day=day), event_word(one.kind), short(one.service, _SERVICE),
         short(one.title, _TITLE))
        for letter, one in zip(LETTERS, marked, strict=False)
    ]  # fmt: skip
    left_out = [Note(f"{count_text(more, 'more event')} not marked; the timeline has them", "note")] if more else []
    return [Table(["mark", "time", "what", "service", "event"], rows, caption="What the charts mark"), *left_out]


def _figure(enriched: Enriched, measure: str, frame: pd.DataFrame, marked: Sequence[Event], zone: str) -> Figure | None:
    title = f"{measure_title(measure)} of {enriched.service}"
    unit = units_of(enriched).get((measure, enriched.service), "")
    told = frame.dropna(axis="columns", how="all")
    chart = metrics_chart(
        told, unit=unit, title=upper_first(title), zone=zone, events=events_frame(marked), shape=_SHAPE
    )
    return None if chart is None else Figure(_plain(chart), alt=title)


def _plain(chart: Chart) -> Chart:
    """The chart without what stands above all of them: the selector of its series, and what the letters mean."""
    head = {"text": chart.still["title"]["text"], **({"subtitle": list(chart.notes)} if chart.notes else {})}
    return replace(chart, still={**chart.still, "title": head})
