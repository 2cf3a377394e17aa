"""What every span has several of: events and links, as Arrow lists; and the numbers that formats write as texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from obs_magics.model.spans import EVENTS_TYPE, LINKS_TYPE, SPAN_ID_DIGITS, TRACE_ID_DIGITS
from obs_magics.syntax.spans.attributes import Attributes, Codes, Integers
from obs_magics.syntax.spans.ids import read_ids

_MOST, _LEAST = np.iinfo(np.int64).max, np.iinfo(np.int64).min


def events_array(counts: Sequence[int], times_ns: Integers, names: Sequence[str], attributes: Attributes) -> pa.Array:
    """`EVENTS_TYPE`, one list per span, from events that lie end to end.

    Args:
        counts: Events of each span.
        times_ns: int64 nanoseconds since the epoch, one per event.
        names: One per event.
        attributes: The events are their owners.
    """
    stamps = pa.array(times_ns, pa.int64()).cast(pa.timestamp("ns", tz="UTC"))
    columns = [stamps, pa.array(names, pa.string()), attributes.as_maps()]
    return _lists(counts, columns, EVENTS_TYPE)


def links_array(counts: Sequence[int], trace_ids: Sequence[str | None], span_ids: Sequence[str | None]) -> pa.Array:
    """`LINKS_TYPE`, one list per span, from links that lie end to end; ids as they were written."""
    columns = [read_ids(trace_ids, TRACE_ID_DIGITS), read_ids(span_ids, SPAN_ID_DIGITS)]
    return _lists(counts, columns, LINKS_TYPE)


def empty_lists(rows: int, kind: pa.DataType) -> pa.Array:
    """As many lists with nothing in them."""
    return pa.ListArray.from_arrays(pa.array(np.zeros(rows + 1, np.int32)), pa.array([], kind.value_type)).cast(kind)


def integers(values: Sequence[str | int | float | None]) -> tuple[Integers, int]:
    """Numbers that may be written as texts, and how many were none, or outside of 64 bits; 0 stands for no number."""
    try:
        return pa.array(values, pa.string()).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), 0
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    try:
        return np.asarray(values, np.int64), 0
    except (TypeError, ValueError, OverflowError):
        pass
    read = [_integer(value) for value in values]
    found = np.asarray([0 if value is None else value for value in read], np.int64)
    return found, sum(value is None for value in read)


def codes(found: Sequence[Any], table: Mapping[Any, int], unknown: int) -> Codes:
    """Names or numbers of a few kinds as codes."""
    known = {value: table.get(value, unknown) for value in set(found)}
    return np.fromiter(map(known.__getitem__, found), np.int8, len(found))


def _integer(value: str | int | float | None) -> int | None:
    try:
        number = int(value or 0)
    except (ValueError, OverflowError):
        return None
    return number if _LEAST <= number <= _MOST else None


def _lists(counts: Sequence[int], columns: Sequence[pa.Array], kind: Any) -> pa.Array:
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    structs = pa.StructArray.from_arrays(columns, fields=list(kind.value_type))
    return pa.ListArray.from_arrays(pa.array(offsets), structs).cast(kind)
