"""The series of a folder as columns of codes, and which of them a set of matchers selects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.local.promql.data import Matcher
from obs_magics.local.promql.match import fulfils
from obs_magics.model.frames import METRIC_NAME_LABEL

Array = np.ndarray[Any, Any]

# Labels by which people ask first: series that share them lie together on disk, so that one question reads one stretch.
_NEAR_FIRST = ("service", "job", "namespace")


def sort_key(labels: Mapping[str, str]) -> tuple[Any, ...]:
    """The order of series in a folder: by metric, then by what people ask for first, then by all labels."""
    name = labels.get(METRIC_NAME_LABEL, "")
    return (name, *(labels.get(label, "") for label in _NEAR_FIRST), sorted(labels.items()))


@dataclass(frozen=True, slots=True)
class _Column:
    """One label over all series: `codes[i]` is an index into `values`, and -1 where series i lacks the label."""

    codes: Array
    values: list[str]


class SeriesIndex:
    """The label sets of all series, numbered from 0, searched column by column.

    Args:
        columns: Label name to codes and values; every column covers all series.
        size: How many series there are.
    """

    def __init__(self, columns: Mapping[str, _Column], size: int) -> None:
        self._columns = dict(columns)
        self.size = size

    @classmethod
    def from_labels(cls, labels: Sequence[Mapping[str, str]]) -> SeriesIndex:
        """Build from one mapping per series."""
        offsets = np.cumsum([0, *map(len, labels)])
        names = [name for series in labels for name in series]
        values = [value for series in labels for value in series.values()]
        return cls._from_pairs(offsets, pa.array(names, pa.string()), pa.array(values, pa.string()))

    @classmethod
    def from_map(cls, column: pa.Array) -> SeriesIndex:
        """Build from an Arrow array of ``map<string, string>``, one per series; takes no Python object a series."""
        return cls._from_pairs(
            np.asarray(column.offsets) - column.offsets[0].as_py() if len(column) else np.zeros(1, np.int64),
            pc.list_flatten(column.cast(_PAIRS)).field(0),
            pc.list_flatten(column.cast(_PAIRS)).field(1),
        )

    @classmethod
    def _from_pairs(cls, offsets: Array, names: pa.Array, values: pa.Array) -> SeriesIndex:
        size = len(offsets) - 1
        rows = np.repeat(np.arange(size), np.diff(offsets))
        encoded = names.dictionary_encode()
        codes = np.asarray(encoded.indices)
        columns = {}
        for code, name in enumerate(encoded.dictionary.to_pylist()):
            here = np.flatnonzero(codes == code)
            inside = values.take(pa.array(here)).dictionary_encode()
            column = np.full(size, -1, np.int32)
            column[rows[here]] = np.asarray(inside.indices)
            columns[name] = _Column(column, inside.dictionary.to_pylist())
        return cls(columns, size)

    def match(self, matchers: Iterable[Matcher]) -> Array:
        """Positions of the series that fulfil every matcher, ascending, int64."""
        keep = np.ones(self.size, dtype=bool)
        for matcher in matchers:
            keep &= self._mask(matcher)
        return np.flatnonzero(keep)

    def _mask(self, matcher: Matcher) -> Array:
        column = self._columns.get(matcher.name)
        missing = fulfils(matcher, "")
        if column is None:
            return np.full(self.size, missing)
        # the last place answers for -1: a series without a label counts as one whose label is empty
        return np.asarray([*(fulfils(matcher, value) for value in column.values), missing])[column.codes]

    def labels(self, positions: Iterable[int]) -> list[dict[str, str]]:
        """The label sets of some series, each sorted by label name."""
        columns = sorted(self._columns.items())
        return [
            {name: column.values[column.codes[row]] for name, column in columns if column.codes[row] >= 0}
            for row in positions
        ]

    def label_names(self, metric: str | None = None) -> list[str]:
        """Sorted names of the labels, of one metric or of all; without `__name__`."""
        rows = self._rows_of(metric)
        return sorted(
            name
            for name, column in self._columns.items()
            if name != METRIC_NAME_LABEL and bool((column.codes[rows] >= 0).any())
        )

    def label_values(self, label: str, metric: str | None = None) -> list[str]:
        """Sorted values of one label, on one metric or on all."""
        column = self._columns.get(label)
        if column is None:
            return []
        used = np.unique(column.codes[self._rows_of(metric)])
        return sorted(column.values[code] for code in used if code >= 0)

    def metric_names(self) -> list[str]:
        """Sorted metric names."""
        return self.label_values(METRIC_NAME_LABEL)

    def _rows_of(self, metric: str | None) -> Array:
        return np.arange(self.size) if metric is None else self.match([Matcher(METRIC_NAME_LABEL, "=", metric)])


_PAIRS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
