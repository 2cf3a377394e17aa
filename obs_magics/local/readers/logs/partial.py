"""Puts lines together that a container runtime has cut, as it does with those of more than 16 kB."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from obs_magics.analysis.loglines.folding import joined_lines
from obs_magics.local.readers.logs.collect import Entries

Array = np.ndarray[Any, Any]


def joined_parts(entries: Entries, goes_on: Array) -> tuple[Entries, Array]:
    """Entries with those that go on joined to the next of their stream (`stdout`, `stderr`), and which are left.

    Args:
        entries: In the order of the file, with a column `stream`.
        goes_on: bool, whether the rest stands in the next entry of the stream.
    """
    heads = np.arange(len(goes_on))
    streams = entries.columns["stream"].combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy()
    for stream in np.unique(streams):
        rows = np.flatnonzero(streams == stream)
        continues = np.zeros(len(rows), bool)
        continues[1:] = goes_on[rows[:-1]]
        starts = np.flatnonzero(~continues)
        heads[rows] = rows[starts[np.cumsum(~continues) - 1]]
    kept, messages = joined_lines(entries.messages, heads, separator="")
    taken = pa.array(kept)
    columns = {name: column.take(taken) for name, column in entries.columns.items()}
    return Entries(entries.timestamps_ns[kept], messages, columns, entries.title, entries.times), kept
