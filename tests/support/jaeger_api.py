"""A Jaeger in a test: traces in memory, answered over a real socket through API v3, the legacy API, or both."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import pandas as pd

from obs_magics.adapters.jaeger import JaegerSettings, open_source
from obs_magics.adapters.jaeger.source import JaegerSource
from support.sockets import Asked, Stage, Step, answer, serving

NOW_NS = 1_795_356_000_000_000_000
_PAGE = answer("<!doctype html><title>Jaeger UI</title>", kind="text/html")


@dataclass(frozen=True)
class Call:
    """One span of a made-up trace; times in milliseconds."""

    trace: int
    service: str = "api"
    operation: str = "GET /"
    start_ms: int = 0
    duration_ms: int = 10
    failed: bool = False

    @property
    def start_ns(self) -> int:
        """When it starts."""
        return NOW_NS + self.start_ms * 1_000_000


@dataclass
class FakeJaeger:
    """Answers as Jaeger does: API v3 with 404 where nothing is found, the legacy API with empty lists.

    Args:
        calls: The spans it has.
        apis: Which APIs it speaks: `v3`, `old` (v3 before 2.19), `legacy`.
        problem: Gives the answer to a request that fails.
        heeds_attributes: Whether a search for attributes is heeded.
    """

    calls: list[Call]
    apis: tuple[str, ...] = ("v3",)
    problem: Callable[[str, Mapping[str, str]], Step | None] = lambda _path, _params: None
    heeds_attributes: bool = True
    prefix: str = ""
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def source(self, **settings: Any) -> AsyncIterator[tuple[JaegerSource, Stage]]:
        """A source that asks this server."""
        async with serving(self.step) as stage:
            source = open_source("tracing", JaegerSettings(url=stage.url + self.prefix, timeout="60s", **settings))
            try:
                yield source, stage
            finally:
                await source.close()

    async def step(self, asked: Asked, writer: Any) -> None:
        """Answer one request."""
        path, _, query = asked.target.partition("?")
        params = {name: values[0] for name, values in parse_qs(query).items()}
        path = unquote(path).removeprefix(self.prefix)
        self.asked.append((path, params))
        await (self.problem(path, params) or self._answer(path, params))(asked, writer)

    def _answer(self, path: str, params: Mapping[str, str]) -> Step:
        if path.startswith("/api/v3/"):
            return self._v3(path.removeprefix("/api/v3/"), params) if {"v3", "old"} & set(self.apis) else _PAGE
        if path.startswith("/api/") and "legacy" in self.apis:
            return self._legacy(path.removeprefix("/api/"), params)
        return _PAGE

    def _v3(self, what: str, params: Mapping[str, str]) -> Step:
        if what == "services":
            return answer(json.dumps({"services": self._services()}))
        if what == "operations":
            names = {call.operation for call in self.calls if call.service == params["service"]}
            return answer(json.dumps({"operations": [{"name": name, "spanKind": "server"} for name in names]}))
        if what == "dependencies":
            edges = [{"parent": "api", "child": "db", "callCount": "9007199254740993"}]
            return answer(json.dumps({"dependencies": edges})) if "v3" in self.apis else _PAGE
        if what.startswith("traces/"):
            found = [call for call in self.calls if call.trace == int(what.removeprefix("traces/"), 16)]
            return _otlp(found)
        if "old" in self.apis and "query.start_time_min" not in params:
            return _refusal("query.start_time_min and query.start_time_max are required")
        names = {name.replace("_", "").lower(): value for name, value in params.items()}
        found = self._search(
            service=names["query.servicename"],
            operation=names.get("query.operationname"),
            start=int(pd.Timestamp(names["query.starttimemin"]).value),
            end=int(pd.Timestamp(names["query.starttimemax"]).value),
            shortest=names.get("query.durationmin"),
            longest=names.get("query.durationmax"),
            attributes=json.loads(names.get("query.attributes", "{}")) if self.heeds_attributes else {},
            limit=int(names["query.searchdepth"]),
        )
        return _otlp(found)

    def _legacy(self, what: str, params: Mapping[str, str]) -> Step:
        if what == "services":
            return answer(json.dumps({"data": self._services(), "errors": None}))
        if what.startswith("services/"):
            service = what.removeprefix("services/").removesuffix("/operations")
            return answer(json.dumps({"data": [call.operation for call in self.calls if call.service == service]}))
        if what == "dependencies":
            return answer(json.dumps({"data": [{"parent": "api", "child": "db", "callCount": 3}]}))
        if what.startswith("traces/"):
            found = [call for call in self.calls if call.trace == int(what.removeprefix("traces/"), 16)]
            missing = {"data": None, "errors": [{"code": 404, "msg": "trace not found"}]}
            return _jaeger(found) if found else answer(json.dumps(missing), status=404)
        found = self._search(
            service=params["service"],
            operation=params.get("operation"),
            start=int(params["start"]) * 1000,
            end=int(params["end"]) * 1000,
            shortest=params.get("minDuration"),
            longest=params.get("maxDuration"),
            attributes=json.loads(params.get("tags", "{}")),
            limit=int(params["limit"]),
        )
        return _jaeger(found)

    def _services(self) -> list[str]:
        return sorted({call.service for call in self.calls})

    def _search(self, *, service: str, operation: str | None, start: int, end: int, shortest: str | None,
                longest: str | None, attributes: Mapping[str, str], limit: int) -> list[Call]:  # fmt: skip
        least, most = (pd.Timedelta(text).value if text else None for text in (shortest, longest))
        hits = [
            call.trace
            for call in self.calls
            if call.service == service
            and operation in (None, call.operation)
            and start <= call.start_ns <= end
            and (least is None or call.duration_ms * 1_000_000 >= least)
            and (most is None or call.duration_ms * 1_000_000 <= most)
            and (not attributes or call.failed)
        ]
        kept = sorted(set(hits), reverse=True)[:limit]
        return [call for call in self.calls if call.trace in kept]


def _refusal(words: str, status: int = 400) -> Step:
    return answer(json.dumps({"error": {"httpCode": status, "message": words}}), status=status)


def _otlp(calls: list[Call]) -> Step:
    if not calls:
        return _refusal("No traces found", 404)
    blocks = [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": call.service}}]},
            "scopeSpans": [{"spans": [{
                "traceId": f"{call.trace:032x}", "spanId": f"{number + 1:016x}", "name": call.operation, "kind": 2,
                "startTimeUnixNano": str(call.start_ns),
                "endTimeUnixNano": str(call.start_ns + call.duration_ms * 1_000_000),
                "attributes": [{"key": "http.route", "value": {"stringValue": call.operation}}],
                "status": {"code": 2} if call.failed else {},
            }]}],
        }
        for number, call in enumerate(calls)
    ]  # fmt: skip
    return answer(json.dumps({"result": {"resourceSpans": blocks}}))


def _jaeger(calls: list[Call]) -> Step:
    traces: dict[str, dict[str, Any]] = {}
    for number, call in enumerate(calls):
        trace_id = f"{call.trace:032x}"
        own = traces.setdefault(trace_id, {"traceID": trace_id, "spans": [], "processes": {}})
        own["processes"][call.service] = {"serviceName": call.service, "tags": []}
        tags = [{"key": "http.route", "type": "string", "value": call.operation}]
        tags += [{"key": "error", "type": "bool", "value": True}] if call.failed else []
        own["spans"].append({
            "traceID": trace_id, "spanID": f"{number + 1:016x}", "operationName": call.operation, "references": [],
            "startTime": call.start_ns // 1000, "duration": call.duration_ms * 1000, "tags": tags, "logs": [],
            "processID": call.service,
        })  # fmt: skip
    return answer(json.dumps({"data": list(traces.values()), "errors": None}))
