"""`Session`: for notebooks and scripts; every call waits for its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from obs_magics.api.catalogs import SyncCatalog, SyncLogCatalog, SyncTraceCatalog
from obs_magics.api.correlations import SyncCorrelations
from obs_magics.api.incidents import SyncIncidents
from obs_magics.api.measures import SyncMeasures
from obs_magics.api.root_causes import SyncRootCauses
from obs_magics.model.sources import Health, ProgressListener, no_progress
from obs_magics.net.loop import background
from obs_magics.session.connect import Access, Connected
from obs_magics.session.plan import MetricsOptions, Plan, When
from obs_magics.session.plan_events import EventsOptions
from obs_magics.session.plan_logs import LogsOptions
from obs_magics.session.plan_traces import TracesOptions
from obs_magics.session.sql import SqlOptions, SqlPlan

if TYPE_CHECKING:
    import pandas as pd

_NO_FRAMES: Mapping[str, pd.DataFrame] = MappingProxyType({})
_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
_CONFIG_CHANGES = ("config_change", "feature_flag")


class Session(SyncIncidents, SyncRootCauses, SyncCorrelations, SyncMeasures):
    """Ask sources from a notebook or a script; every call waits for its answer and can be interrupted.

    >>> with Session() as session:                                              # doctest: +SKIP
    ...     session.connect("prom", "http://localhost:9090")
    ...     frame = session.metrics("up", last="1h")
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
                Grafana's meaning.
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
        return background().run(self._core.metrics(query, options, source=source, progress=progress))

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
        return background().run(self._core.plan(query, options, source=source))

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
        return background().run(self._core.logs(query, options, source=source, progress=progress))

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
        return background().run(self._core.logs_plan(query, options, source=source))

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
            source: Its name; several with commas between them (`tempo,jaeger`) are asked at once and joined by trace
                id; None or `auto` is the default source, or the only one.
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
            A spans frame (see `model.spans`): one row per span, trace by trace, with `trace_id`, `span_id`,
            `parent_id`, `service`, `operation`, `kind`, `start`, `duration`, `status`, `status_message` and
            `attributes`; of several sources also `source`.

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
        return background().run(self._traces.ask(query, options, source=source, progress=progress))

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
        return background().run(self._traces.plan(query, options, source=source))

    def events(
        self,
        query: str = "",
        *,
        source: str | None = None,
        kinds: str | Sequence[str] | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
        progress: ProgressListener = no_progress,
    ) -> pd.DataFrame:
        """Ask every source that may know what happened: deployments, changes, flags, alerts, restarts, notes.

        A source that does not answer does no harm: the frame has what the others told, and its provenance says what
        failed. An alert that Prometheus and Alertmanager both tell of is one event.

        Args:
            query: Kinds in everyday words (`deploys`), conditions (`severity=~"crit.*"`), and words that stand in the
                event; empty for all (see `syntax.event_query`).
            source: Its name, or several with commas between them; None or `auto` asks all that have events.
            kinds: `deployment`, `config_change`, `feature_flag`, `alert`, `incident`, `restart`, `scale`,
                `annotation`, or what people call them; several as a list, or with commas between them.
            service: Events of this service, or these; `*` stands for anything.
            last: How far back from `end`, or from the (first) source's now: `1h`, `30 minutes`. Default: 6 h.
            start: Where to begin: `14:05`, `yesterday 9am`, `now-2h`, ISO 8601, epoch, datetime.
            end: Where to end; default now.
            limit: At most this many events, the newest; default 1,000.
            progress: Is told how far it is.

        Returns:
            An events frame (see `model.events`): one row per event that overlaps the range, in order of time, with
            `timestamp`, `end`, `kind`, `service`, `title`, `version`, `severity`, `url`, `source` and attributes.

        Raises:
            UsageError: The options do not go together, there is no such source, or none has events.
            QueryError: The question cannot be read, or was refused.
            SourceError: None of the sources could be asked.
        """
        options = EventsOptions(kinds=kinds, service=service, last=last, start=start, end=end, limit=limit)
        return background().run(self._events.ask(query, options, source=source, progress=progress))

    def events_plan(
        self,
        query: str = "",
        *,
        source: str | None = None,
        kinds: str | Sequence[str] | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
    ) -> Plan:
        """What `events` with the same options would ask of whom; asks nobody."""
        options = EventsOptions(kinds=kinds, service=service, last=last, start=start, end=end, limit=limit)
        return background().run(self._events.plan(query, options, source=source))

    def deployments(
        self,
        query: str = "",
        *,
        source: str | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """As `events`, of kind `deployment` alone."""
        options = EventsOptions(kinds="deployment", service=service, last=last, start=start, end=end, limit=limit)
        return background().run(self._events.ask(query, options, source=source, progress=no_progress))

    def config_changes(
        self,
        query: str = "",
        *,
        source: str | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """As `events`, of kinds `config_change` and `feature_flag`: what was changed without a deployment."""
        options = EventsOptions(kinds=_CONFIG_CHANGES, service=service, last=last, start=start, end=end, limit=limit)
        return background().run(self._events.ask(query, options, source=source, progress=no_progress))

    def alerts(
        self,
        query: str = "",
        *,
        source: str | None = None,
        service: str | Sequence[str] | None = None,
        last: str | None = None,
        start: When | None = None,
        end: When | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """As `events`, of kind `alert` alone: what fired, and from when to when."""
        options = EventsOptions(kinds="alert", service=service, last=last, start=start, end=end, limit=limit)
        return background().run(self._events.ask(query, options, source=source, progress=no_progress))

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
        return background().run(self._sql.ask(query, options, source=source))

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
        return background().run(self._sql.plan(query, options, source=source))

    def tables(self, source: str | None = None) -> dict[str, Sequence[str]]:
        """The columns of every table of a local source, by its name; for `sql`."""
        return background().run(self._sql.tables(source=source))

    def connect(
        self,
        name: str,
        url: str,
        *,
        type: str | None = None,  # noqa: A002 - the key of the configuration file
        token: str | None = None,
        user: str | None = None,
        password: str | None = None,
        tenant: str | None = None,
        verify: bool | str = True,
        timeout: str | float | None = None,
        options: Mapping[str, Any] = _NO_OPTIONS,
    ) -> Connected:
        """Find out what answers at an address, test it, and make it the default source.

        Args:
            name: What to call it.
            url: A server's address, or the path of a folder or file.
            type: The platform, when it cannot be found out.
            token: A bearer token.
            user: For basic auth, with `password`.
            password: For basic auth.
            tenant: Sent as `X-Scope-OrgID`.
            verify: False trusts any certificate; a path names the CA to trust.
            timeout: Seconds, or text (`30s`).
            options: Keys of the platform's own settings, as in the configuration file. A folder's say which columns of
                its tables mean what: `{"timestamp": "when", "value": ["latency"], "labels": ["host"]}`.

        Raises:
            UsageError: The options do not go together.
            ConfigError: The platform has no such option, or it does not take that value.
            SourceError: Nobody there, wrong credentials, or not a platform that we know.
        """
        access = Access(
            token=token,
            user=user,
            password=password,
            tenant=tenant,
            verify=verify,
            timeout=timeout,
            options=options,
        )
        return background().run(self._connect(name, url, type, access))

    def demo(self, *, progress: ProgressListener = no_progress, hours: int = 6) -> Connected:
        """Connect the demo world as `demo` (built once, then kept); its now is the end of the world."""
        return background().run(self._demo(progress, hours))

    def health(self, name: str | None = None) -> Health:
        """Ask a source whether it is well; raises a `SourceError` when it is not."""
        return background().run(self._core.health(name))

    def catalog(self, name: str | None = None) -> SyncCatalog:
        """What a source has."""
        return SyncCatalog(self._core.book.catalog_source(name).catalog)

    def log_catalog(self, name: str | None = None) -> SyncLogCatalog:
        """What the lines of a source are labelled with."""
        return SyncLogCatalog(self._core.book.logs_source(name).log_catalog)

    def trace_catalog(self, name: str | None = None) -> SyncTraceCatalog:
        """Which services, operations and attributes the spans of a source have."""
        return SyncTraceCatalog(self._core.book.traces_sources(name)[0].trace_catalog)

    def close(self) -> None:
        """Close every source; the session can be used again and opens them anew."""
        background().run(self._close())
