"""Answers of `query_range` and `query`: bytes in; lines, or series of numbers, out.

==========  ===========================================================================================
`streams`   `values` [["ns", "line"], …]; with categorised labels [["ns", "line", {…}], …]
`matrix`    as Prometheus gives it: [[seconds, "value"], …]
`vector`    likewise
`scalar`    [**milli**seconds, "value"], where every other time of numbers is in seconds
==========  ===========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np

from obs_magics.adapters.log_rows import Rows, label_column
from obs_magics.adapters.loki import texts
from obs_magics.adapters.loki.entries import read_entries
from obs_magics.adapters.prometheus.answers import Series
from obs_magics.adapters.prometheus.answers import parse_answer as parse_numbers
from obs_magics.adapters.prometheus.points import floats
from obs_magics.model.errors import BadAnswer

ENCODING = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
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
    """Lines of an answer, in order of time."""

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
    return Lines(_rows(envelope.data, body), tuple(envelope.warnings or ()))


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


def _rows(data: _Data, body: bytes) -> Rows:
    streams = data.result or []
    entries = read_entries(body, [stream.values for stream in streams])
    names = sorted({name for stream in streams for name in stream.stream})
    return Rows(
        timestamps_ns=entries.timestamps_ns,
        messages=entries.lines,
        labels={name: label_column([stream.stream.get(name) for stream in streams], entries.owners) for name in names},
        attributes=entries.attributes,
    )
