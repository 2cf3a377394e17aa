"""The chart of a metrics frame: lines over time, or a bar per series for an instant query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from obs_magics.display import bundle
from obs_magics.display.axes import (
    head,
    number,
    quoted,
    short_number,
    short_numbers,
    time_encoding,
    value_domain,
    value_encoding,
)
from obs_magics.display.bands import band_layer, number_layer, range_layer
from obs_magics.display.chart import Chart
from obs_magics.display.clock import MS, TimeAxis, clock_text, time_axis, zone_text
from obs_magics.display.drawing import Drawing, Drawn, drawing
from obs_magics.display.marks import LETTER, pin_layers
from obs_magics.display.text import drawing_text
from obs_magics.display.theme import PALETTE, style
from obs_magics.display.units import Scale, count_text, digits_apart, format_value, scale_between

WIDTH = 640
HEIGHT = 240
_BAR_HEIGHT = 20
_MOST_SAID = 4

_Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the lines are drawn, in pixels.

    Args:
        width: Of the time axis.
        height: Of the value axis.
        margin: Kept to the left for the labels of values, so that charts below one another share their edges; the names
            of the series then stand above. 0 for as much as the labels need, and names to the right.
    """

    width: int = WIDTH
    height: int = HEIGHT
    margin: int = 0


_ALONE_ON_PAGE = Shape()


def metrics_chart(
    frame: pd.DataFrame,
    *,
    unit: str = "",
    title: str = "",
    zone: str = "UTC",
    notes: Sequence[str] = (),
    events: pd.DataFrame | None = None,
    anomalies: pd.DataFrame | None = None,
    expected: pd.DataFrame | None = None,
    shape: Shape = _ALONE_ON_PAGE,
) -> Chart | None:
    """Draw a metrics frame; None when it holds no number.

    Args:
        frame: A metrics frame. Series with one point each become bars, all else lines.
        unit: UCUM as OpenTelemetry writes it (s, By, 1, %); empty when unknown.
        title: The question, or the query.
        zone: IANA name of the zone in which times are written; the axis names it.
        notes: Sentences without a full stop that the reader must see with the picture.
        events: An events frame: deployments, config changes, alerts and the like are marked with a rule and a letter.
        anomalies: An anomalies frame of the series: unusual stretches are shaded and numbered, the most severe first.
        expected: What would have been normal, one row per point: `timestamp`, `series`, `expected_low`,
            `expected_high`; drawn as an area where there is one series.
        shape: How large lines are drawn; bars are as high as they are many.
    """
    content = drawing(
        frame, unit=unit, title=title, zone=zone, notes=notes, events=events, anomalies=anomalies, expected=expected
    )
    if content is None:
        return None
    build = _bars if content.kind == "bars" else partial(_lines, shape=shape)
    return Chart(
        spec=bundle.finished(build(content, interactive=True)),
        still=build(content, interactive=False),
        text=lambda width: drawing_text(content, width),
        notes=content.notes,
    )


def _spoken(content: Drawing) -> str:
    """The picture in a sentence, for those who cannot see it."""
    series = count_text(len(content.series), "series", "series")
    low, high = format_value(content.low, content.unit), format_value(content.high, content.unit)
    start, end = (clock_text(ms, content.zone, day=True) for ms in (content.start_ms, content.end_ms))
    when = f"at {end}" if content.kind == "bars" else f"from {start} to {end}"
    odd = f"; unusual: {'; '.join(band.said for band in content.bands[:_MOST_SAID])}" if content.bands else ""
    return f"{content.title}: {series} between {low} and {high} {when}{odd}"


