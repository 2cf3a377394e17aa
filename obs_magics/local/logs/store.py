"""The log lines of a folder: times and labels in memory, the rest where it lies until it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.local.logs.column import Array, Column
from obs_magics.local.logs.readers import ParquetReader, TableReader
from obs_magics.local.logs.selection import ALIASES, Reader, Selection
from obs_magics.local.logs.tables import MESSAGE, PER_LINE, TIME, gathered, order_of, stream_columns, times_of
from obs_magics.local.promql.data import Matcher
from obs_magics.local.promql.match import fulfils
from obs_magics.model.logs import LEVELS


class LogStore:
    """Lines by stream selector and time range.

    Args:
        times_ns: int64, ascending: one per line, nanoseconds since the epoch.
        stream: Labels that tell streams apart.
        metadata: Names of the labels that differ from line to line.
        reader: Gives the text and the metadata.
    """

    def __init__(self, times_ns: Array, stream: Mapping[str, Column], metadata: Iterable[str], reader: Reader) -> None:
        self.times_ns = times_ns
        self.metadata = frozenset(metadata)
        self._stream = dict(stream)
        self._reader = reader

    def __len__(self) -> int:
        return len(self.times_ns)

    @property
    def extent_ns(self) -> tuple[int, int] | None:
        """Times of the first and the last line; None when there is none."""
        return (int(self.times_ns[0]), int(self.times_ns[-1])) if len(self) else None

    def label_names(self) -> list[str]:
        """Names of the labels that tell streams apart, sorted."""
        return sorted(name for name, column in self._stream.items() if column.present.any())

    def label_values(self, label: str) -> list[str]:
        """Values of such a label, sorted; aliases work; empty for a label that is not there."""
        column = self._labels(label)
        return [] if column is None else sorted(column.compact().texts())

    def matches(self, matcher: Matcher) -> Array:
        """bool, one per line: which lines fulfil a condition on a label that tells streams apart."""
        missing = fulfils(matcher, "")
        column = self._labels(matcher.name)
        if column is None:
            return np.full(len(self), missing)
        return column.mask(lambda value: fulfils(matcher, value), missing=missing)

    def _labels(self, name: str) -> Column | None:
        if name in self._stream:
            return self._stream[name]
        if name not in ALIASES or name in self.metadata:
            return None
        own, fallback = ALIASES[name]
        unknown = Column.constant(len(self), fallback)
        return self._stream[own].over(unknown) if own in self._stream else unknown

    def select(self, matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> Selection:
        """The lines of the streams that fulfil all matchers, from `start_ns` (included) up to `end_ns` (excluded).

        Raises:
            QueryError: A pattern is not RE2.
        """
        first, last = np.searchsorted(self.times_ns, [start_ns, max(end_ns, start_ns)])
        keep = np.ones(len(self), bool)
        for matcher in matchers:
            keep &= self.matches(matcher)
        rows = first + np.flatnonzero(keep[first:last])
        return Selection(rows, self.times_ns[rows], self._stream, self.metadata, self._reader)

    def level_codes(self, selection: Selection) -> Array:
        """int8: positions in `model.logs.LEVELS` of the lines of a selection, -1 where the level is unknown."""
        column = selection.label("level", np.arange(len(selection))) if "level" in selection.names else None
        if column is None:
            return np.full(len(selection), -1, np.int8)
        known: dict[str, int] = {level: code for code, level in enumerate(LEVELS)}
        codes = np.asarray([*(known.get(value, -1) for value in column.texts()), -1], np.int8)
        levels: Array = codes[column.codes]
        return levels


def store_of_tables(tables: Sequence[pa.Table]) -> LogStore:
    """A store over tables in memory, in the shape of a logs frame.

    Args:
        tables: Each with `timestamp` and `message`; dictionaries for the labels that tell streams apart, strings for
            what differs from line to line.
    """
    return _store_of(gathered(tables), counting=False)


def _store_of(table: pa.Table, *, counting: bool) -> LogStore:
    stream = stream_columns(table, table.schema, counting=counting)
    return LogStore(times_of(table), stream, _rest(table.column_names, stream), TableReader(table))


def _rest(names: Iterable[str], stream: Mapping[str, Column]) -> list[str]:
    return [name for name in names if name not in {TIME, MESSAGE, *stream}]


def store_of_file(path: Path) -> LogStore:
    """A store over a native folder's table of logs; reads times and labels now, the rest when asked.

    Raises:
        OSError: The file is missing.
        pyarrow.ArrowException: It is damaged, or not a table of logs.
    """
    schema = pq.read_schema(path)
    if TIME not in schema.names or MESSAGE not in schema.names:
        raise pa.ArrowInvalid(f"{path.name} has no columns {TIME} and {MESSAGE}")
    small = [name for name in schema.names if name not in {MESSAGE, *PER_LINE}]
    table = pq.read_table(path, columns=small, read_dictionary=[name for name in small if _is_text(schema, name)])
    times_ns = times_of(table)
    if order_of(times_ns) is not None:
        return _store_of(gathered([pq.read_table(path)]), counting=True)
    stream = stream_columns(table, schema, counting=True)
    return LogStore(times_ns, stream, _rest(schema.names, stream), ParquetReader(path))


def _is_text(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
