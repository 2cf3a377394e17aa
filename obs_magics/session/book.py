"""Which sources there are, which one a question means, and opening each when it is first asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from obs_magics.config.adapter import Adapter
from obs_magics.config.platform import PlatformSettings
from obs_magics.model.errors import ConfigError, ObsError, UsageError, did_you_mean
from obs_magics.model.sources import (
    CatalogSource,
    EventsSource,
    LogsSource,
    MetricsSource,
    Source,
    SqlSource,
    TracesSource,
)

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source as `%obs sources` shows it; `problem` says why it cannot be asked, empty when it can."""

    name: str
    platform: str
    address: str
    enabled: bool
    environment: str
    is_default: bool
    problem: str


@dataclass(slots=True)
class _Entry:
    settings: PlatformSettings
    adapter: Adapter
    source: Source | None = None

    @property
    def problem(self) -> str:
        if not self.settings.enabled:
            return "switched off in the configuration"
        return "" if self.adapter.open else _no_adapter(self.adapter)


def open_source(adapter: Adapter, name: str, settings: PlatformSettings) -> Source:
    """Open a source; asks nobody yet.

    Raises:
        UsageError: The platform is known, but this version has no adapter for it.
    """
    if adapter.open is None:
        raise UsageError(_no_adapter(adapter))
    return adapter.open(name, settings)


def _no_adapter(adapter: Adapter) -> str:
    return f"this version has no adapter for {adapter.title} yet"


