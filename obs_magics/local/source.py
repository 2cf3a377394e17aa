"""A folder of files as a source: metrics by our own PromQL, logs by LogQL, traces by TraceQL, events, tables by SQL."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import fields
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.config.adapter import Adapter
from obs_magics.local import native
from obs_magics.local.catalog import FolderCatalog, metric_info
from obs_magics.local.contents import Contents, open_contents
from obs_magics.local.diagnosis import Witness
from obs_magics.local.event_answers import answer_events
from obs_magics.local.log_answers import answer_logs, words_query
from obs_magics.local.logs.catalog import FolderLogCatalog
from obs_magics.local.logs.store import LogStore
from obs_magics.local.promql.data import Result
from obs_magics.local.promql.evaluate import evaluate
from obs_magics.local.readers import FORMATS
from obs_magics.local.readers.base import Mapping
from obs_magics.local.readers.traces import SPAN_TITLES
from obs_magics.local.settings import FolderSettings, local_path
from obs_magics.local.sql import Database, layout_of
from obs_magics.local.trace_answers import answer_traces
from obs_magics.local.traces.catalog import FolderTraceCatalog
from obs_magics.local.traces.store import TraceStore
from obs_magics.model.errors import BadAnswer, ConfigError, QueryError, SourceError, SourceUnavailable
from obs_magics.model.events import KINDS
from obs_magics.model.frames import metrics_frame
from obs_magics.model.query import EventsQuery, LogsQuery, LogWords, MetricsQuery, SqlQuery, TracesQuery
from obs_magics.model.sources import Answer, Health, LogLanguage, ProgressListener, no_progress
from obs_magics.syntax.promql_units import unit_of

_MS = 1_000_000
# Whoever connects is told more of what is wrong than whoever asks a question later.
_DESCRIBED = 20
_READ_AS = 5


class FolderSource:
    """Answers PromQL, LogQL, TraceQL and SQL over a folder of files or a single file.

    The folder is opened when it is first asked, in a thread of its own; `health` does it too.

    Args:
        name: As the user calls it.
        settings: Where the folder lies and how to read it.

    Raises:
        ConfigError: The settings name no path.
    """

    platform = "folder"
    log_language: LogLanguage = "logql"
    speaks_traceql = True
    event_kinds = KINDS

    def __init__(self, name: str, settings: FolderSettings) -> None:
        if not settings.path:
            raise ConfigError("a folder needs a path", where=name, hint="add path: /where/it/lies")
        self.name = name
        self.path = local_path(settings.path)
        self.address = native.address_of(self.path) or settings.path
        self._settings = settings
        self._lock = threading.Lock()
        self._contents: Contents | None = None
        self._closed = False
        self._database = Database(self.where, lambda: layout_of(self.contents(), self.path))
        self._log_catalog = FolderLogCatalog(lambda: self.contents().logs)
        self._trace_catalog = FolderTraceCatalog(self._spans_or_none)

    @property
    def where(self) -> str:
        """Name and address, for errors."""
        return f"{self.name} ({self.address})"

    def contents(self) -> Contents:
        """What the folder holds; opens it the first time, which takes a while when its files have to be read."""
        with self._lock:
            if self._closed:
                raise SourceUnavailable("this source has been closed", where=self.where, hint="connect it again")
            if self._contents is None:
                given = self._settings
                mapping = Mapping(**{one.name: getattr(given, one.name) for one in fields(Mapping)})
                self._contents = open_contents(self.path, mapping=mapping, now=given.now)
            return self._contents

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read, a sentence each: file, line and why; empty before the folder is opened."""
        return tuple(map(str, self._contents.problems)) if self._contents else ()

    @property
    def catalog(self) -> FolderCatalog:
        """What the folder has."""
        return FolderCatalog(lambda: self.contents().store)

    def now_ns(self) -> int | None:
        """The folder's own now: from the settings, else its manifest, else its last sample."""
        return self.contents().now_ns

    async def health(self) -> Health:
        """Open the folder and say what is in it, what its now is, and what could not be read."""
        started = time.perf_counter()
        contents = await asyncio.to_thread(self.contents)
        now = "" if contents.now_ns is None else _standing(contents.now_ns)
        detail = ". ".join(part for part in (contents.description, contents.note.rstrip(".") or now) if part)
        lines = "\n".join((detail, *contents.read_as(_READ_AS), *contents.described(_DESCRIBED)))
        return Health(True, "obs_magics folder", time.perf_counter() - started, lines)

    async def metrics(self, query: MetricsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with a metrics frame; cancelling the task stops the evaluation.

        Raises:
            QueryError: The query is not PromQL, asks for what the engine cannot do, or gives a text.
            SourceError: The folder cannot be read.
        """
        stop = threading.Event()
        try:
            return await asyncio.to_thread(self._answer, query, stop)
        except asyncio.CancelledError:
            stop.set()
            raise

    def _answer(self, query: MetricsQuery, stop: threading.Event) -> Answer:
        contents = self.contents()
        witness = Witness(contents.store)
        try:
            result = evaluate(
                query.text,
                witness,
                start_ms=(query.range.end_ns if query.instant else query.range.start_ns) // _MS,
                end_ms=query.range.end_ns // _MS,
                step_ms=max(query.step_ns // _MS, 1),
                instant=query.instant,
                version=self._settings.version,
                stop=stop,
            )
        except QueryError as problem:
            problem.where = problem.where or self.where
            raise
        frame, truncated = _frame(result, query, self.where)
        return Answer(
            frame,
            query.text,
            unit=unit_of(query.text, lambda name: metric_info(contents.store, name)),
            warnings=(*result.warnings, *contents.warnings("metrics", witness.names())),
            truncated=truncated,
            empty_reason="" if len(frame) else witness.why_empty(),
        )

    async def logs(self, query: LogsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with a logs frame, or with a metrics frame where the query asks for numbers over time.

        Cancelling the task stops the evaluation.

        Raises:
            QueryError: The query is not LogQL, or asks for what the engine cannot do.
            SourceError: The folder cannot be read, or holds no logs.
        """
        stop = threading.Event()
        try:
            return await asyncio.to_thread(self._answer_logs, query, stop)
        except asyncio.CancelledError:
            stop.set()
            raise

    def _answer_logs(self, query: LogsQuery, stop: threading.Event) -> Answer:
        contents = self.contents()
        store = self._logs_of(contents)
        try:
            return answer_logs(store, query, self.where, warnings=partial(contents.warnings, "logs"), stop=stop)
        except (OSError, pa.ArrowException) as problem:
            raise BadAnswer(
                f"the log lines cannot be read: {problem}", where=self.where, hint="the file was changed or damaged"
            ) from problem

    def _logs_of(self, contents: Contents) -> LogStore:
        if contents.logs is None or not len(contents.logs):
            known = ", ".join(form.title for form in FORMATS)
            raise SourceError("there are no log lines in this folder", where=self.where, hint=f"what is read: {known}")
        return contents.logs

    async def words_query(self, words: LogWords) -> str:
        """The query for lines of these services with all of these phrases."""
        return words_query(words)

    @property
    def log_catalog(self) -> FolderLogCatalog:
        """What its lines are labelled with."""
        return self._log_catalog

    async def traces(self, query: TracesQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with a spans frame of whole traces, or with a metrics frame where numbers over time are asked for.

        Cancelling the task stops the evaluation.

        Raises:
            QueryError: The query is not TraceQL, or asks for what the engine cannot do.
            SourceError: The folder cannot be read, or holds no spans.
        """
        stop = threading.Event()
        try:
            return await asyncio.to_thread(self._answer_traces, query, stop)
        except asyncio.CancelledError:
            stop.set()
            raise

    def _answer_traces(self, query: TracesQuery, stop: threading.Event) -> Answer:
        contents = self.contents()
        store = self._spans_or_none()
        if store is None or not len(store):
            hint = f"what is read: {', '.join(SPAN_TITLES)}"
            raise SourceError("there are no spans in this folder", where=self.where, hint=hint)
        return answer_traces(store, query, self.where, warnings=contents.warnings("traces"), stop=stop)

    def _spans_or_none(self) -> TraceStore | None:
        stored = self.contents().spans
        try:
            return None if stored is None else stored.store()
        except (OSError, pa.ArrowException) as problem:
            raise BadAnswer(
                f"the spans cannot be read: {problem}", where=self.where, hint="the file was changed or damaged"
            ) from problem

    @property
    def trace_catalog(self) -> FolderTraceCatalog:
        """Which services, operations and attributes its spans have."""
        return self._trace_catalog

    async def events(self, query: EventsQuery, progress: ProgressListener = no_progress) -> Answer:
        """Answer with an events frame of all that overlaps the range.

        Raises:
            SourceError: The folder cannot be read.
        """
        return await asyncio.to_thread(lambda: answer_events(self.contents(), query, self.where))

    async def sql(self, query: SqlQuery) -> Answer:
        """Answer SQL over the folder's tables and frames; see `SqlSource.sql`."""
        contents = await asyncio.to_thread(self.contents)
        return await self._database.answer(query, now_ns=contents.now_ns, warnings=contents.warnings_of_tables)

    async def tables(self) -> dict[str, Sequence[str]]:
        """The columns of every table, by its name."""
        return dict(await asyncio.to_thread(self._database.tables))

    async def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._closed = True
            contents, self._contents = self._contents, None
        if contents is not None:
            contents.connection.close()
        self._database.close()


def _frame(result: Result, query: MetricsQuery, where: str) -> tuple[pd.DataFrame, str]:
    """The frame, and why it is not whole."""
    if result.kind == "string":
        raise QueryError("the query gives a text, not numbers", query=query.text, where=where)
    counts = np.diff(result.offsets)
    shown = len(counts) if query.limit is None else min(query.limit, len(counts))
    rows = int(result.offsets[shown])
    histograms = None if result.histograms is None else result.histograms.slice(0, rows)
    frame = metrics_frame(
        result.labels[:shown], counts[:shown], result.timestamps_ms[:rows] * _MS, result.values[:rows], histograms
    )
    return frame, "" if shown == len(counts) else f"{shown:,} of {len(counts):,} series (limit)"


def _standing(now_ns: int) -> str:
    return f"It stands still: its now is {pd.Timestamp(now_ns, tz='UTC'):%Y-%m-%d %H:%M:%S} UTC"


def _open(name: str, settings: FolderSettings) -> FolderSource:
    return FolderSource(name, settings)


ADAPTER = Adapter(type="folder", title="Folder of files", settings=FolderSettings, open=_open, detect=None)
