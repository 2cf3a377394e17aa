"""Puts together what the readers found in a log file: one table in the shape of a logs frame, and a note on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.analysis.loglines import logs_frame_from
from obs_magics.local.readers.base import Complaints, File, Problem, Reading
from obs_magics.local.readers.logs.places import place_labels, service_of
from obs_magics.local.readers.logs.times import NO_TIME
from obs_magics.model.frames import STRING_DTYPE

Array = np.ndarray[Any, Any]

MOST_LABEL_VALUES = 1_000
_CHUNK = 65_536  # records that are turned into columns at once
# Columns that tell streams apart, when they have few values; others differ from line to line.
_STREAM_NAMES = frozenset({
    "app", "application", "service", "service_name", "service_namespace", "job", "container", "container_name",
    "container_id", "namespace", "pod", "pod_name", "node", "node_name", "host", "hostname", "instance", "cluster",
    "environment", "env", "deployment_environment", "region", "zone", "stream", "source", "index", "log_group",
    "log_stream", "component", "k8s_namespace_name", "k8s_pod_name", "k8s_container_name", "program", "unit",
    "filename", "level", "severity", "detected_level",
})  # fmt: skip


@dataclass(slots=True)
class Entries:
    """Log entries as a reader found them, in any order.

    Args:
        timestamps_ns: int64 nanoseconds since the epoch.
        messages: Strings.
        columns: Strings by name, null where an entry has none.
        title: The format, for people.
        times: How times are written, for people; empty where the format says so itself.
    """

    timestamps_ns: Array
    messages: pa.Array | pa.ChunkedArray
    columns: Mapping[str, pa.Array | pa.ChunkedArray] = field(default_factory=dict)
    title: str = "plain text"
    times: str = ""


def reading_of(file: File, entries: Entries, complaints: Complaints) -> Reading:
    """One file's reading: its table, its problems, and a note that says how it was read."""
    if not len(entries.timestamps_ns):
        if not complaints.all:
            complaints.add("it holds no log line")
        return Reading(problems=complaints.all, files=1)
    said: list[str] = []
    table = _table(file, entries, said)
    size = len(entries.timestamps_ns)
    note = f"{entries.title}, {size:,} log {'entry' if size == 1 else 'entries'}"
    details = [f"times as {entries.times}"] if entries.times else []
    return Reading(
        problems=complaints.all,
        files=1,
        logs=[table],
        notes=[Problem(file.name, "; ".join([note, *details, *said]))],
    )


def _table(file: File, entries: Entries, said: list[str]) -> pa.Table:
    size = len(entries.timestamps_ns)
    labels: dict[str, Any] = {"filename": _constant(file.name, size)}
    labels |= {name: _constant(value, size) for name, value in place_labels(file).items()}
    attributes = {}
    for name, values in entries.columns.items():
        if values.null_count == size or name in labels:
            continue
        encoded = _few(values) if name in _STREAM_NAMES else None
        if encoded is None:
            attributes[name] = values
        else:
            labels[name] = encoded
    frame = logs_frame_from(
        entries.timestamps_ns, entries.messages, labels=labels, attributes=attributes, say=said.append
    )
    if frame["service"].isna().all():
        service = service_of(file)
        if service is not None:
            frame["service"] = _constant(service, size)
            said.append(f"service {service} by the file's name")
    return _arrow(frame)


def _constant(value: str, size: int) -> pd.Categorical:
    codes = np.zeros(size, np.int8)
    return pd.Categorical.from_codes(codes, categories=pd.Index([value], dtype=STRING_DTYPE), validate=False)


def _few(values: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray | None:
    """The values as a dictionary; None when there are many."""
    joined = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    encoded = joined if pa.types.is_dictionary(joined.type) else joined.cast(pa.string()).dictionary_encode()
    return encoded if len(encoded.dictionary) <= MOST_LABEL_VALUES else None


def _arrow(frame: pd.DataFrame) -> pa.Table:
    """A logs frame as a table: categories as dictionaries; ids only where there are any."""
    columns = {}
    for name, column in frame.items():
        if name in ("trace_id", "span_id") and column.isna().all():
            continue
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy()
            words = pa.array(list(map(str, column.cat.categories)), pa.string())
            columns[str(name)] = pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), words)
        elif name == "timestamp":
            columns["timestamp"] = pa.array(column.astype("int64").to_numpy()).cast(pa.timestamp("ns", "UTC"))
        else:
            columns[str(name)] = pa.chunked_array(column.array.__arrow_array__())
    return pa.table(columns)


class Fields:
    """Columns that come record by record, with different keys in each."""

    def __init__(self) -> None:
        self._values: dict[str, list[str | None]] = {}
        self._done: list[pa.Table] = []
        self._rows = 0

    def add(self, fields: Iterable[tuple[str, str | None]]) -> None:
        """One more record; of two fields of one name the first stays."""
        for name, value in fields:
            column = self._values.get(name)
            if column is None:
                column = self._values[name] = []
            missing = self._rows - len(column)
            if missing > 0:
                column.extend([None] * missing)
            if missing >= 0:
                column.append(value)
        self._rows += 1
        if self._rows >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = {
            name: pa.array(values + [None] * (self._rows - len(values)), pa.string())
            for name, values in self._values.items()
        }
        self._done.append(pa.table(columns) if columns else pa.table({"": pa.nulls(self._rows, pa.string())}))
        self._values, self._rows = {}, 0

    def columns(self) -> dict[str, pa.ChunkedArray]:
        """All columns, of one length."""
        self._flush()
        table = pa.concat_tables(self._done, promote_options="default") if self._done else pa.table({})
        return {name: table[name] for name in table.column_names if name}


def without_times(entries: Entries, complaints: Complaints, why: str, lines: Array | None = None) -> Entries:
    """The entries that have a time; says of the others, by line, that they have none."""
    good = entries.timestamps_ns != NO_TIME
    if good.all():
        return entries
    for row in np.flatnonzero(~good).tolist():
        complaints.add(why, int(lines[row]) if lines is not None else None)
    mask = pa.array(good)
    return Entries(
        entries.timestamps_ns[good],
        entries.messages.filter(mask),
        {name: column.filter(mask) for name, column in entries.columns.items()},
        entries.title,
        entries.times,
    )
