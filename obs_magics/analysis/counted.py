"""Logs and spans as series: lines by service and level, requests, errors and durations by service, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.model.frames import empty_metrics, metrics_frame
from obs_magics.model.logs import LEVELS, UNKNOWN
from obs_magics.model.query import choose_step
from obs_magics.model.spans import DURATION_DTYPE
from obs_magics.model.time import SECOND, TimeRange

Array = np.ndarray[Any, Any]

MOST_POINTS, FEWEST_POINTS = 240, 90
_A_STRETCH = 8  # lines or spans in a stretch, about
_LEAST_STEP_NS = 10 * SECOND
_ENTRY_KINDS = ("server", "consumer")

COUNT_UNITS: Mapping[str, str] = {
    "lines": "{lines}",
    "requests": "{requests}",
    "errors": "{requests}",
    "duration_p95": "s",
}
"""Units of the series that are counted here, by their metric."""


def counted_lines(
    frame: pd.DataFrame, *, span_ns: tuple[int, int] | None = None, step_ns: int | None = None
) -> pd.DataFrame:
    """How many log lines there are in each stretch of time, by service and level.

    Args:
        frame: A logs frame.
        span_ns: From when to when lines were looked for; None for the times of the lines.
        step_ns: Length of a stretch; None for a readable one of 10 s or more that gives at most 240, and at most one
            for eight lines (90 where that would be fewer).

    Returns:
        A metrics frame: `metric` is `lines`, with the labels `level` and `service`; a stretch without lines has 0.
    """
    if frame.empty:
        return empty_metrics()
    times = frame["timestamp"].astype("int64").to_numpy()
    places, starts = _stretches(times, step_ns, span_ns)
    levels = frame["level"].cat.codes.to_numpy().astype(np.int64)
    services, names = _services(frame)
    series = services * (len(LEVELS) + 1) + levels + 1
    found, rows = np.unique(series, return_inverse=True)
    counts = np.bincount(rows * len(starts) + places, minlength=len(found) * len(starts)).astype(np.float64)
    words = (UNKNOWN, *LEVELS)
    labels = [
        {"__name__": "lines", "level": words[one % len(words)], **_service(names, one // len(words))}
        for one in found.tolist()
    ]
    return _frame(labels, starts, counts.reshape(len(found), -1))


def counted_spans(frame: pd.DataFrame, *, step_ns: int | None = None) -> pd.DataFrame:
    """How many requests each service answered in each stretch of time, how many failed, and how long they took.

    Requests are spans of kind server or consumer; where there are none, all spans count.

    Args:
        frame: A spans frame.
        step_ns: As in `counted_lines`.

    Returns:
        A metrics frame with the metrics `requests`, `errors` (0 where there are none) and `duration_p95` (seconds;
        missing where there is no request), labelled by `service`.
    """
    entries = frame[frame["kind"].isin(_ENTRY_KINDS)]
    spans = entries if len(entries) else frame
    if spans.empty:
        return empty_metrics()
    times = spans["start"].astype("int64").to_numpy()
    places, starts = _stretches(times, step_ns)
    services, names = _services(spans)
    found, rows = np.unique(services, return_inverse=True)
    cells, size = rows * len(starts) + places, len(found) * len(starts)
    failed = (spans["status"] == "error").to_numpy()
    lasted = spans["duration"].to_numpy(dtype=DURATION_DTYPE).view(np.int64) / 1e9
    tables = {
        "requests": np.bincount(cells, minlength=size).astype(np.float64),
        "errors": np.bincount(cells[failed], minlength=size).astype(np.float64),
        "duration_p95": _quantile(cells, lasted, size, 0.95),
    }
    labels = [{"__name__": name, **_service(names, one)} for name in tables for one in found.tolist()]
    return _frame(labels, starts, np.concatenate([one.reshape(len(found), -1) for one in tables.values()]))


def _stretches(times: Array, step_ns: int | None, span_ns: tuple[int, int] | None = None) -> tuple[Array, Array]:
    """In which stretch each instant lies, and where the stretches begin."""
    first_ns, last_ns = int(times.min()), int(times.max())
    if span_ns is not None:  # its last nanosecond is not in it
        first_ns, last_ns = min(first_ns, span_ns[0]), max(last_ns, span_ns[1] - 1)
    span = TimeRange(first_ns, last_ns)
    # Where there are few, a short stretch would hold one or none, which tells nothing.
    points = min(max(len(times) // _A_STRETCH, FEWEST_POINTS), MOST_POINTS)
    step = step_ns or max(choose_step(span, points), _LEAST_STEP_NS)
    first = span.start_ns // step
    return times // step - first, (np.arange(first, span.end_ns // step + 1)) * step


def _services(frame: pd.DataFrame) -> tuple[Array, Sequence[str]]:
    """A number for the service of each row, 0 for none, and the names from 1 on."""
    column = frame["service"]
    codes = column.cat.codes.to_numpy().astype(np.int64) + 1
    return codes, ["", *map(str, column.cat.categories)]


def _service(names: Sequence[str], code: int) -> dict[str, str]:
    return {"service": names[code]} if names[code] else {}


def _quantile(cells: Array, values: Array, size: int, share: float) -> Array:
    """The quantile of the values of each cell (nearest rank); NaN where there is none."""
    order = np.lexsort((values, cells))
    counts = np.bincount(cells, minlength=size)
    ends = np.cumsum(counts)
    picked = ends - counts + np.maximum(np.ceil(share * counts).astype(np.int64) - 1, 0)
    there = counts > 0
    quantiles = np.full(size, np.nan)
    quantiles[there] = values[order][picked[there]]
    return quantiles


def _frame(labels: Sequence[Mapping[str, str]], starts: Array, table: Array) -> pd.DataFrame:
    """A metrics frame of a table with one row per series; what is NaN is left out."""
    there: Array = np.isfinite(table)
    counts: list[int] = there.sum(axis=1).tolist()
    times = np.broadcast_to(starts, table.shape)[there]
    kept = [one for one, count in zip(labels, counts, strict=True) if count]
    return metrics_frame(kept, [count for count in counts if count], times, table[there])
