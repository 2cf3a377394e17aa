"""Evaluates queries of TraceQL over a store."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

import numpy as np

from obs_magics.local.traceql.sets import whole_traces
from obs_magics.local.traceql.stages import run
from obs_magics.local.traceql.values import Integers
from obs_magics.local.traceql.view import View
from obs_magics.local.traces.store import Mask, TraceStore
from obs_magics.model.errors import QueryError
from obs_magics.syntax.traceql.tree import Pipeline


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Args:
        traces: int64, ascending: numbers of traces in the store.
        spans: int64, ascending: the spans that the query gives, positions in the store.
    """

    traces: Integers
    spans: Integers


def search(query: Pipeline, text: str, store: TraceStore, traces: Mask, stop: Event | None = None) -> Found:
    """The traces in which a query finds spans.

    Args:
        query: One that gives spans.
        text: The query as it was written, for errors.
        store: The spans.
        traces: bool, one per trace: which are looked at, all of their spans.
        stop: When set, the evaluation ends soon with `Stopped`.

    Raises:
        QueryError: It asks for what the engine cannot do.
    """
    view = View(store, traces, stop)
    try:
        found = run(query.stages, whole_traces(view), view)
    except QueryError as problem:
        problem.query = problem.query or text
        raise
    spans = view.rows[np.unique(found.rows)]
    return Found(np.unique(store.trace[spans]), spans)
