"""The attributes of two frames as codes: one column of both for each attribute, the selected rows first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.analysis.spans import attribute_table
from obs_magics.model.frames import METRIC_COLUMNS, label_columns
from obs_magics.model.logs import LOG_COLUMNS, log_label_columns
from obs_magics.model.spans import SPAN_COLUMNS

Array = np.ndarray[Any, Any]

_OF_SPANS = ("service", "operation", "kind", "status_message")
_OF_LOGS = ("service", "level")
_TAKEN = "attributes."  # before the name of an attribute that is also a column's
_DICTIONARY = pa.dictionary(pa.int32(), pa.large_string())


@dataclass(frozen=True, slots=True)
class Coded:
    """An attribute of the rows of both frames.

    Args:
        name: Of the attribute.
        codes: int32, one per row, the position in `values`; `len(values)` where the row has none.
        values: Distinct texts.
    """

    name: str
    codes: Array
    values: pa.Array


def coded(selected: pd.DataFrame, rest: pd.DataFrame, ignore: Collection[str] = ()) -> Iterator[Coded]:
    """Every attribute that one of the frames has, columns of their own first, then by name; one after the other."""
    left, right = _texts(selected), _texts(rest)
    for name in [*left, *(name for name in right if name not in left)]:
        if name not in ignore:
            yield _coded(name, left.get(name), right.get(name), len(selected), len(rest))


def strata(selected: pd.DataFrame, rest: pd.DataFrame, names: Sequence[str]) -> tuple[Array, Array]:
    """The number of each row's combination of values of some columns, of both frames alike.

    Raises:
        KeyError: A frame lacks one of the columns.
    """
    left, right = ({name: _arrow(frame[name]) for name in names} for frame in (selected, rest))
    numbers = np.zeros(len(selected) + len(rest), dtype=np.int64)
    for name in names:
        one = _coded(name, left[name], right[name], len(selected), len(rest))
        numbers = np.unique(numbers * (len(one.values) + 1) + one.codes, return_inverse=True)[1]
    return numbers[: len(selected)], numbers[len(selected) :]


def _texts(frame: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """The columns that could tell rows apart; what tells which kind of frame it is are its own columns."""
    if set(SPAN_COLUMNS) <= set(frame.columns):
        found = attribute_table(frame)
        own = {name: frame[name] for name in _OF_SPANS}
        return own | {_TAKEN + name if name in own else name: found[name] for name in found.columns}
    if set(LOG_COLUMNS) <= set(frame.columns):
        return {name: frame[name] for name in (*_OF_LOGS, *log_label_columns(frame))}
    if set(METRIC_COLUMNS) <= set(frame.columns):
        return {name: frame[name] for name in ("metric", *label_columns(frame))}
    return {str(name): frame[name] for name in frame.columns if _is_attribute(frame[name])}


def _is_attribute(column: pd.Series[Any]) -> bool:
    """Texts, categories, truth values and numbers; instants, durations and nested values are none."""
    plain = isinstance(column.dtype, pd.CategoricalDtype | pd.StringDtype) or column.dtype == object
    return plain or pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype)


def _arrow(column: pd.Series[Any]) -> pa.Array:
    """A column as an Arrow dictionary of texts, missing as null."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        values = pa.array(column.cat.categories.astype(str), pa.large_string())
        codes = column.cat.codes.to_numpy().astype(np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), values)
    if column.dtype == object:
        column = column.map(_readable, na_action="ignore")
    found = pa.array(column, from_pandas=True)
    whole = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return whole.cast(pa.large_string()).dictionary_encode()


def _readable(value: Any) -> str:
    """Any value as text that Arrow takes: without lone surrogates."""
    return str(value).encode("utf-8", "replace").decode()


def _coded(
    name: str, left: pd.Series[Any] | pa.Array | None, right: pd.Series[Any] | pa.Array | None, first: int, second: int
) -> Coded:
    parts = [
        pa.nulls(rows, _DICTIONARY) if column is None else column if isinstance(column, pa.Array) else _arrow(column)
        for column, rows in ((left, first), (right, second))
    ]
    both = pa.chunked_array([part.cast(_DICTIONARY) for part in parts]).unify_dictionaries().combine_chunks()
    values = both.dictionary
    codes = both.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    return Coded(name, codes.astype(np.int32, copy=False), values)
