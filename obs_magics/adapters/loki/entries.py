"""Entries of a Loki answer, from the bytes of the body straight to columns.

An entry is ``["1795359598180822016","line"]`` or, with categorised labels, ``["…","line",{"structuredMetadata":{…}}]``.
The body has been checked as JSON when this module sees it. So ``["`` before a digit opens a timestamp wherever it
stands: inside of a text a quotation mark has a backslash before it, and behind one that closes a text comes no digit.
Likewise ``",{"`` before a letter ends a line and opens its metadata. Whatever does not have exactly this shape (spaces,
other numbers of digits) is read by `_slowly`, which understands any JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from obs_magics.adapters.loki import metadata, texts
from obs_magics.adapters.loki.texts import Unusual
from obs_magics.model.errors import BadAnswer

Integers: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]

_BLOCK = 1 << 18  # bytes looked at in one go: small enough for the cache
_QUOTE, _COMMA, _OPEN, _CLOSE = b'",[]'
_BRACE, _UNBRACE = b"{}"
_DIGITS = 19  # of nanoseconds since the epoch, from 2001 to 2262
_ENTRIES_AT_ONCE = 1 << 15
_LINE = _DIGITS + 4  # from the mark that opens the time to the first byte of the line
# The eight bytes from the last digit of a time on, `0","…`, and those up to the one behind an entry: `…"],`.
_AFTER_TIME = np.uint64(int.from_bytes(b'\0","\0\0\0\0', "little"))
_AFTER_TIME_MASK = np.uint64(int.from_bytes(b"\0\xff\xff\xff\0\0\0\0", "little"))
_END = np.uint64(int.from_bytes(b"\0\0\0\0\0\0]\0", "little"))
_END_MASK = np.uint64(int.from_bytes(b"\0\0\0\0\0\0\xff\0", "little"))
_BEFORE_EXTRA = np.uint64(int.from_bytes(b'",{', "little"))  # before `"structuredMetadata"` or `"parsed"`
_BEFORE_EXTRA_MASK = np.uint64(0xFFFFFF)
_ZEROS = np.uint64(int.from_bytes(b"00000000", "little"))
_FOLDS = (
    (np.uint64(8), np.uint64(10), np.uint64(0x00FF00FF00FF00FF)),
    (np.uint64(16), np.uint64(100), np.uint64(0x0000FFFF0000FFFF)),
    (np.uint64(32), np.uint64(10_000), np.uint64(0xFFFFFFFF)),
)


class _Entry(msgspec.Struct, array_like=True, gc=False):
    time: int
    line: str
    extra: dict[str, dict[str, str]] | None = None


_ENTRIES = msgspec.json.Decoder(list[_Entry], strict=False)


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of several streams in order of time.

    Those of one stream and time are in the order in which they were written, else streams are in the server's order.

    Args:
        owners: Which stream each is of.
        timestamps_ns: Nanoseconds since the epoch.
        lines: Large strings.
        attributes: Metadata by name.
    """

    owners: npt.NDArray[np.int32]
    timestamps_ns: Integers
    lines: pa.Array
    attributes: Mapping[str, pa.Array]


def read_entries(body: bytes, values: Sequence[msgspec.Raw]) -> Entries:
    """Read the entries of all streams.

    Args:
        body: The whole body; valid JSON.
        values: The JSON of each stream's entries, as views into `body`, in order.

    Raises:
        BadAnswer: Something is no entry.
    """
    if not values:
        return Entries(np.empty(0, np.int32), np.empty(0, np.int64), pa.array([], pa.large_string()), {})
    try:
        return _fast(body, values)
    except Unusual:
        return _slowly(values)


