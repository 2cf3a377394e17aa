"""Answers from the traces that came: what fulfils the conditions, the newest of it, and what has to be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from obs_magics.adapters.jaeger.conditions import count_traces, matching, newest
from obs_magics.adapters.tempo.lookup import Fetched
from obs_magics.adapters.tempo.shapes import Judged, decoded, other_shape
from obs_magics.model.query import TracesQuery
from obs_magics.model.sources import Answer
from obs_magics.model.spans import TRACE_ID_DIGITS
from obs_magics.net.reply import Reply
from obs_magics.syntax.spans.ids import read_id

_SHOWN = 5


class _Trace(msgspec.Struct):
    trace_id: str = msgspec.field(name="traceID", default="")


class _Search(Judged):
    traces: list[_Trace] | msgspec.UnsetType | None = msgspec.UNSET
    metrics: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found: ids of 32 digits, each once, and what the server says of the search."""

    ids: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_hits(reply: Reply) -> Hits:
    """Read the answer to a search; it strips leading zeros of ids.

    Raises:
        BadAnswer: It is something else.
    """
    answer: _Search = decoded(_Search, reply)
    if answer.traces is msgspec.UNSET and answer.metrics is msgspec.UNSET and reply.body.strip() != b"{}":
        raise other_shape(reply.where, "it has no traces")
    told = [read_id(trace.trace_id, TRACE_ID_DIGITS) for trace in answer.traces or ()]
    good = [trace_id for trace_id in told if trace_id]
    notes = [answer.missing] if answer.missing else []
    if len(good) < len(told):
        notes.append(f"{len(told) - len(good):,} found traces have ids that make no sense: left out")
    return Hits(tuple(dict.fromkeys(good)), (*reply.notes, *notes))


def search_answer(hits: Hits, fetched: Fetched, query: TracesQuery, *, full: bool, newest_first: bool) -> Answer:
    """The answer to a search.

    Args:
        hits: What was found.
        fetched: Their spans.
        query: What was asked.
        full: The search gave as many traces as it may, so that there may be more.
        newest_first: The server was asked for the newest.
    """
    frame = fetched.columns.frame()
    failed = [
        f"trace {trace_id}: the search found it, but the server does not give it" for trace_id in sorted(fetched.lost)
    ]
    came, warnings = count_traces(frame), [*hits.notes, *fetched.notes()]
    if query.status == "ok":  # TraceQL says "with a span that has not failed"
        held = matching(frame, replace(query, trace_ids=hits.ids))
        frame = frame if held.all() else frame[held].reset_index(drop=True)
    found = count_traces(frame)
    if found < came:
        warnings.append(f"{came - found:,} of {came:,} traces that came have a span that failed: left out")
    truncated = _truncated(found, query.limit, full=full, newest_first=newest_first)
    return Answer(
        newest(frame, query.limit),
        "",
        warnings=tuple(warnings),
        truncated=truncated,
        failed=(*fetched.failed(), *failed),
        empty_reason=f"{came:,} traces came, but all of them have a span that failed" if came and not found else "",
        signal="traces",
    )


def _truncated(found: int, limit: int, *, full: bool, newest_first: bool) -> str:
    if found > limit:
        return f"the newest {limit:,} of {found:,} traces that were found (--limit)"
    which = "newest" if newest_first else "first"
    return f"the {which} {found:,} traces that the server found; there may be more (--limit)" if full else ""


def ids_answer(fetched: Fetched, query: TracesQuery) -> Answer:
    """The answer to a question for ids.

    Args:
        fetched: What came of them.
        query: What was asked; its conditions have to hold too.
    """
    frame, warnings = fetched.columns.frame(), fetched.notes()
    held = matching(frame, query)
    kept = frame if held.all() else frame[held].reset_index(drop=True)
    lost = [trace_id for trace_id in query.trace_ids if trace_id in fetched.lost]
    reason = ""
    if lost and len(kept):
        warnings.append(f"the server knows no trace {_listed(lost)}")
    elif lost:
        reason = f"the server knows no trace {_listed(lost)}: mistyped, not sampled, or older than it keeps"
    if not len(kept) and not reason and not fetched.errors:
        reason = "the trace is there, but does not fulfil the other conditions"
    return Answer(
        kept,
        "\n".join(f"trace {trace_id}" for trace_id in query.trace_ids),
        warnings=tuple(warnings),
        failed=tuple(fetched.failed()),
        empty_reason=reason,
        signal="traces",
    )


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN:,} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more
