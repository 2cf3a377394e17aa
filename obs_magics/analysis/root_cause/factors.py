"""Factors: services, changes and what comes from elsewhere, each with evidence and the tests that it was put to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from obs_magics.analysis.root_cause import confidence
from obs_magics.analysis.root_cause.case import Case
from obs_magics.analysis.root_cause.changes import Change, Judged
from obs_magics.analysis.root_cause.elsewhere import Sign
from obs_magics.analysis.root_cause.evidence import evidence_of, evidence_of_change
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.fusion import Suspect
from obs_magics.analysis.root_cause.refute import onset_of, refute, refute_change, refute_load
from obs_magics.model.root_cause import ChangeReference, Evidence, Factor, FactorKind

_MOST_EVIDENCE = 6
_TELLING = 0.1  # of the strongest finding's surprise, from which another is worth a line
_LEAST_CONFIDENCE = 0.01
_LOAD_CONFIDENCE = 0.2  # more requests harm what cannot bear them

_KINDS: Mapping[str, FactorKind] = {
    "logs": "logs", "calls": "calls", "latency": "latency", "errors": "errors", "symptom": "symptom",
}  # fmt: skip
_METRIC_KINDS: Mapping[str, FactorKind] = {
    "latency": "latency", "errors": "errors", "success": "errors", "saturation": "saturation", "busy": "saturation",
    "traffic": "traffic",
}  # fmt: skip


def service_factor(case: Case, place: int, strong: Sequence[Suspect]) -> Factor:
    """A service.

    Args:
        case: The case.
        place: Its place among the suspects.
        strong: All suspects that are worth a word, most likely first.
    """
    suspect = strong[place]
    second = strong[1].score if len(strong) > 1 else 0.0
    sure = confidence.of_service(strong[0].score, second)
    rest = _of_the_rest(sure, place, [one.score for one in strong])
    evidence = _evidence(case, suspect.findings)
    return Factor(
        service=suspect.service,
        kind=_kind(suspect.findings[0]),
        title=evidence[0].claim if evidence else suspect.service,
        score=suspect.score,
        confidence=max(sure if place == 0 else rest, _LEAST_CONFIDENCE),
        evidence=evidence,
        refutations=refute(suspect, case),
        onset_ns=onset_of(suspect, case),
    )


def change_factor(case: Case, place: int, changes: Sequence[Judged], strong: Sequence[Suspect]) -> Factor:
    """A change, with what is seen at the service that it went to."""
    judged = changes[place]
    second = changes[1].score if len(changes) > 1 else 0.0
    sure = confidence.of_change(changes[0].score, second)
    rest = _of_the_rest(sure, place, [one.score for one in changes])
    change = judged.change
    told = next((one.findings for one in strong if one.service == change.service), strong[0].findings if strong else ())
    return Factor(
        service=change.service or case.place,
        kind="change",
        title=change.title,
        score=judged.score,
        confidence=max(sure if place == 0 else rest, _LEAST_CONFIDENCE),
        evidence=(evidence_of_change(judged), *_evidence(case, told)[: _MOST_EVIDENCE - 1]),
        refutations=refute_change(judged, case),
        change=reference(change),
        onset_ns=change.effect_ns,
    )


def _of_the_rest(sure: float, place: int, scores: Sequence[float]) -> float:
    """The share of one that is not first in what the first leaves over; never more likely than the first."""
    left = (1 - sure) * scores[place] / max(sum(scores[1:]), 1e-9)
    return min(left, sure * scores[place] / max(scores[0], 1e-9))


def elsewhere_factor(case: Case, sign: Sign) -> Factor:
    """A sign that the cause is no change of ours."""
    own = [finding for finding in case.findings if finding.service == sign.service]
    if sign.kind == "load":
        own = [finding for finding in own if finding.kind == "traffic"]
    own.sort(key=lambda one: (-one.surprise, one.signal, one.subject))
    load = sign.kind == "load"
    return Factor(
        service=sign.service or case.place,
        kind="traffic" if load else "elsewhere",
        title=sign.text,
        score=1.0 / sign.left,
        confidence=_LOAD_CONFIDENCE if load else 1.0 - sign.left,
        evidence=_evidence(case, own),
        refutations=refute_load(own[0], case) if load and own else (),
        onset_ns=case.incident.start_ns,
    )


def _evidence(case: Case, findings: Sequence[Finding]) -> tuple[Evidence, ...]:
    told: dict[tuple[str, str, str], Finding] = {}
    least = _TELLING * max((finding.surprise for finding in findings), default=0.0)
    for finding in findings:
        if finding.surprise > 0 and finding.surprise >= least:
            told.setdefault((finding.signal, finding.kind, finding.subject), finding)
    return tuple(evidence_of(finding, case) for finding in list(told.values())[:_MOST_EVIDENCE])


def _kind(finding: Finding) -> FactorKind:
    return _KINDS.get(finding.signal) or _METRIC_KINDS.get(finding.kind, "resources")


def reference(change: Change) -> ChangeReference:
    """A change as a report names it."""
    return ChangeReference(
        id=change.id, kind=change.kind, title=change.title, service=change.service, at_ns=change.effect_ns
    )
