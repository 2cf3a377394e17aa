"""Tests that could contradict a suspicion: what else would have to be seen if it were wrong, or right."""

from __future__ import annotations

import numpy as np

from obs_magics.analysis.root_cause.case import Case
from obs_magics.analysis.root_cause.changes import Judged
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.fusion import Suspect
from obs_magics.analysis.root_cause.onset import stretch_of
from obs_magics.analysis.root_cause.roles import OUTCOMES
from obs_magics.analysis.root_cause.said import called, lasts, valued
from obs_magics.analysis.root_cause.statistics import INCIDENT, REFERENCE
from obs_magics.analysis.spans.times import durations
from obs_magics.model.root_cause import Outcome, Refutation

LATE = "Did the symptom start before it?"
COMMON = "Do services without the symptom's cause show the same?"
REACHES = "Can it reach what suffers?"
WITHOUT = "Are requests without it as usual?"
GOES_BACK = "Did it end with the symptom?"

_SERIES = frozenset({"metrics", "symptom"})
_CLEAR = 2.0  # a weighed surprise from which a series has left its usual
_FELT = 0.6  # likewise of what callers feel, which weighs less
_MINUTE = 60 * 1_000_000_000
_LATE_NS = 2 * _MINUTE  # that a cause may be seen after the symptom: series have steps
_ALIKE = 0.8  # of the surprise, from which others show the same
_COMMON = 0.5  # of the services, from which it is common to all
_LEAST_PEERS = 3
_AS_USUAL = 1.3  # times the usual duration
_LEAST_REQUESTS = 5


def refute(suspect: Suspect, case: Case) -> tuple[Refutation, ...]:
    """Put a service to all tests."""
    lead = suspect.findings[0]
    moved = _measured(suspect) or lead
    return _starts_late(suspect, case), _common(lead, case), _without(lead, case), _goes_back(moved, case)


def refute_load(lead: Finding, case: Case) -> tuple[Refutation, ...]:
    """More requests are no cause of their own where the symptom went and they stayed."""
    return (_goes_back(lead, case),)


def _measured(suspect: Suspect) -> Finding | None:
    """The first of its findings that a series tells, what callers feel before all else."""
    told = [one for one in suspect.findings if one.signal in _SERIES and one.surprise >= _CLEAR]
    felt = [one for one in suspect.findings if one.signal in _SERIES and one.kind in OUTCOMES]
    return next(iter([*[one for one in felt if one.surprise >= _FELT], *told]), None)


def refute_change(judged: Judged, case: Case) -> tuple[Refutation, ...]:
    """Put a change to all tests."""
    change = judged.change
    lag = case.incident.start_ns - change.effect_ns
    before = Refutation(
        question=LATE,
        outcome="held" if lag >= 0 else "failed",
        detail=f"it took effect {abs(lag) // _MINUTE} min {'before' if lag >= 0 else 'after'} the symptom began",
    )
    place = Refutation(question=REACHES, outcome=reaches(judged, case), detail=_reach(judged, case))
    return before, place, _taken_back(judged)


def reaches(judged: Judged, case: Case) -> Outcome:
    """Whether a change went where the symptom may come from; without a call graph nobody knows what is far away."""
    if judged.change.service in case.near:
        return "held"
    return "failed" if judged.change.service and case.calls else "not tested"


def _reach(judged: Judged, case: Case) -> str:
    service = judged.change.service
    if service and service == case.place:
        return f"it was made at {service} itself"
    part = "is" if service in case.near else "is not known to be"
    return f"{service or 'no service'} {part} part of what {case.place} needs"


def _taken_back(judged: Judged) -> Refutation:
    question = "Did it get better when it was taken back?"
    undone = judged.change.undone
    if undone is None or undone.effect is None:
        return Refutation(
            question=question, outcome="not tested", detail="nobody took it back while the symptom lasted"
        )
    outcome: Outcome = "held" if undone.effect == "helped" else "failed"
    return Refutation(question=question, outcome=outcome, detail=f"{undone.by}: it {undone.effect}")


def _starts_late(suspect: Suspect, case: Case) -> Refutation:
    """A cause is not seen long after its effect."""
    question = LATE
    onset = onset_of(suspect, case)
    if onset is None:
        return Refutation(question=question, outcome="not tested", detail="when it began cannot be told to the minute")
    late = onset - case.incident.start_ns
    outcome: Outcome = "failed" if late > _LATE_NS else "held"
    return Refutation(question=question, outcome=outcome, detail=f"it began {_apart(late)} the symptom")


