"""What the columns beside the lines tell: labels once per category, attributes once per distinct value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines.ids import hex_ids
from obs_magics.analysis.loglines.json_bodies import is_service
from obs_magics.analysis.loglines.levels import UNKNOWN_CODE, level_code
from obs_magics.analysis.loglines.names import LEVEL_NAMES, SERVICE_NAMES, present
from obs_magics.model.frames import STRING_DTYPE

Array = np.ndarray[Any, Any]
Column: TypeAlias = "pd.Categorical | pa.Array"
Columns: TypeAlias = Mapping[str, Column]

# Ids that say that there is none.
_NO_ID = r"^[0\s-]*$"


def plain_column(values: pd.Categorical | pa.Array | pa.ChunkedArray) -> Column:
    """A column as a categorical, when it is one or a dictionary, or as one array of strings."""
    if isinstance(values, pd.Categorical):
        return values
    joined = values
    if isinstance(values, pa.ChunkedArray):
        joined = values.unify_dictionaries().combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if not pa.types.is_dictionary(joined.type):
        return joined.cast(pa.string())
    return _categorical(joined.dictionary.cast(pa.string()), joined.indices)


def _categorical(words: pa.Array, indices: pa.Array) -> pd.Categorical:
    """A dictionary as a categorical; a dictionary may hold a word twice, or a null."""
    distinct = words.dictionary_encode()
    places = np.append(pc.fill_null(distinct.indices, -1).to_numpy(), -1).astype(np.int32)
    codes = pc.fill_null(indices.cast(pa.int64()), -1).to_numpy() if indices.null_count else np.array(indices)
    if len(distinct.dictionary) < len(words):
        codes = places[codes]
    index = pd.Index(distinct.dictionary.to_pylist(), dtype=STRING_DTYPE)
    return pd.Categorical.from_codes(codes, categories=index, validate=False)


def taken(column: Column, rows: Array) -> Column:
    """Some rows of a column, in another order perhaps."""
    if isinstance(column, pd.Categorical):
        return pd.Categorical.from_codes(column.codes[rows], dtype=column.dtype, validate=False)
    return column.take(pa.array(rows))


def column_levels(columns: Columns, size: int) -> Array:
    """int8 positions in `LEVELS` as the columns have them, -1 where none tells."""
    codes: Array | None = None
    for name in present(columns, LEVEL_NAMES):
        found = _level_codes(columns[name], name)
        codes = found if codes is None else np.where(codes == UNKNOWN_CODE, found, codes)
    return np.full(size, UNKNOWN_CODE, np.int8) if codes is None else codes


def _level_codes(column: Column, name: str) -> Array:
    words, places = _words(column)
    table = np.array([*(level_code(word, name) for word in words), UNKNOWN_CODE], np.int8)
    return table[places]


def _words(column: Column) -> tuple[Sequence[str | None], Array]:
    """The distinct words of a column, and for each row where in them its word stands; -1 where there is none."""
    if isinstance(column, pd.Categorical):
        return [str(word) for word in column.categories], column.codes
    encoded = column.dictionary_encode()
    return encoded.dictionary.to_pylist(), pc.fill_null(encoded.indices, -1).to_numpy()


def column_services(columns: Columns, size: int) -> pd.Categorical:
    """The services as the columns have them, missing where none tells."""
    services: pd.Categorical | None = None
    for name in present(columns, SERVICE_NAMES):
        found = _services(columns[name])
        services = found if services is None else filled(services, found)
        if not (services.codes < 0).any():
            break
    return no_services(size) if services is None else services


def no_services(size: int) -> pd.Categorical:
    """A column of missing services."""
    return pd.Categorical.from_codes(np.full(size, -1, np.int8), categories=pd.Index([], dtype=STRING_DTYPE))


def _services(column: Column) -> pd.Categorical:
    if isinstance(column, pd.Categorical) and all(map(is_service, map(str, column.categories))):
        return column  # nearly always: the label's own column serves as the frame's
    words, places = _words(column)
    names = [word for word in words if word is not None and is_service(word)]
    place_of = {name: place for place, name in enumerate(names)}
    table = np.array([*(-1 if word is None else place_of.get(word, -1) for word in words), -1], np.int32)
    index = pd.Index(names, dtype=STRING_DTYPE)
    return pd.Categorical.from_codes(table[places], categories=index, validate=False)


def filled(first: pd.Categorical, second: pd.Categorical) -> pd.Categorical:
    """The first, and the second where that is missing."""
    gaps = (first.codes < 0) & (second.codes >= 0)
    if not gaps.any():
        return first
    names = list(map(str, first.categories))
    place_of = {name: place for place, name in enumerate(names)}
    places = [place_of.setdefault(str(name), len(place_of)) for name in second.categories]
    codes = first.codes.astype(np.int32)
    codes[gaps] = np.asarray(places, np.int32)[second.codes[gaps]]
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(place_of), dtype=STRING_DTYPE), validate=False)


def column_ids(columns: Columns, names: tuple[str, ...], digits: int) -> pa.Array | None:
    """The ids as the columns have them, null where none tells; None when no column is called like one."""
    ids: pa.Array | None = None
    for name in present(columns, names):
        found = hex_ids(arrow(columns[name]), digits, name=name)
        ids = found if ids is None else pc.coalesce(ids, found)
    return ids


def arrow(column: Column) -> pa.Array:
    """A column as strings, a categorical as a dictionary of them."""
    if not isinstance(column, pd.Categorical):
        return column
    words = pa.array([str(word) for word in column.categories], pa.string())
    codes = pa.array(column.codes, mask=column.codes < 0)
    return pa.DictionaryArray.from_arrays(codes, words)


def has_other_levels(column: Column) -> bool:
    """Whether a label called `level` holds something that is no level."""
    words, _ = _words(column)
    return any(word and level_code(word) == UNKNOWN_CODE for word in words)


def has_other_ids(column: Column, ids: pa.Array | None, digits: int) -> bool:
    """Whether a label called `trace_id` or `span_id` holds something that is no id.

    Args:
        column: The label.
        ids: What the frame has for it, from this label and others.
        digits: Of an id of this kind.
    """
    values = arrow(column)
    if ids is not None and ids.null_count == 0:
        return False
    lost = pc.and_(pc.is_valid(values), pc.is_null(hex_ids(values, digits)))
    left = values.filter(lost).cast(pa.string())
    return not pc.all(pc.match_substring_regex(left, _NO_ID), min_count=0).as_py()


def stream_numbers(labels: Sequence[Column], size: int) -> Array:
    """A number per line that is the same for lines of one stream, that is with the same labels."""
    numbers = np.zeros(size, np.int64)
    for column in labels:
        words, places = _words(column)
        numbers = numbers * (len(words) + 1) + places + 1
        if len(words) > 1:
            numbers = pd.factorize(numbers)[0]
    return numbers
