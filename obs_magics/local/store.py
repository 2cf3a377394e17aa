"""Series by matchers and time range, from Parquet on disk or from a block in memory: what the PromQL engine reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.local import native
from obs_magics.local.block import Block
from obs_magics.local.database import quoted
from obs_magics.local.labels import SeriesIndex
from obs_magics.local.promql.data import Matcher, SeriesSet
from obs_magics.model.catalog import MetricInfo

Array = np.ndarray[Any, Any]

# One query for each stretch of neighbouring series; a few series too many cost less than a query more.
_GAP = 64
_MOST_STRETCHES = 16


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of several series, in order of series and time: one entry per sample in each array."""

    series: Array
    timestamps_ms: Array
    values: Array
    histograms: pa.Array | None = None


class Reader(Protocol):
    """Where the samples lie."""

    def read(self, series: Array, start_ms: int, end_ms: int) -> Samples:
        """The samples of some series (ascending positions, at least one) between two times, both included."""
        ...


class Store:
    """A `SeriesStore`: labels in memory, samples wherever `reader` has them.

    Args:
        index: The label sets.
        first_ms: Time of the first sample of each series.
        last_ms: Time of the last one; before `first_ms` for a series without samples.
        reader: Reads the samples.
        metadata: Metrics by name, as far as the files tell.
    """

    def __init__(
        self,
        index: SeriesIndex,
        first_ms: Array,
        last_ms: Array,
        reader: Reader,
        metadata: Mapping[str, MetricInfo],
    ) -> None:
        self.index = index
        self.metadata = dict(metadata)
        self._first_ms = first_ms
        self._last_ms = last_ms
        self._reader = reader

    @property
    def samples_end_ms(self) -> int | None:
        """Time of the last sample of all; None when there is none."""
        return self.extent(np.arange(self.index.size))[1] if (self._last_ms >= self._first_ms).any() else None

    def extent(self, series: Array) -> tuple[int, int]:
        """First and last sample time of some series (at least one)."""
        return int(self._first_ms[series].min()), int(self._last_ms[series].max())

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesSet:
        """The series that fulfil all matchers, with their samples between two times, both included.

        Series without a sample in between are left out; stale markers are kept.
        """
        series = self.index.match(matchers)
        series = series[(self._first_ms[series] <= end_ms) & (self._last_ms[series] >= start_ms)]
        somewhere = len(series) > 0 and start_ms <= end_ms
        samples = self._reader.read(series, start_ms, end_ms) if somewhere else _NOTHING
        present, counts = np.unique(samples.series, return_counts=True)
        return SeriesSet(
            labels=self.index.labels(present),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            timestamps_ms=samples.timestamps_ms,
            values=samples.values,
            histograms=samples.histograms,
        )


_NOTHING = Samples(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


class _BlockReader:
    """Reads from memory."""

    def __init__(self, block: Block) -> None:
        self._block = block

    def read(self, series: Array, start_ms: int, end_ms: int) -> Samples:
        block = self._block
        slices = [self._slice(position, start_ms, end_ms) for position in series]
        rows = np.concatenate([np.arange(first, last) for first, last in slices])
        return Samples(
            np.repeat(series, [last - first for first, last in slices]),
            block.timestamps_ms[rows],
            block.values[rows],
            None if block.histograms is None else block.histograms.take(pa.array(rows)),
        )

    def _slice(self, position: int, start_ms: int, end_ms: int) -> tuple[int, int]:
        first, last = self._block.offsets[position], self._block.offsets[position + 1]
        times = self._block.timestamps_ms[first:last]
        return first + int(np.searchsorted(times, start_ms)), first + int(np.searchsorted(times, end_ms, "right"))


class _ParquetReader:
    """Reads a native folder's samples through DuckDB, which skips the row groups that do not matter."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._histograms = "histogram" in pq.read_schema(path).names
        columns = "series, timestamp_ms, value" + (", histogram" if self._histograms else "")
        self._query = (
            f"SELECT {columns} FROM read_parquet({quoted(str(path))})"  # noqa: S608 - our own path, quoted
            " WHERE series BETWEEN ? AND ? AND timestamp_ms BETWEEN ? AND ?"
        )

    def read(self, series: Array, start_ms: int, end_ms: int) -> Samples:
        tables = [self._stretch(first, last, start_ms, end_ms) for first, last in _stretches(series)]
        table = pa.concat_tables(tables).combine_chunks()
        numbers = table["series"].to_numpy()
        wanted = np.zeros(int(series[-1]) + 1, dtype=bool)
        wanted[series] = True
        if not (keep := wanted[numbers]).all():
            table = table.filter(pa.array(keep))
            numbers = numbers[keep]
        return Samples(
            numbers,
            table["timestamp_ms"].to_numpy(),
            table["value"].to_numpy(),
            table["histogram"].combine_chunks() if self._histograms else None,
        )

    def _stretch(self, first: int, last: int, start_ms: int, end_ms: int) -> pa.Table:
        # a cursor of its own, because evaluations run in several threads
        return self._connection.cursor().sql(self._query, params=[first, last, start_ms, end_ms]).to_arrow_table()


def _stretches(series: Array) -> list[tuple[int, int]]:
    """Neighbouring positions as (first, last); one stretch over all when there would be too many."""
    breaks = np.flatnonzero(np.diff(series) > _GAP)
    if len(breaks) >= _MOST_STRETCHES:
        return [(int(series[0]), int(series[-1]))]
    firsts = series[np.concatenate([[0], breaks + 1])]
    lasts = series[np.concatenate([breaks, [len(series) - 1]])]
    return [(int(first), int(last)) for first, last in zip(firsts, lasts, strict=True)]


def store_of_block(block: Block) -> Store:
    """A store over series in memory."""
    table = native.series_table(block)
    return Store(
        SeriesIndex.from_labels(block.labels),
        table["first_ms"].to_numpy(),
        table["last_ms"].to_numpy(),
        _BlockReader(block),
        block.metadata,
    )


def store_of_folder(connection: duckdb.DuckDBPyConnection, folder: Path) -> Store:
    """A store over a native folder; reads the series now and the samples when asked.

    Raises:
        OSError: A file is missing.
        pyarrow.ArrowException: A file is damaged.
    """
    series = pq.read_table(folder / native.SERIES, columns=["labels", "first_ms", "last_ms"])
    metadata = pq.read_table(folder / native.METADATA).to_pylist()
    return Store(
        SeriesIndex.from_map(series["labels"].combine_chunks()),
        series["first_ms"].to_numpy(),
        series["last_ms"].to_numpy(),
        _ParquetReader(connection, folder / native.SAMPLES),
        {row["metric"]: MetricInfo(row["metric"], row["type"], row["unit"], row["help"]) for row in metadata},
    )