def _apart(ns: int) -> str:
    """How far after something (before it, where negative), in words that go on with it."""
    if abs(ns) < _MINUTE:
        return "within a minute of"
    return f"{abs(ns) // _MINUTE} min {'after' if ns > 0 else 'before'}"


def onset_of(suspect: Suspect, case: Case) -> int | None:
    """When a service's first clear series left its usual, in nanoseconds since the epoch; None where none tells."""
    lead = _measured(suspect)
    if lead is None or case.table is None:
        return None
    chosen = case.table.such(lead.service, lead.subject, lead.details)
    found = [stretch_of(case.table, at) for at in chosen.tolist()]
    starts = [one.window.start_ns for one in found if one and one.window.end_ns > case.incident.start_ns]
    return min(starts, default=None)


def _common(lead: Finding, case: Case) -> Refutation:
    """What all services show tells nothing about one."""
    question = COMMON
    alike = {
        finding.service
        for finding in case.findings
        if (finding.signal, finding.kind) == (lead.signal, lead.kind)
        and (lead.signal != "metrics" or finding.subject == lead.subject)
        and finding.service != lead.service
        and finding.surprise >= _ALIKE * _raw(lead, case)
    }
    peers = len(case.services) - 1
    if peers < _LEAST_PEERS:
        return Refutation(question=question, outcome="not tested", detail="there are hardly any others")
    detail = f"{len(alike)} of {peers} others show it as much"
    return Refutation(question=question, outcome="failed" if len(alike) >= _COMMON * peers else "held", detail=detail)


def _raw(lead: Finding, case: Case) -> float:
    """The surprise of a finding before it was weighed."""
    same = (lead.service, lead.signal, lead.kind, lead.subject)
    found = [one.surprise for one in case.findings if (one.service, one.signal, one.kind, one.subject) == same]
    return max(found, default=lead.surprise)


def _without(lead: Finding, case: Case) -> Refutation:
    """Requests that do not come to the service should be as usual."""
    question = WITHOUT
    requests = case.requests
    if requests is None or not case.traced:
        return Refutation(question=question, outcome="not tested", detail="there are no traces of the incident")
    names = [str(name) for name in requests.frame["service"].cat.categories]
    if lead.service not in names:
        return Refutation(question=question, outcome="not tested", detail=f"no trace shows {lead.service}")
    touched = np.zeros(len(requests.period), dtype=bool)
    touched[requests.tree.trace[requests.service == names.index(lead.service)]] = True
    roots = requests.tree.roots
    took = durations(requests.frame)[roots] / 1e6
    side, without = requests.period[requests.tree.trace[roots]], ~touched[requests.tree.trace[roots]]
    during, usual = took[(side == INCIDENT) & without], took[(side == REFERENCE) & without]
    if min(len(during), len(usual)) < _LEAST_REQUESTS:
        return Refutation(question=question, outcome="not tested", detail="almost all requests come to it")
    now, before = float(np.median(during)), float(np.median(usual))
    detail = f"{len(during)} requests without it took {lasts(now)}, usually {lasts(before)}"
    return Refutation(question=question, outcome="held" if now <= _AS_USUAL * before else "failed", detail=detail)


def _goes_back(lead: Finding, case: Case) -> Refutation:
    """When the symptom ends, what caused it should be over as well."""
    question = GOES_BACK
    unknown = Refutation(question=question, outcome="not tested", detail="nothing is known of the time after")
    if lead.signal not in _SERIES or case.table is None:
        return unknown
    table = case.table
    series = table.such(lead.service, lead.subject, lead.details)
    end = case.incident.end_ns
    later = (table.instants >= end + _MINUTE) & (table.instants < end + (end - case.incident.start_ns) + _MINUTE)
    after = table.values[np.isin(table.series, series) & later]
    if len(after) < _LEAST_PEERS:
        return unknown
    value = float(np.median(after))
    back = abs(value - lead.before) < abs(value - lead.during)
    after_it, during, usual = (
        valued(case.given, lead.subject, lead.service, one) for one in (value, lead.during, lead.before)
    )
    detail = f"{called(case.given, lead.subject)}: {usual} before, {during} during it, {after_it} afterwards"
    return Refutation(question=question, outcome="held" if back else "failed", detail=detail)
