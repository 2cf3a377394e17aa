"""Entries of a Loki answer, from the bytes of the body straight to columns.

An entry is ``["1795359598180822016","line"]`` or, with categorised labels, ``["…","line",{"structuredMetadata":{…}}]``.
`marks` finds where they begin. Whatever does not have exactly this shape (spaces, other numbers of digits) is read by
`_slowly`, which understands any JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from obs_magics.adapters.loki import metadata, texts
from obs_magics.adapters.loki.marks import LINE, Marks, metadata_places
from obs_magics.adapters.loki.texts import Unusual
from obs_magics.model.errors import BadAnswer

Integers: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]

_QUOTE, _COMMA, _OPEN, _CLOSE = b'",[]'
_BRACE, _UNBRACE = b"{}"


class _Entry(msgspec.Struct, array_like=True, gc=False):
    time: int
    line: str
    extra: dict[str, dict[str, str]] | None = None


_ENTRIES = msgspec.json.Decoder(list[_Entry], strict=False)


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of several streams in order of time.

    Those of one stream and time are in the order in which they were written, else streams are in the server's order.

    Args:
        owners: Which stream each is of.
        timestamps_ns: Nanoseconds since the epoch.
        lines: Large strings.
        attributes: Metadata by name.
    """

    owners: npt.NDArray[np.int32]
    timestamps_ns: Integers
    lines: pa.Array
    attributes: Mapping[str, pa.Array]


def read_entries(body: bytes, values: Sequence[msgspec.Raw], marks: Marks | None) -> Entries:
    """Read the entries of all streams.

    Args:
        body: The whole body; valid JSON.
        values: The JSON of each stream's entries, as views into `body`, in order.
        marks: Of the body; None when entries do not look as Loki writes them.

    Raises:
        BadAnswer: Something is no entry.
    """
    if not values:
        return Entries(np.empty(0, np.int32), np.empty(0, np.int64), pa.array([], pa.large_string()), {})
    try:
        return _fast(body, values, marks)
    except Unusual:
        return _slowly(values)


def read_plain(body: bytes, marks: Marks, counts: Integers, stops: Integers) -> Entries:
    """Read entries that have no metadata.

    Args:
        body: The whole body; what is outside of the lines is known to be JSON.
        marks: Its marks.
        counts: How many entries each stream has.
        stops: Where the mark stands that closes the line of each entry.

    Raises:
        Unusual: A line is no JSON text, or has half of a surrogate pair or bytes that are no characters.
    """
    return _sorted(body, marks, stops, counts)


def _fast(body: bytes, values: Sequence[msgspec.Raw], marks: Marks | None) -> Entries:
    if marks is None:
        raise Unusual
    text = np.frombuffer(body, np.uint8)
    starts, ends = _places(body, values)
    if (starts < 0).any() or (ends > len(body)).any():
        raise Unusual  # a stream without entries
    filled = ends - starts > len(b"[]")
    lists = (text[starts] == _OPEN).all()
    if not lists or not np.array_equal(marks.places[marks.firsts], starts[filled] + len("[[")):
        raise Unusual
    counts = np.zeros(len(values), np.int64)
    counts[filled] = np.diff(marks.firsts, append=len(marks.places))
    last = np.cumsum(counts[filled]) - 1
    closes, tails = np.empty_like(marks.places), np.empty_like(marks.before)  # the bracket that closes each entry
    closes[:-1], tails[:-1] = marks.places[1:] - 3, marks.before[1:]
    closes[last] = ends[filled] - 2
    tails[last] = text[closes[last] - 1]
    if (marks.places[last] > closes[last]).any() or (text[closes[last]] != _CLOSE).any():
        raise Unusual
    stops = closes - 1
    with_extra = np.flatnonzero(tails != _QUOTE)
    if not len(with_extra):
        return _sorted(body, marks, stops, counts)
    extras = _extras(body, marks.places[with_extra], closes[with_extra])
    stops[with_extra] = extras - 2
    return _sorted(body, marks, stops, counts, _Extras(with_extra, extras, closes[with_extra]))


@dataclass(frozen=True, slots=True)
class _Extras:
    """Where the third parts of entries are, and which entries have one."""

    owners: Integers
    begins: Integers
    ends: Integers


