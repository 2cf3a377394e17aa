"""From what a person asked for metrics to what a source is asked: time range, step, aggregation, variables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from numbers import Integral, Real
from typing import Any

from obs_magics.model.errors import QueryError, UsageError
from obs_magics.model.query import AGGREGATIONS, EventsQuery, LogsQuery, MetricsQuery, TracesQuery, choose_step
from obs_magics.model.time import HOUR, MINUTE, SECOND, TimeRange, format_duration, parse_duration, resolve_range
from obs_magics.syntax.grafana import expand_time_variables
from obs_magics.syntax.promql import is_metric_name

When = str | int | float | datetime

# What Prometheus is configured with by most installations; only `$__rate_interval` depends on it.
SCRAPE_INTERVAL_NS = 15 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsOptions:
    """What can be said beside the query; see `Session.metrics` for the meaning of each."""

    last: str | None = None
    start: When | None = None
    end: When | None = None
    step: str | float | None = None
    agg: str | None = None
    limit: int | None = None
    instant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The configured bounds that a plan keeps; times in nanoseconds. Logs and events have ranges of their own."""

    default_range_ns: int
    max_range_ns: int
    max_data_points: int
    logs_range_ns: int = 30 * MINUTE
    events_range_ns: int = 6 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be asked of whom: the answer to `--dry-run`."""

    signal: str
    source: str
    platform: str
    address: str
    question: str
    query: MetricsQuery | LogsQuery | TracesQuery | EventsQuery
    translated_by: str = ""
    notes: tuple[str, ...] = ()

    @property
    def native_query(self) -> str:
        """What is sent."""
        return self.query.text

    @property
    def range(self) -> TimeRange:
        """When."""
        return self.query.range


def plan_metrics_query(
    question: str, options: MetricsOptions, *, now_ns: int, zone: tzinfo, limits: Limits
) -> MetricsQuery:
    """Resolve a metrics question.

    Raises:
        UsageError: An option does not make sense.
        QueryError: There is no query.
    """
    text = checked_text(question)
    if not text:
        raise QueryError(
            "there is no query", hint="write one below the magic: `up`, `sum(rate(http_requests_total[5m]))`"
        )
    check_limit(options.limit)
    span = resolve_range(
        last=options.last,
        start=options.start,
        end=options.end,
        now_ns=now_ns,
        zone=zone,
        default_ns=limits.default_range_ns,
        max_ns=limits.max_range_ns,
    )
    step_ns = step_of(options.step, span, limits.max_data_points)
    if options.step is None and options.start is None and options.end is None and not options.instant:
        span = _on_the_grid(span, step_ns)
    text = _aggregated(text, options.agg)
    text = expand_time_variables(text, step_ns=step_ns, range_ns=span.duration_ns, scrape_ns=SCRAPE_INTERVAL_NS)
    return MetricsQuery(text=text, range=span, step_ns=step_ns, instant=options.instant, limit=options.limit)


def _on_the_grid(span: TimeRange, step_ns: int) -> TimeRange:
    """The range up to the last multiple of the step, as Grafana asks: frames of two questions then share their times.

    Only where people typed neither times nor a step of their own: those are kept to the nanosecond.
    """
    late = span.end_ns % step_ns
    return TimeRange(span.start_ns - late, span.end_ns - late)


def checked_text(question: Any) -> str:
    """The question without the space around it; raises `UsageError` when it is no text."""
    if not isinstance(question, str):
        raise UsageError(f"a query is text, not a {type(question).__name__}")
    return question.strip()


def check_limit(limit: Any) -> None:
    """Raise `UsageError` when a limit is given and is no whole number from 1 on."""
    if limit is not None and not (isinstance(limit, Integral) and int(limit) > 0):
        raise UsageError(f"--limit takes a whole number from 1 on, not {limit!r}")


def step_of(asked: Any, span: TimeRange, max_points: int) -> int:
    """The step in nanoseconds: as asked, or the smallest readable one that gives at most `max_points`."""
    if asked is None:
        return choose_step(span, max_points)
    seconds = asked.total_seconds() if isinstance(asked, timedelta) else asked
    if not (isinstance(seconds, str) or (isinstance(seconds, Real) and math.isfinite(seconds))):
        raise UsageError(f"--step takes seconds or text, not {asked!r}", hint="30, 30s, 5m")
    step_ns = parse_duration(seconds) if isinstance(seconds, str) else round(float(seconds) * SECOND)
    if step_ns < SECOND // 1000:
        raise UsageError(f"--step takes a time from 1ms on, not {format_duration(step_ns)}")
    return step_ns


def _aggregated(text: str, agg: str | None) -> str:
    if agg is None:
        return text
    if agg not in AGGREGATIONS:
        raise UsageError(f"--agg takes one of {', '.join(AGGREGATIONS)}, not {agg!r}")
    if not is_metric_name(text):
        raise UsageError(
            "--agg goes with a metric name, and this is a query of its own",
            hint=f"write the aggregation into the query: {agg}({text if len(text) < 60 else '…'})",
        )
    return f"{agg}({text})"
