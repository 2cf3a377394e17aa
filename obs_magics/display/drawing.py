"""What of a metrics frame is drawn: which series, under which names, how many points, and what is said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from obs_magics.display import histograms
from obs_magics.display.anomalies.found import Found, bands_in, found_in
from obs_magics.display.bands import MAX_BANDS, Band, Expected, expected_of
from obs_magics.display.clock import MS
from obs_magics.display.downsample import LARGEST, Array, Line, stretch_ns, thinned, whole
from obs_magics.display.marks import Pin, event_marks, pins_of
from obs_magics.display.theme import MAX_SERIES
from obs_magics.display.units import count_text, seconds_text
from obs_magics.model.series import (
    Series,
    clip,
    common_labels,
    differing_labels,
    one_line,
    selector,
    short_names,
    split_series,
)

MAX_BARS = 25
MAX_POINTS = 4800  # of all lines together: about 110 kB of specification
MAX_STRETCHES = 640  # one for each pixel of the chart's width
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_FEW_HISTOGRAMS = 4
_MOST_LINES = 5
_TITLE_LENGTH = 100
_NAME_LENGTH = 48


@dataclass(frozen=True, slots=True)
class Drawn:
    """One series as drawn: its short name, all it is called, its line, and its last number."""

    name: str
    full_name: str
    line: Line
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a chart shows, before any drawing: lines over time, or one bar per series.

    `key` names the labels that the series' names are made of; `common` is what all series share; `notes` says what was
    left out or changed, each a sentence without a full stop.
    """

    kind: Literal["lines", "bars"]
    title: str
    common: str
    key: str
    unit: str
    zone: str
    series: tuple[Drawn, ...]
    total: int
    start_ms: int
    end_ms: int
    low: float
    high: float
    notes: tuple[str, ...]
    pins: tuple[Pin, ...] = ()
    bands: tuple[Band, ...] = ()
    expected: Expected | None = None

    @property
    def marked(self) -> bool:
        """Whether there is more to draw than the series."""
        return bool(self.pins or self.bands or self.expected)

    @property
    def reach(self) -> tuple[float, float]:
        """The lowest and the highest that is drawn, the expected range too."""
        return (self.low, self.high) if self.expected is None else self.expected.within(self.low, self.high)

    def legend(self, most: int = MAX_BANDS) -> list[str]:
        """What letters, numbers and the area mean: a line each, of at most `most` unusual stretches.

        Many letters share their lines, so that the words take no more room than the picture.
        """
        pins = [pin.said for pin in self.pins]
        pins = pins if len(pins) <= _MOST_LINES else [" · ".join(pins)]
        more = len(self.bands) - most
        said = [*(band.said for band in self.bands[:most]), *([f"{more} more"] if more > 0 else [])]
        bands = [f"unusual: {' · '.join(said)}"] if said else []
        return [*bands, *pins, *(["area: what would have been normal"] if self.expected else [])]


