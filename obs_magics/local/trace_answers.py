"""A question for traces over a folder, answered with whole traces or, where it asks so, with numbers over time."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from obs_magics.local.traceql.evaluate import Found, search
from obs_magics.local.traceql.metrics import numbers
from obs_magics.local.traces.conditions import has_conditions, matching
from obs_magics.local.traces.diagnosis import why_empty, why_no_id, why_no_numbers
from obs_magics.local.traces.store import Mask, TraceStore
from obs_magics.model.errors import QueryError
from obs_magics.model.query import TracesQuery
from obs_magics.model.sources import Answer
from obs_magics.syntax.traceql import combined, conditions_query, is_metrics, parse
from obs_magics.syntax.traceql.tree import Pipeline


def answer_traces(
    store: TraceStore, query: TracesQuery, where: str, *, warnings: Sequence[str], stop: threading.Event
) -> Answer:
    """The answer to a question for traces.

    Args:
        store: The spans, one at least.
        query: The question.
        where: Name and address of the source, for errors.
        warnings: What has to be said with every answer.
        stop: When set, the evaluation ends soon with `Stopped`.

    Raises:
        QueryError: The query is not TraceQL, or asks for what the engine cannot do.
    """
    try:
        tree = parse(query.text) if query.text.strip() else None
        if tree is not None and is_metrics(tree):
            return _of_numbers(store, query, warnings, stop)
        return _of_traces(store, query, tree, warnings, stop)
    except QueryError as problem:
        problem.where = problem.where or where
        raise


def _of_traces(
    store: TraceStore, query: TracesQuery, tree: Pipeline | None, warnings: Sequence[str], stop: threading.Event
) -> Answer:
    asked = _asked(store, query)
    fits = asked & matching(store, query)
    searched = None if tree is None else search(tree, query.text, store, fits, stop)
    found = np.flatnonzero(fits) if searched is None else searched.traces
    shown = found[max(len(found) - query.limit, 0) :]
    return Answer(
        store.frame(shown),
        native_query(query),
        warnings=(*_notes(searched), *store.columns.notes, *warnings),
        truncated=f"the newest {len(shown):,} of {len(found):,} traces" if len(shown) < len(found) else "",
        empty_reason="" if len(found) else _why_empty(store, query, asked),
        signal="traces",
    )


def _notes(found: Found | None) -> list[str]:
    if found is None or not len(found.spans):
        return []
    spans, traces = len(found.spans), len(found.traces)
    return [
        f"the query finds {spans:,} {'span' if spans == 1 else 'spans'} "
        f"in {traces:,} {'trace' if traces == 1 else 'traces'}, which are shown whole"
    ]


def _of_numbers(store: TraceStore, query: TracesQuery, warnings: Sequence[str], stop: threading.Event) -> Answer:
    text = native_query(query)
    found = numbers(
        parse(text),
        text,
        store,
        start_ns=query.range.start_ns,
        end_ns=query.range.end_ns,
        step_ns=query.step_ns,
        only=store.numbered(query.trace_ids) if query.trace_ids else None,
        stop=stop,
    )
    frame = found.frame()
    inside = store.within(query.range.start_ns, query.range.end_ns)
    return Answer(
        frame,
        text,
        warnings=(*store.columns.notes, *warnings),
        empty_reason="" if len(frame) else why_no_numbers(store, inside),
        signal="metrics",
    )


def _asked(store: TraceStore, query: TracesQuery) -> Mask:
    """bool, one per trace: which are looked at; the range counts for nothing where traces are named."""
    if query.trace_ids:
        return store.numbered(query.trace_ids)
    return store.has_span(store.within(query.range.start_ns, query.range.end_ns))


def _why_empty(store: TraceStore, query: TracesQuery, asked: Mask) -> str:
    return why_no_id(store, query) if query.trace_ids else why_empty(store, query, asked)


def native_query(query: TracesQuery) -> str:
    """The question as TraceQL; trace ids stand alone where nothing else is asked."""
    if query.trace_ids and not query.text and not has_conditions(query):
        return ", ".join(query.trace_ids)
    if not has_conditions(query):
        return query.text or "{ }"
    conditions = conditions_query(
        service=query.service,
        operation=query.operation,
        status=query.status,
        min_duration_ns=query.min_duration_ns,
        max_duration_ns=query.max_duration_ns,
    )
    return combined(query.text, conditions)
