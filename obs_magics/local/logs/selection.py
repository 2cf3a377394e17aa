"""The lines that a selector has taken: their times, their stored labels, and their text once somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pyarrow as pa

from obs_magics.local.logs.column import Array, Column
from obs_magics.local.logs.tables import MESSAGE, metadata_column

# What Loki calls labels that it adds by itself, what they are here, and what they say where there is none:
# https://grafana.com/docs/loki/latest/get-started/labels/#default-labels-for-all-users
ALIASES: Mapping[str, tuple[str, str]] = {
    "service_name": ("service", "unknown_service"),
    "detected_level": ("level", "unknown"),
}


class Reader(Protocol):
    """Where the columns lie that are too large to be kept."""

    def column(self, name: str, rows: Array) -> pa.ChunkedArray:
        """A column of some lines (int64, ascending positions)."""
        ...


class Selection:
    """Lines of a store, in order of time.

    Args:
        rows: int64, ascending: which lines of the store.
        times_ns: int64, of these lines.
        stream: Labels that tell streams apart, over all lines of the store.
        metadata: Names of the labels that differ from line to line.
        reader: Gives the rest.
    """

    def __init__(
        self,
        rows: Array,
        times_ns: Array,
        stream: Mapping[str, Column],
        metadata: frozenset[str],
        reader: Reader,
    ) -> None:
        self.times_ns = times_ns
        self.label_names = frozenset(stream)
        self.metadata_names = metadata
        self.names = self.label_names | metadata
        self._rows = rows
        self._stream = stream
        self._reader = reader
        self._metadata: dict[str, Column] = {}
        self._texts: pa.Array | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def kept(self, mask: Array) -> Selection:
        """Only the lines for which `mask` (bool) is true."""
        return Selection(self._rows[mask], self.times_ns[mask], self._stream, self.metadata_names, self._reader)

    def values(self, name: str) -> frozenset[str]:
        """The values that these lines have of a label that tells streams apart; none when there is no such label."""
        column = self._stream.get(name)
        if column is None or not len(self._rows):
            return frozenset()
        counts = np.bincount(column.codes[self._rows] + 1, minlength=1)[1:]  # the first place is for lines without it
        return frozenset(column.values.take(pa.array(np.flatnonzero(counts))).to_pylist())

    def own_name(self, name: str) -> str:
        """What a label is called here, when Loki has another name for it."""
        alias = ALIASES.get(name)
        return name if alias is None or name in self.names else alias[0]

    def label(self, name: str, rows: Array) -> Column | None:
        """A stored label of some of these lines (int64 positions); None when there is no such label."""
        own = self.own_name(name)
        if own == name:
            return self._own(name, rows)
        column = self._own(own, rows)
        fallback = Column.constant(len(rows), ALIASES[name][1])
        return fallback if column is None else column.over(fallback)

    def _own(self, name: str, rows: Array) -> Column | None:
        if name in self._stream:
            return self._stream[name].kept(self._rows[rows])
        if name not in self.metadata_names:
            return None
        if name not in self._metadata:
            self._metadata[name] = metadata_column(self._reader.column(name, self._rows))
        return self._metadata[name].kept(rows)

    def texts(self, rows: Array) -> pa.Array:
        """The lines as stored (`large_string`, no nulls), of some of these (int64, ascending positions)."""
        if self._texts is None:
            column = self._reader.column(MESSAGE, self._rows).cast(pa.large_string())
            whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
            self._texts = whole.fill_null("") if whole.null_count else whole
        if len(rows) == len(self._texts):
            return self._texts
        mask = np.zeros(len(self._texts), bool)
        mask[rows] = True
        return self._texts.filter(pa.array(mask))
