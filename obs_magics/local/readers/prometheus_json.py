"""Reads answers of Prometheus that somebody kept: `query`, `query_range`, and VictoriaMetrics' `export`.

An answer is one JSON value, whole or only its `data`; several may follow each other, one a line. An export has one
series a line: ``{"metric": {…}, "values": […], "timestamps": […]}``. Series without a name, as `sum(rate(…))` gives
them, are called after the file, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from obs_magics.local.block import Rows
from obs_magics.local.readers.base import Complaints, File, Mapping, Reading
from obs_magics.model.frames import HISTOGRAM_TYPE, METRIC_NAME_LABEL

# An answer or its `data`, an error, and a series of an export, by the keys with which they begin.
_ANSWER = re.compile(rb'\{(?=.{,4000}"resultType"|\s*"status"\s*:\s*"error"\s*,\s*"errorType")', re.DOTALL)
_EXPORT = re.compile(rb'\{\s*"metric"\s*:\s*\{')


class _Histogram(msgspec.Struct):
    count: str
    sum: str
    buckets: list[tuple[int, str, str, str]] = []


class _Series(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str] | None = None
    values: list[tuple[float, str]] = []
    histogram: tuple[float, _Histogram] | None = None
    histograms: list[tuple[float, _Histogram]] = []


class _Export(msgspec.Struct):
    metric: dict[str, str]
    values: list[float | str | None]
    timestamps: list[int]


class _Data(msgspec.Struct):
    result_type: str = msgspec.field(name="resultType")
    result: msgspec.Raw


class _Answer(msgspec.Struct):
    data: _Data | None = None
    status: str = "success"
    error: str = ""


_Found = tuple[dict[str, str], list[float], list[float], list[_Histogram | None]]
"""Labels, seconds, values, histograms."""


def looks_right(file: File) -> bool:
    """Whether it begins like an answer or an exported series."""
    head = file.head.lstrip()
    return _ANSWER.match(head) is not None or (_EXPORT.match(head) is not None and b'"values"' in head)


def read(file: File, _mapping: Mapping) -> Reading:
    """Read answers, one or one a line."""
    complaints = Complaints(file.name)
    with file.open() as stream:
        body = stream.read()
    found: list[_Found] = []
    for number, text in _values(body):
        try:
            found += _series(text, partial(complaints.add, line=number))
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as problem:
            complaints.add(f"not an answer of Prometheus: {problem}", number)
    if not found and not complaints.all:
        complaints.add("the answer holds no series")
    name = re.sub(r"[^a-zA-Z0-9_:]", "_", file.name.rsplit("/", 1)[-1].split(".", 1)[0]) or "value"
    if any(METRIC_NAME_LABEL not in labels for labels, *_ in found):
        complaints.add(f"series without a name are called {name}, after the file")
    return Reading([_rows(found, name)] if found else [], complaints.all, 1)


def _values(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Each JSON value with the line it begins in: the whole body when it is one, else each line."""
    lines = [(number, line) for number, line in enumerate(body.splitlines(), start=1) if line.strip()]
    try:
        msgspec.json.decode(lines[0][1], type=msgspec.Raw)
    except msgspec.DecodeError:
        yield 1, body  # one value over several lines
    else:
        yield from lines


def _series(text: bytes, complain: Callable[[str], None]) -> list[_Found]:
    if b'"resultType"' not in text[:4096] and b'"timestamps"' in text:
        export = msgspec.json.decode(text, type=_Export)
        if len(export.values) != len(export.timestamps):
            raise ValueError("values and timestamps are not equally many")
        seconds = [time / 1000 for time in export.timestamps]
        values = [float("nan") if value is None else float(value) for value in export.values]
        return [(export.metric, seconds, values, [None] * len(values))]
    answer = msgspec.json.decode(text, type=_Answer)
    if answer.status != "success":
        raise ValueError(f"it is an error: {answer.error}")
    data = answer.data or msgspec.json.decode(text, type=_Data)
    if data.result_type == "scalar":
        time, value = msgspec.json.decode(data.result, type=tuple[float, str])
        return [({}, [time], [float(value)], [None])]
    if data.result_type not in {"matrix", "vector"}:
        raise ValueError(f"a result of the type {data.result_type!r} holds no metrics")
    found = []
    for number, raw in enumerate(msgspec.json.decode(data.result, type=list[msgspec.Raw]), start=1):
        try:
            found.append(_one(msgspec.json.decode(raw, type=_Series)))
        except ValueError as problem:  # of which msgspec's errors are a kind
            complain(f"series {number} is not as Prometheus writes it: {problem}")
    return found


def _one(series: _Series) -> _Found:
    floats = [*series.values, *([series.value] if series.value else [])]
    histograms = [*series.histograms, *([series.histogram] if series.histogram else [])]
    return (
        series.metric,
        [time for time, _ in floats] + [time for time, _ in histograms],
        [float(value) for _, value in floats] + [float("nan")] * len(histograms),
        [None] * len(floats) + [histogram for _, histogram in histograms],
    )


def _rows(found: Sequence[_Found], name: str) -> Rows:
    histograms = [_struct(histogram) for *_, several in found for histogram in several]
    seconds = np.asarray([time for _, times, _, _ in found for time in times], np.float64)
    return Rows(
        [{METRIC_NAME_LABEL: name, **labels} for labels, *_ in found],
        np.repeat(np.arange(len(found)), [len(times) for _, times, _, _ in found]),
        np.round(seconds * 1000).astype(np.int64),
        np.asarray([value for _, _, values, _ in found for value in values], np.float64),
        pa.array(histograms, HISTOGRAM_TYPE) if any(histograms) else None,
    )


def _struct(histogram: _Histogram | None) -> dict[str, Any] | None:
    if histogram is None:
        return None
    buckets = [
        {"rule": rule, "lower": float(low), "upper": float(high), "count": float(count)}
        for rule, low, high, count in histogram.buckets
    ]
    return {"count": float(histogram.count), "sum": float(histogram.sum), "buckets": buckets}
