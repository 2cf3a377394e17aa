"""The logs frame: one row per log entry, in order of time. See DESIGN section 3.

A logs frame has `timestamp` (datetime64[ns, UTC]) · `level` (ordered category, trace < … < fatal, missing when unknown)
· `service` (category) · `message` (string) · `trace_id` · `span_id` (strings, lower-case hex) · one column per label or
attribute, sorted by name: a category for what tells streams apart, a string for what differs from line to line. A label
whose name is taken gets the prefix `label_`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.model.errors import BadAnswer
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE, categories, free_column

Array = np.ndarray[Any, Any]
Level = Literal["trace", "debug", "info", "warn", "error", "fatal"]

LEVELS: tuple[Level, ...] = get_args(Level)
"""From the least severe to the most: the position is the code in a frame's `level`; -1 is unknown."""
LEVEL_DTYPE = pd.CategoricalDtype(pd.Index(list(LEVELS), dtype=STRING_DTYPE), ordered=True)
LOG_COLUMNS = ("timestamp", "level", "service", "message", "trace_id", "span_id")
LOG_RESERVED = frozenset(LOG_COLUMNS)
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Volume:
    """How many lines there are over time, by level, as the source itself counted them.

    Args:
        start_ns: Where the first bar begins, in nanoseconds since the epoch.
        step_ns: Width of a bar.
        counts: Lines per bar, by level (those of `LEVELS` and `unknown`); all of one length.
    """

    start_ns: int
    step_ns: int
    counts: Mapping[str, tuple[int, ...]]

    @property
    def total(self) -> int:
        """All lines."""
        return sum(map(sum, self.counts.values()))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "counts": {level: list(counts) for level, counts in self.counts.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Volume:
        """From what `to_dict` gave."""
        counts = {level: tuple(counts) for level, counts in data["counts"].items()}
        return cls(int(data["start_ns"]), int(data["step_ns"]), counts)


def levels_from(level: Level) -> tuple[Level, ...]:
    """The levels that are at least as severe.

    >>> levels_from("error")
    ('error', 'fatal')
    """
    return LEVELS[LEVELS.index(level) :]


def log_label_column(label: str) -> str:
    """The column a label of a log line lives in."""
    return free_column(label, LOG_RESERVED)


def log_label_columns(frame: pd.DataFrame) -> list[str]:
    """The columns of a logs frame that hold labels and attributes."""
    return [str(name) for name in frame.columns if name not in LOG_RESERVED]


def logs_frame(
    timestamps_ns: Array,
    messages: pa.Array | pa.ChunkedArray,
    *,
    level_codes: Array,
    service: pd.Categorical,
    trace_id: pa.Array | pa.ChunkedArray | None = None,
    span_id: pa.Array | pa.ChunkedArray | None = None,
    labels: Mapping[str, pd.Categorical | pa.Array | pa.ChunkedArray],
) -> pd.DataFrame:
    """Build a logs frame from columns of one length; the caller has brought them into the order of time.

    Args:
        timestamps_ns: int64 nanoseconds since the epoch.
        messages: Strings.
        level_codes: Positions in `LEVELS`, -1 where unknown.
        service: Missing where unknown.
        trace_id: Strings, null where there is none; None when no line has one.
        span_id: Likewise.
        labels: By the label's own name (not the column's).
    """
    rows = len(timestamps_ns)
    data: dict[str, Any] = {
        "timestamp": pd.DatetimeIndex(timestamps_ns.astype(np.int64, copy=False), dtype=TIMESTAMP_DTYPE, copy=False),
        "level": pd.Categorical.from_codes(level_codes.astype(np.int8, copy=False), dtype=LEVEL_DTYPE, validate=False),
        "service": service,
        "message": text_column(messages),
        "trace_id": text_column(pa.nulls(rows, pa.string()) if trace_id is None else trace_id),
        "span_id": text_column(pa.nulls(rows, pa.string()) if span_id is None else span_id),
    }
    for name in sorted(labels):
        values = labels[name]
        data[log_label_column(name)] = values if isinstance(values, pd.Categorical) else text_column(values)
    if any(len(column) != rows for column in data.values()):
        raise ValueError("the columns do not have one length")
    return pd.DataFrame(data, copy=False)


def text_column(values: pa.Array | pa.ChunkedArray) -> pd.Series[Any]:
    """Arrow strings as a column of `STRING_DTYPE`, without a copy where that can be."""
    large = values.cast(pa.large_string())
    chunked = large if isinstance(large, pa.ChunkedArray) else pa.chunked_array([large], pa.large_string())
    array_type: Any = STRING_DTYPE.construct_array_type()
    return pd.Series(array_type(chunked, dtype=STRING_DTYPE), copy=False)


def empty_logs() -> pd.DataFrame:
    """A logs frame with no rows and the right dtypes."""
    return logs_frame(
        np.empty(0, np.int64),
        pa.array([], pa.string()),
        level_codes=np.empty(0, np.int8),
        service=categories([]),
        labels={},
    )


def check_logs(frame: pd.DataFrame) -> None:
    """Raise `BadAnswer` when a frame is not a logs frame; for adapters' tests and outside adapters."""
    expected: dict[str, Any] = {
        "timestamp": TIMESTAMP_DTYPE,
        "level": LEVEL_DTYPE,
        "message": STRING_DTYPE,
        "trace_id": STRING_DTYPE,
        "span_id": STRING_DTYPE,
    }
    missing = [name for name in LOG_COLUMNS if name not in frame.columns]
    if missing:
        raise BadAnswer(f"a logs frame needs the columns {', '.join(missing)}", hint="build it with logs_frame()")
    wrong = [
        f"{name} is {frame[name].dtype}, not {dtype}" for name, dtype in expected.items() if frame[name].dtype != dtype
    ]
    if not isinstance(frame["service"].dtype, pd.CategoricalDtype):
        wrong.append(f"service is {frame['service'].dtype}, not category")
    wrong += [
        f"{name} is {frame[name].dtype}, not category or string"
        for name in log_label_columns(frame)
        if not (isinstance(frame[name].dtype, pd.CategoricalDtype) or frame[name].dtype == STRING_DTYPE)
    ]
    if not frame["timestamp"].is_monotonic_increasing:
        wrong.append("the rows are not in order of time")
    if wrong:
        raise BadAnswer("; ".join(wrong), hint="build it with logs_frame()")
