"""Time as people type it, and time ranges as nanoseconds since the epoch.

What a text leaves out is filled in so that the time is the most recent one that is not after now (a source may have a
now of its own that stands still in the past): at 13:00, ``14:05`` is yesterday's. The end of a range is the first such
time that is not before its start, so ``22:00 to 02:00`` crosses midnight.

A day is its midnight wherever one instant is asked (``2026-11-22`` as a start or an end), and the whole of it, up to
now, where a range is asked (``yesterday``). Weeks begin on Monday. ``last hour`` and ``last 7 days`` reach to now;
``last week``, ``last month`` and ``last year`` are the ones before the present one in the calendar.

Clocks that are set: a local time that does not exist moves forward by as much as the clock was set forward (02:30
becomes 03:30), one that comes twice is its first occurrence, and durations are always exact (``1d`` is 24 hours).
"""

from __future__ import annotations

from datetime import timedelta, tzinfo

from obs_magics.model.durations import (
    DAY,
    HOUR,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    SECOND,
    WEEK,
    format_duration,
    parse_duration,
    quoted,
    read_duration,
    tidy,
)
from obs_magics.model.errors import UsageError
from obs_magics.model.instants import Context, Instant, read_point
from obs_magics.model.ranges import PERIODS, TimeRange, after, before, checked, positive_duration, read_ends, read_range
from obs_magics.model.zones import format_instant, in_bounds, parse_zone, wall_length

__all__ = [
    "DAY",
    "HOUR",
    "MICROSECOND",
    "MILLISECOND",
    "MINUTE",
    "SECOND",
    "WEEK",
    "Instant",
    "TimeRange",
    "format_duration",
    "format_instant",
    "parse_duration",
    "parse_instant",
    "parse_range",
    "parse_zone",
    "resolve_range",
]


def parse_instant(value: Instant, *, now_ns: int, zone: tzinfo) -> int:
    """Nanoseconds since the epoch of one point in time, as people type or hold it.

    Args:
        value: Text (``now``, ``now-1h``, Grafana's ``now-1d/d``, ``1h ago``, ``14:05``, ``2:05pm``, ``yesterday at
            9am``, ``monday 14:00``, ``2026-11-22 14:05``, ``22 Nov 14:05``, ISO 8601 down to nanoseconds, each with a
            zone if wanted: ``14:05 UTC``, ``+02:00``, ``Europe/Berlin``); an epoch in seconds, milli-, micro- or
            nanoseconds, told apart by size; a date; a datetime (a naive one is in `zone`).
        now_ns: The source's now.
        zone: Meant where no other is typed.

    Raises:
        UsageError: Not a time, no such time, or outside what 64-bit nanoseconds can tell.

    >>> from datetime import UTC
    >>> format_instant(parse_instant("2026-11-22 14:05 +02:00", now_ns=0, zone=UTC))
    '2026-11-22T12:05:00+00:00'
    """
    return read_point(value, Context(in_bounds(now_ns), zone)).latest(now_ns)


def parse_range(text: str, *, now_ns: int, zone: tzinfo) -> TimeRange:
    """A time range as people type it.

    Takes ``last hour``, ``past 2 days``, ``30m``, ``today``, ``last week``, ``2026-11-22``, ``between 14:00 and
    15:00``, ``14:00-15:00``, ``2-3pm``, ``yesterday from 9am to 11am``, ``14:00 for 30m``, ``since yesterday 9am``,
    ``around 14:15`` (half an hour either side), ``14:15 ± 10m``, ``now-6h to now-1h``.

    Args:
        text: The range.
        now_ns: The source's now; the range may end after it, but not start there.
        zone: Meant where no other is typed; a zone typed with one end holds for both.

    Raises:
        UsageError: Not a range, or one that starts after its end or after now.

    >>> from datetime import UTC
    >>> parse_range("last hour", now_ns=2 * HOUR, zone=UTC) == TimeRange(HOUR, 2 * HOUR)
    True
    """
    return read_range(text, Context(in_bounds(now_ns), zone))


def resolve_range(
    *,
    last: str | timedelta | None = None,
    start: Instant | None = None,
    end: Instant | None = None,
    now_ns: int,
    zone: tzinfo,
    default_ns: int,
    max_ns: int | None = None,
) -> TimeRange:
    """The range that the options `last`, `start` and `end` mean together.

    Args:
        last: A length (``1h``, a timedelta) or any range of `parse_range`. With `start` or `end` it must be a length:
            that much after the start, or before the end.
        start: As in `parse_instant`; alone it reaches to now.
        end: As in `parse_instant`; alone the range is `default_ns` long.
        now_ns: The source's now.
        zone: Meant where no other is typed.
        default_ns: Length when nothing says otherwise.
        max_ns: Longest range allowed, None for any. A calendar week counts as 7 days also when a clock is set back.

    Raises:
        UsageError: All three given, not understood, start after end or now, or longer than `max_ns`.
    """
    context = Context(in_bounds(now_ns), zone)
    if last is not None and start is not None and end is not None:
        raise UsageError("last, start and end are given together", hint="leave one of the three out")
    if last is not None and start is None and end is None:
        found = _last_alone(last, context)
    else:
        found = _between_options(start, end, None if last is None else _length(last), default_ns, context)
    return _within(checked(found, context), max_ns, zone)


def _between_options(
    start: Instant | None, end: Instant | None, length: int | None, default_ns: int, context: Context
) -> TimeRange:
    if start is not None and end is not None:
        return read_ends(start, end, context)
    if start is not None:
        start_ns = read_point(start, context).latest(context.now_ns)
        return TimeRange(start_ns, context.now_ns) if length is None else after(start_ns, length)
    end_ns = context.now_ns
    if end is not None:
        end_ns = read_point(end, Context(context.now_ns, context.zone, ends_range=True)).latest(context.now_ns)
    return before(end_ns, default_ns if length is None else length)


def _last_alone(last: str | timedelta, context: Context) -> TimeRange:
    if isinstance(last, str) and tidy(last).lower() in PERIODS:
        return read_range(f"last {tidy(last)}", context)
    if isinstance(last, str) and read_duration(last) is None:
        return read_range(last, context)
    return before(context.now_ns, _length(last))


def _length(last: str | timedelta) -> int:
    if isinstance(last, str):
        return positive_duration(last)
    if not isinstance(last, timedelta):
        raise UsageError(f"a length of time cannot be a {type(last).__name__}", hint="write for example 30m or 1h")
    length = last // timedelta(microseconds=1) * MICROSECOND + getattr(last, "nanoseconds", 0)
    if length <= 0:
        raise UsageError(f"{quoted(str(last))} is no length of time", hint="write for example 30m or 1h")
    return in_bounds(length)


def _within(found: TimeRange, max_ns: int | None, zone: tzinfo) -> TimeRange:
    if max_ns is None or found.duration_ns <= max_ns or wall_length(found.start_ns, found.end_ns, zone) <= max_ns:
        return found
    raise UsageError(
        f"the range is {format_duration(found.duration_ns)} long, and at most {format_duration(max_ns)} may be asked",
        hint="shorten it, or raise query.max_time_range in the configuration",
    )