def _head(content: Drawing, *more: str) -> _Spec:
    common = [content.common] if content.common else []
    return head(content.title, [*common, *more, *content.legend(_MOST_SAID), *content.notes], _spoken(content))


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lines(content: Drawing, *, shape: Shape, interactive: bool) -> _Spec:
    axis = time_axis(content.start_ms, content.end_ms, content.zone)
    start, end = value_domain(*content.reach)
    scale = scale_between(start, end, content.unit)
    alone = any(one.line.isolated().any() for one in content.series)
    layers = [
        _line_layer(content, shape, interactive=interactive),
        *([_pointer_layer(content, scale, axis)] if interactive else []),
        *([_ALONE] if alone else []),
    ]
    lines = {
        "data": {"values": [_row(one) for one in content.series]},
        "transform": [
            {"flatten": ["t", "v", *(["alone"] if alone else [])]},
            {"calculate": f"datum.t + {axis.shift_ms}", "as": "x"},
            {"calculate": f"isValid(datum.v) ? datum.v / {scale.divisor!r} : null", "as": "y"},
        ],
        "encoding": {
            "x": time_encoding(axis, domain=(content.start_ms, content.end_ms) if content.marked else None),
            "y": _value_axis(content, shape, scale, (start, end)),
            "color": _series_encoding(content, "color", shape),
        },
        "layer": layers,
    }
    size = {**_head(content), "width": shape.width, "height": shape.height}
    if not content.marked:
        return {**size, **lines}
    below, above = _around(content, shape, axis, scale, (start, end), interactive=interactive)
    return {**size, "layer": [*below, lines, *above]}


def _value_axis(content: Drawing, shape: Shape, scale: Scale, domain: tuple[float, float]) -> _Spec:
    """Values, with room for letters above and for labels to the left."""
    encoding = value_encoding(
        scale, *domain, ticks=5 if shape.height >= HEIGHT else 4, above=LETTER / shape.height if content.pins else 0.0
    )
    room = {"minExtent": shape.margin, "maxExtent": shape.margin} if shape.margin else {}
    return {**encoding, "axis": {**encoding["axis"], **room}}


def _around(
    content: Drawing, shape: Shape, axis: TimeAxis, scale: Scale, domain: tuple[float, float], *, interactive: bool
) -> tuple[list[_Spec], list[_Spec]]:
    """What lies below the lines (expected range, bands) and above them (numbers, rules of events)."""
    below, above = [], []
    if content.expected is not None:
        below.append(range_layer(content.expected, shift_ms=axis.shift_ms, divisor=scale.divisor, domain=domain))
    if content.bands:
        span = content.start_ms, content.end_ms
        shift, width = axis.shift_ms, shape.width
        below.append(band_layer(content.bands, *span, shift_ms=shift, width=width, interactive=interactive))
        above.append(
            number_layer(
                content.bands, *span, shift_ms=shift, width=width, height=shape.height, interactive=interactive
            )
        )
    return below, [
        *above,
        *pin_layers(content.pins, content.end_ms - content.start_ms, shift_ms=axis.shift_ms, interactive=interactive),
    ]


_ALONE: _Spec = {
    "transform": [{"filter": "datum.alone"}],
    "mark": {"type": "point", "filled": True, "size": 28, "opacity": 1, "aria": False},
}


def _row(one: Drawn) -> _Spec:
    row = {"series": one.name, "t": (one.line.timestamps_ns // MS).tolist(), "v": short_numbers(one.line.values)}
    alone = one.line.isolated()
    return {**row, "alone": alone.tolist()} if alone.any() else row


def _series_encoding(content: Drawing, channel: str, shape: Shape) -> _Spec:
    names = [one.name for one in content.series]
    styles = [style(number) for number in range(len(names))]
    values = [colour if channel == "color" else list(dash) for colour, dash in styles]
    legend = None
    if len(names) > 1:
        legend = {"title": content.key, "symbolType": "stroke", "symbolSize": 300, "labelLimit": 0, "titleLimit": 0}
        legend |= {"orient": "top", "offset": 4, "columns": 4} if shape.margin else {}
    return {"field": "series", "type": "nominal", "scale": {"domain": names, "range": values}, "legend": legend}


def _line_layer(content: Drawing, shape: Shape, *, interactive: bool) -> _Spec:
    layer: _Spec = {
        "mark": {"type": "line", "strokeWidth": 1.7, "strokeJoin": "round", "interpolate": "linear", "aria": False},
        "encoding": {"strokeDash": _series_encoding(content, "strokeDash", shape)},
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
    shown = f"{number('datum.y', max(4, digits_apart(content.low, content.high)))} + {quoted(scale.suffix)}"
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
            "v": short_number(one.last / scale.divisor, 6),
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
