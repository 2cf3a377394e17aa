"""Prometheus and its kin as a source of metrics: asks in parts where needed, and says what a reader has to know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from obs_magics.adapters.http_source import HttpSource
from obs_magics.adapters.prometheus import errors
from obs_magics.adapters.prometheus.alerts import alerts_answer, history_query
from obs_magics.adapters.prometheus.answers import Series, parse_answer
from obs_magics.adapters.prometheus.catalog import PrometheusCatalog
from obs_magics.adapters.prometheus.empty import empty_reason
from obs_magics.adapters.prometheus.merge import merged
from obs_magics.adapters.prometheus.product import Product, find_product
from obs_magics.adapters.prometheus.rules import ask_rules
from obs_magics.adapters.prometheus.settings import PrometheusSettings
from obs_magics.adapters.prometheus.split import Window, pinned, seconds, window_of
from obs_magics.model.catalog import MetricInfo, info_from_name
from obs_magics.model.errors import (
    AuthError,
    BadAnswer,
    LimitExceeded,
    ObsError,
    QueryError,
    SourceError,
    UsageError,
)
from obs_magics.model.sources import Answer, Health, Progress, ProgressListener, no_progress
from obs_magics.net.tasks import stop
from obs_magics.syntax.promql import tree_of
from obs_magics.syntax.promql_tree import metrics_in
from obs_magics.syntax.promql_units import unit_of

if TYPE_CHECKING:
    from obs_magics.model.events import EventKind
    from obs_magics.model.query import EventsQuery, MetricsQuery

_log = logging.getLogger(__name__)

_INSTANT, _RANGE = "/api/v1/query", "/api/v1/query_range"
_MOST_UNITS = 5  # metrics of one query whose metadata is asked for
_UNIT_SECONDS = 2.0  # how long a unit is waited for that the metric's name does not tell


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the question, as it will be sent."""

    window: Window
    path: str
    form: list[tuple[str, str]]


