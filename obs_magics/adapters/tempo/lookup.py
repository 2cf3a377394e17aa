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
from obs_magics.syntax.spans import SpanColumns, read_otlp

_AT_ONCE = 5
_MOST_FAILURES = 5
_JSON = {"Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace; `missing` says why it is not whole, empty when it is."""

    columns: SpanColumns
    missing: str = ""

    def __len__(self) -> int:
        """How many spans there are; none when the server knows no such trace."""
        return len(self.columns)


@dataclass(slots=True)
class Fetched:
    """What came of a list of ids.

    Args:
        traces: By id; those that are not there have no spans.
        errors: Why others could not be had, by id.
        left: How many were not asked for any more.
    """

    traces: dict[str, Trace] = field(default_factory=dict)
    errors: dict[str, SourceError | QueryError] = field(default_factory=dict)
    left: int = 0

    def failed(self) -> list[str]:
        """A sentence about each that could not be had."""
        told = [f"trace {trace_id}: {error.message}" for trace_id, error in sorted(self.errors.items())]
        if self.left:
            told.append(f"{self.left:,} more traces were not asked for after {len(self.errors)} failures")
        return told

    def notes(self) -> list[str]:
        """What the server says of those that are not whole."""
        return [f"trace {key}: {trace.missing}" for key, trace in sorted(self.traces.items()) if trace.missing]


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
                return await asyncio.to_thread(read_trace, reply)
            replies.append(reply)
        if all(_is_no_path(reply) for reply in replies):
            said = f"nothing there: {replies[-1].first_line()}"
            raise BadAnswer(said, where=replies[-1].where, hint="does the address name a Tempo, with the right path?")
        return _nothing()


def read_trace(reply: Reply) -> Trace:
    """Read one trace, of either API; without spans when it is not there.

    Raises:
        BadAnswer: It is something else.
    """
    if reply.is_html:
        raise reply.not_json()
    envelope: _Envelope = decoded(_Envelope, reply)
    trace, batches = envelope.trace, envelope.batches
    if trace is msgspec.UNSET and batches is msgspec.UNSET and reply.body.strip() != b"{}":
        raise other_shape(reply, "it has no trace")
    if isinstance(trace, dict) and trace and "resourceSpans" not in trace:
        raise other_shape(reply, f"the trace has {', '.join(sorted(trace)[:5])}, and no resourceSpans")
    if not trace and batches is msgspec.UNSET:
        return Trace(read_otlp(b"{}"), envelope.missing)
    try:
        return Trace(read_otlp(reply.body), envelope.missing)
    except BadAnswer as error:
        raise other_shape(reply, error.message) from None


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
                rows += len(found.traces[trace_id])
            except (SourceError, QueryError) as error:
                found.errors[trace_id] = error
            done += 1
            progress(Progress(done, len(ids), rows, f"trace {trace_id}"))

    tasks = [asyncio.create_task(work()) for _ in range(min(_AT_ONCE, len(ids)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return found


def _nothing() -> Trace:
    return Trace(read_otlp(b"{}"))


def _is_no_path(reply: Reply) -> bool:
    """Is there no such address, or no such trace?"""
    return reply.is_html or b"page not found" in reply.body
