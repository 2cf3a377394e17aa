"""`expected` and `scores`: for every point of a metrics frame, what would be normal, and how unusual it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.anomaly.bands import band, band_beside
from obs_magics.analysis.anomaly.engine import cut, normal_batches, why_not
from obs_magics.analysis.anomaly.findings import span_of
from obs_magics.analysis.anomaly.grids import Batch, on_grid
from obs_magics.analysis.anomaly.normal import Normal
from obs_magics.analysis.anomaly.onsets import Onsets, breaks_of, onsets_of
from obs_magics.analysis.anomaly.ranks import ranks_of
from obs_magics.analysis.anomaly.settings import LEVELS
from obs_magics.analysis.anomaly.tracks import Tracks, read_tracks
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE

Array = np.ndarray[Any, Any]
_Told = tuple[int, Array, dict[str, Array]]


def expected(
    frame: pd.DataFrame, *, baseline: str | timedelta = "7d", since: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Between what values each point would be normal: the bands of charts.

    Args:
        frame: A metrics frame.
        baseline: As in `detect`.
        since: As in `detect`: only points from here on are told.

    Returns:
        `timestamp` (datetime64[ns, UTC]) · `series` (string, the short name) · `value`, `expected_low`,
        `expected_high` (float64, in the unit of the series; of a raw counter those of its rate per second), in order of
        series and time. A series that is too short has no rows.
    """
    return _told(frame, ("value", "expected_low", "expected_high"), _bands, since, baseline)


def scores(frame: pd.DataFrame, *, baseline: str | timedelta = "7d", since: pd.Timestamp | None = None) -> pd.DataFrame:
    """How unusual each point is, comparable within a series and between series.

    Args:
        frame: A metrics frame.
        baseline: As in `detect`.
        since: As in `detect`: only points from here on are told.

    Returns:
        `timestamp` (datetime64[ns, UTC]) · `series` (string, the short name) · `score` (float64, 0 for what is quite
        normal), in order of series and time. A series that is too short has no rows.
    """
    return _told(frame, ("score",), _scores, since, baseline)


def _bands(batch: Batch, normal: Normal) -> Iterator[dict[str, Array]]:
    onsets = onsets_of(normal, normal.filled, batch.day) if normal.short else None
    for row in range(len(batch.rows)):
        low, high = band(batch, normal, row)
        if onsets is not None:
            low, high = _unmoved(batch, normal, row, onsets, (low, high))
        yield {"value": batch.values[row], "expected_low": low, "expected_high": high}


def _unmoved(
    batch: Batch, normal: Normal, row: int, onsets: Onsets, otherwise: tuple[Array, Array]
) -> tuple[Array, Array]:
    """The band of a short frame, which would follow a break that lasts, without doing so."""
    flat = normal.filled[row] - normal.season[row]
    for one in breaks_of(onsets, flat, row, LEVELS["medium"].factor, batch.judged):
        beside = band_beside(batch, normal, row, one) if one.side else None
        if beside is not None:
            inside = slice(one.first, one.last + 1)
            for own, kept in zip(otherwise, beside, strict=True):
                own[inside] = kept[inside]
    return otherwise


def _scores(batch: Batch, normal: Normal) -> Iterator[dict[str, Array]]:
    return ({"score": row} for row in ranks_of(batch, normal))


def _told(
    frame: pd.DataFrame,
    columns: tuple[str, ...],
    of_batch: Callable[[Batch, Normal], Iterator[dict[str, Array]]],
    since: pd.Timestamp | None,
    baseline: str | timedelta,
) -> pd.DataFrame:
    since_ns, from_ns = span_of(since, baseline)
    tracks = read_tracks(frame)
    told: list[_Told] = []
    laid = [on_grid(track, since_ns) for track in cut(tracks, from_ns) if not why_not(track)]
    gridded = [one for one in laid if one.judged < one.width]  # the others ended before what is judged
    for batch, normal in normal_batches(gridded):
        for row, cells in zip(batch.rows, of_batch(batch, normal), strict=True):
            first = int(np.searchsorted(row.cells, row.judged))
            at = row.cells[first:]
            own = {name: values[at] for name, values in cells.items()}
            if "value" in own:
                own["value"] = row.track.values[first:]
            told.append((row.track.number, row.track.times_ns[first:], own))
    told.sort(key=lambda one: one[0])
    return _frame(tracks, told, columns)


def _frame(tracks: Tracks, told: list[_Told], columns: tuple[str, ...]) -> pd.DataFrame:
    times = np.concatenate([np.empty(0, np.int64), *(one[1] for one in told)])
    names = pd.Index(tracks.names, dtype=STRING_DTYPE)
    owners = np.repeat([one[0] for one in told], [len(one[1]) for one in told]).astype(np.int64)
    data: dict[str, Any] = {
        "timestamp": pd.DatetimeIndex(times, dtype=TIMESTAMP_DTYPE),
        "series": names.take(owners),
    }
    for name in columns:
        data[name] = np.concatenate([np.empty(0), *(one[2][name] for one in told)])
    return pd.DataFrame(data)
