"""OTLP JSON: OpenTelemetry's own format, as the collector's file exporter, Tempo and Jaeger's API v3 write it.

The shapes are those of https://github.com/open-telemetry/opentelemetry-proto (trace/v1). What is zero may be missing;
kinds and states are numbers or names; ids are hex, or base64 where a server uses protobuf's own JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.model.errors import BadAnswer
from obs_magics.model.spans import KINDS, SPAN_ID_DIGITS, STATUSES, TRACE_ID_DIGITS
from obs_magics.syntax.spans.columns import SpanColumns, durations, parents
from obs_magics.syntax.spans.documents import decode
from obs_magics.syntax.spans.fold import folded
from obs_magics.syntax.spans.ids import read_ids
from obs_magics.syntax.spans.lists import codes, events_array, integers, links_array
from obs_magics.syntax.spans.otlp_values import AnyValue, KeyValue, Pairs, decode_pairs, pairs_of, read_pairs

_NO_PAIRS = msgspec.Raw()
_WHAT = "OTLP JSON of traces"


class _Status(msgspec.Struct, gc=False, rename="camel"):
    code: int | str | None = None
    message: str | None = None


class _Event(msgspec.Struct, gc=False, rename="camel"):
    time_unix_nano: int | str | None = None
    name: str | None = None
    attributes: msgspec.Raw = _NO_PAIRS


class _Link(msgspec.Struct, gc=False, rename="camel"):
    trace_id: str | None = None
    span_id: str | None = None


class _Span(msgspec.Struct, gc=False, rename="camel"):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    kind: int | str | None = None
    start_time_unix_nano: int | str | None = None
    end_time_unix_nano: int | str | None = None
    attributes: msgspec.Raw = _NO_PAIRS
    events: list[_Event] | None = None
    links: list[_Link] | None = None
    status: _Status | None = None


class _Scope(msgspec.Struct, gc=False, rename="camel"):
    name: str | None = None
    version: str | None = None
    attributes: msgspec.Raw = _NO_PAIRS


class _ScopeSpans(msgspec.Struct, gc=False, rename="camel"):
    scope: _Scope | None = None
    instrumentation_library: _Scope | None = None
    spans: list[_Span] | None = None


class _Resource(msgspec.Struct, gc=False, rename="camel"):
    attributes: msgspec.Raw = _NO_PAIRS


class _ResourceSpans(msgspec.Struct, gc=False, rename="camel"):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None
    instrumentation_library_spans: list[_ScopeSpans] | None = None


class _Document(msgspec.Struct, rename="camel"):
    resource_spans: list[_ResourceSpans] | None = None
    batches: list[_ResourceSpans] | None = None
    trace: _Document | None = None
    result: _Document | None = None
    error: Any = None
    data: Any = None


_NOTHING, _NO_SCOPE = _Document(), _Scope()
_DECODER = msgspec.json.Decoder(_Document | list[_Document])
_KINDS: dict[int | str | None, int] = {number: number - 1 for number in range(1, len(KINDS) + 1)}
_KINDS |= {f"SPAN_KIND_{kind.upper()}": code for code, kind in enumerate(KINDS)}
_STATES: dict[int | str | None, int] = dict(zip(range(len(STATUSES)), range(len(STATUSES)), strict=True))
_STATES |= {f"STATUS_CODE_{status.upper()}": code for code, status in enumerate(STATUSES)}


def read_otlp(body: bytes) -> SpanColumns:
    r"""Read one document: ``{"resourceSpans": …}``, or that in an envelope (`batches`, `trace`, `result`).

    Several documents that follow each other (``{…}\n{…}``) are read too; one that is an ``{"error": …}`` among them
    becomes a note.

    Raises:
        BadAnswer: It is no such document.
    """
    return read_otlp_bodies([body])


def read_otlp_bodies(bodies: Sequence[bytes]) -> SpanColumns:
    """Read several bodies at once, which is much faster than one after the other; see `read_otlp`.

    Raises:
        BadAnswer: One is no such document.
    """
    gathered = _Gathered()
    for body in bodies:
        if not body.strip(b"{} \t\r\n"):  # a document of which everything is missing, which is zero spans
            continue
        for document in decode(body, _DECODER, _WHAT):
            for one in document if isinstance(document, list) else [document]:
                gathered.add(one)
    return gathered.columns()


def read_otlp_lines(body: bytes) -> SpanColumns:
    """Read JSON Lines, each a document, as the collector's file exporter writes them.

    Raises:
        BadAnswer: A line is no such document; says which.
    """
    return read_otlp(body)


@dataclass(slots=True)
class _Gathered:
    """The spans of documents, and of which scope and resource each is."""

    resources: list[_Resource | None] = field(default_factory=list)
    scopes: dict[tuple[str, str, bytes], int] = field(default_factory=dict)
    scope_of: list[int] = field(default_factory=list)
    scope_resources: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    spans: list[_Span] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, document: _Document, *, outermost: bool = True) -> None:
        """Take what a document holds."""
        if document.data is not None:
            raise BadAnswer(f"this is not {_WHAT}: it has data, as Jaeger's own JSON does, and no resourceSpans")
        if document.error is not None:
            self.notes.append(f"the answer breaks off with an error: {_message(document.error)}")
        if outermost and document == _NOTHING:
            raise BadAnswer(f"this is not {_WHAT}: it has no resourceSpans")
        for inner in (document.trace, document.result):
            if inner is not None:
                self.add(inner, outermost=False)
        for group in (*(document.resource_spans or ()), *(document.batches or ())):
            self._add_group(group)

    def _add_group(self, group: _ResourceSpans) -> None:
        self.resources.append(group.resource)
        for scope_spans in (*(group.scope_spans or ()), *(group.instrumentation_library_spans or ())):
            spans = scope_spans.spans or []
            scope = scope_spans.scope or scope_spans.instrumentation_library or _NO_SCOPE
            key = (scope.name or "", scope.version or "", bytes(scope.attributes))
            self.scope_of.append(self.scopes.setdefault(key, len(self.scopes)))
            self.scope_resources.append(len(self.resources) - 1)
            self.counts.append(len(spans))
            self.spans += spans

    def columns(self) -> SpanColumns:
        """Everything as columns."""
        spans = self.spans
        resources = read_pairs([resource.attributes if resource else _NO_PAIRS for resource in self.resources])
        resource_of = np.repeat(np.asarray(self.scope_resources, np.int32), self.counts)
        start, odd_starts = integers([span.start_time_unix_nano for span in spans])
        end, odd_ends = integers([span.end_time_unix_nano for span in spans])
        duration, notes = durations(start, end, odd_starts + odd_ends)
        parent, parent_notes = parents([span.parent_span_id for span in spans])
        names = resources.texts_of("service.name")
        service = pc.if_else(pc.equal(names, ""), None, names).take(pa.array(resource_of))
        found = SpanColumns(
            trace_id=read_ids([span.trace_id for span in spans], TRACE_ID_DIGITS),
            span_id=read_ids([span.span_id for span in spans], SPAN_ID_DIGITS),
            parent_id=parent,
            service=service,
            operation=pa.array([span.name or "" for span in spans], pa.string()),
            kind=codes([span.kind for span in spans], _KINDS, -1),
            start_ns=start,
            duration_ns=duration,
            status=codes([span.status.code if span.status else None for span in spans], _STATES, 0),
            status_message=pa.array(
                [(span.status.message or None) if span.status else None for span in spans], pa.string()
            ),
            attributes=read_pairs([span.attributes for span in spans]),
            resources=resources,
            resource_of=resource_of,
            scopes=pairs_of([_scope_pairs(*scope) for scope in self.scopes]),
            scope_of=np.repeat(np.asarray(self.scope_of, np.int32), self.counts),
            links=_links(spans),
            events=_events(spans),
            notes=(*self.notes, *notes, *parent_notes),
        )
        return folded(found.rows_with_ids())


def _scope_pairs(name: str, version: str, attributes: bytes) -> Pairs:
    """Name and version under the names that OpenTelemetry gives them elsewhere, then the scope's own attributes."""
    named = (("otel.scope.name", name), ("otel.scope.version", version))
    own = decode_pairs(attributes)
    return [*(KeyValue(key, AnyValue(text)) for key, text in named if text), *own]


def _events(spans: Sequence[_Span]) -> pa.Array | None:
    groups = [span.events or () for span in spans]
    flat = [event for group in groups for event in group]
    if not flat:
        return None
    times, _ = integers([event.time_unix_nano for event in flat])
    attributes = read_pairs([event.attributes for event in flat])
    return events_array([len(group) for group in groups], times, [event.name or "" for event in flat], attributes)


def _links(spans: Sequence[_Span]) -> pa.Array | None:
    groups = [span.links or () for span in spans]
    flat = [link for group in groups for link in group]
    if not flat:
        return None
    return links_array(
        [len(group) for group in groups], [link.trace_id for link in flat], [link.span_id for link in flat]
    )


def _message(error: Any) -> str:
    return str(error.get("message") or error) if isinstance(error, dict) else str(error)
