"""The rows of a timeline as they are shown: what is said of each, which lane it stands in, which part of the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from obs_magics.display.marks import event_word
from obs_magics.display.visible import short
from obs_magics.model.incident import MOMENTS, Milestone, Moment, Response

if TYPE_CHECKING:
    import pandas as pd

EVERYONE = "no service"
INCIDENT = "incident"
MOST_LANES = 14
MOST_DRAWN = 80
_MARGIN_NS = 60_000_000_000
_BEFORE, _AFTER = 0.7, 0.18  # of the incident's length, around it
_LEAST_BEFORE_NS = 15 * _MARGIN_NS
_READ = 1000
_HURTS = (("onset", "first_error"), ("alert", "incident"))

WHAT_WORDS: Mapping[str, str] = {
    "change": "change",
    "annotation": "annotation",
    "onset": "onset",
    "first_error": "first error",
    "alert": "alert",
    "incident": "incident",
    "note": "note",
    "recovery": "recovery",
}
MOMENT_WORDS: Mapping[Moment, str] = {
    "onset": "onset",
    "detected": "detected",
    "mitigated": "mitigated",
    "recovered": "recovered",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a timeline.

    Args:
        row: Where it stands in the frame.
        at_ns: When.
        end_ns: When it was over; None for a moment. For what still goes on, the end of what is shown.
        ongoing: Whether it still goes on.
        what: Of `incident.timeline.WHATS`.
        word: What it is, in a word or two.
        lane: The service.
        title: In full, as it came.
        version: What was deployed.
    """

    row: int
    at_ns: int
    end_ns: int | None
    ongoing: bool
    what: str
    word: str
    lane: str
    title: str
    version: str

    def said(self, length: int) -> str:
        """The title on one line, without the service that its lane names already."""
        text = self.title[:_READ]
        prefix = f"{self.lane}@"
        return short(text.removeprefix(prefix) if text.startswith(prefix) else text, length)


@dataclass(frozen=True, slots=True)
class Pictured:
    """What a picture shows.

    Args:
        items: Those that are drawn, in order of time.
        start_ns: Where the axis starts.
        end_ns: Where it ends.
        lanes: Names from top to bottom.
        milestones: Those that are known and within the picture.
        onset_ns: When the incident began, None where there is none.
        over_ns: When it was over.
        zone: In which times are written.
        title: What stands above.
        notes: What is not drawn, each a sentence without a full stop.
    """

    items: tuple[Item, ...]
    start_ns: int
    end_ns: int
    lanes: tuple[str, ...]
    milestones: tuple[Milestone, ...]
    onset_ns: int | None
    over_ns: int | None
    zone: str
    title: str
    notes: tuple[str, ...] = ()


def items_of(frame: pd.DataFrame) -> list[Item]:
    """The rows of a timeline frame."""
    times = frame["timestamp"].astype("int64").tolist()
    ends = frame["end"].astype("int64").where(frame["end"].notna(), -1).tolist()
    names = ("what", "kind", "service", "title", "version")
    texts = [frame[name].astype(object).where(frame[name].notna(), "").tolist() for name in names]
    found = []
    for row, (at_ns, end, what, kind, service, title, version) in enumerate(zip(times, ends, *texts, strict=True)):
        word = event_word(kind) if what == "change" else WHAT_WORDS.get(what, str(what))
        ongoing = end == -1 and kind in {"alert", "incident"}
        end_ns = None if end == -1 else max(end, at_ns)
        found.append(Item(row, at_ns, end_ns, ongoing, what, word, service or EVERYONE, str(title), str(version)))
    return found


