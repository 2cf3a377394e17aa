"""`frame.obs`: what obs_magics adds to any frame that has the columns of metrics, of logs, of spans or of events.

pandas knows the accessor once this module is imported; the session does that, and so can anybody::

    import obs_magics.accessor

    frame.obs.plot()
    frame.obs.summary()
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

import pandas as pd

from obs_magics.accessor.events import EventsView, is_events
from obs_magics.accessor.logs import LogsView, is_logs
from obs_magics.accessor.metrics import MetricsView
from obs_magics.accessor.traces import TracesView, is_spans
from obs_magics.display.chart import Chart
from obs_magics.display.panel import Section
from obs_magics.model import provenance
from obs_magics.model.anomalies import Sensitivity
from obs_magics.model.errors import UsageError
from obs_magics.model.provenance import Provenance


@pd.api.extensions.register_dataframe_accessor("obs")
class ObsAccessor:
    """What obs_magics adds to a frame.

    Args:
        frame: Any frame. What a method needs is checked when it is called, since pandas makes the accessor of every
            frame whose attributes somebody lists.

    Raises:
        UsageError: From each method, when the frame lacks the columns that it needs.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._given = frame

    @cached_property
    def _metrics(self) -> MetricsView:
        if is_logs(self._given):
            raise UsageError("this is a logs frame, and only a metrics frame can do that", hint=_LOGS_CAN)
        if is_spans(self._given):
            raise UsageError("this is a spans frame, and only a metrics frame can do that", hint=_SPANS_CAN)
        if is_events(self._given):
            raise UsageError("this is an events frame, and only a metrics frame can do that", hint=_EVENTS_CAN)
        return MetricsView(self._given)

    @cached_property
    def _logs(self) -> LogsView:
        if not is_logs(self._given):
            raise UsageError("only a logs frame, as %%obs_logs returns it, can do that", hint=_METRICS_CAN)
        return LogsView(self._given)

    @cached_property
    def _traces(self) -> TracesView:
        if not is_spans(self._given):
            raise UsageError("only a spans frame, as %%obs_traces returns it, can do that", hint=_METRICS_CAN)
        return TracesView(self._given)

    @cached_property
    def _events(self) -> EventsView:
        return EventsView(self._given)

    def plot(
        self,
        *,
        unit: str | None = None,
        title: str | None = None,
        zone: str = "UTC",
        events: pd.DataFrame | None = None,
        anomalies: pd.DataFrame | None = None,
    ) -> Chart:
        """The chart of the frame: lines of series, log lines over time by level, traces by their duration, or events.

        Args:
            unit: Of a metrics frame, UCUM as OpenTelemetry writes it; None for the one the session knows.
            title: None for the question.
            zone: IANA name of the zone in which times are written.
            events: An events frame, to be marked on a chart over time: deployments, config changes, alerts.
            anomalies: Of a metrics frame, what is unusual in it (`frame.obs.anomalies()`): it is shaded.

        Raises:
            UsageError: There is nothing to draw.
        """
        if is_logs(self._given):
            return self._logs.plot(title=title, zone=zone, events=events)
        if is_spans(self._given):
            return self._traces.plot(title=title, zone=zone, events=events)
        if is_events(self._given):
            return self._events.plot(title=title, zone=zone)
        return self._metrics.plot(unit=unit, title=title, zone=zone, events=events, anomalies=anomalies)

    def anomalies(self, *, sensitivity: Sensitivity = "medium", baseline: str | None = None) -> pd.DataFrame:
        """What is unusual in the frame; of log lines and spans, in how many there are over time.

        Lines are counted by service and level (`lines`); spans by service as `requests`, `errors` and `duration_p95`.

        Args:
            sensitivity: `low` for few and certain, `high` for as many as possible.
            baseline: How much of the frame's beginning is normal (`30m`), and is not judged itself; None to judge all
                of it against itself. `session.anomalies` asks for the history.

        Returns:
            An anomalies frame (see `model.anomalies`): one row per unusual stretch of a series, in order of time.

        Raises:
            UsageError: The sensitivity is unknown, or the frame is no longer than the baseline.
        """
        from obs_magics.accessor.anomalies import anomalies

        return anomalies(self._given, sensitivity=sensitivity, baseline=baseline)

    def correlate(
        self, target: str | Mapping[str, str] | pd.DataFrame, *, max_lag: str = "10m", limit: int | None = 20
    ) -> pd.DataFrame:
        """Which series of the frame moved with one of them; see `analysis.correlation.correlate`.

        Args:
            target: Its short name, its labels, or a frame of one series.
            max_lag: How far apart two moves may be.
            limit: At most so many; None for all.
        """
        from obs_magics.accessor.anomalies import correlate

        return correlate(self._given, target, max_lag=max_lag, limit=limit)

    def summary(self, *, unit: str | None = None) -> pd.DataFrame:
        """One row per series, service that wrote logs, trace, or service and kind of events; see each view's."""
        if is_logs(self._given):
            return self._logs.summary()
        if is_events(self._given):
            return self._events.summary()
        return self._traces.summary() if is_spans(self._given) else self._metrics.summary(unit=unit)

    def wide(self) -> pd.DataFrame:
        """A metrics frame with one column per series; see `MetricsView.wide`."""
        return self._metrics.wide()

    def levels(self, *, by: str | None = None) -> pd.DataFrame:
        """How many log lines of each level; see `LogsView.levels`."""
        return self._logs.levels(by=by)

    def patterns(self) -> pd.DataFrame:
        """The patterns of log lines, most lines first; see `analysis.patterns.pattern_table`."""
        return self._logs.patterns()

    def surges(self, baseline: pd.DataFrame | str | None = None) -> pd.DataFrame:
        """Log patterns that are new, surging, dropped or vanished; see `analysis.surges.surges`.

        Args:
            baseline: A logs frame of a normal time, a duration (`"30m"`: the first half hour of this frame is normal),
                or None: what is normal is found in the frame itself.
        """
        return self._logs.surges(baseline)

    def waterfall(self, trace_id: str | None = None, *, zone: str = "UTC") -> Section:
        """One trace as a waterfall, the slowest when none is named; the beginning of its id is enough."""
        return self._traces.waterfall(trace_id, zone=zone)

    def critical_path(self) -> pd.DataFrame:
        """The pieces of the critical paths of traces; see `analysis.spans.critical_path`."""
        return self._traces.critical_path()

    def bottlenecks(self, by: Literal["service", "operation", "query"] = "service") -> pd.DataFrame:
        """Where the time on the critical paths goes; see `analysis.spans.bottlenecks`."""
        return self._traces.bottlenecks(by)

    def compare(
        self, other: pd.DataFrame | None = None, *, by: Literal["duration", "error"] = "duration"
    ) -> pd.DataFrame:
        """What tells slow or failing spans from the others, or this frame from another; see `analysis.compare`."""
        return self._traces.compare(other, by=by)

    def diff(self, before: pd.DataFrame, *, by: Literal["service", "operation", "query"] = "service") -> Section:
        """Where the time of traces goes, here and in the spans frame `before`, what changed most first."""
        return self._traces.diff(before, by=by)

    def service_map(self) -> Section:
        """Who calls whom, with rate, errors and durations."""
        return self._traces.service_map()

    def attributes(self, *names: str) -> pd.DataFrame:
        """Attributes of spans as columns of strings, one row per span: those named, or all."""
        return self._traces.attributes(*names)

    @property
    def provenance(self) -> Provenance | None:
        """Where the frame comes from; None when no session returned it, or pandas lost it on the way."""
        return provenance.of(self._given)


_LOGS_CAN = "it has .plot, .summary, .levels, .patterns, .surges, .anomalies and .provenance"
_SPANS_CAN = (
    "it has .plot, .summary, .waterfall, .critical_path, .bottlenecks, .compare, .diff, .service_map, .attributes,"
    " .anomalies and .provenance"
)
_EVENTS_CAN = "it has .plot, .summary and .provenance"
_METRICS_CAN = "a metrics frame has .plot, .summary, .wide, .anomalies, .correlate and .provenance"
