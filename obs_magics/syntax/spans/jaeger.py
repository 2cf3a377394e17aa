"""Jaeger's own JSON: what its legacy API answers, what its UI downloads, and what VictoriaTraces writes.

Times are microseconds. What OpenTelemetry has fields for stands in tags (`span.kind`, `error`, `otel.status_code`,
`otel.status_description`): those become columns, as in
https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from obs_magics.model.errors import BadAnswer
from obs_magics.model.spans import SPAN_ID_DIGITS, TRACE_ID_DIGITS
from obs_magics.syntax.spans import values
from obs_magics.syntax.spans.attributes import Attributes, Integers
from obs_magics.syntax.spans.columns import SpanColumns, count_of, parents
from obs_magics.syntax.spans.documents import decode
from obs_magics.syntax.spans.fold import folded
from obs_magics.syntax.spans.ids import read_id, read_ids
from obs_magics.syntax.spans.jaeger_tags import NO_TAGS, read_tags
from obs_magics.syntax.spans.jaeger_told import Told
from obs_magics.syntax.spans.lists import events_array, integers, links_array

_WHAT = "Jaeger's JSON of traces"
_MICROSECOND = 1_000
_MOST_MICROSECONDS = np.iinfo(np.int64).max // _MICROSECOND
_CHILD = "CHILD_OF"


def _as_written(name: str) -> str:
    """`parent_span_id` is `parentSpanID` there."""
    first, *others = name.split("_")
    return first + "".join("ID" if word == "id" else word.capitalize() for word in others)


class _Reference(msgspec.Struct, gc=False, rename=_as_written):
    ref_type: str | None = None
    trace_id: str | None = None
    span_id: str | None = None


class _Log(msgspec.Struct, gc=False, rename=_as_written):
    timestamp: int | float | str | None = None
    fields: msgspec.Raw = NO_TAGS


class _Process(msgspec.Struct, gc=False, rename=_as_written):
    service_name: str | None = None
    tags: msgspec.Raw = NO_TAGS


class _Span(msgspec.Struct, gc=False, rename=_as_written):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    operation_name: str | None = None
    references: list[_Reference] | None = None
    start_time: int | float | str | None = None
    duration: int | float | str | None = None
    tags: msgspec.Raw = NO_TAGS
    logs: list[_Log] | None = None
    process_id: str | None = None
    process: _Process | None = None
    warnings: list[str] | None = None


class _Node(_Span, rename=_as_written):
    """An answer, a trace, or a span on its own: they are told apart by what they have."""

    data: _Node | list[_Node] | None = None
    errors: Any = msgspec.UNSET
    spans: list[_Span] | None = None
    processes: dict[str, _Process] | None = None


_DECODER = msgspec.json.Decoder(_Node | list[_Node])


def read_jaeger(body: bytes) -> SpanColumns:
    """Read ``{"data": [{"traceID", "spans", "processes"}]}``, a trace on its own, or a list of traces or of spans.

    Raises:
        BadAnswer: It is no such document.
    """
    gathered = _Gathered()
    for document in decode(body, _DECODER, _WHAT):
        for node in document if isinstance(document, list) else [document]:
            gathered.add(node)
    return gathered.columns()


@dataclass(slots=True)
class _Gathered:
    """The spans of documents, and of which process each is."""

    spans: list[_Span] = field(default_factory=list)
    process_of: list[int] = field(default_factory=list)
    processes: dict[tuple[str, bytes], int] = field(default_factory=dict)
    homeless: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, node: _Node) -> None:
        """Take what a document holds."""
        if node.spans is not None:
            self._add_trace(node.spans, node.processes or {}, node.trace_id, node.warnings)
        elif node.span_id is not None:
            self._add_trace([node], {}, None, None)
        elif node.data is None and node.errors is msgspec.UNSET:
            raise BadAnswer(f"this is not {_WHAT}: it has neither data nor spans")
        for inner in node.data if isinstance(node.data, list) else [node.data] if node.data is not None else []:
            self.add(inner)
        if isinstance(node.errors, list):
            self.notes += [f"the server says: {_message(error)}" for error in node.errors]

    def _add_trace(
        self, spans: Sequence[_Span], processes: dict[str, _Process], trace_id: str | None, warnings: Any
    ) -> None:
        known = {name: self._process(process) for name, process in processes.items()}
        own = [known.get(span.process_id or "", -1) if span.process is None else -1 for span in spans]
        if -1 in own:
            own = [place if place >= 0 else self._own_process(span) for place, span in zip(own, spans, strict=True)]
        self.process_of += own
        for span in [span for span in spans if not span.trace_id]:
            span.trace_id = trace_id
        self.spans += spans
        self.notes += [f"trace {trace_id}: {warning}" for warning in warnings or ()]

    def _own_process(self, span: _Span) -> int:
        """That of a span which does not refer to those of its trace."""
        self.homeless += span.process is None
        return self._process(span.process or _Process())

    def _process(self, process: _Process) -> int:
        return self.processes.setdefault((process.service_name or "", bytes(process.tags)), len(self.processes))

    def columns(self) -> SpanColumns:
        """Everything as columns."""
        spans = self.spans
        service_names = pa.array([name or None for name, _ in self.processes], pa.string())
        resources = read_tags([msgspec.Raw(tags) for _, tags in self.processes])
        resource_of = np.asarray(self.process_of, np.int32)
        told = Told.by(read_tags([span.tags for span in spans]))
        warnings = [values.json_text(span.warnings) if span.warnings else None for span in spans]
        start, duration, notes = _times(spans)
        parent, links = _references(spans)
        parent_ids, parent_notes = parents(parent)
        found = SpanColumns(
            trace_id=read_ids([span.trace_id for span in spans], TRACE_ID_DIGITS),
            span_id=read_ids([span.span_id for span in spans], SPAN_ID_DIGITS),
            parent_id=parent_ids,
            service=service_names.take(pa.array(resource_of)),
            operation=pa.array([span.operation_name or "" for span in spans], pa.string()),
            kind=told.kind,
            start_ns=start,
            duration_ns=duration,
            status=told.status,
            status_message=told.message,
            attributes=told.tags.plus("warnings", pa.array(warnings, pa.string()), values.ARRAY),
            resources=resources.without("service.name", service_names.is_null().to_numpy(zero_copy_only=False)).plus(
                "service.name", service_names, values.STRING
            ),
            resource_of=resource_of,
            scopes=Attributes.of([0], [], np.empty(0, np.int8), []),
            scope_of=np.zeros(len(spans), np.int32),
            links=links,
            events=_events(spans),
            notes=(*dict.fromkeys(self.notes), *self._homeless(), *notes, *parent_notes),
        )
        return folded(found.rows_with_ids())

    def _homeless(self) -> Iterable[str]:
        if self.homeless:
            yield f"{count_of(self.homeless, 'span')} of a process that is not there: the service is unknown"


def _times(spans: Sequence[_Span]) -> tuple[Integers, Integers, tuple[str, ...]]:
    start, odd = _nanoseconds([span.start_time for span in spans])
    duration, more = _nanoseconds([span.duration for span in spans])
    negative = int(np.count_nonzero(duration < 0))
    notes = [f"{count_of(odd + more, 'time')} that cannot be taken as 0"] if odd + more else []
    if negative:
        notes.append(f"{count_of(negative, 'span')} of a negative duration: taken as 0")
    return start, np.maximum(duration, 0), tuple(notes)


def _nanoseconds(values_us: Sequence[Any]) -> tuple[Integers, int]:
    found, odd = integers(values_us)
    beyond = np.abs(found) > _MOST_MICROSECONDS
    return np.where(beyond, 0, found) * _MICROSECOND, odd + int(np.count_nonzero(beyond))


def _references(spans: Sequence[_Span]) -> tuple[list[str | None], pa.Array | None]:
    """Parents (the first CHILD_OF in the same trace), and what else is referred to, as links."""
    parent_ids: list[str | None] = []
    others: dict[int, list[_Reference]] = {}
    for place, span in enumerate(spans):
        references = span.references
        if not references:
            parent_ids.append(span.parent_span_id)
            continue
        parent: _Reference | None = (first := references[0])
        if len(references) > 1 or first.ref_type != _CHILD or first.trace_id != span.trace_id:
            parent = _parent(span, references)
            others[place] = [one for one in references if one is not parent]
        parent_ids.append(parent.span_id if parent is not None else None)
    flat = [one for group in others.values() for one in group]
    if not flat:
        return parent_ids, None
    counts = [len(others.get(place, ())) for place in range(len(spans))]
    return parent_ids, links_array(counts, [one.trace_id for one in flat], [one.span_id for one in flat])


def _parent(span: _Span, references: Sequence[_Reference]) -> _Reference | None:
    return next((one for one in references if one.ref_type == _CHILD and _same(one.trace_id, span.trace_id)), None)


def _same(one: str | None, other: str | None) -> bool:
    if one == other or not one:
        return True
    return read_id(one, TRACE_ID_DIGITS) == read_id(other or "", TRACE_ID_DIGITS)


def _events(spans: Sequence[_Span]) -> pa.Array | None:
    """Logs: the field `event` is the name."""
    groups = [span.logs or () for span in spans]
    flat = [log for group in groups for log in group]
    if not flat:
        return None
    times, _ = _nanoseconds([log.timestamp for log in flat])
    fields = read_tags([log.fields for log in flat])
    names = fields.texts_of("event").fill_null("").to_pylist()
    return events_array([len(group) for group in groups], times, names, fields.without("event"))


def _message(error: Any) -> str:
    return str(error.get("msg") or error) if isinstance(error, dict) else str(error)