class PrometheusSource(HttpSource[PrometheusSettings]):
    """A Prometheus 2.x or 3.x, VictoriaMetrics, Mimir or Thanos.

    Implements `MetricsSource`, `EventsSource` (alerts) and `CatalogSource`. The first question also asks which server
    it is, once.

    Args:
        name: As the user calls it.
        settings: Its entry in the configuration; secrets in it are looked up when it is first asked.
    """

    platform = "prometheus"
    vendor = errors.VENDOR
    event_kinds: tuple[EventKind, ...] = ("alert",)

    def __init__(self, name: str, settings: PrometheusSettings) -> None:
        super().__init__(name, settings)
        self._product: Product | None = None
        self._late: set[asyncio.Task[MetricInfo]] = set()
        self._catalog = PrometheusCatalog(lambda: self._client, self._shared, self._known_product)

    @property
    def catalog(self) -> PrometheusCatalog:
        """Names, types, labels and values; kept for a minute."""
        return self._catalog

    async def health(self) -> Health:
        """Ask for the version.

        Raises:
            SourceError: Nobody answers, or not a server of this family.
        """
        began = time.perf_counter()
        self._product = await find_product(self._client)
        return Health(True, self._product.title, time.perf_counter() - began)

    async def metrics(self, query: MetricsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer a range or an instant query; see `model.sources.MetricsSource`.

        A range of more than 11,000 points a series is asked for in parts. When some of them fail, the answer has the
        others and says which are missing; when all fail, the first error is raised.

        Raises:
            QueryError: The server refused the query; the place is marked where it told one.
            UsageError: The step or the range makes no sense.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        product = await self._known_product()
        window = _moment(query) if query.instant else window_of(query)
        parts = _parts(query, window, product)
        unit = asyncio.create_task(self._unit(query.text))
        try:
            series, failed = await self._collect(query, parts, progress)
            answer = await asyncio.to_thread(_answer, query, series, failed, len(parts))
            answer = replace(answer, unit=await unit, link=self._link(product, query, window))
            if not len(answer.frame) and not answer.failed:
                answer = replace(answer, empty_reason=await self._why_empty(query.text, window))
            return answer
        finally:
            await stop([unit])

    async def events(self, query: EventsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with the alerts that fired, from when to when; see `model.sources.EventsSource`.

        Asks for `ALERTS` over the range, and for the rules, which know the texts of what fires now.

        Raises:
            QueryError: The server refused a condition.
            SourceError: The source could not be asked, or its answer makes no sense.
        """
        product = await self._known_product()
        asked = history_query(query)
        window = window_of(asked)
        parts = _parts(asked, window, product)
        rules = asyncio.create_task(ask_rules(self._client))
        try:
            series, failed = await self._collect(asked, parts, progress)
            answer = await asyncio.to_thread(
                alerts_answer,
                asked,
                series,
                await rules,
                failed=failed,
                parts=len(parts),
                source=self.name,
                link=lambda text: product.link(self.address, text, None, _clock(window.end_ms)),
            )
            return replace(answer, link=self._link(product, asked, window))
        finally:
            await stop([rules])

    async def _collect(
        self, query: MetricsQuery, parts: Sequence[_Part], progress: ProgressListener
    ) -> tuple[Series, list[str]]:
        """Ask all parts, a few at a time (the client's queue); give what came and sentences for what did not."""
        done, rows = 0, 0

        async def ask(part: _Part) -> Series:
            nonlocal done, rows
            series = await self._ask(query.text, part)
            done, rows = done + 1, rows + len(series.values)
            progress(Progress(done, len(parts), rows, f"part {done} of {len(parts)}" if len(parts) > 1 else ""))
            return series

        progress(Progress(0, len(parts)))
        tasks = [asyncio.create_task(ask(part)) for part in parts]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            _raise_final(tasks)
            await asyncio.wait(tasks)
            _raise_final(tasks)
        finally:
            await stop(tasks)
        found = [task.result() for task in tasks if task.exception() is None]
        ended = [(part, task.exception()) for part, task in zip(parts, tasks, strict=True)]
        failures = [(part, error) for part, error in ended if error is not None]
        if not found or any(not isinstance(error, ObsError) for _, error in failures):
            raise failures[0][1]
        return await asyncio.to_thread(merged, found), [_sentence(part.window, error) for part, error in failures]

    async def _ask(self, text: str, part: _Part) -> Series:
        try:
            reply = await self._client.request("POST", part.path, form=part.form, repeatable=True)
        except QueryError as error:
            raise errors.located(error, text) from None
        if reply.is_html:
            raise reply.not_json()
        try:
            series = await asyncio.to_thread(parse_answer, reply.body)
        except BadAnswer as error:
            error.where = self._client.where
            raise
        except QueryError as error:
            error.where, error.query = self._client.where, text
            raise
        return replace(series, warnings=(*reply.notes, *series.warnings))

    async def _known_product(self) -> Product:
        """Which server it is, asked once; one that hides it is spoken to like a Prometheus."""
        if self._product is None:
            try:
                self._product = await self._shared.get("product", lambda: find_product(self._client))
            except (AuthError, BadAnswer, LimitExceeded, QueryError) as error:
                _log.debug("%s does not say what it is: %s", self._client.where, error)
                return Product()
        return self._product

    async def _unit(self, text: str) -> str:
        """The unit of the query's result; never a reason for a query to fail."""
        tree = tree_of(text)
        if tree is None:
            return ""
        names = [name for name in metrics_in(tree) if not info_from_name(name).unit][:_MOST_UNITS]
        asked = [asyncio.create_task(self._catalog.metric(name)) for name in names]
        try:
            late = (await asyncio.wait(asked, timeout=_UNIT_SECONDS))[1] if asked else ()
        except asyncio.CancelledError:
            await stop(asked)
            raise
        for task in late:  # too late for this question; the next one finds it in the catalog
            self._late.add(task)
            task.add_done_callback(self._came_late)
        found = [task.result() for task in asked if task.done() and not task.cancelled() and not task.exception()]
        known = {item.name: item for item in found}
        return unit_of(tree, lambda name: known.get(name) or info_from_name(name))

    def _came_late(self, task: asyncio.Task[MetricInfo]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that nobody warns that it never was

    async def _why_empty(self, text: str, window: Window) -> str:
        try:
            return await empty_reason(text, window, self._catalog)
        except (SourceError, QueryError) as error:
            _log.debug("why %s gave nothing could not be found out: %s", self._client.where, error)
            return ""

    def _link(self, product: Product, query: MetricsQuery, window: Window) -> str:
        return product.link(self.address, query.text, None if query.instant else window, _clock(window.end_ms))


def _clock(ms: int) -> str:
    return str(np.datetime_as_string(np.datetime64(ms, "ms"), unit="s")).replace("T", " ")


def _moment(query: MetricsQuery) -> Window:
    """The one point in time of an instant query."""
    end_ms = query.range.end_ns // 1_000_000
    return Window(end_ms, end_ms, 1)


def _parts(query: MetricsQuery, window: Window, product: Product) -> list[_Part]:
    limit = [("limit", str(query.limit))] if query.limit else []
    if query.limit is not None and query.limit < 1:
        raise UsageError(f"a limit of {query.limit} series makes no sense", hint="--limit 10, or leave it out")
    if query.instant:
        return [_Part(window, _INSTANT, [("query", query.text), ("time", seconds(window.end_ms)), *limit])]
    windows = window.parts()
    if len(windows) == 1:
        return [_Part(window, _RANGE, [("query", query.text), *window.form(), *limit, *product.exact_grid])]
    # No limit for a part: each would keep other series, and leave holes in them. What is too much is cut here.
    text = [("query", pinned(query.text, window))]
    return [_Part(part, _RANGE, [*text, *part.form(), *product.exact_grid]) for part in windows]


def _raise_final(tasks: Sequence[asyncio.Task[Series]]) -> None:
    """Raise an error that all parts would meet: there is no use in asking on."""
    for task in tasks:
        error = task.exception() if task.done() and not task.cancelled() else None
        if error is not None and (isinstance(error, AuthError) or errors.is_final(error)):
            raise error


def _answer(query: MetricsQuery, series: Series, failed: Sequence[str], parts: int) -> Answer:
    truncated = [f"{len(failed)} of {parts} parts did not come"] if failed else []
    if series.partial:
        truncated.append("the server says that a part of its data was not to be had")
    if query.limit is not None and len(series.labels) > query.limit:
        truncated.append(f"the first {query.limit} of {len(series.labels)} series (--limit)")
        series = series.first(query.limit)
    if any("truncated" in text for text in series.warnings):
        truncated.append(f"the server kept {len(series.labels)} series (--limit)")
    return Answer(
        frame=series.frame(),
        native_query=query.text,
        warnings=(*series.warnings, *series.infos),
        truncated="; ".join(truncated),
        failed=tuple(failed),
    )


def _sentence(window: Window, error: BaseException) -> str:
    start, end = (
        np.datetime_as_string(np.datetime64(moment, "ms"), unit="s") for moment in (window.start_ms, window.end_ms)
    )
    message = error.message if isinstance(error, ObsError) else str(error)
    return f"{start}Z to {end}Z did not come: {message}"
