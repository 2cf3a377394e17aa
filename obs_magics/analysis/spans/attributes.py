"""Attributes of spans as columns: taken out of the Arrow map for all spans at once, when somebody asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.model.logs import text_column
from obs_magics.model.spans import ATTRIBUTES_TYPE

Array = np.ndarray[Any, Any]


def attribute(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """One attribute of every span, as text; missing where a span has none of that name.

    Args:
        frame: A spans frame.
        name: As it is written in the spans (`http.route`). Of several of one name in one span the first counts.

    Returns:
        A Series of `STRING_DTYPE` with the frame's index.
    """
    return _Entries(frame).column(name)


def first_attribute(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series[Any]:
    """The first of several attributes that a span has, for what was called otherwise before; missing for none."""
    entries = _Entries(frame)
    return indexed(pc.coalesce(*(arrow(entries.column(name)) for name in names)), frame, None)


def attribute_table(frame: pd.DataFrame, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Attributes as columns of strings, with the frame's index.

    Args:
        frame: A spans frame.
        names: Which, in this order; None for all that any span has, in order of name.
    """
    entries = _Entries(frame)
    wanted = entries.names() if names is None else list(dict.fromkeys(names))
    return pd.DataFrame({name: entries.column(name) for name in wanted}, index=frame.index, copy=False)


class _Entries:
    """All attributes of a frame, end to end: the row, the name and the value of each."""

    def __init__(self, frame: pd.DataFrame) -> None:
        whole = arrow(frame["attributes"], ATTRIBUTES_TYPE)
        offsets = np.asarray(whole.offsets.to_numpy())
        first, last = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
        keys = whole.keys.slice(first, last - first).dictionary_encode()
        self.frame = frame
        self._values = whole.items.slice(first, last - first)
        self._names: list[str] = keys.dictionary.to_pylist()
        self._codes: Array = keys.indices.to_numpy()
        self._rows: Array = np.repeat(np.arange(len(whole)), np.diff(offsets))

    def names(self) -> list[str]:
        """Every name that some span has, in order."""
        return sorted(self._names)

    def column(self, name: str) -> pd.Series[Any]:
        """The values of one name, one per span."""
        code = self._names.index(name) if name in self._names else -1
        places = np.flatnonzero(self._codes == code)[::-1]  # so that the first of a span is written last
        chosen = np.full(len(self.frame), -1, dtype=np.int64)
        chosen[self._rows[places]] = places
        taken = self._values.take(pa.array(chosen, mask=chosen < 0))
        return indexed(taken, self.frame, name)


def arrow(column: pd.Series[Any], kind: pa.DataType | None = None) -> pa.Array:
    """A column as one Arrow array, missing as null; of strings where no other kind is asked for."""
    given = pa.array(column, kind or pa.large_string(), from_pandas=True)
    return given.combine_chunks() if isinstance(given, pa.ChunkedArray) else given


def indexed(values: pa.Array, frame: pd.DataFrame, name: str | None) -> pd.Series[Any]:
    """Arrow strings as a column with the frame's index."""
    column = text_column(values)
    column.index = frame.index
    column.name = name
    return column
