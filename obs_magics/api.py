"""The public face: `Session` for notebooks and scripts, `AsyncSession` for programs with a loop of their own.

Both talk to the same core, which lives on one background event loop, and have the same methods.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import obs_magics.accessor  # noqa: F401 - gives every frame its `obs`
from obs_magics import demo
from obs_magics.adapters import ADAPTERS
from obs_magics.config.adapter import Adapter
from obs_magics.config.load import Loaded, load_settings
from obs_magics.config.registry import load_registry
from obs_magics.local.source import ADAPTER as FOLDER_ADAPTER
from obs_magics.model.bus import Bus
from obs_magics.model.catalog import Catalog, MetricInfo
from obs_magics.model.sources import Health, ProgressListener, no_progress
from obs_magics.net.loop import background
from obs_magics.session.book import SourceBook, SourceStatus, open_source
from obs_magics.session.connect import Access, Connected, connected, find_adapter
from obs_magics.session.core import Core
from obs_magics.session.plan import Limits, MetricsOptions, Plan, When
from obs_magics.session.sql import SqlDesk, SqlOptions, SqlPlan
from obs_magics.session.zone import session_zone

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.config.platform import PlatformSettings
    from obs_magics.config.settings import Settings

__all__ = ["AsyncSession", "Connected", "Plan", "Session", "SourceStatus", "SqlPlan", "SyncCatalog"]

T = TypeVar("T")

_NO_FRAMES: Mapping[str, pd.DataFrame] = MappingProxyType({})
_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class _Base:
    """What both kinds of session share: everything that asks nobody."""

    def __init__(
        self,
        config: str | Path | None = None,
        *,
        zone: str | None = None,
        now_ns: Callable[[], int] | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Read the configuration.

        Args:
            config: The YAML file; None looks in `$OBS_MAGICS_CONFIG`, `./obs.yaml`,
                `./.amplifier/integrations/observability.yaml` and the user's configuration directory.
            zone: How naive times are read and shown (`Europe/Berlin`); None is the machine's own.
            now_ns: The clock, in nanoseconds since the epoch; None is the machine's own.
            environ: Where environment variables are looked up.

        Raises:
            ConfigError: The file has an unknown key or a bad value.
        """
        self._registry: Mapping[str, Adapter] = load_registry([*ADAPTERS, FOLDER_ADAPTER])
        self.settings: Loaded = load_settings(config, self._registry, environ=environ)
        query = self.settings.settings.query
        limits = Limits(
            default_range_ns=query.default_time_range_ns,
            max_range_ns=query.max_time_range_ns,
            max_data_points=query.max_data_points,
        )
        book = SourceBook(_platforms(self.settings.settings), self._registry)
        self._core = Core(book, limits, zone=session_zone(zone, environ), clock_ns=now_ns or time.time_ns)
        self._sql = SqlDesk(book, self._core.bus, now_ns or time.time_ns)

    @property
    def zone(self) -> tzinfo:
        """How naive times are read and shown."""
        return self._core.zone

    @property
    def bus(self) -> Bus:
        """Tells who subscribes what the session does (see `model.bus`)."""
        return self._core.bus

    @property
    def sources(self) -> list[SourceStatus]:
        """All sources, in the order in which they came."""
        return self._core.book.statuses()

    @property
    def default(self) -> str | None:
        """The source of questions that name none, once one was chosen with `use`."""
        return self._core.book.default

    def use(self, name: str) -> None:
        """Make `name` the source of questions that name none.

        Raises:
            UsageError: There is no such source, or it cannot be asked.
        """
        self._core.book.use(name)

    async def _connect(self, name: str, target: str, kind: str | None, access: Access) -> Connected:
        adapter, settings = await find_adapter(name, target, kind, access, self._registry)
        source = open_source(adapter, name, settings)
        try:
            health = await source.health()
        except BaseException:
            await source.close()
            raise
        replaced = self._core.book.add(name, settings, source)
        if replaced is not None:
            await replaced.close()
        self._core.book.use(name)
        return connected(name, adapter, settings, source.address, health)

    async def _close(self) -> None:
        self._sql.close()
        await self._core.close()

    async def _demo(self, progress: ProgressListener, hours: int) -> Connected:
        folder = await asyncio.to_thread(demo.open, progress, hours=hours)
        return await self._connect("demo", str(folder), FOLDER_ADAPTER.type, Access())


class Session(_Base):
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

    def close(self) -> None:
        """Close every source; the session can be used again and opens them anew."""
        background().run(self._close())


