"""Times as Go has them: formatted and read by layouts that show the reference time, ``2006-01-02T15:04:05Z07:00``.

Source: Go's package `time` (format.go). Where Go says local time, this is UTC: an embedded server has no place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SECOND = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
_CHUNK = re.compile(
    r"""
      January | Jan(?![a-z]) | Monday | Mon(?![a-z]) | MST
    | 2006 | 002 | 01 | 02 | 03 | 04 | 05 | 06 | 15 | __2 | _2(?!006) | [12345]
    | PM | pm
    | [-Z]07:00:00 | [-Z]070000 | [-Z]07:00 | [-Z]0700 | [-Z]07
    | [.,](?:0+|9+)(?![0-9])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class GoTime:
    """An instant, and the zone it is shown in.

    Attributes:
        ns: Nanoseconds since 1970.
        zone: Where it is shown.
        name: What the zone is called; empty for the zone's own name.
    """

    ns: int
    zone: tzinfo = UTC
    name: str = ""

    def __str__(self) -> str:
        return format_time("2006-01-02 15:04:05.999999999 -0700 MST", self)

    @property
    def local(self) -> datetime:
        """Date and time of day in the zone, without the nanoseconds below a second."""
        return (_EPOCH + timedelta(seconds=self.ns // _SECOND)).astimezone(self.zone)


ZERO = GoTime(-62_135_596_800 * _SECOND)
"""Go's zero time, the first second of the year 1, which a text that is no time is read as."""


def zone_of(name: str) -> tzinfo:
    """A zone of the IANA database; UTC for a name that is none, as in Loki."""
    if name in {"", "UTC", "Local"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


# Writing


def format_time(layout: str, when: GoTime) -> str:
    """A time in a layout.

    >>> format_time("Mon Jan _2 15:04:05.000 2006", GoTime(1_500_000_000))
    'Thu Jan  1 00:00:01.500 1970'
    """
    local = when.local

    def shown(match: re.Match[str]) -> str:
        chunk = match[0]
        if chunk[0] in ".,":
            return _fraction_text(chunk, when.ns % _SECOND)
        if chunk[0] in "-Z" and len(chunk) > 1:
            return _offset_text(chunk, local)
        return when.name or _zone_name(local) if chunk == "MST" else _WRITERS[chunk](local)

    return _CHUNK.sub(shown, layout)


_WRITERS: Mapping[str, Callable[[datetime], str]] = {
    "January": lambda at: _MONTHS[at.month - 1],
    "Jan": lambda at: _MONTHS[at.month - 1][:3],
    "Monday": lambda at: _DAYS[at.weekday()],
    "Mon": lambda at: _DAYS[at.weekday()][:3],
    "2006": lambda at: f"{at.year:04d}",
    "06": lambda at: f"{at.year % 100:02d}",
    "01": lambda at: f"{at.month:02d}",
    "1": lambda at: str(at.month),
    "02": lambda at: f"{at.day:02d}",
    "_2": lambda at: f"{at.day:2d}",
    "2": lambda at: str(at.day),
    "002": lambda at: f"{at.timetuple().tm_yday:03d}",
    "__2": lambda at: f"{at.timetuple().tm_yday:3d}",
    "15": lambda at: f"{at.hour:02d}",
    "03": lambda at: f"{at.hour % 12 or 12:02d}",
    "3": lambda at: str(at.hour % 12 or 12),
    "04": lambda at: f"{at.minute:02d}",
    "4": lambda at: str(at.minute),
    "05": lambda at: f"{at.second:02d}",
    "5": lambda at: str(at.second),
    "PM": lambda at: "PM" if at.hour >= 12 else "AM",
    "pm": lambda at: "pm" if at.hour >= 12 else "am",
}


def _fraction_text(chunk: str, nanoseconds: int) -> str:
    digits = f"{nanoseconds:09d}"[: len(chunk) - 1]
    if chunk[1] == "9":
        digits = digits.rstrip("0")
    return chunk[0] + digits if digits else ""


def _offset_text(chunk: str, local: datetime) -> str:
    seconds = int((local.utcoffset() or timedelta()).total_seconds())
    if chunk[0] == "Z" and seconds == 0:
        return "Z"
    hours, rest = divmod(abs(seconds), 3600)
    parts = [f"{hours:02d}", f"{rest // 60:02d}", f"{rest % 60:02d}"]
    pattern = chunk[1:]
    count = 1 if pattern == "07" else 3 if pattern in {"070000", "07:00:00"} else 2
    return ("-" if seconds < 0 else "+") + (":" if ":" in pattern else "").join(parts[:count])


def _zone_name(local: datetime) -> str:
    name = local.tzname() or "UTC"
    return _offset_text("-0700", local) if name.startswith(("UTC+", "UTC-")) else name


# Reading

_READERS: Mapping[str, str] = {
    "January": "|".join(_MONTHS),
    "Jan": "|".join(month[:3] for month in _MONTHS),
    "Monday": "|".join(_DAYS),
    "Mon": "|".join(day[:3] for day in _DAYS),
    "2006": r"\d{4}",
    "06": r"\d{2}",
    "01": r"\d{2}",
    "1": r"\d{1,2}",
    "02": r"\d{2}",
    "_2": r"[ ]?\d{1,2}",
    "2": r"\d{1,2}",
    "002": r"\d{3}",
    "__2": r"[ ]{0,2}\d{1,3}",
    "15": r"\d{2}",
    "03": r"\d{2}",
    "3": r"\d{1,2}",
    "04": r"\d{2}",
    "4": r"\d{1,2}",
    "05": r"\d{2}(?:[.,]\d+)?",
    "5": r"\d{1,2}(?:[.,]\d+)?",
    "PM": "AM|PM",
    "pm": "am|pm",
    "MST": r"[A-Z]{3,4}|[+-]\d{2}(?:\d{2})?",
}
_FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("January", "Jan", "01", "1"), "month"),
    **dict.fromkeys(("2006",), "year"),
    **dict.fromkeys(("06",), "short_year"),
    **dict.fromkeys(("02", "_2", "2"), "day"),
    **dict.fromkeys(("002", "__2"), "day_of_year"),
    **dict.fromkeys(("15", "03", "3"), "hour"),
    **dict.fromkeys(("04", "4"), "minute"),
    **dict.fromkeys(("05", "5"), "second"),
    **dict.fromkeys(("PM", "pm"), "half"),
    "MST": "zone",
}


def parse_time(layout: str, text: str, zone: tzinfo = UTC) -> GoTime:
    """A text read by a layout; `ZERO` for a text that does not fit, as the template functions of Loki do.

    >>> str(parse_time("2006-01-02", "2021-11-02"))
    '2021-11-02 00:00:00 +0000 UTC'
    """
    pattern, fields = _pattern(layout)
    match = re.fullmatch(pattern, text)
    if match is None:
        return ZERO
    try:
        return _assembled(dict(zip(fields, match.groups(), strict=True)), zone)
    except (ValueError, OverflowError):
        return ZERO


def _pattern(layout: str) -> tuple[str, list[str]]:
    parts, fields, place, was_seconds = [], [], 0, False
    for match in _CHUNK.finditer(layout):
        chunk = match[0]
        parts.append(re.escape(layout[place : match.start()]))
        place = match.end()
        if chunk[0] in ".,":
            parts.append("" if was_seconds else rf"([.,]\d{{{len(chunk) - 1}}})")
            fields += [] if was_seconds else ["fraction"]
            continue
        is_offset = chunk[0] in "-Z"
        parts.append(f"({_offset_pattern(chunk) if is_offset else _READERS[chunk]})")
        fields.append("offset" if is_offset else _FIELDS.get(chunk, "weekday"))
        was_seconds = chunk in {"05", "5"}
    return "".join([*parts, re.escape(layout[place:])]), fields


def _offset_pattern(chunk: str) -> str:
    digits = re.sub("0[0-9]|00", r"\\d{2}", chunk[1:])
    return rf"[+-]{digits}" + ("|Z" if chunk[0] == "Z" else "")


def _assembled(found: Mapping[str, str], zone: tzinfo) -> GoTime:
    second, _, fraction = found.get("second", "0").replace(",", ".").partition(".")
    fraction = fraction or found.get("fraction", "")[1:]
    start = datetime(_year(found), _month(found), int(found.get("day", 1)), _hour(found), int(found.get("minute", 0)))
    if "day_of_year" in found:
        start = start.replace(month=1, day=1) + timedelta(days=int(found["day_of_year"]) - 1)
    shown_in = _zone(found, zone)
    local = start.replace(second=int(second), tzinfo=shown_in)
    seconds = int((local - _EPOCH).total_seconds())
    when = GoTime(seconds * _SECOND + int(fraction[:9].ljust(9, "0")), shown_in, found.get("zone", ""))
    return when if when.local else ZERO  # looked at here, because the ends of the calendar fail in some zones


def _year(found: Mapping[str, str]) -> int:
    if "short_year" in found:
        short = int(found["short_year"])
        return short + (1900 if short >= 69 else 2000)
    return int(found.get("year", 1))  # Go's year 0 is no year that a template could do anything with


def _month(found: Mapping[str, str]) -> int:
    month = found.get("month", "1")
    return int(month) if month.isdecimal() else next(n for n, name in enumerate(_MONTHS, 1) if name[:3] == month[:3])


def _hour(found: Mapping[str, str]) -> int:
    hour, half = int(found.get("hour", 0)), found.get("half", "").upper()
    if half == "PM" and hour < 12:
        return hour + 12
    return 0 if half == "AM" and hour == 12 else hour


def _zone(found: Mapping[str, str], zone: tzinfo) -> tzinfo:
    offset = found.get("offset", "")
    if not offset:
        return UTC if found.get("zone") == "UTC" else zone
    if offset == "Z":
        return UTC
    digits = offset[1:].replace(":", "").ljust(6, "0")
    length = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
    return timezone(-length if offset[0] == "-" else length)
