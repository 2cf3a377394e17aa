"""Reading an answer's body: once, into one buffer, never more than a limit allows.

The buffer is a `BytesIO`: it grows in place, and its `getvalue` hands out the `bytes` it wrote into without copying
them, so an answer of unknown length (Prometheus sends large ones in chunks) costs its own size and not twice that.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping

import httpx

from obs_magics.model.errors import LimitExceeded

# What one step of decompression may give: a bomb of 1:1000 is noticed before it is unpacked.
_STEP_BYTES = 1 << 20
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class BrokenBody(Exception):  # noqa: N818 - never leaves the room
    """The connection ended before the answer did.

    Args:
        received: Bytes that came over the wire.
        expected: Bytes that were announced; None when the answer came in chunks.
    """

    def __init__(self, received: int, expected: int | None) -> None:
        super().__init__(f"{received} of {expected}")
        self.received = received
        self.expected = expected


class StrangeEncoding(Exception):  # noqa: N818 - never leaves the room
    """The body is compressed in a way nobody asked for, or not in the way it says."""


async def read_body(response: httpx.Response, limit: int, *, where: str = "", cut: bool = False) -> bytes:
    """Read a streamed answer to its end.

    Args:
        response: Opened with ``stream=True``.
        limit: Most bytes to take, after decompression.
        where: Source name and address, for the error.
        cut: Give the first `limit` bytes of a longer answer instead of raising.

    Raises:
        LimitExceeded: It is longer; the rest was not read.
        BrokenBody: It ended too early.
        StrangeEncoding: It cannot be decompressed.
        httpx.TransportError: Everything else that breaks while reading.
    """
    expected = _announced(response)
    decoder = _decoder(response)
    has_body = response.request.method != "HEAD"
    if has_body and not cut and isinstance(decoder, _Identity) and expected is not None and expected > limit:
        raise _too_long(limit, expected, where)
    buffer = io.BytesIO()
    received = 0
    try:
        async for chunk in response.aiter_raw():
            received += len(chunk)
            for part in decoder.feed(chunk):
                buffer.write(part[: limit - buffer.tell()] if cut else part)
                if buffer.tell() >= limit and cut:
                    return buffer.getvalue()
                if buffer.tell() > limit:
                    raise _too_long(limit, None, where)
    except (httpx.RemoteProtocolError, httpx.ReadError):
        raise BrokenBody(received, expected) from None
    if not decoder.whole:
        raise BrokenBody(received, expected)
    return buffer.getvalue()


def _too_long(limit: int, expected: int | None, where: str) -> LimitExceeded:
    size = f"{expected:,} bytes" if expected is not None else f"more than {limit:,} bytes"
    return LimitExceeded(
        f"the answer has {size}; at most {limit:,} are taken",
        where=where,
        hint="ask for a shorter range, a larger step or fewer series",
    )


def _announced(response: httpx.Response) -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


class _Identity:
    whole = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Deflated:
    """gzip or zlib, unpacked in steps of bounded size; several gzip members one after the other are one body."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._fed = False

    @property
    def whole(self) -> bool:
        return self._zlib.eof or not self._fed

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._fed = True
        part = b""
        # A full step means that there may be more, even when all input is taken in.
        while chunk or len(part) == _STEP_BYTES:
            if self._zlib.eof:
                self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                part = self._zlib.decompress(chunk, _STEP_BYTES)
            except zlib.error:
                raise StrangeEncoding("its compressed bytes make no sense") from None
            yield part
            chunk = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            if self._zlib.eof and not chunk:
                return


_DECODERS: Mapping[str, type[_Identity] | type[_Deflated]] = {
    "": _Identity,
    "identity": _Identity,
    "gzip": _Deflated,
    "x-gzip": _Deflated,
    "deflate": _Deflated,
}


def _decoder(response: httpx.Response) -> _Identity | _Deflated:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _DECODERS:
        raise StrangeEncoding("it is compressed in a way that was not asked for")
    return _DECODERS[encoding]()
