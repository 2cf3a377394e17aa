"""Times as they stand in pasted chat: `[14:31]`, `2:31 PM`, `22/11/2026, 14:31`, `Yesterday at 2:31 PM`, with zones.

What a time leaves out is filled in from its neighbours: a chat runs on in time, so a clock that goes back by more than
half a day has passed midnight, and a clock without am or pm, in a chat that has them elsewhere, is the next such one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, timezone, tzinfo

from obs_magics.model.durations import HOUR, MINUTE, SECOND
from obs_magics.model.errors import UsageError
from obs_magics.model.time_grammar import MONTHS, WEEKDAYS
from obs_magics.model.zones import day_and_clock, instant_at, parse_zone

_NIGHT_NS = 12 * HOUR
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_DATE = (
    r"(?:(?P<word>today|yesterday)"
    r"|(?P<y1>\d{4})-(?P<m1>\d{2})-(?P<d1>\d{2})"
    r"|(?P<n1>\d{1,2})(?P<sep>[./])(?P<n2>\d{1,2})(?P=sep)(?P<y2>\d{4}|\d{2})\.?"
    rf"|(?:(?P<weekday>{_WEEKDAY})\.?(?:,?[ ]+)?)?"
    rf"(?:(?P<d3>\d{{1,2}})(?:st|nd|rd|th|\.)?[ ]+(?P<b3>{_MONTH})(?:,?[ ]+(?P<y3>\d{{4}}))?"
    rf"|(?P<b4>{_MONTH})[ ]+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?:,?[ ]+(?P<y4>\d{{4}}))?)"
    rf"|(?P<alone>{_WEEKDAY}))"
)
# What people write behind a clock; each has one meaning only. Those with several (IST, CST, BST …) are refused.
_ABBREVIATIONS = {
    "UTC": 0, "GMT": 0, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "MSK": 180, "SAST": 120,
    "EDT": -240, "EST": -300, "CDT": -300, "MDT": -360, "PDT": -420, "PST": -480, "JST": 540, "KST": 540, "AEST": 600,
    "AEDT": 660, "NZST": 720, "NZDT": 780,
}  # fmt: skip
_UNCLEAR = ("IST", "CST", "BST", "AST", "MST", "SST", "ADT", "PKT", "HST")
_ZONE = (
    r"(?:[ ]?(?P<offset>(?:UTC|GMT)?[+-]\d{2}:?\d{2}\b)"
    r"|(?P<z>Z)\b"
    rf"|[ ](?P<abbreviation>(?-i:{'|'.join(sorted((*_ABBREVIATIONS, *_UNCLEAR), key=len, reverse=True))}))\b(?!:)"
    r"|[ ](?P<place>(?-i:[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+))\b)"
)
_CLOCK = (
    r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?(?!\d)"
    r"(?:[ \u00a0\u202f]?(?P<half>[ap])\.?m\b\.?)?"
)
TIME = rf"(?:{_DATE}(?:,?[ ]+(?:at[ ]+|um[ ]+)?|T))?{_CLOCK}(?:{_ZONE})?"
FLAGS = re.IGNORECASE | re.ASCII
_DATE_LINE = re.compile(rf"[\s\-–—=_*]*{_DATE}[\s\-–—=_*:]*", FLAGS)
_DECORATED = re.compile(r"\s*[\-–—=_*]")


@dataclass(frozen=True, slots=True)
class Day:
    """A date as written: what it leaves out is None.

    Args:
        word: `today` or `yesterday`; relative to a day that the text does not tell.
        weekday: 0 for Monday.
        numbers: Two numbers and a year of which nobody knows which is the month.
        day: Of the month.
        month: From 1.
        year: With its century.
    """

    word: str = ""
    weekday: int | None = None
    numbers: tuple[int, int] | None = None
    day: int | None = None
    month: int | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A time as written.

    Args:
        clock_ns: After midnight; of a clock without am or pm as if it had 24 hours.
        half: Whether am or pm was written.
        zone: None when none was written.
        day: None when no date was written.
    """

    clock_ns: int
    half: bool
    zone: tzinfo | None
    day: Day | None


