"""The table of events: when, what, where, and until when; the newest last."""

from __future__ import annotations

from functools import partial

import pandas as pd

from obs_magics.display import markup
from obs_magics.display.clock import MS, at
from obs_magics.display.events.strip_text import ICONS
from obs_magics.display.inline import inline
from obs_magics.display.marks import event_word
from obs_magics.display.panel import Section
from obs_magics.display.times import days_and_zone
from obs_magics.display.traces import grid
from obs_magics.display.traces.grid import Column
from obs_magics.display.traces.style import STYLE as TABLES
from obs_magics.display.units import count_text, seconds_text
from obs_magics.display.visible import short
from obs_magics.model.events import ONGOING, Event, events_of

MOST_ROWS = 50
_TITLE, _NAME, _URL = 200, 60, 2000
_STYLE = f"""{TABLES}
.obs-magics .obs-events :is(th,td):first-child{{white-space:nowrap}}
.obs-magics .obs-events td:nth-child(2){{white-space:nowrap}}"""


def event_table(frame: pd.DataFrame, *, zone: str = "UTC", title: str = "Events", limit: int = MOST_ROWS) -> Section:
    """The rows of an events frame in order of time.

    Args:
        frame: An events frame (`model.events`).
        zone: IANA name of the zone in which times are written.
        title: What stands above.
        limit: At most this many rows, the newest.
    """
    events = events_of(frame)
    shown = events[-limit:]
    head, about, columns = short(title, _NAME), _about(events, shown, zone), _columns(shown, zone) if shown else []
    return Section(
        partial(_html, head, about, columns), lambda width: grid.section_text(head, about, columns, (), width), _STYLE
    )


def _about(events: list[Event], shown: list[Event], zone: str) -> str:
    if not events:
        return "there are none"
    left = f"the newest {len(shown):,} of " if len(shown) < len(events) else ""
    return f"{left}{count_text(len(events), 'event')}; {days_and_zone(shown[0].start_ns, shown[-1].start_ns, zone)}"


def _columns(events: list[Event], zone: str) -> list[Column]:
    home = events[-1].start_ns
    marked = [f"{ICONS[one.kind]} {event_word(one.kind)}" for one in events]
    columns = [
        grid.numbers("time", [_clock(one.start_ns, zone, home) for one in events]),
        # in a terminal the icon alone: the strip above names them, and titles need the room
        Column("what", [markup.text(text) for text in marked], [ICONS[one.kind] for one in events]),
        _texts("service", [one.service for one in events], 22),
        Column("event", [_title(one) for one in events], [short(one.title, _TITLE) or "–" for one in events], "name"),
    ]
    if any(one.version for one in events):
        columns.append(_texts("version", [one.version for one in events], 14, rank=2))
    if any(one.severity for one in events):
        columns.append(_texts("severity", [one.severity for one in events], 10, rank=3))
    lasted = [_lasted(one) for one in events]
    if any(lasted):
        columns.append(Column("lasted", [markup.text(text) for text in lasted], lasted, "number", 1))
    columns.append(_texts("source", [one.source for one in events], 14, rank=4))
    return columns


def _texts(title: str, values: list[str], width: int, *, rank: int = 0) -> Column:
    html = [inline(value, _NAME).html if value else "" for value in values]
    return Column(title, html, [short(value, width) for value in values], rank=rank)


def _title(event: Event) -> str:
    """The title; a link where the event has an address that may become one."""
    if event.url and len(event.url) <= _URL and markup.is_link(event.url):
        return markup.link(event.url, short(event.title, _TITLE) or "–")
    return inline(event.title, _TITLE).html if event.title else "–"


def _lasted(event: Event) -> str:
    if event.end_ns is not None:
        return seconds_text(max(event.end_ns - event.start_ns, 0) / 1e9)
    return "goes on" if event.kind in ONGOING else ""


def _clock(ns: int, zone: str, home_ns: int) -> str:
    """The time, with its day where that is another than that of the newest."""
    moment = at(ns // MS, zone)
    other = moment.date() != at(home_ns // MS, zone).date()
    return f"{moment.day} {moment:%b} {moment:%H:%M:%S}" if other else f"{moment:%H:%M:%S}"


def _html(head: str, about: str, columns: list[Column]) -> str:
    over = f"{markup.text(head)} {markup.element('span', markup.text(about), 'obs-quiet')}"
    table = grid.table_html(columns) if columns else ""
    return markup.element("div", markup.element("div", over, "obs-over") + table, "obs-traces obs-events")
