"""`AsyncSession`: for programs with an event loop of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from obs_magics.api.catalogs import AsyncCatalog, AsyncLogCatalog, AsyncTraceCatalog, bridged
from obs_magics.api.correlations import AsyncCorrelations
from obs_magics.api.incidents import AsyncIncidents
from obs_magics.api.measures import AsyncMeasures
from obs_magics.api.root_causes import AsyncRootCauses
from obs_magics.model.sources import Health, ProgressListener, no_progress
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


class AsyncSession(AsyncIncidents, AsyncRootCauses, AsyncCorrelations, AsyncMeasures):
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
        return await bridged(self._core.metrics(query, options, source=source, progress=progress))

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
        return await bridged(self._core.plan(query, options, source=source))

    async def logs(
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
        """As `Session.logs`."""
        options = LogsOptions(last=last, start=start, end=end, step=step, level=level, limit=limit)
        return await bridged(self._core.logs(query, options, source=source, progress=progress))

    async def logs_plan(
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
        """As `Session.logs_plan`."""
        options = LogsOptions(last=last, start=start, end=end, step=step, level=level, limit=limit)
        return await bridged(self._core.logs_plan(query, options, source=source))

    async def traces(
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
        """As `Session.traces`."""
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
        return await bridged(self._traces.ask(query, options, source=source, progress=progress))

    async def traces_plan(
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
        """As `Session.traces_plan`."""
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
        return await bridged(self._traces.plan(query, options, source=source))

    async def events(
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
        """As `Session.events`."""
        options = EventsOptions(kinds=kinds, service=service, last=last, start=start, end=end, limit=limit)
        return await bridged(self._events.ask(query, options, source=source, progress=progress))

    async def events_plan(
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
        """As `Session.events_plan`."""
        options = EventsOptions(kinds=kinds, service=service, last=last, start=start, end=end, limit=limit)
        return await bridged(self._events.plan(query, options, source=source))

    async def deployments(
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
        """As `Session.deployments`."""
        options = EventsOptions(kinds="deployment", service=service, last=last, start=start, end=end, limit=limit)
        return await bridged(self._events.ask(query, options, source=source, progress=no_progress))

    async def config_changes(
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
        """As `Session.config_changes`."""
        options = EventsOptions(kinds=_CONFIG_CHANGES, service=service, last=last, start=start, end=end, limit=limit)
        return await bridged(self._events.ask(query, options, source=source, progress=no_progress))

    async def alerts(
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
        """As `Session.alerts`."""
        options = EventsOptions(kinds="alert", service=service, last=last, start=start, end=end, limit=limit)
        return await bridged(self._events.ask(query, options, source=source, progress=no_progress))

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
        return await bridged(self._sql.ask(query, options, source=source))

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
        return await bridged(self._sql.plan(query, options, source=source))

    async def tables(self, source: str | None = None) -> dict[str, Sequence[str]]:
        """As `Session.tables`."""
        return await bridged(self._sql.tables(source=source))

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
        return await bridged(self._connect(name, url, type, access))

    async def demo(self, *, progress: ProgressListener = no_progress, hours: int = 6) -> Connected:
        """As `Session.demo`."""
        return await bridged(self._demo(progress, hours))

    async def health(self, name: str | None = None) -> Health:
        """As `Session.health`."""
        return await bridged(self._core.health(name))

    def catalog(self, name: str | None = None) -> AsyncCatalog:
        """As `Session.catalog`, with methods to be awaited."""
        return AsyncCatalog(self._core.book.catalog_source(name).catalog)

    def log_catalog(self, name: str | None = None) -> AsyncLogCatalog:
        """As `Session.log_catalog`, with methods to be awaited."""
        return AsyncLogCatalog(self._core.book.logs_source(name).log_catalog)

    def trace_catalog(self, name: str | None = None) -> AsyncTraceCatalog:
        """As `Session.trace_catalog`, with methods to be awaited."""
        return AsyncTraceCatalog(self._core.book.traces_sources(name)[0].trace_catalog)

    async def close(self) -> None:
        """As `Session.close`."""
        await bridged(self._close())
