"""Spans with typed attributes as rows for tests: written down, made by hypothesis, and as the columns a store takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from obs_magics.local.traces.store import TraceStore
from obs_magics.model.spans import EVENTS_TYPE, KINDS, LINKS_TYPE, STATUSES
from obs_magics.syntax.spans import Attributes, SpanColumns
from obs_magics.syntax.spans.values import plain
from tests.support.traceql_grammar import NAMES

BASE = 1_795_341_600_000_000_000  # 2026-11-22 10:00 UTC
MS = 1_000_000


@dataclass
class Row:
    """A span; ids are numbers, times nanoseconds after `BASE`."""

    span: int
    parent: int | None = None
    trace: int = 1
    service: str | None = "shop"
    name: str = "op"
    kind: str | None = "internal"
    start: int = 0
    duration: int = 10 * MS
    status: str = "unset"
    message: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[tuple[str, int, Mapping[str, str]]] = ()
    links: Sequence[tuple[int, int]] = ()

    @property
    def trace_id(self) -> str:
        """32 digits."""
        return f"{self.trace:032x}"

    @property
    def span_id(self) -> str:
        """16 digits."""
        return f"{self.span:016x}"

    @property
    def parent_id(self) -> str | None:
        """16 digits; None for a root."""
        return None if self.parent is None else f"{self.parent:016x}"


def columns_of(rows: Sequence[Row]) -> SpanColumns:
    """Spans as readers give them."""
    return SpanColumns(
        trace_id=pa.array([row.trace_id for row in rows], pa.string()),
        span_id=pa.array([row.span_id for row in rows], pa.string()),
        parent_id=pa.array([row.parent_id for row in rows], pa.string()),
        service=pa.array([row.service for row in rows], pa.string()),
        operation=pa.array([row.name for row in rows], pa.string()),
        kind=np.array([KINDS.index(row.kind) if row.kind else -1 for row in rows], np.int8),
        start_ns=np.array([BASE + row.start for row in rows], np.int64),
        duration_ns=np.array([row.duration for row in rows], np.int64),
        status=np.array([STATUSES.index(row.status) for row in rows], np.int8),
        status_message=pa.array([row.message for row in rows], pa.string()),
        attributes=_attributes([row.attributes for row in rows]),
        resources=_attributes([row.resource for row in rows]),
        resource_of=np.arange(len(rows), dtype=np.int32),
        scopes=_attributes([row.scope for row in rows]),
        scope_of=np.arange(len(rows), dtype=np.int32),
        links=_links(rows),
        events=_events(rows),
    )


def store_of(*rows: Row) -> TraceStore:
    """A store of some spans."""
    return TraceStore(columns_of(rows))


def _attributes(owners: Sequence[Mapping[str, Any]]) -> Attributes:
    pairs = [(name, *plain(value)) for owner in owners for name, value in owner.items()]
    return Attributes.of(
        [len(owner) for owner in owners],
        [name for name, _, _ in pairs],
        np.array([code for _, code, _ in pairs], np.int8),
        [text for _, _, text in pairs],
    )


def _links(rows: Sequence[Row]) -> pa.Array | None:
    lists = [[{"trace_id": f"{trace:032x}", "span_id": f"{span:016x}"} for trace, span in row.links] for row in rows]
    return pa.array(lists, LINKS_TYPE) if any(lists) else None


def _events(rows: Sequence[Row]) -> pa.Array | None:
    lists = [
        [
            {"timestamp": BASE + row.start + after, "name": name, "attributes": list(attributes.items())}
            for name, after, attributes in row.events
        ]
        for row in rows
    ]
    return pa.array(lists, EVENTS_TYPE) if any(lists) else None


values = st.one_of(
    st.sampled_from(
        ["", "error", "api", "500", 'say "x"', 0, 1, 5, -7, 200, 2**62, 0.0, 0.5, -2.5, 1e300, True, False]
    ),
    st.sampled_from([["error", "b"], [1, 5], [], [0.5], [True], ["a", 1], None]),
)
attributes = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)
texts = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["", "error", "5"]), max_size=2)


@st.composite
def worlds(draw: st.DrawFn, *, most: int = 12, traces: int = 3) -> list[Row]:
    """Traces whose parents may be missing, and may go round in rings."""
    rows = []
    for trace in range(1, draw(st.integers(1, traces)) + 1):
        count = draw(st.integers(1, most))
        for number in range(1, count + 1):
            parent = draw(st.one_of(st.none(), st.integers(1, count + 1), st.integers(1, count + 1)))
            rows.append(
                Row(
                    span=number,
                    parent=parent,
                    trace=trace,
                    service=draw(st.sampled_from(["api", "web", None])),
                    name=draw(st.sampled_from(["", "error", "a b", "op"])),
                    kind=draw(st.sampled_from([*KINDS, None])),
                    start=draw(st.integers(0, 300)) * 1_000 * MS,
                    duration=draw(st.sampled_from([0, 1, 5 * MS, 10 * MS, 1_000 * MS])),
                    status=draw(st.sampled_from(STATUSES)),
                    message=draw(st.sampled_from([None, "error"])),
                    attributes=draw(attributes),
                    resource=draw(attributes),
                    scope=draw(st.sampled_from([{}, {"otel.scope.name": "lib"}, {"a": 5}])),
                    events=draw(
                        st.lists(st.tuples(st.sampled_from(["error", "x"]), st.integers(0, 5), texts), max_size=2)
                    ),
                    links=draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=1)),
                )
            )
    return rows
