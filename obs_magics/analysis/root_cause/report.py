"""The answer: what contributed most likely, why, what was ruled out, and what to look at next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from obs_magics.analysis.root_cause import confidence
from obs_magics.analysis.root_cause.case import Case
from obs_magics.analysis.root_cause.changes import Change, Judged
from obs_magics.analysis.root_cause.elsewhere import Sign
from obs_magics.analysis.root_cause.evidence import evidence_of, evidence_of_change
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.fusion import Suspect
from obs_magics.analysis.root_cause.inputs import Observations
from obs_magics.analysis.root_cause.refute import onset_of, refute, refute_change
from obs_magics.model.root_cause import (
    ChangeReference,
    Conclusion,
    Evidence,
    Factor,
    FactorKind,
    RootCauseReport,
    RuledOut,
)

_LEAST_SCORE = 1.5  # below, what was found is no more than one finds anywhere
_CONTRIBUTES = 0.4  # of the best service's score, from which another is a factor
_MOST_FACTORS, _MOST_EVIDENCE, _MOST_RULED_OUT = 4, 6, 8
_LISTED = 0.2  # of the best change's score, from which another is listed
_MOST_CHANGES = 5

_KINDS: Mapping[str, FactorKind] = {
    "logs": "logs", "calls": "calls", "latency": "latency", "errors": "errors", "symptom": "symptom",
}  # fmt: skip
_METRIC_KINDS: Mapping[str, FactorKind] = {
    "latency": "latency", "errors": "errors", "success": "errors", "saturation": "saturation", "traffic": "traffic",
}  # fmt: skip


def explain(given: Observations) -> RootCauseReport:
    """Say what contributed to an incident.

    The same observations give the same report, to the last digit.

    Args:
        given: The frames of whatever there is, the incident and the symptom where they are known.

    >>> explain(Observations()).conclusion
    'not enough evidence'
    """
    case = Case.of(given)
    if case is None:
        return RootCauseReport(
            conclusion="not enough evidence",
            reason="nothing unusual is found in the metrics, and no incident was given",
            looked_at=_looked_at(given),
            next_steps=("give the incident's start and end, or metrics that show it",),
        )
    return _report(case)


def _report(case: Case) -> RootCauseReport:
    changes = held(case)
    strong = [suspect for suspect in case.suspects if suspect.score >= _LEAST_SCORE]
    factors = _factors(case, strong, changes)
    conclusion, reason = _conclusion(case, factors)
    symptom = case.given.symptom
    return RootCauseReport(
        conclusion=conclusion,
        reason=reason,
        symptom_service=symptom.service if symptom else "",
        symptom_metric=symptom.metric if symptom else "",
        start_ns=case.incident.start_ns,
        end_ns=case.incident.end_ns,
        onset_found=case.found,
        factors=tuple(factors),
        ruled_out=_ruled_out(case, strong, factors),
        services=ranking(case),
        changes=tuple(one.change.id for one in changes),
        looked_at=_looked_at(case.given),
        next_steps=_next_steps(case, factors),
    )


def held(case: Case) -> list[Judged]:
    """The changes that may be a cause, most likely first; none when the best is not likely enough."""
    likely = [one for one in case.changes if one.verdict == "likely"]
    if not likely:
        return []
    least = _LISTED * likely[0].score
    return [one for one in case.changes if one.verdict != "ruled out" and one.score >= least][:_MOST_CHANGES]


def ranking(case: Case) -> tuple[str, ...]:
    """All services, the likely ones first, then those near the symptom, then the rest; by name where alike."""
    first = [suspect.service for suspect in case.suspects if suspect.score > 0]
    rest = case.services - set(first)
    return (*first, *sorted(rest & case.near), *sorted(rest - case.near))


def _factors(case: Case, strong: Sequence[Suspect], changes: Sequence[Judged]) -> list[Factor]:
    factors = []
    best = strong[0].score if strong else 0.0
    for judged in changes:
        if judged.verdict in {"likely", "possible"}:
            second = max((other.score for other in changes if other is not judged), default=0.0)
            factors.append(_change_factor(case, judged, second, strong))
    for place, suspect in enumerate(strong):
        if suspect.score >= _CONTRIBUTES * best and suspect.findings[0].surprise > 0:
            factors.append(_service_factor(case, suspect, place, strong))
    if not changes:
        factors[:0] = [_elsewhere_factor(case, sign) for sign in case.elsewhere[:1]]
    return factors[:_MOST_FACTORS]


def _service_factor(case: Case, suspect: Suspect, place: int, strong: Sequence[Suspect]) -> Factor:
    second = strong[1].score if len(strong) > 1 else 0.0
    sure = confidence.of_service(strong[0].score, second)
    evidence = _evidence(case, suspect.findings)
    return Factor(
        service=suspect.service,
        kind=_kind(suspect.findings[0]),
        title=evidence[0].claim if evidence else suspect.service,
        score=suspect.score,
        confidence=sure if place == 0 else (1 - sure) * suspect.score / sum(other.score for other in strong[1:]),
        evidence=evidence,
        refutations=refute(suspect, case),
        onset_ns=onset_of(suspect.findings[0], case),
    )


def _change_factor(case: Case, judged: Judged, second: float, strong: Sequence[Suspect]) -> Factor:
    change = judged.change
    told = next((one.findings for one in strong if one.service == change.service), strong[0].findings if strong else ())
    return Factor(
        service=change.service or case.place,
        kind="change",
        title=change.title,
        score=judged.score,
        confidence=confidence.of_change(judged.score, second),
        evidence=(evidence_of_change(judged), *_evidence(case, told)[: _MOST_EVIDENCE - 1]),
        refutations=refute_change(judged, case),
        change=reference(change),
        onset_ns=change.effect_ns,
    )


def _elsewhere_factor(case: Case, sign: Sign) -> Factor:
    own = [finding for finding in case.findings if finding.service == sign.service and finding.surprise > 0]
    own.sort(key=lambda one: (-one.surprise, one.signal, one.subject))
    return Factor(
        service=sign.service or case.place,
        kind="elsewhere",
        title=sign.text,
        score=1.0 / sign.left,
        confidence=1.0 - sign.left,
        evidence=_evidence(case, own)[:_MOST_EVIDENCE],
        onset_ns=case.incident.start_ns,
    )


def _evidence(case: Case, findings: Sequence[Finding]) -> tuple[Evidence, ...]:
    told: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        if finding.surprise > 0:
            told.setdefault((finding.signal, finding.kind, finding.subject), finding)
    return tuple(evidence_of(finding, case) for finding in list(told.values())[:_MOST_EVIDENCE])


def _kind(finding: Finding) -> FactorKind:
    return _KINDS.get(finding.signal) or _METRIC_KINDS.get(finding.kind, "resources")


def reference(change: Change) -> ChangeReference:
    """A change as a report names it."""
    return ChangeReference(
        id=change.id, kind=change.kind, title=change.title, service=change.service, at_ns=change.effect_ns
    )


def _conclusion(case: Case, factors: Sequence[Factor]) -> tuple[Conclusion, str]:
    if not factors:
        return "not enough evidence", "nothing stands out from what is usual"
    first = factors[0]
    if first.kind == "change":
        return "a change", f"{first.title} ({first.service})"
    if any(True for _ in case.changes):
        return "no change", f"no change has to do with it; {first.title}"
    return "a service", f"nothing is known of changes; {first.title}"


def _ruled_out(case: Case, strong: Sequence[Suspect], factors: Sequence[Factor]) -> tuple[RuledOut, ...]:
    named = {factor.change.id for factor in factors if factor.change}
    near = [one for one in case.changes if one.change.id not in named and _worth_saying(one, case)]
    changes = [
        RuledOut(
            title=one.change.title,
            service=one.change.service,
            reason=one.reasons[0] if one.verdict == "ruled out" else "; ".join(one.reasons) or "has nothing in common",
            change=reference(one.change),
        )
        for one in near
    ]
    kept = {factor.service for factor in factors}
    services = [
        RuledOut(title=one.service, service=one.service, reason="its evidence is much weaker than that of the first")
        for one in strong
        if one.service not in kept
    ]
    return tuple([*changes, *services][:_MOST_RULED_OUT])


_AROUND_NS = 30 * 60 * 1_000_000_000


def _worth_saying(judged: Judged, case: Case) -> bool:
    """Whether somebody may suspect a change: it went to production around the onset."""
    change = judged.change
    return change.deployed == "own" and abs(change.effect_ns - case.incident.start_ns) <= _AROUND_NS


def _next_steps(case: Case, factors: Sequence[Factor]) -> tuple[str, ...]:
    steps = []
    if factors and factors[0].change:
        steps.append(f"take {factors[0].change.title} back, and see whether the symptom goes")
    failed = [one.question for one in (factors[0].refutations if factors else ()) if one.outcome == "not tested"]
    steps += [f"answer: {question}" for question in failed]
    missing = {"logs": case.given.logs, "traces": case.given.spans, "changes": case.given.events}
    steps += [f"look at {name}: there were none" for name, frame in missing.items() if frame is None or frame.empty]
    return tuple(steps)


def _looked_at(given: Observations) -> dict[str, int]:
    frames = {"metrics": given.metrics, "logs": given.logs, "spans": given.spans, "events": given.events}
    return {name: len(frame) for name, frame in frames.items() if frame is not None}
