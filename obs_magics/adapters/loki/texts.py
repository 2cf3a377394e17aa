"""Texts inside of a JSON body as an Arrow array: copied where they are plain, decoded where they have escapes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers: TypeAlias = npt.NDArray[np.int64]

_QUOTE, _BACKSLASH = b'"\\'
_AT_ONCE = 1 << 13  # texts; a few of them are about what the cache holds
_FEW = 8  # texts with escapes among that many: only they are decoded
_TEXTS = msgspec.json.Decoder(list[str])


class Unusual(Exception):  # noqa: N818 - not an error: the sign to read slowly
    """The bytes do not have the shape that is read fast."""


def read(body: bytes, begins: Integers, ends: Integers, order: Integers) -> pa.Array:
    """Texts of a body as large strings.

    Args:
        body: Valid JSON.
        begins: Where each begins, behind its quotation mark; ascending.
        ends: Where the mark stands that closes each.
        order: Which of them, in which order.

    Raises:
        Unusual: They are no texts.
    """
    raw = views(body, begins, ends, order)
    data, offsets = buffers(raw)
    parts: list[pa.Array] = []
    few, as_they_are = [np.empty(0, np.int64)], True
    for at in range(0, len(raw), _AT_ONCE):
        own = offsets[at : at + _AT_ONCE + 1] - offsets[at]
        block = data[offsets[at] : offsets[at] + own[-1]]
        escapes = block == _BACKSLASH
        count = np.count_nonzero(escapes)
        if count * _FEW > len(own):
            parts.append(_unescaped(block, own, escapes))
            as_they_are = False
            continue
        parts.append(raw.slice(at, _AT_ONCE))
        if count:
            few.append(at + np.unique(np.searchsorted(own, np.flatnonzero(escapes), side="right") - 1))
    joined = _with_decoded(raw, raw if as_they_are else pa.concat_arrays(parts), np.concatenate(few))
    try:
        joined.validate(full=True)  # what is no UTF-8 would be a trap for whoever reads the array
    except pa.ArrowInvalid:
        raise Unusual from None
    return joined


def views(body: bytes, begins: Integers, ends: Integers, order: Integers) -> pa.Array:
    """The bytes between these places as large strings, without looking at them.

    Arrow is shown the body as one array in which every other string is what lies between two texts.
    """
    offsets = np.empty(2 * len(begins), np.int64)
    offsets[0::2], offsets[1::2] = begins, ends
    array = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(body))
    return array.take(pa.array(2 * order))


def buffers(array: pa.Array) -> tuple[npt.NDArray[np.uint8], Integers]:
    """The bytes of a whole array of large strings, and where each string begins in them (and the last ends)."""
    offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1) if len(array) else np.zeros(1, np.int64)
    data = array.buffers()[2] or b""
    return np.frombuffer(data, np.uint8, int(offsets[-1])), offsets


def _with_decoded(raw: pa.Array, joined: pa.Array, rows: Integers) -> pa.Array:
    """The texts with what the raw texts of single rows stand for in their places."""
    if not len(rows):
        return joined
    order = np.arange(len(raw))
    order[rows] = len(raw) + np.arange(len(rows))
    return pa.concat_arrays([joined, _decoded(raw.take(pa.array(rows)))]).take(pa.array(order))


def _unescaped(data: npt.NDArray[np.uint8], offsets: Integers, escapes: npt.NDArray[np.bool_]) -> pa.Array:
    """What texts stand for that lie end to end; `escapes` says which bytes are backslashes.

    Where all of them escape quotation marks (JSON inside of JSON), taking them out is all there is to do.
    """
    text = data.tobytes()
    if escapes[-1] or (escapes[:-1] > (data[1:] == _QUOTE)).any():
        return _decoded(pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(text)))
    shorter = offsets - _counted(escapes, offsets)
    plain = pa.py_buffer(text.translate(None, b"\\"))
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(shorter), plain)


def _counted(flags: npt.NDArray[np.bool_], places: Integers) -> Integers:
    """How many flags are set before each place; by whole words, as few of them end where a word does."""
    words = np.zeros(len(flags) // 64 + 2, np.uint64)
    bits = np.packbits(flags, bitorder="little")
    words.view(np.uint8)[: len(bits)] = bits
    before = np.cumsum(np.bitwise_count(words), dtype=np.int64) - np.bitwise_count(words)
    word, bit = places >> 6, (places & 63).astype(np.uint64)
    inside: Integers = before[word] + np.bitwise_count(words[word] & ((np.uint64(1) << bit) - np.uint64(1)))
    return inside


def _decoded(raw: pa.Array) -> pa.Array:
    """Texts with any escapes: they are strung together to one JSON list."""
    data, offsets = buffers(raw)
    text = data.tobytes()
    bounds = offsets.tolist()
    joined = b'","'.join([text[begin:end] for begin, end in itertools.pairwise(bounds)])
    try:
        return pa.array(_TEXTS.decode(b'["' + joined + b'"]'), pa.large_string())
    except (msgspec.DecodeError, UnicodeError):
        raise Unusual from None


def mended(text: bytes) -> bytes | None:
    """JSON that has halves of surrogate pairs or bytes that are no characters, with `�` for each; None for no JSON."""
    try:
        found = json.loads(text.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None
    return _clean(json.dumps(found, ensure_ascii=False)).encode()


def array(strings: Sequence[str | None]) -> pa.Array:
    """Strings as an Arrow array; halves of surrogate pairs, which are no characters, become `�`."""
    try:
        return pa.array(strings, pa.large_string())
    except UnicodeEncodeError:
        return pa.array([text and _clean(text) for text in strings], pa.large_string())


def _clean(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", errors="replace")
