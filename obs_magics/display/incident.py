"""Parts of an incident's panel: what moved, with small charts, and what changed before, nearest first."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from obs_magics.display import markup
from obs_magics.display.downsample import Array
from obs_magics.display.inline import inline
from obs_magics.display.panel import Section
from obs_magics.display.text import sparkline
from obs_magics.display.theme import PALETTE
from obs_magics.display.timeline.rows import since
from obs_magics.display.times import clock, days_and_zone, several_days
from obs_magics.display.traces import grid
from obs_magics.display.traces.grid import Column
from obs_magics.display.traces.style import STYLE
from obs_magics.display.units import count_text, format_value
from obs_magics.display.visible import short

WIDTH, HEIGHT = 150, 26
_COLUMNS, _TEXT_COLUMNS = 75, 24
_MOST_MOVED, _MOST_CHANGES = 30, 40
_NAME, _TITLE = 60, 160
_BAD, _LINE = PALETTE[1], PALETTE[0]

STYLE_SHEET = f"""{STYLE}
.obs-magics .obs-spark{{display:block}}
.obs-magics .obs-moved th:nth-child(3){{width:{WIDTH}px}}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A measure of a service and how it went.

    Args:
        service: Whose.
        title: What it is: `p99 latency`.
        unit: UCUM.
        times_ns: int64, in order; all of one table share a stretch of time.
        values: float64.
        usual: What was usual; None when that is not known.
        value: What it was afterwards.
        start_ns: Since when; None when it did not move.
        end_ns: When it was back to usual; None when it was not.
        bad: Whether it moved the way that is bad.
    """

    service: str
    title: str
    unit: str
    times_ns: Array
    values: Array
    usual: float | None = None
    value: float | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Something that was changed.

    Args:
        at_ns: When.
        distance: How many calls lie between it and the service; None when none is known.
        where: The same in words: `the service itself`, `it calls`, `calls it`.
        service: What was changed; empty for nothing in particular.
        what: Kind, in words.
        title: In full.
    """

    at_ns: int
    distance: int | None
    where: str
    service: str
    what: str
    title: str


def moved_table(
    rows: Sequence[Moved], *, span_ns: tuple[int, int], onset_ns: int, zone: str, title: str = "How it went"
) -> Section:
    """A line per measure: a small chart with the onset, what was usual, what it became, since when and until when.

    Args:
        rows: The service's own first; at most thirty are shown.
        span_ns: The stretch of time of all small charts.
        onset_ns: When the incident began: the upright line in each.
        zone: In which times are written.
        title: What stands above.
    """
    shown = rows[:_MOST_MOVED]
    start, end = (clock(edge, zone, day=several_days(*span_ns, zone)) for edge in span_ns)
    about = f"{days_and_zone(*span_ns, zone)}; each chart from {start} to {end}, ┊ is the onset"
    more = f"and {count_text(len(rows) - len(shown), 'more measure')}" if len(rows) > len(shown) else ""
    columns = _moved_columns(shown, span_ns, onset_ns, zone)
    return _section(title, about, columns, more, "obs-moved")


def _moved_columns(rows: Sequence[Moved], span_ns: tuple[int, int], onset_ns: int, zone: str) -> list[Column]:
    names = ["" if place and one.service == rows[place - 1].service else one.service for place, one in enumerate(rows)]
    titles = [f"{'▲ ' if one.bad else ''}{short(one.title, _NAME)}" for one in rows]
    bins = [_binned(one, span_ns) for one in rows]
    numbers = [(_number(one.usual, one), _number(one.value, one)) for one in rows]
    day = several_days(*span_ns, zone)
    ends = [_until(one, zone, day=day) for one in rows]
    sparks = [_svg(one, values, span_ns, onset_ns) for one, values in zip(rows, bins, strict=True)]
    return [
        Column("service", [inline(name, _NAME).html for name in names], [short(name, 22) for name in names]),
        Column("measure", [_strong(text, one) for text, one in zip(titles, rows, strict=True)], titles),
        Column("", sparks, [_text_spark(values) for values in bins], rank=1),
        grid.numbers("usual", [usual for usual, _ in numbers]),
        grid.numbers("then", [then for _, then in numbers]),
        grid.numbers("since", [_clock(one.start_ns, zone, day=day) for one in rows]),
        grid.numbers("until", ends, rank=2),
    ]


def _strong(text: str, one: Moved) -> str:
    return markup.element("strong", markup.text(text)) if one.bad else markup.text(text)


def _number(value: float | None, one: Moved) -> str:
    return "" if value is None else format_value(value, one.unit)


def _until(one: Moved, zone: str, *, day: bool) -> str:
    return "not yet" if one.start_ns is not None and one.end_ns is None else _clock(one.end_ns, zone, day=day)


def _clock(ns: int | None, zone: str, *, day: bool) -> str:
    return "" if ns is None else clock(ns, zone, day=day)


