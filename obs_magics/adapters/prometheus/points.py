"""Points of a Prometheus answer, from the bytes of the body straight to arrays.

A point is ``[1795356000,"0.2417"]`` or, off whole seconds, ``[1795356000.25,"0.2417"]``. The body has already been
checked as JSON when this module sees it, so the places of the quotation marks and the bytes between them prove the
shape; whatever does not have exactly this shape (spaces, other number formats) is read by `_read_slowly`, which
understands any JSON. Values become float64 as `float()` would read them, times become nanoseconds without rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.model.errors import BadAnswer
from obs_magics.model.time import SECOND

Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
_Words: TypeAlias = npt.NDArray[np.uint64]

_BLOCK = 1 << 21  # bytes read at a time: small enough for the cache, large enough to forget numpy's calls
_LONGEST = (1 << 31) - 1  # Arrow's offsets have 32 bits
_LAST_SECOND = ((1 << 63) - 1) // SECOND  # in the year 2262: no later one fits into 64 bits of nanoseconds
_QUOTE, _PLUS = ord('"'), ord("+")

# The eight bytes before the fourth digit of a time: one of the value before, `"],[` and three digits.
_GAP = np.uint64(int.from_bytes(b'\0"],[\0\0\0', "little"))
_GAP_MASK = np.uint64(int.from_bytes(b"\0\xff\xff\xff\xff\0\0\0", "little"))
_HEAD_MASK = np.uint64(int.from_bytes(b"\0\0\0\0\xff\0\0\0", "little"))  # the first point of a series: only its `[`
_FOLDS = (
    (np.uint64(8), np.uint64(10), np.uint64(0x00FF00FF00FF00FF)),
    (np.uint64(16), np.uint64(100), np.uint64(0x0000FFFF0000FFFF)),
    (np.uint64(32), np.uint64(10_000), np.uint64(0xFFFFFFFF)),
)
_ZEROS = int.from_bytes(b"00000000", "little")
_NANOSECONDS = {
    10: 0,
    12: 100_000_000,
    13: 10_000_000,
    14: 1_000_000,
}  # by width of the time, what its last digit counts


class _Unusual(Exception):  # noqa: N818 - not an error: the sign to read slowly
    """The bytes do not have the shape that is read fast."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points of several series, end to end: rows per series, nanoseconds since the epoch, values."""

    counts: Integers
    timestamps_ns: Integers
    values: Floats


