"""A search as the two APIs of Jaeger take it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from obs_magics.model.query import TracesQuery
from obs_magics.model.time import MICROSECOND, SECOND, TimeRange, format_duration

Params = list[tuple[str, str]]

MOST_TRACES = 1_000  # VictoriaTraces refuses more; more than that is no longer looked at one by one either
_ASKED_TOO_MUCH = 5  # times the limit, where some of what comes is left out afterwards
_ERROR_TAG = {"error": "true"}

# Parameters of API v3 before 2.19, by their present names.
OLD_NAMES: Mapping[str, str] = {
    "query.serviceName": "query.service_name",
    "query.operationName": "query.operation_name",
    "query.startTimeMin": "query.start_time_min",
    "query.startTimeMax": "query.start_time_max",
    "query.durationMin": "query.duration_min",
    "query.durationMax": "query.duration_max",
    "query.searchDepth": "query.search_depth",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search: traces with a span of a service that has all of this at once.

    Args:
        service: The service; an API always wants one.
        span: Where the span starts.
        depth: At most so many traces.
        operation: Its name.
        tags: Its tags or attributes, by key.
        min_ns: Its shortest duration.
        max_ns: Its longest.
    """

    service: str
    span: TimeRange
    depth: int
    operation: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    min_ns: int | None = None
    max_ns: int | None = None

    @classmethod
    def of(cls, query: TracesQuery, service: str) -> Search:
        """What of a question an API can be asked."""
        # A trace without a failed span cannot be searched for: more come than are wanted, and some are left out.
        depth = query.limit * _ASKED_TOO_MUCH if query.status == "ok" else query.limit
        return cls(
            service=service,
            span=query.range,
            depth=min(depth, max(query.limit, MOST_TRACES)),
            operation=query.operation,
            tags=_ERROR_TAG if query.status == "error" else {},
            min_ns=query.min_duration_ns,
            max_ns=query.max_duration_ns,
        )

    def for_service(self, service: str) -> Search:
        """The same of another service."""
        return replace(self, service=service)

    def v3_params(self) -> Params:
        """Parameters of `/api/v3/traces`; both bounds are a must, and one may not be the other."""
        params = {
            "query.serviceName": self.service,
            "query.operationName": self.operation,
            "query.startTimeMin": rfc3339(self.span.start_ns),
            "query.startTimeMax": rfc3339(max(self.span.end_ns, self.span.start_ns + 1)),
            "query.durationMin": _seconds(self.min_ns),
            "query.durationMax": _seconds(self.max_ns),
            "query.searchDepth": str(self.depth),
            "query.attributes": _json(self.tags),
        }
        return [(name, value) for name, value in params.items() if value]

    def legacy_params(self) -> Params:
        """Parameters of `/api/traces`: bounds in microseconds."""
        params = {
            "service": self.service,
            "operation": self.operation,
            "tags": _json(self.tags),
            "start": str(self.span.start_ns // MICROSECOND),
            "end": str(-(-self.span.end_ns // MICROSECOND)),
            "minDuration": None if self.min_ns is None else format_duration(self.min_ns),
            "maxDuration": None if self.max_ns is None else format_duration(self.max_ns),
            "limit": str(self.depth),
        }
        return [(name, value) for name, value in params.items() if value]


def old_names(params: Params) -> Params:
    """The same parameters for a Jaeger before 2.19; attributes, which it did not know, are left out."""
    return [(OLD_NAMES.get(name, name), value) for name, value in params if name != "query.attributes"]


def rfc3339(ns: int) -> str:
    """A time as API v3 takes it, exact to the nanosecond.

    >>> rfc3339(1_795_356_000_000_000_001)
    '2026-11-22T14:00:00.000000001Z'
    """
    whole, rest = divmod(ns, SECOND)
    stamp = f"{TimeRange(whole * SECOND, whole * SECOND).start:%Y-%m-%dT%H:%M:%S}"
    return f"{stamp}.{rest:09}Z" if rest else f"{stamp}Z"


def _seconds(ns: int | None) -> str | None:
    """A duration as the API's description wants it: `0.25s`."""
    if ns is None:
        return None
    whole, rest = divmod(ns, SECOND)
    return f"{whole}{f'.{rest:09}'.rstrip('0') if rest else ''}s"


def _json(tags: Mapping[str, str]) -> str:
    return json.dumps(dict(tags), separators=(",", ":")) if tags else ""
