"""Small charts one above the other, aligned in time: each series on a scale and in a unit of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from obs_magics.display import bundle
from obs_magics.display.axes import (
    QUIET_VALUES,
    head,
    number,
    quoted,
    short_numbers,
    time_encoding,
    value_domain,
    value_encoding,
)
from obs_magics.display.bands import Band, Expected, band_layer, bands_text, number_layer, range_layer
from obs_magics.display.chart import Chart
from obs_magics.display.clock import MS, TimeAxis, clock_text, time_axis, zone_text
from obs_magics.display.downsample import Array, Line
from obs_magics.display.marks import LETTER, Pin, pin_layers, pins_text
from obs_magics.display.text import binned, columns_of, cut, safe, sparkline, time_labels
from obs_magics.display.theme import PALETTE
from obs_magics.display.units import count_text, digits_apart, format_value, scale_between

WIDTH = 600
_LEAST_EXTENT, _MOST_EXTENT, _CHARACTER = 40, 130, 6.4  # pixels for labels of values, and of one character
_SPACING = 14
_INDENT = "  "

_Spec = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One series as drawn.

    Args:
        name: Its short name.
        about: What there is to say of it, in a line; may be empty.
        line: Its points.
        unit: UCUM as OpenTelemetry writes it.
        expected: What would have been normal; None where nobody knows.
        bands: Its unusual stretches.
        height: In pixels.
        colour: Of the line.
    """

    name: str
    about: str
    line: Line
    unit: str
    expected: Expected | None = None
    bands: tuple[Band, ...] = ()
    height: int = 84
    colour: str = PALETTE[0]

    @property
    def low(self) -> float:
        """The lowest value."""
        return float(np.nanmin(self.line.values))

    @property
    def high(self) -> float:
        """The highest value."""
        return float(np.nanmax(self.line.values))

    @property
    def last(self) -> float:
        """The last number."""
        return float(self.line.values[np.isfinite(self.line.values)][-1])

    @property
    def reach(self) -> tuple[float, float]:
        """The lowest and the highest that is drawn."""
        return (self.low, self.high) if self.expected is None else self.expected.within(self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A column of lanes.

    Args:
        title: What this is.
        sentences: What stands below the title.
        lanes: From top to bottom; each has at least one number.
        pins: Events, marked in every lane.
        start_ms: Where the time begins.
        end_ms: Where it ends.
        zone: In which times are written.
        notes: What was left out.
    """

    title: str
    sentences: tuple[str, ...]
    lanes: tuple[Lane, ...]
    pins: tuple[Pin, ...]
    start_ms: int
    end_ms: int
    zone: str
    notes: tuple[str, ...] = field(default=())

    def told(self, *more: str) -> list[str]:
        """What stands with the title: sentences, what the letters mean, what was left out."""
        pins = [" · ".join(pin.said for pin in self.pins)] if self.pins else []
        return [*self.sentences, *pins, *more, *self.notes]

    def extent(self) -> int:
        """Pixels for the labels of values: the same in all lanes, so that their frames stand below one another."""
        ends = (value_domain(*one.reach) for one in self.lanes)
        texts = [format_value(edge, lane.unit) for lane, both in zip(self.lanes, ends, strict=True) for edge in both]
        wanted = 10 + _CHARACTER * max(map(columns_of, texts))
        return round(min(max(wanted, _LEAST_EXTENT), _MOST_EXTENT))

    def area(self) -> list[str]:
        """What the area means, where there is one."""
        return ["area: what would have been normal"] if any(one.expected for one in self.lanes) else []

    def spoken(self) -> str:
        """The picture in a sentence."""
        start, end = (clock_text(ms, self.zone, day=True) for ms in (self.start_ms, self.end_ms))
        lanes = "; ".join(f"{one.name}{f', {one.about}' if one.about else ''}" for one in self.lanes)
        return f"{self.title}: {count_text(len(self.lanes), 'series', 'series')} from {start} to {end}: {lanes}"


def stack_chart(stack: Stack) -> Chart:
    """The column as a chart."""
    return Chart(
        spec=bundle.finished(_spec(stack, interactive=True)),
        still=_spec(stack, interactive=False),
        text=lambda width: _text(stack, width),
        notes=stack.notes,
    )


def _spec(stack: Stack, *, interactive: bool) -> _Spec:
    last = len(stack.lanes) - 1
    lanes = [
        _lane(lane, place, stack, last=place == last, interactive=interactive) for place, lane in enumerate(stack.lanes)
    ]
    return {**head(stack.title, stack.told(*stack.area()), stack.spoken()), "vconcat": lanes, "spacing": _SPACING}


def _lane(lane: Lane, place: int, stack: Stack, *, last: bool, interactive: bool) -> _Spec:
    axis = time_axis(stack.start_ms, stack.end_ms, stack.zone)
    start, end = value_domain(*lane.reach)
    scale = scale_between(start, end, lane.unit)
    above = LETTER / lane.height if stack.pins else 0.0
    values = value_encoding(scale, start, end, ticks=3 if lane.height > 60 else 2, above=above)
    extent = stack.extent()
    values["axis"] |= {**QUIET_VALUES, "minExtent": extent, "maxExtent": extent, "labelLimit": extent}
    rows: _Spec = {"t": (lane.line.timestamps_ns // MS).tolist(), "v": short_numbers(lane.line.values)}
    alone = lane.line.isolated()
    point = {"point": {"size": 18, "filled": True, "color": lane.colour}} if alone.any() else {}
    mark: _Spec = {"type": "line", "strokeWidth": 1.6, "strokeJoin": "round", "color": lane.colour, "aria": False}
    clip = {"clip": True} if interactive else {}
    line: _Spec = {
        "data": {"values": [rows]},
        "transform": [
            {"flatten": ["t", "v"]},
            {"calculate": f"datum.t + {axis.shift_ms}", "as": "x"},
            {"calculate": f"isValid(datum.v) ? datum.v / {scale.divisor!r} : null", "as": "y"},
        ],
        "encoding": {"x": time_encoding(axis, domain=(stack.start_ms, stack.end_ms), labels=last), "y": values},
        "layer": [{"mark": {**mark, **point, **clip}}, *([_pointer(lane, place, stack, axis)] if interactive else [])],
    }
    below, over = _around(lane, stack, axis, scale.divisor, (start, end), interactive=interactive)
    title: _Spec = {"text": lane.name, "fontSize": 12, "offset": 4, "anchor": "start", "frame": "group"}
    if lane.about:
        title |= {"subtitle": textwrap.wrap(lane.about, 110)}
    return {"title": title, "width": WIDTH, "height": lane.height, "layer": [*below, line, *over]}


def _around(
    lane: Lane, stack: Stack, axis: TimeAxis, divisor: float, domain: tuple[float, float], *, interactive: bool
) -> tuple[list[_Spec], list[_Spec]]:
    """What lies below the line and above it."""
    shift, span = axis.shift_ms, (stack.start_ms, stack.end_ms)
    below, over = [], []
    if lane.expected is not None:
        below.append(range_layer(lane.expected, shift_ms=shift, divisor=divisor, domain=domain))
    if lane.bands:
        below.append(band_layer(lane.bands, *span, shift_ms=shift, width=WIDTH, interactive=interactive))
        over.append(
            number_layer(lane.bands, *span, shift_ms=shift, width=WIDTH, height=lane.height, interactive=interactive)
        )
    return below, [*over, *pin_layers(stack.pins, span[1] - span[0], shift_ms=shift, interactive=interactive)]


def _pointer(lane: Lane, place: int, stack: Stack, axis: TimeAxis) -> _Spec:
    """Points that show under the pointer, each telling its time and value."""
    start, end = value_domain(*lane.reach)
    suffix = quoted(scale_between(start, end, lane.unit).suffix)
    shown = f"{number('datum.y', max(4, digits_apart(lane.low, lane.high)))} + {suffix}"
    zone = zone_text(stack.start_ms, stack.end_ms, stack.zone)
    select = {"type": "point", "fields": ["x"], "nearest": True, "on": "mouseover", "clear": "mouseout"}
    return {
        "transform": [
            {"filter": "isValid(datum.v)"},
            {"calculate": f"utcFormat({axis.local('datum.x')}, '%a %d %b %Y %H:%M:%S')", "as": "when"},
            {"calculate": shown, "as": "shown"},
        ],
        "mark": {"type": "point", "filled": True, "size": 50, "color": lane.colour, "aria": False},
        "params": [{"name": f"pointer{place}", "select": {**select, "toggle": False}}],
        "encoding": {
            "opacity": {"condition": {"param": f"pointer{place}", "empty": False, "value": 1}, "value": 0},
            "tooltip": [
                {"field": "shown", "type": "nominal", "title": lane.name},
                {"field": "when", "type": "nominal", "title": f"time, {zone}"},
            ],
        },
    }


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _text(stack: Stack, width: int) -> str:
    """For each lane its name, what is said of it, a sparkline, and its unusual stretches."""
    columns = width - len(_INDENT)
    span = stack.start_ms, stack.end_ms, columns
    lines = [stack.title]
    for lane in stack.lanes:
        low, high = (format_value(value, lane.unit) for value in (lane.low, lane.high))
        between = f"  {low} … {high}" if low != high else f"  {low}"
        lines.append(f"{cut(lane.name, width - columns_of(between))}{between}")
        lines += textwrap.wrap(lane.about, width, initial_indent=_INDENT, subsequent_indent=_INDENT)
        lines.append(f"{_INDENT}{_spark(lane.line, *span)}")
        lines += [f"{_INDENT}{bands_text(lane.bands, *span)}"] if lane.bands else []
    lines += [f"{_INDENT}{pins_text(stack.pins, *span)}"] if stack.pins else []
    clock, zone = time_labels(stack.start_ms, stack.end_ms, stack.zone, columns)
    lines.append(f"{_INDENT}{clock}")
    own = "; each line on its own scale" if len(stack.lanes) > 1 else ""
    lines += textwrap.wrap(f"{zone}{own}", width, initial_indent=_INDENT, subsequent_indent=_INDENT)
    lines += [line for one in stack.told() for line in _wrapped(f"· {one}", width)]
    return "\n".join(cut(safe(line), width) for line in lines)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=_INDENT, break_on_hyphens=False)


def _spark(line: Line, start_ms: int, end_ms: int, columns: int) -> str:
    _, low, high = binned(line, start_ms, end_ms, columns)
    return sparkline(low, high)


def span_of(lines: Sequence[Line]) -> tuple[int, int]:
    """From the first to the last instant of all lines, in milliseconds."""
    times: list[Array] = [line.timestamps_ns for line in lines]
    first, last = min(int(one[0]) for one in times), max(int(one[-1]) for one in times)
    start = first // MS
    return start, max(-(-last // MS), start + 1)
