"""What an events frame says in numbers: how many of which kind where, what goes on, what changed before trouble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from obs_magics.model.event_summary import Before, EventSummary
from obs_magics.model.events import CHANGES, KINDS, Event, events_of, severity_rank
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.time import MINUTE

LOOKED_BACK_NS = 30 * MINUTE
"""How long before trouble a change is worth a word here; `analysis.correlation` weighs more."""
_SEVERE = 3  # of `severity_rank`: error and worse
_MOST_CHANGES = 3


def summarize_events(frame: pd.DataFrame) -> EventSummary:
    """Say in numbers what an events frame holds."""
    events = events_of(frame)
    by_service = Counter(event.service for event in events if event.service)
    busiest = min(by_service, key=lambda name: (-by_service[name], name), default="")
    changes = [event for event in events if event.kind in CHANGES]
    return EventSummary(
        rows=len(events),
        kinds=_by_kind(events),
        services=len(by_service),
        nowhere=sum(not event.service for event in events),
        busiest=busiest,
        busiest_kinds=_by_kind(event for event in events if event.service == busiest) if busiest else {},
        ongoing=tuple(event for event in events if event.kind in ("alert", "incident") and event.end_ns is None),
        last_change=max(changes, key=lambda event: event.start_ns, default=None),
        before=_before(events, changes),
    )


def kind_table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per service and kind: `service`, `kind`, `events`, `first`, `last`; most events first.

    Events of no service in particular have a row with a missing service.
    """
    grouped = frame.assign(service=frame["service"].astype(STRING_DTYPE)).groupby(
        ["service", "kind"], observed=True, dropna=False, sort=True
    )
    table = grouped.agg(events=("title", "size"), first=("timestamp", "min"), last=("timestamp", "max")).reset_index()
    return table.sort_values(["events", "first"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _by_kind(events: Iterable[Event]) -> dict[str, int]:
    counted = Counter(event.kind for event in events)
    return {kind: counted[kind] for kind in KINDS if counted[kind]}


def _before(events: Sequence[Event], changes: Sequence[Event]) -> Before | None:
    """What changed before the first incident, or the first alert that is severe by its own words."""
    troubles = [
        event
        for event in events
        if event.kind == "incident" or (event.kind == "alert" and severity_rank(event.severity) >= _SEVERE)
    ]
    found = None
    for trouble in troubles:  # the first that something changed before; else the first
        near = [one for one in changes if 0 <= trouble.start_ns - one.start_ns <= LOOKED_BACK_NS]
        nearest = sorted(near, key=lambda one: trouble.start_ns - one.start_ns)[:_MOST_CHANGES]
        found = found or Before(trouble=trouble, changes=tuple(nearest), looked_back_ns=LOOKED_BACK_NS)
        if nearest:
            return Before(trouble=trouble, changes=tuple(nearest), looked_back_ns=LOOKED_BACK_NS)
    return found