def _fast(body: bytes, values: Sequence[msgspec.Raw]) -> Entries:
    text, words = np.frombuffer(body, np.uint8), _words(body)
    starts, ends = _places(body, values)
    times, opened = _marks(text, words, int(starts[0]), int(ends[-1]))
    first, last = np.searchsorted(times, starts), np.searchsorted(times, ends)
    counts = last - first
    filled = ends - starts > len(b"[]")
    if not len(times) or counts.sum() != len(times) or (counts[filled] == 0).any():
        raise Unusual
    if times[-1] + _LINE + 8 > len(body) or (times[first[filled]] != starts[filled] + 2).any():
        raise Unusual
    closes = np.empty_like(times)  # the bracket that closes each entry
    closes[:-1] = times[1:] - 3
    closes[last[filled] - 1] = ends[filled] - 2
    timestamps, tails = _timestamps(words, times, closes)
    begins, stops, order = times + _LINE, closes - 1, _order(timestamps, counts)
    attributes: Mapping[str, pa.Array] = {}
    with_extra = np.flatnonzero(tails != _QUOTE)
    if len(with_extra):
        extras = _extras(text, opened, times[with_extra], closes[with_extra])
        stops[with_extra] = extras - 2
        numbers = np.full(len(times), -1)
        numbers[with_extra] = np.arange(len(with_extra))
        attributes = metadata.columns(body, extras, closes[with_extra], numbers[order])
    if (stops < begins).any():
        raise Unusual
    owners = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return Entries(owners[order], timestamps[order], texts.read(body, begins, stops, order), attributes)


def _order(timestamps: Integers, counts: Integers) -> Integers:
    """The order of time; a stream that came newest first has the last written of one time first, and is turned."""
    ends = np.cumsum(counts)
    firsts = ends - counts
    filled = counts > 0
    turned = np.zeros(len(counts), bool)
    turned[filled] = timestamps[firsts[filled]] >= timestamps[ends[filled] - 1]
    places = np.arange(len(timestamps))
    if turned.any():
        owners = np.repeat(np.arange(len(counts)), counts)
        places = np.where(turned[owners], firsts[owners] + ends[owners] - 1 - places, places)
    return places[np.argsort(timestamps[places], kind="stable")]


def _words(body: bytes) -> Words:
    """The 8-byte words that begin at each byte."""
    return np.ndarray((max(len(body) - 7, 0),), dtype="<u8", buffer=body, strides=(1,))


def _timestamps(words: Words, times: Integers, closes: Integers) -> tuple[Integers, Bytes]:
    """Nanoseconds of each entry, and the byte before the bracket that closes it; checks what stands around both."""
    timestamps, tails = np.empty(len(times), np.int64), np.empty(len(times), np.uint8)
    for at in range(0, len(times), _ENTRIES_AT_ONCE):
        part = slice(at, at + _ENTRIES_AT_ONCE)
        time, end = times[part], words[closes[part] - 6]
        behind = (end >> np.uint64(56)).astype(np.uint8)
        wrong = ((words[time + _DIGITS] ^ _AFTER_TIME) & _AFTER_TIME_MASK) | ((end ^ _END) & _END_MASK)
        tail = (end >> np.uint64(40)).astype(np.uint8)
        other = ((behind != _COMMA) & (behind != _CLOSE)) | ((tail != _QUOTE) & (tail != _UNBRACE))
        if wrong.any() or other.any():
            raise Unusual
        timestamps[part] = _time(words, time)
        tails[part] = tail
    return timestamps, tails


def _time(words: Words, marks: Integers) -> Integers:
    """The 19 digits behind each mark as a number: eight, eight, and the last three of eight that overlap."""
    time = _number(words[marks + 1]) * 100_000_000_000
    time += _number(words[marks + 9]) * 1000
    time += _number(words[marks + 12]) % 1000
    return time


def _extras(text: Bytes, opened: Integers, times: Integers, closes: Integers) -> Integers:
    """Where the third part of each entry begins: ``{"structuredMetadata":…}``, or ``{}``."""
    begins = closes - 2  # of an empty one
    owners = np.searchsorted(times, opened, side="right") - 1
    inside = (owners >= 0) & (opened < closes[owners])
    owners, opened = owners[inside], opened[inside]
    if (np.diff(owners) == 0).any():
        raise Unusual
    begins[owners] = opened - 1
    empty = np.ones(len(times), bool)
    empty[owners] = False
    left = begins[empty]
    if (text[left] != _BRACE).any() or (text[left - 1] != _COMMA).any() or (text[left - 2] != _QUOTE).any():
        raise Unusual
    return begins