def drawing(
    frame: pd.DataFrame,
    *,
    unit: str,
    title: str,
    zone: str,
    notes: Sequence[str] = (),
    events: pd.DataFrame | None = None,
    anomalies: pd.DataFrame | None = None,
    expected: pd.DataFrame | None = None,
) -> Drawing | None:
    """Choose what to draw; None when the frame holds no number."""
    series, said = _lines_of(frame)
    drawable, omitted = _drawable(series)
    if not drawable:
        return None
    said += omitted
    bars = all(len(one.values) == 1 for one in drawable)
    found = [] if bars else found_in(anomalies, unit)
    chosen = _chosen(drawable, found, bars=bars)
    said += _left_out(len(chosen), len(drawable), bars=bars)
    lines, thinning = _all_points(chosen) if bars else _points(chosen)
    said += thinning
    common = selector(common_labels(drawable))
    names = short_names(chosen, length=_NAME_LENGTH)
    drawn = [
        Drawn(name, selector(one.identity), line, float(line.values[np.isfinite(line.values)][-1]))
        for name, one, line in zip(names, chosen, lines, strict=True)
    ]
    times = np.concatenate([line.timestamps_ns for line in lines])
    values = np.concatenate([line.values for line in lines])
    content = Drawing(
        kind="bars" if bars else "lines",
        title=clip(title, _TITLE_LENGTH) or common or "value",
        common=common if title and common != one_line(title) else "",
        key=" · ".join(differing_labels(chosen)),
        unit=unit,
        zone=zone,
        series=tuple(sorted(drawn, key=lambda one: -one.last)),
        total=len(series),
        start_ms=int(times.min()) // MS,
        end_ms=-(-int(times.max()) // MS),
        low=float(np.nanmin(values)),
        high=float(np.nanmax(values)),
        notes=(*(one_line(note) for note in notes), *said),
    )
    if bars:
        return content
    alone = short_names(series)[0] if len(series) == 1 else ""
    return _with_marks(content, found, events, expected_of(expected, alone) if alone else None)


def _with_marks(
    content: Drawing, found: Sequence[Found], events: pd.DataFrame | None, expected: Expected | None
) -> Drawing:
    """The drawing with events, unusual stretches and what would have been normal, as far as they lie in its time."""
    pins, left_out = pins_of(event_marks(events), content.start_ms, content.end_ms, content.zone)
    bands = bands_in(found, content.start_ms, content.end_ms, content.zone, named=content.total > 1)
    return replace(content, pins=pins, bands=bands, expected=expected, notes=(*content.notes, *left_out))


def _lines_of(frame: pd.DataFrame) -> tuple[list[Series], list[str]]:
    series = split_series(frame)
    if not histograms.has_histograms(frame):
        return series, []
    holds = frame["histogram"].notna().to_numpy()
    native = [one for one in series if holds[one.rows].any()]
    shown = _QUANTILES if len(native) <= _FEW_HISTOGRAMS else {"p95": _QUANTILES["p95"]}
    estimates = {name: histograms.quantile(frame, share) for name, share in shown.items()}
    floats = [_kept(one, ~holds[one.rows]) for one in series if not holds[one.rows].all()]
    spread = [
        replace(one, labels={**one.labels, _free("quantile", one): name}, values=values[one.rows])
        for one in (_kept(one, holds[one.rows]) for one in native)
        for name, values in estimates.items()
    ]
    percents = " and ".join(name.removeprefix("p") + "th" for name in shown).replace(" and ", ", ", len(shown) - 2)
    drawn = f"drawn are the {percents} percentiles" if len(shown) > 1 else f"drawn is the {percents} percentile"
    return floats + spread, [f"native histograms: {drawn}, estimated from the buckets"]


def _kept(series: Series, keep: Array) -> Series:
    return replace(series, timestamps_ns=series.timestamps_ns[keep], values=series.values[keep], rows=series.rows[keep])


def _free(name: str, series: Series) -> str:
    return name if name not in series.labels else _free(f"{name}_", series)


def _drawable(series: Sequence[Series]) -> tuple[list[Series], list[str]]:
    values = np.concatenate([one.values for one in series]) if series else np.empty(0)
    nan, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    huge = int((np.abs(values[np.isfinite(values)]) > LARGEST).sum())
    said = []
    if nan:
        what = "is not a number" if nan == 1 else "are not numbers"
        said.append(f"{nan:,} of {count_text(len(values), 'value')} {what} (NaN) and left out")
    if infinite:
        said.append(f"{infinite:,} of {count_text(len(values), 'value')} {_are(infinite)} infinite and left out")
    if huge:
        said.append(f"{count_text(huge, 'value')} beyond ±8e307 {_are(huge)} left out")
        series = [replace(one, values=np.where(np.abs(one.values) > LARGEST, np.nan, one.values)) for one in series]
    drawable = [one for one in series if np.isfinite(one.values).any()]
    if 0 < len(drawable) < len(series):
        said.append(f"{count_text(len(series) - len(drawable), 'series', 'series')} without any number left out")
    return drawable, said


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _chosen(series: Sequence[Series], found: Sequence[Found], *, bars: bool) -> list[Series]:
    """Those with the gravest anomalies, then the most interesting of the others; order is kept."""
    most = MAX_BARS if bars else MAX_SERIES
    wanted = {one.series for one in found} if len(series) > most else set()
    if not wanted:
        return _most_interesting(series, most, bars=bars)
    ranks = {name: rank for rank, name in reversed(list(enumerate(one.series for one in found)))}
    names = short_names(series)
    odd = sorted((ranks[name], place) for place, name in enumerate(names) if name in wanted)[:most]
    places = {place for _, place in odd}
    rest = [place for place in range(len(series)) if place not in places]
    others = {id(one) for one in _most_interesting([series[place] for place in rest], most - len(places), bars=bars)}
    return [one for place, one in enumerate(series) if place in places or id(one) in others]


def _most_interesting(series: Sequence[Series], most: int, *, bars: bool) -> list[Series]:
    """The series that move furthest from their own median, and those that reach highest, half each; order is kept."""
    if len(series) <= most:
        return list(series)
    finite = [one.values[np.isfinite(one.values)] for one in series]
    peaks = np.array([np.abs(values).max() for values in finite])
    moves = np.array([np.abs(values - np.median(values)).max() for values in finite])
    by_peak = np.argsort(-peaks, kind="stable").tolist()
    by_move = [] if bars else np.argsort(-moves, kind="stable").tolist()[: most // 2]
    picked = list(dict.fromkeys([*by_move, *by_peak]))[:most]
    return [series[number] for number in sorted(picked)]


def _left_out(drawn: int, total: int, *, bars: bool) -> list[str]:
    if drawn == total:
        return []
    which = "the largest" if bars else "those that move or reach furthest"
    return [f"{drawn} of {total:,} series drawn, {which}; the frame holds all"]


def _all_points(series: Sequence[Series]) -> tuple[list[Line], list[str]]:
    return [Line(one.timestamps_ns, one.values) for one in series], []


def _points(series: Sequence[Series]) -> tuple[list[Line], list[str]]:
    """Every point where there are few, else the lowest and the highest of each stretch of time."""
    total = sum(len(one.values) for one in series)
    budget = min(2 * MAX_STRETCHES, MAX_POINTS // len(series))
    if all(len(one.values) <= budget for one in series):
        return [whole(one.timestamps_ns, one.values) for one in series], []
    span = max(int(one.timestamps_ns[-1]) for one in series) - min(int(one.timestamps_ns[0]) for one in series)
    stretch = stretch_ns(span, budget // 2)
    lines = [thinned(one.timestamps_ns, one.values, stretch) for one in series]
    return lines, [f"showing the min/max of each {seconds_text(stretch / 1e9)} of {count_text(total, 'point')}"]
