"""Frames in and out of SQL: pandas to Arrow in types that DuckDB knows, and answers back in the dtypes of our frames.

Into SQL, levels become an ENUM in which they rank, other categories VARCHAR, timedeltas INTERVAL, times with a zone
TIMESTAMPTZ (in microseconds: nanoseconds are cut, and that is said). Out of it:

===============================  =======================================================
DuckDB                           pandas
===============================  =======================================================
every TIMESTAMP, DATE            datetime64[ns, UTC]; what has no zone is taken for UTC
INTERVAL                         timedelta64[ns]; text where it has months in it
integers, sums of them           int64 and smaller; Int64 where values are missing
DECIMAL, HUGEINT beyond int64    float64
VARCHAR, UUID, JSON              string
ENUM                             category; that of the levels ordered
LIST, STRUCT, MAP                Arrow-backed
===============================  =======================================================

A result with `timestamp`, `value` and `metric` is a metrics frame: its texts become categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.model.errors import QueryError
from obs_magics.model.frames import METRIC_COLUMNS, STRING_DTYPE
from obs_magics.model.logs import LEVEL_DTYPE, LEVELS

_UTC_US = pa.timestamp("us", "UTC")
_NOT_A_TIME = np.iinfo(np.int64).min
_NULLABLE: dict[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype(),
}  # fmt: skip
# Months, days and nanoseconds, as Arrow lays an interval out in memory.
_INTERVAL = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")])
_DAY_NS = 86_400_000_000_000


def to_arrow(name: str, frame: pd.DataFrame) -> tuple[pa.Table, list[str]]:
    """A frame as a table for DuckDB, and what got lost on the way.

    A named index becomes columns.

    Raises:
        QueryError: Two columns have one name, or a column holds things that SQL has no type for.
    """
    named = [level for level in frame.index.names if level is not None]
    whole = frame.reset_index() if named else frame
    columns = [_column_name(column) for column in whole.columns]
    clash = next(
        (one for index, one in enumerate(columns) if one.lower() in {c.lower() for c in columns[:index]}), None
    )
    if clash is not None:
        raise QueryError(
            f"the frame {name} has two columns called {clash} (SQL takes no notice of case)", hint="rename one of them"
        )
    arrays, lost = [], []
    for position, column in enumerate(columns):
        array, cut = _sql_array(name, column, whole.iloc[:, position])
        arrays.append(array)
        lost += [f"{name}.{column}: SQL keeps microseconds, the nanoseconds are cut"] if cut else []
    return pa.table(arrays, names=columns), lost


def to_frame(table: pa.Table) -> pd.DataFrame:
    """An answer of DuckDB as a frame.

    Raises:
        QueryError: A time lies outside what nanoseconds in 64 bits can tell.
    """
    names = unique_names(table.column_names)
    data = {name: _series(name, column) for name, column in zip(names, table.columns, strict=True)}
    frame = pd.DataFrame(data, index=pd.RangeIndex(table.num_rows), copy=False)
    if set(METRIC_COLUMNS) <= set(names):
        texts = [name for name in names if frame[name].dtype == STRING_DTYPE]
        frame = frame.astype(dict.fromkeys(texts, "category"))
    return frame


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names of which no two are equal to SQL, which takes no notice of case: ``a, A`` become ``a, A_1``."""
    taken: set[str] = set()
    unique = []
    for name in names:
        candidate, number = name, 1
        while candidate.lower() in taken:
            candidate, number = f"{name}_{number}", number + 1
        taken.add(candidate.lower())
        unique.append(candidate)
    return unique


def _column_name(column: object) -> str:
    return "_".join(map(str, column)) if isinstance(column, tuple) else str(column)


def _sql_array(name: str, column: str, series: pd.Series[Any]) -> tuple[pa.Array, bool]:
    try:
        array = pa.Array.from_pandas(series)
    except (pa.ArrowException, TypeError, ValueError) as problem:
        raise QueryError(
            f"the column {column} of the frame {name} holds what SQL has no type for: {problem}",
            hint=f"convert it first, or leave it out: {name}.drop(columns=[{column!r}])",
        ) from problem
    if not pa.types.is_timestamp(array.type):
        return array, False
    wanted = _UTC_US if array.type.tz else pa.timestamp("us")
    cast = array.cast(wanted, safe=False)
    cut = array.type.unit == "ns" and bool(np.any(pc.drop_null(array.cast(pa.int64())).to_numpy() % 1000))
    return cast, cut


def _series(name: str, column: pa.ChunkedArray) -> pd.Series[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _instants(name, column)
    if pa.types.is_interval(kind):
        return _durations(column)
    if pa.types.is_string(kind) or pa.types.is_null(kind):
        return pd.Series(column.cast(pa.string()).to_pandas().to_numpy(), dtype=STRING_DTYPE)
    if pa.types.is_dictionary(kind):
        return _categories(column)
    return _values(_number(column) if pa.types.is_decimal(kind) else column)


def _categories(column: pa.ChunkedArray) -> pd.Series[Any]:
    found = _values(column)
    return found.astype(LEVEL_DTYPE) if tuple(found.cat.categories) == LEVELS else found


def _values(column: pa.ChunkedArray) -> pd.Series[Any]:
    kind = column.type
    if pa.types.is_nested(kind) and not pa.types.is_union(kind):
        return pd.Series(pd.arrays.ArrowExtensionArray(column))
    if column.null_count and kind in _NULLABLE:
        return pd.Series(_NULLABLE[kind].__from_arrow__(column))
    return pd.Series(column.to_pandas().array, copy=False)


def _instants(name: str, column: pa.ChunkedArray) -> pd.Series[Any]:
    zone = column.type.tz if pa.types.is_timestamp(column.type) else None
    try:
        nanoseconds = column.cast(pa.timestamp("ns", zone)).cast(pa.int64())
    except pa.ArrowInvalid as problem:
        raise QueryError(
            f"the column {name} has a time outside the years 1678 to 2261, which nanoseconds cannot tell",
            hint=f"leave it out with WHERE, or take it as text: CAST({name} AS VARCHAR)",
        ) from problem
    instants = pc.fill_null(nanoseconds, _NOT_A_TIME).to_numpy().view("M8[ns]")
    return pd.Series(pd.DatetimeIndex(instants).tz_localize("UTC"))


def _durations(column: pa.ChunkedArray) -> pd.Series[Any]:
    """Intervals as timedelta64[ns], a day counting 24 hours; as text when there are months, which have no length."""
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    parts = np.frombuffer(array.buffers()[1] or b"", _INTERVAL, count=len(array), offset=array.offset * 16)
    missing = array.is_null().to_numpy(zero_copy_only=False)
    if parts["months"][~missing].any():
        texts = [None if gone else _interval_text(part) for part, gone in zip(parts, missing, strict=True)]
        return pd.Series(texts, dtype=STRING_DTYPE)
    nanoseconds = parts["days"].astype(np.int64) * _DAY_NS + parts["nanoseconds"]
    return pd.Series(np.where(missing, _NOT_A_TIME, nanoseconds).view("m8[ns]"))


def _interval_text(part: Any) -> str:
    months, days, nanoseconds = (int(value) for value in part)
    return f"{months} months {days} days {nanoseconds / 1_000_000_000:g} s"


def _number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A decimal as int64 when it is whole and fits (as sums of integers, which are HUGEINT), else as double."""
    if column.type.scale == 0:
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:
            return column.cast(pa.float64())
    return column.cast(pa.float64())
