"""Loki as a source: one question in, pages and counts asked for, one answer out."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from obs_magics.adapters.http_source import HttpSource
from obs_magics.adapters.log_answers import Counted, check, lines_answer
from obs_magics.adapters.log_levels import keep_severe
from obs_magics.adapters.log_pages import Pager, Pages
from obs_magics.adapters.log_rows import Rows
from obs_magics.adapters.loki import errors, words
from obs_magics.adapters.loki.answers import ENCODING, Lines, Parsed, parse_answer
from obs_magics.adapters.loki.catalog import LokiCatalog, between
from obs_magics.adapters.loki.details import LokiDetails
from obs_magics.adapters.loki.empty import empty_reason
from obs_magics.adapters.loki.level_filter import Filtered, level_labels, only_severe, without_milder
from obs_magics.adapters.loki.links import explore_link
from obs_magics.adapters.loki.product import find_version
from obs_magics.adapters.loki.settings import LokiSettings
from obs_magics.adapters.loki.volume import INSTANT, RANGE, Bars, Count, Form, seconds
from obs_magics.adapters.prometheus.answers import Series
from obs_magics.model.errors import BadAnswer, LimitExceeded, QueryError, SourceError
from obs_magics.model.logs import Volume
from obs_magics.model.sources import Answer, Health, LogLanguage, ProgressListener, no_progress
from obs_magics.net.tasks import stop, together
from obs_magics.syntax.logql import parse
from obs_magics.syntax.logql.tree import Expression, LogQuery

if TYPE_CHECKING:
    from obs_magics.model.query import LogsQuery, LogWords, MetricsQuery
    from obs_magics.model.time import TimeRange

_log = logging.getLogger(__name__)

_MOST_LOOKED_AT = 20  # times the limit: pages fetched in search of lines that are severe enough


class _GivesNumbers(Exception):  # noqa: N818 - not an error: a query that our grammar does not know gave numbers
    """The answer to a question for lines."""


class LokiSource(HttpSource[LokiSettings]):
    """A Loki 2.x or 3.x, or what speaks its API.

    Implements `LogsSource` and `MetricsSource`; `log_catalog` and `details` have what else it can tell.

    Args:
        name: As the user calls it.
        settings: Its entry in the configuration; secrets in it are looked up when it is first asked.
    """

    platform = "loki"
    vendor = errors.VENDOR
    log_language: LogLanguage = "logql"

    def __init__(self, name: str, settings: LokiSettings) -> None:
        super().__init__(name, settings)
        self.details = LokiDetails(lambda: self._client)
        self._page_lines = settings.page_lines
        self._catalog = LokiCatalog(lambda: self._client, self._shared)

    @property
    def log_catalog(self) -> LokiCatalog:
        """Labels, values, fields and services; kept for a minute."""
        return self._catalog

    async def health(self) -> Health:
        """Ask for the version.

        Raises:
            SourceError: Nobody answers, or not a Loki.
        """
        began = time.perf_counter()
        version = await find_version(self._client)
        return Health(True, f"Loki {version}".strip(), time.perf_counter() - began)

    async def words_query(self, words_meant: LogWords) -> str:
        """The LogQL for lines of these services with all of these phrases."""
        names = await self._catalog.label_names()
        return words.words_query(words_meant, names, await self._catalog.service_label())

    async def metrics(self, query: MetricsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer a LogQL query that gives numbers; see `model.sources.MetricsSource`.

        Raises:
            QueryError: The server refused the query, or it gives lines.
            UsageError: The range or the limit makes no sense.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        check(query.range, query.limit)
        if isinstance(_tree(query.text), LogQuery):
            raise _lines_not_numbers(query.text)
        sent = Filtered(query.text, query.text)
        return await self._numbers(sent, query.range, query.step_ns, instant=query.instant, limit=query.limit)

    async def logs(self, query: LogsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with lines, the newest ones, or with numbers where the query gives such; see `LogsSource`.

        Raises:
            QueryError: The server refused the query; the place is marked where it told one.
            UsageError: The range or the limit makes no sense.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        check(query.range, query.limit)
        self._catalog.asked = query.range
        tree = _tree(query.text)
        labels = await self._level_labels() if query.level else []
        if tree is None or isinstance(tree, LogQuery):
            try:
                return await self._lines(query, labels, tree, progress)
            except _GivesNumbers:
                pass
        sent = only_severe(query.text, query.level, labels) if query.level else Filtered(query.text, query.text)
        return await self._numbers(sent, query.range, query.step_ns)

    async def _level_labels(self) -> list[str]:
        try:
            return level_labels(await self._catalog.label_names())
        except (SourceError, QueryError) as error:  # the question itself will say what is wrong
            _log.debug("the labels of %s could not be had: %s", self._client.where, error)
            return []

    async def _lines(
        self, query: LogsQuery, labels: list[str], tree: LogQuery | None, progress: ProgressListener
    ) -> Answer:
        sent = (
            Filtered(query.text, query.text) if query.level is None else without_milder(query.text, query.level, labels)
        )
        bars = Bars(query.range, query.volume_step_ns)
        counting = asyncio.create_task(self._count(sent.text, bars)) if tree is not None else None
        warnings: dict[str, None] = {}
        try:
            pages = await Pager(
                ask=lambda span, lines: self._page(sent, span, lines, warnings),
                span=query.range,
                limit=query.limit,
                page_lines=lambda: self._page_lines,
                keep=keep_severe(query.level) if query.level else None,
                most=_MOST_LOOKED_AT * max(query.limit, self._page_lines),
                progress=progress,
            ).fetch()
            frame = await asyncio.to_thread(pages.rows.frame, warnings.setdefault)
            counted = Counted()
            if not pages.whole:
                counted = await (counting if counting is not None else self._count(sent.text, bars))
            answer = lines_answer(query, sent.text, pages, frame, counted=counted, warnings=tuple(warnings))
            if not len(frame) and not answer.failed:
                answer = replace(answer, empty_reason=await self._why_empty(query, tree, pages))
            return replace(answer, link=self._link(sent.text, query.range))
        finally:
            await stop([counting] if counting is not None else [])

    async def _page(self, sent: Filtered, span: TimeRange, lines: int, warnings: dict[str, None]) -> Rows:
        form = [("query", sent.text), *between(span), ("limit", str(lines)), ("direction", "backward")]
        try:
            found = await self._ask(RANGE, form, sent)
        except LimitExceeded as error:
            most = errors.most_lines(error, lines)
            if most is None or not 0 < most < lines:
                raise
            self._page_lines = most
            return await self._page(sent, span, most, warnings)
        if isinstance(found, Series):
            raise _GivesNumbers
        warnings.update(dict.fromkeys(found.warnings))
        return found.rows

    async def _count(self, text: str, bars: Bars) -> Counted:
        """Let the server count; never a reason for a question to fail."""
        try:
            try:
                return Counted(await self._volume(bars, bars.requests(text)))
            except QueryError as error:
                if "pipeline error" not in error.words:
                    raise
                return Counted(await self._volume(bars, bars.requests(text, tolerant=True)))
        except (SourceError, QueryError) as error:
            return Counted(problem=f"the lines in all were not counted: {error.message}")

    async def _volume(self, bars: Bars, asked: list[Count]) -> Volume:
        async def ask(count: Count) -> Series:
            found = await self._ask(count.path, count.form, Filtered("", ""))
            if isinstance(found, Series):
                return found
            raise BadAnswer("a count came back as lines", where=self._client.where)

        return bars.volume(list(zip(asked, await together(map(ask, asked)), strict=True)))

    async def _numbers(
        self, sent: Filtered, span: TimeRange, step_ns: int, *, instant: bool = False, limit: int | None = None
    ) -> Answer:
        if instant:
            path, form = INSTANT, [("query", sent.text), ("time", str(span.end_ns))]
        else:
            path, form = RANGE, [("query", sent.text), *between(span), ("step", seconds(step_ns))]
        series = await self._ask(path, form, sent)
        if isinstance(series, Lines):
            raise _lines_not_numbers(sent.original)
        truncated = ""
        if limit is not None and len(series.labels) > limit:
            truncated = f"the first {limit} of {len(series.labels)} series (--limit)"
            series = series.first(limit)
        frame = await asyncio.to_thread(series.frame)
        warnings = [*series.warnings, *series.infos]
        if sent.inserted:
            warnings.append("only lines whose level the server knows are in these numbers (--level)")
        return Answer(
            frame=frame,
            native_query=sent.text,
            warnings=tuple(warnings),
            truncated=truncated,
            link=self._link(sent.text, span),
            empty_reason="" if len(frame) else "no line in this range gives a number to this query",
            signal="metrics",
        )

    async def _ask(self, path: str, form: Form, sent: Filtered) -> Parsed:
        try:
            reply = await self._client.request("POST", path, form=form, headers=ENCODING, repeatable=True)
        except QueryError as error:
            raise errors.located(error, sent) from None
        if reply.is_html:
            raise reply.not_json()
        try:
            found = await asyncio.to_thread(parse_answer, reply.body)
        except (SourceError, QueryError) as error:
            error.where = self._client.where
            raise (errors.located(error, sent) if isinstance(error, QueryError) else error) from None
        return replace(found, warnings=(*reply.notes, *found.warnings))

    async def _why_empty(self, query: LogsQuery, tree: LogQuery | None, pages: Pages) -> str:
        if pages.looked_at:
            return f"{pages.looked_at:,} lines came, but none is known to be at least {query.level}: try --level all"
        if tree is None:
            return ""
        try:
            reason = await empty_reason(tree, query.range, self._catalog)
        except (SourceError, QueryError) as error:
            _log.debug("why %s gave nothing could not be found out: %s", self._client.where, error)
            return ""
        return f"{reason}, at the level {query.level} and above" if query.level and "keep none" in reason else reason

    def _link(self, text: str, span: TimeRange) -> str:
        return explore_link(self._settings.grafana_url, self._settings.grafana_datasource, text, span)


def _tree(text: str) -> Expression | None:
    """The query as a tree; None when our grammar does not know it: the server shall judge."""
    try:
        return parse(text)
    except QueryError:
        return None


def _lines_not_numbers(text: str) -> QueryError:
    hint = "use %%obs_logs, or count them: sum(count_over_time({…} [5m]))"
    return QueryError("the query gives lines, not numbers", query=text, hint=hint)