class _Pile:
    """Points block by block, in arrays that grow in place: a list of blocks would be there twice when it is joined."""

    def __init__(self) -> None:
        self._counts: list[Integers] = []
        self._timestamps: Integers = np.empty(0, np.int64)
        self._values: Floats = np.empty(0, np.float64)
        self._length = 0

    def add(self, points: Points) -> None:
        """Put these behind the others."""
        end = self._length + len(points.values)
        if end > len(self._values):
            self._resize(max(end, len(self._values) * 5 // 4))
        self._counts.append(points.counts)
        self._timestamps[self._length : end] = points.timestamps_ns
        self._values[self._length : end] = points.values
        self._length = end

    def whole(self) -> Points:
        """All of them."""
        self._resize(self._length)
        counts = np.concatenate(self._counts) if self._counts else np.empty(0, np.int64)
        return Points(counts, self._timestamps, self._values)

    def _resize(self, size: int) -> None:
        for array in (self._timestamps, self._values):
            array.resize(size, refcheck=False)  # nobody else sees them yet


def read_points(body: bytes, texts: Sequence[msgspec.Raw], *, single: bool = False) -> Points:
    """Read the points of many series.

    Args:
        body: The whole body; valid JSON.
        texts: The JSON of each series' points, as views into `body`, in order.
        single: Each text is one point (a vector) and not a list of them (a matrix).

    Raises:
        BadAnswer: A text does not hold points.
    """
    starts, ends = _places(body, texts)
    if single:  # one step to each side, and a single point looks like a list of one: `:[1,"2"]}` for `[[1,"2"]]`
        starts, ends = starts - 1, ends + 1
    pages = _Pages(body)
    pile = _Pile()
    for first, last in _blocks(starts, ends):
        try:
            pile.add(_read_block(pages, starts[first:last], ends[first:last]))
        except _Unusual:
            for text in texts[first:last]:
                pile.add(_read_slowly(text, single))
    return pile.whole()


class _Pages:
    """The body as bytes, and as the 8-byte words that begin at each byte."""

    def __init__(self, body: bytes) -> None:
        self.text = body
        self.bytes = np.frombuffer(body, np.uint8)
        self.words = np.ndarray((max(len(body) - 7, 0),), dtype="<u8", buffer=body, strides=(1,))


def _places(body: bytes, texts: Sequence[msgspec.Raw]) -> tuple[Integers, Integers]:
    """Where the texts begin and end in the body that they are views of."""
    origin = pa.py_buffer(body).address
    starts = np.fromiter((pa.py_buffer(text).address for text in texts), np.int64, len(texts)) - origin
    return starts, starts + np.fromiter(map(len, texts), np.int64, len(texts))


def _blocks(starts: Integers, ends: Integers) -> Iterator[tuple[int, int]]:
    """Cut the series into runs that span about one block of the body each."""
    first = 0
    while first < len(starts):
        last = max(first + 1, int(np.searchsorted(ends, starts[first] + _BLOCK, side="right")))
        yield first, last
        first = last


def _read_block(pages: _Pages, starts: Integers, ends: Integers) -> Points:
    """Read series that lie near each other; a single one that is long is read in pieces."""
    if len(starts) > 1 or ends[0] - starts[0] <= 2 * _BLOCK:
        return _read_spans(pages, starts, ends)
    pile = _Pile()
    for start, end in _cuts(pages.text, int(starts[0]), int(ends[0])):
        pile.add(_read_spans(pages, np.asarray([start]), np.asarray([end])))
    whole = pile.whole()
    return Points(np.asarray([whole.counts.sum()]), whole.timestamps_ns, whole.values)


def _cuts(body: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a long list of points between two points, so that each piece looks like a list of its own: `,[1,"2"],`."""
    while end - start > 2 * _BLOCK:
        place = body.find(b'"],[', start + _BLOCK, end)
        if place < 0:
            break
        yield start, place + 3
        start = place + 2
    yield start, end


def _read_spans(pages: _Pages, starts: Integers, ends: Integers) -> Points:
    origin, stop = int(starts[0]) - 8, int(ends[-1])  # room for the word before the first point
    if stop - origin > _LONGEST:
        raise _Unusual
    quotes, bounds = _quotes(pages.bytes[origin:stop], starts - origin, ends - origin)
    if not len(quotes) or (bounds & 1).any() or (np.diff(bounds) == 0).any():
        raise _Unusual
    opens, closes = quotes[0::2], quotes[1::2]
    heads, tails = bounds[:-1] // 2, bounds[1:] // 2 - 1
    if (closes[tails] != ends - origin - 3).any():
        raise _Unusual
    widths = np.empty(len(opens), np.int64)
    widths[1:] = opens[1:] - closes[:-1] - 5  # less `"],[` and `,`
    widths[heads] = opens[heads] - (starts - origin) - 3
    timestamps = _read_times(pages.words[origin:], opens, widths, heads)
    return Points(np.diff(bounds) // 2, timestamps, _read_values(pages.bytes[origin:stop], quotes))


def _quotes(text: npt.NDArray[np.uint8], starts: Integers, ends: Integers) -> tuple[Integers, Integers]:
    """Places of the quotation marks inside the spans, and how many of them lie before each span and in all."""
    places = np.flatnonzero(text == _QUOTE)
    low, high = np.searchsorted(places, starts), np.searchsorted(places, ends)
    bounds = np.concatenate([[0], np.cumsum(high - low)])
    if len(starts) == 1:
        return places[low[0] : high[0]], bounds
    steps = np.zeros(len(places) + 1, np.int8)
    np.add.at(steps, low, 1)
    np.add.at(steps, high, -1)
    return places[np.cumsum(steps[:-1], dtype=np.int8).astype(bool)], bounds


def _read_values(text: npt.NDArray[np.uint8], quotes: Integers) -> Floats:
    """Cast what stands between each pair of quotation marks, without making a string of it.

    Arrow is given an array of strings over the body itself, in which what lies between two values is marked missing.
    """
    offsets = quotes.astype(np.int32)
    offsets[0::2] += 1
    # `+Inf` is the one value with a sign that Arrow does not read
    offsets[0::2] += text[offsets[0::2]] == _PLUS
    count = len(offsets) - 1
    valid = np.full(len(offsets) // 8 + 1, 0b01010101, np.uint8)
    strings = pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text), pa.py_buffer(valid))
    try:
        numbers = pc.cast(strings, pa.float64())
    except pa.ArrowInvalid:
        raise _Unusual from None
    return np.frombuffer(numbers.buffers()[1], np.float64, count)[0::2]


def _read_times(words: _Words, opens: Integers, widths: Integers, heads: Integers) -> Integers:
    """Nanoseconds of each point; `opens` are the places of the marks that open the values, right after the times."""
    head = np.zeros(len(opens), bool)
    head[heads] = True
    if (widths == widths[0]).all():
        return _times_of_width(words, opens, int(widths[0]), head)
    times = np.empty(len(opens), np.int64)
    for width in np.unique(widths).tolist():
        chosen = widths == width
        times[chosen] = _times_of_width(words, opens[chosen], width, head[chosen])
    return times


def _times_of_width(words: _Words, opens: Integers, width: int, head: npt.NDArray[np.bool_]) -> Integers:
    """Times that are all `width` bytes long: ten digits, or ten digits, a point and one to three digits more."""
    if width not in _NANOSECONDS:
        raise _Unusual
    begin = words[opens - (width + 6)]
    wrong = (begin ^ _GAP) & _GAP_MASK
    wrong[head] &= _HEAD_MASK
    if wrong.any():
        raise _Unusual
    if ((begin ^ begin[0]) >> np.uint64(40) == 0).all():  # the first three digits change once in 115 days
        begin = begin[:1]
    rest = words[opens - (width - 2)]  # seven digits and what ends them
    if ((rest >> np.uint64(56)) != (ord(",") if width == 10 else ord("."))).any():
        raise _Unusual
    seconds = _number(begin, 3) * 10_000_000 + _number(rest << np.uint64(8), 7)
    if seconds.max() >= _LAST_SECOND:
        raise _Unusual
    nanoseconds = seconds * SECOND
    if width > 10:
        fraction = words[opens - 8] << np.uint64(8)  # without the comma
        nanoseconds += _number(fraction, width - 11) * _NANOSECONDS[width]
    return nanoseconds


def _number(words: _Words, digits: int) -> Integers:
    """The number that the last `digits` bytes of each word write in ASCII, all words at once (SWAR)."""
    unused = (1 << 8 * (8 - digits)) - 1
    x = ((words & np.uint64(~unused & (1 << 64) - 1)) | np.uint64(_ZEROS & unused)) ^ np.uint64(_ZEROS)
    if (((x + np.uint64(0x7676767676767676)) | x) & np.uint64(0x8080808080808080)).any():
        raise _Unusual
    for bits, factor, mask in _FOLDS:  # digits to pairs, pairs to fours, fours to eight
        right = x >> bits
        x *= factor
        x += right
        x &= mask
    return x.view(np.int64)


_ANY_POINTS = msgspec.json.Decoder(list[tuple[msgspec.Raw, str]])
_ANY_POINT = msgspec.json.Decoder(tuple[msgspec.Raw, str])


def _read_slowly(text: msgspec.Raw, single: bool) -> Points:
    """Read the points of one series whatever their JSON looks like."""
    try:
        pairs = [_ANY_POINT.decode(text)] if single else _ANY_POINTS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadAnswer(f"points are not pairs of a time and a value: {error}") from None
    return Points(np.asarray([len(pairs)]), times_exactly(time for time, _ in pairs), values_exactly(pairs))


def times_exactly(texts: Iterable[msgspec.Raw]) -> Integers:
    """Nanoseconds of times in any JSON notation."""
    try:
        return np.asarray([int(Decimal(bytes(text).decode()) * SECOND) for text in texts], np.int64)
    except (DecimalException, ValueError, OverflowError) as error:
        raise BadAnswer(f"a time is not a number of seconds: {error}") from None


def values_exactly(pairs: Sequence[tuple[Any, str]]) -> Floats:
    """The values of pairs as float64."""
    return floats([value for _, value in pairs])


def floats(texts: Sequence[str]) -> Floats:
    """Numbers as Prometheus writes them: `0.1`, `1e-07`, `NaN`, `+Inf`."""
    strings = pa.array([text.removeprefix("+") for text in texts], pa.string())
    try:
        numbers = pc.cast(strings, pa.float64())
    except pa.ArrowInvalid as error:
        raise BadAnswer(f"a value is not a number: {error}") from None
    return np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)
