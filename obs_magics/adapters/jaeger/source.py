"""Jaeger as a source: a search or ids in, whole traces out."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from obs_magics.adapters.http_source import HttpSource
from obs_magics.adapters.jaeger.answers import found_answer, traces_answer
from obs_magics.adapters.jaeger.api import Api, Dependency, find_api
from obs_magics.adapters.jaeger.catalog import JaegerCatalog
from obs_magics.adapters.jaeger.empty import empty_reason
from obs_magics.adapters.jaeger.errors import VENDOR
from obs_magics.adapters.jaeger.links import product_name, search_link, trace_link
from obs_magics.adapters.jaeger.search import Search
from obs_magics.adapters.jaeger.settings import JaegerSettings
from obs_magics.adapters.log_answers import check
from obs_magics.adapters.shared import Shared
from obs_magics.model.errors import QueryError, SourceError
from obs_magics.model.sources import Answer, Health, Progress, ProgressListener, no_progress
from obs_magics.net.tasks import stop, together
from obs_magics.syntax.spans import SpanColumns, joined

if TYPE_CHECKING:
    from obs_magics.model.query import TracesQuery
    from obs_magics.model.time import TimeRange

_log = logging.getLogger(__name__)
_ID = re.compile(r"[0-9a-fA-F]{1,32}", re.ASCII)


class JaegerSource(HttpSource[JaegerSettings]):
    """A Jaeger 1.x or 2.x, or what speaks one of its APIs.

    Implements `TracesSource`; `trace_catalog` and `dependencies` have what else it can tell. Which API is spoken is
    found out once, when it is first asked.

    Args:
        name: As the user calls it.
        settings: Its entry in the configuration; secrets in it are looked up when it is first asked.
    """

    platform = "jaeger"
    vendor = VENDOR
    speaks_traceql = False

    def __init__(self, name: str, settings: JaegerSettings) -> None:
        super().__init__(name, settings)
        self._api: Api | None = None
        self._probed = Shared()
        self._catalog = JaegerCatalog(self._find_api, self._shared)

    @property
    def trace_catalog(self) -> JaegerCatalog:
        """Services and operations, kept for a minute; attributes of what was asked for last."""
        return self._catalog

    async def close(self) -> None:
        """Let go of the connections."""
        await self._probed.close()
        await super().close()

    async def health(self) -> Health:
        """Ask for the services.

        Raises:
            SourceError: Nobody answers, or not a Jaeger.
        """
        began = time.perf_counter()
        api = await self._find_api()
        services = await api.services()
        version = f"{product_name(self._client.address)} ({api.title})"
        return Health(True, version, time.perf_counter() - began, f"{len(services):,} services")

    async def dependencies(self, span: TimeRange) -> list[Dependency]:
        """Who calls whom how often, as the server counted it.

        Raises:
            QueryError: The server does not count that.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        return await (await self._find_api()).dependencies(span)

    async def traces(self, query: TracesQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with whole traces, the newest ones; see `model.sources.TracesSource`.

        Raises:
            QueryError: It is TraceQL, an id is none, or the server refused the question.
            UsageError: The range or the limit makes no sense.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        check(query.range, query.limit)
        if query.text.strip():
            raise _no_traceql(query, self._client.where)
        api = await self._find_api()
        if query.trace_ids:
            return await self._by_id(api, query, progress)
        services = [query.service] if query.service is not None else await self._catalog.services()
        searched = services[: self._settings.most_services]
        search = Search.of(query, searched[0] if searched else "")
        parts, failed = await self._search(api, search, searched, progress)
        columns = await asyncio.to_thread(joined, parts)
        self._catalog.seen = columns if len(columns) else self._catalog.seen
        answer = await asyncio.to_thread(traces_answer, columns, query, full=_full(parts, search.depth))
        notes = [*answer.warnings]
        if query.service is None:
            notes.append(
                f"a search needs a service here: {len(searched):,} of {len(services):,} were searched (--service)"
            )
        native = api.native(search) if searched else ""
        answer = replace(answer, native_query=native, failed=tuple(failed), warnings=tuple(notes))
        if not len(answer.frame) and not failed and not answer.empty_reason:
            answer = replace(answer, empty_reason=await self._why_empty(query))
        return replace(answer, link=search_link(self._client.address, search) if searched else "")

    async def _search(
        self, api: Api, search: Search, services: Sequence[str], progress: ProgressListener
    ) -> tuple[list[SpanColumns], list[str]]:
        """Search service by service; those that fail are named, and only when all do it is an error."""
        done = rows = 0

        async def one(service: str) -> SpanColumns:
            nonlocal done, rows
            found = await api.search(search.for_service(service))
            done, rows = done + 1, rows + len(found)
            progress(Progress(done, len(services), rows, f"traces of {service}"))
            return found

        tasks = [asyncio.create_task(one(service)) for service in services]
        try:
            results = await asyncio.gather(*tasks, return_exceptions=len(tasks) > 1)
        finally:
            await stop(tasks)
        errors = [item for item in results if isinstance(item, BaseException)]
        unexpected = [error for error in errors if not isinstance(error, SourceError | QueryError)]
        if unexpected or (errors and len(errors) == len(results)):
            raise (unexpected or errors)[0]
        failed = [
            f"traces of {service}: {item.message}"
            for service, item in zip(services, results, strict=True)
            if isinstance(item, SourceError | QueryError)
        ]
        return [item for item in results if isinstance(item, SpanColumns)], failed

    async def _by_id(self, api: Api, query: TracesQuery, progress: ProgressListener) -> Answer:
        for trace_id in query.trace_ids:
            if not _ID.fullmatch(trace_id):
                raise QueryError(
                    f"{trace_id} is no id of a trace",
                    where=self._client.where,
                    hint="an id has 32 hex digits, or 16 in old systems: 8d5118091edb4be0453ef2e052b89273",
                )
        done = 0

        async def one(trace_id: str) -> SpanColumns:
            nonlocal done
            found = await api.trace(trace_id)
            done += 1
            progress(Progress(done, len(query.trace_ids), len(found), f"trace {trace_id}"))
            return found

        parts = await together(one(trace_id) for trace_id in query.trace_ids)
        columns = await asyncio.to_thread(joined, parts)
        self._catalog.seen = columns if len(columns) else self._catalog.seen
        lost = [trace_id for trace_id, part in zip(query.trace_ids, parts, strict=True) if not len(part)]
        answer = await asyncio.to_thread(found_answer, columns, query, lost)
        link = trace_link(self._client.address, query.trace_ids[0]) if len(query.trace_ids) == 1 else ""
        return replace(answer, native_query="\n".join(f"trace {trace_id}" for trace_id in query.trace_ids), link=link)

    async def _why_empty(self, query: TracesQuery) -> str:
        try:
            return await empty_reason(query, self._catalog)
        except (SourceError, QueryError) as error:
            _log.debug("why %s gave nothing could not be found out: %s", self._client.where, error)
            return ""

    async def _find_api(self) -> Api:
        if self._api is None:
            self._api = await self._probed.get("api", lambda: find_api(self._client))
        return self._api


def _full(parts: Sequence[SpanColumns], depth: int) -> bool:
    """Whether some search gave as many traces as were asked for, so that there may be more."""
    return any(len(part.trace_id.unique()) >= depth for part in parts)


def _no_traceql(query: TracesQuery, where: str) -> QueryError:
    options = {"--service": query.service, "--operation": query.operation, "--status": query.status}
    given = " ".join(f"{option} {value}" for option, value in options.items() if value)
    example = given or "--service checkout-api --status error --min-duration 1s"
    hint = f"leave the cell empty and use the options: %obs_traces {example}"
    return QueryError(
        "Jaeger takes no TraceQL", query=query.text, position=0, length=len(query.text), where=where, hint=hint
    )
