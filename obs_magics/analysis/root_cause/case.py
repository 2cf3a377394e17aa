"""A case under investigation: what was given, the periods, and everything that the detectors found, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from obs_magics.analysis.root_cause.calls import Requests, call_findings
from obs_magics.analysis.root_cause.changes import CHANGE_KINDS, Judged, Trouble, judge, read_changes
from obs_magics.analysis.root_cause.elsewhere import Sign, signs
from obs_magics.analysis.root_cause.errors import error_findings
from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.flows import flow_findings
from obs_magics.analysis.root_cause.fusion import Suspect, suspects
from obs_magics.analysis.root_cause.inputs import Observations, Window, nanoseconds
from obs_magics.analysis.root_cause.latency import latency_findings
from obs_magics.analysis.root_cause.log_statements import statement_findings
from obs_magics.analysis.root_cause.metric_shifts import SeriesTable, metric_findings
from obs_magics.analysis.root_cause.onset import find_incident
from obs_magics.analysis.root_cause.periods import Periods
from obs_magics.analysis.root_cause.statistics import INCIDENT, REFERENCE
from obs_magics.analysis.root_cause.symptom import reachable, symptom_findings
from obs_magics.analysis.root_cause.words import trouble_words
from obs_magics.model.logs import LEVELS

_TELLING_LOG, _TELLING_METRIC = 1.0, 3.0  # surprises from which a finding gives the trouble a name
_METRIC_WORDS, _ALERT_WORDS, _OPERATION_WORDS = 0.7, 0.7, 0.3
_ERROR_WORDS, _MOST_ERRORS, _OFTEN = 0.7, 5, 3  # error lines that are said so often name the trouble too
_ERROR = LEVELS.index("error")
_ALSO_SUSPECT = 0.5  # of the best score
_ALERTS_NS = 30 * 60 * 1_000_000_000  # after the onset, in which alerts are about it


@dataclass(frozen=True)
class Case:
    """A case under investigation.

    Args:
        given: What was given.
        incident: When it was.
        found: Whether that was found rather than given.
    """

    given: Observations
    incident: Window
    found: bool

    @classmethod
    def of(cls, given: Observations) -> Case | None:
        """The case, its incident found where it is not given; None when nothing unusual is found."""
        if given.incident is not None:
            return cls(given, given.incident, found=False)
        if given.metrics is None or given.metrics.empty:
            return None
        window = find_incident(SeriesTable.of(given.metrics), given.symptom, given.alerted_ns)
        return None if window is None else cls(given, window, found=True)

    @cached_property
    def periods(self) -> Periods:
        """The incident and what is usual."""
        return Periods(self.incident, tuple(self.given.references))

    @cached_property
    def table(self) -> SeriesTable | None:
        """The metrics by series."""
        frame = self.given.metrics
        return None if frame is None or frame.empty else SeriesTable.of(frame)

    @cached_property
    def requests(self) -> Requests | None:
        """The spans with their trees."""
        frame = self.given.spans
        return None if frame is None or frame.empty else Requests.of(frame, self.periods)

    @cached_property
    def calls(self) -> frozenset[tuple[str, str]]:
        """Who calls whom, as told and as seen."""
        seen = self.requests.edges if self.requests else set()
        return frozenset(self.given.calls) | seen

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """What all detectors found."""
        found: list[Finding] = []
        if self.table is not None:
            found += metric_findings(self.table, self.periods)
        if self.requests is not None:
            found += [*call_findings(self.requests), *latency_findings(self.requests), *error_findings(self.requests)]
        if self.given.logs is not None:
            found += statement_findings(self.given.logs, self.periods)
        if self.table is not None and self.given.symptom is not None and not self.traced:
            found += symptom_findings(self.table, self.periods, self.given.symptom, self.calls)
            found += flow_findings(self.table, self.periods, self.calls)
        return found

    @property
    def traced(self) -> bool:
        """Whether there are requests of both periods: they tell more exactly what metrics tell of the call graph."""
        if self.requests is None:
            return False
        return all(bool(np.any(self.requests.period == side)) for side in (INCIDENT, REFERENCE))

    @cached_property
    def suspects(self) -> Sequence[Suspect]:
        """The services, most likely first."""
        seen = self.requests.services if self.requests is not None and self.traced else frozenset()
        return suspects(self.findings, self.calls, traced=seen)

    @cached_property
    def services(self) -> frozenset[str]:
        """Every service that any frame names."""
        named = {service for call in self.calls for service in call}
        for frame in (self.given.metrics, self.given.logs, self.given.spans, self.given.events):
            if frame is not None:
                named |= {str(name) for name in frame["service"].cat.categories}
        return frozenset(named)

    @property
    def place(self) -> str:
        """Where it shows: the symptom's service, else the first suspect."""
        if self.given.symptom is not None:
            return self.given.symptom.service
        return self.suspects[0].service if self.suspects else ""

    @cached_property
    def near(self) -> frozenset[str]:
        """Services that can bring the symptom about: its own, those it calls, its callers, the first suspects."""
        callers = {caller for caller, callee in self.calls if callee == self.place}
        best = self.suspects[0].score if self.suspects else 0.0
        first = {suspect.service for suspect in self.suspects if suspect.score >= _ALSO_SUSPECT * best}
        return frozenset(reachable(self.place, self.calls) | callers | first)

    @cached_property
    def elsewhere(self) -> Sequence[Sign]:
        """Signs that the cause is no change of ours."""
        return signs(self.findings, self.given.events, self.incident.start_ns, self.services, self.calls)

    @cached_property
    def changes(self) -> Sequence[Judged]:
        """All changes that are known, most likely first."""
        if self.given.events is None:
            return ()
        trouble = Trouble(
            onset_ns=self.incident.start_ns,
            places=self._places(),
            near=self.near,
            words=trouble_words(self._told(), self.services),
            elsewhere=[(sign.text, sign.left) for sign in self.elsewhere],
            services=self.services,
        )
        return judge(read_changes(self.given.events, self.incident.end_ns), trouble)

    def _places(self) -> set[str]:
        """Where a change counts most: where it shows, and the first suspect; of a store, those that ask it."""
        found = {self.place}
        for suspect in self.suspects[:1]:
            found.add(suspect.service)
            asks = {callee for caller, callee in self.calls if caller == suspect.service}
            if not asks and not self._changed(suspect.service):
                found |= {caller for caller, callee in self.calls if callee == suspect.service}
        return found

    def _changed(self, service: str) -> bool:
        """Whether anybody ever puts something in production there."""
        frame = self.given.events
        if frame is None:
            return False
        own = (frame["service"].astype(object) == service).to_numpy(dtype=bool)
        return bool(frame["kind"].astype(object).isin(CHANGE_KINDS).to_numpy(dtype=bool)[own].any())

    def _told(self) -> list[tuple[str, float]]:
        """What the trouble is called: the symptom, new log lines, metrics that moved, failing spans, alerts."""
        told = [(self.given.symptom.metric, 1.0)] if self.given.symptom else []
        for finding in self.findings:
            if finding.signal == "logs" and finding.kind == "appeared" and finding.surprise > _TELLING_LOG:
                told.append((finding.details.get("example") or finding.subject, 1.0))
            elif finding.signal == "errors":
                told += [(finding.details.get("example", ""), 1.0), (finding.subject, _OPERATION_WORDS)]
            elif finding.signal == "metrics" and finding.surprise > _TELLING_METRIC:
                told.append((finding.subject, _METRIC_WORDS))
        told += [(text, _ERROR_WORDS) for text in self._errors()]
        return [*told, *((text, _ALERT_WORDS) for text in self._events("alert", "restart"))]

    def _errors(self) -> list[str]:
        """What the error lines of the incident say most often, where the symptom shows or comes from."""
        frame = self.given.logs
        if frame is None:
            return []
        places = {self.place, *(suspect.service for suspect in self.suspects[:1])}
        instants = nanoseconds(frame["timestamp"])
        during = (instants >= self.incident.start_ns) & (instants < self.incident.end_ns)
        failing = frame["level"].cat.codes.to_numpy() >= _ERROR
        here = frame["service"].astype(object).isin(places).to_numpy(dtype=bool)
        said = frame["message"][during & failing & here].str.replace(r"\d+", "", regex=True).value_counts()
        return [str(text) for text, count in said.head(_MOST_ERRORS).items() if count >= _OFTEN]

    def _events(self, *kinds: str) -> list[str]:
        """What alerts and restarts of what is near say around the onset."""
        frame = self.given.events
        if frame is None:
            return []
        instants = nanoseconds(frame["timestamp"])
        start = self.incident.start_ns
        kind = frame["kind"].astype(object).isin(kinds).to_numpy(dtype=bool)
        here = frame["service"].astype(object).isin(self.near).to_numpy(dtype=bool)
        about = kind & here & (instants >= start - _ALERTS_NS) & (instants <= start + _ALERTS_NS)
        return [str(title) for title in frame["title"][about].dropna()]
