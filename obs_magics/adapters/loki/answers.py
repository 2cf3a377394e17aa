"""Answers of `query_range` and `query`: bytes in; lines, or series of numbers, out.

==========  ===========================================================================================
`streams`   `values` [["ns", "line"], …]; with categorised labels [["ns", "line", {…}], …]
`matrix`    as Prometheus gives it: [[seconds, "value"], …]
`vector`    likewise
`scalar`    [**milli**seconds, "value"], where every other time of numbers is in seconds
==========  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np

from obs_magics.adapters.log_rows import Rows, label_column
from obs_magics.adapters.loki import texts
from obs_magics.adapters.loki.bare import without_entries
from obs_magics.adapters.loki.entries import Entries, read_entries, read_plain
from obs_magics.adapters.loki.errors import refused
from obs_magics.adapters.loki.marks import Marks, entry_marks
from obs_magics.adapters.prometheus.answers import Series
from obs_magics.adapters.prometheus.answers import parse_answer as parse_numbers
from obs_magics.adapters.prometheus.points import floats
from obs_magics.model.errors import BadAnswer

ENCODING = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
"""Asks for structured metadata beside the lines: else it is folded into the labels, and every trace is a stream."""
_HEAD = 1 << 10  # bytes in which Loki says what is in the answer
_MILLISECOND = 1_000_000
_HINT = "is the URL that of a Loki?"


class _Stream(msgspec.Struct, gc=False):
    """Of a `matrix` or `vector`, too: only their kind is looked at here."""

    stream: dict[str, str] = {}
    values: msgspec.Raw = msgspec.Raw(b"[]")


class _Data(msgspec.Struct):
    kind: str = msgspec.field(name="resultType", default="")
    result: list[_Stream] | None = None


class _Envelope(msgspec.Struct):
    status: str = ""
    data: _Data | None = None
    warnings: list[str] | None = None
    error: str = ""


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
    """Lines of an answer, in order of time."""

    rows: Rows
    warnings: tuple[str, ...] = ()


Parsed: TypeAlias = Lines | Series


def parse_answer(body: bytes) -> Parsed:
    """Read the body of an answer.

    Raises:
        BadAnswer: It is not JSON, is cut off, or is not an answer of this API.
        QueryError: It tells of an error, as a `SourceError` when that is none of the query.
    """
    marks = _entry_marks(body)
    if marks is not None:
        try:
            return _plain_lines(body, marks)
        except texts.Unusual:
            pass
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
        if envelope.error:  # with the status 200, from what stands in front of a Loki
            raise refused(envelope.error)
        raise BadAnswer("the answer is not one of Loki's API", hint=_HINT)
    if envelope.data.kind != "streams":
        return parse_numbers(body)
    streams = envelope.data.result or []
    entries = read_entries(body, [stream.values for stream in streams], marks)
    return Lines(_rows([stream.stream for stream in streams], entries), tuple(envelope.warnings or ()))


def _entry_marks(body: bytes) -> Marks | None:
    """The marks of an answer of lines; None when it is none, or does not look as Loki writes it."""
    if b'"streams"' not in body[:_HEAD]:
        return None
    try:
        return entry_marks(body)
    except texts.Unusual:
        return None


def _plain_lines(body: bytes, marks: Marks) -> Lines:
    bare = without_entries(body, marks)
    return Lines(_rows(bare.labels, read_plain(body, marks, bare.counts, bare.stops)), bare.warnings)


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


def _rows(labels: Sequence[Mapping[str, str]], entries: Entries) -> Rows:
    names = sorted({name for own in labels for name in own})
    return Rows(
        timestamps_ns=entries.timestamps_ns,
        messages=entries.lines,
        labels={name: label_column([own.get(name) for own in labels], entries.owners) for name in names},
        attributes=entries.attributes,
    )
