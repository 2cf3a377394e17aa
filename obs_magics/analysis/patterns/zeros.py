"""First step, over all lines: digits that can only be part of a value become zeros, in a few passes over the bytes.

Lines that differ in such digits alone become equal, so that the expressions of `numbers` run over few of them. What is
replaced is what these expressions take whole in any case: runs of three digits or more, shorter ones at the start of a
word, runs of eight hexadecimal digits or more. What a line becomes depends on that line alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

Array = np.ndarray[Any, Any]

_CHUNK = 1 << 16
"""Bytes worked on at a time: they and the masks over them stay in a core's cache, and within malloc's own memory."""
_ZERO = ord("0")


def zeroed(lines: pa.Array) -> pa.Array:
    """The lines (large strings without nulls) with zeros for digits that are part of a value."""
    _, offset_buffer, data = lines.buffers()
    if data is None or not len(lines):
        return lines
    offsets = np.frombuffer(offset_buffer, np.int64)[lines.offset : lines.offset + len(lines) + 1]
    start, end = int(offsets[0]), int(offsets[-1])
    offsets = offsets - start
    text = np.frombuffer(data, np.uint8)[start:end].copy()
    row = 0
    while row < len(lines):
        stop = max(row + 1, int(np.searchsorted(offsets, offsets[row] + _CHUNK, side="right")) - 1)
        _zero(text[offsets[row] : offsets[stop]], offsets[row:stop] - offsets[row])
        row = stop
    return pa.Array.from_buffers(pa.large_string(), len(lines), [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def _zero(text: Array, starts: Array) -> None:
    """Put the zeros into the bytes of some lines that lie end to end; `starts` are the places where lines begin."""
    if not len(text):
        return
    follows = np.ones(len(text), bool)  # the byte before is of the same line
    follows[starts[starts < len(text)]] = False
    digit = (text - np.uint8(_ZERO)) < 10
    letter = (text | np.uint8(32)) - np.uint8(ord("a"))  # of either case, counted from 0
    chosen = _at_start_of_words(digit, digit | (letter < 26) | (text == ord("_")), follows)
    chosen |= _within_runs(_pairs(digit, follows), 3)
    chosen |= _within_runs(_pairs(digit | (letter < 6), follows), 8)
    mask = chosen.view(np.uint8) * np.uint8(255)
    text &= ~mask
    text |= mask & np.uint8(_ZERO)


def _at_start_of_words(digit: Array, word: Array, follows: Array) -> Array:
    """Digits that begin a word, and the digits right behind these."""
    inside = _behind(np.logical_and, word, word, 1)
    inside &= follows
    begins = digit & ~inside
    return begins | (_behind(np.logical_and, digit, begins, 1) & follows)


def _pairs(members: Array, follows: Array) -> Array:
    """Where a member follows another one of its line."""
    pairs = _behind(np.logical_and, members, members, 1)
    pairs &= follows
    return pairs


def _within_runs(pairs: Array, least: int) -> Array:
    """Members of runs of so many or more, which are runs of one pair less."""
    found, covered = pairs, 1
    while covered < least - 1:  # where such a run ends
        step = min(covered, least - 1 - covered)
        found = _behind(np.logical_and, found, found, step)
        covered += step
    covered = 1
    while covered < least:  # and all of it
        step = min(covered, least - covered)
        wider = found.copy()
        np.logical_or(found[:-step], found[step:], out=wider[:-step])
        found, covered = wider, covered + step
    return found


def _behind(operation: Any, flags: Array, others: Array, places: int) -> Array:
    """The operation of each flag and the other one so many places before it; false where there is none."""
    found = np.empty_like(flags)
    found[:places] = False
    operation(flags[places:], others[:-places], out=found[places:])
    return found
