"""A timeline as a table: when (in the session's zone and in UTC), how far from the onset, what, where, until when."""

from __future__ import annotations

import textwrap
from functools import partial
from typing import TYPE_CHECKING

from obs_magics.display import markup
from obs_magics.display.clock import MS, at, offset_text
from obs_magics.display.inline import inline
from obs_magics.display.panel import Section
from obs_magics.display.timeline.rows import EVERYONE, MOMENT_WORDS, Item, items_of, since
from obs_magics.display.timeline.style import STYLE
from obs_magics.display.times import days_and_zone
from obs_magics.display.traces import grid
from obs_magics.display.traces.grid import Column
from obs_magics.display.units import count_text, seconds_text
from obs_magics.display.visible import short
from obs_magics.model.incident import Response

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 120
_TITLE, _LANE = 220, 60


def timeline_table(
    frame: pd.DataFrame,
    *,
    response: Response | None = None,
    zone: str = "UTC",
    title: str = "Timeline",
    limit: int = MOST_ROWS,
    in_text: bool = True,
) -> Section:
    """The rows of a timeline frame, in its order.

    Args:
        frame: As `incident.timeline.timeline` makes it.
        response: The moments of the incident: their rows are marked, and distances are counted from the onset.
        zone: IANA name of the zone in which times are written; UTC stands beside it where that is another.
        title: What stands above.
        limit: At most this many rows; those nearest to the onset, else the last ones.
        in_text: False where the picture stands above, which in characters is the same table.
    """
    items = items_of(frame)
    onset = None if response is None else response.of("onset").at_ns
    shown = _nearest(items, onset, limit)
    columns = _columns(shown, response, onset, zone)
    about = _about(items, shown, zone)
    head = short(title, 100)
    text = partial(_text, head, about, columns if in_text else [])
    return Section(partial(_html, head, about, columns), text, STYLE)


def _nearest(items: list[Item], onset: int | None, limit: int) -> list[Item]:
    if len(items) <= limit:
        return items
    if onset is None:
        return items[-limit:]
    kept = sorted(items, key=lambda one: (abs(one.at_ns - onset), one.row))[:limit]
    return sorted(kept, key=lambda one: one.row)


def _about(items: list[Item], shown: list[Item], zone: str) -> str:
    if not items:
        return "nothing is known"
    days = days_and_zone(shown[0].at_ns, shown[-1].at_ns, zone)
    left = f"; the {len(shown)} nearest to the onset are shown" if len(shown) < len(items) else ""
    return f"{count_text(len(items), 'row')}, {days}{left}"


def _columns(items: list[Item], response: Response | None, onset: int | None, zone: str) -> list[Column]:
    if not items:
        return []
    home = onset if onset is not None else items[-1].at_ns
    local = [_clock(one.at_ns, zone, home) for one in items]
    columns = [grid.numbers("time", local)]
    if any(offset_text(one.at_ns // MS, zone) != "UTC" for one in items):
        columns.append(grid.numbers("UTC", [_clock(one.at_ns, "UTC", home) for one in items], rank=2))
    if onset is not None:
        columns.append(grid.numbers("from onset", [since(one.at_ns, onset) for one in items], rank=1))
    words = [one.word for one in items]
    columns.append(Column("what", [markup.text(word) for word in words], words))
    lanes = ["" if one.lane == EVERYONE else one.lane for one in items]
    columns.append(Column("service", [inline(lane, _LANE).html for lane in lanes], [short(lane, 22) for lane in lanes]))
    moments = _moments(response)
    titles = [one.said(_TITLE) for one in items]
    html = [f"{_title(one)}{_marks(moments.get(one.row, []))}" for one in items]
    text = [
        "".join(f"[{word}] " for word in moments.get(one.row, [])) + said
        for one, said in zip(items, titles, strict=True)
    ]
    columns.append(Column("event", html, text, "name"))
    until = [_until(one, zone, home) for one in items]
    if any(until):
        columns.append(Column("until", until, until, rank=3))
    return columns


def _title(item: Item) -> str:
    prefix = f"{item.lane}@"
    text = item.title.removeprefix(prefix)
    return inline(text, _TITLE).html


def _marks(words: list[str]) -> str:
    return "".join(f' <strong class="obs-moment">{markup.text(word)}</strong>' for word in words)


def _moments(response: Response | None) -> dict[int, list[str]]:
    """What each row is to the incident, with how long it took: "detected +6 min"."""
    found: dict[int, list[str]] = {}
    for one in response.milestones if response is not None else ():
        if one.row is not None:
            length = response.since_onset(one.moment) if response is not None else None
            took = f" +{seconds_text(length.total_seconds())}" if length is not None and one.moment != "onset" else ""
            found.setdefault(one.row, []).append(f"{MOMENT_WORDS[one.moment]}{took}")
    return found


def _until(item: Item, zone: str, home_ns: int) -> str:
    if item.ongoing:
        return "goes on"
    return "" if item.end_ns is None else _clock(item.end_ns, zone, home_ns)


def _clock(ns: int, zone: str, home_ns: int) -> str:
    """The time, with its day where that is another than that of the onset."""
    moment = at(ns // MS, zone)
    other = moment.date() != at(home_ns // MS, zone).date()
    return f"{moment.day} {moment:%b} {moment:%H:%M:%S}" if other else f"{moment:%H:%M:%S}"


def _html(head: str, about: str, columns: list[Column]) -> str:
    over = f"{markup.text(head)} {markup.element('span', markup.text(about), 'obs-quiet')}"
    table = grid.table_html(columns) if columns else ""
    return markup.element("div", markup.element("div", over, "obs-over") + table, "obs-traces obs-timeline")


def _text(head: str, about: str, columns: list[Column], width: int) -> str:
    lines = textwrap.wrap(f"{head} {about}", width, subsequent_indent="  ")
    return "\n".join([*lines, *(grid.table_text(columns, width) if columns else [])])
