"""Text between the JSON objects of a log file: what a runtime, a wrapper script or a crash wrote beside the logger.

A line with a time of its own begins an entry, and those without one belong to it. Without such a line before them they
are entries with the time of the object before them, of which those of a stack trace are one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from obs_magics.analysis.loglines.folding import joined_lines, stack_heads
from obs_magics.local.readers.base import Complaints, File
from obs_magics.local.readers.logs.collect import Array, Entries
from obs_magics.local.readers.logs.plain import decoded_line, read_lines
from obs_magics.local.readers.logs.times import NO_TIME


@dataclass(slots=True)
class TextLines:
    """Lines of text, each with its number in the file; and how many lines of the file are no UTF-8."""

    numbers: list[int] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    foreign: int = 0

    def add(self, number: int, line: bytes) -> None:
        """One more line."""
        text, foreign = decoded_line(line)
        self.numbers.append(number)
        self.lines.append(text)
        self.foreign += foreign


def with_text(
    entries: Entries, places: Array, text: TextLines, *, file: File, zone: str, say: Complaints
) -> tuple[Entries, Array]:
    """Entries of JSON and of text together in the order of the file, and the line of each.

    Args:
        entries: Of JSON.
        places: int64, the line of each; ascending.
        text: What stands between them.
        file: Whose name or age tells the year, where it is not written.
        zone: Of times that name none.
        say: Told how much of each there is.
    """
    if not text.lines:
        return entries, places
    numbers = np.asarray(text.numbers, np.int64)
    times, how = read_lines(text.lines, file, zone)
    heads = _heads(times, numbers, places, text.lines)
    kept, messages = joined_lines(pa.array(text.lines, pa.large_string()), heads)
    times, numbers = times[kept], numbers[kept]
    timed = entries.timestamps_ns != NO_TIME
    times = _filled(times, numbers, entries.timestamps_ns[timed], places[timed])
    if entries.times and how.startswith(entries.times):
        how = how.removeprefix(entries.times)
    many = "1 line is" if len(heads) == 1 else f"{len(heads):,} lines are"
    own = "1 entry" if len(kept) == 1 else f"{len(kept):,} entries"
    say.add(
        f"{many} text and no JSON, the first of them here: read as {own} beside {int(timed.sum()):,} of JSON",
        text.numbers[0],
    )
    order = np.argsort(np.concatenate([places, numbers]), kind="stable")
    nothing = pa.nulls(len(kept), pa.string())
    whole = Entries(
        np.concatenate([entries.timestamps_ns, times])[order],
        _behind(entries.messages, messages).take(pa.array(order)),
        {name: _behind(column, nothing).take(pa.array(order)) for name, column in entries.columns.items()},
        f"{entries.title} and plain text",
        f"{entries.times}{' and ' if entries.times and how and not how.startswith(',') else ''}{how}",
    )
    return whole, np.concatenate([places, numbers])[order]


def _behind(first: pa.Array | pa.ChunkedArray, second: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    chunks = [
        chunk for part in (first, second) for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])
    ]
    kind = pa.large_string()
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind)


def _heads(times: Array, numbers: Array, places: Array, lines: list[str]) -> Array:
    """For each line the position of the line that its entry begins with."""
    runs = np.searchsorted(places, numbers)  # lines with no JSON between them
    timed = times != NO_TIME
    positions = np.arange(len(numbers))
    before = np.maximum.accumulate(np.where(timed, positions, -1))
    follows = (before >= 0) & (runs[np.maximum(before, 0)] == runs)
    heads = np.where(follows, before, positions)
    alone = np.flatnonzero(~follows)
    if len(alone):
        stacks = stack_heads(np.zeros(len(alone), np.int64), pa.array([lines[row] for row in alone]), runs[alone])
        heads[alone] = alone[stacks]
    return heads


def _filled(times: Array, numbers: Array, known_ns: Array, places: Array) -> Array:
    """Times, in place of those that are missing that of the object before, or of the first there is."""
    missing = times == NO_TIME
    if not missing.any():
        return times
    whole, at = np.concatenate([known_ns, times[~missing]]), np.concatenate([places, numbers[~missing]])
    if not len(whole):
        return times
    order = np.argsort(at, kind="stable")
    before = np.maximum(np.searchsorted(at[order], numbers) - 1, 0)
    return np.where(missing, whole[order][before], times)
