"""What is unusual on a chart over time: shaded stretches with a number, and the range that would have been normal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from obs_magics.display import severity
from obs_magics.display.axes import short_numbers
from obs_magics.display.clock import MS
from obs_magics.display.downsample import Array
from obs_magics.display.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd

BAND_COLOUR = PALETTE[1]
MAX_BANDS = 40
_LEAST_WIDTH = 5  # pixels of a band: a single point is an anomaly too
_LABEL_WIDTH = 15  # pixels that a number takes
_MOST_NUMBERS = 3
_MOST_STEPS = 320  # of an expected range: it is smooth, or would tell nothing
_FAR = 1.0  # spans of the data beyond which an expected range is cut

_Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Band:
    """An unusual stretch as drawn.

    Args:
        number: By which the report names it.
        start_ms: Where it begins.
        end_ms: Where it ends.
        severity: One of `model.anomalies.SEVERITIES`.
        said: What it is, in a line.
    """

    number: int
    start_ms: int
    end_ms: int
    severity: str
    said: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What would have been normal: `low` and `high` are float64, NaN where nobody knows."""

    timestamps_ns: Array
    low: Array
    high: Array

    def within(self, low: float, high: float) -> tuple[float, float]:
        """Bounds of the data, widened to show the range, but by not more than their own span on either side."""
        known = np.isfinite(self.low) & np.isfinite(self.high)
        if not known.any():
            return low, high
        room = _FAR * ((high - low) or abs(high) or 1.0)
        bottom = max(float(self.low[known].min()), low - room)
        top = min(float(self.high[known].max()), high + room)
        return min(low, max(bottom, 0.0) if low >= 0 else bottom), max(high, top)


