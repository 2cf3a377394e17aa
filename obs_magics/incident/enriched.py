"""What was gathered around an incident: frames to work with, and what is missing from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from obs_magics.analysis.root_cause.inputs import Observations, Symptom, Window
from obs_magics.display.units import count_text
from obs_magics.incident.graph import distances, pairs
from obs_magics.incident.onsets import symptoms_of
from obs_magics.incident.response import response
from obs_magics.incident.timeline import timeline
from obs_magics.model.incident import Incident, Remark, Response, Shift
from obs_magics.model.provenance import Provenance

_LOAD = frozenset({"throughput", "cpu_usage", "memory_usage"})
"""Measures that tell of load, which is no trouble by itself: the timeline leaves them out."""
FRAMES = (
    "metrics",
    "error_logs",
    "error_traces",
    "slow_traces",
    "usual_traces",
    "deployments",
    "config_changes",
    "flags",
    "alerts",
    "restarts",
    "events",
    "patterns",
    "first_errors",
    "topology",
    "neighbours",
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Enriched:
    """An incident with its evidence. All frames are plain; those of one kind have the columns of `model`.

    Args:
        incident: The service, when it was, and from when to when each kind was asked for.
        metrics: A metrics frame: `metric` is the measure (`latency_p99`), `service` the service or neighbour.
        error_logs: A logs frame of at most `incident.log_lines` error lines: of each service and pattern the first
            ones, in order of time. The patterns are counted over all.
        all_error_logs: A logs frame of all error lines that were fetched, over which patterns are counted.
        error_lines: How many error lines there are in all.
        error_traces: A spans frame: traces in which a span of the service fails.
        slow_traces: A spans frame: its slowest traces.
        usual_traces: A spans frame: some of its traces from before.
        spans: A spans frame: traces of the time before and of the incident, evenly spread, whatever became of them.
        deployments: An events frame, of all services.
        config_changes: Likewise.
        flags: Likewise: feature flags.
        alerts: Likewise: alerts and incidents.
        restarts: Likewise.
        events: An events frame of all of these, and of scaling and annotations.
        patterns: Patterns of all error lines, most lines first (`analysis.patterns.pattern_table`).
        pattern_counts: Lines of each pattern, by its id, in equal stretches of the time that was asked for.
        first_errors: When each service first wrote each of them (`timeline.first_errors`).
        topology: Who calls whom: `caller`, `callee`, `kind`, `calls`, `errors`.
        neighbours: Callers and callees: `service`, `direction`, `kind`, `calls`, `errors`.
        shifts: Measures that left their usual values, in order of time.
        missing: Measures of the service that no source tells.
        failed: Parts that did not come, each a sentence without a full stop.
        warnings: What else to know: cut answers, clocks that do not agree.
        notes: What was assumed.
        questions: Where the parts come from.
        now_ns: The sources' now.
    """

    incident: Incident
    metrics: pd.DataFrame = field(repr=False)
    error_logs: pd.DataFrame = field(repr=False)
    all_error_logs: pd.DataFrame = field(repr=False)
    error_lines: int
    error_traces: pd.DataFrame = field(repr=False)
    slow_traces: pd.DataFrame = field(repr=False)
    usual_traces: pd.DataFrame = field(repr=False)
    spans: pd.DataFrame = field(repr=False)
    deployments: pd.DataFrame = field(repr=False)
    config_changes: pd.DataFrame = field(repr=False)
    flags: pd.DataFrame = field(repr=False)
    alerts: pd.DataFrame = field(repr=False)
    restarts: pd.DataFrame = field(repr=False)
    events: pd.DataFrame = field(repr=False)
    patterns: pd.DataFrame = field(repr=False)
    pattern_counts: Mapping[str, tuple[int, ...]] = field(repr=False)
    first_errors: pd.DataFrame = field(repr=False)
    topology: pd.DataFrame = field(repr=False)
    neighbours: pd.DataFrame = field(repr=False)
    shifts: tuple[Shift, ...] = ()
    missing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    questions: tuple[Provenance, ...] = field(default=(), repr=False)
    now_ns: int = 0

    @property
    def service(self) -> str:
        """The service in question."""
        return self.incident.service

    @property
    def services(self) -> tuple[str, ...]:
        """The service and its neighbours."""
        return (self.service, *dict.fromkeys(self.neighbours["service"].tolist()))

    @cached_property
    def distances(self) -> dict[str, int]:
        """How many calls lie between the service and others, in whichever direction."""
        return distances(pairs(self.topology), self.service)

    @property
    def symptoms(self) -> tuple[Shift, ...]:
        """Shifts of the service itself by which people notice: errors and latency, else traffic and availability."""
        return tuple(symptoms_of(self.shifts, self.service, self.incident.start_ns))

    @property
    def onset_ns(self) -> int:
        """When it began by what was measured; as it was told, where nothing measures it."""
        return min((one.start_ns for one in self.symptoms), default=self.incident.start_ns)

    @property
    def empty(self) -> bool:
        """Whether nothing at all came."""
        return all(getattr(self, name).empty for name in FRAMES)

    def timeline(self, notes: Sequence[Remark] = (), *, near: bool = False) -> pd.DataFrame:
        """Everything on one axis, as a timeline frame (`incident.timeline`).

        Args:
            notes: Of people.
            near: Whether to leave out what concerns other services than this one and its neighbours.
        """
        events = self.events
        if near:
            own = events["service"].isin(list(self.services)) | events["service"].isna()
            events = events[own].reset_index(drop=True)
        shifts = [one for one in self.shifts if one.measure not in _LOAD or one in self.symptoms]
        return timeline(self.incident, events=events, shifts=shifts, errors=self.first_errors, notes=notes)

    def response(self, notes: Sequence[Remark] = ()) -> Response:
        """How quickly it was detected, mitigated and over; see `incident.response`."""
        return response(self.timeline(notes), self.incident, self.services)

    def observations(self) -> Observations:
        """The same for the engine of root causes (`analysis.root_cause`)."""
        start_ns, span = self.onset_ns, self.incident.windows["metrics"]
        end_ns = span.end_ns if self.incident.end_ns is None else self.incident.end_ns
        symptoms = self.symptoms
        return Observations(
            metrics=self.metrics,
            logs=self.all_error_logs,
            spans=self.spans,
            calls=pairs(self.topology),
            events=self.events,
            incident=Window(start_ns, max(end_ns, start_ns + 1)),
            references=(Window(span.start_ns, start_ns),),
            symptom=Symptom(self.service, symptoms[0].measure if symptoms else ""),
            alerted_ns=self.incident.detected_ns,
        )

    def detected(self, notes: Sequence[Remark] = ()) -> Enriched:
        """The same with the moment of its detection in the incident."""
        told = self.response(notes).of("detected")
        incident = replace(self.incident, detected_ns=told.at_ns, detected_because=told.because)
        return replace(self, incident=incident)

    def __repr__(self) -> str:
        counts = [count_text(len(getattr(self, name)), "row") + f" {name}" for name in FRAMES[:10]]
        lost = f"; {count_text(len(self.failed), 'part')} did not come" if self.failed else ""
        when = f"{self.incident.start:%Y-%m-%d %H:%M:%S} UTC"
        return f"<Enriched {self.service} since {when}: {', '.join(counts)}{lost}>"