class SourceBook:
    """The sources of one session, by name, in the order in which they came.

    Args:
        platforms: Settings by name, from the configuration.
        registry: Every adapter there is, by type.
    """

    def __init__(self, platforms: Mapping[str, PlatformSettings], registry: Mapping[str, Adapter]) -> None:
        self._registry = registry
        self._entries: dict[str, _Entry] = {}
        self.default: str | None = None
        for name, settings in platforms.items():
            self._entries[name] = _Entry(settings, self._adapter(settings.type or name))

    def _adapter(self, kind: str) -> Adapter:
        if kind not in self._registry:
            known = ", ".join(sorted(self._registry))
            raise ConfigError(
                f"there is no platform type {kind!r}",
                hint=did_you_mean(kind, self._registry) or f"the types are: {known}",
            )
        return self._registry[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def add(self, name: str, settings: PlatformSettings, source: Source | None = None) -> Source | None:
        """Add a source, or put another in its place; gives back the source that it replaces, to be closed."""
        old = self._entries.get(name)
        self._entries[name] = _Entry(settings, self._adapter(settings.type or name), source)
        return old.source if old else None

    def use(self, name: str) -> None:
        """Make `name` the source of questions that name none."""
        self._ready(name)
        self.default = name

    def statuses(self) -> list[SourceStatus]:
        """All sources, whether they can be asked or not."""
        default = self._default_name()
        return [
            SourceStatus(
                name=name,
                platform=entry.adapter.type,
                address=entry.source.address if entry.source else entry.settings.shown_address,
                enabled=entry.settings.enabled,
                environment=entry.settings.environment or "",
                is_default=name == default,
                problem=entry.problem,
            )
            for name, entry in self._entries.items()
        ]

    def source(self, name: str | None) -> Source:
        """The source called `name`; for None or `auto` the default, or the only one there is."""
        chosen = name if name not in (None, AUTO) else self._default_name()
        if chosen is None:
            raise self._nothing_chosen()
        entry = self._ready(chosen)
        if entry.source is None:
            entry.source = open_source(entry.adapter, chosen, entry.settings)
        return entry.source

    def metrics_source(self, name: str | None) -> MetricsSource:
        """As `source`, and one that answers metrics queries."""
        source = self.source(name)
        if not isinstance(source, MetricsSource):
            raise UsageError(f"{source.name} ({source.platform}) has no metrics", hint="name another with --source")
        return source

    def logs_source(self, name: str | None) -> LogsSource:
        """As `source`, and one that answers logs queries."""
        source = self.source(name)
        if not isinstance(source, LogsSource):
            others = [other for other in self._ready_names() if other != source.name]
            way_out = f"name another with --source: {', '.join(others)}" if others else "connect one that has"
            raise UsageError(f"{source.name} ({source.platform}) has no logs", hint=way_out)
        return source

    def traces_sources(self, names: str | None) -> list[TracesSource]:
        """The sources called `names` (several with commas between them), each one that answers traces queries."""
        wanted = [name.strip() for name in names.split(",") if name.strip()] if names else [names]
        sources = [self.source(name) for name in dict.fromkeys(wanted)]
        found = [source for source in sources if isinstance(source, TracesSource)]
        if len(found) < len(sources):
            source = next(one for one in sources if not isinstance(one, TracesSource))
            raise UsageError(f"{source.name} ({source.platform}) has no traces", hint="name another with --source")
        return found

    def events_sources(self, names: str | None) -> tuple[list[EventsSource], dict[str, ObsError]]:
        """The sources called `names` (several with commas between them); for None or `auto` all that have events.

        Of those nobody named, what cannot be opened is given back by name with the reason. The default stands first.

        Raises:
            UsageError: A named source has no events, or none has.
        """
        if names not in (None, AUTO):
            return self._named_events_sources([name.strip() for name in str(names).split(",") if name.strip()]), {}
        default = self._default_name()
        found: list[EventsSource] = []
        closed: dict[str, ObsError] = {}
        for name in sorted(self._ready_names(), key=lambda name: name != default):
            try:
                source = self.source(name)
            except ObsError as error:
                closed[name] = error
                continue
            if isinstance(source, EventsSource):
                found.append(source)
        if not found:
            raise next(iter(closed.values()), None) or self._no_events()
        return found, closed

    def _named_events_sources(self, names: list[str]) -> list[EventsSource]:
        sources = [self.source(name) for name in dict.fromkeys(names)]
        found = [source for source in sources if isinstance(source, EventsSource)]
        if len(found) < len(sources):
            source = next(one for one in sources if not isinstance(one, EventsSource))
            raise UsageError(
                f"{source.name} ({source.platform}) has no events", hint="leave --source out to ask all that have"
            )
        return found

    def _no_events(self) -> ObsError:
        if not self._ready_names():
            return self._nothing_chosen()
        names = ", ".join(self._ready_names())
        return UsageError(
            f"none of the sources ({names}) has events",
            hint="connect Alertmanager, Prometheus, a folder, a file of events or a git repository",
        )

    def catalog_source(self, name: str | None) -> CatalogSource:
        """As `source`, and one that knows what it has."""
        source = self.source(name)
        if not isinstance(source, CatalogSource):
            raise UsageError(f"{source.name} ({source.platform}) has no catalog")
        return source

    def sql_source(self, name: str | None) -> SqlSource | None:
        """As `source`, and one that is read with SQL; None when none is named and the default is no such source."""
        if name in (None, AUTO) and self._default_name() is None:
            return None
        source = self.source(name)
        if isinstance(source, SqlSource):
            return source
        if name in (None, AUTO):
            return None
        raise UsageError(
            f"{source.name} ({source.platform}) has no tables for SQL",
            hint="fetch a frame with %%obs_metrics and name that, or name a local source",
        )

    async def close(self) -> None:
        """Close every source that was opened."""
        opened = [entry.source for entry in self._entries.values() if entry.source]
        for entry in self._entries.values():
            entry.source = None
        await asyncio.gather(*(source.close() for source in opened))

    def _ready(self, name: str) -> _Entry:
        entry = self._entries.get(name)
        if entry is None:
            raise UsageError(f"there is no source called {name!r}", hint=self._way_out(name))
        if entry.problem:
            raise UsageError(f"{name} cannot be asked: {entry.problem}", hint=self._way_out(""))
        return entry

    def _default_name(self) -> str | None:
        if self.default is not None:
            return self.default
        ready = self._ready_names()
        return ready[0] if len(ready) == 1 else None

    def _ready_names(self) -> list[str]:
        return [name for name, entry in self._entries.items() if not entry.problem]

    def _way_out(self, name: str) -> str:
        if guess := did_you_mean(name, self._entries) if name else "":
            return guess
        ready = self._ready_names()
        if ready:
            return f"the sources are: {', '.join(ready)}"
        return "connect one with `%obs connect NAME URL`, or try the demo with `%obs demo`"

    def _nothing_chosen(self) -> ObsError:
        if not self._ready_names():
            return UsageError("there is no source to ask", hint=self._way_out(""))
        names = ", ".join(self._ready_names())
        return UsageError(
            f"there are several sources ({names}) and none is the default",
            hint="name one with --source NAME, or choose with `%obs use NAME`",
        )
