"""Attributes from the bytes of a body straight to columns, when they are written as servers write them.

The pairs of all spans are strung together and their quotation marks found. JSON without spaces is rigid enough for the
rest: ``{"key":"`` can only open a pair, since inside of a text a quotation mark has a backslash before it, and what
stands between key, type and value is always the same. Every byte outside of the texts is compared with what it has to
be; anything else (spaces, another order, nested lists of pairs) is `Unusual`, and is read pair by pair by the format's
own module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.syntax.spans import values
from obs_magics.syntax.spans.attributes import Attributes, Codes, Integers

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_BLOCK = 1 << 18  # bytes looked at in one go: small enough for the cache
_WORD = 8
_MOST_BYTES = np.iinfo(np.int32).max
_QUOTE, _BACKSLASH, _COMMA, _OPEN, _CLOSE, _UNBRACE = b'"\\,[]}'
_KEY = b'{"key":"'
_NOTHING = (b"", b"[]", b"null")
_TEXTS = msgspec.json.Decoder(list[str])


class Unusual(Exception):  # noqa: N818 - not an error: the sign to read slowly
    """The bytes do not have the shape that is read fast."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a format writes a pair: ``{"key":"K`` + `before_type` + type + `before_value` + value + `tail`.

    Args:
        before_type: From the quotation mark that closes the key to the one that opens the type.
        before_value: From the one that closes the type to the value.
        tail: How many braces close a pair.
        types: Codes in `VALUE_TYPES` by how the format writes them.
    """

    before_type: bytes
    before_value: bytes
    tail: int
    types: Mapping[bytes, int]


def read_pairs(raws: Sequence[msgspec.Raw], layout: Layout, nested: Callable[[bytes], str]) -> Attributes:
    """The attributes of several owners.

    Args:
        raws: The JSON list of each owner's pairs; empty where there is none.
        layout: How they are written.
        nested: Writes the JSON of a value that is no scalar as text.

    Raises:
        Unusual: They are written in another way.
    """
    lengths = np.fromiter(map(len, raws), np.int64, len(raws))
    body = b"".join([*raws, bytes(2 * _WORD)])
    text = np.frombuffer(body, np.uint8)
    words: Words = np.ndarray((len(body) - _WORD + 1,), dtype="<u8", buffer=body, strides=(1,))
    marks, slashes = _marks(text)
    if len(marks) % 2 or len(body) > _MOST_BYTES:
        raise Unusual
    opens, closes = marks[::2], marks[1::2]
    first = np.flatnonzero((words[np.maximum(opens - 1, 0)] == _word(_KEY)[0]) & (opens > 0))
    if first.size and first[-1] + 3 >= len(opens):
        raise Unusual
    counts, stops = _owners(text, raws, lengths, opens[first] - 1)
    names, kinds = first + 1, first + 3  # between them stands the name of a field
    _expect(words, closes[names], layout.before_type, opens[kinds])
    codes = _types(words, opens[kinds], closes[kinds], layout)
    begins = closes[kinds] + len(layout.before_value)
    _expect(words, closes[kinds], layout.before_value, begins)
    ends = stops - layout.tail
    quoted = text[begins] == _QUOTE
    if (ends <= begins).any():
        raise Unusual
    _check_ends(text, stops, layout.tail)
    _check_texts(opens, closes, begins[quoted], ends[quoted])
    keys = _Texts.between(body, opens[names] + 1, closes[names], slashes, np.ones(len(names), bool)).array()
    contents = _Texts.between(body, begins + quoted, ends - quoted, slashes, quoted)
    offsets = np.zeros(len(raws) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return Attributes(offsets, keys, codes, _canonical(contents, codes, quoted, nested)).once()


def _marks(text: Bytes) -> tuple[Integers, Integers]:
    """Places of the quotation marks that open or close a text, and of the backslashes."""
    quotes, slashes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for at in range(0, len(text), _BLOCK):
        part = text[at : at + _BLOCK]
        quotes.append(np.flatnonzero(part == _QUOTE) + at)
        found = part == _BACKSLASH
        if found.any():
            slashes.append(np.flatnonzero(found) + at)
    marks, escapes = np.concatenate(quotes), np.concatenate(slashes)
    if not len(escapes):
        return marks, escapes
    # The 1st, 3rd, … backslash of a run escapes what follows it.
    runs = np.flatnonzero(np.diff(escapes, prepend=-2) != 1)
    starts = np.repeat(escapes[runs], np.diff(runs, append=len(escapes)))
    escaped = escapes[(escapes - starts) % 2 == 0] + 1
    return np.delete(marks, np.searchsorted(marks, escaped[text[escaped] == _QUOTE])), escapes


def _owners(text: Bytes, raws: Sequence[msgspec.Raw], lengths: Integers, braces: Integers) -> tuple[Integers, Integers]:
    """How many pairs each owner has, and the place behind each pair."""
    ends = np.cumsum(lengths)
    starts = ends - lengths
    counts = np.diff(np.searchsorted(braces, np.append(starts, ends[-1:] if len(ends) else 0)))
    filled = counts > 0
    if any(bytes(raws[place]) not in _NOTHING for place in np.flatnonzero(~filled).tolist()):
        raise Unusual
    last = np.cumsum(counts)[filled] - 1
    stops = np.append(braces[1:] - 1, 0)[: len(braces)]
    stops[last] = ends[filled] - 1
    separators = np.full(len(braces), _COMMA, np.uint8)
    separators[last] = _CLOSE
    firsts = last - counts[filled] + 1
    if (braces[firsts] != starts[filled] + 1).any() or (text[starts[filled]] != _OPEN).any():
        raise Unusual
    if (text[stops] != separators).any():
        raise Unusual
    return counts, stops


def _expect(words: Words, places: Integers, expected: bytes, ends: Integers) -> None:
    """Check that these bytes stand at each place, and that they end where something else begins."""
    inside = len(expected) - expected.endswith(b'"')
    if (ends - places != inside).any():
        raise Unusual
    for at in range(0, len(expected), _WORD):
        word, mask = _word(expected[at : at + _WORD])
        if ((words[places + at] ^ word) & mask).any():
            raise Unusual


def _word(text: bytes) -> tuple[np.uint64, np.uint64]:
    """Up to eight bytes as a number, and a mask of that length."""
    mask = b"\xff" * len(text)
    return tuple(np.uint64(int.from_bytes(part.ljust(_WORD, b"\0"), "little")) for part in (text, mask))  # type: ignore[return-value]


def _types(words: Words, opens: Integers, closes: Integers, layout: Layout) -> Codes:
    codes = np.full(len(opens), -1, np.int8)
    found, lengths = words[opens + 1], closes - opens - 1
    for name, code in layout.types.items():
        word, mask = _word(name[:_WORD])
        codes[(lengths == len(name)) & (((found ^ word) & mask) == 0)] = code
    if (codes < 0).any():
        raise Unusual
    return codes


def _check_ends(text: Bytes, stops: Integers, tail: int) -> None:
    """Every pair ends with its braces."""
    if any((text[stops - back] != _UNBRACE).any() for back in range(1, tail + 1)):
        raise Unusual


def _check_texts(opens: Integers, closes: Integers, begins: Integers, ends: Integers) -> None:
    """A value that is a text ends with its own mark, right before the braces."""
    if (closes[np.searchsorted(opens, begins)] != ends - 1).any():
        raise Unusual


@dataclass(slots=True)
class _Texts:
    """What stands between places of a body, and what stands there instead for some of them."""

    plain: pa.Array
    places: list[Integers]
    texts: list[str]

    @classmethod
    def between(cls, body: bytes, begins: Integers, ends: Integers, slashes: Integers, quoted: Mask) -> _Texts:
        """The texts; escapes in what is quoted are decoded.

        Arrow is shown the body as one array in which every other string is what lies between two texts.
        """
        offsets = np.empty(2 * len(begins), np.int32)
        offsets[0::2], offsets[1::2] = begins, ends
        array = pa.StringArray.from_buffers(max(len(offsets) - 1, 0), pa.py_buffer(offsets), pa.py_buffer(body))
        plain = array.take(pa.array(np.arange(0, len(offsets), 2)))
        if not len(slashes) or not len(begins):
            return cls(plain, [], [])
        owners = np.unique(np.searchsorted(begins, slashes, side="right") - 1)
        owners = owners[owners >= 0]
        owners = owners[np.searchsorted(slashes, begins[owners]) < np.searchsorted(slashes, ends[owners])]
        owners = owners[quoted[owners]]
        spans = zip((begins[owners] - 1).tolist(), (ends[owners] + 1).tolist(), strict=True)
        try:
            decoded = _TEXTS.decode(b"[" + b",".join([body[begin:end] for begin, end in spans]) + b"]")
        except (msgspec.DecodeError, UnicodeError):
            raise Unusual from None
        return cls(plain, [owners], decoded)

    def some(self, places: Integers) -> pa.Array:
        """Those of some places, as they stand there."""
        return self.plain.take(pa.array(places))

    def replace(self, places: Integers, texts: Sequence[str]) -> None:
        """Put others in their place."""
        self.places.append(places)
        self.texts += texts

    def array(self) -> pa.Array:
        """All of them."""
        if not self.texts:
            return self.plain
        order = np.arange(len(self.plain))
        order[np.concatenate(self.places)] = len(self.plain) + np.arange(len(self.texts))
        return pa.concat_arrays([self.plain, pa.array(self.texts, pa.string())]).take(pa.array(order))


def _canonical(contents: _Texts, codes: Codes, quoted: Mask, nested: Callable[[bytes], str]) -> pa.Array:
    """Texts of one form for each type."""
    if (~quoted[(codes == values.STRING) | (codes == values.BYTES)]).any():
        raise Unusual
    given = contents.some(np.flatnonzero(codes == values.INT))
    try:
        if not given.cast(pa.int64()).cast(pa.string()).equals(given):
            raise Unusual
        flags = contents.some(np.flatnonzero(codes == values.BOOL))
        if not pc.all(pc.is_in(flags, pa.array(["true", "false"])), min_count=0).as_py():
            raise Unusual
        places = np.flatnonzero(codes == values.DOUBLE)
        contents.replace(places, list(map(repr, contents.some(places).cast(pa.float64()).to_numpy().tolist())))
        places = np.flatnonzero(codes == values.ARRAY)
        contents.replace(places, [nested(text.encode()) for text in contents.some(places).to_pylist()])
    except (pa.ArrowInvalid, msgspec.DecodeError, ValueError, RecursionError):
        raise Unusual from None
    return contents.array()
