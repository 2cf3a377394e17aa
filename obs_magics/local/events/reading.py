"""Files read as events, whoever has them: what they hold, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from obs_magics.display.units import count_text
from obs_magics.local.events.settings import EventsSettings
from obs_magics.local.readers.base import File, Mapping, Problem
from obs_magics.local.readers.events import looks_right, read
from obs_magics.model.events import Event

SHOWN = 5


@dataclass(frozen=True, slots=True)
class EventsRead:
    """What files held: events, what could not be read, and how they were read, a sentence each."""

    events: tuple[Event, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def read_event_files(files: Iterable[File], given: EventsSettings, *, chosen_files: bool) -> EventsRead:
    """Read files as events.

    Args:
        files: Of which those that are not there, or may not be read, are said.
        given: Which column holds the time, its zone, and what events are that do not say so.
        chosen_files: Whether somebody named them: then they are read as events whatever they look like, else those
            that look like it.
    """
    mapping = Mapping(timestamp=given.timestamp, zone=given.zone)
    events: list[Event] = []
    problems: list[Problem] = []
    notes: list[Problem] = []
    skipped = 0
    for file in files:
        if file.none:
            problems.append(Problem(file.name, file.none))
            continue
        try:
            if not chosen_files and not looks_right(file, mapping):
                skipped += 1
                problems += [] if file.head else file.damage
                continue
            reading = read(file, mapping, given.kind)
        except OSError as problem:  # gone, or not to be read by this user
            problems.append(Problem(file.name, f"cannot be read: {problem.strerror or problem}"))
            continue
        events += reading.events
        problems += [*file.damage, *reading.problems]
        notes += reading.notes
    said = [*map(str, problems), *([f"{count_text(skipped, 'file')} without events"] if skipped else [])]
    if given.service:
        events = [event if event.service else replace(event, service=given.service) for event in events]
    return EventsRead(tuple(events), tuple(said), tuple(map(str, notes)))
