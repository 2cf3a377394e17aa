"""Anomalies of a frame of the notebook: of metrics as they are, of log lines and spans as they are counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from obs_magics.accessor.anomalies import examined, is_counted, series_of
from obs_magics.magics.seen import Part, Seen
from obs_magics.model.errors import UsageError
from obs_magics.model.time import TimeRange, parse_duration
from obs_magics.session.anomaly_report import without_ignored

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.config.ignore import Ignored


def seen_in(frame: pd.DataFrame, sensitivity: str | None, baseline: str | None, ignored: Sequence[Ignored]) -> Seen:
    """Examine a frame; what lies in it tells what is normal.

    Args:
        frame: Metrics, log lines or spans.
        sensitivity: None for medium.
        baseline: How much of the frame's beginning is only history; None to judge all of it.
        ignored: What the project ignores.

    Raises:
        UsageError: The frame is none of these, or has no rows.
    """
    metrics, unit = series_of(frame)
    if metrics.empty:
        raise UsageError("the frame has no rows to look at")
    times = metrics["timestamp"].astype("int64")
    first, last = int(times.min()), int(times.max())
    back = None if baseline is None else parse_duration(baseline)
    if back is not None and first + back >= last:
        raise UsageError(f"the frame is not longer than the baseline of {baseline}", hint="take a shorter one: 30m")
    since = None if back is None else first + back
    found = examined(metrics, sensitivity=sensitivity or "medium", since_ns=since, counted=is_counted(frame))
    events, held = without_ignored(found.events, ignored)
    return Seen(
        frame=events,
        parts=(Part(whole=metrics, events=events),),
        range=TimeRange(first if since is None else since, last),
        series=found.series,
        skipped=tuple(f"{name}: {reason}" for name, reason in found.skipped),
        sensitivity=sensitivity or "medium",
        against="the frame itself" if back is None else f"its first {baseline}",
        baseline=timedelta(microseconds=(last - first) // 1000),
        unit=unit,
        notes=tuple(f"ignored {count}: {words}" for words, count in held.items()),
    )
