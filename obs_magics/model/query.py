"""What is asked of a source: frozen questions with an absolute time range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from obs_magics.model.time import SECOND, TimeRange

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.model.events import EventKind
    from obs_magics.model.logs import Level

Aggregation = Literal["avg", "sum", "min", "max", "count"]
AGGREGATIONS: tuple[Aggregation, ...] = ("avg", "sum", "min", "max", "count")

# Steps a person reads easily, in seconds: the ticks of dashboards (1 s … 1 d).
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsQuery:
    """A metrics question in the source's own language.

    Args:
        text: The query, with every variable already replaced.
        range: Absolute; an instant query is asked at its end.
        step_ns: Distance between points in nanoseconds.
        instant: One value per series at `range.end_ns` instead of a series of them.
        limit: At most this many series; None for all.
    """

    text: str
    range: TimeRange
    step_ns: int
    instant: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsQuery:
    """A logs question in the source's own language; what asks for numbers over time is answered with a metrics frame.

    Args:
        text: The query, with every variable already replaced; without the level, which the source adds.
        range: Absolute; start included, end excluded.
        limit: At most this many lines, the newest ones.
        level: At least this severe; None for every line, those of unknown level too.
        step_ns: Distance between points in nanoseconds, where the query asks for numbers over time.
        volume_step_ns: Width of a bar of the volume, in nanoseconds.
    """

    text: str
    range: TimeRange
    limit: int
    level: Level | None = None
    step_ns: int
    volume_step_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWords:
    """What plain words about logs mean: a source writes its own query from it (`LogsSource.words_query`).

    Args:
        services: Lines of any of these; empty for all.
        phrases: Each stands in the line, in any case of letters.
        any_of: Of each group one phrase at least stands in the line.
    """

    services: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Phrases and groups alike: of each one at least stands in the line."""
        return (*((phrase,) for phrase in self.phrases), *self.any_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesQuery:
    """A traces question: a native query, or conditions, or both; all of them must hold.

    Args:
        text: TraceQL, with every variable already replaced; empty when there are conditions alone.
        trace_ids: These traces and no others (lower-case hex, 32 digits); the range is a hint then.
        service: Traces with a span of this service.
        operation: … with a span of this name (of that service, where one is named).
        status: `ok`: without a failed span (of that service); `error`: with one.
        min_duration_ns: With a span (of that service and operation) that takes at least so long.
        max_duration_ns: … at most so long.
        range: Absolute: traces with a span that starts in it.
        limit: At most this many traces, the newest ones where the source lets choose.
        step_ns: Distance between points in nanoseconds, where the query asks for numbers over time.
    """

    text: str = ""
    trace_ids: tuple[str, ...] = ()
    service: str | None = None
    operation: str | None = None
    status: Literal["ok", "error"] | None = None
    min_duration_ns: int | None = None
    max_duration_ns: int | None = None
    range: TimeRange
    limit: int
    step_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMatcher:
    """What a label, an attribute or a column of an event must be: `value` is RE2, anchored, behind `=~` and `!~`.

    An event that lacks the name has the empty text there, as in Prometheus.
    """

    name: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op}"{escaped}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsQuery:
    """An events question: all that is given must hold.

    A source narrows its answer as far as it can; whoever asked keeps what fits (`analysis.events.chosen`).

    Args:
        text: As typed, with every variable already replaced; what it means stands in the fields below.
        range: Absolute: events that overlap it (`model.events`).
        kinds: Any of these; empty for all.
        services: Events of any of these, `*` standing for anything; empty for all, and for those of no service.
        words: Each stands somewhere in the event, in any case of letters.
        matchers: Each holds.
        limit: At most this many, the newest ones.
    """

    text: str = ""
    range: TimeRange
    kinds: tuple[EventKind, ...] = ()
    services: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    matchers: tuple[EventMatcher, ...] = ()
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlQuery:
    """One SQL statement that only reads.

    Args:
        text: The statement, with every variable already replaced.
        frames: What else it may name beside the source's tables; a frame stands before a table of the same name.
        limit: At most this many rows.
        timeout_ns: How long it may take, in nanoseconds.
    """

    text: str
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    limit: int = 10_000
    timeout_ns: int = 60 * SECOND


def choose_step(span: TimeRange, max_points: int) -> int:
    """The smallest readable step, in nanoseconds, that gives at most `max_points` points a series.

    >>> choose_step(TimeRange(0, 3600 * SECOND), 1000) // SECOND
    5
    """
    if max_points < 2:
        return max(span.duration_ns, SECOND)
    for seconds in _STEPS:
        if span.duration_ns // (seconds * SECOND) + 1 <= max_points:
            return seconds * SECOND
    days = -(-span.duration_ns // ((max_points - 1) * 86400 * SECOND))
    return days * 86400 * SECOND