def written(found: re.Match[str], line: int) -> Written | None:
    """The time of a match of `TIME`; None where it is none, such as 14:31 pm.

    Raises:
        UsageError: The zone has several meanings.
    """
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    fraction = int((found["fraction"] or "0").ljust(9, "0"))
    clock_ns = hour * HOUR + int(found["minute"]) * MINUTE + int(found["second"] or 0) * SECOND + fraction
    day = day_of(found)
    if day is not None and not _exists(day):
        return None
    return Written(clock_ns, bool(half), _zone(found, line), day)


def date_line(line: str) -> Day | None:
    """The date of a line that holds nothing else; `today` and a bare day of the week only between dashes."""
    found = _DATE_LINE.fullmatch(line) if line.strip() and len(line) <= 80 else None
    if found is None:
        return None
    day = day_of(found)
    bare = day is not None and (day.word or (day.weekday is not None and day.day is None))
    return day if day is not None and _exists(day) and (not bare or _DECORATED.match(line)) else None


def day_of(found: re.Match[str]) -> Day | None:
    """The date in a match of `TIME`, as far as it was written."""
    if found["word"]:
        return Day(word=found["word"].lower())
    weekday = found["weekday"] or found["alone"]
    number = None if not weekday else WEEKDAYS.index(weekday[:3].lower())
    if found["y1"]:
        return Day(year=int(found["y1"]), month=int(found["m1"]), day=int(found["d1"]))
    if found["n1"]:
        first, second, year = int(found["n1"]), int(found["n2"]), int(found["y2"])
        year += 2000 if year < 100 else 0
        if found["sep"] == ".":
            return Day(year=year, month=second, day=first)
        return Day(year=year, numbers=(first, second))
    name, day, year_text = found["b3"] or found["b4"], found["d3"] or found["d4"], found["y3"] or found["y4"]
    if name:
        month = MONTHS.index(name[:3].lower()) + 1
        return Day(weekday=number, month=month, day=int(day), year=int(year_text) if year_text else None)
    return Day(weekday=number) if number is not None else None


def _exists(day: Day) -> bool:
    if day.numbers is not None:
        first, second = day.numbers
        return any(_date(day.year or 2000, month, number) for number, month in ((first, second), (second, first)))
    return day.day is None or _date(day.year or 2000, day.month or 1, day.day) is not None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if 1970 <= year <= 2200 else None


def _zone(found: re.Match[str], line: int) -> tzinfo | None:
    name = (found["abbreviation"] or "").upper()
    if name in _ABBREVIATIONS:
        return timezone(timedelta(minutes=_ABBREVIATIONS[name]))
    if name:
        raise UsageError(
            f"line {line}: {name} means different zones to different people",
            hint="write the offset (+05:30), or take it out and say --zone Asia/Kolkata",
        )
    text = found["offset"] or found["z"] or found["place"]
    return parse_zone(text) if text else None


