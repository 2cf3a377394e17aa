"""Which spans are the slow ones, which the failing ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from obs_magics.display.units import count_text, format_value
from obs_magics.model.errors import UsageError
from obs_magics.model.spans import STATUSES

By = Literal["duration", "error"]

QUANTILE = 0.95
LEAST_SPANS = 20
"""Fewer spans of one operation have no slowest twentieth."""

DEFINING: Mapping[By, tuple[str, ...]] = {
    "duration": (),
    # What a failing span has because it fails (OpenTelemetry, "Recording errors", and its mapping to other formats).
    "error": ("status_message", "error", "otel.status_code", "otel.status_description"),
}
"""Attributes that make a split, so that they tell it trivially: for `ignore`."""


def split_spans(
    frame: pd.DataFrame, by: By = "duration", *, threshold: pd.Timedelta | None = None
) -> tuple[pd.Series[Any], str]:
    """Mark the slow or the failing spans.

    Args:
        frame: A spans frame.
        by: `duration`: longer than the 95th percentile of spans of the same service and operation, so that operations
            that are slow by nature are not the slow ones; operations of fewer than 20 spans have none. `error`: status
            error.
        threshold: Of `duration`: slow is what takes at least so long, whatever the operation. Compare such spans
            `within=("service", "operation")`, or the operation is what tells them.

    Returns:
        Which spans they are (bool, with the frame's index), and what they are called: "spans slower than the 95th
        percentile of their operation".

    Raises:
        UsageError: There is no such `by`, or a threshold for errors, or one below zero.
    """
    if by not in get_args(By):
        raise UsageError(f"cannot split spans by {by!r}", hint="by duration or by error")
    if by == "error":
        if threshold is not None:
            raise UsageError("a threshold is of durations", hint="leave it out, or split by duration")
        failed = frame["status"].cat.codes.to_numpy() == STATUSES.index("error")
        return pd.Series(failed, index=frame.index, name="selected"), "failing spans"
    if threshold is not None:
        limit = _limit(threshold)
        slow = (frame["duration"] >= limit).to_numpy()
        said = f"spans of at least {format_value(limit.total_seconds(), 's')}"
        return pd.Series(slow, index=frame.index, name="selected"), said
    return _slowest(frame)


def _limit(threshold: pd.Timedelta) -> pd.Timedelta:
    try:
        limit = pd.Timedelta(threshold)
        valid = limit >= pd.Timedelta(0)  # NaT is not
    except (ValueError, TypeError):
        valid = False
    if not valid:
        raise UsageError(f"a threshold of {threshold} is no duration", hint="give one such as pd.Timedelta('5s')")
    return limit


def _slowest(frame: pd.DataFrame) -> tuple[pd.Series[Any], str]:
    keys = [frame[name].cat.codes.to_numpy() for name in ("service", "operation")]
    lasted = pd.Series(frame["duration"].to_numpy().astype(np.int64))
    groups = lasted.groupby(keys, sort=False)
    many = groups.transform("size").to_numpy()
    limit = groups.transform("quantile", QUANTILE).to_numpy() if len(frame) else np.empty(0)
    slow = (many >= LEAST_SPANS) & (lasted.to_numpy() > limit)
    small = int((many < LEAST_SPANS).sum())
    spans = count_text(small, "span")
    left = f" (not looked at: {spans} of operations with fewer than {LEAST_SPANS})" if small else ""
    said = f"spans slower than the 95th percentile of their operation{left}"
    return pd.Series(slow, index=frame.index, name="selected"), said
