"""Which services, operations and attributes the spans of a folder have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.traces.store import TraceStore

SERVICE = "service.name"


class FolderTraceCatalog:
    """A `TraceCatalog` over a store.

    Args:
        store: Gives the store, None when the folder has no spans; may take its time, so it is called off the loop.
    """

    def __init__(self, store: Callable[[], TraceStore | None]) -> None:
        self._store = store

    async def services(self) -> Sequence[str]:
        """The services that write spans, sorted."""
        return await asyncio.to_thread(self._ask, lambda store: store.services)

    async def operations(self, service: str | None = None) -> Sequence[str]:
        """Names of spans, of one service or of all, sorted; empty for a service that is not there."""
        return await asyncio.to_thread(self._ask, lambda store: store.operations(service))

    async def attribute_names(self) -> Sequence[str]:
        """Names of attributes with their scope (`span.http.route`, `resource.k8s.pod.name`), sorted."""
        return await asyncio.to_thread(self._ask, attribute_names)

    async def attribute_values(self, name: str) -> Sequence[str]:
        """Values of one attribute as text, sorted; without a scope those of span and resource."""
        return await asyncio.to_thread(self._ask, lambda store: attribute_values(store, name))

    def _ask(self, question: Callable[[TraceStore], list[str]]) -> list[str]:
        store = self._store()
        return [] if store is None else question(store)


def attribute_names(store: TraceStore) -> list[str]:
    """Names with their scope, sorted."""
    columns = store.columns
    tables = (("span", columns.attributes), ("resource", columns.resources))
    names = {f"{scope}.{name}" for scope, table in tables for name in pc.unique(table.keys).to_pylist()}
    return sorted(names | ({f"resource.{SERVICE}"} if store.services else set()))


def attribute_values(store: TraceStore, name: str) -> list[str]:
    """Distinct values of an attribute, as text, sorted."""
    scope, _, bare = name.partition(".")
    tables = {"span": store.columns.attributes, "resource": store.columns.resources}
    if scope not in tables:
        scope, bare = "", name.removeprefix(".")
    texts = [table.values_of(bare)[1] for kind, table in tables.items() if scope in {"", kind}]
    values = set(pc.unique(pa.chunked_array(texts, pa.string())).to_pylist())
    return sorted(values | (set(store.services) if bare == SERVICE and scope != "span" else set()))
