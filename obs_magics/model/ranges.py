"""Time ranges as people type them: `last hour`, `14:00-15:00`, `since yesterday 9am`, `around 14:15`.

Each form is a function that gives the range, or None when the text has another form; `read_range` tries them in turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from obs_magics.model.durations import DAY, HOUR, MINUTE, SECOND, WEEK, parse_duration, quoted, read_duration, tidy
from obs_magics.model.errors import UsageError
from obs_magics.model.instants import Context, Instant, Point, not_understood, read_point, scan
from obs_magics.model.zones import (
    day_and_clock,
    format_instant,
    in_bounds,
    instant_at,
    round_to,
    shift,
    start_of,
    to_datetime,
)

_AROUND_NS = 30 * MINUTE
_LONGEST_NIGHT_NS = 12 * HOUR
_EXAMPLES = "write for example last 30 minutes, yesterday, 14:00-15:00, since 9am, around 14:15, now-6h to now-1h"

_FLAGS = re.IGNORECASE | re.ASCII
_PREFIX = re.compile(r"(?:the )?(?P<which>last|past|previous|this) (?P<rest>.+)", _FLAGS)
_SINCE = re.compile(r"(?:since|from|after|starting(?: at)?) (?P<start>.+)", _FLAGS)
_AROUND = re.compile(r"(?:around|about|near) (?P<centre>.+)", _FLAGS)
_MARGIN = re.compile(r"(?P<centre>.+?)\s?(?:±|\+/-|\+-)\s?(?P<margin>.+)", _FLAGS)
_FOR = re.compile(r"(?:from )?(?P<start>.+) for (?P<length>.+)", _FLAGS)
_PAIR_START = re.compile(r"(?:between|from) ", _FLAGS)
_DAY_BETWEEN = re.compile(r"(?P<day>.+?),? (?:between|from) (?P<pair>.+)", _FLAGS)
_SEPARATOR = re.compile(r" (?:to|until|till|through|and) |\s?(?:→|\.\.\.?|…|->)\s?", _FLAGS)
_HYPHEN = re.compile(r"\s?-\s?")
_DATED = re.compile(r"[0-9]{4}([-/]?)[0-9]{2}\1[0-9]{2}.*")
_SHORT_CLOCK = r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))?\s?(?P<half>[ap]m)?"
_LEFT_CLOCK = re.compile(rf"(?P<head>(?:.* )?){_SHORT_CLOCK}", _FLAGS)
_RIGHT_CLOCK = re.compile(rf"{_SHORT_CLOCK}(?P<tail>(?: .*)?)", _FLAGS)

# Calendar periods; the letters are those of Grafana's rounding.
PERIODS = {"minute": "m", "hour": "h", "day": "d", "week": "w", "month": "M", "quarter": "Q", "year": "y"}
_ROLLING = {
    "last": {"minute": MINUTE, "hour": HOUR, "day": DAY},
    "past": {"minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK},
}


@dataclass(frozen=True, slots=True, order=True)
class TimeRange:
    """From `start_ns` to `end_ns`, both included, in nanoseconds since the epoch."""

    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        """Length in nanoseconds."""
        return self.end_ns - self.start_ns

    @property
    def start(self) -> datetime:
        """Start in UTC, to the microsecond."""
        return to_datetime(self.start_ns, UTC)

    @property
    def end(self) -> datetime:
        """End in UTC, to the microsecond."""
        return to_datetime(self.end_ns, UTC)


def read_range(text: str, context: Context) -> TimeRange:
    """The range that a text means; see `model.time.parse_range`."""
    cleaned = tidy(text)
    for form in (_rolling, _period, _spread, _lasting, _pair, _since, _whole_day):
        found = form(cleaned, context)
        if found is not None:
            return checked(found, context)
    if scan(cleaned):
        hint = f"write since {cleaned}, around {cleaned}, or {cleaned} to …"
        raise UsageError(f"{quoted(text)} is a point in time, not a range", hint=hint)
    raise not_understood(text, "a time range", _EXAMPLES)


def read_ends(start: Instant, end: Instant, context: Context) -> TimeRange:
    """The range between two points; what one of them leaves out (day, zone) is taken from the other."""
    first, last = read_point(start, context), read_point(end, replace(context, ends_range=True))
    if first.zone and first.zone_typed and not last.zone_typed:
        last = read_point(end, replace(context, zone=first.zone, ends_range=True))
    elif last.zone and last.zone_typed and not first.zone_typed:
        first = read_point(start, replace(context, zone=last.zone))
    return _joined(first, last, context.now_ns)


def checked(found: TimeRange, context: Context) -> TimeRange:
    """The range itself; raises `UsageError` when it starts after its end or after now."""
    if found.start_ns > context.now_ns:
        start, now = _apart(found.start_ns, context.now_ns, context)
        raise UsageError(f"the range starts at {start}, after now ({now})", hint="ask for a time that has begun")
    if found.start_ns > found.end_ns:
        start, end = _apart(found.start_ns, found.end_ns, context)
        raise UsageError(f"the start {start} is after the end {end}", hint=f"swap them: from {end} to {start}")
    return found


def _apart(first_ns: int, second_ns: int, context: Context) -> tuple[str, str]:
    """Two instants as people read them: to the second, where that tells them apart."""
    unit = SECOND if abs(first_ns - second_ns) >= SECOND else 1
    first, second = (format_instant(ns // unit * unit, context.zone) for ns in (first_ns, second_ns))
    return first, second


def positive_duration(text: str) -> int:
    """Nanoseconds of a duration that is longer than nothing."""
    length = parse_duration(text)
    if length == 0:
        raise UsageError(f"{quoted(text)} is no length of time", hint="write for example 30m or 1h")
    return length


def before(end_ns: int, length: int) -> TimeRange:
    """`length` nanoseconds up to an instant."""
    return TimeRange(in_bounds(end_ns - length), end_ns)


def after(start_ns: int, length: int) -> TimeRange:
    """`length` nanoseconds from an instant on."""
    return TimeRange(start_ns, in_bounds(start_ns + length))


def _joined(start: Point, end: Point, now_ns: int) -> TimeRange:
    if end.near is None:
        return TimeRange(start.latest(min(end.ns, now_ns)), end.ns)
    if start.near and end.has_day and not start.has_day:
        end_ns = end.latest(now_ns)
        return TimeRange(start.latest(end_ns), end_ns)
    start_ns = start.latest(now_ns)
    end_ns = end.earliest(start_ns)
    if start.has_day or end.has_day or (start.clock_ns or 0) <= (end.clock_ns or 0):
        return TimeRange(start_ns, end_ns)
    return _over_midnight(start, end, TimeRange(start_ns, end_ns), now_ns)


def _over_midnight(start: Point, end: Point, found: TimeRange, now_ns: int) -> TimeRange:
    """Two clock times, the later one first: a night that is over, or a mistake when it would last over half a day."""
    if found.duration_ns > _LONGEST_NIGHT_NS:
        return TimeRange(found.start_ns, found.end_ns - DAY)  # start after end: refused by whoever checks it
    if found.end_ns <= now_ns:
        return found
    start_ns = start.latest(found.start_ns - 1)
    return TimeRange(start_ns, end.earliest(start_ns))


def _rolling(text: str, context: Context) -> TimeRange | None:
    """``1h``, ``last 30 minutes``, ``past 2 days``."""
    prefix = _PREFIX.fullmatch(text)
    length = prefix["rest"] if prefix and prefix["which"].lower() != "this" else text
    return before(context.now_ns, positive_duration(length)) if read_duration(length) is not None else None


def _period(text: str, context: Context) -> TimeRange | None:
    """``last hour``, ``this week``, ``last month``, ``past week``."""
    prefix = _PREFIX.fullmatch(text)
    unit = PERIODS.get(prefix["rest"].lower()) if prefix else None
    if prefix is None or unit is None:
        return None
    which, now_ns = prefix["which"].lower(), context.now_ns
    length = _ROLLING.get(which, {}).get(prefix["rest"].lower())
    if length:
        return before(now_ns, length)
    if which == "past":
        day, clock_ns = day_and_clock(now_ns, context.zone)
        return TimeRange(instant_at(shift(unit, day, -1), clock_ns, context.zone), now_ns)
    begin = round_to(unit, now_ns, context.zone)
    return TimeRange(begin, now_ns) if which == "this" else TimeRange(_period_before(unit, begin, context), begin)


def _period_before(unit: str, begin_ns: int, context: Context) -> int:
    if unit in {"m", "h"}:
        return in_bounds(begin_ns - (MINUTE if unit == "m" else HOUR))
    day, _ = day_and_clock(begin_ns, context.zone)
    return instant_at(shift(unit, start_of(unit, day), -1), 0, context.zone)


def _spread(text: str, context: Context) -> TimeRange | None:
    """``around 14:15``, ``14:15 ± 10m``."""
    around = _AROUND.fullmatch(text)
    with_margin = _MARGIN.fullmatch(around["centre"] if around else text)
    if with_margin:
        centre, margin = with_margin["centre"], positive_duration(with_margin["margin"])
    elif around:
        centre, margin = around["centre"], _AROUND_NS
    else:
        return None
    centre_ns = read_point(centre, context).latest(context.now_ns)
    return TimeRange(in_bounds(centre_ns - margin), in_bounds(centre_ns + margin))


def _lasting(text: str, context: Context) -> TimeRange | None:
    """``14:00 for 30m``."""
    match = _FOR.fullmatch(text)
    if match is None or scan(match["start"]) is None:
        return None
    start_ns = read_point(match["start"], context).latest(context.now_ns)
    return after(start_ns, positive_duration(match["length"]))


def _pair(text: str, context: Context) -> TimeRange | None:
    """``14:00-15:00``, ``between 2 and 3pm``, ``yesterday from 9am to 11am``, ``now-6h to now-1h``."""
    opening = _PAIR_START.match(text)
    body = text[opening.end() :] if opening else text
    day_first = None if opening else _DAY_BETWEEN.fullmatch(text)
    if day_first and scan(day_first["day"]):
        body = f"{day_first['day']} {day_first['pair']}"
    for left, right in _splits(body):
        for start, end in (_with_both_halves(left, right), (left, right)):
            if scan(start) and scan(end):
                return read_ends(start, end, context)
    return None


def _splits(text: str) -> Iterator[tuple[str, str]]:
    """The places where one point may end and the next begin, likeliest first."""
    for separator in _SEPARATOR.finditer(text):
        yield text[: separator.start()], text[separator.end() :]
    if _DATED.fullmatch(text) and scan(text):
        return  # a date, or ISO 8601 with an offset such as -05:00
    for separator in _HYPHEN.finditer(text):
        yield text[: separator.start()], text[separator.end() :]


def _with_both_halves(left: str, right: str) -> tuple[str, str]:
    """``2 … 3pm`` is 2pm … 3pm, ``11 … 1pm`` is 11am … 1pm: one am or pm tells the other."""
    first, last = _LEFT_CLOCK.fullmatch(left), _RIGHT_CLOCK.fullmatch(right)
    if not first or not last or bool(first["half"]) == bool(last["half"]):
        return left, right
    if not (1 <= int(first["hour"]) <= 12 and 1 <= int(last["hour"]) <= 12):
        return left, right
    half = (first["half"] or last["half"]).lower()
    minutes = [int(clock["hour"]) % 12 * 60 + int(clock["minute"] or 0) for clock in (first, last)]
    if minutes[0] >= minutes[1]:  # the same half would put the end before the start
        half = "am" if half == "pm" else "pm"
    if first["half"]:
        return left, f"{last['hour']}:{last['minute'] or '00'}{half}{last['tail']}"
    return f"{first['head']}{first['hour']}:{first['minute'] or '00'}{half}", right


def _since(text: str, context: Context) -> TimeRange | None:
    """``since yesterday 9am``."""
    match = _SINCE.fullmatch(text)
    if match is None or scan(match["start"]) is None:
        return None
    return TimeRange(read_point(match["start"], context).latest(context.now_ns), context.now_ns)


def _whole_day(text: str, context: Context) -> TimeRange | None:
    """``yesterday``, ``2026-11-22``, ``monday``: from midnight to midnight, or to now when the day is not over."""
    read = scan(text)
    point = read(context) if read else None
    if point is None or point.zone is None or not point.is_day:
        return None
    start_ns = point.latest(context.now_ns)
    day, _ = day_and_clock(start_ns, point.zone)
    end_ns = instant_at(shift("d", day, 1), 0, point.zone)
    return TimeRange(start_ns, max(start_ns, min(end_ns, context.now_ns)))
