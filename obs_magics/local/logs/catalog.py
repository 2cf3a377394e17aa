"""What the log lines of a folder are labelled with, and what stands inside of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from obs_magics.local.logql.lines import Lines
from obs_magics.local.logql.parsers.json_fields import parse_json
from obs_magics.local.logql.parsers.logfmt import parse_logfmt
from obs_magics.local.logql.parsers.wanted import EVERYTHING
from obs_magics.local.logs.store import LogStore
from obs_magics.syntax.logql.tree import Logfmt

# Enough to see every kind of line of the recent past, few enough not to be waited for.
_LOOKED_AT = 2_000


class FolderLogCatalog:
    """A `LogCatalog` over a store.

    Args:
        store: Gives the store, None when the folder has no log lines; may take its time, so it is called off the loop.
    """

    def __init__(self, store: Callable[[], LogStore | None]) -> None:
        self._store = store
        self._fields: list[str] | None = None

    async def label_names(self) -> Sequence[str]:
        """Names that a stream selector may use, sorted."""
        store = await asyncio.to_thread(self._store)
        return [] if store is None else store.label_names()

    async def label_values(self, label: str) -> Sequence[str]:
        """Values of one label, sorted; empty for a label that is not there."""
        store = await asyncio.to_thread(self._store)
        return [] if store is None else store.label_values(label)

    async def field_names(self) -> Sequence[str]:
        """Names of structured metadata, and of fields in the JSON and logfmt of the newest lines, sorted."""
        if self._fields is None:
            self._fields = await asyncio.to_thread(self._look)
        return self._fields

    def _look(self) -> list[str]:
        store = self._store()
        return [] if store is None else field_names(store)

    async def services(self) -> Sequence[str]:
        """The services that write logs, sorted."""
        return await self.label_values("service")


def field_names(store: LogStore) -> list[str]:
    """Names found inside the newest lines, and those of structured metadata."""
    extent = store.extent_ns
    if extent is None:
        return []
    selection = store.select([], int(store.times_ns[-min(_LOOKED_AT, len(store))]), extent[1] + 1)
    newest = np.zeros(len(selection), bool)
    newest[-_LOOKED_AT:] = True
    lines = Lines.all_of(selection.kept(newest))
    objects = parse_json(lines, EVERYTHING)
    objects = objects.keep(~objects.failed())
    pairs = parse_logfmt(Logfmt(strict=True), lines, EVERYTHING)
    pairs = pairs.keep(~pairs.failed())
    found = {*store.metadata, *objects.parsed, *pairs.parsed}
    return sorted(name for name in found if not name.endswith("_extracted"))
