"""Columns of pandas: the same dtype comes back, with the same index and name."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.logs import text_column
from obs_magics.security.redact.columns import Engine, redact_column, redact_records
from obs_magics.security.redact.fields import Name, hides_cell, secret_column
from obs_magics.security.redact.nested import is_nested, redact_nested
from obs_magics.security.redact.personal import called_column

# Ids that correlate: hex, and a row of digits among them is no card.
_IDS = frozenset({"trace_id", "span_id", "parent_id"})
_ID = r"^[0-9a-fA-F-]{8,64}$"


def redact_frame(frame: pd.DataFrame, engine: Engine) -> pd.DataFrame:
    """A frame without what has to go: strings, categories, lists of strings and objects; the rest is the same object.

    A column's name is read like the name of a field: everything in `db_password` goes.
    """
    safe = frame.copy(deep=False)
    for place, name in enumerate(frame.columns):
        if _may_have_text(frame.dtypes.iloc[place]):
            column: Any = redact_series(frame.iloc[:, place], engine, name=str(name))
            safe.isetitem(place, column)
    return safe


def _may_have_text(dtype: Any) -> bool:
    if isinstance(dtype, pd.CategoricalDtype):
        return _may_have_text(dtype.categories.dtype)
    if isinstance(dtype, pd.ArrowDtype):
        kind = dtype.pyarrow_dtype
        return not (pa.types.is_primitive(kind) or pa.types.is_null(kind))
    return isinstance(dtype, pd.StringDtype) or pd.api.types.is_object_dtype(dtype)


def redact_series(series: pd.Series[Any], engine: Engine, *, name: str = "") -> pd.Series[Any]:
    """A column without what has to go.

    Args:
        series: Strings, categories of strings, Arrow's types, or objects of which some are strings.
        engine: What redacts.
        name: The name of the column, when it is one of a frame; it may say that its values are secret.
    """
    dtype: Any = series.dtype
    values: Any = series.array
    safe: Any
    if isinstance(dtype, pd.CategoricalDtype):
        safe = _categories(values, engine, name)
    elif isinstance(dtype, pd.ArrowDtype) and is_nested(dtype.pyarrow_dtype):
        whole = pa.array(values, from_pandas=True)
        safe = _of_dtype(redact_nested(whole, lambda own, key: _arrow(own, engine, key), name), dtype)
    elif isinstance(dtype, pd.StringDtype | pd.ArrowDtype):
        safe = _of_dtype(_arrow(pa.array(values, from_pandas=True), engine, name), dtype)
    elif pd.api.types.is_object_dtype(dtype):
        safe = _objects(values, engine, name)
    else:
        return series
    result: pd.Series[Any] = pd.Series(safe, index=series.index, name=series.name, dtype=safe.dtype, copy=False)
    return result


def _arrow(values: Any, engine: Engine, name: str) -> Any:
    kind = values.type
    plain = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    secret = secret_column(name)
    if plain and secret is not None:
        values = _cells(values, secret, engine)
    if not (plain and name in _IDS):
        return redact_column(values, engine, lead=called_column(name))
    ids = pc.fill_null(pc.match_substring_regex(values, _ID), False)
    return pc.if_else(ids, values, redact_column(pc.if_else(ids, pa.scalar(None, kind), values), engine))


def _cells(values: Any, secret: Name, engine: Engine) -> Any:
    """The cells of a column whose name says that they are secret."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    different = whole.dictionary_encode()
    times = np.bincount(different.indices.drop_null().to_numpy(), minlength=len(different.dictionary))
    texts = [
        _cell(text, secret, engine, often) for text, often in zip(different.dictionary.to_pylist(), times, strict=True)
    ]
    return pa.array(texts, values.type).take(different.indices)


def _cell(text: str, secret: Name, engine: Engine, times: int) -> str:
    value = text.encode("utf-8", "surrogatepass")
    return engine.whole(secret.kind.name, value, int(times)).decode() if hides_cell(secret, value) else text


def _texts(texts: list[str], times: np.ndarray[Any, Any], engine: Engine, name: str) -> list[str]:
    """Different texts, whatever is in them: also halves of surrogates, which Arrow does not take."""
    secret = secret_column(name)
    if secret is not None:
        texts = [_cell(text, secret, engine, often) for text, often in zip(texts, times, strict=True)]
    lead = called_column(name)
    ids = {text for text in texts if re.match(_ID, text)} if name in _IDS else set()
    records = [b"" if text in ids else (lead + text).encode("utf-8", "surrogatepass") for text in texts]
    safe = [record.decode("utf-8", "surrogatepass")[len(lead) :] for record in redact_records(records, engine, times)]
    return [text if text in ids else hidden for text, hidden in zip(texts, safe, strict=True)]


def _categories(values: pd.Categorical, engine: Engine, name: str) -> pd.Categorical:
    """Each category once; those that become equal become one."""
    texts = list(values.categories)
    if not all(isinstance(text, str) for text in texts):
        return values
    codes = np.asarray(values.codes)
    times = np.bincount(codes[codes >= 0], minlength=len(texts))
    safe = _texts(texts, times, engine, name)
    if safe == texts:
        return values
    places = {text: place for place, text in enumerate(dict.fromkeys(safe))}
    moved = np.array([*(places[text] for text in safe), -1], dtype=codes.dtype)[codes]
    dtype = values.categories.dtype
    return pd.Categorical.from_codes(moved, pd.Index(list(places), dtype=dtype), ordered=values.ordered, validate=False)


def _objects(values: Any, engine: Engine, name: str) -> Any:
    """The strings among objects; the rest stays as it is."""
    plain = np.asarray(values, dtype=object)
    often = Counter(value for value in plain if isinstance(value, str))
    safe = dict(zip(often, _texts(list(often), np.array(list(often.values()), np.int64), engine, name), strict=True))
    result = np.empty(len(plain), dtype=object)
    result[:] = [safe[value] if isinstance(value, str) else value for value in plain]
    return result


def _of_dtype(values: Any, dtype: Any) -> Any:
    if dtype == STRING_DTYPE:
        return text_column(values).array
    if isinstance(dtype, pd.ArrowDtype):
        return pd.arrays.ArrowExtensionArray(values)
    return pd.array(values.to_pylist(), dtype=dtype)