def expected_of(expected: pd.DataFrame | None, series: str) -> Expected | None:
    """The expected range of one series, averaged over neighbours where there are very many points.

    Args:
        expected: `timestamp`, `series`, `expected_low`, `expected_high`, one row per point of each series.
        series: Its short name.
    """
    if expected is None or expected.empty:
        return None
    rows = expected[expected["series"].astype(object) == series]
    if rows.empty:
        return None
    order = np.argsort(rows["timestamp"].to_numpy(), kind="stable")
    times = rows["timestamp"].astype("datetime64[ns, UTC]").astype("int64").to_numpy()[order]
    low, high = (rows[name].to_numpy(dtype=np.float64)[order] for name in ("expected_low", "expected_high"))
    if not (np.isfinite(low) & np.isfinite(high)).any():
        return None
    size = -(-len(times) // _MOST_STEPS)
    if size == 1:
        return Expected(times, low, high)
    starts = np.arange(0, len(times), size)
    last = np.minimum(starts + size, len(times)) - 1
    middles = times[starts] + (times[last] - times[starts]) // 2
    middles[0], middles[-1] = times[0], times[-1]
    return Expected(middles, *(_means(edge, starts) for edge in (low, high)))


def _means(values: Array, starts: Array) -> Array:
    """Means of stretches, over what is a number."""
    there = np.isfinite(values)
    counts = np.add.reduceat(there.astype(np.float64), starts)
    sums = np.add.reduceat(np.where(there, values, 0.0), starts)
    means: Array = np.divide(sums, counts, out=np.full(len(starts), np.nan), where=counts > 0)
    return means


# ── layers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def range_layer(expected: Expected, *, shift_ms: int, divisor: float, domain: tuple[float, float]) -> _Spec:
    """The expected range as an area below the line, cut at the value axis."""
    known = np.isfinite(expected.low) & np.isfinite(expected.high)
    low, high = (np.where(known, np.clip(edge, *domain), np.nan) for edge in (expected.low, expected.high))
    return {
        "data": {
            "values": [
                {
                    "t": (expected.timestamps_ns // MS).tolist(),
                    "low": short_numbers(low / divisor),
                    "high": short_numbers(high / divisor),
                }
            ]
        },
        "transform": [
            {"flatten": ["t", "low", "high"]},
            {"calculate": f"datum.t + {shift_ms}", "as": "x"},
        ],
        "mark": {"type": "area", "color": PALETTE[0], "opacity": 0.2, "interpolate": "linear", "aria": False},
        "encoding": {
            "x": {"field": "x", "type": "temporal"},
            "y": {"field": "low", "type": "quantitative"},
            "y2": {"field": "high"},
        },
    }


def band_layer(
    bands: Sequence[Band], start_ms: int, end_ms: int, *, shift_ms: int, width: int, interactive: bool
) -> _Spec:
    """The unusual stretches, shaded by their severity, with a solid edge where each begins; below the lines."""
    least = max(1, (end_ms - start_ms) * _LEAST_WIDTH // width)
    rows = []
    for band in bands:
        first, last = _widened(band, least, start_ms, end_ms)
        row = {"from": first + shift_ms, "to": last + shift_ms, "shade": severity.shade(band.severity)}
        rows.append({**row, "said": band.said} if interactive else row)
    clip = {"clip": True} if interactive else {}
    start = {"field": "from", "type": "temporal"}
    tooltip = {"tooltip": {"field": "said", "type": "nominal"}} if interactive else {}
    shade = {"field": "shade", "type": "quantitative", "scale": None, "legend": None}
    rule: _Spec = {"type": "rule", "color": BAND_COLOUR, "strokeWidth": 1.4, "aria": False}
    return {
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rect", "color": BAND_COLOUR, "aria": False, **clip},
                "encoding": {"x": start, "x2": {"field": "to"}, "opacity": shade, **tooltip},
            },
            {"mark": {**rule, **clip}, "encoding": {"x": start}},
        ],
    }


def _widened(band: Band, least: int, start_ms: int, end_ms: int) -> tuple[int, int]:
    """A stretch wide enough to be seen, inside the picture."""
    more = max(0, least - (band.end_ms - band.start_ms))
    start, end = band.start_ms - more // 2, band.end_ms + more - more // 2
    return max(start, start_ms), min(end, end_ms)


def number_layer(
    bands: Sequence[Band], start_ms: int, end_ms: int, *, shift_ms: int, width: int, height: int, interactive: bool
) -> _Spec:
    """The numbers of the stretches at their feet; of several that begin together, one text."""
    rows = [{"x": at + shift_ms, "n": text} for at, text in _numbers(bands, start_ms, end_ms, width)]
    clip = {"clip": True} if interactive else {}
    mark: _Spec = {"type": "text", "align": "left", "baseline": "bottom", "dx": 3, "dy": -2, "fontWeight": "bold"}
    return {
        "data": {"values": rows},
        "mark": {**mark, "fontSize": 11, "aria": False, **clip},
        "encoding": {
            "x": {"field": "x", "type": "temporal"},
            "y": {"value": height},
            "text": {"field": "n", "type": "nominal"},
        },
    }


def _numbers(bands: Sequence[Band], start_ms: int, end_ms: int, width: int) -> list[tuple[int, str]]:
    """Where a text stands, and which numbers, with the icon of the gravest of them."""
    apart = (end_ms - start_ms) * _LABEL_WIDTH * 2 // width
    groups: list[list[Band]] = []
    for band in sorted(bands, key=lambda one: (one.start_ms, one.number)):
        if groups and band.start_ms - groups[-1][0].start_ms < apart:
            groups[-1].append(band)
        else:
            groups.append([band])
    return [(max(group[0].start_ms, start_ms), _together(group)) for group in groups]


def _together(group: Sequence[Band]) -> str:
    ordered = sorted(group, key=lambda one: one.number)
    numbers = ",".join(str(one.number) for one in ordered[:_MOST_NUMBERS])
    return f"{severity.icon(ordered[0].severity)} {numbers}{'…' if len(ordered) > _MOST_NUMBERS else ''}"


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def bands_text(bands: Sequence[Band], start_ms: int, end_ms: int, columns: int) -> str:
    """The stretches as a row of characters: a number where each begins, ━ as long as it lasts.

    >>> bands_text([Band(1, 40, 80, "high", "")], 0, 100, 10)
    '    1━━━━'
    """
    row = [" "] * columns
    span = max(1, end_ms - start_ms)
    places = [
        tuple(min(columns - 1, max(0, (at - start_ms) * columns // span)) for at in (band.start_ms, band.end_ms))
        for band in bands
    ]
    for start, end in places:
        row[start : end + 1] = "━" * (end + 1 - start)
    # The first numbers are the gravest: written last, they stay.
    for band, (start, _) in reversed(list(zip(bands, places, strict=True))):
        text = str(band.number)
        row[start : start + len(text)] = text
    return "".join(row[:columns]).rstrip()
