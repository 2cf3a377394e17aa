"""The events of a native folder: a table in the shape of an events frame, attributes as a map or as columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from obs_magics.local.events.ends import over
from obs_magics.model.events import EVENT_RESERVED, KINDS, Event

NEEDED = ("timestamp", "kind", "title")
"""Without these a table holds no events."""
_ATTRIBUTES = "attributes"
_TEXTS = ("service", "title", "version", "severity", "url", "source")
_TIME = pa.timestamp("ns", tz="UTC")


def read_native_events(path: Path) -> list[Event]:
    """The events of a native folder's table.

    Raises:
        OSError: The file is missing.
        pyarrow.ArrowException: It is damaged, or not a table of events.
    """
    return events_of_table(pq.read_table(path), path.name)


def events_of_table(table: pa.Table, name: str) -> list[Event]:
    """The events of a table; rows without a time, or of a kind that nobody knows, are an error.

    Raises:
        pyarrow.ArrowException: It is not a table of events.
    """
    missing = [column for column in NEEDED if column not in table.column_names]
    if missing:
        raise pa.ArrowInvalid(f"{name} has no column {' and no column '.join(missing)}")
    starts, ends = _times(table, "timestamp"), _times(table, "end")
    kinds = table["kind"].cast(pa.string()).to_pylist()
    texts = {column: _strings(table, column) for column in _TEXTS}
    own = _attributes(table)
    found = []
    for row, (start, end, kind) in enumerate(zip(starts, ends, kinds, strict=True)):
        if start is None or kind not in KINDS:
            raise pa.ArrowInvalid(f"row {row + 1} of {name} has no time, or a kind that is none: {kind!r}")
        given = {column: values[row] or "" for column, values in texts.items()}
        end_ns, odd = over(kind, start, end) if end is not None and end < start else (end, {})
        found.append(Event(start_ns=start, end_ns=end_ns, kind=kind, **given, attributes=own[row] | odd))
    return found


def _times(table: pa.Table, name: str) -> list[int | None]:
    if name not in table.column_names:
        return [None] * len(table)
    times: list[int | None] = table[name].cast(_TIME).cast(pa.int64()).to_pylist()
    return times


def _strings(table: pa.Table, name: str) -> Sequence[str | None]:
    if name not in table.column_names:
        return [None] * len(table)
    texts: list[str | None] = table[name].cast(pa.string()).to_pylist()
    return texts


def _attributes(table: pa.Table) -> list[dict[str, str]]:
    """What else is known of each row: pairs of the map, and columns of their own."""
    found: list[dict[str, str]] = [{} for _ in range(len(table))]
    for name in table.column_names:
        if name in EVENT_RESERVED or name == _ATTRIBUTES:
            continue
        for kept, value in zip(found, _strings(table, name), strict=True):
            if value is not None:
                kept[name.removeprefix("label_") if name.removeprefix("label_") in EVENT_RESERVED else name] = value
    if _ATTRIBUTES in table.column_names:
        for kept, pairs in zip(found, table[_ATTRIBUTES].to_pylist(), strict=True):
            kept.update(_pairs(pairs))
    return found


def _pairs(given: Any) -> dict[str, str]:
    pairs = given.items() if isinstance(given, dict) else given or ()
    return {str(name): str(value) for name, value in pairs if value is not None}
