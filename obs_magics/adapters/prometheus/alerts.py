"""Alerts over time: `ALERTS` as Prometheus records it, folded into one event from when an alert fired to when it ended.

Points of the series lie a step apart, so an event begins at most a step late and ends at most a step early. What still
fires at the last point has no end. What fires now, its texts and its value, come from the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from obs_magics.adapters.prometheus.answers import Series
from obs_magics.adapters.prometheus.rules import Firing, Loaded
from obs_magics.analysis.events.alerts import alert_event, is_broken, pushed_down
from obs_magics.display.units import count_text
from obs_magics.model.durations import format_duration
from obs_magics.model.events import Event, events_frame
from obs_magics.model.query import EventsQuery, MetricsQuery, choose_step
from obs_magics.model.sources import Answer

_STATE = "alertstate"
# Points a series: one every 15 s over the six hours that are asked for when nobody says otherwise.
_MOST_POINTS = 1500
_SHOWN = 3
_Key = frozenset[tuple[str, str]]


def history_query(query: EventsQuery) -> MetricsQuery:
    """The metrics question for all that fired."""
    matchers = ",".join([f'{_STATE}="firing"', *map(str, pushed_down(query.matchers))])
    return MetricsQuery(text=f"ALERTS{{{matchers}}}", range=query.range, step_ns=choose_step(query.range, _MOST_POINTS))


def alerts_answer(
    asked: MetricsQuery,
    series: Series,
    loaded: Loaded,
    *,
    failed: Sequence[str],
    parts: int,
    source: str,
    link: Callable[[str], str],
) -> Answer:
    """Alerts as events.

    Args:
        asked: The metrics question.
        series: What came of it.
        loaded: What the server told of its rules.
        failed: Parts of the question that did not come, a sentence each.
        parts: How many there were.
        source: Who says so.
        link: Gives the address that opens an expression in the server's own page.
    """
    folded = [event for labels, times in _series(series) for event in _events(labels, times, asked, source)]
    events = _with_what_fires(folded, loaded, asked, source, link)
    early = sum(0 <= event.start_ns - asked.range.start_ns <= asked.step_ns for event in events)
    truncated = [f"{len(failed)} of {parts} parts did not come"] if failed else []
    if series.partial:
        truncated.append("the server says that a part of its data was not to be had")
    return Answer(
        events_frame(events),
        asked.text,
        warnings=(*series.warnings, *_troubles(events, loaded)),
        truncated="; ".join(truncated),
        failed=(*failed, *([loaded.problem] if loaded.problem else [])),
        empty_reason="" if events else _why_empty(loaded),
        signal="events",
        notes=(*_notes(asked, len(folded), early),),
    )


def _series(series: Series) -> list[tuple[dict[str, str], np.ndarray[tuple[int], np.dtype[np.int64]]]]:
    edges = np.cumsum(series.counts)[:-1]
    return list(zip(series.labels, np.split(series.timestamps_ns, edges), strict=True)) if series.labels else []


def _events(
    labels: Mapping[str, str],
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
    asked: MetricsQuery,
    source: str,
) -> list[Event]:
    """One event for each stretch without a gap."""
    last_point = asked.range.end_ns - (asked.range.end_ns - asked.range.start_ns) % asked.step_ns
    breaks = np.flatnonzero(np.diff(times) > asked.step_ns + asked.step_ns // 2) + 1
    found = []
    for stretch in np.split(times, breaks):
        start, end = int(stretch[0]), int(stretch[-1])
        over = None if end >= last_point - asked.step_ns // 2 else end
        kept = {name: value for name, value in labels.items() if name != _STATE}
        found.append(alert_event(kept, {}, start_ns=start, end_ns=over, source=source))
    return found


def _with_what_fires(
    folded: Sequence[Event], loaded: Loaded, asked: MetricsQuery, source: str, link: Callable[[str], str]
) -> list[Event]:
    """The events with what is known of those that still fire; what only the rules tell of is one of its own."""
    events = list(folded)
    places: dict[_Key, int] = {}
    for place, event in enumerate(events):
        places[_key(event)] = place  # of several stretches the last
    for firing in loaded.firing():
        if firing.since_ns > asked.range.end_ns:
            continue
        told = _told(firing, source, link)
        place = places.get(_key(told), -1)
        before = events[place] if place >= 0 else None
        if before is None or (before.end_ns is not None and before.end_ns < firing.since_ns):
            events.append(told)
        else:
            clipped = before.start_ns <= asked.range.start_ns + asked.step_ns
            events[place] = replace(told, start_ns=min(before.start_ns, told.start_ns) if clipped else before.start_ns)
    return events


def _told(firing: Firing, source: str, link: Callable[[str], str]) -> Event:
    active, rule = firing.active, firing.rule
    return alert_event(
        active.labels,
        active.annotations,
        start_ns=firing.since_ns,
        end_ns=None,
        source=source,
        url=link(rule.query) if rule and rule.query else "",
        own={
            "alert_state": "firing",
            "alert_value": _number(active.value),
            "alert_query": rule.query if rule else "",
        },
    )


def _key(event: Event) -> _Key:
    """Labels alone: what is annotated, and the platform's own words, may differ."""
    labels = {name: value for name, value in event.attributes.items() if not name.startswith(("annotation_", "alert_"))}
    return frozenset({**labels, "service": event.service, "severity": event.severity}.items())


def _number(value: str | float) -> str:
    try:
        return f"{float(value):.6g}"
    except ValueError:
        return str(value)


def _notes(asked: MetricsQuery, rows: int, early: int) -> list[str]:
    if not rows:
        return []
    said = [f"beginnings and ends of alerts are exact to {format_duration(asked.step_ns)}"]
    if early:
        said.append(f"{count_text(early, 'alert')} fired already when the range began, and may have begun earlier")
    return said


def _troubles(events: Sequence[Event], loaded: Loaded) -> list[str]:
    broken = sum(is_broken(event.attributes) for event in events)
    said = [f"{count_text(broken, 'alert')} with a template that could not be filled in"] if broken else []
    failing = loaded.failing()
    if failing:
        names = ", ".join(rule.name for rule in failing[:_SHOWN]) + (", …" if len(failing) > _SHOWN else "")
        said.append(f"{count_text(len(failing), 'alerting rule')} cannot be evaluated, and so never fire: {names}")
    return said


def _why_empty(loaded: Loaded) -> str:
    if loaded.rules is None:
        return "nothing has fired: ALERTS has no series in this range"
    if not loaded.rules:
        return "this server has no alerting rules, and ALERTS has no series in this range"
    return f"nothing has fired: {len(loaded.rules):,} alerting rules are loaded, and ALERTS has no series in this range"
