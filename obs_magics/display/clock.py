"""Times in the reader's zone: said in words, and as expressions that Vega evaluates.

Vega knows UTC and the browser's zone, never the session's. So times are drawn on a UTC scale, moved by the offset that
the zone has where the picture starts; where the offset changes within the picture, the labels add the difference.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from obs_magics.model.errors import UsageError

MS = 1_000_000
SECOND_MS = 1000
DAY_MS = 86_400_000
_MAX_CHANGES = 24  # offset changes written into one expression: twelve years of summer times

# Bounds within which Python's calendar and a zone's offset are safe: years 2 to 9998.
_FIRST_MS = -62_104_060_800_000
_LAST_MS = 253_339_228_800_000


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The zone with this IANA name; raises `UsageError` when there is none."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a plain name, or a folder of names
        raise UsageError(f"there is no time zone {name!r}", hint="use a name such as Europe/Berlin or UTC") from None


def at(ms: int, zone: str) -> datetime:
    """The instant as a local time; instants outside Python's calendar stop at its ends."""
    bounded = min(max(ms, _FIRST_MS), _LAST_MS)
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=bounded)).astimezone(zone_of(zone))


def offset_ms(ms: int, zone: str) -> int:
    """The zone's distance from UTC at this instant, in milliseconds."""
    return int((at(ms, zone).utcoffset() or timedelta()) / timedelta(milliseconds=1))


def offset_text(ms: int, zone: str) -> str:
    """The distance from UTC as people write it: UTC, UTC+1, UTC−3:30."""
    minutes = offset_ms(ms, zone) // 60_000
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


@dataclass(frozen=True, slots=True)
class Change:
    """From `at_ms` on, the offset is `delta_ms` more than before."""

    at_ms: int
    delta_ms: int


@lru_cache(maxsize=64)
def offset_changes(start_ms: int, end_ms: int, zone: str) -> tuple[Change, ...]:
    """Where the zone's offset changes in a range: looked for day by day (week by week over years), to the second."""
    if zone == "UTC":
        return ()
    days = (end_ms - start_ms) // DAY_MS + 1
    step = (1 if days <= 400 else max(7, days // 2000)) * DAY_MS
    marks = [*range(start_ms, end_ms, step), end_ms]
    changes = []
    for before, after in pairwise(marks):
        old, new = offset_ms(before, zone), offset_ms(after, zone)
        if old != new:
            changes.append(Change(_first_with(new, before, after, zone), new - old))
    return tuple(changes[:_MAX_CHANGES])


def _first_with(offset: int, before_ms: int, after_ms: int, zone: str) -> int:
    seconds = range(before_ms // SECOND_MS, after_ms // SECOND_MS + 1)
    place = bisect_left(seconds, True, key=lambda second: offset_ms(second * SECOND_MS, zone) == offset)
    return seconds[min(place, len(seconds) - 1)] * SECOND_MS


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """How the time axis of one picture is drawn.

    Args:
        shift_ms: Added to each instant before it is drawn on a UTC scale.
        changes: Offset changes within the picture.
        title: The date and the zone, for the reader.
        years: Whether labels of days name the year.
    """

    shift_ms: int
    changes: tuple[Change, ...]
    title: str
    years: bool

    def local(self, value: str) -> str:
        """A Vega expression for the local time (as if it were UTC) of a drawn `value`."""
        parts = [f"({value} >= {change.at_ms + self.shift_ms} ? {change.delta_ms} : 0)" for change in self.changes]
        return f"({' + '.join([value, *parts])})"

    def label(self) -> str:
        """A Vega expression for the label of a tick: as fine as the tick is."""
        local = self.local("toNumber(datum.value)")
        day = "%d %b %Y" if self.years else "%a %d %b"
        return (
            f"utcFormat({local}, utcmilliseconds({local}) ? '%H:%M:%S.%L' : utcseconds({local}) ? '%H:%M:%S' : "
            f"(utchours({local}) || utcminutes({local})) ? '%H:%M' : '{day}')"
        )


def time_axis(start_ms: int, end_ms: int, zone: str) -> TimeAxis:
    """The time axis for a picture from `start_ms` to `end_ms`."""
    return TimeAxis(
        shift_ms=offset_ms(start_ms, zone),
        changes=offset_changes(start_ms, end_ms, zone),
        title=f"{dates_text(start_ms, end_ms, zone)}, {zone_text(start_ms, end_ms, zone)}",
        years=end_ms - start_ms > 300 * DAY_MS,
    )


def dates_text(start_ms: int, end_ms: int, zone: str) -> str:
    """The days of a range: "Sun 22 Nov 2026", "22 – 24 Nov 2026"."""
    first, last = at(start_ms, zone), at(end_ms, zone)
    if first.date() == last.date():
        return f"{first:%a} {_day(first)} {first:%b} {first.year}"
    head = _day(first)
    if (first.month, first.year) != (last.month, last.year):
        head += f" {first:%b}"
    if first.year != last.year:
        head += f" {first.year}"
    return f"{head} – {_day(last)} {last:%b} {last.year}"


def zone_text(start_ms: int, end_ms: int, zone: str) -> str:
    """The zone with its offset, and with the offsets that follow when it changes in the range."""
    instants = [start_ms, *(change.at_ms for change in offset_changes(start_ms, end_ms, zone))]
    offsets = list(dict.fromkeys(offset_text(instant, zone) for instant in instants))
    return zone if offsets == [zone] else f"{zone} ({', then '.join(offsets)})"


def clock_text(ms: int, zone: str, *, day: bool = False, named: bool = True) -> str:
    """A time of day, with the day when asked, and with its zone: "14:15 UTC", "22 Nov 14:15 Europe/Berlin"."""
    moment = at(ms, zone)
    time = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    return f"{f'{_day(moment)} {moment:%b} ' if day else ''}{time}{f' {zone}' if named else ''}"


def _day(moment: datetime) -> str:
    return str(moment.day)
