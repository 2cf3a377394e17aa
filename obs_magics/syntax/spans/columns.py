"""Spans as columns: what every format of them is read into, and the spans frame made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.logs import text_column
from obs_magics.model.spans import SPAN_ID_DIGITS, spans_frame
from obs_magics.syntax.spans.attributes import Attributes, Codes, Integers, merged
from obs_magics.syntax.spans.ids import read_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanColumns:
    """Spans in the order in which they were written, each once.

    Args:
        trace_id: Strings of 32 lower-case hex digits.
        span_id: Strings of 16 lower-case hex digits.
        parent_id: Strings of 16, null for a root.
        service: Strings, null where unknown: the resource's `service.name`.
        operation: Strings: the span's name.
        kind: int8, positions in `model.spans.KINDS`, -1 where unknown.
        start_ns: int64 nanoseconds since the epoch.
        duration_ns: int64 nanoseconds.
        status: int8, positions in `model.spans.STATUSES`.
        status_message: Strings, null where there is none.
        attributes: Of each span.
        resources: Of each resource (OTLP) or process (Jaeger).
        resource_of: int32, each span's position in `resources`.
        scopes: Of each instrumentation scope: `otel.scope.name`, `otel.scope.version`, and its own attributes.
        scope_of: int32, each span's position in `scopes`.
        links: `model.spans.LINKS_TYPE`; None when no span has one.
        events: `model.spans.EVENTS_TYPE`; None when no span has one.
        notes: What was mended, each a sentence.
    """

    trace_id: pa.Array
    span_id: pa.Array
    parent_id: pa.Array
    service: pa.Array
    operation: pa.Array
    kind: Codes
    start_ns: Integers
    duration_ns: Integers
    status: Codes
    status_message: pa.Array
    attributes: Attributes
    resources: Attributes
    resource_of: npt.NDArray[np.int32]
    scopes: Attributes
    scope_of: npt.NDArray[np.int32]
    links: pa.Array | None = None
    events: pa.Array | None = None
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        """How many spans there are."""
        return len(self.start_ns)

    def frame(self) -> pd.DataFrame:
        """The spans frame; an attribute of the span hides one of that name of its scope or its resource."""
        lent: Sequence[tuple[Attributes, Any]] = [(self.scopes, self.scope_of), (self.resources, self.resource_of)]
        return spans_frame(
            trace_id=self.trace_id,
            span_id=self.span_id,
            parent_id=self.parent_id,
            service=_categories(self.service),
            operation=_categories(self.operation),
            kind_codes=self.kind,
            start_ns=self.start_ns,
            duration_ns=self.duration_ns,
            status_codes=self.status,
            status_message=self.status_message,
            attributes=merged(self.attributes, lent),
            links=self.links,
            events=self.events,
        )

    def taken(self, rows: Integers) -> SpanColumns:
        """Some of the spans, in this order."""
        places = pa.array(rows)
        texts = ("trace_id", "span_id", "parent_id", "service", "operation", "status_message")
        numbers = ("kind", "start_ns", "duration_ns", "status", "resource_of", "scope_of")
        changes: dict[str, Any] = {name: getattr(self, name).take(places) for name in texts}
        changes |= {name: getattr(self, name)[rows] for name in numbers}
        changes |= {
            name: column.take(places) for name in ("links", "events") if (column := getattr(self, name)) is not None
        }
        return replace(self, attributes=self.attributes.taken(rows), **changes)

    def rows_with_ids(self) -> SpanColumns:
        """Without the spans whose trace or span id makes no sense, which is said."""
        good = pc.and_(self.trace_id.is_valid(), self.span_id.is_valid()).to_numpy(zero_copy_only=False)
        if good.all():
            return self
        lost = len(good) - int(np.count_nonzero(good))
        note = f"{count_of(lost, 'span')} without a trace id and a span id that make sense left out"
        kept = self.taken(np.flatnonzero(good))
        return replace(kept, notes=(*kept.notes, note))


def durations(start_ns: Integers, end_ns: Integers, odd: int) -> tuple[Integers, tuple[str, ...]]:
    """End minus start, never negative; what was mended.

    Args:
        start_ns: int64 nanoseconds since the epoch.
        end_ns: Likewise.
        odd: How many of those times were none.
    """
    notes = [f"{count_of(odd, 'time')} that {'is' if odd == 1 else 'are'} none taken as 0"] if odd else []
    early = end_ns < start_ns
    lost = int(np.count_nonzero(early))
    if lost:
        notes.append(f"{count_of(lost, 'span')} without an end after the start: duration taken as 0")
    return np.where(early, 0, end_ns - start_ns), tuple(notes)


def parents(texts: Sequence[str | None]) -> tuple[pa.Array, tuple[str, ...]]:
    """Ids of parents, null for roots (nothing, or zeros only); what makes no sense is null too, and said."""
    ids = read_ids([text or None for text in texts], SPAN_ID_DIGITS)
    odd = sum(map(bool, texts)) - (len(ids) - ids.null_count)
    notes = (f"{count_of(odd, 'parent id')} that make{'s' if odd == 1 else ''} no sense left out",) if odd else ()
    return pc.if_else(pc.equal(ids, "0" * SPAN_ID_DIGITS), None, ids), notes


def count_of(number: int, thing: str) -> str:
    """`1 span`, `1,200 spans`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _categories(values: pa.Array) -> pd.Categorical:
    """One category per distinct text, sorted."""
    encoded = values.dictionary_encode()
    names = encoded.dictionary
    order = np.asarray(pc.sort_indices(names), dtype=np.int64)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    ranked = np.where(codes < 0, -1, rank[codes]) if len(rank) else codes
    categories = pd.Index(text_column(names.take(pa.array(order))), dtype=STRING_DTYPE)
    return pd.Categorical.from_codes(ranked, categories=categories, validate=False)
