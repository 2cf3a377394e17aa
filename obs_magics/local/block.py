"""Metrics in memory: rows as a reader gives them, and the block of sorted series that they are put together to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from obs_magics.local.labels import sort_key
from obs_magics.local.promql.data import STALE_BITS
from obs_magics.model.catalog import MetricInfo
from obs_magics.model.frames import HISTOGRAM_TYPE

Array = np.ndarray[Any, Any]

# The value that ends a series.
STALE = float(np.array([STALE_BITS]).view(np.float64)[0])


@dataclass(frozen=True, slots=True)
class Rows:
    """Samples in any order, as a reader found them.

    Args:
        labels: One mapping per series, `__name__` included; the same set may stand more than once.
        series: int, one per sample: an index into `labels`.
        timestamps_ms: int64 milliseconds since the epoch, one per sample.
        values: float64, one per sample; NaN where there is a histogram.
        histograms: `HISTOGRAM_TYPE`, one per sample, null where there is a float; None when there are none.
        metadata: What the file tells of its metrics, by name.
    """

    labels: Sequence[Mapping[str, str]]
    series: Array
    timestamps_ms: Array
    values: Array
    histograms: pa.Array | None = None
    metadata: Mapping[str, MetricInfo] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """Series end to end, in the order of `labels.sort_key`, each sorted by time without repeats.

    Args:
        labels: One mapping per series.
        offsets: int64, one more than series: the samples of series i are `offsets[i]` up to `offsets[i + 1]`.
        timestamps_ms: int64 milliseconds since the epoch.
        values: float64.
        histograms: As in `Rows`.
        metadata: By metric name.
        repeated: How many samples were left out because a later one has the same series and time.
    """

    labels: Sequence[Mapping[str, str]]
    offsets: Array
    timestamps_ms: Array
    values: Array
    histograms: pa.Array | None = None
    metadata: Mapping[str, MetricInfo] = field(default_factory=dict)
    repeated: int = 0


def assemble(parts: Iterable[Rows]) -> Block:
    """Put rows of several files together: equal label sets become one series, the last of equal times wins."""
    parts = list(parts)
    known: dict[tuple[tuple[str, str], ...], int] = {}
    renumbered = [_renumber(part, known) for part in parts]
    keys = [dict(key) for key in known]
    order = sorted(range(len(keys)), key=lambda index: sort_key(keys[index]))
    place = np.empty(len(keys), np.int64)
    place[order] = np.arange(len(keys))
    series = place[_joined(renumbered, np.int64)]
    times = _joined([part.timestamps_ms for part in parts], np.int64)
    rows = np.lexsort((times, series))  # stable: of equal times the one read last stands last
    last = np.ones(len(rows), dtype=bool)
    last[:-1] = (np.diff(series[rows]) != 0) | (np.diff(times[rows]) != 0)
    rows = rows[last]
    return Block(
        labels=[keys[index] for index in order],
        offsets=np.searchsorted(series[rows], np.arange(len(keys) + 1)),
        timestamps_ms=times[rows],
        values=_joined([part.values for part in parts], np.float64)[rows],
        histograms=_joined_histograms(parts, rows),
        metadata={name: info for part in parts for name, info in part.metadata.items()},
        repeated=len(last) - len(rows),
    )


def _renumber(part: Rows, known: dict[tuple[tuple[str, str], ...], int]) -> Array:
    """The part's series numbers as numbers of all parts together; an empty label counts as none."""
    used, positions = np.unique(part.series, return_inverse=True)
    keys = [tuple(sorted((key, value) for key, value in part.labels[one].items() if value)) for one in used]
    numbers = [known.setdefault(key, len(known)) for key in keys]
    return np.asarray(numbers, np.int64)[positions]


def _joined(arrays: Sequence[Array], dtype: Any) -> Array:
    return np.concatenate([np.empty(0, dtype), *(array.astype(dtype, copy=False) for array in arrays)])


def _joined_histograms(parts: Sequence[Rows], rows: Array) -> pa.Array | None:
    if all(part.histograms is None for part in parts):
        return None
    chunks = [
        pa.nulls(len(part.values), HISTOGRAM_TYPE) if part.histograms is None else part.histograms for part in parts
    ]
    joined: pa.Array = pa.concat_arrays(chunks).take(pa.array(rows))
    return joined
