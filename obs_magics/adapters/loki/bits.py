"""Flags of bytes, 64 to a word: to shift, to combine and to count them takes a fraction of what it does one by one."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]

_ONE, _LAST = np.uint64(1), np.uint64(63)


def where(block: Bytes, byte: int) -> Words:
    """Flags of the places where a byte stands; there are more flags than bytes, none of these is set."""
    return packed(block == np.uint8(byte))


def packed(flags: npt.NDArray[np.bool_]) -> Words:
    """Flags that came one by one."""
    words = np.zeros(len(flags) // 64 + 2, np.uint64)
    bits = np.packbits(flags, bitorder="little")
    words.view(np.uint8)[: len(bits)] = bits
    return words


def moved(words: Words) -> Words:
    """The same flags one place further on."""
    result = words << _ONE
    result[1:] |= words[:-1] >> _LAST
    return result


def places(words: Words) -> Integers:
    """Where flags are set."""
    return np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little"))


def counted(words: Words, at: Integers) -> Integers:
    """How many flags are set before each place."""
    counts = np.bitwise_count(words)
    before: Integers = np.cumsum(counts, dtype=np.int64)
    before -= counts
    own = at >> 6
    inside = words[own]
    inside &= (_ONE << (at & 63).view(np.uint64)) - _ONE
    before = before[own]
    before += np.bitwise_count(inside)
    return before
