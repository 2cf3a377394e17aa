"""Whole traces by their id, some at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from obs_magics.adapters.tempo.search import Params
from obs_magics.adapters.tempo.shapes import Judged, decoded, other_shape
from obs_magics.model.errors import BadAnswer, QueryError, SourceError
from obs_magics.model.sources import Progress, ProgressListener
from obs_magics.net.client import HttpClient
from obs_magics.net.reply import Reply
from obs_magics.net.tasks import stop
from obs_magics.syntax.spans import SpanColumns, joined, read_otlp

_AT_ONCE = 5
_MOST_FAILURES = 5
_SMALL_BYTES = 1_000_000  # looked at sooner than a thread could be told to do it
_NOTHING = (b"", b"[]", b"null")
_ONE_A_SPAN = b'"startTimeUnixNano"'  # which is all that a listener wants to know
_JSON = {"Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace as it came.

    Args:
        body: OTLP JSON in an envelope; empty when the server knows no such trace.
        missing: Why it is not whole; empty when it is.
        where: As in `ObsError`.
    """

    body: bytes = b""
    missing: str = ""
    where: str = ""


@dataclass(slots=True)
class Fetched:
    """What came of a list of ids.

    Args:
        traces: By id.
        errors: Why others could not be had, by id.
        left: How many were not asked for any more.
        columns: The spans of all.
    """

    traces: dict[str, Trace] = field(default_factory=dict)
    errors: dict[str, SourceError | QueryError] = field(default_factory=dict)
    left: int = 0
    columns: SpanColumns = field(default_factory=lambda: read_otlp(b"{}"))

    @property
    def lost(self) -> list[str]:
        """Ids that the server does not know."""
        return [trace_id for trace_id, trace in self.traces.items() if not trace.body]

    def failed(self) -> list[str]:
        """A sentence about each that could not be had."""
        told = [f"trace {trace_id}: {error.message}" for trace_id, error in sorted(self.errors.items())]
        if self.left:
            told.append(f"{self.left:,} more traces were not asked for after {len(self.errors)} failures")
        return told

    def notes(self) -> list[str]:
        """What the server says of those that are not whole, and what was mended."""
        partial = [f"trace {key}: {trace.missing}" for key, trace in sorted(self.traces.items()) if trace.missing]
        return [*partial, *self.columns.notes]

    def read(self) -> None:
        """Read all bodies as one document, which is quicker; one by one when one of them is none, to name that."""
        bodies = {trace_id: trace.body for trace_id, trace in sorted(self.traces.items()) if trace.body}
        try:
            self.columns = read_otlp(b"[" + b",".join(bodies.values()) + b"]")
        except BadAnswer:
            self.columns = joined([part for trace_id in bodies if (part := self._read_one(trace_id)) is not None])

    def _read_one(self, trace_id: str) -> SpanColumns | None:
        trace = self.traces[trace_id]
        try:
            return read_otlp(trace.body)
        except BadAnswer as error:
            self.errors[trace_id] = other_shape(trace.where, error.message)
            del self.traces[trace_id]
            return None


class _Envelope(Judged):
    """`trace` of the v2 API, `batches` of the older one."""

    trace: dict[str, msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    batches: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Lookup:
    """Asks for traces by id: API v2, and the older one where there is no v2.

    Args:
        client: Gives the source's client.
    """

    def __init__(self, client: Callable[[], HttpClient]) -> None:
        self._client = client
        self._old = False

    async def trace(self, trace_id: str, params: Params) -> Trace:
        """One trace; without spans when it is not there.

        Raises:
            QueryError: The server refused the id.
            SourceError: The server could not be asked, or its answer makes no sense.
        """
        replies = []
        for path in ("/api/traces",) if self._old else ("/api/v2/traces", "/api/traces"):
            reply = await self._client().request(
                "GET", f"{path}/{trace_id}", params=params, headers=_JSON, accept=(404,)
            )
            if reply.status != 404:
                self._old = path == "/api/traces"
                small = len(reply.body) < _SMALL_BYTES
                return read_trace(reply) if small else await asyncio.to_thread(read_trace, reply)
            replies.append(reply)
        if all(_is_no_path(reply) for reply in replies):
            said = f"nothing there: {replies[-1].first_line()}"
            raise BadAnswer(said, where=replies[-1].where, hint="does the address name a Tempo, with the right path?")
        return Trace()


def read_trace(reply: Reply) -> Trace:
    """Look at one trace, of either API: is it there, is it whole? Its spans are read later.

    Raises:
        BadAnswer: It is something else.
    """
    if reply.is_html:
        raise reply.not_json()
    envelope: _Envelope = decoded(_Envelope, reply)
    trace, batches = envelope.trace, envelope.batches
    if trace is msgspec.UNSET and batches is msgspec.UNSET and reply.body.strip() != b"{}":
        raise other_shape(reply.where, "it has no trace")
    if isinstance(trace, dict) and trace and "resourceSpans" not in trace:
        raise other_shape(reply.where, f"the trace has {', '.join(sorted(trace)[:5])}, and no resourceSpans")
    spans = trace["resourceSpans"] if trace else batches
    some = isinstance(spans, msgspec.Raw) and bytes(spans).strip() not in _NOTHING
    return Trace(reply.body if some else b"", envelope.missing, reply.where)


async def fetch(
    ids: Sequence[str], ask: Callable[[str], Awaitable[Trace]], progress: ProgressListener = lambda _progress: None
) -> Fetched:
    """Fetch traces, five at a time; after five failures the others are not asked for any more.

    Args:
        ids: Which.
        ask: Fetches one.
        progress: Told after each.
    """
    found, waiting = Fetched(), iter(ids)
    done = rows = 0

    async def work() -> None:
        nonlocal done, rows
        for trace_id in waiting:
            if len(found.errors) >= _MOST_FAILURES:
                found.left += 1
                continue
            try:
                found.traces[trace_id] = await ask(trace_id)
                rows += found.traces[trace_id].body.count(_ONE_A_SPAN)
            except (SourceError, QueryError) as error:
                found.errors[trace_id] = error
            done += 1
            progress(Progress(done, len(ids), rows, f"trace {trace_id}"))

    tasks = [asyncio.create_task(work()) for _ in range(min(_AT_ONCE, len(ids)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        await stop(tasks)
    await asyncio.to_thread(found.read)
    return found


def _is_no_path(reply: Reply) -> bool:
    """Is there no such address, or no such trace?"""
    return reply.is_html or b"page not found" in reply.body
