"""The two APIs of Jaeger: v3 (OTLP JSON), and the older one of its UI (JSON of its own)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote as quote_path

import msgspec

from obs_magics.adapters.jaeger.errors import words_of
from obs_magics.adapters.jaeger.search import Params, Search, old_names, rfc3339
from obs_magics.model.errors import BadAnswer, QueryError
from obs_magics.model.time import MILLISECOND, TimeRange
from obs_magics.net.client import HttpClient
from obs_magics.net.reply import Reply
from obs_magics.syntax.spans import SpanColumns, read_jaeger, read_otlp

_SERVICES, _V3_SERVICES = "/api/services", "/api/v3/services"


@dataclass(frozen=True, slots=True)
class Dependency:
    """One service calls another: `calls` times in the range."""

    parent: str
    child: str
    calls: int


class Api(Protocol):
    """What both can be asked."""

    title: str
    """As people call it."""

    async def services(self) -> list[str]:
        """All services, sorted."""
        ...

    async def operations(self, service: str) -> list[str]:
        """The operations of one, sorted."""
        ...

    async def search(self, search: Search) -> SpanColumns:
        """The spans of the traces that were found."""
        ...

    async def trace(self, trace_id: str) -> SpanColumns:
        """The spans of one trace; none when it is not there."""
        ...

    async def dependencies(self, span: TimeRange) -> list[Dependency]:
        """Who calls whom."""
        ...

    def native(self, search: Search) -> str:
        """A search as it is sent, for people."""
        ...


class _Operation(msgspec.Struct):
    name: str = ""


class _Edge(msgspec.Struct, rename="camel"):
    parent: str = ""
    child: str = ""
    call_count: int | str = 0


class _V3Names(msgspec.Struct):
    services: list[str] | None = None
    operations: list[_Operation] | None = None
    dependencies: list[_Edge] | None = None


class _LegacyNames(msgspec.Struct):
    data: list[str] | None


class _LegacyEdges(msgspec.Struct):
    data: list[_Edge] | None


class V3:
    """API v3: https://www.jaegertracing.io/docs/latest/apis/.

    Before 2.19 its parameters were called otherwise; which names the server knows is found out by its refusal.
    """

    title = "API v3"

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._old = False

    async def services(self) -> list[str]:
        """See `Api`."""
        return read_v3_services(await self._client.request("GET", _V3_SERVICES))

    async def operations(self, service: str) -> list[str]:
        """See `Api`."""
        reply = await self._client.request("GET", "/api/v3/operations", params=[("service", service)])
        return sorted({item.name for item in _decoded(reply, _V3Names).operations or ()})

    async def search(self, search: Search) -> SpanColumns:
        """See `Api`."""
        params = search.v3_params()
        if not self._old:
            try:
                return await self._spans("/api/v3/traces", params)
            except QueryError as error:
                if "query.start_time_min" not in error.words or "required" not in error.words:
                    raise
                self._old = True
        return await self._spans("/api/v3/traces", old_names(params))

    async def trace(self, trace_id: str) -> SpanColumns:
        """See `Api`."""
        return await self._spans(f"/api/v3/traces/{trace_id}", [])

    async def dependencies(self, span: TimeRange) -> list[Dependency]:
        """See `Api`; servers that have no such endpoint here may have that of the legacy API."""
        params = [("startTime", rfc3339(span.start_ns)), ("endTime", rfc3339(span.end_ns))]
        reply = await self._client.request("GET", "/api/v3/dependencies", params=params, accept={404})
        if reply.status == 404 or reply.is_html:
            return await Legacy(self._client).dependencies(span)
        return _edges(_decoded(reply, _V3Names).dependencies)

    def native(self, search: Search) -> str:
        """See `Api`."""
        params = search.v3_params()
        return _native("/api/v3/traces", old_names(params) if self._old else params)

    async def _spans(self, path: str, params: Params) -> SpanColumns:
        """Spans of an answer; where nothing is found, this API says 404 with a message of its own."""
        reply = await self._client.request("GET", path, params=params, accept={404})
        if reply.status == 404 and not _is_gateway_error(reply):
            raise BadAnswer(f"nothing there: {words_of(reply)}", where=reply.where, hint="is the path prefix right?")
        return await _read(reply, _nothing if reply.status == 404 else read_otlp)


class Legacy:
    """The API of Jaeger's UI, which others speak too; Jaeger itself left most of it after 2.20."""

    title = "legacy API"

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def services(self) -> list[str]:
        """See `Api`."""
        return read_legacy_names(await self._client.request("GET", _SERVICES))

    async def operations(self, service: str) -> list[str]:
        """See `Api`."""
        path = f"{_SERVICES}/{quote_path(service, safe='')}/operations"
        return read_legacy_names(await self._client.request("GET", path))

    async def search(self, search: Search) -> SpanColumns:
        """See `Api`."""
        return await _read(await self._client.request("GET", "/api/traces", params=search.legacy_params()), read_jaeger)

    async def trace(self, trace_id: str) -> SpanColumns:
        """See `Api`; Jaeger says 404 for one that is not there, VictoriaTraces gives an empty list."""
        reply = await self._client.request("GET", f"/api/traces/{trace_id}", accept={404})
        if reply.status == 404 and b'"errors"' not in reply.body:
            raise BadAnswer(f"nothing there: {words_of(reply)}", where=reply.where, hint="is the path prefix right?")
        return await _read(reply, _nothing if reply.status == 404 else read_jaeger)

    async def dependencies(self, span: TimeRange) -> list[Dependency]:
        """See `Api`."""
        end_ms = -(-span.end_ns // MILLISECOND)
        params = [("endTs", str(end_ms)), ("lookback", str(max(end_ms - span.start_ns // MILLISECOND, 1)))]
        return _edges(
            _decoded(await self._client.request("GET", "/api/dependencies", params=params), _LegacyEdges).data
        )

    def native(self, search: Search) -> str:
        """See `Api`."""
        return _native("/api/traces", search.legacy_params())


async def find_api(client: HttpClient) -> Api:
    """Which of the two a server speaks; v3 where it speaks both.

    Raises:
        BadAnswer: Neither.
        SourceError: Nobody answers, or not to us.
    """
    try:
        read_v3_services(await client.request("GET", _V3_SERVICES))
        return V3(client)
    except (BadAnswer, QueryError):  # 404, a page of the UI, "unsupported path"
        pass
    read_legacy_names(await client.request("GET", _SERVICES))
    return Legacy(client)


def read_v3_services(reply: Reply) -> list[str]:
    """The services of an answer of API v3, sorted; it leaves out what is empty, so `{}` is no services."""
    found = _decoded(reply, dict[str, Any])
    if found and "services" not in found:
        raise _other_shape(reply, "it has no services")
    return sorted(set(_decoded(reply, _V3Names).services or ()))


def read_legacy_names(reply: Reply) -> list[str]:
    """The services or operations of an answer of the legacy API, sorted."""
    return sorted(set(_decoded(reply, _LegacyNames).data or ()))


def _edges(found: Sequence[_Edge] | None) -> list[Dependency]:
    edges = (Dependency(edge.parent, edge.child, int(edge.call_count)) for edge in found or ())
    return sorted(edges, key=lambda edge: (edge.parent, edge.child))


def _native(path: str, params: Params) -> str:
    return f"GET {path}?{'&'.join(f'{name}={value}' for name, value in params)}"


def _nothing(_body: bytes) -> SpanColumns:
    return read_otlp(b"{}")


def _is_gateway_error(reply: Reply) -> bool:
    """Is it the API that found nothing, or is there no such path?"""
    try:
        found = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(found, dict) and "error" in found


async def _read(reply: Reply, read: Callable[[bytes], SpanColumns]) -> SpanColumns:
    if reply.is_html:
        raise reply.not_json()
    try:
        return await asyncio.to_thread(read, reply.body)
    except BadAnswer as error:
        try:
            msgspec.json.decode(reply.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise reply.not_json(str(fault)) from None
        raise _other_shape(reply, error.message) from None


def _decoded(reply: Reply, kind: Any) -> Any:
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except msgspec.ValidationError as error:
        raise _other_shape(reply, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise reply.not_json(str(error)) from None


def _other_shape(reply: Reply, why: str) -> BadAnswer:
    hint = "does the address name a Jaeger? VictoriaTraces has the API below /select/jaeger"
    return BadAnswer(f"the answer does not have the shape of this API: {why}", where=reply.where, hint=hint)
