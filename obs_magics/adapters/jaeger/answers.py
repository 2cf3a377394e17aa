"""Answers from the spans that came: what fulfils the conditions, the newest of it, and what has to be said."""

from __future__ import annotations

from collections.abc import Sequence

from obs_magics.adapters.jaeger.conditions import count_traces, matching, newest
from obs_magics.model.query import TracesQuery
from obs_magics.model.sources import Answer
from obs_magics.syntax.spans import SpanColumns

_SHOWN = 5


def traces_answer(columns: SpanColumns, query: TracesQuery, *, full: bool) -> Answer:
    """The answer to a search.

    Args:
        columns: All spans that came.
        query: What was asked.
        full: A search gave as many traces as it may, so that there may be more.
    """
    frame = columns.frame()
    came = count_traces(frame)
    held = matching(frame, query)
    kept = frame if held.all() else frame[held].reset_index(drop=True)
    found = count_traces(kept)
    warnings = list(columns.notes)
    if found < came:
        warnings.append(f"{came - found:,} of {came:,} traces that came do not fulfil all conditions: left out")
    shown = newest(kept, query.limit)
    truncated = ""
    if found > query.limit:
        truncated = f"the newest {query.limit:,} of {found:,} traces that were found (--limit)"
    elif full:
        truncated = f"{found:,} traces; the search stopped at its limit, there may be more (--limit)"
    reason = f"{came:,} traces came, but none of them fulfils all conditions" if came and not found else ""
    return Answer(shown, "", warnings=tuple(warnings), truncated=truncated, empty_reason=reason, signal="traces")


def found_answer(columns: SpanColumns, query: TracesQuery, lost: Sequence[str]) -> Answer:
    """The answer to a question for ids.

    Args:
        columns: Their spans.
        query: What was asked; its other conditions have to hold too.
        lost: Ids that the server does not know.
    """
    frame = columns.frame()
    held = matching(frame, query)
    kept = frame if held.all() else frame[held].reset_index(drop=True)
    warnings = list(columns.notes)
    unknown = ", ".join(lost[:_SHOWN]) + (f" and {len(lost) - _SHOWN:,} more" if len(lost) > _SHOWN else "")
    what = f"no trace {unknown}" if lost else ""
    if lost and len(kept):
        warnings.append(f"the server knows {what}")
    reason = ""
    if not len(kept):
        reason = f"the server knows {what}: mistyped, not sampled, or older than it keeps" if lost else ""
        reason = reason or "the trace is there, but does not fulfil the other conditions"
    return Answer(kept, "", warnings=tuple(warnings), empty_reason=reason, signal="traces")
