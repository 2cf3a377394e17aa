"""What a Tempo has: services, operations, attributes and their values; asked once a minute at most.

Attributes in dedicated columns (`http.route`, `k8s.pod.name`) may be missing in its lists though queries on them work:
what is not here is no reason to refuse a query.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote as quote_path

import msgspec

from obs_magics.adapters.recent import RecentCatalog
from obs_magics.adapters.tempo.search import Params, between
from obs_magics.adapters.tempo.shapes import Judged, decoded, other_shape
from obs_magics.model.time import DAY, TimeRange
from obs_magics.net.reply import Reply
from obs_magics.syntax.traceql import conditions_query, quote
from obs_magics.syntax.traceql.words import INTRINSICS, SCOPES, SHORT

SERVICE = "resource.service.name"
NAME = "name"
_ODD = re.compile(r"[\s{}()=~!<>&|^,\"]")

# Enumerations come as their numbers: https://github.com/grafana/tempo/blob/main/pkg/traceql/enum_statics.go
_ENUMS: Mapping[str, tuple[str, ...]] = {
    "span:status": ("error", "ok", "unset"),
    "span:kind": ("unspecified", "internal", "client", "server", "producer", "consumer"),
}


class _Value(msgspec.Struct):
    type: str = ""
    value: str | int | float | bool = ""

    def text(self, words: Sequence[str]) -> str:
        """As text; the number of an enumeration as its word."""
        text = str(self.value)
        if self.type == "int" and text.isascii() and text.isdigit() and int(text) < len(words):
            return words[int(text)]
        return text.lower() if isinstance(self.value, bool) else text


class _Values(Judged):
    values: list[_Value | str] | msgspec.UnsetType | None = msgspec.field(name="tagValues", default=msgspec.UNSET)
    metrics: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Scope(msgspec.Struct):
    name: str = ""
    tags: list[str] | None = None


class _Tags(Judged):
    scopes: list[_Scope] | None = None
    names: list[str] | None = msgspec.field(name="tagNames", default=None)


class TempoCatalog(RecentCatalog):
    """The catalog of one source; see `model.catalog.TraceCatalog`. It looks at the last day."""

    recent_ns = DAY

    async def services(self) -> Sequence[str]:
        """The services that write spans."""
        return await self._recent(SERVICE)

    async def operations(self, service: str | None = None) -> Sequence[str]:
        """Names of spans, of one service or of all."""
        return await self._recent(NAME, service)

    async def attribute_names(self) -> Sequence[str]:
        """Names of attributes with their scope, as far as the server lists them; no intrinsics."""
        return await self._recently("names", self._names)

    async def attribute_values(self, name: str) -> Sequence[str]:
        """Values of one attribute (`span.http.route`, or without its scope) or intrinsic (`status`)."""
        return await self._recent(_tag(name))

    async def values_in(self, tag: str, span: TimeRange, service: str | None = None) -> list[str]:
        """Values of a tag in a range.

        Args:
            tag: As the API takes it.
            span: The range.
            service: Of spans of this service alone.
        """

        async def ask() -> list[str]:
            return await self._values(tag, span, service)

        found: list[str] = await self._shared.get((tag, span, service), ask)
        return found

    async def _recent(self, tag: str, service: str | None = None) -> list[str]:
        return await self._recently((tag, service), lambda span: self._values(tag, span, service))

    async def _values(self, tag: str, span: TimeRange, service: str | None) -> list[str]:
        params = [*between(span), *([] if service is None else [("q", conditions_query(service=service))])]
        bare = re.sub(rf"^(?:{'|'.join(SCOPES)})?\.", "", tag)
        older = f"/api/search/tag/{_path(bare)}/values"
        reply = await self._get(f"/api/v2/search/tag/{_path(tag)}/values", older, params)
        return await asyncio.to_thread(read_values, reply, tag)

    async def _names(self, span: TimeRange) -> list[str]:
        reply = await self._get("/api/v2/search/tags", "/api/search/tags", between(span))
        return await asyncio.to_thread(read_names, reply)

    async def _get(self, path: str, older: str, params: Params) -> Reply:
        """The answer of an API, or of the older one where there is no such path."""
        reply = await self._client().request("GET", path, params=params, accept=(404,))
        return reply if reply.status != 404 else await self._client().request("GET", older, params=params)


def read_values(reply: Reply, tag: str) -> list[str]:
    """The values in an answer of either API, sorted.

    Raises:
        BadAnswer: It is something else.
    """
    answer: _Values = decoded(_Values, reply)
    if answer.values is msgspec.UNSET and answer.metrics is msgspec.UNSET and reply.body.strip() != b"{}":
        raise other_shape(reply.where, "it has no tagValues")
    words = _ENUMS.get(SHORT.get(tag, tag), ())
    found = answer.values or []
    return sorted({value if isinstance(value, str) else value.text(words) for value in found})


def read_names(reply: Reply) -> list[str]:
    """The attributes in an answer of either API, with their scope where it tells, sorted.

    Raises:
        BadAnswer: It is something else.
    """
    answer: _Tags = decoded(_Tags, reply)
    scoped = {
        f"{scope.name}.{tag}" for scope in answer.scopes or () if scope.name in SCOPES for tag in scope.tags or ()
    }
    return sorted(scoped | {f".{name}" for name in answer.names or () if name not in SHORT})


def _tag(name: str) -> str:
    """An attribute or intrinsic as the API takes it: with its scope, or a dot in front."""
    if name in SHORT or name in INTRINSICS:
        return name
    scope, dot, rest = name.partition(".")
    if not dot or scope not in {*SCOPES, ""}:
        scope, rest = "", name
    odd = _ODD.search(rest) and not rest.startswith('"')
    return f"{scope}.{quote(rest) if odd else rest}"


def _path(tag: str) -> str:
    return quote_path(tag, safe="")
