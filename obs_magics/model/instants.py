"""Points in time as people type them: `now-1h`, `1h ago`, `14:05`, `yesterday 9am`, `22 Nov 14:05`, ISO 8601, epochs.

A text is first recognised by its form (`scan`) and then read as a `Point`. What was left out — the day of a bare clock
time, the year of ``22 Nov`` — stays open until it is known whether the point starts a range, ends one, or stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import partial
from numbers import Integral

from obs_magics.model.durations import DAY, HOUR, MINUTE, SECOND, parse_duration, quoted, tidy
from obs_magics.model.errors import UsageError, did_you_mean
from obs_magics.model.time_grammar import (
    AGO,
    CALENDAR_STEP,
    CLOCK_FIRST,
    DAY_FIRST,
    DAYS,
    EPOCH_TEXT,
    MONTHS,
    NOW,
    STEP,
    WEEKDAYS,
    WORDS,
    ZONE_INSIDE,
)
from obs_magics.model.zones import (
    day_and_clock,
    from_datetime,
    in_bounds,
    instant_at,
    parse_zone,
    round_to,
    shift,
    unknown_zone,
)

Instant = str | int | float | date | datetime

_EXAMPLES = "write for example 14:05, yesterday 9am, 1h ago, now-1h, 22 Nov 14:05, 2026-11-22T14:05:00Z"

# Epochs are told apart by size: seconds up to the year 5138, and so on (each border is in 1973 in the finer unit).
_EPOCH_UNITS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))


@dataclass(frozen=True, slots=True)
class Context:
    """What a text is read against: now, the zone that is meant when none is typed, and whether it ends a range."""

    now_ns: int
    zone: tzinfo
    ends_range: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A point in time as typed; `near` gives the days it may fall on when that was left open, None when it is fixed."""

    ns: int = 0
    near: Callable[[date], Iterable[date]] | None = None
    clock_ns: int | None = None
    zone: tzinfo | None = None
    zone_typed: bool = False
    has_day: bool = True

    @property
    def is_day(self) -> bool:
        """A whole day was named, without a time."""
        return self.clock_ns is None and self.zone is not None

    def latest(self, anchor_ns: int) -> int:
        """The instant itself, or the most recent one that is not after the anchor."""
        return max((ns for ns in self._choices(anchor_ns) if ns <= anchor_ns), default=self.ns)

    def earliest(self, anchor_ns: int) -> int:
        """The instant itself, or the first one that is not before the anchor."""
        return min((ns for ns in self._choices(anchor_ns) if ns >= anchor_ns), default=self.ns)

    def _choices(self, anchor_ns: int) -> list[int]:
        if self.near is None or self.zone is None:
            return [self.ns]
        day, _ = day_and_clock(anchor_ns, self.zone)
        return [instant_at(choice, self.clock_ns or 0, self.zone) for choice in self.near(day)]


Reader = Callable[[re.Match[str], Context], Point]


def scan(text: str) -> Callable[[Context], Point] | None:
    """How to read the text as a point in time, or None when it has no such form.

    Reading raises `UsageError` when the form is right and a value is not (``25:00``, ``31 Feb``, an unknown zone).
    """
    for pattern, reader in _FORMS:
        match = pattern.fullmatch(text)
        if match:
            return partial(reader, match)
    return None


def read_point(value: Instant, context: Context) -> Point:
    """A typed or given value as a point in time; see `model.time.parse_instant` for what is taken."""
    if isinstance(value, datetime) and value == value:  # noqa: PLR0124 - pandas' NaT is a datetime unlike itself
        return Point(from_datetime(value, context.zone))
    if isinstance(value, date) and not isinstance(value, datetime):
        return Point(instant_at(value, 0, context.zone), zone=context.zone)
    if isinstance(value, str):
        text = tidy(value)
        read = scan(text)
        if read is None:
            raise not_understood(value, "a time", _EXAMPLES)
        return read(context)
    if isinstance(value, Integral | float) and not isinstance(value, bool):
        # The shortest text of a float is what was meant; its binary value has nanoseconds that nobody typed.
        return Point(_epoch(Decimal(str(value)) if isinstance(value, float) else Decimal(int(value))))
    raise UsageError(f"a time cannot be a {type(value).__name__}", hint=_EXAMPLES)


def not_understood(text: str, what: str, examples: str) -> UsageError:
    """The error for text of no known form: the nearest word that we know, and examples."""
    unknown = [word for word in re.findall(r"[^\W\d_]{3,}", text.lower()) if word not in WORDS]
    guess = did_you_mean(unknown[0], WORDS) if unknown else ""
    short = re.fullmatch(r"\s*([0-9]{1,2})\s*", text)
    if short:
        guess = f"did you mean {short[1]}:00?"
    return UsageError(f"{quoted(text)} is not {what}", hint="; ".join(filter(None, [guess, examples])))


def _read_epoch(match: re.Match[str], _: Context) -> Point:
    return Point(_epoch(Decimal(match[0])))


def _epoch(exact: Decimal) -> int:
    if not exact.is_finite() or exact < 0:
        hint = "times before 1970 are written as dates, offsets as now-1h"
        raise UsageError(f"{quoted(str(exact))} is not an epoch", hint=hint)
    scale = next((scale for border, scale in _EPOCH_UNITS if exact < border), 1)
    if exact > 10**20:
        return in_bounds(10**20)
    return in_bounds(int((exact * scale).to_integral_value()))


def _read_ago(match: re.Match[str], context: Context) -> Point:
    return Point(in_bounds(context.now_ns - parse_duration(match["duration"])))


