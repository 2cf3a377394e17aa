"""From what a person asked of traces to what a source is asked: ids, TraceQL, conditions, time range."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from numbers import Real
from typing import Any, Literal

from obs_magics.model.errors import UsageError, did_you_mean
from obs_magics.model.query import TracesQuery
from obs_magics.model.spans import TRACE_ID_DIGITS
from obs_magics.model.time import SECOND, format_duration, parse_duration, resolve_range
from obs_magics.session.plan import SCRAPE_INTERVAL_NS, Limits, When, check_limit, checked_text, step_of
from obs_magics.syntax.grafana import expand_time_variables

DEFAULT_LIMIT = 20
ALL = "all"
_STATUSES: tuple[Literal["ok", "error"], ...] = ("ok", "error")
# Tempo strips leading zeros; fewer digits than these are a word such as `feed`.
_ID = re.compile(r"(?:0x)?([0-9a-f]{14,32})", re.IGNORECASE)
_IDS = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesOptions:
    """What can be said beside the query; see `Session.traces` for the meaning of each."""

    trace_id: str | Sequence[str] | None = None
    service: str | None = None
    operation: str | None = None
    status: str | None = None
    min_duration: str | float | timedelta | None = None
    max_duration: str | float | timedelta | None = None
    last: str | None = None
    start: When | None = None
    end: When | None = None
    step: str | float | None = None
    limit: int | None = None


def plan_traces_query(
    question: str, options: TracesOptions, *, now_ns: int, zone: tzinfo, limits: Limits
) -> TracesQuery:
    """Resolve a traces question.

    Raises:
        UsageError: An option does not make sense.
    """
    text = checked_text(question)
    check_limit(options.limit)
    in_text = _ids_alone(text)
    ids = (*_ids(options.trace_id), *in_text)
    typed = any(given is not None for given in (options.last, options.start, options.end))
    span = resolve_range(
        last=options.last,
        start=options.start,
        end=options.end,
        now_ns=now_ns,
        zone=zone,
        # Who names a trace wants it, whenever it was.
        default_ns=limits.max_range_ns if ids and not typed else limits.default_range_ns,
        max_ns=limits.max_range_ns,
    )
    shortest, longest = _duration("min", options.min_duration), _duration("max", options.max_duration)
    if shortest is not None and longest is not None and shortest > longest:
        raise UsageError(
            f"--min-duration {format_duration(shortest)} is longer than --max-duration {format_duration(longest)}",
            hint="swap them",
        )
    step_ns = step_of(options.step, span, limits.max_data_points)
    return TracesQuery(
        text=""
        if in_text
        else expand_time_variables(text, step_ns=step_ns, range_ns=span.duration_ns, scrape_ns=SCRAPE_INTERVAL_NS),
        trace_ids=tuple(dict.fromkeys(ids)),
        service=options.service,
        operation=options.operation,
        status=_status(options.status),
        min_duration_ns=shortest,
        max_duration_ns=longest,
        range=span,
        limit=options.limit or DEFAULT_LIMIT,
        step_ns=step_ns,
    )


def trace_id(text: str) -> str:
    """A trace id as 32 lower-case hex digits; leading zeros may be missing, dashes as in a UUID are taken.

    Raises:
        UsageError: It is none.
    """
    found = _ID.fullmatch(text.strip().replace("-", ""))
    if found is None:
        raise UsageError(
            f"{text[:60]!r} is not a trace id",
            hint="a trace id has up to 32 hex digits: 8d5118091edb4be0453ef2e052b89273",
        )
    return found[1].lower().zfill(TRACE_ID_DIGITS)


def _ids(given: str | Sequence[str] | None) -> list[str]:
    if given is None:
        return []
    texts = _IDS.split(given.strip()) if isinstance(given, str) else given
    return [trace_id(text) for text in texts]


def _ids_alone(text: str) -> list[str]:
    """The ids, where the text is nothing else."""
    words = _IDS.split(text) if text else []
    alone = bool(words) and all(_ID.fullmatch(word.replace("-", "")) for word in words)
    return [trace_id(word) for word in words] if alone else []


def _status(asked: Any) -> Literal["ok", "error"] | None:
    if asked is None or str(asked).lower() == ALL:
        return None
    for status in _STATUSES:
        if str(asked).lower() == status:
            return status
    raise UsageError(
        f"--status takes ok, error or all, not {asked!r}", hint=did_you_mean(str(asked), [*_STATUSES, ALL])
    )


def _duration(which: str, asked: Any) -> int | None:
    if asked is None:
        return None
    seconds = asked.total_seconds() if isinstance(asked, timedelta) else asked
    if isinstance(seconds, str):
        length = parse_duration(seconds)
    elif isinstance(seconds, Real) and math.isfinite(seconds):
        length = round(float(seconds) * SECOND)
    else:
        raise UsageError(f"--{which}-duration takes a time, not {asked!r}", hint="500ms, 1.5s, 2m; numbers are seconds")
    if length < 0:
        raise UsageError(f"--{which}-duration takes a time from 0 on, not {asked!r}")
    return length
