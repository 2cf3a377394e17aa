"""An events frame in numbers: filled by `analysis.events.summary`, shown by `display`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from obs_magics.model.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What changed shortly before trouble began.

    Args:
        trouble: The first severe alert, or the first incident.
        changes: What changed in the time looked back, the nearest first.
        looked_back_ns: How long that is.
    """

    trouble: Event
    changes: tuple[Event, ...]
    looked_back_ns: int

    @property
    def begin_ns(self) -> int:
        """From when on changes count."""
        return self.trouble.start_ns - self.looked_back_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSummary:
    """An events frame in numbers; every one can be recounted in the frame.

    Args:
        rows: Events.
        kinds: Events by kind, the kinds in the order of `model.events.KINDS`.
        services: In how many services they were.
        nowhere: How many concern no service in particular.
        busiest: The service with most of them; empty when there is none.
        busiest_kinds: Its events by kind.
        ongoing: Alerts and incidents that still go on, those that began first at the front.
        last_change: The newest deployment, config change, flag, restart or scaling; None when there is none.
        before: What changed before trouble began; None when nothing severe rang.
    """

    rows: int
    kinds: Mapping[str, int]
    services: int
    nowhere: int
    busiest: str
    busiest_kinds: Mapping[str, int]
    ongoing: tuple[Event, ...]
    last_change: Event | None
    before: Before | None
