"""The strip of events for a terminal: a row for each service, an icon for each kind, a line for what lasts."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from obs_magics.display.events.strip import Item, Strip
from obs_magics.display.marks import EVENT_WORDS, event_word
from obs_magics.display.text import columns_of, cut, pad, safe, time_labels

# Icons of WGL4, which terminals have; unlike each other in shape.
ICONS: Mapping[str, str] = {
    "deployment": "▲",
    "config_change": "◆",
    "feature_flag": "■",
    "incident": "‼",
    "alert": "●",
    "restart": "▼",
    "scale": "►",
    "annotation": "○",
}
_LASTS, _EARLY = "─", "◄"
_RANKS = {kind: rank for rank, kind in enumerate(EVENT_WORDS)}


def strip_text(strip: Strip, width: int) -> str:
    """The picture; no line is wider than `width`."""
    names = [lane.name for lane in strip.lanes]
    label = min(max(map(columns_of, names)), width // 3)
    columns = max(8, width - label - 2)
    head = textwrap.wrap(f"{strip.title}: {strip.about}" if strip.about else strip.title, width, subsequent_indent="  ")
    body = [f"{pad(lane.name, label)} │{_row(strip, lane.top, lane.bottom, columns)}".rstrip() for lane in strip.lanes]
    corner = " " * (label + 1)
    under = [f"{corner}└{'─' * columns}"]
    under += [f"{corner} {line}" for line in time_labels(strip.start_ms, strip.end_ms, strip.zone, columns)]
    legend = textwrap.wrap(
        "  ".join(f"{ICONS[kind]} {event_word(kind)}" for kind in strip.kinds), width, subsequent_indent="  "
    )
    notes = [line for note in strip.told(_EARLY) for line in textwrap.wrap(f"· {note}", width, subsequent_indent="  ")]
    return "\n".join(safe(cut(line, width)) for line in [*head, *body, *under, *legend, *notes])


def _row(strip: Strip, top: float, bottom: float, columns: int) -> str:
    """One lane in characters; where several meet, the gravest stands there."""
    cells = [" "] * columns
    own = [item for item in strip.items if top <= item.line < bottom]
    for item in own:
        if item.end_ms is not None:
            first, last = _place(strip, item.at_ms, columns), _place(strip, item.end_ms, columns)
            cells[first : last + 1] = [_LASTS] * (last + 1 - first)
    taken: dict[int, Item] = {}
    for item in own:
        place = _place(strip, item.at_ms, columns)
        if place not in taken or _RANKS[item.kind] < _RANKS[taken[place].kind]:
            taken[place] = item
    for place, item in taken.items():
        cells[place] = _EARLY if item.early else ICONS[item.kind]
    return "".join(cells)


def _place(strip: Strip, at_ms: int, columns: int) -> int:
    return min((at_ms - strip.start_ms) * columns // (strip.end_ms - strip.start_ms), columns - 1)
