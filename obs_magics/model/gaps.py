"""Local times that never were, because clocks were set forward over them: that one was typed, and how it is read."""

from __future__ import annotations

from datetime import datetime, tzinfo

from obs_magics.model.durations import DAY, MICROSECOND, SECOND
from obs_magics.model.instants import Context, Instant, read_point
from obs_magics.model.zones import day_and_clock, instant_at, to_datetime, zone_name


def gap_note(value: Instant | None, ns: int, zone: tzinfo) -> str:
    """That a time was typed which the clocks jumped over, and what it is read as; empty where they did not.

    Args:
        value: As typed, or as Python holds it. It must be one that was read.
        ns: What it was read as, in nanoseconds since the epoch.
        zone: Meant where the time names none.

    >>> from zoneinfo import ZoneInfo
    >>> gap_note("2026-03-29 02:30", 1774747800 * SECOND, ZoneInfo("Europe/Berlin"))
    '02:30 on 29 Mar 2026 does not exist in Europe/Berlin, where clocks are set forward: read as 03:30'
    """
    clock_ns, own = _clock(value, ns, zone)
    if clock_ns is None:
        return ""
    day, shown_ns = day_and_clock(ns, own)
    wanted_ns = clock_ns % DAY
    if shown_ns == wanted_ns or instant_at(day, wanted_ns, own) != ns:
        return ""
    return (
        f"{_text(wanted_ns)} on {day.day} {day:%b %Y} does not exist in {zone_name(own)}, where clocks are set "
        f"forward: read as {to_datetime(ns, own):%H:%M}"
    )


def gap_notes(
    *, start: Instant | None, end: Instant | None, start_ns: int, end_ns: int, zone: tzinfo
) -> tuple[str, ...]:
    """The same of both ends of a range."""
    notes = (gap_note(start, start_ns, zone), gap_note(end, end_ns, zone))
    return tuple(dict.fromkeys(note for note in notes if note))


def _clock(value: Instant | None, ns: int, zone: tzinfo) -> tuple[int | None, tzinfo]:
    """The time of day that was typed, in nanoseconds after midnight, and its zone; None where none was."""
    if isinstance(value, datetime):
        midnight = value.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        plain = value.replace(tzinfo=None) - midnight
        return (None if value.utcoffset() is not None else round(plain.total_seconds() * 10**6) * MICROSECOND), zone
    if not isinstance(value, str):
        return None, zone
    point = read_point(value, Context(ns, zone))
    return point.clock_ns, point.zone or zone


def _text(clock_ns: int) -> str:
    minutes, seconds = divmod(clock_ns // SECOND, 60)
    tail = f":{seconds:02d}" if seconds else ""
    return f"{minutes // 60:02d}:{minutes % 60:02d}{tail}"
