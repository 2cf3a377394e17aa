"""Texts inside of a JSON body as an Arrow array: copied where they are plain, decoded where they have escapes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers: TypeAlias = npt.NDArray[np.int64]

_BACKSLASH = ord("\\")
_BLOCK = 1 << 18  # bytes looked at in one go: small enough for the cache
_LONGEST = (1 << 31) - 1  # Arrow's short offsets have 32 bits
_FEW = 4  # one in so many: when more texts have escapes, all are decoded
_TEXTS = msgspec.json.Decoder(list[str])


class Unusual(Exception):  # noqa: N818 - not an error: the sign to read slowly
    """The bytes do not have the shape that is read fast."""


def read(body: bytes, begins: Integers, ends: Integers) -> pa.Array:
    """The texts between these places (without their quotation marks), in order and without overlap.

    Raises:
        Unusual: They are no texts.
    """
    raw = views(body, begins, ends)
    escaped = _escaped(raw)
    if escaped is None or len(escaped) * _FEW > len(raw):
        return _decoded(body, begins, ends)
    if not len(escaped):
        return _checked(raw)
    decoded = _decoded(body, begins[escaped], ends[escaped])
    order = np.arange(len(raw))
    order[escaped] = len(raw) + np.arange(len(escaped))
    return _checked(pa.concat_arrays([raw.cast(decoded.type), decoded]).take(pa.array(order)))


def views(body: bytes, begins: Integers, ends: Integers) -> pa.Array:
    """The bytes between these places as strings, without looking at them.

    Arrow is shown the body as one array in which every other string is what lies between two texts.
    """
    offsets = np.empty(2 * len(begins), np.int64)
    offsets[0::2], offsets[1::2] = begins, ends
    short = len(body) <= _LONGEST
    kind = pa.StringArray if short else pa.LargeStringArray
    buffer = pa.py_buffer(offsets.astype(np.int32) if short else offsets)
    array = kind.from_buffers(len(offsets) - 1, buffer, pa.py_buffer(body))
    return array.take(pa.array(np.arange(0, len(offsets), 2)))


def _escaped(raw: pa.Array) -> Integers | None:
    """Which of the texts have a backslash; None for most of them."""
    data = raw.buffers()[2]
    if data is None:
        return np.empty(0, np.int64)
    offsets = np.frombuffer(raw.buffers()[1], np.int32 if raw.type == pa.string() else np.int64, len(raw) + 1)
    text = np.frombuffer(data, np.uint8, int(offsets[-1]))
    found, count = [], 0
    for at in range(0, len(text), _BLOCK):
        places = np.flatnonzero(text[at : at + _BLOCK] == _BACKSLASH) + at
        count += len(places)
        if count > len(raw):
            return None
        found.append(places)
    owners = np.searchsorted(offsets, np.concatenate(found), side="right") - 1 if count else np.empty(0, np.int64)
    return owners[np.diff(owners, prepend=-1) > 0]


def _checked(texts: pa.Array) -> pa.Array:
    """A text that is no UTF-8 would be a trap for whoever reads the array."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        raise Unusual from None
    return texts


def _decoded(body: bytes, begins: Integers, ends: Integers) -> pa.Array:
    """What the texts stand for: they are strung together to one JSON list."""
    quoted = views(body, begins - 1, ends + 2)  # with both marks, and room for a comma
    offsets = np.frombuffer(quoted.buffers()[1], np.int32 if quoted.type == pa.string() else np.int64, len(quoted) + 1)
    text = bytearray(b"[") + bytes(memoryview(quoted.buffers()[2])[: int(offsets[-1])])
    np.frombuffer(text, np.uint8)[offsets[1:]] = ord(",")
    text[-1:] = b"]"
    try:
        return pa.array(_TEXTS.decode(text), pa.large_string())
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
