"""When an incident began and whether it is over, from the measures of its service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from obs_magics.display.units import format_value, seconds_text
from obs_magics.incident.shifts import Points, shift_near, shifts_within, since
from obs_magics.incident.timeline import shift_text
from obs_magics.model.durations import MINUTE, SECOND
from obs_magics.model.incident import Shift
from obs_magics.model.zones import to_datetime

FELT = ("error_rate", "latency_p99", "throughput")
"""Measures by which people notice; in this order they tell the start."""
_JOINED_NS = 10 * MINUTE
_BEGINS_NS = 15 * MINUTE  # after the start that was told, for what then begins to belong to it
SAME_NS = 2 * MINUTE
"""A start that was told and one that was measured are the same when they are no further apart."""
_NEVER_NS = 1 << 62


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which measures of a service were not as usual."""

    start_ns: int
    end_ns: int | None
    shifts: tuple[Shift, ...]


def bad_shifts(shifts: Sequence[Shift]) -> list[Shift]:
    """Those that people notice: more errors, slower answers; where there are none, fewer requests or instances."""
    felt = [one for one in shifts if one.rises and (one.measure == "error_rate" or one.measure.startswith("latency"))]
    return felt or [one for one in shifts if not one.rises and one.measure in {"throughput", "availability"}]


def stretches(points: Sequence[Points], service: str) -> list[Stretch]:
    """When a service was not as usual, in order of time: shifts that overlap, or nearly, are one stretch."""
    own = [shift for one in points if one.service == service for shift in shifts_within(one)]
    ordered = sorted(bad_shifts(own), key=lambda one: (one.start_ns, one.measure))
    found: list[Stretch] = []
    for shift in ordered:
        last = found[-1] if found else None
        if last is not None and (last.end_ns is None or shift.start_ns <= last.end_ns + _JOINED_NS):
            ends = None if last.end_ns is None or shift.end_ns is None else max(last.end_ns, shift.end_ns)
            found[-1] = Stretch(last.start_ns, ends, (*last.shifts, shift))
        else:
            found.append(Stretch(shift.start_ns, shift.end_ns, (shift,)))
    return found


def shifts_of(points: Sequence[Points], start_ns: int) -> list[Shift]:
    """What moved around the start of an incident and since, in order of time."""
    found = [shift for one in points if (shift := shift_near(one, start_ns)) is not None]
    return sorted(found, key=lambda one: (one.start_ns, one.service, one.measure, one.title))


def symptoms_of(shifts: Sequence[Shift], service: str, start_ns: int) -> list[Shift]:
    """What people notice of one incident: bad shifts of its service from the start on, each before the last is over."""
    reach_ns = start_ns + _BEGINS_NS
    kept = []
    for one in bad_shifts([one for one in shifts if one.service == service]):
        if one.start_ns <= reach_ns:
            kept.append(one)
            reach_ns = max(reach_ns, one.end_ns + _JOINED_NS) if one.end_ns is not None else _NEVER_NS
    return kept


def symptoms_around(points: Sequence[Points], service: str, start_ns: int, before_ns: int) -> list[Shift]:
    """What people noticed of the incident that somebody told of.

    What is usual is told by the time just before. Who tells late leaves no such time: where the instant lies within a
    stretch that is unusual against all that is known, and that began earlier, the incident began with that stretch.

    Args:
        points: Measures of the service, from long before.
        service: Its name.
        start_ns: When it began, as was told.
        before_ns: How much of the time before tells what is usual.
    """
    found = _symptoms_from(points, service, start_ns, before_ns)
    first_ns = min((one.start_ns for one in found), default=start_ns)
    earlier = [
        one.start_ns
        for one in stretches(points, service)
        if one.start_ns < min(first_ns, start_ns) - SAME_NS and (one.end_ns is None or one.end_ns >= start_ns)
    ]
    return (_symptoms_from(points, service, earlier[-1], before_ns) if earlier else []) or found


def _symptoms_from(points: Sequence[Points], service: str, start_ns: int, before_ns: int) -> list[Shift]:
    return symptoms_of(shifts_of([since(one, start_ns - before_ns) for one in points], start_ns), service, start_ns)


def begun_before(shifts: Sequence[Shift], end_ns: int | None) -> list[Shift]:
    """Those that began before an incident was over."""
    return [one for one in shifts if end_ns is None or one.start_ns <= end_ns]


@dataclass(frozen=True, slots=True)
class Ending:
    """When an incident was over, and how that is known; None when it is not."""

    end_ns: int | None
    because: str


def ending(symptoms: Sequence[Shift], *, measured: bool) -> Ending:
    """The end of an incident from what people noticed: when the last of it was back to usual.

    Args:
        symptoms: Shifts of the service that are bad.
        measured: Whether there are any measures of it.
    """
    if not symptoms:
        why = "no measure of it left what is usual" if measured else "no source measures it"
        return Ending(None, f"not known: {why}")
    lasting = [one for one in symptoms if one.end_ns is None]
    if lasting:
        return Ending(None, f"not over: {lasting[0].title} is not back to usual where the data ends")
    last = max(symptoms, key=lambda one: (one.end_ns or 0, one.measure))
    return Ending(last.end_ns, f"{last.title} back to {format_value(last.usual, last.unit)}")


def measured_start(symptoms: Sequence[Shift]) -> str:
    """How a start is known that nobody told."""
    return f"measured: {shift_text(min(symptoms, key=lambda one: (one.start_ns, one.measure)))}"


def told_start(start_ns: int, symptoms: Sequence[Shift]) -> str:
    """How a start that was told agrees with what is measured."""
    if not symptoms:
        return "as told"
    first = min(symptoms, key=lambda one: (one.start_ns, one.measure))
    apart = first.start_ns - start_ns
    if abs(apart) <= SAME_NS:
        return f"as told; {shift_text(first)}"
    distance = seconds_text(abs(apart) // SECOND)
    if apart < 0:
        return f"measured, {distance} before the time told: {shift_text(first)}"
    return f"as told; measured {distance} later, at {to_datetime(first.start_ns):%H:%M:%S} UTC: {shift_text(first)}"
