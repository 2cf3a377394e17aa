"""Services that still get requests but pass none on: where requests stop, as far as metrics tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.metric_shifts import SeriesTable
from obs_magics.analysis.root_cause.periods import Periods
from obs_magics.analysis.root_cause.statistics import INCIDENT, REFERENCE, shifts, surprise_of_shift
from obs_magics.analysis.root_cause.symptom import grid_of, requests_metric

Array = np.ndarray[Any, Any]

_STOPPED = 0.1  # of the usual requests per request of the caller, from which a callee is cut off
_KEPT = 0.5  # of its usual requests, which the caller must still get
_MOST = 3.0  # a surprise: that requests stop says where, but others say it better


def flow_findings(table: SeriesTable, periods: Periods, calls: Collection[tuple[str, str]]) -> list[Finding]:
    """Callers that get their requests and make no more calls to a callee that nobody else calls.

    Args:
        table: The metrics by series.
        periods: The incident and what is usual.
        calls: Who calls whom.
    """
    metric = requests_metric(table)
    grid = grid_of(table, metric) if metric else None
    if grid is None:
        return []
    period = periods.of(grid.index.to_numpy(dtype=np.int64))
    callers = Counter(callee for _caller, callee in calls)
    found = []
    for caller, callee in sorted(calls):
        if callers[callee] == 1 and caller in grid.columns and callee in grid.columns:
            asked, passed = (grid[name].to_numpy(dtype=np.float64) for name in (caller, callee))
            told = _stopped((caller, callee), str(metric), asked, passed, period)
            found += [replace(one, details={**one.details, **table.counted(callee, one.subject)}) for one in told]
    return found


def _stopped(pair: tuple[str, str], metric: str, asked: Array, passed: Array, period: Array) -> list[Finding]:
    caller, callee = pair
    there = np.isfinite(asked) & (asked > 0)
    if _median(asked, period == INCIDENT) < _KEPT * _median(asked, period == REFERENCE):
        return []
    ratio = np.nan_to_num(passed[there]) / asked[there]
    told = shifts(ratio, np.zeros(len(ratio), dtype=np.int64), period[there], 1)
    if not told.before[0] or not told.during[0] or told.now[0] >= _STOPPED * told.usual[0]:
        return []
    surprise = float(surprise_of_shift(told.change, told.spread + 1e-9, told.before, told.during)[0])
    return [
        Finding(
            service=caller,
            signal="symptom",
            kind="stops calling",
            subject=metric,
            surprise=min(surprise, _MOST),
            before=float(told.usual[0]),
            during=float(told.now[0]),
            counts=(int(told.before[0]), int(told.during[0])),
            details={"callee": callee, "share": "0"},
        )
    ]


def _median(values: Array, chosen: Array) -> float:
    own = values[chosen & np.isfinite(values)]
    return float(np.median(own)) if len(own) else 0.0