class Calendar:
    """Gives written times, in the order in which they stand, their instants.

    Args:
        times: All of them: how one is written tells how others are meant.
        days: Lines with a date alone.
        zone: Meant where no other is written.
        near_ns: Where the chat is expected: of several readings the nearest is taken.
        first: The day of the first time without a date; None to take the nearest.
    """

    def __init__(
        self, times: Sequence[Written], days: Sequence[Day], *, zone: tzinfo, near_ns: int, first: date | None
    ) -> None:
        self._zone, self._near_ns, self._first = zone, near_ns, first
        self._twelve = any(one.half for one in times)
        every = [*(one.day for one in times if one.day is not None), *days]
        self._words = {day.word for day in every if day.word}
        self._month_first = self._is_month_first([day for day in every if day.numbers is not None])
        self._day: date | None = None
        self._last: int | None = None
        self.notes: list[str] = []
        """What was taken for what, each a sentence without a full stop."""

    def turn(self, day: Day) -> None:
        """Go on with this day."""
        self._day, self._last = self._date(day), None

    def instant(self, time: Written) -> int:
        """Nanoseconds since the epoch."""
        zone = time.zone or self._zone
        if time.day is not None:
            self._day, self._last = self._date(time.day), None
        if self._day is None:
            self._day = self._first or self._nearest_day(time, zone)
        choices = self._clocks(time)
        if self._last is None:
            self._last = choices[-1] if self._twelve and not time.half and self._afternoon(choices) else choices[0]
            return instant_at(self._day, self._last, zone)
        later = [clock for clock in choices if clock >= self._last]
        clock = min(later) if later else max(choices)
        if self._last - clock > _NIGHT_NS:
            self._day += timedelta(days=1)
            clock = min(choices)
        self._last = clock
        return instant_at(self._day, clock, zone)

    def _clocks(self, time: Written) -> list[int]:
        """What a clock may mean: one time of day, or two in a chat with am and pm elsewhere."""
        if not self._twelve or time.half or not HOUR <= time.clock_ns < 13 * HOUR:
            return [time.clock_ns]
        morning = time.clock_ns % _NIGHT_NS
        return [morning, morning + _NIGHT_NS]

    def _afternoon(self, choices: Sequence[int]) -> bool:
        """Whether the later of two readings lies nearer to where the chat is expected."""
        _, clock = day_and_clock(self._near_ns, self._zone)
        return abs(choices[-1] - clock) < abs(choices[0] - clock)

    def _nearest_day(self, time: Written, zone: tzinfo) -> date:
        day, _ = day_and_clock(self._near_ns, zone)
        around = [day, day - timedelta(days=1), day + timedelta(days=1)]
        return min(around, key=lambda one: abs(instant_at(one, time.clock_ns, zone) - self._near_ns))

    def _date(self, day: Day) -> date:
        near, _ = day_and_clock(self._near_ns, self._zone)
        if day.word:
            return self._relative(day.word, near)
        if day.numbers is not None:
            first, second = day.numbers
            month, number = (first, second) if self._month_first else (second, first)
            return _date(day.year or near.year, month, number) or _date(day.year or near.year, number, month) or near
        if day.day is None or day.month is None:
            return min(_days_around(near), key=lambda one: (one.weekday() != day.weekday, abs(one - near)))
        years = [day.year] if day.year else [near.year, near.year - 1, near.year + 1]
        found = [one for year in years if (one := _date(year, day.month, day.day)) is not None]
        return min(found, key=lambda one: abs(one - near)) if found else near

    def _relative(self, word: str, near: date) -> date:
        """`today` and `yesterday`: of a day that was given, else the earlier of both words is the day expected."""
        earliest = 1 if "yesterday" in self._words else 0
        back = 1 if word == "yesterday" else 0
        found = self._first - timedelta(days=back) if self._first else near + timedelta(days=earliest - back)
        note = f"“{word}” is taken for {found.day} {found:%b %Y}: --date DAY says which day the chat calls today"
        if self._first is None and note not in self.notes:
            self.notes.append(note)
        return found

    def _is_month_first(self, days: Iterable[Day]) -> bool:
        """Of 11/12/2026: as the others of the chat can only be read, else the reading nearer to what is expected."""
        pairs = [(day.numbers, day.year) for day in days if day.numbers is not None]
        if any(numbers[0] > 12 for numbers, _ in pairs):
            return False
        if any(numbers[1] > 12 for numbers, _ in pairs):
            return True
        near, _ = day_and_clock(self._near_ns, self._zone)
        distances = [
            (
                _distance(_date(year or near.year, *numbers), near),
                _distance(_date(year or near.year, *numbers[::-1]), near),
            )
            for numbers, year in pairs
        ]
        return sum(month for month, _ in distances) < sum(day for _, day in distances)


def _days_around(near: date) -> list[date]:
    return [near + timedelta(days=days) for days in range(-6, 7)]


def _distance(one: date | None, other: date) -> int:
    return abs((one - other).days) if one else 400_000
