"""Traces by what is asked of them in words: services, operations, durations, states."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.traces.store import ERROR, Mask, TraceStore
from obs_magics.model.query import TracesQuery

Condition: TypeAlias = tuple[str, Mask]
"""What is asked of a span, in words, and the spans for which it holds."""


def has_conditions(query: TracesQuery) -> bool:
    """Whether anything but a query, trace ids and the range is asked for."""
    words = (query.service, query.operation, query.status, query.min_duration_ns, query.max_duration_ns)
    return any(word is not None for word in words)


def matching(store: TraceStore, query: TracesQuery) -> Mask:
    """bool, one per trace: which fulfil all conditions; the range and the query's text are not looked at."""
    found = store.has_span(spans_of(store, query))
    if query.status is None:
        return found
    failed = store.columns.status == ERROR
    if query.service is not None:
        failed = failed & of_service(store, query.service)
    wanted: Mask = found & (store.has_span(failed) == (query.status == "error"))
    return wanted


def spans_of(store: TraceStore, query: TracesQuery) -> Mask:
    """bool, one per span: for which of them the conditions on one span hold."""
    keep = np.ones(len(store), bool)
    for _, mask in (*names_of(store, query), *durations_of(store, query)):
        keep &= mask
    return keep


def names_of(store: TraceStore, query: TracesQuery) -> list[Condition]:
    """The conditions on names that have to hold for one span together."""
    found = []
    if query.service is not None:
        found.append((f"of {query.service}", of_service(store, query.service)))
    if query.operation is not None:
        found.append((f"named {query.operation!r}", _equal(store.columns.operation, query.operation)))
    return found


def durations_of(store: TraceStore, query: TracesQuery) -> list[Condition]:
    """The conditions on durations that have to hold for the same span."""
    found, lasting = [], store.columns.duration_ns
    if query.min_duration_ns is not None:
        found.append((f"at least {seconds(query.min_duration_ns)}", lasting >= query.min_duration_ns))
    if query.max_duration_ns is not None:
        found.append((f"at most {seconds(query.max_duration_ns)}", lasting <= query.max_duration_ns))
    return found


def of_service(store: TraceStore, service: str) -> Mask:
    """bool, one per span: which are of a service."""
    return _equal(store.columns.service, service)


def _equal(values: pa.Array, text: str) -> Mask:
    found: Mask = pc.equal(values, text).fill_null(False).to_numpy(zero_copy_only=False)
    return found


def seconds(nanoseconds: int) -> str:
    """A duration in the unit that it is read in best: `1.5 s`."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:g} {unit}"
    return f"{nanoseconds} ns"
