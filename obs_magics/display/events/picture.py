"""The picture of events: a lane for each service, a mark of its own shape for each kind, bars for what lasted."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs_magics.display import bundle
from obs_magics.display.chart import Chart
from obs_magics.display.clock import TimeAxis, time_axis
from obs_magics.display.events.strip import WIDTH, Strip, strip_of
from obs_magics.display.events.strip_text import strip_text
from obs_magics.display.marks import event_word
from obs_magics.display.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd

LINE = 20  # pixels between two lines
_SUBTITLE = 110
_GREY = "#808080"
# A speech bubble, as Vega draws paths: in a square from -1 to 1.
_BUBBLE = "M-1,-0.9L1,-0.9L1,0.4L0,0.4L-0.5,1L-0.5,0.4L-1,0.4Z"
# Shape and colour of each kind: neither alone tells it, and the legend names both.
LOOKS: Mapping[str, tuple[str, str]] = {
    "deployment": ("triangle-up", PALETTE[0]),
    "config_change": ("diamond", PALETTE[4]),
    "feature_flag": ("square", PALETTE[2]),
    "incident": ("cross", PALETTE[3]),
    "alert": ("circle", PALETTE[1]),
    "restart": ("triangle-down", PALETTE[3]),
    "scale": ("triangle-right", PALETTE[2]),
    "annotation": (_BUBBLE, _GREY),
}

_Spec = dict[str, Any]


def event_strip(
    frame: pd.DataFrame,
    *,
    span_ns: tuple[int, int] | None = None,
    zone: str = "UTC",
    title: str = "Events",
    about: str = "",
) -> Chart | None:
    """Draw an events frame over time, a lane for each service; None when there are no events.

    Args:
        frame: An events frame (`model.events`).
        span_ns: From when to when, in nanoseconds since the epoch; None for as long as the events take.
        zone: IANA name of the zone in which times are written; the axis names it.
        title: The question, or what the frame is called.
        about: How many of what there are.
    """
    strip = strip_of(frame, span_ns=span_ns, zone=zone, title=title, about=about)
    if strip is None:
        return None
    return Chart(
        spec=bundle.finished(_spec(strip, interactive=True)),
        still=_spec(strip, interactive=False),
        text=lambda width: strip_text(strip, width),
        notes=strip.notes,
    )


def _spec(strip: Strip, *, interactive: bool) -> _Spec:
    axis = time_axis(strip.start_ms, strip.end_ms, strip.zone)
    under = [
        line for note in (strip.about, *strip.told("hollow marks")) if note for line in textwrap.wrap(note, _SUBTITLE)
    ]
    return {
        "title": {"text": strip.title, **({"subtitle": under} if under else {})},
        "description": f"{strip.title}: {strip.about}" if strip.about else strip.title,
        "width": WIDTH,
        "height": max(round(strip.lines * LINE), 2 * LINE),
        "layer": [*_ground(strip), *_bars(strip, axis), _marks(strip, axis, interactive=interactive)],
    }


def _ground(strip: Strip) -> list[_Spec]:
    """The lanes and their names."""
    lanes = [
        {"lane": lane.name, "y": round(lane.top, 3), "y2": round(lane.bottom, 3),
         "middle": round((lane.top + lane.bottom) / 2, 3)}
        for lane in strip.lanes
    ]  # fmt: skip
    name = {"type": "text", "align": "right", "baseline": "middle", "dx": -8, "fontSize": 11, "aria": False}
    return [
        {
            "data": {"values": lanes},
            "mark": {"type": "rect", "color": _GREY, "opacity": 0.1, "aria": False},
            "encoding": {"y": _y(strip), "y2": {"field": "y2"}, "x": {"value": 0}, "x2": {"value": WIDTH}},
        },
        {
            "data": {"values": lanes},
            "mark": name,
            "encoding": {
                "y": {**_y(strip), "field": "middle"},
                "x": {"value": 0},
                "text": {"field": "lane", "type": "nominal"},
            },
        },
    ]


def _bars(strip: Strip, axis: TimeAxis) -> list[_Spec]:
    """What lasted, from its mark to its end."""
    rows = [
        {"x": item.at_ms + axis.shift_ms, "x2": item.end_ms + axis.shift_ms, "y": round(item.line, 3),
         "colour": LOOKS[item.kind][1]}
        for item in strip.items if item.end_ms is not None
    ]  # fmt: skip
    if not rows:
        return []
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.45, "aria": False},
            "encoding": {
                "x": _x(strip, axis),
                "x2": {"field": "x2"},
                "y": _y(strip),
                "color": {"field": "colour", "type": "nominal", "scale": None},
            },
        }
    ]


def _marks(strip: Strip, axis: TimeAxis, *, interactive: bool) -> _Spec:
    rows = [
        {"x": item.at_ms + axis.shift_ms, "y": round(item.line, 3), "kind": event_word(item.kind),
         "colour": LOOKS[item.kind][1], "early": item.early, **({"told": item.told} if interactive else {})}
        for item in strip.items
    ]  # fmt: skip
    encoding: _Spec = {
        "x": _x(strip, axis),
        "y": _y(strip),
        "color": _looks(strip, 1),
        "shape": _looks(strip, 0),
        # hollow: it began before the picture does
        "stroke": {"field": "colour", "type": "nominal", "scale": None},
        "fillOpacity": {"condition": {"test": "datum.early", "value": 0}, "value": 1},
    }
    if interactive:
        encoding["tooltip"] = [{"field": "told", "type": "nominal", "title": "event"}]
    return {
        "data": {"values": rows},
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "strokeWidth": 1.5, "aria": False},
        "encoding": encoding,
        **({"params": [_ZOOM, _PICK]} if interactive else {}),
    }


_ZOOM: _Spec = {"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}
_PICK: _Spec = {"name": "picked", "select": {"type": "point", "fields": ["kind"]}, "bind": "legend"}


def _looks(strip: Strip, which: int) -> _Spec:
    """Shape (0) or colour (1) by kind."""
    kinds = strip.kinds
    return {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": [event_word(kind) for kind in kinds], "range": [LOOKS[kind][which] for kind in kinds]},
        "legend": {
            "title": None,
            "orient": "top",
            "direction": "horizontal",
            "offset": 4,
            "columns": 8,
            "symbolOpacity": 1,
        },
    }


def _x(strip: Strip, axis: TimeAxis) -> _Spec:
    return {
        "field": "x",
        "type": "temporal",
        "scale": {"type": "utc", "domain": [strip.start_ms + axis.shift_ms, strip.end_ms + axis.shift_ms]},
        "axis": {
            "title": axis.title,
            "labelExpr": axis.label(),
            "grid": True,
            "tickCount": 8,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
            "titlePadding": 8,
        },
    }


def _y(strip: Strip) -> _Spec:
    return {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [0, round(strip.lines, 3)], "reverse": True, "nice": False, "zero": False},
        "axis": None,
    }
