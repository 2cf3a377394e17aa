"""Answers of `query_range` and `query`: bytes in; lines, or series of numbers, out.

==========  ===========================================================================================
`streams`   `values` [["ns", "line"], …]; with categorised labels [["ns", "line", {…}], …]
`matrix`    as Prometheus gives it: [[seconds, "value"], …]
`vector`    likewise
`scalar`    [**milli**seconds, "value"], where every other time of numbers is in seconds
==========  ===========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import msgspec
import numpy as np
import pyarrow as pa

from obs_magics.adapters.log_rows import Rows, label_column
from obs_magics.adapters.loki import texts
from obs_magics.adapters.loki.entries import Entries, read_entries
from obs_magics.adapters.prometheus.answers import Series
from obs_magics.adapters.prometheus.answers import parse_answer as parse_numbers
from obs_magics.adapters.prometheus.points import floats
from obs_magics.model.errors import BadAnswer

_CATEGORISED = "categorize-labels"
ENCODING = {"X-Loki-Response-Encoding-Flags": _CATEGORISED}
"""Asks for structured metadata beside the lines: else it is folded into the labels, and every trace is a stream."""
_MILLISECOND = 1_000_000
_HINT = "is the URL that of a Loki?"


class _Stream(msgspec.Struct, gc=False):
    """Of a `matrix` or `vector`, too: only their kind is looked at here."""

    stream: dict[str, str] = {}
    values: msgspec.Raw = msgspec.Raw(b"[]")


class _Data(msgspec.Struct):
    kind: str = msgspec.field(name="resultType", default="")
    result: list[_Stream] | None = None
    flags: list[str] | None = msgspec.field(name="encodingFlags", default=None)


class _Envelope(msgspec.Struct):
    status: str = ""
    data: _Data | None = None
    warnings: list[str] | None = None


class _Scalar(msgspec.Struct):
    kind: str = msgspec.field(name="resultType")
    result: tuple[float, str]


class _ScalarEnvelope(msgspec.Struct):
    data: _Scalar
    warnings: list[str] | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_SCALAR = msgspec.json.Decoder(_ScalarEnvelope)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of an answer: of each stream oldest first (as they were written), the streams in the server's order."""

    rows: Rows
    warnings: tuple[str, ...] = ()


Parsed: TypeAlias = Lines | Series


def parse_answer(body: bytes) -> Parsed:
    """Read the body of an answer.

    Raises:
        BadAnswer: It is not JSON, is cut off, or is not an answer of this API.
    """
    try:
        envelope = _ENVELOPE.decode(body)
    except msgspec.ValidationError as error:
        return _scalar(body, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        mended = texts.mended(body)
        if mended is not None:
            return parse_answer(mended)
        what = f"not whole JSON: {error}" if body.strip() else "empty"
        raise BadAnswer(f"the answer is {what}", hint="ask again; a proxy may have cut it") from None
    if envelope.status != "success" or envelope.data is None:
        raise BadAnswer("the answer is not one of Loki's API", hint=_HINT)
    if envelope.data.kind != "streams":
        return parse_numbers(body)
    return Lines(_rows(body, envelope.data), tuple(envelope.warnings or ()))


def _scalar(body: bytes, reason: str) -> Series:
    """The one answer whose result is no list of streams or series."""
    try:
        answer = _SCALAR.decode(body)
        time, text = answer.data.result
        timestamp = round(time) * _MILLISECOND
        return Series(
            labels=[{}],
            counts=np.asarray([1]),
            timestamps_ns=np.asarray([timestamp], np.int64),
            values=floats([text]),
            warnings=tuple(answer.warnings or ()),
        )
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError):
        raise BadAnswer(f"the answer does not have the shape of Loki's API: {reason}", hint=_HINT) from None


def _rows(body: bytes, data: _Data) -> Rows:
    streams = data.result or []
    categorised = _CATEGORISED in (data.flags or ())
    entries = read_entries(body, [stream.values for stream in streams], categorised=categorised)
    order = _as_written(entries)
    owners = np.repeat(np.arange(len(streams), dtype=np.int32), entries.counts)
    rows = Rows(
        timestamps_ns=entries.timestamps_ns,
        messages=entries.lines,
        labels={
            name: label_column([stream.stream.get(name) for stream in streams], owners)
            for name in sorted({name for stream in streams for name in stream.stream})
        },
        attributes=entries.attributes,
    )
    return rows if order is None else _reordered(rows, order)


def _as_written(entries: Entries) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
    """The order that turns every stream round which came newest first; None where that makes no difference.

    Only lines of one stream with one timestamp are in any order at all: by time, all are sorted later.
    """
    times, counts = entries.timestamps_ns, entries.counts
    if not (np.diff(times) == 0).any():
        return None
    ends = np.cumsum(counts)
    firsts = ends - counts
    filled = counts > 0
    turned = np.zeros(len(counts), bool)
    turned[filled] = times[firsts[filled]] >= times[ends[filled] - 1]
    places = np.arange(len(times))
    owners = np.repeat(np.arange(len(counts)), counts)
    back = firsts[owners] + ends[owners] - 1 - places
    return np.where(turned[owners], back, places)


def _reordered(rows: Rows, order: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Rows:
    chosen = pa.array(order)
    return replace(
        rows,
        timestamps_ns=rows.timestamps_ns[order],
        messages=rows.messages.take(chosen),
        attributes={name: column.take(chosen) for name, column in rows.attributes.items()},
    )
