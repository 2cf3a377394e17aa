"""JSON bodies into typed objects; bytes and escapes that are no characters become `�`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from obs_magics.model.errors import BadAnswer

T = TypeVar("T")


def decode(body: bytes, decoder: msgspec.json.Decoder[T], what: str) -> list[T]:
    """The document of a body, or all of them where several follow each other, a line each.

    Args:
        body: What came.
        decoder: What is expected.
        what: What it should be, for the message.

    Raises:
        BadAnswer: It is no JSON, or not of that shape; says where.
    """
    readers: tuple[Callable[[bytes], list[T]], ...] = (lambda text: [decoder.decode(text)], decoder.decode_lines)
    for read in readers if _is_text(body) else ():
        try:
            return read(body)
        except (msgspec.DecodeError, RecursionError):
            pass
    documents = _mended(body)
    if documents is not None:
        return [_converted(document, decoder, what) for document in documents]
    return [_line(line, number, decoder, what) for number, line in enumerate(_lines(body), 1) if line.strip()]


def mended(raw: bytes) -> bytes:
    """One JSON text with `�` for every escaped half of a pair that stands alone; what is no JSON stays."""
    documents = _mended(raw)
    return raw if documents is None else msgspec.json.encode(documents[0])


def _is_text(body: bytes) -> bool:
    """Whether its bytes are characters: what a decoder keeps raw for later, it does not look at."""
    try:
        return body.isascii() or bool(body.decode())
    except UnicodeDecodeError:
        return False


def _line(line: bytes, number: int, decoder: msgspec.json.Decoder[T], what: str) -> T:
    documents = _mended(line)
    if documents is None:
        where = f"line {number} of it" if number > 1 else "it"
        raise BadAnswer(f"this is not {what}: {where} is not whole JSON: {_shown(line)}")
    return _converted(documents[0], decoder, what)


def _converted(document: Any, decoder: msgspec.json.Decoder[T], what: str) -> T:
    try:
        return decoder.decode(msgspec.json.encode(document))
    except msgspec.DecodeError as error:
        raise BadAnswer(f"this is not {what}: {error}") from None


def _mended(body: bytes) -> list[Any] | None:
    """The one document of a body, read by a reader that lets pass what stands for no character; None for no JSON."""
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"), parse_constant=str)
        text = json.dumps(document, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return None


def _lines(body: bytes) -> list[bytes]:
    return body.split(b"\n")


def _shown(line: bytes) -> str:
    text = line[:60].decode("utf-8", "replace")
    return repr(text + ("…" if len(line) > 60 else ""))
