"""What a spans frame says in numbers: filled by `analysis.spans.summarize_traces`, shown by `display`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

FaultKind = Literal["n_plus_one", "fan_out", "retries", "timeouts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowStep:
    """What takes most of a bottleneck's time: a query template, or an operation where it has no query.

    Args:
        kind: Whether `text` is a query template or the name of an operation.
        text: The template (`SELECT * FROM inventory WHERE sku IN (<*>)`), or the operation.
        share: Of the time on all critical paths, 0 to 1.
        calls: How many spans it has.
        average: Of their durations.
        p95: Likewise.
        outside: Whether it is a call whose other side no trace shows.
    """

    kind: Literal["query", "operation"]
    text: str
    share: float
    calls: int
    average: timedelta
    p95: timedelta
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """The service with most of the time on the critical paths.

    Args:
        service: Its name.
        share: Of the time on all critical paths, 0 to 1.
        critical: Its time on them.
        step: What takes most of that; None where nobody looked.
        since: When it began to take more; None when it always did, or when the frame cannot tell.
        example: The trace in which it took longest.
    """

    service: str
    share: float
    critical: timedelta
    step: SlowStep | None
    since: datetime | None
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorOrigin:
    """Where failing traces fail first: the failing span below which nothing failed.

    Args:
        service: Of that span.
        operation: Likewise.
        message: What it says, values as `<*>`; empty when it says nothing.
        traces: How many traces fail there.
        share: Of all failing traces, 0 to 1.
        example: One of them.
    """

    service: str
    operation: str
    message: str
    traces: int
    share: float
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A habit that costs time, with where to see it.

    Args:
        kind: Many calls of one template from one parent, many calls at once, calls repeated after an error, or
            durations that end at a round number of seconds.
        service: Who does it.
        what: The template or the operation that is repeated, or that times out.
        count: Calls from one parent (most), retries, or spans that timed out.
        traces: In how many traces.
        trace_id: The trace to look at.
        parent_id: The span whose children to look at; empty where there is none.
        timeout: The round duration, for timeouts.
    """

    kind: FaultKind
    service: str
    what: str
    count: int
    traces: int
    trace_id: str
    parent_id: str = ""
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSummary:
    """A spans frame in numbers. Durations are those of traces: from the first start to the last end.

    Args:
        traces: How many there are.
        spans: Likewise.
        services: How many services they name.
        errors: Spans that failed.
        failed: Traces with a span that failed.
        total: Time on all critical paths.
        median: Of the traces' durations.
        p95: Likewise.
        longest: Likewise.
        slowest: The id of the longest trace; empty when there is none.
        bottleneck: None when no time was spent.
        origin: Where most failing traces fail first; None when none does.
        faults: What repeats, most telling first; not more than a few.
        notes: What was mended or cannot be trusted, each a sentence.
    """

    traces: int
    spans: int
    services: int
    errors: int
    failed: int
    total: timedelta
    median: timedelta
    p95: timedelta
    longest: timedelta
    slowest: str
    bottleneck: Bottleneck | None = None
    origin: ErrorOrigin | None = None
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values: durations in seconds, instants in ISO 8601."""
        plain: Mapping[str, Any] = asdict(self)
        return {name: _plain(value) for name, value in plain.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
