"""Unusual moments of entities with many metrics: several that move at once, and relations that no longer hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.anomaly.breaks import FEWEST_RELATED, FEWEST_ROWS, Breaks, breaks
from obs_magics.analysis.anomaly.joint_entities import Entity, entities
from obs_magics.analysis.anomaly.joint_events import Run, break_anomaly, joint_anomaly, lasting, merged, moved, runs
from obs_magics.analysis.anomaly.joint_scores import FEWEST_METRICS, JointScores, joint_scores
from obs_magics.model.anomalies import Anomaly, Sensitivity, anomalies_frame
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE

Array = np.ndarray[Any, Any]

FEWEST_POINTS = 48  # of an entity: below, nothing is said; before `since`: below, all of it tells what is usual


@dataclass(frozen=True, slots=True)
class Level:
    """How much it takes, and how many events an entity may have a day, of each kind."""

    joint: float  # spreads of the joint score
    ratio: float  # of residuals to the largest usual ones
    joint_a_day: float
    breaks_a_day: float


LEVELS: dict[Sensitivity, Level] = {
    "low": Level(joint=6.5, ratio=2.0, joint_a_day=0.15, breaks_a_day=0.02),
    "medium": Level(joint=5.0, ratio=1.5, joint_a_day=0.8, breaks_a_day=0.05),
    "high": Level(joint=4.5, ratio=1.3, joint_a_day=3.0, breaks_a_day=0.2),
}
_FEWEST_JOINT = 3  # events that an entity may have, however short it was watched
_FEWEST_BREAKS = 2


def detect_together(
    frame: pd.DataFrame,
    *,
    sensitivity: Sensitivity = "medium",
    since: pd.Timestamp | None = None,
    by: str | Sequence[str] | None = "service",
) -> pd.DataFrame:
    """Find moments at which the metrics of an entity are unusual together.

    Kinds: `joint`, three or more metrics made moves at once that are large and rare for each of them;
    `correlation_break`, metrics that explain each other came apart, though each alone may look as ever. How:
    `joint_scores`, `breaks`.

    One row per event: `series` is the entity, `metric` and `value` those of the metric that was furthest off,
    `expected_low` and `expected_high` what it should have been, and `detection_method` names the metrics that
    contributed most, with how far each was off. An event lasts as long as half of these stay off, or is the move to a
    new level. The strongest 0.8 a day are told (at least three), and 0.05 relations a day (at least two). An entity
    with fewer than 48 points, or fewer than 3 metrics that vary (2 for relations), has no events.

    Args:
        frame: A metrics frame.
        sensitivity: `low` finds little and is seldom wrong, `high` finds much.
        since: Judge from here on; what was before tells what is usual. None to judge all of it by itself.
        by: The label, or labels, that name an entity; None for the whole frame as one.

    Returns:
        An anomalies frame.
    """
    return detect_entities(entities(frame, by=by), sensitivity=sensitivity, since=since)


def detect_entities(
    watched: Sequence[Entity], *, sensitivity: Sensitivity = "medium", since: pd.Timestamp | None = None
) -> pd.DataFrame:
    """`detect_together` for entities that are matrices already, as `wide_entities` makes them."""
    found: list[Anomaly] = []
    for entity in watched:
        found += _found(entity, LEVELS[sensitivity], since)
    return anomalies_frame(found)


def scores_together(
    watched: pd.DataFrame | Sequence[Entity],
    *,
    since: pd.Timestamp | None = None,
    by: str | Sequence[str] | None = "service",
) -> pd.DataFrame:
    """How unusual each moment of each entity is; 1 is where an event begins at medium sensitivity.

    Returns:
        `series_id` (string, the entity), `timestamp` (datetime64[ns, UTC]), `score` (float64, at least 0).
    """
    level = LEVELS["medium"]
    names: list[str] = []
    times, scores = [np.empty(0, np.int64)], [np.empty(0)]
    for entity in entities(watched, by=by) if isinstance(watched, pd.DataFrame) else watched:
        looked = _look(entity, since)
        score = np.zeros(len(entity.times_ns)) if looked is None else looked.scores(level)
        names += [entity.name] * len(score)
        times.append(entity.times_ns)
        scores.append(score)
    return pd.DataFrame(
        {
            "series_id": pd.array(names, dtype=STRING_DTYPE),
            "timestamp": pd.DatetimeIndex(np.concatenate(times), dtype=TIMESTAMP_DTYPE),
            "score": np.concatenate(scores),
        }
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """What was computed of an entity: without the metrics that stand still."""

    entity: Entity
    judged: Array  # bool per row
    joint: JointScores | None
    broken: Breaks | None

    @property
    def days(self) -> float:
        """How long the part is that is judged."""
        return int(np.count_nonzero(self.judged)) * self.entity.step_ns / 86_400e9

    def scores(self, level: Level) -> Array:
        """The larger of both scores, each over what it takes."""
        parts = [np.zeros(len(self.judged))]
        if self.joint is not None:
            parts.append(self.joint.score / level.joint)
        if self.broken is not None:
            parts.append(self.broken.score / level.ratio)
        return np.asarray(np.maximum.reduce(parts))


def _look(entity: Entity, since: pd.Timestamp | None) -> _Look | None:
    count = len(entity.times_ns)
    judged = np.ones(count, np.bool_) if since is None else entity.times_ns >= since.value
    usual = ~judged if np.count_nonzero(~judged) >= FEWEST_POINTS else np.ones(count, np.bool_)
    entity = _moving(entity, usual)
    metrics = len(entity.metrics)
    if count < FEWEST_POINTS or metrics < FEWEST_RELATED:
        return None
    joint = joint_scores(entity, usual) if metrics >= FEWEST_METRICS else None
    broken = breaks(entity, usual) if np.count_nonzero(usual) >= FEWEST_ROWS else None
    return _Look(entity, judged, joint, broken)


def _moving(entity: Entity, usual: Array) -> Entity:
    """The entity without metrics that never change, or of which too little is known to say what is usual."""
    values, known = entity.values, np.isfinite(entity.values)
    there = known[usual].sum(axis=0) >= FEWEST_POINTS
    low = np.min(values, axis=0, where=known, initial=np.inf)
    high = np.max(values, axis=0, where=known, initial=-np.inf)
    kept = np.flatnonzero(there & (high > low))
    names, units = (tuple(one[number] for number in kept) if one else () for one in (entity.metrics, entity.units))
    return replace(entity, metrics=names, values=values[:, kept], units=units)


def _found(entity: Entity, level: Level, since: pd.Timestamp | None) -> list[Anomaly]:
    looked = _look(entity, since)
    if looked is None:
        return []
    joint, broken = _joint_runs(looked, level), _break_runs(looked, level)
    # What moves far breaks its relations, too: a break is only told where each metric alone may look as ever.
    apart = [run for run in broken if all(not _meet(run, other) for other in joint)]
    entity = looked.entity
    told = [joint_anomaly(run, entity, looked.joint) for run in joint] if looked.joint else []
    return told + ([break_anomaly(run, entity, looked.broken) for run in apart] if looked.broken else [])


def _joint_runs(looked: _Look, level: Level) -> list[Run]:
    if looked.joint is None:
        return []
    ratio = np.where(looked.judged, looked.joint.counted / level.joint, 0.0)
    most = max(_FEWEST_JOINT, int(np.ceil(level.joint_a_day * looked.days)))
    wide = [
        run for run in runs("joint", ratio, looked.entity.step_ns) if moved(run, looked.joint.off) >= FEWEST_METRICS
    ]
    highest = _highest(wide, most)
    return merged([lasting(run, looked.entity, looked.joint.off) for run in highest])


def _break_runs(looked: _Look, level: Level) -> list[Run]:
    if looked.broken is None:
        return []
    ratio = np.where(looked.judged, looked.broken.counted / level.ratio, 0.0)
    most = max(_FEWEST_BREAKS, int(np.ceil(level.breaks_a_day * looked.days)))
    return _highest(runs("correlation_break", ratio, looked.entity.step_ns), most)


def _highest(found: Sequence[Run], most: int) -> list[Run]:
    return sorted(found, key=lambda run: (-run.height, run.start))[:most]


def _meet(run: Run, other: Run) -> bool:
    return run.start <= other.end and other.start <= run.end
