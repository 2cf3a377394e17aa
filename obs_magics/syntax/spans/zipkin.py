"""Zipkin's JSON (v2): what its API answers, what its UI downloads, and what exporters send.

A list of spans, a list of traces (lists of spans), or one span a line. Times are microseconds. The shape is that of
https://github.com/openzipkin/zipkin-api/blob/master/zipkin2-api.yaml; what OpenTelemetry has fields for stands in tags
(`error`, `otel.status_code`), as in https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from obs_magics.model.errors import BadAnswer
from obs_magics.model.spans import KINDS, SPAN_ID_DIGITS, STATUSES, TRACE_ID_DIGITS
from obs_magics.syntax.spans import values
from obs_magics.syntax.spans.attributes import Attributes, Codes, Integers
from obs_magics.syntax.spans.columns import SpanColumns, count_of, parents
from obs_magics.syntax.spans.documents import decode
from obs_magics.syntax.spans.fold import folded
from obs_magics.syntax.spans.ids import read_ids
from obs_magics.syntax.spans.lists import codes, events_array, integers

_WHAT = "Zipkin's JSON of traces"
_MICROSECOND = 1_000
_MOST_MICROSECONDS = np.iinfo(np.int64).max // _MICROSECOND
_ERROR, _STATUS = "error", "otel.status_code"
_KIND_CODES: dict[Any, int] = {kind.upper(): code for code, kind in enumerate(KINDS)} | {None: KINDS.index("internal")}
_STATUS_CODES = {status.upper(): code for code, status in enumerate(STATUSES)}
# What a tag `error` says besides the message of the error: that there is one, and no more.
_NO_MESSAGE = frozenset({"", "true", "1"})


class _Endpoint(msgspec.Struct, gc=False, rename="camel"):
    service_name: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    port: int | None = None


class _Annotation(msgspec.Struct, gc=False):
    timestamp: int | float | str | None = None
    value: str | None = None


class _Span(msgspec.Struct, rename="camel"):
    trace_id: str | None = None
    id: str | None = None
    parent_id: str | None = None
    name: str | None = None
    kind: str | None = None
    timestamp: int | float | str | None = None
    duration: int | float | str | None = None
    local_endpoint: _Endpoint | None = None
    remote_endpoint: _Endpoint | None = None
    annotations: list[_Annotation] | None = None
    tags: dict[str, Any] | None = None
    debug: bool | None = None
    shared: bool | None = None


_DECODER = msgspec.json.Decoder(_Span | list[_Span | list[_Span]])


def read_zipkin(body: bytes) -> SpanColumns:
    """Read a list of spans or of traces, or one span after the other.

    Raises:
        BadAnswer: It is no such document.
    """
    spans = [span for document in decode(body, _DECODER, _WHAT) for span in _flat(document)]
    if spans and not any(span.trace_id and span.id for span in spans):
        raise BadAnswer(f"this is not {_WHAT}: no object in it has a traceId and an id")
    told = [_told(span.tags or {}) for span in spans]
    start, odd = _nanoseconds([span.timestamp for span in spans])
    duration, more = _nanoseconds([span.duration for span in spans])
    notes = [f"{count_of(odd + more, 'time')} that cannot be taken as 0"] if odd + more else []
    parent_ids, parent_notes = parents([span.parent_id for span in spans])
    found = SpanColumns(
        trace_id=read_ids([span.trace_id for span in spans], TRACE_ID_DIGITS),
        span_id=read_ids([span.id for span in spans], SPAN_ID_DIGITS),
        parent_id=parent_ids,
        service=pa.array([_service(span.local_endpoint) for span in spans], pa.string()),
        operation=pa.array([span.name or "" for span in spans], pa.string()),
        kind=codes([span.kind for span in spans], _KIND_CODES, -1),
        start_ns=start,
        duration_ns=np.maximum(duration, 0),
        status=np.array([status for status, _ in told], np.int8),
        status_message=pa.array([message for _, message in told], pa.string()),
        attributes=_attributes(spans),
        scopes=Attributes.of([0], [], np.empty(0, np.int8), []),
        scope_of=np.zeros(len(spans), np.int32),
        events=_events(spans),
        notes=(*notes, *parent_notes),
        **_resources(spans),
    )
    return folded(found.rows_with_ids())


def _flat(document: _Span | list[_Span | list[_Span]]) -> Iterator[_Span]:
    for part in document if isinstance(document, list) else [document]:
        yield from part if isinstance(part, list) else [part]


def _service(endpoint: _Endpoint | None) -> str | None:
    return (endpoint.service_name or None) if endpoint is not None else None


def _told(tags: dict[str, Any]) -> tuple[int, str | None]:
    """Status and message; Zipkin knows errors alone, by the tag `error`, whatever it holds."""
    error = tags.get(_ERROR)
    status = _STATUS_CODES.get(tags.get(_STATUS, ""), 0)
    if error is None or str(error).lower() == "false":
        return status, None
    return STATUSES.index("error"), None if str(error) in _NO_MESSAGE else str(error)


def _nanoseconds(values_us: Sequence[Any]) -> tuple[Integers, int]:
    found, odd = integers(values_us)
    beyond = np.abs(found) > _MOST_MICROSECONDS
    return np.where(beyond, 0, found) * _MICROSECOND, odd + int(np.count_nonzero(beyond))


def _attributes(spans: Sequence[_Span]) -> Attributes:
    return _owned([list(_pairs(span)) for span in spans])


def _pairs(span: _Span) -> Iterator[tuple[str, Any]]:
    """The tags that are told nowhere else, and whom the span talked to (with OpenTelemetry's names)."""
    for name, value in (span.tags or {}).items():
        if name not in {_ERROR, _STATUS}:
            yield name, value
    peer = span.remote_endpoint
    if peer is not None:
        named = (
            ("peer.service", peer.service_name),
            ("network.peer.address", peer.ipv4 or peer.ipv6),
            ("network.peer.port", peer.port),
        )
        yield from ((name, value) for name, value in named if value)
    yield from ((name, True) for name in ("debug", "shared") if getattr(span, name))


def _owned(groups: Sequence[Sequence[tuple[str, Any]]]) -> Attributes:
    flat = [pair for group in groups for pair in group]
    written = [values.plain(value) for _, value in flat]
    types: Codes = np.array([code for code, _ in written], np.int8)
    names, texts = [name for name, _ in flat], [text for _, text in written]
    return Attributes.of([len(group) for group in groups], names, types, texts)


def _resources(spans: Sequence[_Span]) -> dict[str, Any]:
    """One per service and address."""
    known: dict[tuple[str | None, str | None], int] = {}
    resource_of = []
    for span in spans:
        here = span.local_endpoint or _Endpoint()
        key = (here.service_name or None, here.ipv4 or here.ipv6)
        resource_of.append(known.setdefault(key, len(known)))
    named = [[("service.name", service), ("host.ip", address)] for service, address in known]
    return {
        "resources": _owned([[pair for pair in group if pair[1]] for group in named]),
        "resource_of": np.asarray(resource_of, np.int32),
    }


def _events(spans: Sequence[_Span]) -> pa.Array | None:
    groups = [span.annotations or () for span in spans]
    flat = [annotation for group in groups for annotation in group]
    if not flat:
        return None
    times, _ = _nanoseconds([annotation.timestamp for annotation in flat])
    counts = [len(group) for group in groups]
    none = Attributes.of([0] * len(flat), [], np.empty(0, np.int8), [])
    return events_array(counts, times, [annotation.value or "" for annotation in flat], none)
