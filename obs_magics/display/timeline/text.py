"""A timeline in characters: a line per row in order of time, the moments of the incident between them."""

from __future__ import annotations

import textwrap

from obs_magics.display.clock import MS, at, offset_text
from obs_magics.display.text import columns_of, cut, pad, safe
from obs_magics.display.timeline.rows import EVERYONE, MOMENT_WORDS, Item, Pictured, in_order, since
from obs_magics.display.times import days_and_zone
from obs_magics.display.visible import short

_WORD, _LANE = 13, 22


def timeline_text(picture: Pictured, width: int) -> str:
    """The picture's rows, at most `width` columns wide."""
    head = f"{picture.title}; {days_and_zone(picture.start_ns, picture.end_ns, picture.zone)}"
    lines = [*textwrap.wrap(safe(head), width)]
    lane = min(_LANE, max((columns_of(_lane(one)) for one in picture.items), default=0))
    rows = [(one.at_ns, 1, one.row, _row(picture, one, lane)) for one in picture.items]
    rows += [
        (one.at_ns or 0, 0 if one.moment == "onset" else 2, place, _moment(picture, place))
        for place, one in enumerate(in_order(picture.milestones))
    ]
    for _, _, _, row in sorted(rows, key=lambda row: row[:3]):
        lines.append(cut(safe(row), width))
    for note in picture.notes:
        lines += textwrap.wrap(f"· {safe(note)}", width, subsequent_indent="  ")
    return "\n".join(lines)


def when(ns: int, zone: str, picture: Pictured) -> str:
    """A time to the second, with its day where that is another than the picture's."""
    moment = at(ns // MS, zone)
    other = moment.date() != at(picture.start_ns // MS, zone).date()
    return f"{moment.day:>2} {moment:%b} {moment:%H:%M:%S}" if other else f"{moment:%H:%M:%S}"


def _lane(item: Item) -> str:
    return "" if item.lane == EVERYONE else short(item.lane, _LANE)


def _row(picture: Pictured, item: Item, lane: int) -> str:
    distance = "" if picture.onset_ns is None else pad(since(item.at_ns, picture.onset_ns), 12, right=True)
    utc = "" if offset_text(item.at_ns // MS, picture.zone) == "UTC" else f" {at(item.at_ns // MS, 'UTC'):%H:%M:%S}Z"
    until = " (still going on)" if item.ongoing else ""
    parts = (f"{when(item.at_ns, picture.zone, picture)}{utc}", distance, pad(item.word, _WORD), pad(_lane(item), lane))
    return "  ".join([*(part for part in parts if part), f"{item.said(200)}{until}"])


def _moment(picture: Pictured, place: int) -> str:
    one = in_order(picture.milestones)[place]
    at_ns, onset = one.at_ns or 0, picture.onset_ns
    distance = "" if onset is None or one.moment == "onset" else f" {since(at_ns, onset)}"
    return f"── {MOMENT_WORDS[one.moment]}{distance} {'─' * 40}"