class AsyncSession(_Base):
    """The same calls for programs with an event loop of their own: `await session.metrics(…)`.

    Cancelling a call cancels what is in flight.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def metrics(
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
        """As `Session.metrics`."""
        options = MetricsOptions(last=last, start=start, end=end, step=step, agg=agg, limit=limit, instant=instant)
        return await _bridged(self._core.metrics(query, options, source=source, progress=progress))

    async def plan(
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
        """As `Session.plan`."""
        options = MetricsOptions(last=last, start=start, end=end, step=step, agg=agg, limit=limit, instant=instant)
        return await _bridged(self._core.plan(query, options, source=source))

    async def sql(
        self,
        query: str,
        *,
        source: str | None = None,
        frames: Mapping[str, pd.DataFrame] = _NO_FRAMES,
        limit: int | None = None,
        timeout: str | float | None = None,
    ) -> pd.DataFrame:
        """As `Session.sql`."""
        options = SqlOptions(frames=frames, limit=limit, timeout=timeout)
        return await _bridged(self._sql.ask(query, options, source=source))

    async def sql_plan(
        self,
        query: str,
        *,
        source: str | None = None,
        frames: Mapping[str, pd.DataFrame] = _NO_FRAMES,
        limit: int | None = None,
        timeout: str | float | None = None,
    ) -> SqlPlan:
        """As `Session.sql_plan`."""
        options = SqlOptions(frames=frames, limit=limit, timeout=timeout)
        return await _bridged(self._sql.plan(query, options, source=source))

    async def tables(self, source: str | None = None) -> dict[str, Sequence[str]]:
        """As `Session.tables`."""
        return await _bridged(self._sql.tables(source=source))

    async def connect(
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
        """As `Session.connect`."""
        access = Access(
            token=token,
            user=user,
            password=password,
            tenant=tenant,
            verify=verify,
            timeout=timeout,
            options=options,
        )
        return await _bridged(self._connect(name, url, type, access))

    async def demo(self, *, progress: ProgressListener = no_progress, hours: int = 6) -> Connected:
        """As `Session.demo`."""
        return await _bridged(self._demo(progress, hours))

    async def health(self, name: str | None = None) -> Health:
        """As `Session.health`."""
        return await _bridged(self._core.health(name))

    def catalog(self, name: str | None = None) -> AsyncCatalog:
        """As `Session.catalog`, with methods to be awaited."""
        return AsyncCatalog(self._core.book.catalog_source(name).catalog)

    async def close(self) -> None:
        """As `Session.close`."""
        await _bridged(self._close())


class SyncCatalog:
    """What a source has; each call waits for its answer."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def metric_names(self) -> Sequence[str]:
        """Every metric name of the recent past, sorted."""
        return background().run(self._catalog.metric_names())

    def metric(self, name: str) -> MetricInfo:
        """Type, unit and help of one metric."""
        return background().run(self._catalog.metric(name))

    def label_names(self, metric: str | None = None) -> Sequence[str]:
        """Label names, of one metric or of all."""
        return background().run(self._catalog.label_names(metric))

    def label_values(self, label: str, metric: str | None = None) -> Sequence[str]:
        """Values of one label, on one metric or on all."""
        return background().run(self._catalog.label_values(label, metric))


class AsyncCatalog:
    """What a source has; to be awaited from any loop."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def metric_names(self) -> Sequence[str]:
        """Every metric name of the recent past, sorted."""
        return await _bridged(self._catalog.metric_names())

    async def metric(self, name: str) -> MetricInfo:
        """Type, unit and help of one metric."""
        return await _bridged(self._catalog.metric(name))

    async def label_names(self, metric: str | None = None) -> Sequence[str]:
        """Label names, of one metric or of all."""
        return await _bridged(self._catalog.label_names(metric))

    async def label_values(self, label: str, metric: str | None = None) -> Sequence[str]:
        """Values of one label, on one metric or on all."""
        return await _bridged(self._catalog.label_values(label, metric))


def _platforms(settings: Settings) -> Mapping[str, PlatformSettings]:
    """The configured platforms; all of them switched off when `enabled: false` stands above them."""
    if settings.enabled:
        return settings.platforms
    return {name: platform.model_copy(update={"enabled": False}) for name, platform in settings.platforms.items()}


async def _bridged(work: Coroutine[Any, Any, T]) -> T:
    return await background().bridge(work)
