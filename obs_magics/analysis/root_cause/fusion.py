"""From findings to services, most likely first: the strongest evidence leads, the rest only adds to it.

A plain sum would let a service that is a little odd in many ways (because everything it calls is slow) pass one that is
very odd in one way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from obs_magics.analysis.root_cause.findings import Finding, Signal
from obs_magics.analysis.root_cause.roles import OUTCOMES

WEIGHTS: Mapping[Signal, float] = {
    "logs": 3.0,
    "calls": 2.5,
    "latency": 1.0,
    "errors": 2.0,
    "metrics": 1.0,
    "symptom": 1.3,
}
"""How much the surprises of each signal count: those of shares are bounded by few requests, those of times are not."""

_FOLLOWS = 0.35  # of each weaker signal, by rank
_OUTCOME = 0.3  # of what callers feel, where a call graph tells whose it is
_FOLLOWING: Mapping[str, float] = {"traffic": 0.3, "network": 0.5, "other": 0.5}
"""Of metrics that go with how many requests come, which others decide."""
_CALLED_OTHERWISE = 0.7  # of how much the callers changed what they ask a service
_OFF_GRAPH = 0.3  # of a service that takes part in no call, where calls are known


@dataclass(frozen=True, slots=True)
class Suspect:
    """A service with what speaks against it, strongest first."""

    service: str
    score: float
    findings: tuple[Finding, ...]


def suspects(findings: Iterable[Finding], calls: Collection[tuple[str, str]]) -> list[Suspect]:
    """Rank the services, ties by name.

    Args:
        findings: Of all detectors.
        calls: Who calls whom.
    """
    known = {service for call in calls for service in call}
    of_service: dict[str, list[Finding]] = defaultdict(list)
    for finding in _explained(list(findings)):
        of_service[finding.service].append(replace(finding, surprise=_weighed(finding, graph=bool(known))))
    ranked = []
    for service, own in of_service.items():
        own.sort(key=lambda one: (-one.surprise, one.signal, one.subject, one.kind))
        score = _score(own) * (_OFF_GRAPH if known and service not in known else 1.0)
        ranked.append(Suspect(service, score, tuple(own)))
    return sorted(ranked, key=lambda one: (-one.score, one.service))


def _weighed(finding: Finding, *, graph: bool) -> float:
    weight = WEIGHTS[finding.signal]
    if finding.signal == "metrics":
        if finding.kind in OUTCOMES and graph:
            weight *= _OUTCOME
        elif finding.kind in _FOLLOWING:
            weight *= _FOLLOWING[finding.kind]
    return weight * finding.surprise


def _score(findings: Sequence[Finding]) -> float:
    """The best of each signal, each weaker one counted less."""
    best: dict[str, float] = {}
    for finding in findings:
        best[finding.signal] = max(best.get(finding.signal, 0.0), finding.surprise)
    return sum(value * _FOLLOWS**rank for rank, value in enumerate(sorted(best.values(), reverse=True)))


def _explained(findings: Sequence[Finding]) -> list[Finding]:
    """Findings about requests, less what the service's callers explain by asking for other things than before."""
    asked: dict[str, float] = defaultdict(float)
    for finding in findings:
        other = finding.details.get("to", "")
        if finding.signal == "calls" and other and other != finding.service:
            asked[other] = max(asked[other], finding.surprise)
    return [
        replace(finding, surprise=max(0.0, finding.surprise - _CALLED_OTHERWISE * asked[finding.service]))
        if finding.signal == "calls"
        else finding
        for finding in findings
    ]