def pictured(
    frame: pd.DataFrame,
    *,
    response: Response | None,
    service: str,
    span_ns: tuple[int, int] | None,
    zone: str,
    title: str,
) -> Pictured | None:
    """Choose what is drawn; None when there is nothing.

    Args:
        frame: A timeline frame.
        response: The moments of the incident.
        service: The incident's, whose lane comes first; empty for none.
        span_ns: From when to when; None for the incident with what surrounds it.
        zone: In which times are written.
        title: What stands above.
    """
    every = items_of(frame)
    if not every:
        return None
    onset, over = (None if response is None else response.of(moment).at_ns for moment in ("onset", "recovered"))
    start_ns, end_ns = span_ns or _span(every, onset, over)
    inside = [one for one in every if one.at_ns <= end_ns and (one.ongoing or _last(one) >= start_ns or _change(one))]
    kept, left = _most_telling(inside, service)
    lanes = _lanes(kept, service)
    notes = [f"{left} more rows are in the table alone"] if left else []
    late = len(every) - len(inside)
    if late:
        lie, them = ("row lies", "it") if late == 1 else ("rows lie", "them")
        notes.append(f"{late} more {lie} outside of the picture; the table has {them}")
    shown = [replace(one, end_ns=end_ns) if one.ongoing else one for one in kept if one.lane in lanes]
    if len(shown) < len(kept):
        others = len({one.lane for one in kept}) - len(lanes)
        notes.append(f"{others} more {'service is' if others == 1 else 'services are'} in the table alone")
    told = [] if response is None else [one for one in response.milestones if _within(one, start_ns, end_ns)]
    return Pictured(
        tuple(shown), start_ns, end_ns, lanes, tuple(told), onset, over, zone, short(title, 100), tuple(notes)
    )


def since(ns: int, onset_ns: int) -> str:
    """How long before or after the onset, in whole seconds: "+6 min", "−1 h 2 min", "+8 min 2 s".

    >>> since(62 * 10**9, 0), since(0, 26 * 3600 * 10**9)
    ('+1 min 2 s', '−1 d 2 h')
    """
    length = abs(ns - onset_ns) // 1_000_000_000
    if length < 1:
        return "0"
    sizes = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    first = next(place for place, (size, _) in enumerate(sizes) if length >= size)
    parts = []
    for size, unit in sizes[first : first + 2]:
        number, length = divmod(length, size)
        parts += [f"{number} {unit}"] if number else []
    return ("+" if ns > onset_ns else "−") + " ".join(parts)


def _span(items: Sequence[Item], onset: int | None, over: int | None) -> tuple[int, int]:
    if onset is None:
        first, last = items[0].at_ns, max(_last(one) for one in items)
        room = max((last - first) // 20, _MARGIN_NS)
        return first - room, last + room
    until = over if over is not None else max([onset, *(one.at_ns for one in items)])
    length = max(until - onset, _MARGIN_NS)
    after = [one.at_ns for one in items if until <= one.at_ns <= until + length // 2]
    end = max([until + int(length * _AFTER), *(ns + _MARGIN_NS for ns in after)])
    return onset - max(min(int(length * _BEFORE), 60 * _MARGIN_NS), _LEAST_BEFORE_NS), end


def _last(item: Item) -> int:
    return item.at_ns if item.end_ns is None else item.end_ns


def _change(item: Item) -> bool:
    """Changes before the picture begins are shown at its edge: what happened before is what one looks for."""
    return item.what == "change"


def _most_telling(items: Sequence[Item], service: str) -> tuple[list[Item], int]:
    """At most `MOST_DRAWN` items in order of time: those of the service and the rarer kinds first."""
    ranks = {
        what: rank for rank, what in enumerate(("onset", "recovery", "incident", "change", "alert", "first_error"))
    }
    order = sorted(items, key=lambda one: (one.lane not in {service, EVERYONE}, ranks.get(one.what, 9), one.row))
    kept = {one.row for one in order[:MOST_DRAWN]}
    return [one for one in items if one.row in kept], len(items) - len(kept)


def _lanes(items: Iterable[Item], service: str) -> tuple[str, ...]:
    """The service, then those in which something went wrong, as it spread, then the others; no service last."""
    every = list(items)
    hurt = [one.lane for what in _HURTS for one in every if one.what in what]
    names = list(dict.fromkeys([*hurt, *(one.lane for one in every)]))
    ordered = [
        *(name for name in names if name == service),
        *(name for name in names if name not in {service, EVERYONE}),
    ]
    return (*ordered[:MOST_LANES], *(name for name in names if name == EVERYONE))


def _within(one: Milestone, start_ns: int, end_ns: int) -> bool:
    return one.at_ns is not None and start_ns <= one.at_ns <= end_ns


def in_order(milestones: Iterable[Milestone]) -> list[Milestone]:
    """Milestones by time, equal ones in the order of `MOMENTS`."""
    return sorted(milestones, key=lambda one: (one.at_ns or 0, MOMENTS.index(one.moment)))
