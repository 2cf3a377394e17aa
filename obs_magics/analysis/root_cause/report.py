"""The answer: what contributed most likely, why, what was ruled out, and what to look at next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from obs_magics.analysis.root_cause.case import Case
from obs_magics.analysis.root_cause.changes import Judged
from obs_magics.analysis.root_cause.edits import LOGS_ONLY
from obs_magics.analysis.root_cause.evidence import evidence_of
from obs_magics.analysis.root_cause.factors import change_factor, elsewhere_factor, reference, service_factor
from obs_magics.analysis.root_cause.fusion import Suspect
from obs_magics.analysis.root_cause.inputs import Observations
from obs_magics.analysis.root_cause.refute import COMMON, GOES_BACK, LATE, WITHOUT, reaches, refute
from obs_magics.model.root_cause import Conclusion, Factor, RootCauseReport, RuledOut

_LEAST_SCORE = 1.9  # below, what was found is no more than one finds anywhere
_CONTRIBUTES = 0.5  # of the best service's score, from which another is a factor
_MOST_FACTORS, _MOST_RULED_OUT = 4, 8
_LISTED = 0.2  # of the best change's score, from which another is listed
_MOST_CHANGES = 5
_MOST_LOOKS = 3


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
    able = [one for one in changes if reaches(one, case) != "failed"]  # what a test contradicts is ruled out
    strong = [suspect for suspect in case.suspects if suspect.score >= _LEAST_SCORE]
    factors = _factors(case, strong, able)
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
        ruled_out=_ruled_out(case, strong, factors, _open(case, able)),
        services=ranking(case),
        scores=tuple(suspect.score for suspect in case.suspects if suspect.score > 0),
        changes=tuple(one.change.id for one in changes),
        looked_at=_looked_at(case.given),
        next_steps=_next_steps(case, factors, able),
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
    likely = [one for one in changes if one.verdict in {"likely", "possible"}]
    factors = [change_factor(case, place, likely, strong) for place in range(len(likely))]
    if not changes:
        factors += [elsewhere_factor(case, sign) for sign in case.elsewhere[:1] if sign.kind != "load"]
    best = strong[0].score if strong else 0.0
    told = {factor.service for factor in factors}  # what a change did at its service is evidence of the change
    for place, suspect in enumerate(strong):
        if suspect.service not in told and suspect.score >= _CONTRIBUTES * best and suspect.findings[0].surprise > 0:
            factors.append(service_factor(case, place, strong))
    kept = [one for one in factors if one.kind == "change" or one.service == case.suspects[0].service or stands(one)]
    loads = [elsewhere_factor(case, sign) for sign in case.elsewhere if sign.kind == "load"]
    return [*kept[: _MOST_FACTORS - len(loads)], *loads]


def stands(factor: Factor) -> bool:
    """Whether no test contradicts a factor."""
    return all(one.outcome != "failed" for one in factor.refutations)


def _conclusion(case: Case, factors: Sequence[Factor]) -> tuple[Conclusion, str]:
    if not factors:
        return "not enough evidence", "nothing stands out from what is usual"
    first = factors[0]
    if first.kind == "change":
        return "a change", f"{first.title} ({first.service})"
    if any(True for _ in case.changes):
        return "no change", f"no change has to do with it; {first.title}"
    return "a service", f"nothing is known of changes; {first.title}"


def _ruled_out(
    case: Case, strong: Sequence[Suspect], factors: Sequence[Factor], undecided: Sequence[Judged]
) -> tuple[RuledOut, ...]:
    named = {factor.change.id for factor in factors if factor.change} | {one.change.id for one in undecided}
    responses = {one.change.undone.by for one in case.changes if one.change.undone}
    changes = [
        RuledOut(
            title=one.change.title,
            service=one.change.service,
            reason=_innocent(one),
            change=reference(one.change),
        )
        for one in case.changes
        if one.change.id not in named and one.change.title not in responses and _worth_saying(one, case)
    ]
    kept = {factor.service for factor in factors}
    services = [
        RuledOut(title=one.service, service=one.service, reason=_weaker(case, place, strong))
        for place, one in enumerate(strong)
        if one.service not in kept
    ]
    return tuple([*changes, *services][:_MOST_RULED_OUT])


def _innocent(judged: Judged) -> str:
    """Why a change is not held to be a cause."""
    if judged.verdict == "ruled out":
        return judged.reasons[0]
    told = "; ".join(judged.reasons)
    return told if judged.shared else f"nothing that it touches is what broke: {told}"


def _weaker(case: Case, place: int, strong: Sequence[Suspect]) -> str:
    """Why a service is no factor: the tests that it failed, else how little speaks against it."""
    failed = [one for one in refute(strong[place], case) if one.outcome == "failed"]
    if failed:
        seen = evidence_of(strong[place].findings[0], case).claim
        return "; ".join([seen, *(f"{_CONTRADICTED.get(one.question, one.question)}: {one.detail}" for one in failed)])
    share = strong[place].score / strong[0].score
    return f"what speaks against it is {100 * share:.0f} % as strong as what speaks against {strong[0].service}"


# What a test says that failed.
_CONTRADICTED: Mapping[str, str] = {
    LATE: "the symptom was there before",
    COMMON: "others show the same",
    WITHOUT: "requests without it suffer as well",
    GOES_BACK: "it did not go when the symptom went",
}
_AROUND_NS = 30 * 60 * 1_000_000_000


def _worth_saying(judged: Judged, case: Case) -> bool:
    """Whether somebody may suspect a change: it went to production around the onset."""
    change = judged.change
    return change.deployed == "own" and abs(change.effect_ns - case.incident.start_ns) <= _AROUND_NS


def _next_steps(case: Case, factors: Sequence[Factor], changes: Sequence[Judged]) -> tuple[str, ...]:
    steps = []
    if factors and factors[0].change:
        back = changes[0].change.undone
        title = factors[0].title
        steps.append(
            f"find out why {title} was made before anybody makes it again: it was taken back ({back.by})"
            if back
            else f"take {title} back, and see whether the symptom goes"
        )
    steps += [
        f"look at {one.change.title} ({one.change.service}, {one.reasons[0]}):"
        " nothing shows that it did it, and nothing contradicts it"
        for one in _open(case, changes)
    ]
    missing = {"logs": case.given.logs, "traces": case.given.spans, "changes": case.given.events}
    steps += [
        f"look for {name}: there were none here" for name, frame in missing.items() if frame is None or frame.empty
    ]
    return tuple(steps)


def _open(case: Case, changes: Sequence[Judged]) -> list[Judged]:
    """Where no change is held to be the cause, those of the symptom's service that nothing opposes."""
    if changes or any(sign.left < 1.0 for sign in case.elsewhere):
        return []
    return [
        one
        for one in case.changes
        if one.verdict == "unlikely"
        and one.change.service == case.place
        and one.change.deployed == "own"
        and one.change.edit.risk > LOGS_ONLY
    ][:_MOST_LOOKS]


def _looked_at(given: Observations) -> dict[str, int]:
    frames = {"metrics": given.metrics, "logs": given.logs, "spans": given.spans, "events": given.events}
    return {name: len(frame) for name, frame in frames.items() if frame is not None}
