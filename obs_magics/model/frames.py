"""The frames: tidy, one row per observation, explicit dtypes. Metrics here, logs in `model.logs`.

A metrics frame has `timestamp` (datetime64[ns, UTC]) · `value` (float64) · `metric` (category) · one category column
per label, sorted by name; native histograms in a struct column `histogram`, present only when there are any. Rows of
one series stand together, in order of time. A label whose name is taken gets the prefix `label_`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.model.errors import BadAnswer

TIMESTAMP_DTYPE = pd.DatetimeTZDtype(unit="ns", tz="UTC")
STRING_DTYPE = pd.StringDtype("pyarrow", na_value=np.nan)
METRIC_COLUMNS = ("timestamp", "value", "metric")
RESERVED = frozenset({*METRIC_COLUMNS, "histogram"})
METRIC_NAME_LABEL = "__name__"

# count, sum and [(boundary rule, lower, upper, count)]: https://prometheus.io/docs/prometheus/latest/querying/api/#native-histograms
# The rule says which bounds belong to the bucket: 0 open left, 1 open right, 2 open both, 3 closed both.
HISTOGRAM_TYPE = pa.struct(
    [
        ("count", pa.float64()),
        ("sum", pa.float64()),
        (
            "buckets",
            pa.list_(
                pa.struct(
                    [("rule", pa.int8()), ("lower", pa.float64()), ("upper", pa.float64()), ("count", pa.float64())]
                )
            ),
        ),
    ]
)


def free_column(label: str, reserved: Collection[str]) -> str:
    """The column a label lives in: its own name, with `label_` before it when that is taken."""
    bare = label
    while bare.startswith("label_"):  # else `metric` and a label really named `label_metric` would meet in one column
        bare = bare.removeprefix("label_")
    return f"label_{label}" if bare in reserved else label


def label_column(label: str) -> str:
    """The column a label of a series lives in."""
    return free_column(label, RESERVED)


def label_columns(frame: pd.DataFrame) -> list[str]:
    """The columns of a metrics frame that hold labels."""
    return [str(name) for name in frame.columns if name not in RESERVED]


def categories(values: Sequence[str | None], counts: np.ndarray[Any, Any] | None = None) -> pd.Categorical:
    """One category per distinct string, in order of first appearance; None is missing.

    Args:
        values: One per series.
        counts: How often each is repeated (rows of that series); None for once.
    """
    index: dict[str, int] = {}
    codes = [-1 if value is None else index.setdefault(value, len(index)) for value in values]
    narrow = np.int8 if len(index) <= 127 else np.int16 if len(index) <= 32767 else np.int32
    array: np.ndarray[Any, np.dtype[np.signedinteger[Any]]] = np.asarray(codes, dtype=narrow)
    if counts is not None:
        array = np.repeat(array, counts)
    return pd.Categorical.from_codes(array, categories=pd.Index(list(index), dtype=STRING_DTYPE), validate=False)


def metrics_frame(
    labels: Sequence[Mapping[str, str]],
    counts: Sequence[int] | np.ndarray[Any, Any],
    timestamps_ns: np.ndarray[Any, Any],
    values: np.ndarray[Any, Any],
    histograms: pa.Array | None = None,
) -> pd.DataFrame:
    """Build a metrics frame from series that lie end to end.

    Args:
        labels: One mapping per series; `__name__` becomes the column `metric`.
        counts: Rows of each series.
        timestamps_ns: int64 nanoseconds since the epoch, one per row.
        values: float64, one per row; NaN where the row holds a histogram.
        histograms: `HISTOGRAM_TYPE`, one per row, null where the row holds a float; None when there are none.
    """
    repeats = np.asarray(counts, dtype=np.int64)
    if not len(repeats) == len(labels) or repeats.sum() != len(timestamps_ns) or len(timestamps_ns) != len(values):
        raise ValueError("labels, counts, timestamps and values do not belong together")
    instants = timestamps_ns.astype(np.int64, copy=False)
    data: dict[str, Any] = {
        "timestamp": pd.DatetimeIndex(instants, dtype=TIMESTAMP_DTYPE, copy=False),  # a view; tz_localize would copy
        "value": values.astype(np.float64, copy=False),
        "metric": categories([series.get(METRIC_NAME_LABEL) for series in labels], repeats),
    }
    names = sorted({name for series in labels for name in series if name != METRIC_NAME_LABEL})
    for name in names:
        data[label_column(name)] = categories([series.get(name) for series in labels], repeats)
    if histograms is not None:
        data["histogram"] = pd.Series(histograms, dtype=pd.ArrowDtype(HISTOGRAM_TYPE))
    return pd.DataFrame(data, copy=False)


def empty_metrics() -> pd.DataFrame:
    """A metrics frame with no rows and the right dtypes."""
    return metrics_frame([], [], np.empty(0, np.int64), np.empty(0, np.float64))


def series_ids(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """A number per row that says which series it belongs to, counted from 0 in order of first appearance."""
    columns = [name for name in ["metric", *label_columns(frame)] if name in frame.columns]
    if frame.empty or not columns:
        return np.zeros(len(frame), dtype=np.int64)
    return frame.groupby(columns, observed=True, sort=False, dropna=False).ngroup().to_numpy()


def check_metrics(frame: pd.DataFrame) -> None:
    """Raise `BadAnswer` when a frame is not a metrics frame; for adapters' tests and outside adapters."""
    expected: dict[str, Any] = {"timestamp": TIMESTAMP_DTYPE, "value": np.dtype(np.float64)}
    missing = [name for name in METRIC_COLUMNS if name not in frame.columns]
    if missing:
        raise BadAnswer(f"a metrics frame needs the columns {', '.join(missing)}", hint="build it with metrics_frame()")
    wrong = [
        f"{name} is {frame[name].dtype}, not {dtype}" for name, dtype in expected.items() if frame[name].dtype != dtype
    ]
    wrong += [
        f"{name} is {frame[name].dtype}, not category"
        for name in ["metric", *label_columns(frame)]
        if not isinstance(frame[name].dtype, pd.CategoricalDtype)
    ]
    if wrong:
        raise BadAnswer("; ".join(wrong), hint="build it with metrics_frame()")
