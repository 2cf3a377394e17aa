"""VictoriaLogs as a source: one question in, pages and counts asked for, one answer out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

from obs_magics.adapters.http_source import HttpSource
from obs_magics.adapters.log_answers import Counted, check, lines_answer
from obs_magics.adapters.log_levels import keep_severe
from obs_magics.adapters.log_pages import Pager, clock
from obs_magics.adapters.log_rows import Rows
from obs_magics.adapters.prometheus.answers import Series
from obs_magics.adapters.prometheus.answers import parse_answer as parse_numbers
from obs_magics.adapters.victorialogs import errors
from obs_magics.adapters.victorialogs import query as logsql
from obs_magics.adapters.victorialogs.answers import parse_answer
from obs_magics.adapters.victorialogs.catalog import API, VictoriaLogsCatalog, between
from obs_magics.adapters.victorialogs.connection import open_client
from obs_magics.adapters.victorialogs.counts import duration, parse_hits, volume_of_counts
from obs_magics.adapters.victorialogs.empty import empty_reason
from obs_magics.adapters.victorialogs.product import find_version
from obs_magics.adapters.victorialogs.settings import VictoriaLogsSettings, tenant_headers
from obs_magics.model.errors import BadAnswer, QueryError, SourceError
from obs_magics.model.sources import Answer, Health, LogLanguage, ProgressListener, no_progress
from obs_magics.model.time import SECOND, TimeRange
from obs_magics.net.client import HttpClient
from obs_magics.net.tasks import stop

if TYPE_CHECKING:
    from obs_magics.model.query import LogsQuery, LogWords, MetricsQuery

Form = list[tuple[str, str]]
Parsed = TypeVar("Parsed")

_log = logging.getLogger(__name__)

_MOST_LOOKED_AT = 20  # times the limit: pages fetched in search of lines that are severe enough


class _GivesNumbers(Exception):  # noqa: N818 - not an error: a question for lines was answered with numbers
    """Numbers that came instead of lines."""

    def __init__(self, series: Series) -> None:
        super().__init__()
        self.series = series


@dataclass(frozen=True, slots=True)
class _Sent:
    """A query as typed, and as sent."""

    original: str
    text: str


class VictoriaLogsSource(HttpSource[VictoriaLogsSettings]):
    """A VictoriaLogs, asked in LogsQL.

    Implements `LogsSource` and `MetricsSource` (queries with a `stats` pipe).

    Args:
        name: As the user calls it.
        settings: Its entry in the configuration; secrets in it are looked up when it is first asked.
    """

    platform = "victorialogs"
    vendor = errors.VENDOR
    log_language: LogLanguage = "logsql"

    def __init__(self, name: str, settings: VictoriaLogsSettings) -> None:
        super().__init__(name, settings)
        self._catalog = VictoriaLogsCatalog(lambda: self._client, self._shared)

    def _make_client(self) -> HttpClient:
        return open_client(self.name, self._settings)

    @property
    def log_catalog(self) -> VictoriaLogsCatalog:
        """Fields, values and services; kept for a minute."""
        return self._catalog

    async def health(self) -> Health:
        """Ask for the version.

        Raises:
            SourceError: Nobody answers, or not a VictoriaLogs.
        """
        began = time.perf_counter()
        version = await find_version(self._client)
        return Health(True, f"VictoriaLogs {version}".strip(), time.perf_counter() - began)

    async def words_query(self, words: LogWords) -> str:
        """The LogsQL for lines of these services with all of these phrases."""
        return logsql.words_query(words, await self._catalog.service_field() if words.services else "")

    async def metrics(self, query: MetricsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer a query with a `stats` pipe; see `model.sources.MetricsSource`.

        Raises:
            QueryError: The server refused the query, or it gives lines.
            UsageError: The range or the limit makes no sense.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        check(query.range, query.limit)
        if not logsql.pipes_of(query.text).gives_numbers:
            hint = "use %%obs_logs, or count them: | stats by (app) count() lines"
            raise QueryError("the query gives lines, not numbers", query=query.text, hint=hint)
        sent = _Sent(query.text, query.text)
        step_ns = None if query.instant else query.step_ns
        return self._numbers(await self._stats(sent, query.range, step_ns), sent, query.range, limit=query.limit)

    async def logs(self, query: LogsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with lines, the newest ones, or with numbers where the query gives such; see `LogsSource`.

        Raises:
            QueryError: The server refused the query.
            UsageError: The range or the limit makes no sense.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        check(query.range, query.limit)
        self._catalog.asked = query.range
        if logsql.pipes_of(query.text).gives_numbers:
            text = logsql.only_severe(query.text, query.level) if query.level else query.text
            sent = _Sent(query.text, text)
            try:
                return self._numbers(await self._stats(sent, query.range, query.step_ns), sent, query.range)
            except (BadAnswer, QueryError) as error:  # pipes behind `stats`, or a server before 1.0: the rows will do
                _log.debug("%s gives no series over time: %s", text, error.message)
        else:
            sent = _Sent(query.text, logsql.without_milder(query.text, query.level) if query.level else query.text)
        try:
            return await self._lines(query, sent, progress)
        except _GivesNumbers as found:
            return self._numbers(found.series, sent, query.range)

    async def hits(self, query: str, span: TimeRange, step_ns: int, fields: Sequence[str] = ()) -> Answer:
        """How many lines there are over time, by fields, as `/hits` counts them: a metrics frame, one point a bar."""
        form = [("query", query), *between(span), ("step", duration(step_ns)), *(("field", name) for name in fields)]
        series = await self._ask("hits", form, _Sent(query, query), parse_hits)
        return self._numbers(series, _Sent(query, query), span)

    async def _lines(self, query: LogsQuery, sent: _Sent, progress: ProgressListener) -> Answer:
        counting = asyncio.create_task(self._count(sent, query.range, query.volume_step_ns))
        warnings: dict[str, None] = {}
        try:
            pages = await Pager(
                ask=lambda span, lines: self._page(sent, span, lines),
                span=query.range,
                limit=query.limit,
                page_lines=lambda: self._settings.page_lines,
                keep=keep_severe(query.level) if query.level else None,
                most=_MOST_LOOKED_AT * max(query.limit, self._settings.page_lines),
                progress=progress,
            ).fetch()
            frame = await asyncio.to_thread(pages.rows.frame, warnings.setdefault)
            counted = Counted() if pages.whole else await counting
            answer = lines_answer(query, sent.text, pages, frame, counted=counted, warnings=tuple(warnings))
            if not len(frame) and not answer.failed:
                answer = replace(answer, empty_reason=await self._why_empty(query, pages.looked_at))
            return replace(answer, link=self._link(sent.text, query.range))
        finally:
            await stop([counting])

    async def _page(self, sent: _Sent, span: TimeRange, lines: int) -> Rows:
        form = [("query", sent.text), *between(span), ("limit", str(lines))]
        found = await self._ask("query", form, sent, lambda body: parse_answer(body, span.end_ns))
        if isinstance(found, Series):
            raise _GivesNumbers(found)
        return found

    async def _count(self, sent: _Sent, span: TimeRange, step_ns: int) -> Counted:
        """Let the server count; never a reason for a question to fail."""
        counting = _Sent(sent.original, logsql.with_stats(sent.text))
        try:
            return Counted(volume_of_counts(await self._stats(counting, span, step_ns), span, step_ns))
        except (SourceError, QueryError) as error:
            return Counted(problem=f"the lines in all were not counted: {error.message}")

    async def _stats(self, sent: _Sent, span: TimeRange, step_ns: int | None) -> Series:
        """Numbers over time, or at the end of the range when there is no step."""
        form = [("query", sent.text), *between(span)]
        if step_ns is None:
            return await self._ask("stats_query", [*form, ("time", clock(span.end_ns))], sent, parse_numbers)
        return await self._ask("stats_query_range", [*form, ("step", duration(step_ns))], sent, parse_numbers)

    async def _ask(self, endpoint: str, form: Form, sent: _Sent, parse: Callable[[bytes], Parsed]) -> Parsed:
        try:
            reply = await self._client.request("POST", f"{API}/{endpoint}", form=form, repeatable=True)
            if reply.is_html:
                raise reply.not_json()
            return await asyncio.to_thread(parse, reply.body)
        except QueryError as error:
            if error.words:
                raise errors.located(error, sent.original) from None
            error.where, error.query = self._client.where, sent.original
            raise
        except BadAnswer as error:
            error.where = self._client.where
            raise

    def _numbers(self, series: Series, sent: _Sent, span: TimeRange, *, limit: int | None = None) -> Answer:
        truncated = ""
        if limit is not None and len(series.labels) > limit:
            truncated = f"the first {limit} of {len(series.labels)} series (--limit)"
            series = series.first(limit)
        frame = series.frame()
        note = "only lines whose level the server knows are in these numbers (--level)"
        return Answer(
            frame=frame,
            native_query=sent.text,
            warnings=(note,) if sent.text != sent.original else (),
            truncated=truncated,
            link=self._link(sent.text, span),
            empty_reason="" if len(frame) else "no line in this range gives a number to this query",
            signal="metrics",
        )

    async def _why_empty(self, query: LogsQuery, looked_at: int) -> str:
        if looked_at:
            return f"{looked_at:,} lines came, but none is known to be at least {query.level}: try --level all"
        try:
            return await empty_reason(query.text, query.range, self._catalog)
        except (SourceError, QueryError) as error:
            _log.debug("why %s gave nothing could not be found out: %s", self._client.where, error)
            return ""

    def _link(self, text: str, span: TimeRange) -> str:
        seconds = max(1, span.duration_ns // SECOND)
        parameters = {
            "query": text,
            "g0.range_input": f"{seconds}s",
            "g0.end_input": clock(span.end_ns)[:19],
            "g0.relative_time": "none",
        }
        tenant = tenant_headers(self._settings.tenant or "")
        parameters |= {name[0].lower() + name[1:]: number for name, number in tenant.items()}
        return f"{self.address}/select/vmui/?#/?{urlencode(parameters, quote_via=quote)}"
