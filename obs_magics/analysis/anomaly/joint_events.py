"""From scores of an entity to events: runs above the threshold, and the metrics that made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from obs_magics.analysis.anomaly import joint_numbers as numbers
from obs_magics.analysis.anomaly.breaks import Breaks
from obs_magics.analysis.anomaly.joint_entities import Entity
from obs_magics.analysis.anomaly.joint_scores import LEAST_SPREADS, JointScores
from obs_magics.model.anomalies import Anomaly, Severity

Array = np.ndarray[Any, Any]

_PAUSE_NS = 30 * 60 * 10**9  # what returns within half an hour is the same event
_FEWEST_PAUSE = 5
_BEFORE_NS = 2 * 3600 * 10**9  # what the metrics of an event come back to
_FEWEST_BEFORE = 5
_LONGEST_NS = 6 * 3600 * 10**9
_STILL_OFF = 0.5  # of the metrics that made the event
_NAMED = 4  # metrics, at most, that an event names
_BROKEN = 1.0  # times the largest usual residual: less is not named
_SEVERITIES: tuple[tuple[float, Severity], ...] = ((2.0, "critical"), (1.5, "high"), (1.15, "medium"), (0.0, "low"))
_EXPECTED_SPREADS = 3.0  # on each side of the median around


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch above the threshold, both ends included; `height` counts thresholds, at `peak`."""

    kind: Literal["joint", "correlation_break"]
    start: int
    end: int
    peak: int
    height: float


