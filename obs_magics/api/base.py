"""What both kinds of session share: everything that asks nobody, and the work behind what both ask."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import obs_magics.accessor  # noqa: F401 - gives every frame its `obs`
from obs_magics import demo
from obs_magics.adapters import ADAPTERS
from obs_magics.config.adapter import Adapter
from obs_magics.config.ignore import IGNORE_FILE
from obs_magics.config.load import Loaded, load_settings
from obs_magics.config.registry import load_registry
from obs_magics.local.events.source import ADAPTER as EVENTS_ADAPTER
from obs_magics.local.source import ADAPTER as FOLDER_ADAPTER
from obs_magics.model.bus import Bus
from obs_magics.model.sources import (
    CatalogSource,
    EventsSource,
    LogLanguage,
    LogsSource,
    MetricsSource,
    ProgressListener,
    SqlSource,
    TracesSource,
)
from obs_magics.security.redact import Redactor, new_key
from obs_magics.session.anomalies import AnomaliesDesk, anomaly_settings
from obs_magics.session.book import SourceBook, SourceStatus, open_source
from obs_magics.session.changes import ChangesDesk
from obs_magics.session.connect import Access, Connected, connected, find_adapter
from obs_magics.session.core import Core
from obs_magics.session.correlate import CorrelationDesk
from obs_magics.session.events import EventsDesk
from obs_magics.session.measures import MeasuresDesk, custom_measures
from obs_magics.session.plan import Limits
from obs_magics.session.sql import SqlDesk
from obs_magics.session.traces import TracesDesk
from obs_magics.session.zone import session_zone

if TYPE_CHECKING:
    from obs_magics.config.platform import PlatformSettings
    from obs_magics.config.settings import Settings
    from obs_magics.incident.enrich import Enricher


class Base:
    """What both kinds of session share: everything that asks nobody."""

    def __init__(
        self,
        config: str | Path | None = None,
        *,
        zone: str | None = None,
        now_ns: Callable[[], int] | None = None,
        executor: Executor | None = None,
        ignore_file: str | Path | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Read the configuration.

        Args:
            config: The YAML file; None looks in `$OBS_MAGICS_CONFIG`, `./obs.yaml`,
                `./.amplifier/integrations/observability.yaml` and the user's configuration directory.
            zone: How naive times are read and shown (`Europe/Berlin`); None is the machine's own.
            now_ns: The clock, in nanoseconds since the epoch; None is the machine's own.
            executor: Who examines many series: a `concurrent.futures.Executor`, such as a Dask client's
                `get_executor()`; None for threads of this process. It is not shut down with the session.
            ignore_file: Which anomalies the project ignores; None is `.obs-magics/ignore.yaml` where it runs.
            environ: Where environment variables are looked up.

        Raises:
            ConfigError: The file has an unknown key or a bad value.
        """
        self._registry: Mapping[str, Adapter] = load_registry([*ADAPTERS, FOLDER_ADAPTER, EVENTS_ADAPTER])
        self.settings: Loaded = load_settings(config, self._registry, environ=environ)
        query = self.settings.settings.query
        limits = Limits(
            default_range_ns=query.default_time_range_ns,
            max_range_ns=query.max_time_range_ns,
            max_data_points=query.max_data_points,
        )
        book = SourceBook(_platforms(self.settings.settings), self._registry)
        clock_ns, key = now_ns or time.time_ns, new_key()

        def redactor() -> Redactor:
            return Redactor(key)  # one for each question, with the one key: equal secrets stay equal

        self._clock_ns = clock_ns
        here = session_zone(zone, environ)
        bus = Bus()
        self._core = Core(book, bus, limits, zone=here, clock_ns=clock_ns, redactor=redactor)
        self._traces = TracesDesk(book, bus, limits, zone=here, clock_ns=clock_ns, redactor=redactor)
        self._events = EventsDesk(book, bus, limits, zone=here, clock_ns=clock_ns, redactor=redactor)
        self._sql = SqlDesk(book, bus, clock_ns, redactor)
        self._measures = MeasuresDesk(self._core, custom_measures(self.settings.settings.measures))
        self._anomalies = AnomaliesDesk(
            self._core,
            self._measures,
            anomaly_settings(self.settings.settings.anomaly_detection),
            max_points=query.max_data_points,
            ignore_file=Path(ignore_file) if ignore_file is not None else IGNORE_FILE,
            executor=executor,
        )

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

    def now_ns(self) -> int:
        """The now of the default source in nanoseconds since the epoch; the clock's where it has none of its own."""
        name = self.default or next((one.name for one in self.sources if not one.problem), None)
        own = None if name is None else self._core.book.source(name).now_ns()
        return self._clock_ns() if own is None else own

    def use(self, name: str) -> None:
        """Make `name` the source of questions that name none.

        Raises:
            UsageError: There is no such source, or it cannot be asked.
        """
        self._core.book.use(name)

    def log_language(self, source: str | None = None) -> LogLanguage:
        """What a source's log queries are written in: `logql` or `logsql`; asks nobody.

        Raises:
            UsageError: There is no such source, or it has no logs.
        """
        return self._core.book.logs_source(source).log_language

    def offers(self, source: str | None = None) -> tuple[str, ...]:
        """What a source can be asked for: `metrics`, `logs`, `traces`, `events`, `catalog` (of metrics), `sql`.

        Raises:
            UsageError: There is no such source.
        """
        target = self._core.book.source(source)
        kinds = {
            "metrics": MetricsSource,
            "logs": LogsSource,
            "traces": TracesSource,
            "events": EventsSource,
            "catalog": CatalogSource,
            "sql": SqlSource,
        }
        return tuple(name for name, kind in kinds.items() if isinstance(target, kind))

    @cached_property
    def _correlations(self) -> CorrelationDesk:
        return CorrelationDesk(self._core, self._measures, self._anomalies)

    @cached_property
    def _changes(self) -> ChangesDesk:
        settings = self.settings.settings
        return ChangesDesk(
            self._core.bus,
            events=self._events,
            traces=self._traces,
            settings=settings.correlation,
            calls=settings.incident.calls,
            max_range_ns=settings.query.max_time_range_ns,
        )

    def _enricher(self) -> Enricher:
        from obs_magics.incident.configured import settings_of
        from obs_magics.incident.enrich import Enricher
        from obs_magics.incident.reach import Desks

        return Enricher(
            Desks(self._core, self._traces, self._events, self._measures),
            settings_of(self.settings.settings.incident),
            zone=self.zone,
            clock_ns=self._clock_ns,
        )

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


def _platforms(settings: Settings) -> Mapping[str, PlatformSettings]:
    """The configured platforms; all of them switched off when `enabled: false` stands above them."""
    if settings.enabled:
        return settings.platforms
    return {name: platform.model_copy(update={"enabled": False}) for name, platform in settings.platforms.items()}
