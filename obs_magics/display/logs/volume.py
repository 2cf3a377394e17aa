"""The chart of a volume of logs: lines over time, stacked by level, the most severe at the bottom."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from obs_magics.display import bundle
from obs_magics.display.chart import Chart
from obs_magics.display.clock import time_axis, zone_text
from obs_magics.display.logs.bars import Bars, CountedBy, bars_of
from obs_magics.display.logs.levels import COLOURS
from obs_magics.display.logs.volume_text import volume_text
from obs_magics.display.marks import LETTER, Mark, event_marks, pin_layers
from obs_magics.model.logs import Array, Volume

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 640, 150
_SUBTITLE_LENGTH = 110
_MAX_SUBTITLE_LINES = 8
_FEW_LINES = 4
_GAP = 0.1  # of a bar's width, between two
_AIR, _FLAG = 4, 12  # pixels above the highest bar: always, for letters, for flags
_FLAGGED = ("fatal", "error")
_LOW = 2.5  # pixels: a part of a bar that is lower is easily overlooked

_Spec = dict[str, Any]


def volume_chart(
    volume: Volume,
    *,
    zone: str = "UTC",
    title: str = "",
    marks: Sequence[Mark] = (),
    events: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
    counted_by: CountedBy = "source",
) -> Chart | None:
    """Draw how many lines there are over time, by level; None when there are none.

    Args:
        volume: At most ninety bars are drawn: of more, as many neighbours as needed become one.
        zone: IANA name of the zone in which times are written; the axis names it.
        title: The question, or the query.
        marks: Instants to be seen in the picture, at most twelve.
        events: An events frame; deployments, alerts and the like are marked as well.
        notes: Sentences without a full stop that the reader must see with the picture.
        counted_by: `fetched` when only the lines that were fetched are counted; the picture says so.
    """
    every = [*marks, *event_marks(events)]
    bars = bars_of(volume, title=title, zone=zone, marks=every, notes=notes, counted_by=counted_by)
    if bars is None:
        return None
    return Chart(
        spec=bundle.finished(_spec(bars, interactive=True)),
        still=_spec(bars, interactive=False),
        text=lambda width: volume_text(bars, width),
        notes=bars.notes,
    )


def _spec(bars: Bars, *, interactive: bool) -> _Spec:
    flags = _overlooked(bars)
    return {
        **_head(bars, flagged=bool(flags)),
        "width": WIDTH,
        "height": HEIGHT,
        "layer": [
            _bar_layer(bars, interactive=interactive),
            *([_flag_layer(bars, flags, interactive=interactive)] if flags else []),
            *pin_layers(bars.pins, bars.end_ms - bars.start_ms, shift_ms=_shift(bars), interactive=interactive),
        ],
    }


def _shift(bars: Bars) -> int:
    return time_axis(bars.start_ms, bars.end_ms, bars.zone).shift_ms


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, _SUBTITLE_LENGTH, break_on_hyphens=False)


def _head(bars: Bars, *, flagged: bool) -> _Spec:
    pins = [" · ".join(pin.said for pin in bars.pins)] if bars.pins else []
    levels = [level for level in _FLAGGED if level in bars.counts]
    low = [f"▼ {' or '.join(levels)} in this bar, where it may be too low to be seen"] if flagged else []
    lines = [line for sentence in (*bars.notes, *pins, *low) for line in _wrapped(sentence)]
    if len(lines) > _MAX_SUBTITLE_LINES:
        lines = [*lines[: _MAX_SUBTITLE_LINES - 1], "…"]
    return {"title": {"text": bars.title, **({"subtitle": lines} if lines else {})}, "description": bars.spoken()}


# ── bars ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _bar_layer(bars: Bars, *, interactive: bool) -> _Spec:
    axis = time_axis(bars.start_ms, bars.end_ms, bars.zone)
    start = bars.start_ms + axis.shift_ms
    layer: _Spec = {
        "data": {"values": _stacked(bars)},
        "transform": [
            {"flatten": ["bar", "lines", "low"]},
            {"calculate": f"{start} + datum.bar * {bars.step_ms}", "as": "from"},
            {"calculate": f"datum.from + {round(bars.step_ms * (1 - _GAP))}", "as": "to"},
            {"calculate": "datum.low + datum.lines", "as": "high"},
        ],
        "mark": {"type": "rect", "aria": False},
        "encoding": {
            "x": _time_encoding(bars),
            "x2": {"field": "to"},
            "y": _count_encoding(bars),
            "y2": {"field": "high"},
            "color": _level_encoding(bars),
        },
    }
    if interactive:
        _let_pick(layer, bars)
    return layer


def _stacked(bars: Bars) -> list[_Spec]:
    """Where each part of a bar begins, counted here: Vega-Lite stacks no bars that have a start and an end."""
    below = np.zeros(bars.number, np.int64)
    rows = []
    for level, counts in bars.counts.items():
        there = np.flatnonzero(counts)
        rows.append(
            {"level": level, "bar": there.tolist(), "lines": counts[there].tolist(), "low": below[there].tolist()}
        )
        below = below + counts
    return rows


def _time_encoding(bars: Bars) -> _Spec:
    axis = time_axis(bars.start_ms, bars.end_ms, bars.zone)
    return {
        "field": "from",
        "type": "temporal",
        "scale": {"type": "utc", "domain": [bars.start_ms + axis.shift_ms, bars.end_ms + axis.shift_ms]},
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


def _count_encoding(bars: Bars) -> _Spec:
    most = int(bars.totals.max())
    few = {"values": list(range(most + 1))} if most <= _FEW_LINES else {}  # Vega writes halves of lines there
    return {
        "field": "low",
        "type": "quantitative",
        "scale": {"domain": [0, _top(bars)], "nice": False},
        "axis": {
            "title": bars.unit,
            "labelExpr": "datum.value < 10000 ? format(datum.value, ',') : format(datum.value, '.3~s')",
            "tickCount": 4,
            "tickMinStep": 1,
            **few,
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
        },
    }


def _top(bars: Bars) -> float:
    room = _AIR + (LETTER if bars.pins else 0) + (_FLAG if _grave(bars).any() else 0)
    return round(int(bars.totals.max()) * HEIGHT / (HEIGHT - room), 3)


def _level_encoding(bars: Bars) -> _Spec:
    shown = ", ".join(f"'{level}': '{level} {count:,}'" for level, count in bars.sums().items())
    return {
        "field": "level",
        "type": "nominal",
        "scale": {"domain": list(bars.counts), "range": [COLOURS[level] for level in bars.counts]},
        "legend": {
            "title": None,
            "orient": "top",
            "symbolType": "square",
            "symbolStrokeWidth": 0,
            "labelExpr": f"{{{shown}}}[datum.label]",
            "labelLimit": 0,
            "offset": 6,
        },
    }


def _let_pick(layer: _Spec, bars: Bars) -> None:
    """Tooltips, a zoom along the time, and the legend: a click picks a level, another lets it go."""
    axis = time_axis(bars.start_ms, bars.end_ms, bars.zone)
    zone = zone_text(bars.start_ms, bars.end_ms, bars.zone)
    until = f"toNumber(datum.from) + {bars.step_ms}"
    layer["mark"] |= _clipped(interactive=True)
    layer["transform"] += [
        {"joinaggregate": [{"op": "sum", "field": "lines", "as": "all"}], "groupby": ["bar"]},
        {"calculate": f"utcFormat({axis.local('toNumber(datum.from)')}, '%a %d %b %Y %H:%M:%S')", "as": "since"},
        {"calculate": f"utcFormat({axis.local(f'({until})')}, '%H:%M:%S')", "as": "until"},
        {"calculate": "datum.since + ' – ' + datum.until", "as": "when"},
    ]
    layer["params"] = [
        {"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"},
        {"name": "picked", "select": {"type": "point", "fields": ["level"], "toggle": "true"}, "bind": "legend"},
    ]
    layer["encoding"]["opacity"] = {"condition": {"param": "picked", "value": 1}, "value": 0.12}
    layer["encoding"]["tooltip"] = [
        {"field": "level", "type": "nominal", "title": "level"},
        {"field": "lines", "type": "quantitative", "title": "lines", "format": ","},
        {"field": "all", "type": "quantitative", "title": "of all levels", "format": ","},
        {"field": "when", "type": "nominal", "title": f"time, {zone}"},
    ]


def _clipped(*, interactive: bool) -> _Spec:
    """Cut at the frame what can be zoomed out of it; a still picture cannot, and Vega numbers its cuts ever onwards."""
    return {"clip": True} if interactive else {}


# ── what is easily overlooked, and marks ─────────────────────────────────────────────────────────────────────────────


def _overlooked(bars: Bars) -> list[int]:
    """All bars with lines of a grave level, when in one of them nobody would see these under the rest."""
    grave = _grave(bars)
    low = (grave > 0) & (grave * HEIGHT / _top(bars) < _LOW)
    return [int(place) for place in np.flatnonzero(grave)] if low.any() else []


def _grave(bars: Bars) -> Array:
    nothing = np.zeros(bars.number, np.int64)
    counts: Array = np.sum([bars.counts.get(level, nothing) for level in _FLAGGED], axis=0)
    return counts


def _flag_layer(bars: Bars, flags: list[int], *, interactive: bool) -> _Spec:
    axis = time_axis(bars.start_ms, bars.end_ms, bars.zone)
    middle = bars.start_ms + axis.shift_ms + bars.step_ms * (1 - _GAP) / 2
    return {
        "data": {"values": [{"x": round(middle + place * bars.step_ms)} for place in flags]},
        "mark": {
            "type": "point",
            "shape": "triangle-down",
            "filled": True,
            "size": 34,
            "opacity": 1,
            "color": COLOURS["error"],
            "aria": False,
            **_clipped(interactive=interactive),
        },
        "encoding": {"x": {"field": "x", "type": "temporal"}, "y": {"value": 6 + (LETTER if bars.pins else 0)}},
    }
