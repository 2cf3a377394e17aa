"""Whom can be asked for what, which services they know, and whether their clocks agree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from obs_magics.display.units import seconds_text
from obs_magics.incident.parts import Parts
from obs_magics.model.durations import MINUTE, SECOND
from obs_magics.model.errors import ObsError, UsageError, did_you_mean
from obs_magics.model.sources import CatalogSource, EventsSource, LogsSource, MetricsSource, Source, TracesSource
from obs_magics.model.zones import to_datetime
from obs_magics.net.tasks import together
from obs_magics.session.book import AUTO, SourceBook
from obs_magics.session.core import Core
from obs_magics.session.events import EventsDesk
from obs_magics.session.measures import MeasuresDesk
from obs_magics.session.traces import TracesDesk

APART_NS = 5 * MINUTE
"""Sources whose nows differ by more tell of different times."""
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Desks:
    """Where questions are answered."""

    core: Core
    traces: TracesDesk
    events: EventsDesk
    measures: MeasuresDesk


@dataclass(frozen=True, slots=True)
class Reach:
    """Names of the sources that can be asked, by what they can be asked for.

    Args:
        metrics: With a catalog, so that measures can be found.
        logs: Likewise of lines.
        traces: Of traces.
        events: Of events.
        now_ns: That of the default source, or of the first.
        warnings: What is odd about their clocks.
    """

    metrics: tuple[str, ...]
    logs: tuple[str, ...]
    traces: tuple[str, ...]
    events: tuple[str, ...]
    now_ns: int
    warnings: tuple[str, ...] = ()


async def reach(book: SourceBook, asked: str | None, parts: Parts, clock_ns: Callable[[], int]) -> Reach:
    """Open what can be opened.

    Args:
        book: The sources.
        asked: Names with commas between them; None or `auto` for all that can be asked.
        parts: Told what cannot be opened.
        clock_ns: What time it is, for sources that have no now of their own.

    Raises:
        UsageError: There is no source, or none of that name.
    """
    sources = _opened(book, asked, parts)
    nows: dict[str, int] = {}
    for source in list(sources):
        try:
            own = await asyncio.to_thread(source.now_ns)  # a folder may have to be read first
        except ObsError as error:
            parts.fail(source.name, error)
            sources.remove(source)
            continue
        nows[source.name] = clock_ns() if own is None else own
    if not sources:
        raise UsageError("no source can be asked", hint="; ".join(parts.failed) or "see %obs sources")
    default = book.default if book.default in nows else sources[0].name
    return Reach(
        metrics=_those(sources, MetricsSource, CatalogSource),
        logs=_those(sources, LogsSource),
        traces=_those(sources, TracesSource),
        events=_those(sources, EventsSource),
        now_ns=nows[default],
        warnings=tuple(_apart(nows)),
    )


def _opened(book: SourceBook, asked: str | None, parts: Parts) -> list[Source]:
    if asked not in (None, AUTO):
        names = [name.strip() for name in str(asked).split(",") if name.strip()]
        return [book.source(name) for name in dict.fromkeys(names)]
    ready = [status.name for status in book.statuses() if not status.problem]
    if not ready:
        return [book.source(None)]  # says how to get one
    sources = []
    for name in sorted(ready, key=lambda name: name != book.default):
        try:
            sources.append(book.source(name))
        except ObsError as error:
            parts.fail(name, error)
    return sources


def _those(sources: Sequence[Source], *kinds: type) -> tuple[str, ...]:
    return tuple(source.name for source in sources if all(isinstance(source, kind) for kind in kinds))


def _apart(nows: dict[str, int]) -> list[str]:
    """That sources tell of different times."""
    if not nows or max(nows.values()) - min(nows.values()) <= APART_NS:
        return []
    told = ", ".join(f"{name}: {to_datetime(now):%Y-%m-%d %H:%M:%S} UTC" for name, now in nows.items())
    distance = seconds_text((max(nows.values()) - min(nows.values())) // SECOND)
    return [f"the sources' clocks are {distance} apart ({told}): what they tell may not be of the same time"]


async def known_services(desks: Desks, found: Reach, parts: Parts) -> tuple[set[str], bool]:
    """The services that the sources know, and whether all of them told."""
    before = len(parts.failed)
    book = desks.core.book
    works = [
        *(parts.run(f"services of {name}", desks.measures.resolver(name).services()) for name in found.metrics),
        *(parts.run(f"services of {name}", _of_logs(book, name)) for name in found.logs),
        *(parts.run(f"services of {name}", _of_traces(book, name)) for name in found.traces),
    ]
    lists = await together(works)
    return {service for names in lists if names for service in names}, len(parts.failed) == before


async def _of_logs(book: SourceBook, name: str) -> Sequence[str]:
    return await book.logs_source(name).log_catalog.services()


async def _of_traces(book: SourceBook, name: str) -> Sequence[str]:
    return await book.traces_sources(name)[0].trace_catalog.services()


def check_service(service: str, known: Collection[str], *, complete: bool) -> list[str]:
    """What to say of a service that no source knows.

    Raises:
        UsageError: All sources told which services they know, and it is none of them.
    """
    if not known or service in known:
        return []
    names = ", ".join(sorted(known)[:_NAMED]) + (f" and {len(known) - _NAMED} more" if len(known) > _NAMED else "")
    if not complete:
        return [f"no source that answered knows a service called {service!r}; they know {names}"]
    raise UsageError(
        f"there is no service called {service!r}", hint=did_you_mean(service, known) or f"the services are {names}"
    )
