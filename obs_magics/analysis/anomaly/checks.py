"""What a frame must be to be looked at: clear words for whoever made it by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from obs_magics.display import histograms
from obs_magics.model.errors import UsageError

Array = np.ndarray[Any, Any]

_HINT = "build it with metrics_frame()"
_COLUMNS = ("timestamp", "value")


def checked(frame: object) -> pd.DataFrame:
    """The frame, without rows that have no time; of columns and types that can be looked at.

    Raises:
        UsageError: It is no frame, `timestamp` or `value` is missing or there twice, or is no time or no number.
    """
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"a metrics frame is looked at, not a {type(frame).__name__}", hint=_HINT)
    if frame.empty:
        return frame
    names = list(frame.columns)
    missing = [name for name in _COLUMNS if name not in names]
    if missing == ["value"] and histograms.has_histograms(frame):
        missing = []
    if missing:
        raise UsageError(f"a metrics frame needs the column {' and '.join(missing)}", hint=_HINT)
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"columns are there twice: {', '.join(twice)}", hint="frame.loc[:, ~frame.columns.duplicated()]"
        )
    known = times_of(frame) != pd.NaT.value
    return frame if known.all() else frame[known]


def plain(frame: object) -> pd.DataFrame:
    """The same, its values as float64."""
    known = checked(frame)
    if known.empty or ("value" in known.columns and known["value"].dtype == np.float64):
        return known
    return known.assign(value=values_of(known))


def times_of(frame: pd.DataFrame) -> Array:
    """Instants of the rows, int64 nanoseconds; `NaT.value` for none.

    Raises:
        UsageError: They are no instants: of another type, or without a time zone.
    """
    times = frame["timestamp"]
    if isinstance(times.dtype, np.dtype) and times.dtype.kind == "M":
        raise UsageError(
            "the timestamps have no time zone", hint='frame["timestamp"] = frame["timestamp"].dt.tz_localize("UTC")'
        )
    try:
        known = times.astype("datetime64[ns, UTC]")
    except (TypeError, ValueError, pd.errors.OutOfBoundsDatetime) as problem:
        raise UsageError(
            f"the column timestamp holds {times.dtype}, which is no time: {problem}", hint="use pandas.to_datetime"
        ) from problem
    return np.asarray(known.astype("int64"))


def values_of(frame: pd.DataFrame) -> Array:
    """Values of the rows as float64; native histograms count with their mean.

    Raises:
        UsageError: They are no real numbers.
    """
    if histograms.has_histograms(frame):
        return np.asarray(histograms.mean(frame), dtype=np.float64)
    values = frame["value"]
    try:
        if values.dtype.kind == "c":
            raise TypeError("complex numbers have no order")
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as problem:
        raise UsageError(
            f"the column value holds {values.dtype}, which are no numbers: {problem}",
            hint='frame["value"] = pandas.to_numeric(frame["value"], errors="coerce")',
        ) from problem
