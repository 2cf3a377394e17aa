"""`Session` for notebooks and scripts, `AsyncSession` for programs with an event loop of their own: the same calls."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from obs_magics.api.catalogs import (
    AsyncCatalog,
    AsyncLogCatalog,
    AsyncTraceCatalog,
    SyncCatalog,
    SyncLogCatalog,
    SyncTraceCatalog,
)
from obs_magics.api.correlations import Correlations
from obs_magics.api.events import Events
from obs_magics.api.faces import Awaiting, awaited
from obs_magics.api.ignoring import Ignoring
from obs_magics.api.incidents import Incidents
from obs_magics.api.measures import Measures
from obs_magics.api.questions import Questions
from obs_magics.api.reports import Reports
from obs_magics.api.sources import Sources


class Session(Sources, Questions, Events, Measures, Correlations, Incidents, Ignoring, Reports):
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

    def catalog(self, name: str | None = None) -> SyncCatalog:
        """What a source has."""
        return SyncCatalog(self._core.book.catalog_source(name).catalog)

    def log_catalog(self, name: str | None = None) -> SyncLogCatalog:
        """What the lines of a source are labelled with."""
        return SyncLogCatalog(self._core.book.logs_source(name).log_catalog)

    def trace_catalog(self, name: str | None = None) -> SyncTraceCatalog:
        """Which services, operations and attributes the spans of a source have."""
        return SyncTraceCatalog(self._core.book.traces_sources(name)[0].trace_catalog)


class AsyncSession(Awaiting, Ignoring, Reports):
    """The same calls for programs with an event loop of their own: `await session.metrics(…)`.

    Cancelling a call cancels what is in flight.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def catalog(self, name: str | None = None) -> AsyncCatalog:
        """What a source has, with methods to be awaited."""
        return AsyncCatalog(self._core.book.catalog_source(name).catalog)

    def log_catalog(self, name: str | None = None) -> AsyncLogCatalog:
        """What the lines of a source are labelled with, with methods to be awaited."""
        return AsyncLogCatalog(self._core.book.logs_source(name).log_catalog)

    def trace_catalog(self, name: str | None = None) -> AsyncTraceCatalog:
        """Which services, operations and attributes the spans of a source have, with methods to be awaited."""
        return AsyncTraceCatalog(self._core.book.traces_sources(name)[0].trace_catalog)

    connect = awaited(Session.connect)
    demo = awaited(Session.demo)
    health = awaited(Session.health)
    close = awaited(Session.close)

    metrics = awaited(Session.metrics)
    plan = awaited(Session.plan)
    logs = awaited(Session.logs)
    logs_plan = awaited(Session.logs_plan)
    traces = awaited(Session.traces)
    traces_plan = awaited(Session.traces_plan)
    sql = awaited(Session.sql)
    sql_plan = awaited(Session.sql_plan)
    tables = awaited(Session.tables)

    events = awaited(Session.events)
    events_plan = awaited(Session.events_plan)
    deployments = awaited(Session.deployments)
    config_changes = awaited(Session.config_changes)
    alerts = awaited(Session.alerts)

    measure = awaited(Session.measure)
    measures = awaited(Session.measures)
    anomalies = awaited(Session.anomalies)
    anomaly_report = awaited(Session.anomaly_report)
    anomaly_plans = awaited(Session.anomaly_plans)
    scan = awaited(Session.scan)
    correlate = awaited(Session.correlate)
    correlation_report = awaited(Session.correlation_report)
    changes_before = awaited(Session.changes_before)

    incident = awaited(Session.incident)
    enrich = awaited(Session.enrich)
    root_cause = awaited(Session.root_cause)
