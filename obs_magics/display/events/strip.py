"""What the picture of events shows: a lane for each service, and where in it every event stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from obs_magics.display.clock import MS, clock_text
from obs_magics.display.marks import EVENT_WORDS, event_word
from obs_magics.display.units import count_text
from obs_magics.display.visible import short
from obs_magics.model.events import Event, events_of

WIDTH = 640
MOST_LANES = 12
MOST_EVENTS = 600
NOWHERE, OTHERS = "no service", "other services"
_MARK = 11  # pixels that a mark takes
_AIR = 0.4  # of a line, between two lanes
_LANE, _TITLE, _TOLD = 26, 100, 200


@dataclass(frozen=True, slots=True)
class Item:
    """One event as drawn.

    Args:
        kind: As in the frame.
        at_ms: Where its mark stands: its time, or the edge for what began before.
        end_ms: Where its bar ends; None for a moment.
        lane: Which lane.
        line: Which line of all, from the top.
        told: All of it, for a pointer.
        early: Whether it began before the picture does.
    """

    kind: str
    at_ms: int
    end_ms: int | None
    lane: str
    line: float
    told: str
    early: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane: its name, and from which line to which it reaches."""

    name: str
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Strip:
    """The picture before any drawing; times in milliseconds since the epoch, heights in lines."""

    title: str
    about: str
    zone: str
    start_ms: int
    end_ms: int
    items: tuple[Item, ...]
    lanes: tuple[Lane, ...]
    lines: float
    notes: tuple[str, ...]

    def told(self, early: str) -> list[str]:
        """What the reader must see with the picture; `early` names the marks of what began before it."""
        began = any(item.early for item in self.items)
        return [*self.notes, *([f"{early}: began before the range"] if began else [])]

    @property
    def kinds(self) -> list[str]:
        """The kinds that there are, the gravest for an investigation first."""
        there = {item.kind for item in self.items}
        return [kind for kind in EVENT_WORDS if kind in there]


def strip_of(
    frame: pd.DataFrame, *, span_ns: tuple[int, int] | None, zone: str, title: str, about: str
) -> Strip | None:
    """Place every event; None when there are none.

    Args:
        frame: An events frame.
        span_ns: From when to when; None for as long as the events take.
        zone: IANA name of the zone in which times are written.
        title: What stands above.
        about: How many of what there are.
    """
    events = events_of(frame)
    if not events:
        return None
    start_ns, end_ns = span_ns or _extent(events)
    notes = []
    if len(events) > MOST_EVENTS:
        notes.append(f"the newest {MOST_EVENTS:,} of {count_text(len(events), 'event')} are drawn")
        events = events[-MOST_EVENTS:]
    names, others = _lanes(events)
    notes += [f"{count_text(others, 'more service')} in one lane"] if others else []
    start_ms, end_ms = start_ns // MS, max(end_ns // MS, start_ns // MS + 1)
    lanes: list[Lane] = []
    items: list[Item] = []
    top = 0.0
    for name in names:
        own = [event for event in events if _lane(event, names) == name]
        placed, height = _packed(own, name, start_ms, end_ms, zone)
        items += [_moved(item, top) for item in placed]
        lanes.append(Lane(short(name, _LANE), top, top + height))
        top += height + _AIR
    return Strip(
        title=short(title, _TITLE) or "events",
        about=short(about, _TOLD),
        zone=zone,
        start_ms=start_ms,
        end_ms=end_ms,
        items=tuple(items),
        lanes=tuple(lanes),
        lines=top - _AIR,
        notes=tuple(notes),
    )


def _extent(events: Sequence[Event]) -> tuple[int, int]:
    """As long as they take, with some air."""
    first = min(event.start_ns for event in events)
    last = max(event.start_ns if event.end_ns is None else event.end_ns for event in events)
    air = max((last - first) // 25, 60_000_000_000)
    return first - air, last + air


def _lanes(events: Sequence[Event]) -> tuple[list[str], int]:
    """The services with most events in the order in which they come, and how many are left."""
    counted = Counter(event.service for event in events if event.service)
    order = list(dict.fromkeys(event.service for event in events if event.service))
    kept = sorted(order, key=lambda name: -counted[name])[:MOST_LANES]
    names = [name for name in order if name in kept]
    left = len(order) - len(names)
    nowhere = [NOWHERE] if any(not event.service for event in events) else []
    return [*names, *([OTHERS] if left else []), *nowhere], left


def _lane(event: Event, names: Sequence[str]) -> str:
    return NOWHERE if not event.service else event.service if event.service in names else OTHERS


def _packed(events: Sequence[Event], lane: str, start_ms: int, end_ms: int, zone: str) -> tuple[list[Item], int]:
    """The events of a lane, each in the first line in which it overlaps nothing, and how many lines there are."""
    scale = WIDTH / (end_ms - start_ms)
    free: list[float] = []  # from which pixel on each line is free
    items = []
    for event in events:
        at_ms = min(max(event.start_ns // MS, start_ms), end_ms)
        until_ms = min(event.until_ns // MS, end_ms)
        lasts = until_ms > at_ms
        low = (at_ms - start_ms) * scale - _MARK / 2
        high = max(low + _MARK, (until_ms - start_ms) * scale) if lasts else low + _MARK
        line = next((number for number, pixel in enumerate(free) if pixel <= low), len(free))
        free[line : line + 1] = [high]
        told = _told(event, zone)
        early = event.start_ns // MS < start_ms
        items.append(Item(event.kind, at_ms, until_ms if lasts else None, lane, line + 0.5, told, early))
    return items, len(free)


def _moved(item: Item, top: float) -> Item:
    return replace(item, line=item.line + top)


def _told(event: Event, zone: str) -> str:
    when = clock_text(event.start_ns // MS, zone, day=True)
    until = f" until {clock_text(event.end_ns // MS, zone, day=True)}" if event.end_ns is not None else ""
    going = ", still going on" if event.end_ns is None and event.kind in ("alert", "incident") else ""
    where = f" · {short(event.service, _TITLE)}" if event.service else ""
    return f"{when}{until}{going} · {event_word(event.kind)}{where} · {short(event.title, _TOLD)}"
