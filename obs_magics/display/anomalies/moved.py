"""What moved together: the rows of a correlation as a reader takes them, as small charts and as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from obs_magics.display import markup
from obs_magics.display.anomalies.found import NAME_LENGTH, bands_in, found_in, length_text, plain_name
from obs_magics.display.anomalies.lines import few_points, has_numbers, thinning
from obs_magics.display.anomalies.stack import Lane, Stack, span_of, stack_chart
from obs_magics.display.anomalies.style import STYLE
from obs_magics.display.bands import expected_of
from obs_magics.display.chart import Chart
from obs_magics.display.marks import event_marks, pins_of
from obs_magics.display.panel import Section
from obs_magics.display.theme import PALETTE
from obs_magics.display.traces import grid, words
from obs_magics.display.traces.grid import Column, numbers
from obs_magics.display.units import count_text, plain, round_digits
from obs_magics.display.visible import short
from obs_magics.model.series import short_names, split_series

MAX_LANES, MAX_ROWS = 6, 25
_TARGET, _OTHER = 110, 52  # pixels
_LEAST_P = 0.001
_ABOUT = "(correlation at the lag that fits best; q: the share of such finds that would be chance)"
_ARROWS = {True: ("↑↑", "the same way"), False: ("↑↓", "the opposite way")}
_TITLE = 100


@dataclass(frozen=True, slots=True)
class Moved:
    """A series that moved with the target.

    Args:
        series: Its short name.
        correlation: Between −1 and 1, at the lag that fits best.
        lag_seconds: How long after the target it moves; negative: before it.
        q_value: The share of findings at least as strong that chance alone would make.
    """

    series: str
    correlation: float
    lag_seconds: float
    q_value: float

    def said(self) -> str:
        """In words: "↑↑ the same way, correlation 0.93, 2 min before"."""
        arrow, way = _ARROWS[self.correlation >= 0]
        return f"{arrow} {way}, correlation {plain(round_digits(self.correlation, 2))}, {self.when()}"

    def when(self) -> str:
        """Before, with or after the target."""
        if not self.lag_seconds:
            return "at the same time"
        length = length_text(abs(self.lag_seconds))
        return f"{length} {'after' if self.lag_seconds > 0 else 'before'}"


def moved_in(correlated: pd.DataFrame | None) -> list[Moved]:
    """The rows of a correlation frame, in their order."""
    if correlated is None or correlated.empty:
        return []
    lags = correlated["lag"].dt.total_seconds()
    columns = (correlated["series"], correlated["correlation"], lags, correlated["q_value"])
    return [Moved(str(name), float(rho), float(lag), float(q)) for name, rho, lag, q in zip(*columns, strict=True)]


def correlation_strip(
    frame: pd.DataFrame,
    target: str,
    correlated: pd.DataFrame,
    *,
    unit: str | Mapping[str, str] = "",
    anomalies: pd.DataFrame | None = None,
    expected: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    title: str = "",
    zone: str = "UTC",
    notes: Sequence[str] = (),
    limit: int = MAX_LANES,
) -> Chart | None:
    """The target at the top, and below it, aligned in time, what moved with it; None where the target has no number.

    Args:
        frame: A metrics frame with the target and the others.
        target: The short name of the series in question.
        correlated: `series`, `correlation`, `lag` (after the target), `q_value`; what moved most first.
        unit: Of all series, or of each by its metric or its short name; UCUM as OpenTelemetry writes it.
        anomalies: What is unusual; shaded in every series in which it is.
        expected: What would have been normal of the target.
        events: An events frame; its rows are marked.
        title: The question.
        zone: IANA name of the zone in which times are written.
        notes: Sentences without a full stop that the reader must see with the picture.
        limit: At most so many series below the target; of more, the picture says how many.
    """
    series = split_series(frame)
    by_name = {name: one for name, one in zip(short_names(series), series, strict=True) if has_numbers(one)}
    if target not in by_name:
        return None
    moved = [one for one in moved_in(correlated) if one.series in by_name and one.series != target]
    shown = moved[: max(1, limit)]
    names, about = [target, *(one.series for one in shown)], ["", *(one.said() for one in shown)]
    lines = [few_points(by_name[name]) for name in names]
    start, end = span_of([line for line, _ in lines])
    pins, left_out = pins_of(event_marks(events), start, end, zone)
    found = found_in(anomalies, unit)
    lanes = [
        Lane(
            name=plain_name(name),
            about=said,
            line=line,
            unit=unit if isinstance(unit, str) else unit.get(name, unit.get(by_name[name].metric, "")),
            bands=bands_in([one for one in found if one.series == name], start, end, zone),
            height=_OTHER,
            colour=PALETTE[2],
        )
        for name, said, (line, _) in zip(names, about, lines, strict=True)
    ]
    lanes[0] = replace(lanes[0], height=_TARGET, colour=PALETTE[0], expected=expected_of(expected, target))
    return stack_chart(
        Stack(
            title=short(title, _TITLE) or f"what moved with {plain_name(target)}",
            sentences=(f"{count_text(len(moved), 'series', 'series')} moved with {plain_name(target)}",),
            lanes=tuple(lanes),
            pins=pins,
            start_ms=start,
            end_ms=end,
            zone=zone,
            notes=(*_left_out(shown, moved), *thinning([stretch for _, stretch in lines]), *notes, *left_out),
        )
    )


def _left_out(shown: Sequence[Moved], moved: Sequence[Moved]) -> list[str]:
    if len(shown) == len(moved):
        return []
    return [f"{len(shown)} of {len(moved)} series that moved with it drawn"]


def correlation_table(correlated: pd.DataFrame, *, limit: int = MAX_ROWS) -> Section:
    """What moved with the target, as a table: how much, which way, when, and how likely chance did it.

    Args:
        correlated: As `correlation_strip` takes it.
        limit: At most so many rows.
    """
    moved = moved_in(correlated)
    shown = moved[: max(1, limit)]
    columns = _columns(shown) if shown else []
    about = _ABOUT if shown else "– nothing that chance would not do"
    more = len(moved) - len(shown)
    under = [f"and {count_text(more, 'more row')}"] if more > 0 else []
    head = "What moved with it"
    return Section(
        partial(grid.section_html, head, about, columns, under),
        partial(grid.section_text, head, about, columns, under),
        STYLE,
    )


def _columns(moved: Sequence[Moved]) -> list[Column]:
    names = [plain_name(one.series) for one in moved]
    shares = [abs(one.correlation) for one in moved]
    said = [f"{_ARROWS[one.correlation >= 0][0]} {plain(round_digits(one.correlation, 2))}" for one in moved]
    return [
        Column("series", [words.bounded(name, NAME_LENGTH) for name in names], names, "name"),
        Column("correlation", grid.pairs(grid.bar(shares), said), said),
        Column("when", *_twice([one.when() for one in moved])),
        numbers("q", [_chance(one.q_value) for one in moved], rank=1),
    ]


def _twice(texts: Sequence[str]) -> tuple[list[str], Sequence[str]]:
    return [markup.text(text) for text in texts], texts


def _chance(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"<{_LEAST_P}" if value < _LEAST_P else plain(round_digits(value, 2))
