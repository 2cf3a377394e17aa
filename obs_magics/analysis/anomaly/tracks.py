"""A metrics frame as tracks: one run of finite points per series, in order of time, made one at a time.

`model.series.split_series` holds an int64 per row several times over; over ten thousand series a scan cannot afford it,
so the frame is cut here where its categories change, and only what is not in order is sorted.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.anomaly.checks import checked, times_of, values_of
from obs_magics.model.frames import label_columns
from obs_magics.model.series import Series, short_names

Array = np.ndarray[Any, Any]

_LARGEST = 1e150  # nobody measures more, and squares of it are still numbers
_COUNTER_ENDINGS = ("_total", "_count", "_sum", "_bucket")
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Track:
    """The finite points of one series; of several at one instant the last.

    Args:
        number: Position in `Tracks.series`.
        times_ns: int64, rising.
        values: float64, finite.
        rate: Whether the values are the per-second increase of a raw counter.
    """

    number: int
    times_ns: Array
    values: Array
    rate: bool = False


@dataclass(frozen=True, slots=True)
class Tracks:
    """Who the series of a frame are, in order of their identity, and how to get at their points.

    Args:
        series: Identities alone: their arrays are empty.
        names: A short name per series.
    """

    series: tuple[Series, ...]
    names: tuple[str, ...]
    _rows: tuple[Array | slice, ...] = field(repr=False)
    _times: Array = field(repr=False)
    _values: Array = field(repr=False)

    def __iter__(self) -> Iterator[Track]:
        """Each series' points; counters as their rate."""
        return (self.track(number) for number in range(len(self.series)))

    def track(self, number: int) -> Track:
        """The points of one series."""
        times, values = self.points(number)
        if self.series[number].metric.endswith(_COUNTER_ENDINGS) and is_counter(values):
            return Track(number, times[1:], increases(times, values), rate=True)
        return Track(number, times, values)

    def points(self, number: int) -> tuple[Array, Array]:
        """Instants and values of one series as they stand, without those that are no numbers, or too large."""
        rows = self._rows[number]
        times, values = self._times[rows], self._values[rows]
        finite = np.abs(values) <= _LARGEST
        if not finite.all():
            times, values = times[finite], values[finite]
        steps = np.diff(times)
        if (steps < 0).any():
            order = np.lexsort((values, times))
            times, values = times[order], values[order]
            steps = np.diff(times)
        if (steps == 0).any():  # the largest of those at one instant: which stands last depends on the order of rows
            largest = np.lexsort((values, times))
            kept = np.append(steps > 0, True)
            times, values = times[largest][kept], values[largest][kept]
        return times, values

    @property
    def end_ns(self) -> int:
        """The last instant of the frame."""
        return int(self._times.max())

    @property
    def start_ns(self) -> int:
        """The first instant of the frame."""
        return int(self._times.min())


def read_tracks(frame: pd.DataFrame) -> Tracks:
    """The series of a metrics frame; native histograms count with their mean.

    Raises:
        UsageError: It is no frame that can be looked at (`checks`).
    """
    frame = checked(frame)
    if frame.empty:
        return Tracks((), (), (), _NONE, np.empty(0))
    values, times = values_of(frame), times_of(frame)
    columns = [name for name in ("metric", *label_columns(frame)) if name in frame.columns]
    rows, firsts = _cut([_codes(frame[name]) for name in columns], len(frame))
    heads = frame[columns].iloc[firsts]
    series = [_identity(row, columns) for row in heads.itertuples(index=False, name=None)]
    order = sorted(range(len(series)), key=lambda one: sorted(series[one].identity.items()))
    ordered = [series[one] for one in order]
    return Tracks(tuple(ordered), tuple(short_names(ordered)), tuple(rows[one] for one in order), times, values)


def _codes(label: pd.Series[Any]) -> Array:
    """A number per value of a label; values that cannot be told apart by themselves (lists) count as their text."""
    if label.dtype == object and not label.map(lambda one: isinstance(one, Hashable)).all():
        label = label.astype(str)
    return np.asarray(label.astype("category").cat.codes)


def _identity(row: tuple[Any, ...], columns: list[str]) -> Series:
    texts = {name: str(value) for name, value in zip(columns, row, strict=True) if _is_there(value)}
    return Series(texts.pop("metric", ""), texts, _NONE, np.empty(0), _NONE)


def _is_there(value: Any) -> bool:
    return not pd.api.types.is_scalar(value) or not pd.isna(value)


def _cut(codes: list[Array], count: int) -> tuple[list[Array | slice], Array]:
    """Where each series' rows are, and the first row of each: slices where they stand together, else their numbers."""
    change = np.zeros(count, np.bool_)
    change[0] = True
    for one in codes:
        change[1:] |= one[1:] != one[:-1]
    starts = np.flatnonzero(change)
    ends = np.append(starts[1:], count)
    keys = np.stack([one[starts].astype(np.int32) for one in codes], axis=1) if codes else np.zeros((1, 1), np.int32)
    _, firsts, owners = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    if len(firsts) == len(starts):
        return [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)], starts
    owner_of_row = np.repeat(owners.reshape(-1).astype(np.int32), ends - starts)
    order = np.argsort(owner_of_row, kind="stable")
    bounds = np.searchsorted(owner_of_row[order], np.arange(len(firsts) + 1))
    return [order[low:high] for low, high in pairwise(bounds.tolist())], starts[firsts]


def is_counter(values: Array) -> bool:
    """Whether values are those of a raw counter: never negative, never falling but to start anew near zero.

    Args:
        values: float64, in order of time.
    """
    if len(values) < 2 or values.min() < 0 or values.min() == values.max():
        return False
    falls = np.flatnonzero(values[1:] < values[:-1])
    return len(falls) <= len(values) // 10 and bool(np.all(values[falls + 1] <= 0.5 * values[falls]))


def increases(times_ns: Array, values: Array) -> Array:
    """The per-second increase of a counter; after a reset it began at zero, as in Prometheus' `rate()`."""
    steps = np.diff(values)
    return np.where(steps < 0, values[1:], steps) / (np.diff(times_ns) / 1e9)
