"""From scores of an entity to events: runs above the threshold, and the metrics that made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from obs_magics.analysis.anomaly import joint_numbers as numbers
from obs_magics.analysis.anomaly.breaks import Breaks
from obs_magics.analysis.anomaly.joint_entities import Entity
from obs_magics.analysis.anomaly.joint_scores import JointScores
from obs_magics.model.anomalies import Anomaly, Severity

Array = np.ndarray[Any, Any]

_PAUSE_NS = 30 * 60 * 10**9  # what returns within half an hour is the same event
_FEWEST_PAUSE = 5
_NAMED = 4  # metrics, at most, that an event names
_NAMED_SHARE = 0.3  # of the furthest one's distance: less is not named
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


def anomaly_of(run: Run, entity: Entity, joint: JointScores | None, broken: Breaks | None) -> Anomaly:
    """Say what a run was: who contributed, how far off the furthest metric was, and what would have been normal."""
    if run.kind == "joint" and joint is not None:
        off = _furthest(joint.off, run)
        return _anomaly(run, entity, off, _joint_words(entity, off), _around(entity, off, run))
    if broken is None:
        raise ValueError(f"a run of kind {run.kind} without its scores")
    off = _furthest(broken.ratios, run)
    leader = int(np.argmax(np.abs(off)))
    at = run.start + int(np.argmax(np.abs(broken.ratios[run.start : run.end + 1, leader])))
    expected, margin = float(broken.expected[at, leader]), float(broken.margin[leader])
    return _anomaly(run, entity, off, _break_words(entity, off), (at, expected - margin, expected + margin))


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


def _named(entity: Entity, off: Array) -> tuple[list[str], int]:
    """The metrics furthest off, with how far, and how many there are in all that are far off."""
    order = np.argsort(-np.abs(off), kind="stable")
    far = [int(number) for number in order if abs(off[number]) >= _NAMED_SHARE * abs(off[order[0]])]
    return [f"{entity.metrics[number]} ({off[number]:+.1f})" for number in far[:_NAMED]], len(far)


def _joint_words(entity: Entity, off: Array) -> str:
    names, count = _named(entity, off)
    return f"{count} of {len(off)} metrics moved at once (spreads off): {', '.join(names)}"


def _break_words(entity: Entity, off: Array) -> str:
    names, _ = _named(entity, off)
    return f"metrics that move together came apart (times the largest usual residual): {', '.join(names)}"
