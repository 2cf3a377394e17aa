"""The picture of a timeline: a lane per service, marks with their labels, bars for what lasted, on one time axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs_magics.display import bundle
from obs_magics.display.chart import Chart
from obs_magics.display.clock import MS, TimeAxis, clock_text, time_axis
from obs_magics.display.theme import PALETTE
from obs_magics.display.timeline.lanes import LINE, WIDTH, Layout, laid_out
from obs_magics.display.timeline.rows import WHAT_WORDS, Pictured, pictured
from obs_magics.display.timeline.text import timeline_text
from obs_magics.display.units import count_text
from obs_magics.display.visible import short
from obs_magics.model.incident import Response

if TYPE_CHECKING:
    import pandas as pd

_BLUE, _VERMILION, _GREEN, _VIOLET, _AMBER, _GREY = (
    PALETTE[0],
    PALETTE[1],
    PALETTE[2],
    PALETTE[3],
    PALETTE[4],
    "#808080",
)
# Shape and colour of each kind: neither alone tells it, and the legend names both.
_LOOKS: Mapping[str, tuple[str, str]] = {
    "change": ("diamond", _BLUE),
    "onset": ("circle", _VERMILION),
    "first_error": ("cross", _VERMILION),
    "alert": ("triangle-up", _AMBER),
    "incident": ("square", _VIOLET),
    "annotation": ("square", _GREY),
    "note": ("triangle-right", _VIOLET),
    "recovery": ("circle", _GREEN),
    "earlier": ("triangle-left", _GREY),
    "milestone": ("triangle-down", _GREY),
}
_WORDS = {**WHAT_WORDS, "earlier": "earlier", "milestone": "moment"}
_BAR = 7  # pixels below the middle of a line
# Names of lanes stand left of the picture; where the reader's machine has none of our fonts, they need more room.
_PADDING = {"left": 26, "top": 5, "right": 14, "bottom": 5}

_Spec = dict[str, Any]


def timeline_chart(
    frame: pd.DataFrame,
    *,
    response: Response | None = None,
    service: str = "",
    span_ns: tuple[int, int] | None = None,
    zone: str = "UTC",
    title: str = "Timeline",
) -> Chart | None:
    """Draw a timeline frame; None when it has no rows.

    Args:
        frame: As `incident.timeline.timeline` makes it.
        response: The moments of the incident; drawn as lines through all lanes.
        service: The incident's, whose lane comes first.
        span_ns: From when to when; None for the incident with what surrounds it. Changes before are at the left edge.
        zone: IANA name of the zone in which times are written; the axis shows UTC below where that is another.
        title: What stands above.
    """
    picture = pictured(frame, response=response, service=service, span_ns=span_ns, zone=zone, title=title)
    if picture is None:
        return None
    layout = laid_out(picture)
    return Chart(
        spec=bundle.finished(_spec(picture, layout, interactive=True)),
        still=_spec(picture, layout, interactive=False),
        text=lambda width: timeline_text(picture, width),
        notes=picture.notes,
    )


def _spec(picture: Pictured, layout: Layout, *, interactive: bool) -> _Spec:
    axis = time_axis(picture.start_ns // MS, picture.end_ns // MS, picture.zone)
    head: _Spec = {"text": picture.title}
    if picture.notes:
        head["subtitle"] = list(picture.notes)
    return {
        "title": head,
        "description": _spoken(picture),
        "width": WIDTH,
        "height": round(layout.lines * LINE),
        "padding": _PADDING,
        "layer": [
            *_ground(picture, layout, axis),
            _bars(layout, axis),
            _marks(picture, layout, axis, interactive=interactive),
            *_labels(layout, axis, interactive=interactive),
        ],
    }


def _spoken(picture: Pictured) -> str:
    start, end = (clock_text(ns // MS, picture.zone, day=True) for ns in (picture.start_ns, picture.end_ns))
    told = "; ".join(f"{one.word} {short(one.lane, 60)}: {one.said(60)}" for one in picture.items[:6])
    return f"{picture.title}: {count_text(len(picture.items), 'row')} from {start} to {end}: {told}"


def _x(picture: Pictured, axis: TimeAxis) -> _Spec:
    """The time axis; below each time that of UTC, where the zone is another."""
    local = axis.local("toNumber(datum.value)")
    utc = f"(toNumber(datum.value) - {axis.shift_ms})"
    same = picture.zone == "UTC"
    pattern = f"(utcseconds({local}) ? '%H:%M:%S' : (utchours({local}) || utcminutes({local})) ? '%H:%M' : '%a %d %b')"
    first = f"utcFormat({local}, {pattern})"
    label = first if same else f"[{first}, utcFormat({utc}, '%H:%M') + ' UTC']"
    return {
        "field": "x",
        "type": "temporal",
        "scale": {
            "type": "utc",
            "domain": [picture.start_ns // MS + axis.shift_ms, picture.end_ns // MS + axis.shift_ms],
        },
        "axis": {
            "title": axis.title,
            "labelExpr": label,
            "grid": False,
            "tickCount": 8,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
            "titlePadding": 8,
        },
    }


def _y(layout: Layout) -> _Spec:
    return {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [0, round(layout.lines, 3)], "reverse": True, "nice": False, "zero": False},
        "axis": None,
    }


def _ground(picture: Pictured, layout: Layout, axis: TimeAxis) -> list[_Spec]:
    """The stretch of the incident, the lanes with their names, and a line for each moment."""
    lanes = [
        {
            "lane": lane.name,
            "y": round(lane.top, 3),
            "y2": round(lane.bottom, 3),
            "middle": round((lane.top + lane.bottom) / 2, 3),
        }
        for lane in layout.lanes
    ]
    end = layout.lines
    layers: list[_Spec] = []
    if picture.onset_ns is not None:
        until = picture.end_ns if picture.over_ns is None else min(picture.over_ns, picture.end_ns)
        stretch = {"x": _moved(picture.onset_ns, axis), "x2": _moved(until, axis), "y": 0, "y2": round(end, 3)}
        layers.append(
            {
                "data": {"values": [stretch]},
                "mark": {"type": "rect", "color": _VERMILION, "opacity": 0.09, "aria": False},
                "encoding": {"x": _x(picture, axis), "x2": {"field": "x2"}, "y": _y(layout), "y2": {"field": "y2"}},
            }
        )
    layers += [
        {
            "data": {"values": lanes},
            "mark": {"type": "rect", "color": _GREY, "opacity": 0.1, "aria": False},
            "encoding": {"y": _y(layout), "y2": {"field": "y2"}, "x": {"value": 0}, "x2": {"value": WIDTH}},
        },
        {
            "data": {"values": lanes},
            "mark": {
                "type": "text",
                "align": "right",
                "baseline": "middle",
                "dx": -8,
                "fontWeight": "bold",
                "aria": False,
            },
            "encoding": {
                "y": {"field": "middle", "type": "quantitative"},
                "x": {"value": 0},
                "text": {"field": "lane", "type": "nominal"},
            },
        },
    ]
    if picture.milestones:
        rules = [{"x": _moved(one.at_ns or 0, axis)} for one in picture.milestones]
        layers.append(
            {
                "data": {"values": rules},
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": _GREY, "opacity": 0.55, "aria": False},
                "encoding": {"x": {"field": "x", "type": "temporal"}},
            }
        )
    return layers


def _moved(ns: int, axis: TimeAxis) -> int:
    return ns // MS + axis.shift_ms


def _bars(layout: Layout, axis: TimeAxis) -> _Spec:
    rows = [
        {
            "x": one.x_ms + axis.shift_ms,
            "x2": one.end_ms + axis.shift_ms,
            "y": round(one.y, 3),
            "what": _WORDS[one.shape],
        }
        for one in layout.placed
        if one.end_ms is not None
    ]
    return {
        "data": {"values": rows},
        "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.75, "yOffset": _BAR, "aria": False},
        "encoding": {
            "x": {"field": "x", "type": "temporal"},
            "x2": {"field": "x2"},
            "y": {"field": "y", "type": "quantitative"},
            "color": _colour(layout),
        },
    }


def _used(layout: Layout) -> list[str]:
    used = {one.shape for one in layout.placed}
    return [name for name in _LOOKS if name in used]


def _colour(layout: Layout) -> _Spec:
    used = _used(layout)
    legend = {"title": None, "orient": "top", "labelLimit": 0, "symbolSize": 70, "offset": 6, "columns": 6}
    return {
        "field": "what",
        "type": "nominal",
        "scale": {"domain": [_WORDS[name] for name in used], "range": [_LOOKS[name][1] for name in used]},
        "legend": legend,
    }


def _marks(picture: Pictured, layout: Layout, axis: TimeAxis, *, interactive: bool) -> _Spec:
    used = _used(layout)
    rows = [
        {
            "x": one.x_ms + axis.shift_ms,
            "y": round(one.y, 3),
            "what": _WORDS[one.shape],
            **({"told": one.told} if interactive else {}),
        }
        for one in layout.placed
    ]
    encoding: _Spec = {
        "x": _x(picture, axis),
        "y": {"field": "y", "type": "quantitative"},
        "color": _colour(layout),
        "shape": {
            "field": "what",
            "type": "nominal",
            "scale": {"domain": [_WORDS[name] for name in used], "range": [_LOOKS[name][0] for name in used]},
        },
    }
    if interactive:
        encoding["tooltip"] = {"field": "told", "type": "nominal"}
    mark = {"type": "point", "filled": True, "size": 62, "opacity": 1, "strokeWidth": 2, "aria": False}
    return {"data": {"values": rows}, "mark": mark, "encoding": encoding}


def _labels(layout: Layout, axis: TimeAxis, *, interactive: bool) -> list[_Spec]:
    layers: list[_Spec] = []
    for left in (False, True):
        for strong in (False, True):
            rows = [
                {
                    "x": one.x_ms + axis.shift_ms,
                    "y": round(one.y, 3),
                    "label": one.label,
                    **({"told": one.told} if interactive else {}),
                }
                for one in layout.placed
                if one.left == left and one.strong == strong
            ]
            if not rows:
                continue
            mark: _Spec = {
                "type": "text",
                "align": "right" if left else "left",
                "baseline": "middle",
                "dx": -8 if left else 8,
                "fontSize": 11,
                "aria": False,
                **({"fontWeight": "bold"} if strong else {}),
            }
            encoding: _Spec = {
                "x": {"field": "x", "type": "temporal"},
                "y": {"field": "y", "type": "quantitative"},
                "text": {"field": "label", "type": "nominal"},
            }
            if interactive:
                encoding["tooltip"] = {"field": "told", "type": "nominal"}
            layers.append({"data": {"values": rows}, "mark": mark, "encoding": encoding})
    return layers
