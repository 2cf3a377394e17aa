"""Local calendars and clocks: between a day and a time in some zone, and nanoseconds since the epoch.

When clocks are set forward, local times that do not exist move forward by as much (02:30 becomes 03:30); when they are
set back, a local time that comes twice is its first occurrence. Both as PEP 495 has it for ``fold=0``, and as calendars
(RFC 5545) do.
"""

from __future__ import annotations

import calendar
import re
import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from obs_magics.model.durations import DAY, HOUR, MAX_NS, MICROSECOND, MINUTE, SECOND, quoted
from obs_magics.model.errors import UsageError, did_you_mean

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH = datetime(1970, 1, 1)
_TICK = timedelta(microseconds=1)
_OFFSET = re.compile(
    r"(?:utc|gmt)?\s?(?P<sign>[+-])(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?", re.IGNORECASE | re.ASCII
)
_WIDEST_OFFSET = timedelta(hours=14)  # Kiritimati; nobody lives further from Greenwich
_CLOCK_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR}


def in_bounds(ns: int) -> int:
    """`ns` itself; raises `UsageError` when nanoseconds since the epoch cannot tell it in 64 bits."""
    if abs(ns) > MAX_NS:
        raise _out_of_bounds()
    return ns


def from_datetime(moment: datetime, zone: tzinfo) -> int:
    """Nanoseconds of a datetime; a naive one is a local time in `zone`. `pandas.Timestamp` keeps its nanoseconds."""
    aware = moment if moment.utcoffset() is not None else moment.replace(tzinfo=zone)
    nanoseconds = getattr(moment, "nanosecond", 0)
    offset = aware.utcoffset() or timedelta(0)
    plain = datetime(*moment.timetuple()[:6], moment.microsecond)
    return in_bounds(((plain - _LOCAL_EPOCH) - offset) // _TICK * MICROSECOND + nanoseconds)


def to_datetime(ns: int, zone: tzinfo = UTC) -> datetime:
    """The datetime of an instant, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=ns // MICROSECOND)).astimezone(zone)


def instant_at(day: date, clock_ns: int, zone: tzinfo) -> int:
    """Nanoseconds since the epoch when the wall clock of `zone` shows `day` and `clock_ns` after its midnight."""
    midnight = datetime(day.year, day.month, day.day)
    try:
        local = midnight + timedelta(microseconds=clock_ns // MICROSECOND)
        offset = local.replace(tzinfo=zone).utcoffset() or timedelta(0)
    except OverflowError:
        raise _out_of_bounds() from None
    return in_bounds(((local - _LOCAL_EPOCH) - offset) // _TICK * MICROSECOND + clock_ns % MICROSECOND)


def day_and_clock(ns: int, zone: tzinfo) -> tuple[date, int]:
    """What the calendar and the wall clock (nanoseconds after midnight) of `zone` show at an instant."""
    local = to_datetime(ns, zone)
    seconds = (local.hour * 60 + local.minute) * 60 + local.second
    return local.date(), seconds * SECOND + local.microsecond * MICROSECOND + ns % MICROSECOND


def format_instant(ns: int, zone: tzinfo = UTC) -> str:
    """An instant in ISO 8601 with the zone's offset; a fraction of a second only when there is one.

    >>> format_instant(1_500_000_000)
    '1970-01-01T00:00:01.5+00:00'
    """
    head = to_datetime(ns // SECOND * SECOND, zone).isoformat()
    fraction = f"{ns % SECOND:09d}".rstrip("0")
    return f"{head[:19]}.{fraction}{head[19:]}" if fraction else head


def parse_zone(text: str) -> tzinfo:
    """A time zone by its IANA name in any case (``Europe/Berlin``), ``UTC``, ``Z``, or an offset (``+02:00``).

    Raises:
        UsageError: No such zone; abbreviations that several countries use (``IST``, ``CST``) are refused too.
    """
    if text.lower() in {"z", "utc", "gmt"}:
        return UTC
    offset = _OFFSET.fullmatch(text)
    if offset:
        return _fixed_offset(text, offset)
    key = _zone_names().get(text.lower())
    if key is None:
        raise unknown_zone(text)
    return zoneinfo.ZoneInfo(key)


def zone_name(zone: tzinfo) -> str:
    """The zone's IANA name; a machine that tells only its offset is shown UTC, which charts say."""
    return zone.key if isinstance(zone, zoneinfo.ZoneInfo) else "UTC"


def unknown_zone(text: str, also: tuple[str, ...] = ()) -> UsageError:
    """The error for a word that stands where a zone may stand; `also` are other words that may have been meant."""
    guess = did_you_mean(text, [*also, *_zone_names().values()])
    hint = "; ".join(filter(None, [guess, "zones are written UTC, +02:00 or Europe/Berlin"]))
    return UsageError(f"{quoted(text)} is not a time zone", hint=hint)


def start_of(unit: str, day: date) -> date:
    """The first day of the day, week (from Monday), month, quarter or year (d, w, M, Q, y) that `day` lies in."""
    if unit == "w":
        return day - timedelta(days=day.weekday())
    months = {"M": day.month, "Q": (day.month - 1) // 3 * 3 + 1, "y": 1}
    return day if unit == "d" else day.replace(month=months[unit], day=1)


def shift(unit: str, day: date, count: int) -> date:
    """`day` moved by calendar days, weeks, months, quarters or years; the 31st becomes the month's last day."""
    try:
        if unit in {"d", "w"}:
            return day + timedelta(days=count * (7 if unit == "w" else 1))
        month = day.year * 12 + day.month - 1 + count * {"M": 1, "Q": 3, "y": 12}[unit]
        last = calendar.monthrange(month // 12, month % 12 + 1)[1]
        return date(month // 12, month % 12 + 1, min(day.day, last))
    except (OverflowError, ValueError):
        raise _out_of_bounds() from None


def round_to(unit: str, ns: int, zone: tzinfo, *, up: bool = False) -> int:
    """The start of the unit (s, m, h, d, w, M, Q, y) around an instant, or the start of the next one when `up`."""
    day, clock_ns = day_and_clock(ns, zone)
    if unit in _CLOCK_UNITS:
        size = _CLOCK_UNITS[unit]
        return in_bounds(ns - clock_ns % size + (size if up else 0))
    first = start_of(unit, day)
    return instant_at(shift(unit, first, 1) if up else first, 0, zone)


def wall_length(start_ns: int, end_ns: int, zone: tzinfo) -> int:
    """The distance as calendar and wall clock show it: a week is 7 days, also when clocks were set back in it."""
    (first, from_clock), (last, to_clock) = day_and_clock(start_ns, zone), day_and_clock(end_ns, zone)
    return (last - first).days * DAY + to_clock - from_clock


def _out_of_bounds() -> UsageError:
    return UsageError("the time lies outside the years 1678 to 2261", hint="nanosecond timestamps end there")


def _fixed_offset(text: str, offset: re.Match[str]) -> tzinfo:
    size = timedelta(hours=int(offset["hours"]), minutes=int(offset["minutes"] or 0))
    if size > _WIDEST_OFFSET or int(offset["minutes"] or 0) > 59:
        raise UsageError(f"{quoted(text)} is not an offset from UTC", hint="offsets go from -12:00 to +14:00")
    return timezone(-size if offset["sign"] == "-" else size)


@lru_cache(maxsize=1)
def _zone_names() -> dict[str, str]:
    return {name.lower(): name for name in sorted(zoneinfo.available_timezones())}