def runs(kind: Literal["joint", "correlation_break"], ratio: Array, step_ns: int) -> list[Run]:
    """Stretches in which a score over its threshold is above 1; short pauses are bridged."""
    above = np.flatnonzero(ratio > 1)
    if not len(above):
        return []
    pause = max(_FEWEST_PAUSE, _PAUSE_NS // step_ns)
    cuts = np.flatnonzero(np.diff(above) > pause + 1)
    found = []
    for first, last in zip(np.r_[0, cuts + 1].tolist(), np.r_[cuts, len(above) - 1].tolist(), strict=True):
        start, end = int(above[first]), int(above[last])
        peak = start + int(np.argmax(ratio[start : end + 1]))
        found.append(Run(kind, start, end, peak, float(ratio[peak])))
    return found


def moved(run: Run, off: Array) -> int:
    """How many metrics were far off during a run."""
    return int(np.count_nonzero(np.abs(_furthest(off, run)) >= LEAST_SPREADS))


def lasting(run: Run, entity: Entity, off: Array) -> Run:
    """The run, as long as half of the metrics that made it stay more than halfway off what they were before it.

    What does not come back within six hours is a new level, and the run stays as short as the move to it; what has not
    come back where the entity's data end goes on until there.
    """
    before = slice(max(0, run.start - int(max(_FEWEST_BEFORE, _BEFORE_NS // entity.step_ns))), run.start)
    movers = np.flatnonzero(np.abs(_furthest(off, run)) >= LEAST_SPREADS)
    if run.start - before.start < _FEWEST_BEFORE or not len(movers):
        return run
    last = min(len(entity.times_ns), run.end + 1 + int(_LONGEST_NS // entity.step_ns))
    columns = entity.values[:, movers]
    usual = np.nan_to_num(pd.DataFrame(columns[before]).median().to_numpy(), nan=0.0)
    away = columns[run.start : last] - usual
    inside = run.end + 1 - run.start
    size = np.nan_to_num(
        away[np.argmax(np.nan_to_num(np.abs(away[:inside]), nan=-1.0), axis=0), np.arange(len(movers))]
    )
    known = np.isfinite(away[inside:])
    still = np.where(known, away[inside:] * np.sign(size) >= np.abs(size) / 2, False)
    share = still.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    back = np.flatnonzero(numbers.rolling_median(share[:, None], _FEWEST_PAUSE)[:, 0] < _STILL_OFF)
    if len(back):
        return replace(run, end=run.end + int(back[0]))
    return replace(run, end=last - 1) if last == len(entity.times_ns) else run


def merged(found: Sequence[Run]) -> list[Run]:
    """Runs of one kind, those that overlap as one: from the first start on, as high as the highest."""
    result: list[Run] = []
    for run in sorted(found, key=lambda run: run.start):
        if result and run.start <= result[-1].end:
            last = result[-1]
            high = max(last, run, key=lambda one: one.height)
            result[-1] = replace(last, end=max(last.end, run.end), peak=high.peak, height=high.height)
        else:
            result.append(run)
    return result


def joint_anomaly(run: Run, entity: Entity, joint: JointScores) -> Anomaly:
    """Say which metrics moved at once, how far off the furthest was, and what would have been normal."""
    off = _furthest(joint.off, run)
    names, count = _named(entity, off, LEAST_SPREADS)
    method = f"{count} of {len(off)} metrics moved at once; spreads off: {', '.join(names)}"
    return _anomaly(run, entity, off, method, _around(entity, off, run))


def break_anomaly(run: Run, entity: Entity, broken: Breaks) -> Anomaly:
    """Say which metrics came apart, how far off the furthest was, and what the others say it should have been."""
    off = _furthest(broken.ratios, run)
    names, _ = _named(entity, off, _BROKEN)
    method = f"metrics that move together came apart; times the largest usual residual: {', '.join(names)}"
    leader = int(np.argmax(np.abs(off)))
    at = run.start + int(np.argmax(np.abs(broken.ratios[run.start : run.end + 1, leader])))
    expected, margin = float(broken.expected[at, leader]), float(broken.margin[leader])
    return _anomaly(run, entity, off, method, (at, expected - margin, expected + margin))


def _furthest(off: Array, run: Run) -> Array:
    """For each metric its furthest move within the run, signed."""
    inside = off[run.start : run.end + 1]
    return np.asarray(inside[np.argmax(np.abs(inside), axis=0), np.arange(inside.shape[1])])


def _around(entity: Entity, off: Array, run: Run) -> tuple[int, float, float]:
    """Where the furthest metric was furthest, and what it should have been: its median around, and a few spreads."""
    column = entity.values[:, [int(np.argmax(np.abs(off)))]]
    width = max(_FEWEST_PAUSE, 4 * _PAUSE_NS // entity.step_ns)
    level = numbers.rolling_median(column, int(width))
    away = column - level
    at = run.start + int(np.nanargmax(np.r_[np.nan_to_num(np.abs(away[run.start : run.end + 1, 0]), nan=-1.0)]))
    _, spread = numbers.centre_and_spread(away)
    middle = float(level[at, 0])
    return at, middle - _EXPECTED_SPREADS * float(spread[0]), middle + _EXPECTED_SPREADS * float(spread[0])


def _anomaly(run: Run, entity: Entity, off: Array, method: str, seen: tuple[int, float, float]) -> Anomaly:
    leader = int(np.argmax(np.abs(off)))
    at, low, high = seen
    return Anomaly(
        series=entity.name,
        metric=entity.units[leader] if entity.units and entity.units[leader] else entity.metrics[leader],
        labels=entity.labels,
        start_ns=int(entity.times_ns[run.start]),
        end_ns=int(entity.times_ns[run.end]),
        kind=run.kind,
        value=float(entity.values[at, leader]),
        expected_low=low,
        expected_high=high,
        score=float(np.abs(off[leader])),
        severity=next(word for least, word in _SEVERITIES if run.height >= least),
        detection_method=method,
        ongoing=run.end == len(entity.times_ns) - 1,
    )


def _named(entity: Entity, off: Array, least: float) -> tuple[list[str], int]:
    """The metrics furthest off, with how far, and how many there are in all that are far off."""
    order = np.argsort(-np.abs(off), kind="stable")
    far = [int(number) for number in order if abs(off[number]) >= least] or [int(order[0])]
    return [f"{entity.metrics[number]} {off[number]:+.1f}" for number in far[:_NAMED]], len(far)
