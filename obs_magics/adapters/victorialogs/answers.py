"""Answers of `/select/logsql/query`: JSON lines in any order, all values texts; lines or numbers out.

Rows with a `_time` are lines. Rows without one are what pipes such as `stats` and `top` give: numbers with labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.adapters.log_rows import Rows, no_rows
from obs_magics.adapters.prometheus.answers import Series
from obs_magics.model.errors import BadAnswer, QueryError
from obs_magics.model.frames import METRIC_NAME_LABEL

Row: TypeAlias = Mapping[str, str]

_ROWS = msgspec.json.Decoder(dict[str, str])
_TIME, _MESSAGE, _STREAM = "_time", "_msg", "_stream"
_HIDDEN = frozenset({_TIME, _MESSAGE, _STREAM, "_stream_id"})
_MESSAGE_FIELDS = ("message", "msg", "log", "body")
_NO_MESSAGE = "missing _msg field"  # what the server stores for lines that came without one
_LABEL = re.compile(r'([^=,{}"]+)="(?:[^"\\]|\\.)*"')


def parse_answer(body: bytes, end_ns: int) -> Rows | Series:
    """Read the body of an answer.

    Args:
        body: JSON lines; empty when there is nothing.
        end_ns: The end of the range, which is the time of numbers that have none.

    Raises:
        BadAnswer: It is not JSON lines, or cut off.
        QueryError: The rows are neither lines nor numbers.
    """
    if body and not body.endswith(b"\n"):
        raise BadAnswer("the answer broke off in the middle of a line", hint="ask again; a proxy may have cut it")
    try:
        rows = _ROWS.decode_lines(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "does the address name a VictoriaLogs?"
        raise BadAnswer(f"the answer is not lines of JSON texts: {error}", hint=hint) from None
    timed = [row for row in rows if row.get(_TIME)]
    if len(timed) == len(rows):
        return lines_of(timed)
    return _numbers(rows, end_ns)


def lines_of(rows: Sequence[Row]) -> Rows:
    """Rows with a time, as lines."""
    if not rows:
        return no_rows()
    labels = {name for stream in {row.get(_STREAM, "") for row in rows} for name in _LABEL.findall(stream)}
    names = sorted({name for row in rows for name in row} - _HIDDEN)
    return Rows(
        timestamps_ns=_timestamps([row[_TIME] for row in rows]),
        messages=pa.array([_message(row) for row in rows], pa.large_string()),
        labels={name: _column(rows, name).dictionary_encode() for name in names if name in labels},
        attributes={name: _column(rows, name) for name in names if name not in labels},
    )


def _column(rows: Sequence[Row], name: str) -> pa.Array:
    return pa.array([row.get(name) for row in rows], pa.string())


def _message(row: Row) -> str:
    """The line; a server that parsed it on its way in has the message in a field of its own."""
    text = row.get(_MESSAGE, "")
    if text and not text.startswith(_NO_MESSAGE):
        return text
    return next((row[name] for name in _MESSAGE_FIELDS if row.get(name)), text)


def _timestamps(texts: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    try:
        times = pc.cast(pa.array(texts, pa.string()), pa.timestamp("ns", "UTC"))
    except pa.ArrowInvalid as error:
        raise BadAnswer(f"a _time is no time: {error}") from None
    return np.asarray(times.cast(pa.int64()).to_numpy(), np.int64)


def _numbers(rows: Sequence[Row], end_ns: int) -> Series:
    """Fields that are numbers in all rows are metrics, the others their labels."""
    names = sorted({name for row in rows for name in row})
    metrics = [name for name in names if all(_is_number(row.get(name, "")) for row in rows)]
    if not metrics:
        hint = "keep the time: | fields _time, …; or count: | stats by (…) count() lines"
        raise QueryError("the query gives rows that have neither a time nor numbers", hint=hint)
    series = [(metric, row) for metric in metrics for row in rows]
    return Series(
        labels=[
            {METRIC_NAME_LABEL: metric, **{name: text for name, text in row.items() if name not in metrics}}
            for metric, row in series
        ],
        counts=np.ones(len(series), np.int64),
        timestamps_ns=np.full(len(series), end_ns, np.int64),
        values=np.asarray([float(row[metric]) for metric, row in series]),
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
