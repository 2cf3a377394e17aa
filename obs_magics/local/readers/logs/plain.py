"""Reads plain text logs: a line with a time begins an entry, lines without one belong to the entry before.

Blocks of lines are read one after the other, so that the memory needed is that of the entries themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.analysis.loglines.folding import joined_lines
from obs_magics.analysis.loglines.text import Text, found_anywhere
from obs_magics.local.readers.base import Complaints, File, Mapping
from obs_magics.local.readers.delimited import is_csv
from obs_magics.local.readers.logs.collect import Entries
from obs_magics.local.readers.logs.places import file_day
from obs_magics.local.readers.logs.stamps import Stamp, find_stamps, is_timed, share_timed
from obs_magics.local.readers.logs.times import DAY, NO_TIME, titles, with_day, with_year

Array = np.ndarray[Any, Any]

_BLOCK = 16 * 1024 * 1024
_SAMPLE = 200
_MOSTLY = 0.5
# SGR of ECMA-48, and "erase to the end of the line", which some programs put behind each colour.
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*[mK]")
_HOLE_SEEN = b"\0" * 16
_HOLE = re.compile(rb"\0{16,}")
# A time, and then numbers only: a table without a header.
_NUMBERS = re.compile(r"[^,;\t]{8,40}(?:[,;\t]\s*-?\d[\d.eE+-]*)+\s*")


def looks_right(file: File) -> bool:
    """Whether most lines that are not indented have a time, and it is no table with a header."""
    lines = sample_lines(file)
    if not lines or lines[0].lstrip().startswith(("{", "[{", '["', "<?")):
        return False
    stamps = find_stamps(lines)
    if share_timed(lines, stamps) < _MOSTLY:
        return False
    if sum(map(bool, map(_NUMBERS.fullmatch, lines))) * 2 > len(lines):
        return False
    return is_timed(lines[0], stamps) or not is_csv(file)


def sample_lines(file: File) -> list[str]:
    """The first lines with something in them, as text; the last of the head may be cut and is left out."""
    lines = _broken(_uncoloured(file.head)).decode("utf-8", "replace").split("\n")
    whole = lines[:-1] if len(lines) > 1 else lines
    return [line.rstrip("\r") for line in whole if line.strip()][:_SAMPLE]


def blocks(stream: BinaryIO, complaints: Complaints) -> Iterator[list[str]]:
    """Lines, many at a time, as text; what is no UTF-8 is read as `decoded_line` does, and said."""
    rest: list[bytes] = []
    foreign = 0
    while data := stream.read(_BLOCK):
        whole, line_break, tail = _without_holes(data).rpartition(b"\n")
        if line_break:
            lines, more = _lines(b"".join([*rest, whole]))
            foreign += more
            yield lines
            rest = []
        rest.append(tail)
    if any(rest):
        lines, more = _lines(b"".join(rest))
        foreign += more
        yield lines
    if foreign:
        complaints.add(foreign_words(foreign))


def _uncoloured(data: bytes) -> bytes:
    """Without the codes that colour lines in a terminal, which hide where times and levels stand."""
    return _COLOUR.sub(b"", data) if b"\x1b[" in data else data


def _broken(data: bytes) -> bytes:
    """Lines that end with a carriage return alone, as old Macs and some devices write them, with line breaks."""
    return data.replace(b"\r", b"\n") if b"\n" not in data else data


def _without_holes(data: bytes) -> bytes:
    """Without the NULs of a hole, which a file has that was cut while its program went on writing."""
    if _HOLE_SEEN not in data:
        return data
    return _HOLE.sub(b"", data) if data.strip(b"\0") else b""


def _lines(data: bytes) -> tuple[list[str], int]:
    """Lines as text, and how many of them are no UTF-8."""
    data = _uncoloured(_broken(data.replace(b"\r\n", b"\n").removesuffix(b"\r")))
    try:
        return data.decode().split("\n"), 0
    except UnicodeDecodeError:
        decoded = [decoded_line(line) for line in data.split(b"\n")]
        return [text for text, _ in decoded], sum(foreign for _, foreign in decoded)


def decoded_line(line: bytes) -> tuple[str, bool]:
    """A line as text, and whether it is no UTF-8.

    It is read as Windows-1252, of which Latin-1 is a part, when none of it but ASCII is UTF-8. Else the bytes that are
    none become replacement characters.
    """
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        encoding = "cp1252" if line.decode("utf-8", "ignore").isascii() else "utf-8"
        return line.decode(encoding, "replace"), True


def foreign_words(lines: int) -> str:
    """What is to be said of lines that are no UTF-8."""
    return f"{'1 line is' if lines == 1 else f'{lines:,} lines are'} no UTF-8: read as Windows-1252 where that may be"


def read_text(texts: Iterator[list[str]], file: File, mapping: Mapping, complaints: Complaints) -> Entries:
    """Entries of lines; the forms of their times are found out on the way."""
    reader = _Reader(complaints)
    for lines in texts:
        reader.add(lines)
    return reader.entries(file, mapping)


def read_lines(lines: list[str], file: File, zone: str) -> tuple[Array, str]:
    """The time of each line (int64 ns, `NO_TIME` where it has none), and how times are written, for people."""
    reader = _Reader(Complaints(file.name))
    times, zoned, forms = reader.times(pa.array(lines, pa.string()), lines)
    timed = times != NO_TIME
    if timed.any():
        times[timed], how = reader.absolute(times[timed], forms[timed], zoned[timed], file, zone)
        return times, how
    return times, ""


class _Reader:
    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._stamps: list[Stamp] = []
        self._line = 0
        self._before: list[str] = []
        self._open: list[str] = []  # lines of the entry that may go on in the next block
        self._open_time: tuple[int, bool, int] | None = None
        self._parts: list[tuple[Array, Array, Array, Text]] = []

    def add(self, lines: list[str]) -> None:
        """Read a block of lines."""
        texts = pa.array(lines, pa.string())
        times, zoned, forms = self.times(texts, lines)
        starts = np.flatnonzero(times != NO_TIME)
        first = int(starts[0]) if len(starts) else len(lines)
        (self._open if self._open_time is not None else self._before).extend(lines[:first])
        self._line += len(lines)
        if not len(starts):
            return
        self._close()
        last = int(starts[-1])
        heads = starts[np.searchsorted(starts, np.arange(first, last), side="right") - 1] - first
        _, messages = joined_lines(texts.slice(first, last - first), heads)
        whole = starts[:-1]
        self._parts.append((times[whole], zoned[whole], forms[whole], messages))
        self._open = lines[last:]
        self._open_time = (int(times[last]), bool(zoned[last]), int(forms[last]))

    def _close(self) -> None:
        if self._open_time is None:
            return
        time, zoned, form = self._open_time
        text = pa.array(["\n".join(self._open)], pa.large_string())
        self._parts.append((np.array([time]), np.array([zoned]), np.array([form], np.int8), text))
        self._open_time = None

    def times(self, texts: pa.Array, lines: list[str]) -> tuple[Array, Array, Array]:
        """Times, whether a zone is written, and which of the stamps each line has."""
        times, zoned = np.full(len(lines), NO_TIME), np.zeros(len(lines), bool)
        forms = np.full(len(lines), -1, np.int8)
        number = 0
        while True:
            if number == len(self._stamps):
                sample = [lines[row] for row in np.flatnonzero(times == NO_TIME)[:_SAMPLE].tolist()]
                further = find_stamps([line for line in sample if line.strip()], self._stamps)
                new = [stamp for stamp in further if stamp not in self._stamps]
                if not new:
                    return times, zoned, forms
                self._tell(new, lines)
                self._stamps += new
            left = np.flatnonzero(times == NO_TIME)
            if not len(left):
                return times, zoned, forms
            moments = self._stamps[number].read(texts if len(left) == len(lines) else texts.take(pa.array(left)))
            good = moments.local_ns != NO_TIME
            times[left[good]], zoned[left[good]], forms[left[good]] = (
                moments.local_ns[good],
                moments.zoned[good],
                number,
            )
            number += 1

    def _tell(self, new: list[Stamp], lines: list[str]) -> None:
        """Say where a file begins to write its times in another way."""
        for stamp in new[1:] if not self._stamps else new:
            place = int(np.flatnonzero(stamp.matches(pa.array(lines, pa.string())))[0])
            self._complaints.add(f"from here on there are times as {stamp.form.title}, too", self._line + place + 1)

    def entries(self, file: File, mapping: Mapping) -> Entries:
        """What came of all blocks."""
        self._close()
        if not self._parts:
            self._complaints.add("no line has a time that can be read")
            return Entries(np.empty(0, np.int64), pa.array([], pa.string()))
        times, zoned, forms = (np.concatenate([part[index] for part in self._parts]) for index in range(3))
        messages = _trimmed([part[3] for part in self._parts])
        times, how = self.absolute(times, forms, zoned, file, mapping.zone)
        before = [line for line in self._before if line.strip()]
        if before:
            lines = "1 line" if len(before) == 1 else f"{len(before):,} lines"
            self._complaints.add(f"{lines} before the first time: given the time of the first", 1)
            times = np.concatenate([np.full(len(before), times[0]), times])
            messages = pa.chunked_array([pa.array(before, pa.large_string()), *messages.chunks])
        return Entries(times, messages, {}, "plain text", how)

    def absolute(self, times: Array, forms: Array, zoned: Array, file: File, zone: str) -> tuple[Array, str]:
        """Times with the year or day that is not written, in UTC; how they are written and what was assumed."""
        why = [titles([self._stamps[number].form for number in np.unique(forms).tolist()])]
        for number, stamp in enumerate(self._stamps):
            rows = np.flatnonzero(forms == number)
            if not len(rows) or not (stamp.form.needs_year or stamp.form.needs_day):
                continue
            latest, reason = file_day(file)
            latest_ns = int(latest.timestamp()) * 1_000_000_000
            if stamp.form.needs_day:
                times[rows] = with_day(times[rows], latest_ns // DAY)
            else:
                times[rows] = with_year(times[rows], latest_ns)
            day = np.datetime64(int(times[rows[-1]]), "ns")
            guess = (
                f"the day is not written: {day.astype('M8[D]')}"
                if stamp.form.needs_day
                else f"the year is not written: {day.astype('M8[Y]')}"
            )
            why.append(f", {guess}, {reason}")
        if not zoned.all():
            why.append(f", no zone is written: {zone}")
            if zone != "UTC":
                times = np.where(zoned, times, in_zone(times, zone))
        return times, "".join(why)


def _trimmed(parts: list[Text]) -> pa.ChunkedArray:
    """Messages without the empty lines that stand between entries."""
    chunks = [chunk for part in parts for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])]
    messages = pa.chunked_array([chunk.cast(pa.large_string()) for chunk in chunks], pa.large_string())
    if not found_anywhere(messages, r"\n"):
        return messages
    ends = pc.match_substring_regex(messages, r"\n\s*\z")
    return pc.if_else(ends, pc.utf8_rtrim(messages, "\n\r\t "), messages)


def in_zone(local_ns: Array, zone: str) -> Array:
    """Wall clock times of a zone as UTC; of an hour that comes twice the first, of one that is left out the next."""
    local = pd.DatetimeIndex(local_ns.astype("M8[ns]"))
    first = np.ones(len(local), bool)
    instants: Array = local.tz_localize(zone, ambiguous=first, nonexistent="shift_forward").asi8
    return instants
