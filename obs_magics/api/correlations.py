"""What moved together, and what changed just before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from obs_magics.api.base import Base
from obs_magics.api.faces import Waiting, frame_of
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.session.anomalies import AnomalyOptions
from obs_magics.session.changes import Changes
from obs_magics.session.correlate import DEFAULT_LAG, DEFAULT_LIMIT, CorrelateOptions, CorrelationReport
from obs_magics.session.plan import MetricsOptions, Plan, When

if TYPE_CHECKING:
    import pandas as pd


class Correlations(Base, Waiting):
    """Correlations of series, and changes before anomalies."""

    def anomaly_plans(
        self,
        query: str = "",
        *,
        service: str | None = None,
        measures: Sequence[str] = (),
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
    ) -> tuple[Plan, ...]:
        """What `anomalies` with the same options would ask about the range; asks the catalog alone."""
        options = AnomalyOptions(
            service=service, measures=measures, range=MetricsOptions(last=last, start=start, end=end, step=step)
        )
        return self._run(self._correlations.plans(query, options, source=source))

    def correlate(
        self,
        target: str | pd.DataFrame,
        *,
        service: str | None = None,
        against: str | Sequence[str] = (),
        series: str | None = None,
        max_lag: str = DEFAULT_LAG,
        limit: int = DEFAULT_LIMIT,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        progress: ProgressListener = no_progress,
    ) -> pd.DataFrame:
        """Find what moved with a series.

        Args:
            target: A measure (`latency_p99`, with `service`), the name of a metric, a query, or a metrics frame.
            service: Of which service, where the target is a measure.
            against: Measures, metrics or queries to compare it with; default: the configured measures of all services.
            series: Which one is meant, where the target has several: its short name.
            max_lag: How far apart two moves may be.
            limit: At most so many series.
            source: As in `metrics`, and so are all others; a frame brings its own range.
            last: As in `metrics`.
            start: As in `metrics`.
            end: As in `metrics`.
            step: As in `anomalies`.
            progress: As in `metrics`.

        Returns:
            One row per series that moved with it, the surest first: `series`, `metric`, `service`, `correlation`,
            `lag` (negative: before the target), `p_value`, `q_value`, `points`, `moves`; see
            `analysis.correlation.correlate`.

        Raises:
            UsageError: The options do not go together, or it is not clear which series is meant.
            SourceError: The source could not be asked.

        >>> session.correlate("latency_p99", service="payment-api", last="2h")       # doctest: +SKIP
        """
        options = CorrelateOptions(
            service=service,
            against=_texts(against),
            series=series,
            max_lag=max_lag,
            limit=limit,
            range=MetricsOptions(last=last, start=start, end=end, step=step),
        )
        return self._run(frame_of(self._correlations.report(target, options, source=source, progress=progress)))

    def correlation_report(
        self,
        target: str | pd.DataFrame,
        *,
        service: str | None = None,
        against: str | Sequence[str] = (),
        series: str | None = None,
        max_lag: str = DEFAULT_LAG,
        limit: int = DEFAULT_LIMIT,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        progress: ProgressListener = no_progress,
    ) -> CorrelationReport:
        """As `correlate`, with the series that were compared."""
        options = CorrelateOptions(
            service=service,
            against=_texts(against),
            series=series,
            max_lag=max_lag,
            limit=limit,
            range=MetricsOptions(last=last, start=start, end=end, step=step),
        )
        return self._run(self._correlations.report(target, options, source=source, progress=progress))

    def changes_before(
        self,
        anomalies: pd.DataFrame,
        *,
        source: str | None = None,
        progress: ProgressListener = no_progress,
    ) -> Changes:
        """Find deployments, changes of configuration, flags, alerts and the like just before anomalies began.

        How far back each is looked for is set by the section `correlation` of the configuration. Events of the week
        before tell how usual each is; traces and `incident.calls` tell who calls whom. The bus is told of each find
        (`observability:correlation:found`).

        Args:
            anomalies: As `anomalies` returns it.
            source: Whose events and traces; None for all that have some.
            progress: As in `metrics`.

        Returns:
            `.frame` with `anomaly`, `start`, `event_type`, `event`, `event_time`, `service`, `time_offset` (negative:
            before), `confidence` (0 to 1), `reason`; `.events`, the events frame they were looked for in; `.notes`.
        """
        return self._run(self._changes.changes(anomalies, source=source, progress=progress))


def _texts(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
