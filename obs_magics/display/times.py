"""Instants in the session's zone: short in a row, exact where a row opens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd

from obs_magics.display.clock import MS, at, clock_text, dates_text, zone_text
from obs_magics.model.logs import Array

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND


def nanoseconds(column: pd.Series[Any]) -> Array:
    """int64 nanoseconds since the epoch."""
    return column.astype("datetime64[ns, UTC]").astype("int64").to_numpy()


def stamp(ns: int, zone: str, *, day: bool) -> str:
    """A line's time to the millisecond: "14:23:11.306", "22 Nov 14:23:11.306"."""
    moment = at(ns // MS, zone)
    date = f"{moment.day:>2} {moment:%b} " if day else ""
    return f"{date}{moment:%H:%M:%S}.{ns // MS % 1000:03}"


def exact(ns: int, zone: str) -> str:
    """A line's time to the nanosecond, in ISO 8601 with the zone's offset; Z for UTC."""
    moment = at(ns // MS, zone)
    minutes = int((moment.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    offset = f"{'+' if minutes > 0 else '-'}{hours:02}:{rest:02}" if minutes else "Z"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns % _SECOND:09}{offset}"


def clock(ns: int, zone: str, *, day: bool) -> str:
    """A time to the second, or to the minute when it is one: "14:23", "14:23:11"."""
    return clock_text(ns // MS, zone, day=day, named=False)


def stretch(start_ns: int, end_ns: int, zone: str, *, day: bool) -> str:
    """From and to, as short as they can be told apart: "14:23–14:28", "14:23:11–14:23:40", "14:23:11".

    Where minutes do, both lie between them: the end is the minute that follows.
    """
    if end_ns - start_ns >= 5 * _MINUTE:
        start_ns, end_ns = start_ns // _MINUTE * _MINUTE, -(-end_ns // _MINUTE) * _MINUTE
    start, end = (clock(ns, zone, day=day) for ns in (start_ns, end_ns))
    return start if start == end else f"{start}–{end}"


def several_days(start_ns: int, end_ns: int, zone: str) -> bool:
    """Whether times need their day."""
    return at(start_ns // MS, zone).date() != at(end_ns // MS, zone).date()


def days_and_zone(start_ns: int, end_ns: int, zone: str) -> str:
    """What all times have in common: "Sun 22 Nov 2026, Europe/Berlin (UTC+1)"."""
    start, end = start_ns // MS, end_ns // MS
    return f"{dates_text(start, end, zone)}, {zone_text(start, end, zone)}"
