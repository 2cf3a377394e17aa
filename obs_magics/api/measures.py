"""Measures, anomalies, and what is ignored among them, for whoever waits and for whoever awaits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from obs_magics.api.base import Base
from obs_magics.api.catalogs import bridged
from obs_magics.config.ignore import Ignored, add_ignored, checked_entry, read_ignored, remove_ignored
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.model.time import SECOND, parse_instant
from obs_magics.net.loop import background
from obs_magics.session.anomalies import AnomalyOptions
from obs_magics.session.anomaly_report import AnomalyReport
from obs_magics.session.plan import MetricsOptions, When
from obs_magics.session.scan import CHUNK

if TYPE_CHECKING:
    import pandas as pd


class MeasuresBase(Base):
    """What both kinds of session do the same way."""

    def ignore(
        self,
        *,
        reason: str,
        metric: str = "",
        service: str = "",
        series: str = "",
        kind: str = "",
        start: When | None = None,
        end: When | None = None,
        by: str = "",
        at: str = "",
    ) -> Ignored:
        """Ignore anomalies from now on: those that match every pattern and lie in the window; asks no source.

        What is ignored is kept in a file of the project, counted, and told with every answer.

        Args:
            reason: Why.
            metric: A measure or the name of a metric; `*` stands for any letters, here and below.
            service: Its name.
            series: As the anomalies frame calls it.
            kind: Of anomaly: `spike`, `level_shift`, …
            start: From when, as in `metrics`.
            end: Until when.
            by: Who decided it.
            at: When it was decided, in the decider's own words.

        Returns:
            The entry; its `id` is for `unignore`.

        Raises:
            UsageError: It would ignore everything, or a time is not understood.
            ConfigError: The file cannot be read or written.
        """
        moments = {name: self._moment(value) for name, value in (("start", start), ("end", end))}
        patterns = {"metric": metric, "service": service, "series": series, "kind": kind}
        return add_ignored(
            self._anomalies.ignore_file, checked_entry(**patterns, **moments, reason=reason, by=by, at=at)
        )

    def ignored(self) -> tuple[Ignored, ...]:
        """What the project ignores, in the order of its file.

        Raises:
            ConfigError: The file cannot be read, or an entry makes no sense.
        """
        return read_ignored(self._anomalies.ignore_file)

    def unignore(self, id: str) -> Ignored:  # noqa: A002 - what the entry calls it
        """Take an entry out again, by its id; gives it back.

        Raises:
            UsageError: There is no such entry.
        """
        return remove_ignored(self._anomalies.ignore_file, id)

    def _moment(self, value: When | None) -> datetime | None:
        """A time as people write it, relative to the default source's now where it has one of its own."""
        if value is None:
            return None
        now_ns = self._core.now_ns()
        return datetime.fromtimestamp(parse_instant(value, now_ns=now_ns, zone=self.zone) / SECOND, UTC)

    async def _measure(
        self,
        measure: str,
        service: str,
        options: MetricsOptions,
        *,
        by: Sequence[str],
        using: str | None,
        source: str | None,
        progress: ProgressListener,
    ) -> pd.DataFrame:
        resolved = await self._measures.resolve(measure, service, source=source, by=by, using=using)
        return await self._measures.ask(resolved, options, source=source, progress=progress)


class SyncMeasures(MeasuresBase):
    """Each call waits for its answer."""

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
        return background().run(
            self._measure(measure, service, options, by=by, using=using, source=source, progress=progress)
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
        return background().run(self._measures.table(service, source=source))

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
        report = self._anomalies.report(query, options, source=source, progress=progress)
        return background().run(report).frame

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
        return background().run(self._anomalies.report(query, options, source=source, progress=progress))

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
        return background().run(self._anomalies.scan(query, options, source=source, chunk=chunk, progress=progress))


class AsyncMeasures(MeasuresBase):
    """Each call is to be awaited."""

    async def measure(
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
        """As `Session.measure`."""
        options = MetricsOptions(last=last, start=start, end=end, step=step, limit=limit)
        return await bridged(
            self._measure(measure, service, options, by=by, using=using, source=source, progress=progress)
        )

    async def measures(self, service: str, *, source: str | None = None) -> pd.DataFrame:
        """As `Session.measures`."""
        return await bridged(self._measures.table(service, source=source))

    async def anomalies(
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
        """As `Session.anomalies`."""
        options = AnomalyOptions(
            service=service,
            measures=measures,
            sensitivity=sensitivity,
            baseline=baseline,
            range=MetricsOptions(last=last, start=start, end=end, step=step),
        )
        report = await bridged(self._anomalies.report(query, options, source=source, progress=progress))
        return report.frame

    async def anomaly_report(
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
        """As `Session.anomaly_report`."""
        options = AnomalyOptions(
            service=service,
            measures=measures,
            sensitivity=sensitivity,
            baseline=baseline,
            range=MetricsOptions(last=last, start=start, end=end, step=step),
        )
        return await bridged(self._anomalies.report(query, options, source=source, progress=progress))

    async def scan(
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
        """As `Session.scan`."""
        options = AnomalyOptions(
            sensitivity=sensitivity,
            baseline=baseline,
            range=MetricsOptions(last=last, start=start, end=end, step=step),
        )
        return await bridged(self._anomalies.scan(query, options, source=source, chunk=chunk, progress=progress))
