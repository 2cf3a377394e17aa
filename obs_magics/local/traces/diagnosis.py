"""Why a question for traces gave none: an unknown name or id, another time, or conditions that none fulfils."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from obs_magics.local.traces.conditions import (
    Condition,
    durations_of,
    has_conditions,
    matching,
    names_of,
    seconds,
    spans_of,
)
from obs_magics.local.traces.store import Mask, TraceStore
from obs_magics.model.errors import did_you_mean
from obs_magics.model.query import TracesQuery

_SHOWN = 8


def why_no_id(store: TraceStore, query: TracesQuery) -> str:
    """Why no trace was found among the ids asked for."""
    known = int(store.numbered(query.trace_ids).sum())
    if known:
        return f"{_count(known, 'trace')} found by id, but not one that fulfils what else is asked"
    ids = ", ".join(query.trace_ids[:_SHOWN])
    return f"no trace has the id {ids}; {_there_are_traces(store)}"


def why_empty(store: TraceStore, query: TracesQuery, inside: Mask) -> str:
    """Why no trace was found.

    Args:
        store: The spans.
        query: What was asked.
        inside: bool, one per trace: which have a span in the range.
    """
    unknown = _unknown(store, query)
    if unknown:
        return unknown
    fits = matching(store, query)
    if not fits.any():
        return _never(store, query)
    found = int((inside & fits).sum())
    if not found:
        return _elsewhere(store, fits)
    beside = "fulfil the conditions in this range" if has_conditions(query) else "in this range"
    return f"{_count(found, 'trace')} {beside}, but the query finds no span in {'it' if found == 1 else 'them'}"


def why_no_numbers(store: TraceStore, inside: Mask) -> str:
    """Why a query for numbers over time gave none; `inside`: bool, one per span, which start in the range."""
    if not inside.any():
        return _elsewhere(store, np.ones(store.traces, bool))
    return f"{_count(int(inside.sum()), 'span')} in this range, but the query gives no number for any"


def _unknown(store: TraceStore, query: TracesQuery) -> str:
    """A name that no span has."""
    if query.service is not None and query.service not in store.services:
        return f"no span is of the service {query.service!r}; {_near(query.service, store.services)}"
    names = store.operations(query.service)
    if query.operation is not None and query.operation not in names:
        of = "" if query.service is None else f" of {query.service}"
        return f"no span{of} is named {query.operation!r}; {_near(query.operation, names)}"
    return ""


def _never(store: TraceStore, query: TracesQuery) -> str:
    """All names are known, yet no trace at any time fulfils everything."""
    named, lasting = names_of(store, query), durations_of(store, query)
    if not spans_of(store, query).any():
        return _no_span(store, named, lasting)
    whose = "" if query.service is None else f" of {query.service}"
    among = " among the traces that fulfil the rest" if query.operation is not None or lasting else ""
    wanted = "failed span" if query.status == "error" else "trace without a failed span"
    return f"there is no {wanted}{whose}{among}"


def _no_span(store: TraceStore, named: Sequence[Condition], lasting: Sequence[Condition]) -> str:
    """No span is named so and takes so long; how long those take that are named so."""
    words = " ".join(["no span", *(words for words, _ in named), "takes"])
    rows = np.logical_and.reduce([np.ones(len(store), bool), *(mask for _, mask in named)])
    found = store.columns.duration_ns[rows]
    are = "there is" if len(found) == 1 else "there are"
    extent = f"{seconds(int(found.min()))} to {seconds(int(found.max()))}"
    return f"{words} {' and '.join(one for one, _ in lasting)}; {are} {_count(len(found), 'such span')} of {extent}"


def _elsewhere(store: TraceStore, traces: Mask) -> str:
    starts = store.columns.start_ns[np.repeat(traces, np.diff(store.offsets))]
    what = "the traces" if traces.all() else "such traces"
    return (
        f"{what} lie between {_time(int(starts.min()))} and {_time(int(starts.max()))} UTC, "
        "with no span in the range asked for"
    )


def _there_are_traces(store: TraceStore) -> str:
    first, last = store.extent_ns or (0, 0)
    return f"there are {_count(store.traces, 'trace')}, between {_time(first)} and {_time(last)} UTC"


def _near(name: str, known: Sequence[str]) -> str:
    near = did_you_mean(name, known)
    if near or not known:
        return near or "there is none at all"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"there {'is' if len(known) == 1 else 'are'} {', '.join(known[:_SHOWN])}{more}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing if number == 1 else thing + 's'}"


def _time(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
