"""What the Alertmanager tests share: questions, sources, requests checked against the vendor's specification."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import yaml

from obs_magics.adapters.alertmanager import AlertmanagerSettings, open_source
from obs_magics.adapters.alertmanager.source import AlertmanagerSource
from obs_magics.model.events import EventKind
from obs_magics.model.query import EventMatcher, EventsQuery
from obs_magics.model.time import SECOND, TimeRange
from support.recordings import Seen

NOON, NIGHT = 1_795_435_200, 1_795_478_400  # 23 Nov 2026, 12:00 and the day's end: the recordings were made in between


@contextlib.asynccontextmanager
async def source_at(url: str, **settings: Any) -> AsyncIterator[AlertmanagerSource]:
    """A source for an address, closed at the end."""
    source = open_source("am", AlertmanagerSettings(url=url, **settings))
    try:
        yield source
    finally:
        await source.close()


def asked(
    *matchers: EventMatcher, kinds: tuple[EventKind, ...] = (), start: float = NOON, end: float = NIGHT
) -> EventsQuery:
    """A question with times in seconds."""
    span = TimeRange(round(start * SECOND), round(end * SECOND))
    return EventsQuery(range=span, kinds=kinds, matchers=matchers, limit=1000)


@functools.cache
def specification(path: Path) -> Any:
    """The vendor's Swagger file."""
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def check_request(spec: Any, seen: Seen) -> None:
    """Fail when a request is not one that the vendor's specification allows."""
    prefix = str(spec["basePath"]).rstrip("/")
    assert seen.path.startswith(prefix), seen.path
    operation = spec["paths"][seen.path.removeprefix(prefix)][seen.method.lower()]
    known = {item["name"]: item for item in (_resolved(spec, item) for item in operation.get("parameters", ()))}
    for name, value in seen.parameters:
        assert known[name]["in"] == "query", f"{name} of {seen.path}"
        assert known[name]["type"] != "boolean" or value in ("true", "false")
    names = [name for name, _ in seen.parameters]
    once = [name for name in names if known[name]["type"] != "array"]
    assert len(once) == len(set(once)), f"sent twice: {once}"


def _resolved(spec: Any, item: Any) -> Any:
    return spec["parameters"][item["$ref"].rpartition("/")[2]] if "$ref" in item else item
