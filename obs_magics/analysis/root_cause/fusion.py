"""From findings to services, most likely first: the strongest evidence leads, the rest only adds to it.

A plain sum would let a service that is a little odd in many ways (because everything it calls is slow) pass one that is
very odd in one way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from obs_magics.analysis.root_cause.findings import Finding, Signal
from obs_magics.analysis.root_cause.roles import CARRIED

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
_NAMED = 0.3  # what an error line counts that names a service that is called: it tells of that one
_NOT_TRACED = 0.8  # what a callee without spans explains, at most, of its callers' own time and errors
_SURE = 3.0  # a surprise of its own metrics, from which it does so in full
_STORED = frozenset({"saturation", "busy", "latency", "errors", "cpu", "disk", "restarts"})
_CALLED_OTHERWISE = 0.7  # of how much the callers changed what they ask a service
_OFF_GRAPH = 0.3  # of a service that takes part in no call, where calls are known


@dataclass(frozen=True, slots=True)
class Suspect:
    """A service with what speaks against it, strongest first."""

    service: str
    score: float
    findings: tuple[Finding, ...]


def suspects(
    findings: Iterable[Finding],
    calls: Collection[tuple[str, str]],
    *,
    weights: Mapping[Signal, float] = WEIGHTS,
    traced: Collection[str] = (),
) -> list[Suspect]:
    """Rank the services, ties by name.

    Args:
        findings: Of all detectors.
        calls: Who calls whom.
        weights: How much each signal counts.
        traced: Services with spans.
    """
    stored = {callee for _caller, callee in calls} - {caller for caller, _callee in calls} - set(traced)
    known = {service for call in calls for service in call}
    of_service: dict[str, list[tuple[float, Finding]]] = defaultdict(list)
    told = _explained([one for one in findings if one.surprise >= _LEAST], calls)
    for finding in _waited(told, calls, traced):
        graph = bool(known) and not (traced and finding.service in stored)
        of_service[finding.service].append((_weighed(finding, weights, graph=graph), finding))
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
        if finding.kind in CARRIED and graph:
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
    on otherwise. What a callee writes in its log is the more direct evidence of the two, unless both write the same.
    """
    asked: dict[str, float] = defaultdict(float)
    wrote: dict[tuple[str, bool], dict[str, float]] = defaultdict(dict)
    for finding in findings:
        other = finding.details.get("to", "")
        if finding.signal == "calls" and other and other != finding.service:
            asked[other] = max(asked[other], finding.surprise)
        elif finding.signal == "logs" or (finding.signal, finding.kind) == ("metrics", "errors"):
            said = wrote[finding.service, _is_new_line(finding)]
            said[finding.subject] = max(said.get(finding.subject, 0.0), finding.surprise)
    callees: dict[str, set[str]] = defaultdict(set)
    for caller, callee in calls:
        callees[caller].add(callee)
    below = {
        (caller, new): _most([wrote[callee, kind] for callee in own - {caller} for kind in {new, True}])
        for caller, own in callees.items()
        for new in (True, False)
    }
    return [
        replace(
            one,
            surprise=_left(
                one, asked[one.service], below.get((one.service, _is_new_line(one)), ()), callees[one.service]
            ),
        )
        if one.signal in {"logs", "calls"}
        else one
        for one in findings
    ]


def _is_new_line(finding: Finding) -> bool:
    """Whether it is a line that was not written before: new lines are explained by new lines alone."""
    return (finding.signal, finding.kind) == ("logs", "appeared")


def _most(said: Sequence[Mapping[str, float]]) -> list[tuple[float, str]]:
    """The two strongest of what some services say, by subject."""
    best: dict[str, float] = {}
    for own in said:
        for subject, surprise in own.items():
            best[subject] = max(best.get(subject, 0.0), surprise)
    return sorted(((surprise, subject) for subject, surprise in best.items()), reverse=True)[:2]


def _left(finding: Finding, asked: float, below: Sequence[tuple[float, str]], callees: Collection[str]) -> float:
    in_vain = max((surprise for surprise, subject in below if subject != finding.subject), default=0.0)
    left = finding.surprise - _CALLED_IN_VAIN * min(in_vain, finding.surprise)
    if finding.kind == "appeared" and any(callee in finding.details.get("example", "") for callee in callees):
        left *= _NAMED
    return max(0.0, left - _CALLED_OTHERWISE * asked) if finding.signal == "calls" else left


def _waited(findings: Sequence[Finding], calls: Collection[tuple[str, str]], traced: Collection[str]) -> list[Finding]:
    """Own time and errors of spans, less what callees without spans explain: their time is in the caller's."""
    if not traced:
        return list(findings)
    moved: dict[str, float] = defaultdict(float)
    for finding in findings:
        if finding.signal == "metrics" and finding.kind in _STORED and finding.service not in traced:
            moved[finding.service] = max(moved[finding.service], finding.surprise)
    behind: dict[str, float] = defaultdict(float)
    for caller, callee in calls:
        behind[caller] = max(behind[caller], moved[callee])
    return [
        replace(one, surprise=one.surprise * (1 - _NOT_TRACED * min(1.0, (behind[one.service] / _SURE) ** 2)))
        if one.signal in {"latency", "errors"} and behind[one.service]
        else one
        for one in findings
    ]
