"""A Tempo in a test: traces in memory, answered over a real socket with Tempo's habits."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from obs_magics.adapters.tempo import TempoSettings, open_source
from obs_magics.adapters.tempo.source import TempoSource
from obs_magics.model.query import TracesQuery
from obs_magics.model.time import SECOND, TimeRange
from support.sockets import Asked, Stage, Step, answer, serving

START, END = 1_795_356_000 * SECOND, 1_795_359_600 * SECOND
BUILD = '{"version":"2.9.0","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":"go1.25"}'


def question(text: str = "", *, start: int = START, end: int = END, limit: int = 20, **conditions: Any) -> TracesQuery:
    """A question for traces, times in nanoseconds."""
    return TracesQuery(text=text, range=TimeRange(start, end), limit=limit, step_ns=60 * SECOND, **conditions)


@contextlib.asynccontextmanager
async def source_at(url: str, **settings: Any) -> AsyncIterator[TempoSource]:
    """A source for an address, closed at the end."""
    source = open_source("tempo", TempoSettings(url=url, **settings))
    try:
        yield source
    finally:
        await source.close()


def span(trace_id: str, number: int = 1, *, service: str = "api", name: str = "GET /", failed: bool = False,
         seconds: float = 1.0, start: int = START) -> dict[str, Any]:  # fmt: skip
    """A span of OTLP JSON as Tempo writes it, with the service that `trace_body` groups it by."""
    status = {"code": "STATUS_CODE_ERROR", "message": "boom"} if failed else {}
    return {
        "service": service,
        "traceId": base64.b64encode(bytes.fromhex(trace_id)).decode(),
        "spanId": base64.b64encode(number.to_bytes(8, "big")).decode(),
        "name": name,
        "kind": "SPAN_KIND_SERVER",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + round(seconds * SECOND)),
        "status": status,
    }


def trace_body(spans: Iterable[Mapping[str, Any]], *, key: str = "trace", **more: Any) -> str:
    """The answer with one trace, of API v2 (`trace`) or of the older one (`batches`)."""
    by_service: dict[str, list[dict[str, Any]]] = {}
    for item in spans:
        plain = {name: value for name, value in item.items() if name != "service"}
        by_service.setdefault(item["service"], []).append(plain)
    groups = [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
            "scopeSpans": [{"spans": own}],
        }
        for service, own in by_service.items()
    ]
    return json.dumps({"trace": {"resourceSpans": groups}, "metrics": {}, **more} if key == "trace" else {key: groups})


@dataclass
class FakeTempo:
    """Answers searches with all of its traces, lookups by id, and the lists of values.

    Args:
        traces: Spans by trace id.
        values: Of tags, by their name in the API.
        old: Knows no API v2.
        problem: May give a step of its own instead of an answer, by path and parameters.
    """

    traces: Mapping[str, list[dict[str, Any]]]
    values: Mapping[str, list[Any]] = field(default_factory=dict)
    old: bool = False
    problem: Callable[[str, Mapping[str, str]], Step | None] = lambda _path, _params: None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def source(self, **settings: Any) -> AsyncIterator[tuple[TempoSource, Stage]]:
        """A source that asks this server."""
        async with serving(self.step) as stage, source_at(stage.url, timeout="60s", **settings) as source:
            yield source, stage

    def searches(self) -> list[dict[str, str]]:
        """Parameters of the searches so far."""
        return [params for path, params in self.asked if path == "/api/search"]

    async def step(self, asked: Asked, writer: Any) -> None:
        """Answer one request."""
        path, _, query = asked.target.partition("?")
        path = unquote(path)
        params = {name: values[0] for name, values in parse_qs(query).items()}
        self.asked.append((path, params))
        chosen = self.problem(path, params)
        if chosen is None:
            status, body = self._answer(path, params)
            chosen = answer(body, status=status, kind="application/json" if status == 200 else "text/plain")
        await chosen(asked, writer)

    def _answer(self, path: str, params: Mapping[str, str]) -> tuple[int, str]:
        if path == "/api/search":
            ids = list(self.traces)[: int(params["limit"])]
            found = [{"traceID": trace_id.lstrip("0"), "durationMs": 1} for trace_id in ids]
            return 200, json.dumps({"traces": found, "metrics": {}})
        if path.startswith("/api/v2/") and self.old:
            return 404, "404 page not found\n"
        if path.startswith("/api/v2/traces/"):
            spans = self.traces.get(path.rpartition("/")[2], [])
            return 200, trace_body(spans) if spans else '{"trace":{},"metrics":{}}'
        if path.startswith("/api/traces/"):
            spans = self.traces.get(path.rpartition("/")[2], [])
            return (200, trace_body(spans, key="batches")) if spans else (404, "")
        if path.endswith("/values"):
            tag = path.removesuffix("/values").rpartition("/tag/")[2]
            key = f"{tag} {params['q']}" if "q" in params else tag
            found = self.values.get(key, self.values.get(tag, []))
            typed = found if self.old else [{"type": "string", "value": value} for value in found]
            return 200, json.dumps({"tagValues": typed, "metrics": {}})
        if path == "/api/status/buildinfo":
            return 200, BUILD
        return 404, "404 page not found\n"
