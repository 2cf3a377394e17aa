"""What is left of an answer when its entries are taken out: little, which is read as JSON while the entries are not.

All that stands between the entries is compared byte by byte (`marks`), and what stands in the lines is looked at when
they are read (`texts`): no quotation mark without a backslash, no control character, no wrong escape, UTF-8. With
something else in the place of each list of entries, the rest has to be JSON; so the whole is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from obs_magics.adapters.loki.marks import LINE, Marks
from obs_magics.adapters.loki.texts import Unusual

Integers: TypeAlias = npt.NDArray[np.int64]

_TAILS = (b'"', b'",{}')  # behind a line that has no metadata; the second with categorised labels
_UNLIKELY = b"\x7f"  # stands in the place of lists, and nowhere else


class _Stream(msgspec.Struct, gc=False):
    stream: dict[str, str] = {}
    values: str | list[msgspec.Raw] = []


class _Data(msgspec.Struct):
    kind: str = msgspec.field(name="resultType", default="")
    result: list[_Stream] = []


class _Envelope(msgspec.Struct):
    status: str = ""
    data: _Data | None = None
    warnings: list[str] | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)


@dataclass(frozen=True, slots=True)
class Bare:
    """An answer of lines without the lines.

    Args:
        labels: Of each stream.
        counts: Entries of each stream.
        stops: Where the quotation mark stands that closes the line of each entry.
        warnings: The server's own.
    """

    labels: list[dict[str, str]]
    counts: Integers
    stops: Integers
    warnings: tuple[str, ...]


def without_entries(body: bytes, marks: Marks) -> Bare:
    """Take the entries out of a body.

    Args:
        body: An answer, perhaps.
        marks: Its marks.

    Raises:
        Unusual: It is no answer of lines, or has more than lines: it has to be read as a whole.
    """
    tail = _TAILS[b'"categorize-labels"' in body[: marks.places[0]]]
    lasts = np.append(marks.firsts[1:], len(marks.places)) - 1
    stops = np.empty_like(marks.places)
    stops[:-1] = marks.places[1:] - len(b"],[") - len(tail)
    stops[lasts] = [_closing(body, begin, tail + b"]]") for begin in (marks.places[lasts] + LINE).tolist()]
    if not _all_at(body, stops, tail):
        raise Unusual  # metadata
    opens = marks.places[marks.firsts] - len(b"[[")
    ends = stops[lasts] + len(tail) + len(b"]]")
    envelope = _rest(body, opens, ends)
    streams = envelope.data.result if envelope.data else []
    found = [stream.values for stream in streams if stream.values]
    if found != [_sign(number).decode()[1:-1] for number in range(len(opens))]:
        raise Unusual
    counts = np.zeros(len(streams), np.int64)
    counts[[bool(stream.values) for stream in streams]] = np.diff(marks.firsts, append=len(marks.places))
    return Bare([stream.stream for stream in streams], counts, stops, tuple(envelope.warnings or ()))


def _closing(body: bytes, begin: int, mark: bytes) -> int:
    """Where the text ends that begins here and is the last of a list, which this mark closes."""
    end = body.find(mark, begin)
    while end > begin and _is_escaped(body[begin:end]):
        end = body.find(mark, end + 1)
    if end < 0:
        raise Unusual
    return end


def _all_at(body: bytes, places: Integers, text: bytes) -> bool:
    """Whether a text of one or four bytes stands at all of these places."""
    kind = {1: "u1", 4: "<u4"}[len(text)]
    words: npt.NDArray[Any] = np.ndarray((len(body) - len(text) + 1,), dtype=kind, buffer=body, strides=(1,))
    return bool((words[places] == int.from_bytes(text, "little")).all())


def _is_escaped(text: bytes) -> bool:
    """Whether what comes behind this text is escaped by it."""
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1


def _rest(body: bytes, opens: Integers, closes: Integers) -> _Envelope:
    """What is outside of the lists, with a sign for each of them."""
    pieces, at = [], 0
    for number, (begin, end) in enumerate(zip(opens.tolist(), closes.tolist(), strict=True)):
        if begin < at:
            raise Unusual
        pieces += [body[at:begin], _sign(number)]
        at = end
    pieces.append(body[at:])
    if any(_UNLIKELY in piece for piece in pieces[::2]):
        raise Unusual
    try:
        envelope = _ENVELOPE.decode(b"".join(pieces))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unusual from None
    if envelope.status != "success" or envelope.data is None or envelope.data.kind != "streams":
        raise Unusual
    return envelope


def _sign(number: int) -> bytes:
    return b'"%b%d"' % (_UNLIKELY, number)
