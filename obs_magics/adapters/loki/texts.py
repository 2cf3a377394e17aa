"""Texts inside of a JSON body as an Arrow array: copied where they are plain, decoded where they have escapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from obs_magics.adapters.loki import bits
from obs_magics.adapters.loki.bits import Words

Integers: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]

_QUOTE, _BACKSLASH = b'"\\'
_LEAST = ord(" ")  # what is below has an escape in JSON
AT_ONCE = 1 << 13  # texts: about what the cache holds
_TEXTS = msgspec.json.Decoder(list[str])


class Unusual(Exception):  # noqa: N818 - not an error: the sign to read slowly
    """The bytes do not have the shape that is read fast."""


def read(body: bytes, begins: Integers, ends: Integers, order: Integers, *, ascii_only: bool) -> pa.Array:
    """Texts of a body as large strings.

    Args:
        body: Valid JSON.
        begins: Where each begins, behind its quotation mark; ascending.
        ends: Where the mark stands that closes each.
        order: In which order they shall be.
        ascii_only: Of the whole body: what is cut out of it is UTF-8 without a look.

    Raises:
        Unusual: They are no texts.
    """
    # Nothing gets longer when its escapes are gone. Arrow's memory, as that comes back warm from the answer before.
    room = pa.allocate_buffer(int((ends - begins).sum()))
    data, offsets = np.frombuffer(room, np.uint8), np.zeros(len(order) + 1, np.int64)
    size, row = 0, 0
    for block, bounds in blocks(body, begins, ends, order):
        text, own = _meant(block, bounds)
        data[size : size + len(text)] = text
        offsets[row + 1 : row + len(own)] = size + own[1:]
        size, row = size + len(text), row + len(own) - 1
    joined = strings(room.slice(0, size), offsets)
    if not ascii_only:
        check(joined)
    return joined


def check(array: pa.Array) -> None:
    """Raise `Unusual` when an array is no UTF-8, which would be a trap for whoever reads it."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        raise Unusual from None


def blocks(body: bytes, begins: Integers, ends: Integers, order: Integers) -> Iterator[tuple[Bytes, Integers]]:
    """The bytes between these places, block by block: end to end, and where each begins in them, and the last ends.

    Arrow is shown the body as one array in which every other string is what lies between two texts.
    """
    places = np.empty(2 * len(begins), np.int64)
    places[0::2], places[1::2] = begins, ends
    views = strings(body, places)
    for at in range(0, len(order), AT_ONCE):
        yield buffers(views.take(pa.array(2 * order[at : at + AT_ONCE])))


def buffers(array: pa.Array) -> tuple[Bytes, Integers]:
    """The bytes of a whole array of large strings, and where each string begins in them (and the last ends)."""
    offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1) if len(array) else np.zeros(1, np.int64)
    data = array.buffers()[2] or b""
    return np.frombuffer(data, np.uint8, int(offsets[-1])), offsets


def strings(data: Bytes | bytes | pa.Buffer, bounds: Integers) -> pa.Array:
    """Large strings that lie end to end in these bytes; `bounds` says where each begins, and the last ends."""
    return pa.LargeStringArray.from_buffers(len(bounds) - 1, pa.py_buffer(bounds), pa.py_buffer(data))


def _meant(block: Bytes, bounds: Integers) -> tuple[Bytes, Integers]:
    """What texts stand for that lie end to end, in the same way; `bounds` says where each begins, and the last ends.

    Where all backslashes escape quotation marks (JSON inside of JSON), taking them out is all there is to do.
    """
    if len(block) and block.min() < _LEAST:
        raise Unusual
    escapes, quotes = bits.where(block, _BACKSLASH), bits.where(block, _QUOTE)
    escaped = bits.moved(escapes)
    begins = bounds[:-1]
    if (quotes & ~escaped).any() or (block[begins[begins < len(block)]] == _QUOTE).any():
        raise Unusual  # a mark that is not escaped ends a text
    if not escapes.any():
        return block, bounds
    plain, shorter = _without(block, escapes), bounds - bits.counted(escapes, bounds)
    others = escaped & ~quotes
    if not others.any():
        return plain, shorter
    odd = np.unique(np.searchsorted(bounds, bits.places(others) - 1, side="right") - 1)
    text = block.tobytes()
    ends = bounds[odd + 1].tolist()
    decoded = _decoded([text[begin:end] for begin, end in zip(bounds[odd].tolist(), ends, strict=True)])
    order = np.arange(len(bounds) - 1)
    order[odd] = len(order) + np.arange(len(odd))
    return buffers(pa.concat_arrays([strings(plain, shorter), decoded]).take(pa.array(order)))


def _without(block: Bytes, flags: Words) -> Bytes:
    """The bytes that are not flagged."""
    size = len(block)
    keep = pa.BooleanArray.from_buffers(pa.bool_(), size, [None, pa.py_buffer(~flags)])
    kept = pa.UInt8Array.from_buffers(pa.uint8(), size, [None, pa.py_buffer(block)]).filter(keep)
    return np.frombuffer(kept.buffers()[1], np.uint8, len(kept))


def _decoded(raw: Sequence[bytes]) -> pa.Array:
    """Texts with any escapes: they are strung together to one JSON list."""
    try:
        found = _TEXTS.decode(b'["' + b'","'.join(raw) + b'"]')
        if len(found) == len(raw):  # more of them, when a mark in one of them is not escaped after all
            return pa.array(found, pa.large_string())
    except (msgspec.DecodeError, UnicodeError):
        pass
    raise Unusual


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
