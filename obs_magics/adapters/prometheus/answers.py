"""Answers of the query API: bytes in, series and a frame out.

The envelope is checked as JSON once; the points inside are left as bytes and read by `points`. What a body may be:

==========  ==================================================================================
`matrix`    series with `values` [[time, "value"], …] and/or `histograms` [[time, {…}], …]
`vector`    series with one `value` or one `histogram`
`scalar`    [time, "value"]: one row without labels
`string`    [time, "text"]: a `QueryError`, as a text is not a metric
==========  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa

from obs_magics.adapters.prometheus.points import Floats, Integers, floats, read_points, times_exactly
from obs_magics.model.errors import BadAnswer, QueryError
from obs_magics.model.frames import HISTOGRAM_TYPE, metrics_frame

if TYPE_CHECKING:
    import pandas as pd

_ABSENT = msgspec.Raw(b"")
_KINDS = ("matrix", "vector", "scalar", "string")


class _Series(msgspec.Struct, gc=False):
    metric: dict[str, str]
    values: msgspec.Raw = _ABSENT
    value: msgspec.Raw = _ABSENT
    histograms: msgspec.Raw = _ABSENT
    histogram: msgspec.Raw = _ABSENT


class _Data(msgspec.Struct):
    result_type: str = msgspec.field(name="resultType", default="")
    result: list[_Series] | msgspec.UnsetType | None = msgspec.UNSET


class _Envelope(msgspec.Struct):
    status: str = ""
    data: _Data | None = None
    error_type: str = msgspec.field(name="errorType", default="")
    error: str = ""
    warnings: list[str] | None = None
    infos: list[str] | None = None
    partial: bool = msgspec.field(name="isPartial", default=False)  # a VictoriaMetrics cluster with a node missing


class _PlainData(msgspec.Struct):
    result_type: str = msgspec.field(name="resultType", default="")
    result: msgspec.Raw = _ABSENT


class _PlainEnvelope(msgspec.Struct):
    data: _PlainData | None = None
    warnings: list[str] | None = None
    infos: list[str] | None = None


class _Histogram(msgspec.Struct, gc=False):
    count: str
    sum: str
    buckets: list[tuple[int, str, str, str]] = []


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_PLAIN_ENVELOPE = msgspec.json.Decoder(_PlainEnvelope)
_PAIR = msgspec.json.Decoder(tuple[msgspec.Raw, str])
_HISTOGRAM = msgspec.json.Decoder(tuple[msgspec.Raw, _Histogram])
_HISTOGRAMS = msgspec.json.Decoder(list[tuple[msgspec.Raw, _Histogram]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What an answer holds: series end to end, and what the server said about them.

    `counts` has the rows of each series; `values` is NaN where `histograms` (None when there are none) has a row.
    """

    labels: list[dict[str, str]]
    counts: Integers
    timestamps_ns: Integers
    values: Floats
    histograms: pa.Array | None = None
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    partial: bool = False

    def frame(self) -> pd.DataFrame:
        """As a metrics frame."""
        return metrics_frame(self.labels, self.counts, self.timestamps_ns, self.values, self.histograms)

    def first(self, limit: int) -> Series:
        """The first `limit` series only."""
        rows = int(self.counts[:limit].sum())
        return replace(
            self,
            labels=self.labels[:limit],
            counts=self.counts[:limit],
            timestamps_ns=self.timestamps_ns[:rows],
            values=self.values[:rows],
            histograms=None if self.histograms is None else self.histograms.slice(0, rows),
        )


