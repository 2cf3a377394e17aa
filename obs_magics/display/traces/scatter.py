"""The latency of traces over time: a point a trace, those with errors marked by shape and colour."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd

from obs_magics.display import bundle
from obs_magics.display.chart import Chart
from obs_magics.display.clock import time_axis, zone_text
from obs_magics.display.marks import event_marks, pin_layers
from obs_magics.display.traces.points import Point, Points, points_of
from obs_magics.display.traces.scatter_text import scatter_text
from obs_magics.display.traces.style import ERROR_COLOUR, TIME_COLOUR

WIDTH, HEIGHT = 640, 200
_SUBTITLE_LENGTH, _MAX_SUBTITLE_LINES = 110, 6
_STATES = ("ok", "error")
_TOLD = ("trace_id", "spans", "errors")
_FEW_DECADES = 3.0
_ROOM = 1.15  # times the longest and the shortest, on an axis of powers

_Spec = dict[str, Any]

# Seconds in the unit of a clock that suits them: from how many on, times what, and what follows.
_CLOCK = ((3600.0, 1 / 3600, " h"), (60.0, 1 / 60, " min"), (1.0, 1.0, " s"), (1e-3, 1e3, " ms"))


def latency_scatter(
    traces: pd.DataFrame,
    *,
    zone: str = "UTC",
    title: str = "",
    notes: Sequence[str] = (),
    events: pd.DataFrame | None = None,
) -> Chart | None:
    """Draw the traces of a table over time by their duration; None when there are none.

    Args:
        traces: As the analysis of spans makes it: `trace_id`, `service`, `operation`, `start`, `duration`, `spans`,
            `errors`, one row a trace. Of more than 2,000 the slowest, some that failed, and every so many of the
            others are drawn.
        zone: IANA name of the zone in which times are written; the axis names it.
        title: The question, or the query.
        notes: Sentences without a full stop that the reader must see with the picture.
        events: An events frame: deployments, alerts and the like are marked with a rule and a letter.
    """
    points = points_of(traces, zone=zone, title=title, notes=notes, marks=event_marks(events))
    if points is None:
        return None
    return Chart(
        spec=bundle.finished(_spec(points, interactive=True)),
        still=_spec(points, interactive=False),
        text=lambda width: scatter_text(points, width),
        notes=points.notes,
    )


def _spec(points: Points, *, interactive: bool) -> _Spec:
    subtitle = [
        line for note in points.told() for line in textwrap.wrap(note, _SUBTITLE_LENGTH, break_on_hyphens=False)
    ]
    axis = time_axis(points.start_ms, points.end_ms, points.zone)
    encoding: _Spec = {
        "x": _time(points),
        "y": _duration(points),
        "color": _state([TIME_COLOUR, ERROR_COLOUR], points),
        "shape": _state(["circle", "triangle-up"], points),
        "opacity": {"condition": {"test": "datum.state == 'error'", "value": 0.95}, "value": 0.5},
    }
    if interactive:
        encoding["tooltip"] = [
            {"field": "trace_id", "type": "nominal", "title": "trace"},
            {"field": "root", "type": "nominal", "title": "root"},
            {"field": "said", "type": "nominal", "title": "duration"},
            {"field": "when", "type": "nominal", "title": f"time, {_zone(points)}"},
            {"field": "spans", "type": "quantitative", "title": "spans"},
            {"field": "errors", "type": "quantitative", "title": "errors"},
        ]
    whole: _Spec = {
        "title": {"text": points.title, "subtitle": subtitle[:_MAX_SUBTITLE_LINES]},
        "description": f"{points.title}: {points.about()}",
        "width": WIDTH,
        "height": HEIGHT,
    }
    dots: _Spec = {
        "data": {"values": _rows(points, whole=interactive)},
        "transform": [
            {"flatten": ["t", "d", *(_TOLD if interactive else ())]},
            {"calculate": f"datum.t + {axis.shift_ms}", "as": "x"},
            {"calculate": f"utcFormat({axis.local('datum.x')}, '%a %d %b %Y %H:%M:%S.%L')", "as": "when"},
            {"calculate": _clock("datum.d"), "as": "said"},
        ],
        "mark": {"type": "point", "filled": True, "size": 34, "aria": False},
        "encoding": encoding,
        **({"params": [_ZOOM, _PICK]} if interactive else {}),
    }
    if not points.pins:
        return {**whole, **dots}
    span = points.end_ms - points.start_ms
    return {**whole, "layer": [dots, *pin_layers(points.pins, span, shift_ms=axis.shift_ms, interactive=interactive)]}


_ZOOM: _Spec = {"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}
_PICK: _Spec = {"name": "picked", "select": {"type": "point", "fields": ["state"]}, "bind": "legend"}


def _rows(points: Points, *, whole: bool) -> list[_Spec]:
    """The points by root and state, column by column, which is half as long; errors last, so that they lie on top."""
    groups: dict[tuple[bool, str], list[Point]] = {}
    for one in points.points:
        groups.setdefault((one.errors > 0, one.root if whole else ""), []).append(one)
    rows = []
    for (failed, root), those in sorted(groups.items()):
        row: _Spec = {
            "state": _STATES[failed],
            "t": [one.start_ms for one in those],
            "d": [float(f"{one.seconds:.6g}") for one in those],
        }
        told = {"root": root, **{name: [getattr(one, name) for one in those] for name in _TOLD}}
        rows.append({**row, **told} if whole else row)
    return rows


def _time(points: Points) -> _Spec:
    axis = time_axis(points.start_ms, points.end_ms, points.zone)
    return {
        "field": "x",
        "type": "temporal",
        "scale": {"type": "utc", "domain": [points.start_ms + axis.shift_ms, points.end_ms + axis.shift_ms]},
        "axis": {
            "title": axis.title,
            "labelExpr": axis.label(),
            "grid": False,
            "tickCount": 8,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
            "titlePadding": 8,
        },
    }


def _duration(points: Points) -> _Spec:
    scale: _Spec = {"domain": [0, points.longest * 1.04 or 1.0], "nice": False}
    if points.logarithmic:
        scale = {"type": "log", "domain": [points.shortest / _ROOM, points.longest * _ROOM], "nice": False}
    return {
        "field": "d",
        "type": "quantitative",
        "scale": scale,
        "axis": {
            "title": "duration (log)" if points.logarithmic else "duration",
            "labelExpr": _clock("datum.value"),
            **({"values": _powers(points)} if points.logarithmic else {"tickCount": 5}),
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
        },
    }


def _clock(value: str) -> str:
    """A Vega expression for a number of seconds as a person says it."""
    steps = [
        f"{value} >= {least!r} ? format({value} * {times!r}, '.3~g') + '{unit}' : " for least, times, unit in _CLOCK
    ]
    return f"{''.join(steps)}{value} > 0 ? format({value} * 1e6, '.3~g') + ' µs' : '0'"


def _powers(points: Points) -> list[float]:
    """Powers of ten within the axis, and three times them where that would be few."""
    low, high = math.log10(points.shortest / _ROOM), math.log10(points.longest * _ROOM)
    steps = (0.0, math.log10(3)) if high - low < _FEW_DECADES else (0.0,)
    places = (power + step for power in range(math.floor(low), math.ceil(high)) for step in steps)
    return [float(f"{10**place:.3g}") for place in places if low <= place <= high]


def _state(values: list[str], points: Points) -> _Spec:
    legend = {"title": None, "orient": "top", "direction": "horizontal", "offset": 4} if points.failed else None
    return {"field": "state", "type": "nominal", "scale": {"domain": list(_STATES), "range": values}, "legend": legend}


def _zone(points: Points) -> str:
    return zone_text(points.start_ms, points.end_ms, points.zone)
