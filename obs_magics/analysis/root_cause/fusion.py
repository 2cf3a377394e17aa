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
    "logs": 4.0,
    "calls": 2.0,
    "latency": 1.0,
    "errors": 2.0,
    "metrics": 1.0,
    "symptom": 1.3,
}
"""How much the surprises of each signal count: those of shares are bounded by few requests, those of times are not."""

_MOST_KEPT = 30  # findings of one service
_LEAST = 0.02  # a surprise below is none
_FOLLOWS = 0.4  # of each weaker signal, by rank
_OUTCOME = 0.3  # of what callers feel, where a call graph tells whose it is
_FOLLOWING: Mapping[str, float] = {"traffic": 0.3, "network": 0.5, "other": 0.5}
"""Of metrics that go with how many requests come, which others decide."""
_CALLED_IN_VAIN = 0.5  # of what a callee says in the same requests: who gets no answer goes on otherwise
_CALLED_OTHERWISE = 0.7  # of how much the callers changed what they ask a service
_OFF_GRAPH = 0.3  # of a service that takes part in no call, where calls are known


@dataclass(frozen=True, slots=True)
class Suspect:
    """A service with what speaks against it, strongest first."""

    service: str
    score: float
    findings: tuple[Finding, ...]


def suspects(
    findings: Iterable[Finding], calls: Collection[tuple[str, str]], *, weights: Mapping[Signal, float] = WEIGHTS
) -> list[Suspect]:
    """Rank the services, ties by name.

    Args:
        findings: Of all detectors.
        calls: Who calls whom.
        weights: How much each signal counts.
    """
    known = {service for call in calls for service in call}
    of_service: dict[str, list[tuple[float, Finding]]] = defaultdict(list)
    for finding in _explained([one for one in findings if one.surprise >= _LEAST], calls):
        of_service[finding.service].append((_weighed(finding, weights, graph=bool(known)), finding))
    ranked = []
    for service, own in of_service.items():
        own.sort(key=lambda one: (-one[0], one[1].signal, one[1].subject, one[1].kind))
        score = _score(own) * (_OFF_GRAPH if known and service not in known else 1.0)
        kept = tuple(replace(finding, surprise=weighed) for weighed, finding in own[:_MOST_KEPT])
        ranked.append(Suspect(service, score, kept))
    return sorted(ranked, key=lambda one: (-one.score, one.service))


def _weighed(finding: Finding, weights: Mapping[Signal, float], *, graph: bool) -> float:
    weight = weights[finding.signal]
    if finding.signal == "metrics":
        if finding.kind in OUTCOMES and graph:
            weight *= _OUTCOME
        elif finding.kind in _FOLLOWING:
            weight *= _FOLLOWING[finding.kind]
    return weight * finding.surprise


def _score(findings: Sequence[tuple[float, Finding]]) -> float:
    """The best of each signal, each weaker one counted less."""
    best: dict[str, float] = {}
    for weighed, finding in findings:
        best[finding.signal] = max(best.get(finding.signal, 0.0), weighed)
    return sum(value * _FOLLOWS**rank for rank, value in enumerate(sorted(best.values(), reverse=True)))


def _explained(findings: Sequence[Finding], calls: Collection[tuple[str, str]]) -> list[Finding]:
    """Findings about requests, less what those say who stand above and below in the same requests.

    A callee that is asked for other things than before makes other calls itself; a caller whose callee goes wrong goes
    on otherwise. What a callee writes in its log is the more direct evidence of the two.
    """
    asked: dict[str, float] = defaultdict(float)
    wrote: dict[str, float] = defaultdict(float)
    for finding in findings:
        other = finding.details.get("to", "")
        if finding.signal == "calls" and other and other != finding.service:
            asked[other] = max(asked[other], finding.surprise)
        elif finding.signal == "logs" and "unit" not in finding.details:
            wrote[finding.service] = max(wrote[finding.service], finding.surprise)
    in_vain: dict[str, float] = defaultdict(float)
    for caller, callee in calls:
        in_vain[caller] = max(in_vain[caller], wrote[callee])
    return [
        replace(one, surprise=_left(one, asked[one.service], in_vain[one.service]))
        if one.signal in {"logs", "calls"} and (asked[one.service] or in_vain[one.service])
        else one
        for one in findings
    ]


def _left(finding: Finding, asked: float, in_vain: float) -> float:
    if "unit" in finding.details:
        return finding.surprise
    left = finding.surprise - _CALLED_IN_VAIN * min(in_vain, finding.surprise)
    return max(0.0, left - _CALLED_OTHERWISE * asked) if finding.signal == "calls" else left
