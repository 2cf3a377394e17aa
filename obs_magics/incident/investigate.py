"""From what was gathered around an incident to what contributed to it, and how it spread."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from obs_magics.analysis.root_cause import Observations, Periods, explain, mismatches
from obs_magics.display.visible import short
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.measured import measure_title
from obs_magics.incident.panel import units_of
from obs_magics.incident.response import TOLERANCE_NS
from obs_magics.model.durations import MINUTE
from obs_magics.model.errors import ObsError
from obs_magics.model.events import events_of
from obs_magics.model.root_cause import Factor, RootCauseReport, RuledOut

_MOST_SHOWN = 5  # mismatches that are written out
_NAMED = 120
_BEFORE_NS, _AFTER_NS = 15 * MINUTE, 2 * MINUTE  # an occasion of more requests began so long before, or after


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
        report: What the engine makes of it (`model.root_cause`).
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
            How many pieces of evidence were computed again; one that speaks for several factors counts once.

        Raises:
            ObsError: A number differs: the frames were changed, or the report was.
        """
        observations = _observations(self.enriched)
        assert observations.incident is not None  # noqa: S101 - for the type checker
        periods = Periods(observations.incident, observations.references)
        wrong = mismatches(self.report, observations, periods)
        if wrong:
            more = f"; and {len(wrong) - _MOST_SHOWN} more" if len(wrong) > _MOST_SHOWN else ""
            raise ObsError(f"the report does not fit its frames: {'; '.join(wrong[:_MOST_SHOWN])}{more}")
        every = (one for factor in self.report.factors for one in factor.evidence)
        return len({(one.claim, one.frame, one.query, one.statistic) for one in every})

    def spread(self) -> tuple[Step, ...]:
        """How failing spread: the first error lines of each service from the incident's start on, in order of time."""
        first: dict[str, Step] = {}
        errors = self.enriched.first_errors
        times = errors["first_seen"].astype("int64").tolist()
        for service, at_ns, template in zip(errors["service"], times, errors["template"], strict=True):
            if service and at_ns >= self.enriched.incident.start_ns - TOLERANCE_NS:
                first.setdefault(str(service), Step(str(service), at_ns, str(template)))
        return tuple(sorted(first.values(), key=lambda step: (step.at_ns, step.service)))


def investigate(enriched: Enriched) -> Investigation:
    """Say what contributed to an incident; the same frames give the same report."""
    return Investigation(enriched=enriched, report=_with_occasion(explain(_observations(enriched)), enriched))


def _observations(enriched: Enriched) -> Observations:
    """What the engine looks at; a frame that has no rows may have no columns either, and is none."""
    given = enriched.observations()
    return replace(
        given,
        metrics=_told(given.metrics),
        logs=_told(given.logs),
        spans=_told(given.spans),
        events=_told(given.events),
        units=units_of(enriched),
        titles={str(name): measure_title(str(name)) for name in enriched.metrics["metric"].unique()},
    )


def _told(frame: pd.DataFrame | None) -> pd.DataFrame | None:
    return None if frame is None or frame.empty else frame


def _with_occasion(report: RootCauseReport, enriched: Enriched) -> RootCauseReport:
    """The report with the occasion of more requests, where somebody noted one that began with them."""
    factors = tuple(
        replace(one, title=f"{one.title}: {short(occasion, _NAMED)}")
        if one.kind == "traffic" and (occasion := _occasion(one, enriched))
        else one
        for one in report.factors
    )
    return replace(report, factors=factors)


def _occasion(factor: Factor, enriched: Enriched) -> str:
    """The last annotation about no service in particular that began shortly before, or with, the incident."""
    at_ns = factor.onset_ns if factor.onset_ns is not None else enriched.onset_ns
    near = [
        event.title
        for event in events_of(enriched.events)
        if event.kind == "annotation" and not event.service and -_BEFORE_NS <= event.start_ns - at_ns <= _AFTER_NS
    ]
    return near[-1] if near else ""
