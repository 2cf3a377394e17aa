"""A summary of events as sentences: how many of which kind, what goes on, what changed before trouble began."""

from __future__ import annotations

from collections.abc import Mapping

from obs_magics.display.clock import MS, at, clock_text
from obs_magics.display.marks import event_word
from obs_magics.display.units import count_text, seconds_text
from obs_magics.display.visible import short
from obs_magics.model.event_summary import Before, EventSummary
from obs_magics.model.events import Event

_TITLE, _SERVICE = 100, 60
_MOST_ONGOING = 3


def event_sentences(
    summary: EventSummary, *, end_ns: int, zone: str = "UTC", whole: bool = True, chosen: bool = False
) -> list[str]:
    """What a summary says, a sentence without a full stop each.

    Args:
        summary: In numbers.
        end_ns: Where the range ends: how long ago the last change was is counted from there.
        zone: IANA name of the zone in which times are written.
        whole: Whether changes before the trouble would be here: else that there is none tells nothing.
        chosen: Whether some events alone were asked for.
    """
    if not summary.rows:
        return ["no events"]
    told = [_head(summary)]
    if summary.services > 1:
        told.append(f"most in {short(summary.busiest, _SERVICE)}: {kinds_text(summary.busiest_kinds)}")
    if summary.before and (summary.before.changes or whole):
        told.append(_before(summary.before, zone))
    told += [_last_change(summary.last_change, end_ns, zone, chosen)] if summary.last_change else []
    told += [_ongoing(summary.ongoing, end_ns, zone)] if summary.ongoing else []
    return told


def kinds_text(kinds: Mapping[str, int]) -> str:
    """How many of each: ``3 deployments, 2 config changes``.

    >>> kinds_text({"deployment": 3, "feature_flag": 1})
    '3 deployments, 1 flag'
    """
    return ", ".join(count_text(count, event_word(kind)) for kind, count in kinds.items())


def _head(summary: EventSummary) -> str:
    nowhere = f", {summary.nowhere:,} of no service in particular" if summary.nowhere else ""
    where = f" in {count_text(summary.services, 'service')}" if summary.services else ""
    return f"{count_text(summary.rows, 'event')}{where}{nowhere}: {kinds_text(summary.kinds)}"


def _before(before: Before, zone: str) -> str:
    trouble = before.trouble
    first = f"{event_word(trouble.kind)} “{_title(trouble)}” ({_clock(trouble.start_ns, zone, trouble.start_ns)})"
    back = seconds_text(before.looked_back_ns / 1e9)
    if not before.changes:
        return f"nothing is known to have changed in the {back} before the first severe {first}"
    changes = "; ".join(
        f"{seconds_text((trouble.start_ns - one.start_ns) / 1e9)} before: {_named(one)}" for one in before.changes
    )
    return f"in the {back} before the {first}: {changes}"


def _last_change(event: Event, end_ns: int, zone: str, chosen: bool) -> str:
    which = "the last of these changes" if chosen else "the last change"
    ago = seconds_text(max(end_ns - event.start_ns, 0) / 1e9)
    return f"{which}, {ago} before the end of the range ({_clock(event.start_ns, zone, end_ns)}): {_named(event)}"


def _ongoing(events: tuple[Event, ...], end_ns: int, zone: str) -> str:
    named = [f"{_title(one)} since {_clock(one.start_ns, zone, end_ns)}" for one in events[:_MOST_ONGOING]]
    more = f" and {len(events) - _MOST_ONGOING:,} more" if len(events) > _MOST_ONGOING else ""
    return f"still going on: {'; '.join(named)}{more}"


def _named(event: Event) -> str:
    where = f" of {short(event.service, _SERVICE)}" if event.service and event.service not in event.title else ""
    return f"{event_word(event.kind)}{where}, {_title(event)}"


def _title(event: Event) -> str:
    return short(event.title, _TITLE)


def _clock(ns: int, zone: str, near_ns: int) -> str:
    """The time, with its day where that is another than that of what stands near."""
    return clock_text(ns // MS, zone, day=at(ns // MS, zone).date() != at(near_ns // MS, zone).date(), named=False)
