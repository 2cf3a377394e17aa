"""Spans frames made up deterministically, for the speed of their analysis and its equality with a recursion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.model.frames import categories
from obs_magics.model.spans import ATTRIBUTES_TYPE, KINDS, spans_frame

Array = np.ndarray[Any, Any]

START_NS = 1_795_341_600_000_000_000
_SERVICES = tuple(f"service-{number}" for number in range(12))
_QUERIES = tuple(f"SELECT * FROM t{number} WHERE id IN (1, 2)" for number in range(9))
_WINDOW = 8  # how far back a parent may stand


def ordinary(traces: int, spans: int, seed: int = 7) -> pd.DataFrame:
    """Traces in which children begin one after the other, some beside each other, some outlasting their parents."""
    random = np.random.default_rng(seed)
    parent = np.full((traces, spans), -1)
    for place in range(1, spans):
        parent[:, place] = random.integers(max(0, place - _WINDOW), place, traces)
    begin, end = np.zeros((2, traces, spans), dtype=np.int64)
    end[:, 0] = random.integers(10**7, 10**10, traces)
    rows = np.arange(traces)
    for place in range(1, spans):
        low, high = begin[rows, parent[:, place]], end[rows, parent[:, place]]
        first, last = np.sort(random.random((2, traces)), axis=0)
        begin[:, place] = low + ((high - low) * first).astype(np.int64)
        end[:, place] = low + ((high - low) * np.minimum(last * 1.02, 1.01)).astype(np.int64)
    begin += np.arange(traces)[:, None] * 10**9
    end += np.arange(traces)[:, None] * 10**9
    return _frame(parent, begin, np.maximum(end, begin), random)


def chain(spans: int) -> pd.DataFrame:
    """One trace in which every span has one child, somewhat shorter."""
    place = np.arange(spans, dtype=np.int64)
    return _frame(place[None] - 1, place[None] * 1000, 10**10 - place[None] * 1000, np.random.default_rng(7))


def fan(spans: int) -> pd.DataFrame:
    """One trace in which the root has all other spans as children, back to back."""
    place = np.arange(spans, dtype=np.int64)
    parent, begin = np.where(place, 0, -1), np.maximum(place - 1, 0) * 1000
    return _frame(
        parent[None], begin[None], np.where(place, begin + 1000, spans * 1000)[None], np.random.default_rng(7)
    )


def _frame(parent: Array, begin: Array, end: Array, random: np.random.Generator) -> pd.DataFrame:
    """Of places of parents within their traces, and times from the start."""
    traces, spans = parent.shape
    count = traces * spans
    ids = np.array([f"{number:016x}" for number in random.integers(1, 2**62, count).tolist()], dtype=object)
    above = np.where(parent < 0, 0, parent) + np.arange(traces)[:, None] * spans
    failed = random.random(count) < 0.02
    attributes = [
        [("db.query.text", _QUERIES[number % len(_QUERIES)]), ("request.id", ids[number])] if number % 4 == 3 else []
        for number in range(count)
    ]
    return spans_frame(
        trace_id=pa.array(np.repeat([f"{number + 1:032x}" for number in range(traces)], spans).tolist()),
        span_id=pa.array(ids.tolist()),
        parent_id=pa.array(ids[above.ravel()].tolist(), mask=parent.ravel() < 0),
        service=categories([_SERVICES[number] for number in random.integers(0, len(_SERVICES), count)]),
        operation=categories([f"GET /{number}" for number in random.integers(0, 40, count)]),
        kind_codes=random.integers(0, KINDS.index("client") + 1, count),
        start_ns=START_NS + begin.ravel(),
        duration_ns=(end - begin).ravel(),
        status_codes=np.where(failed, 2, 0),
        status_message=pa.array(["no answer"] * count, mask=~failed),
        attributes=pa.array(attributes, ATTRIBUTES_TYPE),
    )
