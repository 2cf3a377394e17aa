"""Entities for `together`: each a matrix of metrics on one grid of time, made from a metrics frame or a wide table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.anomaly.checks import plain
from obs_magics.analysis.anomaly.tracks import increases, is_counter
from obs_magics.model.errors import UsageError
from obs_magics.model.series import Series, common_labels, one_line, selector, short_names, split_series

Array = np.ndarray[Any, Any]

MOST_METRICS = 256  # of one entity: the regressions need the square of it
WHOLE = "all series"  # what an entity without any name is called
_MOST_POINTS = 200_000  # of a grid: a single stray timestamp must not ask for gigabytes
COUNTER_ENDINGS = ("_total", "_count", "_sum", "_bucket")


@dataclass(frozen=True, slots=True)
class Entity:
    """What belongs together: a service, a machine, a whole frame.

    Args:
        name: As it is called in `series`.
        labels: Those that all of its series have in common.
        metrics: One name per column of `values`, unique.
        times_ns: int64, rising, evenly spaced: nanoseconds since the epoch.
        values: float64, times × metrics; NaN where nothing was measured.
        units: What each metric's own name is (`metric` of a metrics frame), for the answer's column.
    """

    name: str
    metrics: tuple[str, ...]
    times_ns: Array
    values: Array
    labels: Mapping[str, str] = field(default_factory=dict)
    units: tuple[str, ...] = ()

    @property
    def step_ns(self) -> int:
        """The distance of two points of time."""
        return int(self.times_ns[1] - self.times_ns[0]) if len(self.times_ns) > 1 else 1


def entities(frame: pd.DataFrame, *, by: str | Sequence[str] | None = "service") -> list[Entity]:
    """Group the series of a metrics frame into entities, in order of first appearance.

    The series of an entity meet on one grid, as wide as the median spacing of most of them; a point keeps the last
    value of a cell, and a cell without one is NaN. Raw counters count with their rate.

    Args:
        frame: A metrics frame.
        by: The label, or labels, that name an entity; None for the whole frame as one. A label that no series has
            leaves the whole frame as one, too.
    """
    frame = plain(frame)
    names = [by] if isinstance(by, str) else list(by or ())
    names = [name for name in names if name in frame.columns]
    groups: dict[tuple[str, ...], list[Series]] = {}
    for one in split_series(frame):
        groups.setdefault(tuple(one.labels.get(name, "") for name in names), []).append(one)
    return [_entity(key, members) for key, members in groups.items()]


def wide_entities(table: pd.DataFrame, *, by: str = "entity", timestamp: str = "timestamp") -> list[Entity]:
    """Entities of a wide table: a column that names the entity, one of timestamps, and one of numbers per metric.

    Raises:
        UsageError: One of the two named columns is missing.
    """
    if missing := [name for name in (by, timestamp) if name not in table.columns]:
        raise UsageError(f"a wide table needs the columns {by} and {timestamp}; missing: {', '.join(missing)}")
    metrics = [name for name in table.columns if name not in (by, timestamp)]
    found = []
    for key, rows in table.groupby(by, observed=True, sort=False):
        instants = pd.DatetimeIndex(rows[timestamp]).as_unit("ns").asi8
        columns = rows[metrics].to_numpy(dtype=np.float64)
        pairs = [(instants, columns[:, number]) for number in range(len(metrics))]
        found.append(_on_grid(str(key), {}, [str(name) for name in metrics], pairs))
    return found


def _entity(key: tuple[str, ...], members: Sequence[Series]) -> Entity:
    labels = {name: value for name, value in common_labels(members).items() if name != "metric"}
    name = one_line(" · ".join(part for part in key if part)) or selector(labels) or WHOLE
    if len(members) > MOST_METRICS:
        members = sorted(sorted(members, key=_movement, reverse=True)[:MOST_METRICS], key=lambda one: int(one.rows[0]))
    pairs = [measured(one) for one in members]
    return _on_grid(name, labels, short_names(members), pairs, [one.metric for one in members])


def _movement(one: Series) -> float:
    """How much a series moves, relative to what it is."""
    finite = one.values[np.isfinite(one.values)]
    if not len(finite):
        return 0.0
    size = float(np.abs(finite).max())
    return float(np.mean(np.abs(finite / size - np.mean(finite / size)))) if size else 0.0


def measured(one: Series) -> tuple[Array, Array]:
    """Instants and finite values of a series; of a raw counter, its rate a second."""
    finite = np.isfinite(one.values)
    times, values = one.timestamps_ns[finite], one.values[finite]
    if one.metric.endswith(COUNTER_ENDINGS) and is_counter(values) and bool(np.all(np.diff(times) > 0)):
        return times[1:], increases(times, values)
    return times, values


def _on_grid(
    name: str,
    labels: Mapping[str, str],
    metrics: Sequence[str],
    pairs: Sequence[tuple[Array, Array]],
    units: Sequence[str] = (),
) -> Entity:
    spacings = [float(np.median(np.diff(times))) for times, _ in pairs if len(times) > 1]
    step = max(1, int(np.median(spacings))) if spacings else 1
    first = min((int(times[0]) for times, _ in pairs if len(times)), default=0)
    last = max((int(times[-1]) for times, _ in pairs if len(times)), default=0)
    step = max(step, -(-(last - first) // _MOST_POINTS))
    count = (last - first + step // 2) // step + 1
    values = np.full((count, len(pairs)), np.nan)
    for column, (times, numbers) in enumerate(pairs):
        finite = np.isfinite(numbers)
        values[(times[finite] - first + step // 2) // step, column] = numbers[finite]
    return Entity(name, tuple(metrics), first + step * np.arange(count), values, labels, tuple(units))
