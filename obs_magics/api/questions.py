"""Questions for metrics, logs and traces, and for SQL over local data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from obs_magics.api.base import Base
from obs_magics.api.faces import Waiting
from obs_magics.model.sources import ProgressListener, no_progress
from obs_magics.session.plan import MetricsOptions, Plan, When
from obs_magics.session.plan_logs import LogsOptions
from obs_magics.session.plan_traces import TracesOptions
from obs_magics.session.sql import SqlOptions, SqlPlan

if TYPE_CHECKING:
    import pandas as pd

_NO_FRAMES: Mapping[str, pd.DataFrame] = MappingProxyType({})


class Questions(Base, Waiting):
    """What one source is asked for."""

    def metrics(
        self,
        query: str,
        *,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        agg: str | None = None,
        limit: int | None = None,
        instant: bool = False,
        progress: ProgressListener = no_progress,
    ) -> pd.DataFrame:
        """Ask one source for metrics.

        Args:
            query: In the source's own language (PromQL); `$__interval`, `$__rate_interval` and `$__range` keep
                Grafana's meaning. A measure and a service in words do too: `p99 latency of payment-api since 14:00`.
            source: Its name; None or `auto` is the default source, or the only one.
            last: How far back from `end`, or from the source's now: `1h`, `30 minutes`. Default: the configured 1 h.
            start: Where to begin: `14:05`, `yesterday 9am`, `now-2h`, ISO 8601, epoch, datetime.
            end: Where to end; default now.
            step: Distance between points (`30s`, or seconds); default: what `max_data_points` allows.
            agg: `avg`, `sum`, `min`, `max` or `count` over all series of a metric name.
            limit: At most this many series.
            instant: One value a series, at `end`.
            progress: Is told how far a long question is.

        Returns:
            A metrics frame (see `model.frames`): `timestamp` datetime64[ns, UTC], `value` float64, `metric` and one
            column per label as categories. `frame.obs.provenance` says where it comes from.

        Raises:
            UsageError: The options do not go together, or there is no such source.
            QueryError: The query was refused; holds the position.
            SourceError: The source could not be asked.
        """
        options = MetricsOptions(last=last, start=start, end=end, step=step, agg=agg, limit=limit, instant=instant)
        return self._run(self._measures.metrics(query, options, source=source, progress=progress))

    def plan(
        self,
        query: str,
        *,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        agg: str | None = None,
        limit: int | None = None,
        instant: bool = False,
    ) -> Plan:
        """What `metrics` with the same options would ask of whom; asks nothing."""
        options = MetricsOptions(last=last, start=start, end=end, step=step, agg=agg, limit=limit, instant=instant)
        return self._run(self._measures.metrics_plan(query, options, source=source))

    def logs(
        self,
        query: str = "",
        *,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        level: str | None = None,
        limit: int | None = None,
        progress: ProgressListener = no_progress,
    ) -> pd.DataFrame:
        """Ask one source for log lines.

        Args:
            query: In the source's own language (LogQL, LogsQL), or plain words: `errors in payment-api`, `"pool
                exhausted"`; empty for every line. A LogQL query for numbers over time (`sum(rate({…}[5m]))`) gives a
                metrics frame.
            source: Its name; None or `auto` is the default source, or the only one.
            last: How far back from `end`, or from the source's now: `1h`, `30 minutes`. Default: 30 minutes.
            start: Where to begin: `14:05`, `yesterday 9am`, `now-2h`, ISO 8601, epoch, datetime.
            end: Where to end; default now.
            step: Distance between points, where the query asks for numbers over time.
            level: At least this severe: `debug`, `info`, `warn`, `error`, `fatal`; None or `all` for every line.
            limit: At most this many lines, the newest ones; default 1,000.
            progress: Is told how far a long question is.

        Returns:
            A logs frame (see `model.logs`), in order of time: `timestamp` datetime64[ns, UTC], `level` ordered
            category, `service` category, `message`, `trace_id`, `span_id` strings and one column per label. Secrets in
            it are replaced by pseudonyms. `frame.obs.provenance` says where it comes from and how many lines there are
            in all (`total`), by level over time (`volume`).

        Raises:
            UsageError: The options do not go together, there is no such source, or it has no logs.
            QueryError: The query was refused; holds the position.
            SourceError: The source could not be asked.
        """
        options = LogsOptions(last=last, start=start, end=end, step=step, level=level, limit=limit)
        return self._run(self._core.logs(query, options, source=source, progress=progress))

    def logs_plan(
        self,
        query: str = "",
        *,
        source: str | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        level: str | None = None,
        limit: int | None = None,
    ) -> Plan:
        """What `logs` with the same options would ask of whom; fetches no lines."""
        options = LogsOptions(last=last, start=start, end=end, step=step, level=level, limit=limit)
        return self._run(self._core.logs_plan(query, options, source=source))

    def traces(
        self,
        query: str = "",
        *,
        source: str | None = None,
        trace_id: str | Sequence[str] | None = None,
        service: str | None = None,
        operation: str | None = None,
        status: str | None = None,
        min_duration: str | float | timedelta | None = None,
        max_duration: str | float | timedelta | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        limit: int | None = None,
        progress: ProgressListener = no_progress,
    ) -> pd.DataFrame:
        """Ask one source, or several, for traces.

        Args:
            query: TraceQL, or one or more trace ids, where the source takes it; empty with conditions alone. A TraceQL
                query for numbers over time (`{ … } | rate()`) gives a metrics frame.
            source: Its name, or several (`tempo,jaeger`), joined by trace id; None or `auto` is the default one.
            trace_id: These traces: hex, leading zeros may be missing.
            service: Traces with a span of this service.
            operation: … with a span of this name.
            status: `ok`, `error` or `all`.
            min_duration: … with a span that takes at least so long (`500ms`, `5s`, seconds).
            max_duration: … at most so long.
            last: How far back from `end`, or from the source's now: `1h`, `30 minutes`. Default: the configured 1 h;
                for trace ids the longest range that may be asked.
            start: Where to begin: `14:05`, `yesterday 9am`, `now-2h`, ISO 8601, epoch, datetime.
            end: Where to end; default now.
            step: Distance between points, where the query asks for numbers over time.
            limit: At most this many traces; default 20.
            progress: Is told how far a long question is.

        Returns:
            A spans frame (see `model.spans`): one row per span, trace by trace; of several sources also `source`.

        Raises:
            UsageError: The options do not go together, there is no such source, or it has no traces.
            QueryError: The query was refused; holds the position.
            SourceError: The source could not be asked.
        """
        options = TracesOptions(
            trace_id=trace_id,
            service=service,
            operation=operation,
            status=status,
            min_duration=min_duration,
            max_duration=max_duration,
            last=last,
            start=start,
            end=end,
            step=step,
            limit=limit,
        )
        return self._run(self._traces.ask(query, options, source=source, progress=progress))

    def traces_plan(
        self,
        query: str = "",
        *,
        source: str | None = None,
        trace_id: str | Sequence[str] | None = None,
        service: str | None = None,
        operation: str | None = None,
        status: str | None = None,
        min_duration: str | float | timedelta | None = None,
        max_duration: str | float | timedelta | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        step: str | float | None = None,
        limit: int | None = None,
    ) -> Plan:
        """What `traces` with the same options would ask of whom; asks nobody."""
        options = TracesOptions(
            trace_id=trace_id,
            service=service,
            operation=operation,
            status=status,
            min_duration=min_duration,
            max_duration=max_duration,
            last=last,
            start=start,
            end=end,
            step=step,
            limit=limit,
        )
        return self._run(self._traces.plan(query, options, source=source))

    def sql(
        self,
        query: str,
        *,
        source: str | None = None,
        frames: Mapping[str, pd.DataFrame] = _NO_FRAMES,
        limit: int | None = None,
        timeout: str | float | None = None,
    ) -> pd.DataFrame:
        """Read the tables of a local source, and frames, with one SQL statement (DuckDB's dialect).

        Args:
            query: SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN; anything that does more is refused.
            source: Whose tables can be named (`session.tables()` lists them); None or `auto` is the default source.
                Without a source, or with a default that has no tables, there are frames alone.
            frames: What else can be named: frame by name. A frame stands before a table of the same name.
            limit: At most this many rows; default 10,000.
            timeout: How long it may take (`30s`, or seconds); default one minute.

        Returns:
            What the statement gives, with times as datetime64[ns, UTC]; `frame.obs.provenance` says where it comes
            from, and whether rows are missing.

        Raises:
            UsageError: There is no such source, or it has no tables.
            QueryError: The statement was refused; holds the position.
            SourceTimeout: It took too long.
            LimitExceeded: It needs too much memory.

        >>> import pandas as pd
        >>> with Session() as session:                                          # doctest: +SKIP
        ...     session.sql("SELECT max(value) FROM load", frames={"load": pd.DataFrame({"value": [1.0, 2.5]})})
        """
        options = SqlOptions(frames=frames, limit=limit, timeout=timeout)
        return self._run(self._sql.ask(query, options, source=source))

    def sql_plan(
        self,
        query: str,
        *,
        source: str | None = None,
        frames: Mapping[str, pd.DataFrame] = _NO_FRAMES,
        limit: int | None = None,
        timeout: str | float | None = None,
    ) -> SqlPlan:
        """What `sql` with the same options would ask of whom; runs nothing."""
        options = SqlOptions(frames=frames, limit=limit, timeout=timeout)
        return self._run(self._sql.plan(query, options, source=source))

    def tables(self, source: str | None = None) -> dict[str, Sequence[str]]:
        """The columns of every table of a local source, by its name; for `sql`."""
        return self._run(self._sql.tables(source=source))
