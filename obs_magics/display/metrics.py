"""The chart of a metrics frame: lines over time, or a bar per series for an instant query."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.display import bundle
from obs_magics.display.chart import Chart
from obs_magics.display.clock import MS, TimeAxis, clock_text, time_axis, zone_text
from obs_magics.display.downsample import Array
from obs_magics.display.drawing import Drawing, Drawn, drawing
from obs_magics.display.text import drawing_text
from obs_magics.display.theme import PALETTE, style
from obs_magics.display.units import Scale, count_text, digits_apart, format_value, scale_between

WIDTH = 640
HEIGHT = 240
_BAR_HEIGHT = 20
_ROOM = 0.04  # of the value axis, above and below the lines
_SUBTITLE_LENGTH = 110
_MAX_SUBTITLE_LINES = 8

_Spec = dict[str, Any]


def metrics_chart(
    frame: pd.DataFrame, *, unit: str = "", title: str = "", zone: str = "UTC", notes: Sequence[str] = ()
) -> Chart | None:
    """Draw a metrics frame; None when it holds no number.

    Args:
        frame: A metrics frame. Series with one point each become bars, all else lines.
        unit: UCUM as OpenTelemetry writes it (s, By, 1, %); empty when unknown.
        title: The question, or the query.
        zone: IANA name of the zone in which times are written; the axis names it.
        notes: Sentences without a full stop that the reader must see with the picture.
    """
    content = drawing(frame, unit=unit, title=title, zone=zone, notes=notes)
    if content is None:
        return None
    build = _bars if content.kind == "bars" else _lines
    return Chart(
        spec=bundle.finished(build(content, interactive=True)),
        still=build(content, interactive=False),
        text=lambda width: drawing_text(content, width),
        notes=content.notes,
    )


def _head(content: Drawing, *more: str) -> _Spec:
    sentences = [*([content.common] if content.common else []), *more, *content.notes]
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, _SUBTITLE_LENGTH)]
    if len(lines) > _MAX_SUBTITLE_LINES:
        lines = [*lines[: _MAX_SUBTITLE_LINES - 1], "…"]
    return {"title": {"text": content.title, **({"subtitle": lines} if lines else {})}, "description": _spoken(content)}


def _spoken(content: Drawing) -> str:
    """The picture in a sentence, for those who cannot see it."""
    series = count_text(len(content.series), "series", "series")
    low, high = format_value(content.low, content.unit), format_value(content.high, content.unit)
    start, end = (clock_text(ms, content.zone, day=True) for ms in (content.start_ms, content.end_ms))
    when = f"at {end}" if content.kind == "bars" else f"from {start} to {end}"
    return f"{content.title}: {series} between {low} and {high} {when}"


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lines(content: Drawing, *, interactive: bool) -> _Spec:
    axis = time_axis(content.start_ms, content.end_ms, content.zone)
    start, end = _value_domain(content)
    scale = scale_between(start, end, content.unit)
    alone = any(one.line.isolated().any() for one in content.series)
    layers = [
        _line_layer(content, interactive=interactive),
        *([_pointer_layer(content, scale, axis)] if interactive else []),
        *([_ALONE] if alone else []),
    ]
    return {
        **_head(content),
        "width": WIDTH,
        "height": HEIGHT,
        "data": {"values": [_row(one) for one in content.series]},
        "transform": [
            {"flatten": ["t", "v", *(["alone"] if alone else [])]},
            {"calculate": f"datum.t + {axis.shift_ms}", "as": "x"},
            {"calculate": f"isValid(datum.v) ? datum.v / {scale.divisor!r} : null", "as": "y"},
        ],
        "encoding": {
            "x": _time_encoding(axis),
            "y": _value_encoding(scale, start, end),
            "color": _series_encoding(content, "color"),
        },
        "layer": layers,
    }


_ALONE: _Spec = {
    "transform": [{"filter": "datum.alone"}],
    "mark": {"type": "point", "filled": True, "size": 28, "opacity": 1, "aria": False},
}


def _row(one: Drawn) -> _Spec:
    row = {"series": one.name, "t": (one.line.timestamps_ns // MS).tolist(), "v": _short_numbers(one.line.values)}
    alone = one.line.isolated()
    return {**row, "alone": alone.tolist()} if alone.any() else row


def _short_numbers(values: Array) -> list[float | int | None]:
    """Six significant digits, more where a series varies little around a large value; None for NaN."""
    finite = values[np.isfinite(values)]
    span, largest = float(finite.max() - finite.min()), float(np.abs(finite).max())
    digits = 6 if largest <= span else min(17, 6 + math.ceil(math.log10(largest) - math.log10(span or largest * 1e-11)))
    return [None if math.isnan(value) else _short(value, digits) for value in values.tolist()]


def _short(value: float, digits: int) -> float | int:
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def _value_domain(content: Drawing) -> tuple[float, float]:
    """Where the value axis starts and ends: at zero, unless that would press the lines flat."""
    low, high = content.low, content.high
    if low == high:
        return (0.0, 1.0) if low == 0 else (min(low, 0.0), max(high, 0.0))
    return (0.0 if 0 <= low < 0.6 * high else low), (0.0 if 0 >= high > 0.6 * low else high)


def _with_room(start: float, end: float) -> tuple[float, float]:
    """A little more than the domain, but at zero: a line along the edge would be cut in half."""
    room = _ROOM * (end - start)
    return start - room if start else start, end + room if end else end


def _value_encoding(scale: Scale, start: float, end: float) -> _Spec:
    return {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [edge / scale.divisor for edge in _with_room(start, end)], "zero": False, "nice": False},
        "axis": {
            "title": None,
            "labelExpr": f"{_number('datum.value', digits_apart(start, end))} + {_quoted(scale.suffix)}",
            "tickCount": 5,
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
        },
    }


def _number(value: str, digits: int) -> str:
    """A Vega expression for a number with at most so many significant digits; those before the point are all kept."""
    whole = f"',.{max(0, digits - 3)}~f'"
    pattern = f"abs({value}) < 1e15 && abs({value}) >= 100 ? {whole} : ',.{digits}~g'"
    return f"replace(format({value}, {pattern}), 'e+', 'e')"


def _quoted(text: str) -> str:
    """A string literal of Vega's expression language."""
    escaped = "".join(char if char.isalnum() or char in " %/°.-" else f"\\u{ord(char):04x}" for char in text)
    return f"'{escaped}'"


