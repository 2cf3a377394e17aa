"""Measures of services, and what is unusual in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from obs_magics.api.base import Base
from obs_magics.api.faces import Waiting, frame_of
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.session.anomalies import AnomalyOptions
from obs_magics.session.anomaly_report import AnomalyReport
from obs_magics.session.plan import MetricsOptions, When
from obs_magics.session.scan import CHUNK

if TYPE_CHECKING:
    import pandas as pd


class Measures(Base, Waiting):
    """Measures and anomalies."""

    def measure(
        self,
        measure: str,
        service: str,
        *,
        by: Sequence[str] = (),
        using: str | None = None,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        limit: int | None = None,
        progress: ProgressListener = no_progress,
    ) -> pd.DataFrame:
        """Ask for a measure of a service, whatever the metrics behind it are called.

        Args:
            measure: `error_rate`, `latency_p99` (any `latency_pNN`), `throughput`, `saturation`, `cpu_usage`,
                `memory_usage`, `restarts`, `availability`, what else people call them (`errors`, `p95`, `rps`), or one
                of the configuration.
            service: Its name, as a label has it.
            by: Labels to keep apart: `["route"]`.
            using: A row of the table by its name, where several would do (see `measures`).
            source: As in `metrics`, and so are all others.
            last: As in `metrics`.
            start: As in `metrics`.
            end: As in `metrics`.
            step: As in `metrics`.
            limit: As in `metrics`.
            progress: As in `metrics`.

        Returns:
            A metrics frame whose `metric` is the measure, with a column `service`. Its provenance tells the question,
            the query, and which row of the table was taken.

        Raises:
            UsageError: There is no such measure, service, label or row, or the options do not go together.
            TranslationError: Nothing in the source tells this measure of the service.
            SourceError: The source could not be asked.
        """
        options = MetricsOptions(last=last, start=start, end=end, step=step, limit=limit)
        return self._run(
            self._measures.measure(measure, service, options, by=by, using=using, source=source, progress=progress)
        )

    def measures(self, service: str, *, source: str | None = None) -> pd.DataFrame:
        """Which measures there are of a service; asks the catalog alone.

        Returns:
            One row a measure, all columns text: `measure`, `query` (PromQL), `unit` (UCUM), `direction` (which way is
            bad: up, down, either), `metric`, `row` (of the table, whose first that fits is taken), `others` (rows that
            would do as well).

        Raises:
            UsageError: There is no such service, or the source has no catalog.
        """
        return self._run(self._measures.table(service, source=source))

    def anomalies(
        self,
        query: str = "",
        *,
        service: str | None = None,
        measures: Sequence[str] = (),
        sensitivity: str | None = None,
        baseline: str | None = None,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        progress: ProgressListener = no_progress,
    ) -> pd.DataFrame:
        """Say what is unusual in a range, against the history before it.

        Args:
            query: A measure (`error_rate`, `p99`), the name of a metric, or a query in the source's own language; empty
                for the configured measures.
            service: Of which service; None for all that the source knows, where the query is a measure or empty.
            measures: Instead of the configured ones, where `query` is empty.
            sensitivity: `low`, `medium` or `high`; default: as configured.
            baseline: How far back before the range is looked for what is usual; default: the configured 7 days. It may
                be longer than `max_time_range`.
            source: As in `metrics`, and so are all others.
            last: As in `metrics`.
            start: As in `metrics`.
            end: As in `metrics`.
            step: Distance between points; default: a minute, or what `max_data_points` allows.
            progress: As in `metrics`.

        Returns:
            An anomalies frame (see `model.anomalies`) with two more columns: `unit` (UCUM), and `improvement` (bool: it
            went the good way, and is of low severity).

        Raises:
            UsageError: The options do not go together, or there is no such service.
            TranslationError: Nothing in the source tells the measure.
            SourceError: The source could not be asked.
        """
        options = AnomalyOptions(
            service=service,
            measures=measures,
            sensitivity=sensitivity,
            baseline=baseline,
            range=MetricsOptions(last=last, start=start, end=end, step=step),
        )
        return self._run(frame_of(self._anomalies.report(query, options, source=source, progress=progress)))

    def anomaly_report(
        self,
        query: str = "",
        *,
        service: str | None = None,
        measures: Sequence[str] = (),
        sensitivity: str | None = None,
        baseline: str | None = None,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        progress: ProgressListener = no_progress,
    ) -> AnomalyReport:
        """As `anomalies`, with everything behind it: each question, its series, its history and its own events."""
        options = AnomalyOptions(
            service=service,
            measures=measures,
            sensitivity=sensitivity,
            baseline=baseline,
            range=MetricsOptions(last=last, start=start, end=end, step=step),
        )
        return self._run(self._anomalies.report(query, options, source=source, progress=progress))

    def scan(
        self,
        query: str,
        *,
        sensitivity: str | None = None,
        baseline: str | None = None,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        chunk: int = CHUNK,
        progress: ProgressListener = no_progress,
    ) -> pd.DataFrame:
        """As `anomalies`, over very many series: asked in parts where the query can be cut, examined in chunks.

        The answer does not depend on the size of the chunks, nor on who computes them (`Session(executor=…)`). An
        interrupt ends it after the chunks that are under way.

        Args:
            query: A metric name or a query that keeps its series apart is cut along the values of a label; any other
                is asked as a whole.
            sensitivity: As in `anomalies`, and so are all others.
            baseline: As in `anomalies`.
            source: As in `anomalies`.
            last: As in `anomalies`.
            start: As in `anomalies`.
            end: As in `anomalies`.
            step: As in `anomalies`.
            chunk: Series in one chunk: what is in memory at once is a few of them.
            progress: Told after every chunk.

        Returns:
            As `anomalies`; its provenance notes how many series were looked at.
        """
        options = AnomalyOptions(
            sensitivity=sensitivity,
            baseline=baseline,
            range=MetricsOptions(last=last, start=start, end=end, step=step),
        )
        return self._run(self._anomalies.scan(query, options, source=source, chunk=chunk, progress=progress))
