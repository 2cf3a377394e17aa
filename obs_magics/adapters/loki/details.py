"""What else a Loki tells of its data: size and volume from the index, patterns; each a typed answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from obs_magics.adapters.loki.catalog import API, between, decoded
from obs_magics.adapters.prometheus.answers import parse_answer as parse_numbers
from obs_magics.model.errors import BadAnswer, QueryError
from obs_magics.model.time import TimeRange
from obs_magics.net.client import HttpClient

if TYPE_CHECKING:
    import pandas as pd


class IndexStats(msgspec.Struct, frozen=True):
    """What the index knows of the streams that a selector matches; `entries` and `bytes` are those of whole chunks."""

    streams: int = 0
    chunks: int = 0
    bytes: int = 0
    entries: int = 0


class LogPattern(msgspec.Struct, frozen=True):
    """A pattern that Loki keeps of recent lines: how often it came, as (seconds since the epoch, lines) pairs."""

    pattern: str
    samples: tuple[tuple[int, int], ...] = ()
    level: str = ""


class _Patterns(msgspec.Struct):
    status: str
    data: list[LogPattern] = []


class LokiDetails:
    """Questions about the data of one source. Each raises a `SourceError` or `QueryError` when it is not answered.

    Args:
        client: Gives the source's client.
    """

    def __init__(self, client: Callable[[], HttpClient]) -> None:
        self._client = client

    async def index_stats(self, selector: str, span: TimeRange) -> IndexStats:
        """How much there is, of the streams of a selector in a range."""
        params = [("query", selector), *between(span)]
        reply = await self._client().request("GET", f"{API}/index/stats", params=params)
        found: IndexStats = decoded(IndexStats, reply)
        return found

    async def index_volume(
        self, selector: str, span: TimeRange, labels: Sequence[str] = (), step_s: float | None = None
    ) -> pd.DataFrame:
        """Bytes by label, as a metrics frame: of the whole range, or over time when a step is given (in seconds)."""
        params = [("query", selector), *between(span)]
        params += [("targetLabels", ",".join(labels))] if labels else []
        params += [("step", f"{step_s:g}")] if step_s else []
        path = f"{API}/index/volume_range" if step_s else f"{API}/index/volume"
        reply = await self._client().request("GET", path, params=params)
        try:
            return parse_numbers(reply.body).frame()
        except (BadAnswer, QueryError) as error:
            error.where = reply.where
            raise

    async def patterns(self, query: str, span: TimeRange) -> list[LogPattern]:
        """Patterns that Loki's pattern ingester keeps of the last hours; empty where it is turned off."""
        params = [("query", query), *between(span)]
        reply = await self._client().request("GET", f"{API}/patterns", params=params)
        found: list[LogPattern] = decoded(_Patterns, reply).data
        return found
