"""Native histograms as lines: their estimated quantiles, and their mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Array = np.ndarray[Any, Any]


def has_histograms(frame: pd.DataFrame) -> bool:
    """Whether any row of a metrics frame holds a native histogram."""
    return "histogram" in frame.columns and bool(frame["histogram"].notna().any())


def mean(frame: pd.DataFrame) -> Array:
    """Sum over count of each row's histogram; the row's own value where it holds none. float64, one per row."""
    column = _column(frame)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = _floats(pc.struct_field(column, "sum")) / _floats(pc.struct_field(column, "count"))
    return np.where(frame["histogram"].isna(), frame["value"].to_numpy(dtype=np.float64), means)


def quantile(frame: pd.DataFrame, share: float) -> Array:
    """The estimated quantile of each row's histogram; NaN where the row holds none. float64, one per row.

    Linear inside a bucket, as Prometheus estimates classic ones
    (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile); the first bucket that reaches
    `share` of the observations holds the quantile.
    """
    column = _column(frame)
    buckets = pc.struct_field(column, "buckets")
    sizes = np.nan_to_num(_floats(pc.list_value_length(buckets))).astype(np.int64)
    flat = buckets.flatten()  # of the rows that are there, in order
    lower, upper, counts = (_floats(pc.struct_field(flat, name)) for name in ("lower", "upper", "count"))
    result = np.full(len(sizes), np.nan)
    rows = np.flatnonzero(sizes)
    if not len(rows):
        return result
    ends = np.cumsum(sizes[rows])
    total = np.cumsum(counts)
    before = np.concatenate([[0.0], total[ends[:-1] - 1]])
    goal = before + share * (total[ends - 1] - before)
    place = np.minimum(np.searchsorted(total, goal, side="left"), ends - 1)
    place = np.maximum(place, ends - sizes[rows])
    low = np.where(np.isfinite(lower), lower, upper)[place]
    high = np.where(np.isfinite(upper), upper, lower)[place]
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = (goal - (total[place] - counts[place])) / counts[place]
    result[rows] = low + (high - low) * np.nan_to_num(np.clip(inside, 0, 1))
    return result


def _column(frame: pd.DataFrame) -> pa.Array:
    array = frame["histogram"].array.__arrow_array__()  # pandas' own protocol: an Array or a ChunkedArray
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _floats(array: pa.Array) -> Array:
    return np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
