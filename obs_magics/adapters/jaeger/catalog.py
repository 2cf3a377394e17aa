"""What a Jaeger has: services and operations, asked once a minute at most; attributes as they came with spans."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pyarrow.compute as pc

from obs_magics.adapters.jaeger.api import Api
from obs_magics.adapters.shared import Shared
from obs_magics.net.tasks import together
from obs_magics.syntax.spans import Attributes, SpanColumns

_MOST_SERVICES = 50  # of which operations are asked for where none is named
_MOST_VALUES = 10_000


class JaegerCatalog:
    """The catalog of one source; see `model.catalog.TraceCatalog`.

    No API of Jaeger lists attributes: those of the last answer stand in for them.

    Args:
        api: Gives the source's API.
        shared: Where answers are kept.
    """

    def __init__(self, api: Callable[[], Awaitable[Api]], shared: Shared) -> None:
        self._api = api
        self._shared = shared
        self.seen: SpanColumns | None = None

    async def services(self) -> Sequence[str]:
        """The services that write spans."""

        async def ask() -> list[str]:
            return await (await self._api()).services()

        found: list[str] = await self._shared.get("services", ask)
        return found

    async def operations(self, service: str | None = None) -> Sequence[str]:
        """Names of spans, of one service, or of the first 50."""
        if service is None:
            services = (await self.services())[:_MOST_SERVICES]
            found = await together(self.operations(name) for name in services)
            return sorted({name for names in found for name in names})

        async def ask() -> list[str]:
            return await (await self._api()).operations(service)

        names: list[str] = await self._shared.get(("operations", service), ask)
        return names

    async def attribute_names(self) -> Sequence[str]:
        """Names of the attributes that spans had when they were last asked for."""
        return await asyncio.to_thread(
            lambda: sorted({f"{scope}.{key}" for scope, own in self._scopes() for key in _keys(own)})
        )

    async def attribute_values(self, name: str) -> Sequence[str]:
        """Values of one attribute (with or without its scope) that spans had when they were last asked for."""
        return await asyncio.to_thread(self._values, name)

    def _values(self, name: str) -> list[str]:
        scope, _, key = name.partition(".")
        scoped = dict(self._scopes())
        if scope in scoped or not scope:  # else the name has no scope
            tables, name = [scoped[scope]] if scope else list(scoped.values()), key
        else:
            tables = list(scoped.values())
        found = {text for own in tables for text in pc.unique(own.values_of(name)[1]).to_pylist()}
        return sorted(found)[:_MOST_VALUES]

    def _scopes(self) -> Sequence[tuple[str, Attributes]]:
        seen = self.seen
        return () if seen is None else (("span", seen.attributes), ("resource", seen.resources))


def _keys(attributes: Attributes) -> list[str]:
    keys: list[str] = pc.unique(attributes.keys).to_pylist()
    return keys