def _binned(one: Moved, span_ns: tuple[int, int]) -> Array:
    """Of each column the value furthest from what is usual; NaN where there is none."""
    start, end = span_ns
    there = np.isfinite(one.values) & (one.times_ns >= start) & (one.times_ns <= end)
    times, values = one.times_ns[there], one.values[there]
    bins = np.full(_COLUMNS, np.nan)
    if not len(values):
        return bins
    usual = float(np.median(values)) if one.usual is None else one.usual
    cells = np.minimum((times - start) * _COLUMNS // max(end - start, 1), _COLUMNS - 1).astype(np.int64)
    order = np.argsort(np.abs(values - usual), kind="stable")
    bins[cells[order]] = values[order]
    return bins


def _text_spark(bins: Array) -> str:
    parts = np.array_split(bins, _TEXT_COLUMNS)
    high = np.array([np.nan if np.isnan(part).all() else float(np.nanmax(part)) for part in parts])
    return sparkline(high, high)


def _svg(one: Moved, bins: Array, span_ns: tuple[int, int], onset_ns: int) -> str:
    """The measure as a line in the colour of the text around, the onset as an upright one."""
    known = bins[np.isfinite(bins)]
    if not len(known):
        return ""
    low, high = min(float(known.min()), 0.0 if known.min() >= 0 else float(known.min())), float(known.max())
    size = (high - low) or 1.0
    step = WIDTH / _COLUMNS
    points = [
        f"{(place + 0.5) * step:.4g},{HEIGHT - 2 - (HEIGHT - 4) * (value - low) / size:.4g}"
        for place, value in enumerate(bins.tolist())
        if np.isfinite(value)
    ]
    x = WIDTH * (onset_ns - span_ns[0]) / max(span_ns[1] - span_ns[0], 1)
    colour = _BAD if one.bad else _LINE
    said = f"{short(one.service, _NAME)} {short(one.title, _NAME)}: {_text_spark(bins)}"
    return (
        f'<svg class="obs-spark" role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>{markup.text(said)}</title>"
        f'<path d="M{x:.4g},0V{HEIGHT}" stroke="currentColor" stroke-dasharray="2 2" opacity=".6" fill="none"/>'
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="1.5"/></svg>'
    )


def changes_table(rows: Sequence[Changed], *, onset_ns: int, zone: str, title: str = "What changed") -> Section:
    """Changes, those before the onset first, the nearest on the call graph and in time first.

    Args:
        rows: In any order; at most forty are shown.
        onset_ns: When the incident began.
        zone: In which times are written.
        title: What stands above.
    """
    ordered = sorted(rows, key=lambda one: (one.at_ns > onset_ns, *_nearness(one, onset_ns)))
    shown = ordered[:_MOST_CHANGES]
    before = sum(one.at_ns <= onset_ns for one in rows)
    about = (
        f"{before} before the onset, {len(rows) - before} after; the nearest first" if rows else "nothing is recorded"
    )
    more = f"and {count_text(len(ordered) - len(shown), 'more change')}" if len(ordered) > len(shown) else ""
    times = [onset_ns, *(one.at_ns for one in shown)]
    day = several_days(min(times), max(times), zone)
    columns = [
        grid.numbers("from onset", [since(one.at_ns, onset_ns) for one in shown]),
        grid.numbers("time", [clock(one.at_ns, zone, day=day) for one in shown], rank=1),
        Column("where", [markup.text(one.where) for one in shown], [one.where for one in shown], rank=2),
        Column(
            "service", [inline(one.service, _NAME).html for one in shown], [short(one.service, 22) for one in shown]
        ),
        Column("what", [markup.text(one.what) for one in shown], [one.what for one in shown]),
        Column(
            "change",
            [_title(one, onset_ns) for one in shown],
            [f"{'' if one.at_ns <= onset_ns else '(after) '}{short(_bare(one), _TITLE)}" for one in shown],
            "name",
        ),
    ]
    return _section(title, about, columns if shown else [], more, "obs-changes")


def _title(one: Changed, onset_ns: int) -> str:
    text = inline(_bare(one), _TITLE).html
    return text if one.at_ns <= onset_ns else f'<span class="obs-quiet">{text} (after the onset)</span>'


def _bare(one: Changed) -> str:
    return one.title.removeprefix(f"{one.service}@") if one.service else one.title


def _nearness(one: Changed, onset_ns: int) -> tuple[int, int, str, str]:
    return (99 if one.distance is None else one.distance, abs(one.at_ns - onset_ns), one.service, one.title)


def _section(title: str, about: str, columns: list[Column], more: str, css: str) -> Section:
    return Section(
        partial(_html, title, about, columns, more, css), partial(_text, title, about, columns, more), STYLE_SHEET
    )


def _html(title: str, about: str, columns: list[Column], more: str, css: str) -> str:
    over = f"{markup.text(title)} {markup.element('span', markup.text(about), 'obs-quiet')}"
    table = grid.table_html(columns) if columns and columns[0].text else ""
    under = markup.element("p", markup.text(more), "obs-quiet") if more else ""
    return markup.element("div", markup.element("div", over, "obs-over") + table + under, f"obs-traces {css}")


def _text(title: str, about: str, columns: list[Column], more: str, width: int) -> str:
    lines = textwrap.wrap(f"{title} {about}", width, subsequent_indent="  ")
    lines += grid.table_text(columns, width) if columns and columns[0].text else []
    return "\n".join([*lines, *([more] if more else [])])
