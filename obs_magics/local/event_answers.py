"""Answers questions about events over a folder."""

from __future__ import annotations

import pyarrow as pa

from obs_magics.analysis.events import chosen
from obs_magics.local.contents import Contents
from obs_magics.local.events.outside import none_inside
from obs_magics.model.errors import BadAnswer
from obs_magics.model.events import empty_events, events_frame
from obs_magics.model.query import EventsQuery
from obs_magics.model.sources import Answer

NO_EVENTS = "there are no events in this folder: docs/events.md has what is read as such"


def answer_events(contents: Contents, query: EventsQuery, where: str) -> Answer:
    """All that happened in the range, of every kind.

    Args:
        contents: What the folder holds.
        query: Of which the range is kept here, and the rest by whoever asks.
        where: Name and address, for errors.

    Raises:
        BadAnswer: The file was changed or damaged.
    """
    if contents.events is None:
        return Answer(
            empty_events(), query.text, warnings=contents.warnings("events"), empty_reason=NO_EVENTS, signal="events"
        )
    try:
        events = contents.events.events()
    except (OSError, pa.ArrowException) as problem:
        raise BadAnswer(
            f"the events cannot be read: {problem}", where=where, hint="the file was changed or damaged"
        ) from problem
    found = chosen(events, EventsQuery(range=query.range, limit=query.limit))
    return Answer(
        events_frame(found.events),
        query.text,
        warnings=contents.warnings("events"),
        empty_reason="" if found.events else none_inside(events),
        signal="events",
    )
