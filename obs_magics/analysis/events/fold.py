"""Events that several sources tell of: an alert that Prometheus fired and Alertmanager got is one.

Two alerts of different sources are one when they have the same name and service, when they overlap (give or take
`SLACK_NS`: an evaluation interval, and the way from one to the other), and when every label that both have is the same.
Alertmanager's have more: Prometheus adds its external labels on the way. Events of other kinds are one when kind,
service, title, version and time are the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from obs_magics.model.events import Event
from obs_magics.model.time import MINUTE

SLACK_NS = 2 * MINUTE
ALERT_NAME = "alertname"
# Attributes that adapters add to an alert's labels: they tell its state, not which alert it is.
OWN_PREFIXES = ("annotation_", "alert_")


def folded(found: Iterable[Sequence[Event]]) -> tuple[list[Event], int]:
    """The events of several sources, each once, and how many were told twice.

    Args:
        found: The events of each source; what one source tells twice stays twice.
    """
    kept: list[Event] = []
    alerts: dict[tuple[str, str], list[int]] = defaultdict(list)
    others: dict[tuple[object, ...], int] = {}
    twice = 0
    for events in found:
        before = len(kept)
        for event in events:
            place = _same_alert(event, kept, alerts, before) if _is_alert(event) else others.get(_key(event))
            if place is not None and place < before:
                kept[place] = _joined(kept[place], event)
                twice += 1
                continue
            if _is_alert(event):
                alerts[_name(event)].append(len(kept))
            else:
                others.setdefault(_key(event), len(kept))
            kept.append(event)
    return kept, twice


def _is_alert(event: Event) -> bool:
    return event.kind == "alert" and ALERT_NAME in event.attributes


def _name(event: Event) -> tuple[str, str]:
    return event.attributes[ALERT_NAME], event.service


def _key(event: Event) -> tuple[object, ...]:
    return event.start_ns, event.kind, event.service, event.title, event.version


def _same_alert(
    event: Event, kept: Sequence[Event], alerts: dict[tuple[str, str], list[int]], before: int
) -> int | None:
    """Where the alert of another source stands that this one is; of several the one that began nearest."""
    fitting = [
        place for place in alerts.get(_name(event), ()) if place < before and _one_and_the_same(kept[place], event)
    ]
    return min(fitting, key=lambda place: abs(kept[place].start_ns - event.start_ns), default=None)


def _one_and_the_same(one: Event, other: Event) -> bool:
    if one.start_ns > other.until_ns + SLACK_NS or other.start_ns > one.until_ns + SLACK_NS:
        return False
    labels = {name: value for name, value in one.attributes.items() if not name.startswith(OWN_PREFIXES)}
    return all(other.attributes.get(name, value) == value for name, value in labels.items())


def _joined(first: Event, second: Event) -> Event:
    """Both in one: the first says what it knows, the second fills what is missing.

    An alert began where the earlier of them says, and goes on when one of them says so.
    """
    ends = [one.end_ns for one in (first, second) if one.end_ns is not None]
    over = len(ends) == 2 or (first.kind != "alert" and bool(ends))
    return replace(
        first,
        start_ns=min(first.start_ns, second.start_ns),
        end_ns=max(ends) if over else None,
        title=second.title if _is_bare(first) and not _is_bare(second) else first.title,
        version=first.version or second.version,
        severity=first.severity or second.severity,
        url=first.url or second.url,
        source=",".join(dict.fromkeys([*first.source.split(","), *second.source.split(",")])).strip(","),
        attributes={**second.attributes, **first.attributes},
    )


def _is_bare(event: Event) -> bool:
    """Whether the title of an alert is made of its name alone, as it had no summary."""
    return event.title.startswith(event.attributes.get(ALERT_NAME, "\0"))