def _places(body: bytes, views: Sequence[msgspec.Raw]) -> tuple[Integers, Integers]:
    """Where the views begin and end in the body."""
    origin = pa.py_buffer(body).address
    starts = np.fromiter((pa.py_buffer(view).address for view in views), np.int64, len(views)) - origin
    return starts, starts + np.fromiter(map(len, views), np.int64, len(views))


def _marks(text: Bytes, words: Words, start: int, end: int) -> tuple[Integers, Integers]:
    """Places of the quotation marks that open a time, and of those that open an entry's metadata."""
    found = list(_marks_by_block(text, words, max(start, 3), end))
    return np.concatenate([times for times, _ in found]), np.concatenate([opened for _, opened in found])


def _marks_by_block(text: Bytes, words: Words, start: int, end: int) -> Iterator[tuple[Integers, Integers]]:
    for at in range(start, end, _BLOCK):
        stop = min(at + _BLOCK, end)
        found = text[at:stop] == _QUOTE
        found &= (text[at - 1 : stop - 1] | 0x20) == _BRACE  # a bracket before it, or a brace: they differ in one bit
        places = np.flatnonzero(found) + at
        around = words[places - 3]  # the three bytes before each mark, the mark, and what follows
        behind = (around >> np.uint64(32)).astype(np.uint8)
        in_list = (around >> np.uint64(16)).astype(np.uint8) == _OPEN
        opens = (around & _BEFORE_EXTRA_MASK) == _BEFORE_EXTRA
        yield (
            places[in_list & (behind - np.uint8(ord("0")) < 10)],
            places[opens & ((behind == ord("s")) | (behind == ord("p")))],
        )


def _number(words: npt.NDArray[np.uint64]) -> Integers:
    """The number that the eight bytes of each word write in ASCII, all words at once (SWAR)."""
    x = words ^ _ZEROS
    if (((x + np.uint64(0x7676767676767676)) | x) & np.uint64(0x8080808080808080)).any():
        raise Unusual
    for bits, factor, mask in _FOLDS:  # digits to pairs, pairs to fours, fours to eight
        right = x >> bits
        x *= factor
        x += right
        x &= mask
    return x.view(np.int64)


def _slowly(values: Sequence[msgspec.Raw]) -> Entries:
    """Read entries whatever their JSON looks like."""
    counts, entries = [], []
    for view in values:
        found = _decoded(view)
        counts.append(len(found))
        entries += found
    try:
        timestamps = np.asarray([entry.time for entry in entries], np.int64)
    except OverflowError:
        raise BadAnswer("a timestamp is not a time in nanoseconds") from None
    order = _order(timestamps, np.asarray(counts, np.int64))
    entries = [entries[place] for place in order.tolist()]
    return Entries(
        np.repeat(np.arange(len(counts), dtype=np.int32), counts)[order],
        timestamps[order],
        texts.array([entry.line for entry in entries]),
        metadata.columns_of([entry.extra for entry in entries]),
    )


def _decoded(view: msgspec.Raw) -> list[_Entry]:
    try:
        return _ENTRIES.decode(view)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return [_entry(item) for item in msgspec.json.decode(texts.mended(bytes(view)) or b"")]
    except (msgspec.DecodeError, TypeError, ValueError, AttributeError) as error:
        raise BadAnswer(f"the entries of a stream are not pairs of a time and a line: {error}") from None


def _entry(item: Any) -> _Entry:
    """An entry with metadata that is not text only, or with characters that are none."""
    time, line, *rest = item
    extra = rest[0] if rest else {}
    sections = {name: {key: str(value) for key, value in (part or {}).items()} for name, part in (extra or {}).items()}
    return _Entry(int(time), str(line), sections)
