"""Tempo as a source: TraceQL, conditions or ids in, whole traces or numbers out."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from obs_magics.adapters.http_source import HttpSource
from obs_magics.adapters.log_answers import check
from obs_magics.adapters.tempo.answers import Hits, ids_answer, read_hits, search_answer
from obs_magics.adapters.tempo.catalog import TempoCatalog
from obs_magics.adapters.tempo.empty import empty_reason
from obs_magics.adapters.tempo.errors import VENDOR, is_about_hint, located
from obs_magics.adapters.tempo.links import explore_link
from obs_magics.adapters.tempo.lookup import Fetched, Lookup, fetch
from obs_magics.adapters.tempo.numbers import read_numbers
from obs_magics.adapters.tempo.product import find_version, why_not_ready
from obs_magics.adapters.tempo.search import (
    Params,
    Sent,
    between,
    depth_of,
    metrics_params,
    plain,
    search_params,
    written,
)
from obs_magics.adapters.tempo.settings import TempoSettings
from obs_magics.model.errors import QueryError, SourceError
from obs_magics.model.sources import Answer, Health, Progress, ProgressListener, no_progress
from obs_magics.net.reply import Reply

if TYPE_CHECKING:
    from obs_magics.model.query import MetricsQuery, TracesQuery
    from obs_magics.model.time import TimeRange

_log = logging.getLogger(__name__)

SEARCH, RANGE, INSTANT = "/api/search", "/api/metrics/query_range", "/api/metrics/query"
_ID = re.compile(r"[0-9a-fA-F]{1,32}", re.ASCII)


class TempoSource(HttpSource[TempoSettings]):
    """A Tempo 2.x or 3.x.

    Implements `TracesSource` and `MetricsSource` (TraceQL that gives numbers over time).

    Args:
        name: As the user calls it.
        settings: Its entry in the configuration; secrets in it are looked up when it is first asked.
    """

    platform = "tempo"
    vendor = VENDOR
    speaks_traceql = True

    def __init__(self, name: str, settings: TempoSettings) -> None:
        super().__init__(name, settings)
        self._newest = settings.most_recent
        self._catalog = TempoCatalog(lambda: self._client, self._shared)
        self._lookup = Lookup(lambda: self._client)

    @property
    def trace_catalog(self) -> TempoCatalog:
        """Services, operations, attributes; kept for a minute."""
        return self._catalog

    async def health(self) -> Health:
        """Ask for the version, and whether it is ready.

        Raises:
            SourceError: Nobody answers, or not a Tempo.
        """
        began = time.perf_counter()
        version = await find_version(self._client)
        problem = await why_not_ready(self._client)
        return Health(not problem, f"Tempo {version}".strip(), time.perf_counter() - began, problem)

    async def traces(self, query: TracesQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with whole traces, the newest ones, or with numbers where the query gives such; see `TracesSource`.

        Raises:
            QueryError: The server refused the query; the place is marked where it told one. Or an id is none.
            UsageError: The range or the limit makes no sense.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        check(query.range, query.limit)
        self._check_ids(query)
        if query.trace_ids and not query.text.strip():
            return await self._by_id(query, progress)
        self._catalog.asked = query.range
        sent = written(query, newest=self._newest)
        if sent.numbers:
            return await self._numbers(sent, query.range, query.step_ns)
        return await self._search(sent, query, progress)

    async def metrics(self, query: MetricsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer a TraceQL query that gives numbers; see `model.sources.MetricsSource`.

        Raises:
            QueryError: The server refused the query, or it gives spans.
            UsageError: The range or the limit makes no sense.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        check(query.range, query.limit)
        step_ns = None if query.instant else query.step_ns
        return await self._numbers(plain(query.text), query.range, step_ns, limit=query.limit)

    def _check_ids(self, query: TracesQuery) -> None:
        for trace_id in query.trace_ids:
            if not _ID.fullmatch(trace_id):
                raise QueryError(
                    f"{trace_id} is no id of a trace",
                    where=self._client.where,
                    hint="an id has up to 32 hex digits: 8d5118091edb4be0453ef2e052b89273",
                )

    async def _search(self, sent: Sent, query: TracesQuery, progress: ProgressListener) -> Answer:
        depth = depth_of(query)
        progress(Progress(0, 1, 0, "searching"))
        sent, hits = await self._hits(sent, query.range, depth)
        fetched = await self._fetch(hits.ids, query.range, progress)
        answer = await asyncio.to_thread(
            search_answer, hits, fetched, query, full=len(hits.ids) >= depth, newest_first=sent.hinted
        )
        if not hits.ids:
            answer = replace(answer, empty_reason=await self._why_empty(sent, query.range))
        return replace(answer, native_query=sent.text, link=self._link(sent.text, query.range))

    async def _hits(self, sent: Sent, span: TimeRange, depth: int) -> tuple[Sent, Hits]:
        """What a search finds, and the query that the server took."""
        try:
            reply = await self._client.request("GET", SEARCH, params=search_params(sent, span, depth))
        except QueryError as error:
            if not is_about_hint(error, sent):
                raise located(error, sent) from None
            self._newest = False  # a Tempo from before there were hints
            return await self._hits(sent.without_hint(), span, depth)
        return sent, await asyncio.to_thread(read_hits, reply)

    async def _by_id(self, query: TracesQuery, progress: ProgressListener) -> Answer:
        fetched = await self._fetch(query.trace_ids, query.range, progress)
        answer = await asyncio.to_thread(ids_answer, fetched, query)
        link = self._link(query.trace_ids[0], query.range) if len(query.trace_ids) == 1 else ""
        return replace(answer, link=link)

    async def _fetch(self, ids: tuple[str, ...], span: TimeRange, progress: ProgressListener) -> Fetched:
        """Whole traces; it is an error only when none of them could be asked for."""
        params: Params = between(span) if self._settings.lookup_in_range else []
        fetched = await fetch(ids, lambda trace_id: self._lookup.trace(trace_id, params), progress)
        if fetched.errors and not fetched.traces:
            raise next(fetched.errors[trace_id] for trace_id in ids if trace_id in fetched.errors)
        return fetched

    async def _numbers(self, sent: Sent, span: TimeRange, step_ns: int | None, *, limit: int | None = None) -> Answer:
        path = INSTANT if step_ns is None else RANGE
        reply = await self._ask_numbers(path, sent, metrics_params(sent, span, step_ns))
        series = await asyncio.to_thread(read_numbers, reply, span.end_ns if step_ns is None else None)
        truncated = series.warnings[0] if series.warnings else ""
        if limit is not None and len(series.labels) > limit:
            truncated = f"the first {limit} of {len(series.labels)} series (--limit)"
            series = series.first(limit)
        frame = await asyncio.to_thread(series.frame)
        return Answer(
            frame=frame,
            native_query=sent.text,
            warnings=(*reply.notes, *series.warnings),
            truncated=truncated,
            link=self._link(sent.text, span),
            empty_reason="" if len(frame) else await self._why_empty(sent, span),
            signal="metrics",
        )

    async def _ask_numbers(self, path: str, sent: Sent, params: Params) -> Reply:
        try:
            return await self._client.request("GET", path, params=params)
        except QueryError as error:
            raise located(error, sent) from None

    async def _why_empty(self, sent: Sent, span: TimeRange) -> str:
        if sent.tree is None:
            return ""
        try:
            return await empty_reason(sent.tree, span, self._catalog)
        except (SourceError, QueryError) as error:
            _log.debug("why %s gave nothing could not be found out: %s", self._client.where, error)
            return ""

    def _link(self, text: str, span: TimeRange) -> str:
        return explore_link(self._settings.grafana_url, self._settings.grafana_datasource, text, span)
