"""What `frame.obs` says of what is unusual, and of what moved together, in metrics, log lines and spans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from obs_magics.accessor.logs import LogsView, is_logs
from obs_magics.accessor.metrics import MetricsView
from obs_magics.accessor.traces import TracesView, is_spans
from obs_magics.model.durations import parse_duration
from obs_magics.model.errors import UsageError

if TYPE_CHECKING:
    from obs_magics.analysis.anomaly import Findings


def series_of(frame: pd.DataFrame) -> tuple[pd.DataFrame, str | Mapping[str, str]]:
    """A frame as series, and their units: metrics as they are, log lines and spans counted over time.

    Raises:
        UsageError: The frame is none of these.
    """
    from obs_magics.analysis.counted import COUNT_UNITS, counted_lines, counted_spans

    if is_logs(frame):
        lines = LogsView(frame)
        return counted_lines(lines.frame, span_ns=lines.span_ns), COUNT_UNITS
    if is_spans(frame):
        return counted_spans(TracesView(frame).frame), COUNT_UNITS
    view = MetricsView(frame)
    return view.frame, view.unit


def is_counted(frame: pd.DataFrame) -> bool:
    """Whether a frame is counted before it is looked at."""
    return is_logs(frame) or is_spans(frame)


def examined(frame: pd.DataFrame, *, sensitivity: str, since_ns: int | None, counted: bool = False) -> Findings:
    """Look at the series of a metrics frame; all that lies before `since_ns` tells what is normal.

    Args:
        frame: A metrics frame.
        sensitivity: `low`, `medium` or `high`.
        since_ns: None for the first point.
        counted: Whether its values are counts that were made here.
    """
    from obs_magics.analysis.anomaly import examine
    from obs_magics.analysis.counted_anomalies import telling

    since = None if since_ns is None else pd.Timestamp(since_ns, tz="UTC")
    times = frame["timestamp"].astype("int64")
    length = timedelta(microseconds=int(times.max() - times.min()) // 1000) if len(frame) else timedelta(days=7)
    found = examine(frame, sensitivity=_level(sensitivity), baseline=length, since=since)
    return replace(found, events=telling(found.events, frame, since_ns=since_ns)) if counted else found


def anomalies(frame: pd.DataFrame, *, sensitivity: str, baseline: str | None) -> pd.DataFrame:
    """See `ObsAccessor.anomalies`."""
    from obs_magics.model.anomalies import empty_anomalies

    metrics, _ = series_of(frame)
    if metrics.empty:
        return empty_anomalies()
    since_ns = None
    if baseline is not None:
        times = metrics["timestamp"].astype("int64")
        since_ns = int(times.min()) + parse_duration(baseline)
        if since_ns >= int(times.max()):
            raise UsageError(f"the frame is not longer than the baseline of {baseline}", hint="take a shorter one: 30m")
    return examined(metrics, sensitivity=sensitivity, since_ns=since_ns, counted=is_counted(frame)).events


def correlate(frame: pd.DataFrame, target: Any, *, max_lag: str, limit: int | None) -> pd.DataFrame:
    """See `ObsAccessor.correlate`."""
    from obs_magics.analysis.correlation import correlate as correlated

    metrics, _ = series_of(frame)
    if isinstance(target, pd.DataFrame):
        target = series_of(target)[0]
    length = timedelta(microseconds=parse_duration(max_lag) // 1000)
    return correlated(metrics, target, max_lag=length, limit=limit)


def _level(sensitivity: str) -> Any:
    """The analysis checks it."""
    return sensitivity
