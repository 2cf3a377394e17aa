"""Ids of traces and spans: hex or base64, however many leading zeros were lost, as hex of one length."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_LOWER_HEX = np.zeros(256, bool)
_LOWER_HEX[list(b"0123456789abcdef")] = True
_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)
_URL_SAFE = str.maketrans("-_", "+/")


def read_id(text: str, digits: int) -> str | None:
    """An id as lower-case hex, padded with zeros; None when it is none.

    What has hex digits only is hex (Jaeger, the collector), anything else base64 (Tempo).

    >>> read_id("75BCD15", 16)
    '00000000075bcd15'
    >>> read_id("jVEYCR7bS+BFPvLgUriScw==", 32)
    '8d5118091edb4be0453ef2e052b89273'
    """
    if _HEX.fullmatch(text):
        bare = text.lower()
        bare = bare.lstrip("0") if len(bare) > digits else bare
        return bare.zfill(digits) if len(bare) <= digits else None
    try:
        raw = base64.b64decode(text.translate(_URL_SAFE) + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex().zfill(digits) if 0 < len(raw) <= digits // 2 else None


def read_ids(texts: Sequence[str | None], digits: int) -> pa.Array:
    """Ids of many spans, null where there is none or it makes no sense."""
    array = pa.array(texts, pa.string())
    if _are_clean(array, digits):
        return array
    unique = array.dictionary_encode()
    read = [read_id(text, digits) if text else None for text in unique.dictionary.to_pylist()]
    return pa.array(read, pa.string()).take(unique.indices)


def _are_clean(array: pa.Array, digits: int) -> bool:
    """Whether all of them are already what they shall be, but for what is missing."""
    offsets: npt.NDArray[Any] = np.frombuffer(array.buffers()[1] or b"\0\0\0\0", np.int32)[: len(array) + 1]
    lengths = np.diff(offsets)
    if array.null_count:
        lengths = lengths[array.is_valid().to_numpy(zero_copy_only=False)]
    if not (lengths == digits).all():
        return False
    data = array.buffers()[2]
    return data is None or bool(_LOWER_HEX[np.frombuffer(data, np.uint8)[: int(offsets[-1])]].all())
