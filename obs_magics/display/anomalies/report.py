"""What is unusual, one by one: against what was normal, since when, how severe, how found, after what, what next."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from obs_magics.display import markup, times
from obs_magics.display import severity as severities
from obs_magics.display.anomalies.causes import MAX_CAUSES, causes_of
from obs_magics.display.anomalies.found import Found, found_in, length_text
from obs_magics.display.anomalies.style import STYLE
from obs_magics.display.clock import MS, zone_text
from obs_magics.display.inline import inline
from obs_magics.display.panel import Section
from obs_magics.display.text import cut, safe
from obs_magics.display.units import count_text, format_value
from obs_magics.display.visible import short

WHOLE, MAX_ROWS = 5, 25
"""How many are told in full, and how many at all."""
_METHOD, _CODE, _MAX_CELLS = 200, 600, 5
_LABEL = 12


@dataclass(frozen=True, slots=True)
class _Entry:
    """One anomaly with all that is told of it."""

    found: Found
    facts: tuple[tuple[str, str], ...]
    causes: tuple[str, ...]
    more: str
    cells: tuple[str, ...]
    head: str


def anomaly_report(
    anomalies: pd.DataFrame,
    *,
    now_ns: int,
    unit: str | Mapping[str, str] = "",
    correlated: pd.DataFrame | None = None,
    current: Mapping[tuple[str, str], float] | None = None,
    cells: Mapping[int, Sequence[str]] | None = None,
    zone: str = "UTC",
    limit: int = MAX_ROWS,
) -> Section:
    """Each anomaly in the shape of a report, the most severe first: five in full, of the others a line.

    Args:
        anomalies: See `model.anomalies`.
        now_ns: What counts as now, in nanoseconds since the epoch.
        unit: Of all series, or of each by its metric or its short name; UCUM as OpenTelemetry writes it.
        correlated: Events that came shortly before, as `causes.causes_of` takes them.
        current: The last value of each series, by metric and short name.
        cells: Ready code for the next cells, by the row of the anomalies frame.
        zone: IANA name of the zone in which times are written.
        limit: At most so many.
    """
    found = found_in(anomalies, unit)
    shown = found[: max(1, limit)]
    day = any(times.several_days(one.start_ns, max(one.end_ns, now_ns), zone) for one in found)
    entries = []
    for one in shown:
        causes = [cause.said(zone, day=day) for cause in causes_of(one, correlated)]
        started = _started(one, now_ns, zone, day=day)
        own = (cells or {}).get(one.row, ())
        entries.append(_entry(one, started, causes, own, now=(current or {}).get(one.key, math.nan)))
    more = len(found) - len(shown)
    under = [f"and {count_text(more, 'more anomaly', 'more anomalies')}; the frame has all"] if more > 0 else []
    return Section(partial(_html, entries, under), partial(_in_characters, entries, under), STYLE)


def _entry(found: Found, started: str, causes: Sequence[str], cells: Sequence[str], *, now: float) -> _Entry:
    facts = {
        "metric": found.metric or (found.series if found.series != found.service else ""),
        "service": found.service,
        "value": f"{found.against_normal()}{_now(found, now)}",
        "started": started,
        "severity": f"{severities.mark(found.severity)} ({severities.kind_word(found.kind)})",
        "found by": short(found.method, _METHOD),
    }
    left = len(causes) - MAX_CAUSES
    return _Entry(
        found=found,
        facts=tuple((name, text) for name, text in facts.items() if text),
        causes=tuple(causes[:MAX_CAUSES]),
        more=f"and {left:,} more, less likely" if left > 0 else "",
        cells=tuple(cell for cell in cells if len(cell) <= _CODE)[:_MAX_CELLS],
        head=f"{found.number} {found.marked}: {found.what}",
    )


def _now(found: Found, value: float) -> str:
    """The value at the end, where that is another one."""
    if math.isnan(value):
        return ""
    said = format_value(value, found.unit)
    return f"; now {said}" if said != format_value(found.value, found.unit) else ""


def _started(found: Found, now_ns: int, zone: str, *, day: bool) -> str:
    """When it began and how long ago, and whether it is over."""
    where = zone_text(found.start_ns // MS, found.start_ns // MS, zone)
    ago = found.ago(now_ns)
    began = f"{times.clock(found.start_ns, zone, day=day)} {where}{f', {ago}' if ago else ''}"
    if found.ongoing:
        return f"{began}; still going on"
    lasted = (found.end_ns - found.start_ns) / 1e9
    return (
        f"{began}; over at {times.clock(found.end_ns, zone, day=day)}, after {length_text(lasted)}" if lasted else began
    )


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _html(entries: Sequence[_Entry], under: Sequence[str]) -> str:
    whole = "".join(_whole_html(entry) for entry in entries[:WHOLE])
    rest = "".join(markup.element("li", _bounded(_line(entry))) for entry in entries[WHOLE:])
    notes = "".join(markup.element("p", markup.text(note), "obs-quiet") for note in under)
    return markup.element("div", f"{whole}{markup.element('ul', rest) if rest else ''}{notes}", "obs-odds")


def _whole_html(entry: _Entry) -> str:
    facts = "".join(
        markup.element("dt", markup.text(name)) + markup.element("dd", _bounded(text)) for name, text in entry.facts
    )
    if entry.causes:
        listed = markup.element("ol", "".join(markup.element("li", _bounded(cause)) for cause in entry.causes))
        more = markup.element("div", markup.text(entry.more), "obs-quiet") if entry.more else ""
        facts += markup.element("dt", "just before") + markup.element("dd", listed + more)
    look = "".join(markup.element("pre", markup.text(cell)) for cell in entry.cells)
    opens = " open" if entry.found.number == 1 else ""
    steps = f"<details{opens}>{markup.element('summary', 'look into it')}{look}</details>" if look else ""
    head = markup.element("div", _bounded(entry.head), "obs-over")
    css = f"obs-odd-one obs-s-{entry.found.severity}"
    return markup.element("div", f"{head}{markup.element('dl', facts, 'obs-facts')}{steps}", css)


def _bounded(text: str) -> str:
    return inline(text, 2 * _CODE).html


def _line(entry: _Entry) -> str:
    facts = dict(entry.facts)
    return f"{entry.head}, {facts['value']}, started {facts['started']}"


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _in_characters(entries: Sequence[_Entry], under: Sequence[str], width: int) -> str:
    lines: list[str] = []
    for place, entry in enumerate(entries):
        if place < WHOLE:
            lines += [*([""] if place else []), *_whole_text(entry, width)]
        else:
            lines += [*([""] if place == WHOLE else []), *_wrapped(_line(entry), width)]
    lines += [line for note in under for line in _wrapped(note, width)]
    return "\n".join(lines)


def _whole_text(entry: _Entry, width: int) -> list[str]:
    lines = _wrapped(entry.head, width)
    for name, text in entry.facts:
        lines += _labelled(name, text, width)
    for place, cause in enumerate([*entry.causes, *([entry.more] if entry.more else [])]):
        lines += _labelled("" if place else "just before", cause, width)
    for place, cell in enumerate(entry.cells):
        lines += [f"  {'' if place else 'look into it':<{_LABEL}} {safe(line)}" for line in cell.split("\n")]
    return lines


def _labelled(name: str, text: str, width: int) -> list[str]:
    indent = " " * (_LABEL + 3)
    wrapped = textwrap.wrap(safe(text), max(20, width - len(indent)), break_on_hyphens=False) or [""]
    return [cut(f"  {name:<{_LABEL}} {wrapped[0]}", width), *(cut(f"{indent}{line}", width) for line in wrapped[1:])]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(safe(text), width, subsequent_indent="  ", break_on_hyphens=False)
