"""Where the entries of an answer begin, and when each was: all bytes of the body are looked at, two at a time.

In JSON, ``["`` before a digit opens a timestamp wherever it stands: inside of a text a quotation mark has a backslash
before it, and behind one that closes a text comes no digit. Likewise ``",{"`` before a letter ends a line and opens its
metadata. Whether it is JSON, `answers` and `bare` find out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from obs_magics.adapters.loki.texts import Unusual

Integers: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]

LINE = 23  # from the mark that opens the time to the first byte of the line: two marks, 19 digits, `,"`
_BLOCK = 1 << 18  # pairs of bytes looked at in one go: small enough for the cache
# Around the mark that opens a time, `…"],["1795359598180822016","…`, in words of eight bytes.
_WINDOW = np.dtype("V32")
_BEFORE_MARK = 7  # bytes: the first word ends with the mark, so that the second one begins with the digits
_BEHIND_MARK = _WINDOW.itemsize - _BEFORE_MARK


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


_NEXT, _FIRST = _word(b'],["'), _word(b'[["')  # as a word ends with them
_AFTER_TIME, _AFTER_TIME_MASK = _word(b'\0\0\0","'), _word(b"\0\0\0\xff\xff\xff")  # behind its last three digits
_OPENS, _OPENS_MASK = _word(b'",{"'), _word(b"\xff\xff\xff\xff")
_LETTERS = (ord("s"), ord("p"))  # of `structuredMetadata` and `parsed`
_ZEROS = _word(b"00000000")
_FIVE_ZEROS = _word(b"00000")
_FOLDS = (
    (np.uint64(8), np.uint64(10), np.uint64(0x00FF00FF00FF00FF)),
    (np.uint64(16), np.uint64(100), np.uint64(0x0000FFFF0000FFFF)),
    (np.uint64(32), np.uint64(10_000), np.uint64(0xFFFFFFFF)),
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks that open the time of each entry, in the order of the body; there is at least one.

    Args:
        places: Where they stand.
        timestamps_ns: The times behind them.
        before: The last byte of the entry before; of a list's first entry it is any.
        firsts: Which of the marks are those of a list's first entry; the first one is.
    """

    places: Integers
    timestamps_ns: Integers
    before: Bytes
    firsts: Integers


def entry_marks(body: bytes) -> Marks:
    """The marks of all entries of a body.

    Raises:
        Unusual: There are none, or an entry does not look as Loki writes it.
    """
    parts = [_marks(body, quotes) for quotes in _found(body, b'["', (b",[", b"[["), 0, len(body))]
    counts = np.cumsum([0, *(len(part.places) for part in parts)])
    if not counts[-1]:
        raise Unusual
    firsts = np.concatenate([part.firsts + count for part, count in zip(parts, counts[:-1], strict=True)])
    if not len(firsts) or firsts[0]:
        raise Unusual
    return Marks(
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.timestamps_ns for part in parts]),
        np.concatenate([part.before for part in parts]),
        firsts,
    )


def metadata_places(body: bytes, start: int, end: int) -> Integers:
    """Where metadata begin that are not empty: at their brace."""
    words = _words(body)
    parts = []
    for quotes in _found(body, b'{"', (b",{",), start, end):
        around = words[quotes - 3]
        letter = (around >> np.uint64(32)).astype(np.uint8)
        own = ((around & _OPENS_MASK) == _OPENS) & ((letter == _LETTERS[0]) | (letter == _LETTERS[1]))
        parts.append(quotes[own] - 1)
    return np.concatenate(parts)


def _found(body: bytes, mark: bytes, fronts: Sequence[bytes], start: int, end: int) -> Iterator[Integers]:
    """Where the second byte of a mark may stand that has one of some bytes before it, block by block.

    Args:
        body: The bytes.
        mark: Two bytes.
        fronts: The byte before them together with the first of them.
        start: Where to begin.
        end: Where to end.

    Wherever the three bytes stand, either the first two or the last two of them are one of the pairs that begin at even
    places. To compare those is half the work of comparing bytes; the third byte is for the caller to look at.
    """
    pairs = np.frombuffer(body, "<u2", len(body) // 2)
    whole, *halves = (np.uint16(int.from_bytes(two, "little")) for two in (mark, *fronts))
    hits, other = np.empty((2, _BLOCK), bool)
    for at in range(start // 2, (end + 1) // 2, _BLOCK):
        block = pairs[at : at + _BLOCK]
        flags, more = hits[: len(block)], other[: len(block)]
        np.equal(block, whole, out=flags)
        for half in halves:
            flags |= np.equal(block, half, out=more)
        found = np.flatnonzero(flags)
        yield 2 * (found + at + 1) - (block[found] == whole)


def _words(body: bytes) -> Words:
    """The 8-byte words that begin at each byte."""
    return np.ndarray((max(len(body) - 7, 0),), dtype="<u8", buffer=body, strides=(1,))


def _windows(body: bytes, marks: Integers) -> Words:
    """What stands around marks that open a time, four words each."""
    windows: npt.NDArray[np.void] = np.ndarray(
        (len(body) - _WINDOW.itemsize + 1,), dtype=_WINDOW, buffer=body, strides=(1,)
    )
    return windows[marks - _BEFORE_MARK].view("<u8").reshape(-1, 4)


def _marks(body: bytes, quotes: Integers) -> Marks:
    """Those of the quotation marks that open the time of an entry."""
    within = np.searchsorted(quotes, (_BEFORE_MARK, len(body) - _BEHIND_MARK + 1))
    places = quotes[slice(*within)]
    words = _windows(body, places) if len(places) else np.empty((0, 4), np.uint64)
    digit = words[:, 1].astype(np.uint8) - np.uint8(ord("0"))  # bytes wrap around below zero
    first = words[:, 0] >> np.uint64(40) == _FIRST
    own = (words[:, 0] >> np.uint64(32) == _NEXT) | first
    own &= digit < 10
    if not own.all():
        places, words, first = places[own], words[own], first[own]
    before = (words[:, 0] >> np.uint64(24)).astype(np.uint8)
    return Marks(places, _times(words), before, np.flatnonzero(first))


def _times(words: Words) -> Integers:
    """The times that begin with the second word of each window."""
    if ((words[:, 3] ^ _AFTER_TIME) & _AFTER_TIME_MASK).any():
        raise Unusual
    times = _number(words[:, 1]) * 100_000_000_000
    times += _number(words[:, 2]) * 1000
    times += _number((words[:, 3] << np.uint64(40)) | _FIVE_ZEROS)  # the last three digits
    if (times < 0).any():
        raise Unusual  # 19 digits may be more than there are nanoseconds
    return times


def _number(words: Words) -> Integers:
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