def _sorted(body: bytes, marks: Marks, stops: Integers, counts: Integers, extras: _Extras | None = None) -> Entries:
    """Entries whose lines end at these places, in the order of time."""
    begins = marks.places + LINE
    if (stops < begins).any():
        raise Unusual
    order = _order(marks.timestamps_ns, counts)
    ascii_only = body.isascii()
    attributes: Mapping[str, pa.Array] = {}
    if extras:
        numbers = np.full(len(order), -1)
        numbers[extras.owners] = np.arange(len(extras.owners))
        attributes = metadata.columns(body, extras.begins, extras.ends, numbers[order], ascii_only=ascii_only)
    owners = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    lines = texts.read(body, begins, stops, order, ascii_only=ascii_only)
    return Entries(owners[order], marks.timestamps_ns[order], lines, attributes)


def _order(timestamps: Integers, counts: Integers) -> Integers:
    """The order of time; a stream that came newest first has the last written of one time first, and is turned."""
    ends = np.cumsum(counts)
    firsts = ends - counts
    filled = counts > 0
    turned = np.zeros(len(counts), bool)
    turned[filled] = timestamps[firsts[filled]] >= timestamps[ends[filled] - 1]
    places = np.arange(len(timestamps))
    if turned.any():
        places -= np.repeat(np.where(turned, firsts + ends - 1, 0), counts)
        np.abs(places, out=places)
    return places[np.argsort(timestamps[places], kind="stable")]


def _extras(body: bytes, times: Integers, closes: Integers) -> Integers:
    """Where the third part of each entry begins: ``{"structuredMetadata":…}``, or ``{}``."""
    text = np.frombuffer(body, np.uint8)
    if (text[closes - 1] != _UNBRACE).any():
        raise Unusual
    opened = metadata_places(body, int(times[0]), int(closes[-1]))
    if len(opened) == len(times) and (opened > times).all() and (opened < closes).all():
        return opened  # nearly always: each has its own
    begins = closes - len(b"{}")
    owners = np.searchsorted(times, opened, side="right") - 1
    inside = opened < closes[owners]
    owners, opened = owners[inside], opened[inside]
    if (np.diff(owners) == 0).any():
        raise Unusual
    begins[owners] = opened
    empty = np.ones(len(times), bool)
    empty[owners] = False
    left = begins[empty]
    if (text[left] != _BRACE).any() or (text[left - 1] != _COMMA).any() or (text[left - 2] != _QUOTE).any():
        raise Unusual
    return begins


def _places(body: bytes, views: Sequence[msgspec.Raw]) -> tuple[Integers, Integers]:
    """Where the views begin and end in the body."""
    origin = pa.py_buffer(body).address
    starts = np.fromiter((pa.py_buffer(view).address for view in views), np.int64, len(views)) - origin
    return starts, starts + np.fromiter(map(len, views), np.int64, len(views))


def _slowly(values: Sequence[msgspec.Raw]) -> Entries:
    """Read entries whatever their JSON looks like."""
    counts, entries = [], []
    for view in values:
        found = _decoded(view)
        counts.append(len(found))
        entries += found
    try:
        timestamps = np.asarray([entry.time for entry in entries], np.int64)
    except OverflowError:
        raise BadAnswer("a timestamp is not a time in nanoseconds") from None
    order = _order(timestamps, np.asarray(counts, np.int64))
    entries = [entries[place] for place in order.tolist()]
    return Entries(
        np.repeat(np.arange(len(counts), dtype=np.int32), counts)[order],
        timestamps[order],
        texts.array([entry.line for entry in entries]),
        metadata.columns_of([entry.extra for entry in entries]),
    )


def _decoded(view: msgspec.Raw) -> list[_Entry]:
    try:
        return _ENTRIES.decode(view)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return [_entry(item) for item in msgspec.json.decode(texts.mended(bytes(view)) or b"")]
    except (msgspec.DecodeError, TypeError, ValueError, AttributeError) as error:
        raise BadAnswer(f"the entries of a stream are not pairs of a time and a line: {error}") from None


def _entry(item: Any) -> _Entry:
    """An entry with metadata that is not text only, or with characters that are none."""
    time, line, *rest = item
    extra = rest[0] if rest else {}
    sections = {name: {key: str(value) for key, value in (part or {}).items()} for name, part in (extra or {}).items()}
    return _Entry(int(time), str(line), sections)
