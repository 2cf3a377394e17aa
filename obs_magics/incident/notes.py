"""People's notes: the time that they mean, and how they are shown when they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo

from obs_magics.display.units import count_text
from obs_magics.display.visible import short
from obs_magics.model.incident import Remark
from obs_magics.model.instants import Context, Instant, read_point
from obs_magics.model.zones import to_datetime

_TEXT, _AUTHOR = 120, 40


def near_instant(value: Instant, *, near_ns: int, zone: tzinfo) -> int:
    """Nanoseconds since the epoch of a time; what it leaves out is filled in so that it is nearest to an instant.

    Raises:
        UsageError: Not a time, or no such time.

    >>> near_instant("23:50", near_ns=600 * SECOND, zone=UTC) // SECOND
    -600
    """
    point = read_point(value, Context(near_ns, zone))
    return min((point.latest(near_ns), point.earliest(near_ns)), key=lambda ns: abs(ns - near_ns))


def said(remark: Remark, zone: tzinfo) -> str:
    """A note in a line: when (and in UTC, where that is another), who, about what, and what.

    Of a local time that comes twice, because clocks were set back, it says which of the two is meant.
    """
    local, utc = to_datetime(remark.at_ns, zone), to_datetime(remark.at_ns, UTC)
    when = f"{local.day:>2} {local:%b} {local:%H:%M:%S}"
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    which = f", the {('first', 'second')[local.fold]} {local:%H:%M} of two" if twice else ""
    other = "" if local.utcoffset() == utc.utcoffset() and not twice else f" ({utc:%H:%M:%S} UTC{which})"
    who = f"{short(remark.author, _AUTHOR)}: " if remark.author else ""
    about = f" [{short(remark.service, _AUTHOR)}]" if remark.service else ""
    return f"{when}{other}  {who}{short(remark.text, _TEXT)}{about}"


def span_text(remarks: Sequence[Remark], zone: tzinfo) -> str:
    """How many notes there are and of which time, with the zone."""
    if not remarks:
        return "nothing"
    first, last = to_datetime(remarks[0].at_ns, zone), to_datetime(remarks[-1].at_ns, zone)
    days = (
        f"{first.day} {first:%b %Y}"
        if first.date() == last.date()
        else f"{first.day} {first:%b} – {last.day} {last:%b %Y}"
    )
    offset = first.strftime("%z")
    name = "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:]}"
    return f"{count_text(len(remarks), 'note')} from {first:%H:%M} to {last:%H:%M}, {days}, {name}"
