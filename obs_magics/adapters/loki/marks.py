"""Where the entries of an answer begin, and when each was: all bytes of the body are looked at, two at a time.

The body has been checked as JSON when this module sees it. So ``["`` before a digit opens a timestamp wherever it
stands: inside of a text a quotation mark has a backslash before it, and behind one that closes a text comes no digit.
Likewise ``",{"`` before a letter ends a line and opens its metadata.
"""

from __future__ import annotations

from collections.abc import Iterator
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


_NEXT, _FIRST = _word(b'],["'), _word(b'[["')
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
    """The marks that open the time of each entry, in the order of the body.

    Args:
        places: Where they stand.
        timestamps_ns: The times behind them.
        before: The last byte of the entry before; of a stream's first entry it is any.
    """

    places: Integers
    timestamps_ns: Integers
    before: Bytes


def entry_marks(body: bytes, starts: Integers, end: int) -> Marks:
    """The marks of all entries.

    Args:
        body: Valid JSON.
        starts: Where each list of entries begins that is not empty; ascending, and at least one.
        end: Where the last one ends.

    Raises:
        Unusual: An entry does not look as Loki writes it.
    """
    opening = starts + 2
    if opening[-1] + _BEHIND_MARK > len(body):
        raise Unusual
    words = _windows(body, opening)
    if (words[:, 0] >> np.uint64(40) != _FIRST).any():
        raise Unusual
    first = _marks(opening, words)
    rest = [_next_marks(body, brackets + 1) for brackets in _found(body, b',["', int(starts[0]), end)]
    places = np.concatenate([part.places for part in rest])
    at = np.searchsorted(places, first.places)
    return Marks(
        np.insert(places, at, first.places),
        np.insert(np.concatenate([part.timestamps_ns for part in rest]), at, first.timestamps_ns),
        np.insert(np.concatenate([part.before for part in rest]), at, first.before),
    )


def metadata_places(body: bytes, start: int, end: int) -> Integers:
    """Where metadata begin that are not empty: at their brace."""
    words = _words(body)
    parts = []
    for places in _found(body, b',{"', start, end):
        around = words[places - 2]
        letter = (around >> np.uint64(32)).astype(np.uint8)
        parts.append(places[((around & _OPENS_MASK) == _OPENS) & ((letter == _LETTERS[0]) | (letter == _LETTERS[1]))])
    return np.concatenate(parts)


def _found(body: bytes, mark: bytes, start: int, end: int) -> Iterator[Integers]:
    """Where the second of these three bytes may stand, block by block: the other byte is for the caller to look at.

    Wherever the three stand, either the first two or the last two of them are one of the pairs that begin at even
    places. To compare those is half the work of comparing bytes.
    """
    pairs = np.frombuffer(body, "<u2", len(body) // 2)
    front, back = (np.uint16(int.from_bytes(two, "little")) for two in (mark[:2], mark[1:]))
    for at in range(start // 2, (end + 1) // 2, _BLOCK):
        block = pairs[at : at + _BLOCK]
        in_front = block == front
        found = np.flatnonzero(in_front | (block == back))
        yield 2 * (found + at) + in_front[found]


def _words(body: bytes) -> Words:
    """The 8-byte words that begin at each byte."""
    return np.ndarray((max(len(body) - 7, 0),), dtype="<u8", buffer=body, strides=(1,))


def _windows(body: bytes, marks: Integers) -> Words:
    """What stands around marks that open a time, four words each."""
    windows: npt.NDArray[np.void] = np.ndarray(
        (len(body) - _WINDOW.itemsize + 1,), dtype=_WINDOW, buffer=body, strides=(1,)
    )
    return windows[marks - _BEFORE_MARK].view("<u8").reshape(-1, 4)


def _next_marks(body: bytes, marks: Integers) -> Marks:
    """Those of the marks that open the time of an entry behind another one."""
    marks = marks[: np.searchsorted(marks, len(body) - _BEHIND_MARK, side="right")]
    words = _windows(body, marks)
    digit = words[:, 1].astype(np.uint8) - np.uint8(ord("0"))  # bytes wrap around below zero
    own = (words[:, 0] >> np.uint64(32) == _NEXT) & (digit < 10)
    return _marks(marks[own], words[own])


def _marks(places: Integers, words: Words) -> Marks:
    if ((words[:, 3] ^ _AFTER_TIME) & _AFTER_TIME_MASK).any():
        raise Unusual
    times = _number(words[:, 1]) * 100_000_000_000
    times += _number(words[:, 2]) * 1000
    times += _number((words[:, 3] << np.uint64(40)) | _FIVE_ZEROS)  # the last three digits
    return Marks(places, times, (words[:, 0] >> np.uint64(24)).astype(np.uint8))


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
