"""From what was gathered around an incident to what contributed to it, and how it spread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from obs_magics.analysis.root_cause import Periods, explain, mismatches
from obs_magics.display.units import format_value
from obs_magics.display.visible import short
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.measured import measure_title
from obs_magics.incident.panel import units_of
from obs_magics.model.errors import ObsError
from obs_magics.model.root_cause import Evidence, Factor, RootCauseReport, RuledOut

_MOST_SHOWN = 5  # mismatches that are written out
_NAMED = 120


@dataclass(frozen=True, slots=True)
class Step:
    """Where trouble was seen for the first time: of each service the first sign.

    Args:
        service: Where.
        at_ns: When, in nanoseconds since the epoch.
        sign: What was seen, in words.
    """

    service: str
    at_ns: int
    sign: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Investigation:
    """What contributed to an incident, and the frames that say so.

    Args:
        enriched: What was gathered.
        report: What the engine makes of it (`model.root_cause`), written in the units of the measures.
    """

    enriched: Enriched
    report: RootCauseReport

    def __repr__(self) -> str:
        first = f": {short(self.factors[0].title, _NAMED)}" if self.factors else ""
        return f"<Investigation of {short(self.enriched.service, _NAMED)}, {self.conclusion}{first}>"

    @property
    def conclusion(self) -> str:
        """`a change`, `no change`, `a service` or `not enough evidence`."""
        return self.report.conclusion

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What contributed, most likely first."""
        return self.report.factors

    @property
    def ruled_out(self) -> tuple[RuledOut, ...]:
        """What might have been, and why it was not."""
        return self.report.ruled_out

    def check(self) -> int:
        """Compute every number of the report again from the frames.

        Returns:
            How many pieces of evidence were computed again.

        Raises:
            ObsError: A number differs: the frames were changed, or the report was.
        """
        observations = self.enriched.observations()
        assert observations.incident is not None  # noqa: S101 - for the type checker
        periods = Periods(observations.incident, observations.references)
        wrong = mismatches(self.report, observations, periods)
        if wrong:
            more = f"; and {len(wrong) - _MOST_SHOWN} more" if len(wrong) > _MOST_SHOWN else ""
            raise ObsError(f"the report does not fit its frames: {'; '.join(wrong[:_MOST_SHOWN])}{more}")
        return sum(len(factor.evidence) for factor in self.report.factors)

    def spread(self) -> tuple[Step, ...]:
        """How failing spread: the first error lines of each service from the incident's start on, in order of time."""
        first: dict[str, Step] = {}
        errors = self.enriched.first_errors
        times = errors["first_seen"].astype("int64").tolist()
        for service, at_ns, template in zip(errors["service"], times, errors["template"], strict=True):
            if service and at_ns >= self.enriched.incident.start_ns:
                first.setdefault(str(service), Step(str(service), at_ns, str(template)))
        return tuple(sorted(first.values(), key=lambda step: (step.at_ns, step.service)))


def investigate(enriched: Enriched) -> Investigation:
    """Say what contributed to an incident; the same frames give the same report."""
    return Investigation(enriched=enriched, report=_readable(explain(enriched.observations()), enriched))


def _readable(report: RootCauseReport, enriched: Enriched) -> RootCauseReport:
    """The report with measures under their titles and numbers in their units."""
    units = units_of(enriched)
    factors = []
    for factor in report.factors:
        evidence = tuple(_in_units(one, units) for one in factor.evidence)
        told = dict(_changed(factor.evidence, evidence))
        factors.append(replace(factor, title=told.get(factor.title, factor.title), evidence=evidence))
    told = {old: new for one, other in zip(report.factors, factors, strict=True) for old, new in _titles(one, other)}
    reason = report.reason
    for old, new in told.items():
        reason = reason.replace(old, new)
    return replace(report, factors=tuple(factors), reason=reason)


def _changed(before: tuple[Evidence, ...], after: tuple[Evidence, ...]) -> Iterator[tuple[str, str]]:
    for one, other in zip(before, after, strict=True):
        yield one.claim, other.claim


def _titles(one: Factor, other: Factor) -> Iterator[tuple[str, str]]:
    if one.title != other.title:
        yield one.title, other.title


def _in_units(one: Evidence, units: dict[tuple[str, str], str]) -> Evidence:
    """The evidence with its claim in the unit of its measure: "p99 latency of pay is 2.3 s, usually 0.4 s"."""
    if one.frame == "metrics" and one.statistic == "median":
        service, metric = one.rows.get("service", ""), one.rows.get("metric", "")
        unit = units.get((metric, service))
        if unit is None:
            return one
        claim = f"{measure_title(metric)} of {service} is {format_value(one.value, unit)}"
        if one.usual is not None:
            claim += f", usually {format_value(one.usual, unit)}"
        return replace(one, claim=claim, unit=unit)
    return one
