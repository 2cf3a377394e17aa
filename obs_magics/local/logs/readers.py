"""Columns of log lines, from a table in memory or from a Parquet file of which only what is asked for is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.local.logs.column import Array


class TableReader:
    """Reads from memory.

    Args:
        table: In order of time.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def column(self, name: str, rows: Array) -> pa.ChunkedArray:
        """A column of some lines (int64, ascending positions)."""
        return picked(self._table[name], rows)


class ParquetReader:
    """Reads row groups of a file whose lines are in order of time.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        metadata = pq.read_metadata(path)
        sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        self._starts = np.cumsum([0, *sizes])

    def column(self, name: str, rows: Array) -> pa.ChunkedArray:
        """A column of some lines (int64, ascending positions)."""
        edges = np.searchsorted(rows, self._starts)
        groups = np.flatnonzero(np.diff(edges))
        with pq.ParquetFile(self._path) as file:  # one a question: evaluations run in several threads
            if name not in file.schema_arrow.names or file.metadata.num_rows != self._starts[-1]:
                raise pa.ArrowInvalid(f"{self._path.name} is not the file any more that was opened")
            read = file.read_row_groups(groups.tolist(), columns=[name])[name]
        shift = np.repeat(
            self._starts[groups] - np.cumsum([0, *np.diff(self._starts)[groups]])[:-1], np.diff(edges)[groups]
        )
        return picked(read, rows - shift)


def picked(column: pa.ChunkedArray, rows: Array) -> pa.ChunkedArray:
    """Some values of a column (int64, ascending positions)."""
    if not len(rows):
        return column.slice(0, 0)
    first, last = int(rows[0]), int(rows[-1]) + 1
    stretch = column.slice(first, last - first)
    if len(rows) == last - first:
        return stretch
    mask = np.zeros(last - first, bool)
    mask[rows - first] = True
    return stretch.filter(pa.array(mask))
