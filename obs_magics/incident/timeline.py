"""One timeline: changes, onsets, alerts, first errors and people's notes as rows of one frame, in a fixed order.

A timeline frame is an events frame (`model.events`) with the column `what` behind `kind` (category, `WHATS`): what a
row is to the incident. Rows that no source recorded (onset, first error, note, recovery) have the kind `annotation`.
Rows of one instant stand in the order of `WHATS`, which is that of cause and effect, then by service, title and source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, get_args

import pandas as pd

from obs_magics.analysis.log_text import said_text
from obs_magics.display.units import count_text, format_value, times
from obs_magics.incident.response import TOLERANCE_NS
from obs_magics.model.events import CHANGES, Event, empty_events, events_frame, events_of
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE
from obs_magics.model.incident import Incident, Remark, Shift
from obs_magics.model.logs import LEVELS

What = Literal["change", "annotation", "onset", "first_error", "alert", "incident", "note", "recovery"]

WHATS: tuple[What, ...] = get_args(What)
WHAT_DTYPE = pd.CategoricalDtype(pd.Index(list(WHATS), dtype=STRING_DTYPE))
OURS = "obs_magics"
"""The `source` of rows that were measured, not recorded."""
_OF_KIND: dict[str, What] = {
    **dict.fromkeys(CHANGES, "change"),
    "alert": "alert",
    "incident": "incident",
    "annotation": "annotation",
}
_TITLE_LENGTH = 400
_TAKEN = "label_what"  # where an attribute called `what` stands
_PLACE = "\x00place"


def timeline(
    incident: Incident | None = None,
    *,
    events: pd.DataFrame | None = None,
    shifts: Sequence[Shift] = (),
    errors: pd.DataFrame | None = None,
    notes: Sequence[Remark] = (),
) -> pd.DataFrame:
    """Put everything that is known on one axis.

    Args:
        incident: Gives the onset and the recovery; None where there is none.
        events: An events frame: changes, alerts, incidents, annotations.
        shifts: Measures that left their usual values.
        errors: One row per pattern of error lines and service: `service`, `template`, `level`, `count`, `first_seen`,
            `last_seen`, as `first_errors` makes it. Those seen before the incident began are no news, and left out.
        notes: Of people.

    Returns:
        A timeline frame. Nothing is cut: what began long before the incident and still goes on is there.
    """
    rows = [
        *_of_events(events),
        *_of_shifts(shifts, incident),
        *_of_errors(errors, incident),
        *_of_notes(notes),
        *_of_incident(incident, shifts),
    ]
    return _frame(rows)


def first_errors(lines: pd.DataFrame, table: pd.DataFrame, patterns: Sequence[int]) -> pd.DataFrame:
    """When each service first wrote each pattern of lines, in order of time.

    Args:
        lines: A logs frame.
        table: Its patterns, as `analysis.patterns.pattern_table` gives them.
        patterns: The row of the table for each line.

    Returns:
        `service` · `template` · `pattern` (its id) · `level` (the most severe) · `count` · `first_seen` · `last_seen`.
    """
    coded = pd.DataFrame(
        {
            "service": lines["service"].astype(object).where(lines["service"].notna(), ""),
            "row": list(patterns),
            "level": lines["level"].cat.codes.to_numpy(),
            "timestamp": lines["timestamp"].astype("int64").to_numpy(),
        }
    )
    grouped = coded.groupby(["service", "row"], sort=True)
    found = grouped.agg(
        level=("level", "max"), count=("level", "size"), first_seen=("timestamp", "min"), last_seen=("timestamp", "max")
    ).reset_index()
    rows = found["row"].to_numpy(dtype="int64")
    names = pd.array(found["service"].tolist(), dtype=STRING_DTYPE)
    utc = {name: pd.DatetimeIndex(found[name], dtype=TIMESTAMP_DTYPE) for name in ("first_seen", "last_seen")}
    result = pd.DataFrame(
        {
            "service": names,
            "template": table["template"].array[rows],
            "pattern": table["id"].array[rows],
            "level": pd.array([LEVELS[code] if code >= 0 else None for code in found["level"]], dtype=STRING_DTYPE),
            "count": found["count"].to_numpy(),
            **utc,
        }
    )
    return result.sort_values(["first_seen", "service", "pattern"], kind="stable", ignore_index=True)


def _of_events(events: pd.DataFrame | None) -> Iterator[tuple[Event, What]]:
    for event in events_of(events) if events is not None else ():
        told = {_TAKEN if name == "what" else name: value for name, value in event.attributes.items()}
        yield replace(event, attributes=told), _OF_KIND[event.kind]


def _of_shifts(shifts: Sequence[Shift], incident: Incident | None) -> Iterator[tuple[Event, What]]:
    for one in shifts:
        starts = incident is not None and one.service == incident.service and one.start_ns == incident.start_ns
        severity = "error" if starts else "warning"
        attributes = {"measure": one.measure}
        yield (
            Event(
                start_ns=one.start_ns,
                end_ns=one.end_ns,
                kind="annotation",
                service=one.service,
                title=shift_text(one),
                severity=severity,
                source=OURS,
                attributes=attributes,
            ),
            "onset",
        )


def shift_text(one: Shift) -> str:
    """What moved from where to where: "p99 latency 400 ms → 2.3 s (5.7×)".

    >>> shift_text(Shift(service="pay", measure="p99", title="p99 latency", unit="s", start_ns=0, usual=0.4, value=2.3,
    ...                  peak=2.4))
    'p99 latency 400 ms → 2.3 s (5.7×)'
    """
    usual, value = (format_value(number, one.unit) for number in (one.usual, one.value))
    ratio = times(one.value, one.usual, one.unit) if one.usual > 0 and one.value > one.usual else ""
    return f"{one.title} {usual} → {value}{f' ({ratio})' if ratio else ''}"


def _of_errors(errors: pd.DataFrame | None, incident: Incident | None) -> Iterator[tuple[Event, What]]:
    if errors is None:
        return
    columns = ("service", "template", "level", "count", "first_seen", "last_seen", "pattern")
    for service, template, level, count, first, last, pattern in zip(*(errors[name] for name in columns), strict=True):
        start_ns = pd.Timestamp(first).as_unit("ns").value
        if incident is not None and start_ns < incident.start_ns - TOLERANCE_NS:
            continue
        yield (
            Event(
                start_ns=start_ns,
                end_ns=pd.Timestamp(last).as_unit("ns").value if count > 1 else None,
                kind="annotation",
                service=str(service),
                title=f"{pattern_text(str(template))} ({count_text(int(count), 'line')})",
                severity=level if isinstance(level, str) else "",
                source=OURS,
                attributes={"pattern": str(pattern), "lines": str(int(count))},
            ),
            "first_error",
        )


def pattern_text(template: str) -> str:
    """What the lines of a pattern say, with … for what differs.

    >>> pattern_text('ts=<*> level=error msg="timeout after <*>" peer=<*>')
    'timeout after …'
    """
    return (said_text(template).replace("<*>", "…") or template)[:_TITLE_LENGTH]


def _of_notes(notes: Sequence[Remark]) -> Iterator[tuple[Event, What]]:
    for note in dict.fromkeys(notes):
        attributes = {"author": note.author} if note.author else {}
        yield (
            Event(
                start_ns=note.at_ns,
                kind="annotation",
                service=note.service,
                title=f"{note.author}: {note.text}" if note.author else note.text,
                source=note.source,
                attributes=attributes,
            ),
            "note",
        )


def _of_incident(incident: Incident | None, shifts: Sequence[Shift]) -> Iterator[tuple[Event, What]]:
    """The onset, where no measure began to move just then, and the recovery."""
    if incident is None:
        return
    moved = any(one.service == incident.service and one.start_ns == incident.start_ns for one in shifts)
    if not moved:
        title = incident.title or f"start of the incident ({incident.start_because or 'as told'})"
        yield _own(incident, incident.start_ns, title, severity="error"), "onset"
    if incident.end_ns is not None:
        title = incident.end_because or "end of the incident (as told)"
        yield _own(incident, incident.end_ns, title), "recovery"


def _own(incident: Incident, at_ns: int, title: str, *, severity: str = "") -> Event:
    return Event(
        start_ns=at_ns, kind="annotation", service=incident.service, title=title, severity=severity, source=OURS
    )


def _frame(rows: Sequence[tuple[Event, What]]) -> pd.DataFrame:
    ordered = sorted(
        rows, key=lambda row: (row[0].start_ns, WHATS.index(row[1]), row[0].service, row[0].title, row[0].source)
    )
    if not ordered:
        frame = empty_events()
        frame.insert(3, "what", pd.Series(pd.Categorical([], dtype=WHAT_DTYPE)))
        return frame
    # Put in order of time as they come; the place says which row is which.
    placed = [
        replace(event, attributes={**event.attributes, _PLACE: str(place)}) for place, (event, _) in enumerate(ordered)
    ]
    frame = events_frame(placed)
    frame = frame.iloc[frame[_PLACE].astype("int64").argsort(kind="stable")].drop(columns=_PLACE).reset_index(drop=True)
    frame.insert(3, "what", pd.Series(pd.Categorical([what for _, what in ordered], dtype=WHAT_DTYPE)))
    return frame