def parse_answer(body: bytes) -> Series:
    """Read the body of an answer of `/api/v1/query` or `/api/v1/query_range`.

    Raises:
        BadAnswer: It is not JSON, is cut off, or is not an answer of this API.
        QueryError: The server refused the query in a body, or the query gives a text.
    """
    try:
        envelope = _ENVELOPE.decode(body)
    except msgspec.ValidationError as error:
        return _parse_plain(body, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"not whole JSON: {error}" if body.strip() else "empty"
        raise BadAnswer(f"the answer is {what}", hint="ask again; a proxy may have cut it") from None
    if envelope.status == "error":
        raise QueryError(envelope.error, words=envelope.error)
    data = envelope.data
    if envelope.status != "success" or data is None or data.result is msgspec.UNSET or data.result_type not in _KINDS:
        raise _not_ours(data.result_type if data else "")
    series = _series(body, data.result or [], single=data.result_type == "vector")
    return replace(
        series,
        warnings=tuple(envelope.warnings or ()),
        infos=tuple(envelope.infos or ()),
        partial=envelope.partial,
    )


def _not_ours(kind: str) -> BadAnswer:
    found = f"a result of the type {kind!r}" if kind else "no result"
    hint = "this looks like Loki: connect it as loki" if kind == "streams" else "is the URL that of a Prometheus API?"
    return BadAnswer(f"the answer has {found}", hint=hint)


def _parse_plain(body: bytes, reason: str) -> Series:
    """A scalar or a string, whose result is one pair and not a list of series."""
    try:
        envelope = _PLAIN_ENVELOPE.decode(body)
        kind = envelope.data.result_type if envelope.data else ""
        if kind not in {"scalar", "string"} or not envelope.data:
            raise BadAnswer(f"the answer does not have the shape of this API: {reason}")
        time, text = _PAIR.decode(envelope.data.result)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadAnswer(f"the answer does not have the shape of this API: {reason}") from None
    if kind == "string":
        hint = "ask for something with numbers; a text in quotation marks is only a label's value"
        raise QueryError("the query gives a text, not a metric", words=text, hint=hint)
    return Series(
        labels=[{}],
        counts=np.asarray([1]),
        timestamps_ns=times_exactly([time]),
        values=floats([text]),
        warnings=tuple(envelope.warnings or ()),
        infos=tuple(envelope.infos or ()),
    )


def _series(body: bytes, found: Sequence[_Series], *, single: bool) -> Series:
    texts = [series.value if single else series.values for series in found]
    filled = np.flatnonzero([len(text) > 0 for text in texts])
    points = read_points(body, [texts[index] for index in filled.tolist()], single=single)
    counts: Integers = np.zeros(len(found), np.int64)
    counts[filled] = points.counts
    labels = [series.metric for series in found]
    series = Series(labels=labels, counts=counts, timestamps_ns=points.timestamps_ns, values=points.values)
    texts = [item.histogram if single else item.histograms for item in found]
    if len(filled) < len(found) or any(map(len, texts)):
        return _with_histograms(series, texts, single)
    return series


def _with_histograms(series: Series, texts: Sequence[msgspec.Raw], single: bool) -> Series:
    """Put histograms between the floats, in order of time; a series may change from one to the other."""
    found = [_histograms(text, single) for text in texts]
    if any(not count and not len(text) for count, text in zip(series.counts.tolist(), texts, strict=True)):
        raise BadAnswer("a series has neither values nor histograms")
    counts = np.asarray([len(pairs) for pairs in found], np.int64)
    pairs = [pair for pairs in found for pair in pairs]
    owners = np.concatenate([np.repeat(np.arange(len(texts)), series.counts), np.repeat(np.arange(len(texts)), counts)])
    timestamps = np.concatenate([series.timestamps_ns, times_exactly([time for time, _ in pairs])])
    order = np.lexsort((timestamps, owners))
    rows = pa.concat_arrays([pa.nulls(len(series.values), HISTOGRAM_TYPE), _histogram_array([h for _, h in pairs])])
    return replace(
        series,
        counts=series.counts + counts,
        timestamps_ns=timestamps[order],
        values=np.concatenate([series.values, np.full(len(pairs), np.nan)])[order],
        histograms=rows.take(pa.array(order)),
    )


def _histograms(text: msgspec.Raw, single: bool) -> list[tuple[msgspec.Raw, _Histogram]]:
    if not len(text):
        return []
    try:
        return [_HISTOGRAM.decode(text)] if single else _HISTOGRAMS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadAnswer(f"a histogram does not have the shape of this API: {error}") from None


def _histogram_array(found: Sequence[_Histogram]) -> pa.Array:
    """All histograms as one Arrow array, their buckets end to end."""
    buckets = [bucket for histogram in found for bucket in histogram.buckets]
    offsets = np.concatenate([[0], np.cumsum([len(histogram.buckets) for histogram in found])]).astype(np.int32)
    bucket_type = HISTOGRAM_TYPE.field("buckets").type.value_type
    columns = [
        pa.array([rule for rule, *_ in buckets], pa.int8()),
        *(pa.array(floats([str(bucket[place]) for bucket in buckets])) for place in (1, 2, 3)),
    ]
    inner = pa.StructArray.from_arrays(columns, fields=list(bucket_type))
    return pa.StructArray.from_arrays(
        [
            pa.array(floats([histogram.count for histogram in found])),
            pa.array(floats([histogram.sum for histogram in found])),
            pa.ListArray.from_arrays(pa.array(offsets), inner),
        ],
        fields=list(HISTOGRAM_TYPE),
    )
