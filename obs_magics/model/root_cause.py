"""What a root-cause analysis says: contributing factors, each with evidence and the tests that it stood.

Everything here is frozen and can be written as JSON and read back. Times are nanoseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Any, Literal

Frame = Literal["metrics", "logs", "spans", "events"]
Statistic = Literal[
    "median",
    "median rate",
    "share of requests",
    "lines per second",
    "median own time",
    "median gap",
    "failing share",
    "instant",
]
Conclusion = Literal["a change", "no change", "a service", "not enough evidence"]
"""`a service`: where it comes from is known, and nothing is known of changes."""
Outcome = Literal["held", "failed", "not tested"]
FactorKind = Literal[
    "change", "logs", "calls", "latency", "errors", "saturation", "resources", "traffic", "symptom", "elsewhere"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One number that speaks for a claim, with all that is needed to compute it again.

    Args:
        claim: In one sentence.
        frame: The frame that it comes from.
        rows: What the rows have, by column (or by part of a call: `caller`, `callee`, `given`).
        query: The same as an expression for `DataFrame.query`, as far as columns go.
        statistic: What is computed of the rows.
        value: The number, within the incident.
        usual: The same number in the reference; None where it has no meaning.
        unit: Of both; empty for none.
        start_ns: The rows' time range: from here …
        end_ns: … until before here.
    """

    claim: str
    frame: Frame
    rows: Mapping[str, str]
    query: str
    statistic: Statistic
    value: float
    usual: float | None = None
    unit: str = ""
    start_ns: int
    end_ns: int

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        told: dict[str, Any] = _json(self)
        return told

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """From what `to_dict` gave."""
        return cls(**{**data, "rows": MappingProxyType(dict(data["rows"]))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refutation:
    """A test that could have contradicted a factor.

    Args:
        question: What was asked.
        outcome: Whether the factor stood; `not tested` where there is nothing to test it with.
        detail: What was seen, with numbers.
    """

    question: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReference:
    """A change of the events frame."""

    id: str
    kind: str
    title: str
    service: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """Something that contributed.

    Args:
        service: Where.
        kind: What sort of thing speaks for it most.
        title: In one line.
        score: Comparable within one report; the most likely factor has the highest.
        confidence: The probability that it is the one that matters most, calibrated on public benchmarks.
        evidence: Strongest first.
        refutations: The tests that it was put to.
        change: The change behind it, where one was found.
        onset_ns: When it began; None where that is not known.
    """

    service: str
    kind: FactorKind
    title: str
    score: float
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    refutations: tuple[Refutation, ...] = ()
    change: ChangeReference | None = None
    onset_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledOut:
    """What might have been and was not.

    Args:
        title: What.
        service: Where; empty when that is not known.
        reason: Why not.
        change: The change, where it was one.
    """

    title: str
    service: str
    reason: str
    change: ChangeReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCauseReport:
    """The whole answer.

    Args:
        conclusion: Whether a change did it, none did, only the place is known, or nothing can be said.
        reason: The conclusion in one sentence.
        symptom_service: Where it showed; empty when nobody said.
        symptom_metric: What showed it; empty likewise.
        start_ns: The incident, from here …
        end_ns: … until before here.
        onset_found: Whether the start was found here rather than given.
        factors: Most likely first.
        ruled_out: What might have been.
        services: All services, most likely first.
        scores: Of the first of them, those that anything speaks against; comparable within one report.
        changes: Ids of the changes that are held to be a cause, most likely first.
        looked_at: Rows of each frame that was there.
        next_steps: What to look at next, most useful first.
    """

    conclusion: Conclusion
    reason: str
    symptom_service: str = ""
    symptom_metric: str = ""
    start_ns: int = 0
    end_ns: int = 0
    onset_found: bool = False
    factors: tuple[Factor, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    services: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    changes: tuple[str, ...] = ()
    looked_at: Mapping[str, int] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        told: dict[str, Any] = _json(self)
        return told

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RootCauseReport:
        """From what `to_dict` gave."""
        texts = {name: tuple(data[name]) for name in ("services", "scores", "changes", "next_steps")}
        return cls(
            **{
                **data,
                **texts,
                "factors": tuple(map(_factor, data["factors"])),
                "ruled_out": tuple(
                    RuledOut(**{**one, "change": _reference(one["change"])}) for one in data["ruled_out"]
                ),
                "looked_at": MappingProxyType(dict(data["looked_at"])),
            }
        )


def _json(value: Any) -> Any:
    """Dataclasses as mappings, tuples as lists, all the way down."""
    if is_dataclass(value):
        return {one.name: _json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value


def _factor(data: Mapping[str, Any]) -> Factor:
    evidence: Sequence[Mapping[str, Any]] = data["evidence"]
    return Factor(
        **{
            **data,
            "evidence": tuple(map(Evidence.from_dict, evidence)),
            "refutations": tuple(Refutation(**one) for one in data["refutations"]),
            "change": _reference(data["change"]),
        }
    )


def _reference(data: Mapping[str, Any] | None) -> ChangeReference | None:
    return ChangeReference(**data) if data else None
