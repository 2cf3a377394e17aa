"""The bytes of a file as UTF-8: unpacked, without a byte order mark, and as far as they can be read.

What is cut short or damaged is read up to there, and why it ends is told to whoever opened it.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

# First bytes, and what a file is compressed with.
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"))
ZIP = "zip"
# How Windows marks its encodings; the mark of UTF-32 begins like that of UTF-16.
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
LOOK = 64  # bytes that tell an encoding
_CHUNK = 262_144
# A line longer than this is none of numbers, and is not held back to see whether it ends.
_LONGEST_HELD = 1 << 20
# What those who unpack raise where the data end too soon or make no sense.
_DAMAGES = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)


def compression_of(path: Path) -> str:
    """What a file is compressed with by its first bytes; empty when it is not, or in a way that is not known here.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        magic = stream.read(max(len(known) for known, _ in _MAGIC))
    return next((name for known, name in _MAGIC if magic.startswith(known)), "")


def encoding_of(beginning: bytes) -> str:
    """How text is encoded that begins so, where it is not UTF-8 without a mark; empty for that."""
    marked = next((name for mark, name in _MARKS if beginning.startswith(mark)), "")
    if marked:
        return marked
    look = beginning[:LOOK]
    ascii_pairs = len(look) >= 8 and not any(look[1::2]) and all(look[::2])
    return "utf-16-le" if ascii_pairs else ""


def unpacked(path: Path, compression: str, member: str = "") -> BinaryIO:
    """The bytes of a file, or of a member of a ZIP archive, unpacked.

    Raises:
        OSError: It cannot be read, or the member is encrypted.
    """
    if compression == "zstd":
        stream: Any = pa.input_stream(str(path), compression="zstd")
    elif compression == ZIP:
        with zipfile.ZipFile(path) as archive:  # stays open as long as the member is
            try:
                stream = archive.open(member)
            except (RuntimeError, NotImplementedError) as problem:  # encrypted; packed in a way that is not known
                raise OSError(str(problem)) from problem
    else:
        openers: dict[str, Callable[[Path], Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
        stream = openers[compression](path) if compression else _behind_hole(path)
    return stream  # type: ignore[no-any-return]  # each of them reads bytes


def _behind_hole(path: Path) -> BinaryIO:
    """A file from where its data begin: one that was cut while its program went on writing begins with a hole."""
    raw = path.open("rb", buffering=0)
    if hasattr(os, "SEEK_DATA") and raw.read(1) == b"\0":
        try:
            os.lseek(raw.fileno(), 0, os.SEEK_DATA)
        except OSError:  # nothing but a hole
            raw.seek(0, os.SEEK_END)
    else:
        raw.seek(0)
    return io.BufferedReader(raw)


def as_text(stream: BinaryIO, encoding: str, *, partial: bool, say: Callable[[str], None]) -> BinaryIO:
    """Bytes as UTF-8, as far as they can be read.

    Args:
        stream: As `unpacked` gives it.
        encoding: As `encoding_of` tells it.
        partial: Whether a last line that is cut by damage is wanted: half a text is one, half a number is not.
        say: Told why it ends, when that is too soon.
    """
    return io.BufferedReader(_Forgiving(stream, encoding, partial=partial, say=say), _CHUNK)


class _Forgiving(io.RawIOBase):
    """Takes an error for the end."""

    def __init__(self, stream: Any, encoding: str, *, partial: bool, say: Callable[[str], None]) -> None:
        self._stream = stream
        # reads what is there at once: an error then loses nothing of what came before it
        self._read = stream.read1 if hasattr(stream, "read1") else stream.read
        self._decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        self._partial, self._say = partial, say
        self._held = b""
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not len(self._ready) and not self._ended:
            self._ready = memoryview(self._next())
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _next(self) -> bytes:
        try:
            raw = self._read(_CHUNK)
        except _DAMAGES as problem:
            self._ended = True
            self._say(str(problem))
            return b"" if not self._partial else self._decoded(b"", final=True)
        self._ended = not raw
        data = self._held + self._decoded(raw, final=self._ended)
        whole = len(data) if self._ended or self._partial or len(data) > _LONGEST_HELD else data.rfind(b"\n") + 1
        self._held = data[whole:]
        return data[:whole]

    def _decoded(self, raw: bytes, *, final: bool) -> bytes:
        return raw if self._decoder is None else self._decoder.decode(raw, final).encode()
