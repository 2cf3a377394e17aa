"""Conditions held against whole traces after they came: what an API cannot be asked for, or did not heed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from obs_magics.model.query import TracesQuery

Mask: TypeAlias = npt.NDArray[np.bool_]


def matching(frame: pd.DataFrame, query: TracesQuery) -> Mask:
    """Which spans are of a trace that fulfils all conditions; see `TracesQuery` for what each means."""
    codes = trace_codes(frame)
    traces = int(codes.max()) + 1 if len(codes) else 0
    held = np.ones(traces, bool)
    for spans, wanted in _conditions(frame, query):
        held &= (np.bincount(codes[spans], minlength=traces) > 0) == wanted
    rows: Mask = held[codes]
    return rows


def newest(frame: pd.DataFrame, limit: int) -> pd.DataFrame:
    """The traces whose first span starts last; all where there are no more than `limit`."""
    codes = trace_codes(frame)
    first = int(codes[-1]) - limit + 1 if len(codes) else 0
    return frame[codes >= first].reset_index(drop=True) if first > 0 else frame


def count_traces(frame: pd.DataFrame) -> int:
    """How many traces there are."""
    return int(frame["trace_id"].nunique())


def trace_codes(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """The number of each span's trace; traces stand in order of their first span."""
    codes: npt.NDArray[np.int64] = pd.factorize(frame["trace_id"])[0].astype(np.int64)
    return codes


def _conditions(frame: pd.DataFrame, query: TracesQuery) -> Iterator[tuple[Mask, bool]]:
    """Spans of a kind, and whether a trace has to have one of them, or none."""
    every = np.ones(len(frame), bool)
    own = every if query.service is None else _are(frame["service"], query.service)
    named = own if query.operation is None else own & _are(frame["operation"], query.operation)
    failed = own & _are(frame["status"], "error")
    duration = frame["duration"].to_numpy().astype(np.int64)
    if not query.trace_ids:
        start = frame["start"].astype(np.int64).to_numpy()
        yield (start >= query.range.start_ns) & (start <= query.range.end_ns), True
    yield named, True
    if query.status is not None:
        yield failed, query.status == "error"
    if query.min_duration_ns is not None:
        yield named & (duration >= query.min_duration_ns), True
    if query.max_duration_ns is not None:
        yield named & (duration <= query.max_duration_ns), True


def _are(column: pd.Series[Any], value: str) -> Mask:
    equal: Mask = (column == value).to_numpy(dtype=bool)
    return equal
