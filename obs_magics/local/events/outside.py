"""Why a range has no events, where there are some."""

from __future__ import annotations

from collections.abc import Sequence

from obs_magics.model.events import Event
from obs_magics.model.zones import to_datetime


def none_inside(events: Sequence[Event]) -> str:
    """That none of the events lies in the time asked for, and when they were.

    >>> none_inside([])
    'there are no events here'
    """
    if not events:
        return "there are no events here"
    first, last = (to_datetime(edge(event.start_ns for event in events)) for edge in (min, max))
    when = (
        f"at {first:%Y-%m-%d %H:%M:%S}"
        if first == last
        else f"between {first:%Y-%m-%d %H:%M:%S} and {last:%Y-%m-%d %H:%M:%S}"
    )
    return f"none of the {len(events):,} events here lies in the time asked for: they are {when} UTC"
