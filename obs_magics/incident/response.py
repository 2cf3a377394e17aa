"""How quickly an incident was detected, mitigated and over: each told by rows of its timeline, or not at all.

===========  ===========================================================================================================
onset        when the incident began, as it was told or measured
detected     the first alert, incident or note of a person from the onset on that concerns the service, what it is
             connected to, or no service in particular; what rang before the onset told of something else
recovered    when the incident was over: as it was told, or when the measure by which it began was back to usual
mitigated    the last change of the service between onset and recovery, else of what it is connected to, no more than
             `MITIGATION` before the recovery. That it helped is what people say, and what a root-cause analysis tests
===========  ===========================================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import pandas as pd

from obs_magics.display.units import seconds_text
from obs_magics.model.durations import MINUTE, SECOND
from obs_magics.model.incident import Incident, Milestone, Response

MITIGATION_NS = 30 * MINUTE
"""A change longer before the recovery is not taken for what ended an incident."""
TOLERANCE_NS = MINUTE
"""The onset is no better known than that: what rang so shortly before it rang for it."""
_CRASHED = re.compile(r"(?i)\boom|out of memory|crash|back-?off|evict|\bkilled\b|panic|segfault")
_TELLS = ("alert", "incident", "note")


def response(frame: pd.DataFrame, incident: Incident, services: Collection[str] = ()) -> Response:
    """The four moments of an incident.

    Args:
        frame: Its timeline.
        incident: When it was.
        services: What the service is connected to: its callers and callees.
    """
    near = {incident.service, *services}
    return Response(
        (
            _onset(frame, incident),
            _detected(frame, incident, near),
            _mitigated(frame, incident, near),
            _recovered(frame, incident),
        )
    )


def _rows(
    frame: pd.DataFrame, whats: Collection[str], keep: Callable[[int], bool], near: Collection[str] | None
) -> list[int]:
    """Row numbers of some kinds at some instants, of these services or of none in particular."""
    times = frame["timestamp"].astype("int64").tolist()
    columns = (frame["what"].astype(object), frame["service"].astype(object))
    return [
        row
        for row, (at_ns, what, service) in enumerate(zip(times, *columns, strict=True))
        if what in whats and keep(at_ns) and (near is None or not isinstance(service, str) or service in near)
    ]


def _said(frame: pd.DataFrame, row: int) -> str:
    return str(frame["title"].iloc[row])


def _at(frame: pd.DataFrame, row: int) -> int:
    return int(frame["timestamp"].iloc[row].as_unit("ns").value)


def _onset(frame: pd.DataFrame, incident: Incident) -> Milestone:
    rows = _rows(frame, {"onset"}, lambda at_ns: at_ns == incident.start_ns, {incident.service})
    because = incident.start_because or "as told"
    return Milestone(moment="onset", at_ns=incident.start_ns, row=rows[0] if rows else None, because=because)


def _detected(frame: pd.DataFrame, incident: Incident, near: Collection[str]) -> Milestone:
    since = incident.start_ns - TOLERANCE_NS
    until = incident.end_ns
    rows = _rows(frame, _TELLS, lambda at_ns: at_ns >= since and (until is None or at_ns <= until), near)
    if rows:
        what = str(frame["what"].iloc[rows[0]])
        at_ns = max(_at(frame, rows[0]), incident.start_ns)
        return Milestone(moment="detected", at_ns=at_ns, row=rows[0], because=f"{what}: {_said(frame, rows[0])}")
    why = "no alert, incident or note from the onset on concerns it"
    return Milestone(moment="detected", because=why)


def _mitigated(frame: pd.DataFrame, incident: Incident, near: Collection[str]) -> Milestone:
    if incident.end_ns is None:
        return Milestone(moment="mitigated", because="it is not known to be over")
    first = max(incident.start_ns + 1, incident.end_ns - MITIGATION_NS)
    last = incident.end_ns
    own, others = (
        _rows(frame, {"change"}, lambda at_ns: first <= at_ns <= last, services)
        for services in ({incident.service}, near)
    )
    own, others = (
        [row for row in rows if not _CRASHED.search(_said(frame, row))] for rows in (own, others)
    )  # a process that was killed was no remedy
    rows = [row for row in own if frame["service"].notna().iloc[row]] or others
    if not rows:
        why = f"no change within {seconds_text(MITIGATION_NS / SECOND)} before the recovery is recorded"
        return Milestone(moment="mitigated", because=why)
    return Milestone(moment="mitigated", at_ns=_at(frame, rows[-1]), row=rows[-1], because=_said(frame, rows[-1]))


def _recovered(frame: pd.DataFrame, incident: Incident) -> Milestone:
    if incident.end_ns is None:
        return Milestone(moment="recovered", because=incident.end_because or "no end is known")
    rows = _rows(frame, {"recovery"}, lambda at_ns: at_ns == incident.end_ns, {incident.service})
    because = incident.end_because or "as told"
    return Milestone(moment="recovered", at_ns=incident.end_ns, row=rows[0] if rows else None, because=because)