def _read_now(match: re.Match[str], context: Context) -> Point:
    """Grafana's arithmetic, from left to right; days and longer follow the calendar when the result is rounded."""
    ns, rounded = context.now_ns, "/" in match["steps"]
    for step in STEP.finditer(match["steps"]):
        if step["unit"]:
            ns = _rounded(step["unit"], ns, context)
        else:
            ns = _stepped(step["sign"], step["amount"], ns, context.zone, calendar=rounded)
    return Point(ns)


def _rounded(unit: str, ns: int, context: Context) -> int:
    exact = unit if unit in {"M", "Q"} else unit.lower()
    if exact not in {"s", "m", "h", "d", "w", "M", "Q", "y"}:
        raise UsageError(f"now cannot be rounded to {quoted(unit)}", hint="round to /m, /h, /d, /w, /M, /Q or /y")
    return round_to(exact, ns, context.zone, up=context.ends_range)


def _stepped(sign: str, amount: str, ns: int, zone: tzinfo, *, calendar: bool) -> int:
    direction = -1 if sign == "-" else 1
    item = CALENDAR_STEP.fullmatch(amount)
    if item and (calendar or item["unit"] in {"M", "Q"}):
        day, clock_ns = day_and_clock(ns, zone)
        return instant_at(shift(item["unit"], day, direction * int(item["count"])), clock_ns, zone)
    return in_bounds(ns + direction * parse_duration(amount))


def _read_calendar(match: re.Match[str], context: Context) -> Point:
    zone = _zone(match, context)
    clock_ns = _clock(match)
    day = _day(match, context, zone)
    return Point(
        ns=instant_at(day, clock_ns or 0, zone) if isinstance(day, date) else 0,
        near=None if isinstance(day, date) else day,
        clock_ns=clock_ns,
        zone=zone,
        zone_typed=zone is not context.zone,
        has_day=day is not _any_day,
    )


def _zone(match: re.Match[str], context: Context) -> tzinfo:
    if match["offset"]:
        return parse_zone(match["offset"])
    try:
        return parse_zone(match["zone"]) if match["zone"] else context.zone
    except UsageError:
        raise unknown_zone(match["zone"], also=WORDS) from None


def _clock(match: re.Match[str]) -> int | None:
    """Nanoseconds after midnight; None when no time was typed."""
    if match["name"]:
        return 12 * HOUR if match["name"].lower() == "noon" else 0
    digits = match["compact"] or ""
    hour = match["hour"] or match["hour12"] or digits[:2]
    if not hour:
        return None
    minute, second = match["minute"] or digits[2:4] or "0", match["second"] or digits[4:] or "0"
    fraction = int((match["fraction"] or "0")[:9].ljust(9, "0"))
    whole = _hour_of_day(int(hour), (match["half"] or match["half12"] or "").lower())
    clock_ns = whole * HOUR + int(minute) * MINUTE + int(second) * SECOND + fraction
    if whole > 24 or int(minute) > 59 or int(second) > 59 or clock_ns > DAY:
        raise UsageError(f"{quoted(match[0])} has no such time of day", hint="times go from 00:00 to 24:00")
    return clock_ns


def _hour_of_day(hour: int, half: str) -> int:
    if not half:
        return hour
    return hour % 12 + (12 if half == "p" else 0) if 1 <= hour <= 12 else 99


def _any_day(around: date) -> Iterable[date]:
    return [around + timedelta(days=days) for days in range(-2, 3)]


def _day(match: re.Match[str], context: Context, zone: tzinfo) -> date | Callable[[date], Iterable[date]]:
    today, _ = day_and_clock(context.now_ns, zone)
    if match["word"]:
        return today + timedelta(days={"yesterday": -1, "today": 0, "tomorrow": 1}[match["word"].lower()])
    if match["weekday"]:
        return _weekday(WEEKDAYS.index(match["weekday"][:3].lower()), today, past=bool(match["last"]))
    digits = match["d1"] or match["d2"] or match["d3"]
    return _numbered_day(match, int(digits)) if digits else _any_day


def _weekday(number: int, today: date, *, past: bool) -> date | Callable[[date], Iterable[date]]:
    """``last monday`` is the one before today; a bare ``monday`` is open."""
    if past:
        return today - timedelta(days=(today.weekday() - number - 1) % 7 + 1)
    return lambda around: [
        day for days in range(-9, 10) if (day := around + timedelta(days=days)).weekday() == number
    ]  # fmt: skip


def _numbered_day(match: re.Match[str], day: int) -> date | Callable[[date], Iterable[date]]:
    name = (match["m2"] or match["m3"] or "")[:3].lower()
    month = MONTHS.index(name) + 1 if name else int(match["m1"])
    year = match["y1"] or match["y2"] or match["y3"]
    if year is None and match["checked"] is None and _date(2000, month, day):  # 2000 has a 29 February
        return lambda around: [
            found for years in range(-9, 10) if (found := _date(around.year + years, month, day)) is not None
        ]
    found = _date(int(year), month, day) if year else None
    if found is None:
        hint = "name the year as well" if year is None and match["checked"] else "days are written 2026-11-22 or 22 Nov"
        raise UsageError(f"{quoted(match[0])}: no such day in the calendar", hint=hint)
    if match["checked"] and found.weekday() != WEEKDAYS.index(match["checked"][:3].lower()):
        raise UsageError(
            f"{quoted(match[0])}: {found} is a {DAYS[found.weekday()]}", hint="leave the day of the week out"
        )
    return found


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_FORMS: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (NOW, _read_now),
    (AGO, _read_ago),
    (EPOCH_TEXT, _read_epoch),
    (DAY_FIRST, _read_calendar),
    (CLOCK_FIRST, _read_calendar),
    (ZONE_INSIDE, _read_calendar),
)
