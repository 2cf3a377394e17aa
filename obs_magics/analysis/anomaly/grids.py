"""Tracks on grids: series with one step and one length become rows of a matrix, so that they are looked at together.

The step of a series is the median distance of its points, taken as the round number (15 s, 1 min, 5 min, …) that it is
close to. Each point goes into the cell it is nearest to; cells without a point are filled on a straight line and marked
as not seen. Series with too many gaps for that (events, not samples) keep their points in a row, without a clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.tracks import Track
from obs_magics.model.durations import DAY, HOUR, MINUTE, SECOND

Array = np.ndarray[Any, Any]

CELLS = 400_000  # of a batch: a few megabytes a matrix
_ROUND_STEPS = np.array(
    [
        *(SECOND * np.array([1, 2, 5, 10, 15, 20, 30])),
        *(MINUTE * np.array([1, 2, 3, 5, 10, 15, 20, 30])),
        *(HOUR * np.array([1, 2, 3, 4, 6, 12, 24])),
    ],
    np.float64,
)
_CLOSE = 0.08  # to a round step, as a share of it
_FILLED = 0.35  # of the cells that need a point, for a grid to make sense


@dataclass(frozen=True, slots=True)
class Gridded:
    """One series on a grid.

    Args:
        track: The series.
        step_ns: Distance of two cells.
        cells: The cell of each point, rising.
        width: How many cells there are; the last one has a point.
        clocked: Whether cells are equally far apart in time.
        judged: The first cell that is to be judged; those before it only say what is normal.
    """

    track: Track
    step_ns: float
    cells: Array
    width: int
    clocked: bool
    judged: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Series of one shape, one per row.

    Args:
        rows: Who they are.
        values: float64, rows × cells.
        seen: bool, rows × cells: where there is a point; None when everywhere.
        step_ns: Distance of two cells.
        clocked: Whether cells are equally far apart in time.
        judged: The first cell that is to be judged.
    """

    rows: tuple[Gridded, ...]
    values: Array
    seen: Array | None
    step_ns: float
    clocked: bool
    judged: int

    def part(self, chosen: Array) -> Batch:
        """Some of the rows, by their numbers."""
        rows = tuple(self.rows[row] for row in chosen.tolist())
        return replace(
            self, rows=rows, values=self.values[chosen], seen=None if self.seen is None else self.seen[chosen]
        )

    @property
    def day(self) -> float:
        """How many cells make a day."""
        return DAY / self.step_ns


def on_grid(track: Track, since_ns: int | None) -> Gridded:
    """Lay a track of at least two points on its grid.

    Args:
        track: The series.
        since_ns: Where judging begins; None for the first point.
    """
    step = _step(track.times_ns)
    points = len(track.times_ns)
    # Times in order: their differences are positive, also where they are too large for a signed number.
    cells = np.rint((track.times_ns - track.times_ns[0]).view(np.uint64) / step).astype(np.int64)
    clocked = points >= _FILLED * (cells[-1] + 1)
    if not clocked or np.array_equal(cells, _counted(points)):
        cells = _counted(points)
    width = int(cells[-1]) + 1
    place = 0 if since_ns is None else int(np.searchsorted(track.times_ns, since_ns))
    return Gridded(track, step, cells, width, clocked, int(cells[place]) if place < len(cells) else width)


@lru_cache(maxsize=64)
def _counted(points: int) -> Array:
    """0, 1, 2, …: one array for all series that have a point in every cell."""
    return np.arange(points)


def batches(gridded: Sequence[Gridded]) -> Iterator[Batch]:
    """Matrices of what has one shape, a limited number of cells each; in an order that the shapes alone decide."""
    shapes: dict[tuple[float, int, bool, bool, int], list[Gridded]] = defaultdict(list)
    for one in gridded:
        full = len(one.cells) == one.width and bool(np.all(one.cells[1:] > one.cells[:-1]))
        shapes[one.step_ns, one.width, one.clocked, full, one.judged].append(one)
    for shape in sorted(shapes):
        rows = shapes[shape]
        at_once = max(1, CELLS // shape[1])
        for start in range(0, len(rows), at_once):
            yield _batch(tuple(rows[start : start + at_once]), full=shape[3])


def _batch(rows: tuple[Gridded, ...], *, full: bool) -> Batch:
    step, width, clocked, judged = rows[0].step_ns, rows[0].width, rows[0].clocked, rows[0].judged
    if full:
        return Batch(rows, np.stack([row.track.values for row in rows]), None, step, clocked, judged)
    values = np.empty((len(rows), width))
    seen = np.zeros((len(rows), width), np.bool_)
    everywhere = np.arange(width)
    for number, row in enumerate(rows):
        seen[number, row.cells] = True
        values[number] = np.interp(everywhere, row.cells, row.track.values)
        values[number, row.cells] = row.track.values  # of several in one cell the last
    return Batch(rows, values, seen, step, clocked, judged)


def _step(times_ns: Array) -> float:
    median = float(np.median(np.diff(times_ns).view(np.uint64)))
    near = float(_ROUND_STEPS[np.argmin(np.abs(np.log(_ROUND_STEPS / median)))])
    return near if abs(median / near - 1) < _CLOSE else median
