"""Ready cells to go on with from an anomaly: its logs, its traces, what moved with it, what happened around it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from obs_magics.display.anomalies.found import Found
from obs_magics.model.time import MINUTE

_BEFORE_NS, _AFTER_NS = 10 * MINUTE, 20 * MINUTE
_EVENTS_BEFORE_NS = 120 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Names of the sources to ask next; empty where there is none."""

    metrics: str = ""
    logs: str = ""
    traces: str = ""
    events: str = ""


def cells_of(found: Sequence[Found], sources: Sources) -> dict[int, list[str]]:
    """Ready cells by the row of each anomaly: logs, traces, what moved with it, what happened around its onset."""
    return {one.row: _cells(one, sources) for one in found}


def _cells(one: Found, sources: Sources) -> list[str]:
    span = f"--start {_iso(one.start_ns - _BEFORE_NS)} --end {_iso(min(one.end_ns, one.start_ns) + _AFTER_NS)}"
    service = shlex.quote(one.service) if one.service else ""
    cells = []
    if sources.logs:
        cells.append(f"%obs_logs --source {sources.logs} {span} --level error{f' {service}' if service else ''}")
    if sources.traces and service:
        cells.append(f"%obs_traces --source {sources.traces} --service {service} {span}{_condition(one)}")
    if sources.metrics and service and one.metric:
        cells.append(f"%obs_correlate --source {sources.metrics} --service {service} {_wide(one)} {one.metric}")
    if sources.events:
        before = f"--start {_iso(one.start_ns - _EVENTS_BEFORE_NS)} --end {_iso(one.start_ns + _AFTER_NS)}"
        cells.append(f"%obs_events {before}")
    return cells


def _condition(one: Found) -> str:
    """Which traces of the service are telling."""
    if one.metric.startswith(("error", "availability")):
        return " --status error"
    if one.metric.startswith(("latency", "duration")) and one.unit == "s" and math.isfinite(one.high) and one.high > 0:
        return f" --min-duration {max(1, round(one.high * 1000))}ms"
    return ""


def _wide(one: Found) -> str:
    """A range that shows the series before, in and after the anomaly."""
    length = max(30 * MINUTE, min(one.end_ns - one.start_ns, 120 * MINUTE))
    return f"--start {_iso(one.start_ns - length)} --end {_iso(one.end_ns + length // 2)}"


def ignore_cell(one: Found) -> str:
    """How to say that the least severe of them is to be expected."""
    parts = [f"metric={one.metric}" if one.metric else f"series={one.series}"]
    parts += [f"service={one.service}"] if one.service else []
    return f'%obs_anomalies --ignore {shlex.quote(",".join(parts))} --reason "…"'


def _iso(ns: int) -> str:
    return pd.Timestamp(ns, tz="UTC").floor("min").strftime("%Y-%m-%dT%H:%M:%SZ")