def _time_encoding(axis: TimeAxis) -> _Spec:
    return {
        "field": "x",
        "type": "temporal",
        "scale": {"type": "utc"},
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


def _series_encoding(content: Drawing, channel: str) -> _Spec:
    names = [one.name for one in content.series]
    styles = [style(number) for number in range(len(names))]
    values = [colour if channel == "color" else list(dash) for colour, dash in styles]
    legend = None
    if len(names) > 1:
        legend = {"title": content.key, "symbolType": "stroke", "symbolSize": 300, "labelLimit": 0, "titleLimit": 0}
    return {"field": "series", "type": "nominal", "scale": {"domain": names, "range": values}, "legend": legend}


def _line_layer(content: Drawing, *, interactive: bool) -> _Spec:
    layer: _Spec = {
        "mark": {"type": "line", "strokeWidth": 1.7, "strokeJoin": "round", "interpolate": "linear", "aria": False},
        "encoding": {"strokeDash": _series_encoding(content, "strokeDash")},
    }
    if not interactive:
        return layer
    layer["params"] = [{"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}]
    if len(content.series) > 1:
        # One click picks a series, another lets it go; the expression is Vega's for "whichever key is held".
        picks = {"type": "point", "fields": ["series"], "toggle": "true"}
        layer["params"].append({"name": "picked", "select": picks, "bind": "legend"})
        layer["encoding"]["opacity"] = {"condition": {"param": "picked", "value": 1}, "value": 0.12}
    return layer


def _pointer_layer(content: Drawing, scale: Scale, axis: TimeAxis) -> _Spec:
    """Points that show under the pointer, each telling its time, series and value."""
    local = axis.local("datum.x")
    zone = zone_text(content.start_ms, content.end_ms, content.zone)
    shown = f"{_number('datum.y', max(4, digits_apart(content.low, content.high)))} + {_quoted(scale.suffix)}"
    named = [{"field": "series", "type": "nominal", "title": content.key}] if len(content.series) > 1 else []
    return {
        "transform": [
            {"filter": "isValid(datum.v)"},
            {"calculate": f"utcFormat({local}, '%a %d %b %Y %H:%M:%S')", "as": "when"},
            {"calculate": shown, "as": "shown"},
        ],
        "mark": {"type": "point", "filled": True, "size": 50, "aria": False},
        "params": [
            {
                "name": "pointer",
                "select": {
                    "type": "point",
                    # Else Vega-Lite tells points apart by a number that it gives before `flatten`: one a series.
                    "fields": ["series", "x"],
                    "nearest": True,
                    "on": "mouseover",
                    "clear": "mouseout",
                    "toggle": False,
                },
            }
        ],
        "encoding": {
            "opacity": {"condition": {"param": "pointer", "empty": False, "value": 1}, "value": 0},
            "tooltip": [
                *named,
                {"field": "shown", "type": "nominal", "title": "value"},
                {"field": "when", "type": "nominal", "title": f"time, {zone}"},
            ],
        },
    }


# ── bars ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _bars(content: Drawing, *, interactive: bool) -> _Spec:
    scale = scale_between(min(content.low, 0.0), max(content.high, 0.0), content.unit)
    rows = [
        {
            "series": one.name,
            "v": _short(one.last / scale.divisor, 6),
            "shown": format_value(one.last, content.unit),
        }
        for one in content.series
    ]
    names = [one.name for one in content.series]
    low, high = min(content.low, 0.0) / scale.divisor, max(content.high, 0.0) / scale.divisor
    room = 0.14 * ((high - low) or 1)
    domain = [low - room if low < 0 else low, high + room if high > 0 or low == high else high]
    tooltip = [
        {"field": "series", "type": "nominal", "title": content.key or "series"},
        {"field": "shown", "type": "nominal", "title": "value"},
    ]
    by = f"by {content.key}, " if content.key else ""
    bar: _Spec = {"mark": {"type": "bar", "color": PALETTE[0], "aria": False, "height": {"band": 0.7}}}
    return {
        **_head(content, f"{by}at {clock_text(content.end_ms, content.zone, day=True)}"),
        "width": WIDTH,
        "height": {"step": _BAR_HEIGHT},
        "data": {"values": rows},
        "encoding": {
            "y": {
                "field": "series",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": names},
                "axis": {"title": None, "ticks": False, "domain": False, "labelLimit": 0, "labelPadding": 6},
            },
            "x": {
                "field": "v",
                "type": "quantitative",
                "scale": {"domain": domain, "nice": False},
                "axis": None,
            },
        },
        "layer": [
            {**bar, "encoding": {"tooltip": tooltip}} if interactive else bar,
            *_bar_labels(),
        ],
    }


def _bar_labels() -> list[_Spec]:
    """The value at the end of each bar, on the side where the bar does not stand."""
    return [
        {
            "transform": [{"filter": test}],
            "mark": {"type": "text", "align": align, "dx": shift, "aria": False},
            "encoding": {"text": {"field": "shown", "type": "nominal"}},
        }
        for test, align, shift in (("datum.v >= 0", "left", 4), ("datum.v < 0", "right", -4))
    ]
