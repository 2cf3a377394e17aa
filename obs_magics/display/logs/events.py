"""What became of a pattern, as marks beside it: new, surging, dropped, vanished."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from obs_magics.display import times
from obs_magics.display.units import count_text, plain, round_digits
from obs_magics.display.visible import short

# Kind → icon and word; in this order where several could be said.
MARKS: dict[str, tuple[str, str]] = {
    "new": ("✚", "new"),
    "surge": ("▲", "surge"),
    "drop": ("▼", "drop"),
    "vanished": ("✕", "vanished"),
}
_SERVICE_LENGTH = 40
_TEMPLATE_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the surges frame; `place` is the service's in the order in which they began, 0 when alone."""

    kind: str
    pattern: str
    template: str
    service: str
    start_ns: int
    end_ns: int
    count: int
    expected: float
    factor: float
    place: int = 0

    def mark(self) -> str:
        """Icon and word."""
        icon, word = MARKS[self.kind]
        return f"{icon} {word}"

    def said(self, zone: str, *, day: bool, service: bool) -> str:
        """When, where, how many against what was to be expected, and which service began when."""
        where = f" in {short(self.service, _SERVICE_LENGTH)}" if service and self.service else ""
        expected = f"{plain(round_digits(self.expected, 2))} expected" if self.expected else "none expected"
        if self.kind == "new":
            told = f"since {times.clock(self.start_ns, zone, day=day)}{where}"
            told += f": {count_text(self.count, 'line')}, {expected}" if self.expected else ""
        elif self.kind == "surge":
            factor = f"{plain(round_digits(self.factor, 2))}×, " if math.isfinite(self.factor) else ""
            when = times.stretch(self.start_ns, self.end_ns, zone, day=day)
            told = f"{when}{where}: {factor}{count_text(self.count, 'line')}, {expected}"
        else:
            when = times.clock(self.start_ns, zone, day=day)
            told = f"since {when}{where}: {count_text(self.count, 'line')}, {expected}"
        return f"{told}, began {_ordinal(self.place)}" if self.place else told


def _ordinal(number: int) -> str:
    """First, second, third, 4th, 21st."""
    words = ("", "first", "second", "third")
    if number < len(words):
        return words[number]
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def events_of(surges: pd.DataFrame | None) -> list[Event]:
    """The rows of a surges frame (see the analysis of surges) whose kind is known, in their order."""
    if surges is None or surges.empty:
        return []
    starts, ends = (times.nanoseconds(surges[name]).tolist() for name in ("start", "end"))
    rows = zip(surges.to_dict("records"), starts, ends, strict=True)
    return [_event(row, start, end) for row, start, end in rows if row["kind"] in MARKS]


def _event(row: dict[Any, Any], start_ns: int, end_ns: int) -> Event:
    return Event(
        kind=row["kind"],
        pattern=row["pattern"],
        template=row["template"],
        service=row["service"] if isinstance(row["service"], str) else "",
        start_ns=start_ns,
        end_ns=end_ns,
        count=int(row["count"]),
        expected=float(row["expected"]),
        factor=float(row["factor"]),
        place=0 if pd.isna(row["cascade"]) else int(row["cascade"]),
    )


def without_pattern(events: Sequence[Event], ids: Sequence[str]) -> list[Event]:
    """Events of patterns that the table does not have: those that vanished."""
    known = frozenset(ids)
    return [event for event in events if event.pattern not in known]
