"""What a source can do, as small protocols. An adapter implements only those that it can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.model.catalog import Catalog, LogCatalog, TraceCatalog
    from obs_magics.model.events import EventKind
    from obs_magics.model.logs import Volume
    from obs_magics.model.query import EventsQuery, LogsQuery, LogWords, MetricsQuery, SqlQuery, TracesQuery


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a question is: `done` of `total` parts, `rows` so far. `note` says what is going on."""

    done: int
    total: int
    rows: int = 0
    note: str = ""


ProgressListener = Callable[[Progress], None]
Signal = Literal["metrics", "logs", "traces", "events"]
LogLanguage = Literal["logql", "logsql"]


def no_progress(_progress: Progress) -> None:
    """A listener for callers who do not watch."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a source says of itself: `ok`, its `version` (with the product's name), how long it took to answer."""

    ok: bool
    version: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source gives back: a frame, and all that a reader has to know about it.

    Args:
        frame: In the shape of `model.frames`; empty but well-formed when there is nothing.
        native_query: What was really sent.
        unit: UCUM as OpenTelemetry writes it (s, By, 1, %); empty when unknown.
        warnings: The platform's warnings and ours, in order.
        truncated: Why the answer is not whole; empty when it is.
        failed: Parts that did not come, each a sentence.
        link: Opens the same query in the platform.
        empty_reason: Why there is nothing, when there is nothing and the source can tell.
        signal: What the frame holds; a logs question that asks for numbers over time is answered with metrics.
        total: How many lines there are in all, where the source counted them and the frame has some of them.
        volume: Lines over time, by level, as the source counted them.
        notes: What else to know when reading the frame; nothing is wrong.
    """

    frame: pd.DataFrame
    native_query: str
    unit: str = ""
    warnings: tuple[str, ...] = field(default=())
    truncated: str = ""
    failed: tuple[str, ...] = field(default=())
    link: str = ""
    empty_reason: str = ""
    signal: Signal = "metrics"
    total: int | None = None
    volume: Volume | None = None
    notes: tuple[str, ...] = field(default=())


@runtime_checkable
class Source(Protocol):
    """What every source has."""

    name: str
    """As the user calls it: `prom`."""
    platform: str
    """The adapter's type: `prometheus`, `folder`."""
    address: str
    """URL or path as shown to people; never holds a secret."""

    def now_ns(self) -> int | None:
        """The source's own now in nanoseconds since the epoch (a demo or a capsule stands still); None: the clock's."""
        ...

    async def health(self) -> Health:
        """Ask the source whether it is well; raises a `SourceError` when it is not."""
        ...

    async def close(self) -> None:
        """Let go of connections and files; a closed source is not asked again."""
        ...


@runtime_checkable
class MetricsSource(Source, Protocol):
    """A source that answers metrics queries."""

    async def metrics(self, query: MetricsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with a metrics frame. Cancelling the task stops the work.

        Raises:
            QueryError: The query is not one, or asks for what the source cannot do.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        ...


@runtime_checkable
class LogsSource(Source, Protocol):
    """A source that answers logs queries."""

    log_language: LogLanguage
    """What its queries are written in: LogQL (Loki) or LogsQL (VictoriaLogs)."""

    async def logs(self, query: LogsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with a logs frame (`model.logs`), or with a metrics frame where the query asks for numbers over time.

        Cancelling the task stops the work. What had come when the source failed half-way is kept, and said.

        Raises:
            QueryError: The query is not one, or asks for what the source cannot do.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        ...

    async def words_query(self, words: LogWords) -> str:
        """The query, in the source's own language, for lines of these services with all of these phrases."""
        ...

    @property
    def log_catalog(self) -> LogCatalog:
        """What its lines are labelled with."""
        ...


@runtime_checkable
class TracesSource(Source, Protocol):
    """A source that answers traces queries."""

    speaks_traceql: bool
    """Whether it takes TraceQL; else it takes conditions alone."""

    async def traces(self, query: TracesQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with a spans frame (`model.spans`) of whole traces, or with metrics where the query asks for them.

        Cancelling the task stops the work. What had come when the source failed half-way is kept, and said.

        Raises:
            QueryError: The query is not one, or asks for what the source cannot do.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        ...

    @property
    def trace_catalog(self) -> TraceCatalog:
        """Which services, operations and attributes its spans have."""
        ...


@runtime_checkable
class EventsSource(Source, Protocol):
    """A source that knows what happened: deployments, changes, alerts."""

    event_kinds: tuple[EventKind, ...]
    """The kinds it can have: it is not asked for others."""

    async def events(self, query: EventsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with an events frame (`model.events`) of all that overlaps the range.

        More than was asked for may be in it: kinds, services, words, matchers and the limit are for narrowing the
        question where the source can. Cancelling the task stops the work.

        Raises:
            QueryError: The source refused the question.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        ...


@runtime_checkable
class CatalogSource(Source, Protocol):
    """A source that knows what it has."""

    @property
    def catalog(self) -> Catalog:
        """The source's catalog."""
        ...


@runtime_checkable
class SqlSource(Source, Protocol):
    """A source whose data is tables, read with SQL."""

    async def sql(self, query: SqlQuery) -> Answer:
        """Answer with whatever frame the statement gives. Cancelling the task stops the work.

        Raises:
            QueryError: The statement is not one, does more than read, or names what is not there.
            SourceTimeout: It took longer than it may.
            SourceError: The source could not be asked, or the statement needs more memory than it may have.
        """
        ...

    async def tables(self) -> Mapping[str, Sequence[str]]:
        """The columns of every table, by its name."""
        ...
