"""The spans that a query looks at: whole traces of a store, and what is known of each span."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from obs_magics.local.promql.context import Stopped
from obs_magics.local.traceql.stored import attribute_values, event_values, link_values
from obs_magics.local.traceql.values import DURATION, INT, KIND, STATUS, Integers, Values
from obs_magics.local.traces.catalog import SERVICE
from obs_magics.local.traces.store import Mask, TraceStore
from obs_magics.syntax.traceql.tree import Attribute, Intrinsic

_SCOPE_NAMES = {"instrumentation:name": "otel.scope.name", "instrumentation:version": "otel.scope.version"}
_ANYWHERE = ("span", "resource", "event", "instrumentation")


class View:
    """Whole traces.

    Args:
        store: Where they lie.
        traces: bool, one per trace of the store: which of them.
        stop: When set, the evaluation ends soon with `Stopped`.
    """

    def __init__(self, store: TraceStore, traces: Mask, stop: Event | None = None) -> None:
        self.store = store
        self._stop = stop
        self.rows: Integers = store.rows_of(np.flatnonzero(traces))
        """int64: where the spans stand in the store."""
        self._known: dict[Attribute | Intrinsic, Values] = {}
        self._intrinsics: Mapping[str, Callable[[], Values]] = {
            "span:duration": lambda: self._of(DURATION, store.columns.duration_ns),
            "span:name": lambda: self._texts(store.columns.operation),
            "span:kind": lambda: self._of(KIND, store.columns.kind),
            "span:status": lambda: self._of(STATUS, store.columns.status),
            "span:statusMessage": lambda: self._texts(store.columns.status_message),
            "span:id": lambda: self._texts(store.columns.span_id),
            "span:parentID": lambda: self._texts(store.columns.parent_id),
            "span:childCount": lambda: self._ints(store.tree.children),
            "trace:id": lambda: self._texts(store.columns.trace_id),
            "trace:duration": lambda: Values.of(DURATION, numbers=self._lasting(), size=len(self)),
            "trace:rootName": lambda: self._of_root(store.columns.operation),
            "trace:rootService": lambda: self._of_root(store.columns.service),
            "nestedSetLeft": lambda: self._ints(store.tree.left - self._bases()),
            "nestedSetRight": lambda: self._ints(store.tree.right - self._bases()),
            "nestedSetParent": lambda: self._ints(self._nested_parents()),
        }

    def __len__(self) -> int:
        return len(self.rows)

    def check(self) -> None:
        """Raise `Stopped` when nobody waits for the answer any more."""
        if self._stop is not None and self._stop.is_set():
            raise Stopped

    @cached_property
    def trace(self) -> Integers:
        """int64: the number of each span's trace in the store, ascending."""
        return self.store.trace[self.rows]

    @cached_property
    def parent(self) -> Integers:
        """int64: the position of each span's parent in the view, -1 for none."""
        parents = self.store.tree.parent[self.rows]
        places = np.searchsorted(self.rows, parents)
        return np.where(parents >= 0, places, -1)

    @cached_property
    def left(self) -> Integers:
        """int64: each span's number on the way down."""
        return self.store.tree.left[self.rows]

    @cached_property
    def right(self) -> Integers:
        """int64: that on the way up."""
        return self.store.tree.right[self.rows]

    @cached_property
    def numbers(self) -> int:
        """More than the largest of these numbers."""
        return 2 * len(self.store) + 2

    @cached_property
    def family(self) -> Integers:
        """int64: equal for siblings, the roots of a trace among them; 0 for those whose parent is not there."""
        is_root = self.store.tree.is_root[self.rows]
        roots = np.where(is_root, len(self) + 1 + self.trace, 0)
        return np.where(self.parent >= 0, self.parent + 1, roots)

    def values(self, name: Attribute | Intrinsic) -> Values:
        """What each span has of an attribute or an intrinsic."""
        key = Intrinsic(name.name) if isinstance(name, Intrinsic) else Attribute(name.scope, name.name)
        if key not in self._known:
            self.check()
            if isinstance(key, Intrinsic):
                self._known[key] = self._intrinsic(key.name)
            else:
                self._known[key] = self._attribute(key.scope, key.name)
        return self._known[key]

    def _intrinsic(self, name: str) -> Values:
        if name in self._intrinsics:
            return self._intrinsics[name]()
        if name in _SCOPE_NAMES:
            return self._attribute("instrumentation", _SCOPE_NAMES[name])
        kind, _, field = name.partition(":")
        if kind == "link":
            return link_values(self.store.columns.links, field, self.rows)
        return event_values(self.store.columns, f":{field}", self.rows)

    def _attribute(self, scope: str, name: str) -> Values:
        columns = self.store.columns
        if scope == "":
            found = self._attribute(_ANYWHERE[0], name)
            for other in _ANYWHERE[1:]:
                found = found.over(self._attribute(other, name))
            return found
        if scope == "event":
            return event_values(columns, name, self.rows)
        if scope == "link":
            return Values.nil(len(self))
        if (scope, name) == ("resource", SERVICE):
            return Values.texts(columns.service.take(pa.array(self.rows)))
        if scope == "span":
            return attribute_values(columns.attributes, name).take(self.rows)
        of_resource = scope == "resource"
        table = columns.resources if of_resource else columns.scopes
        owner = columns.resource_of if of_resource else columns.scope_of
        return attribute_values(table, name).take(owner[self.rows])

    def _of(self, kind: int, column: npt.NDArray[np.integer[Any]]) -> Values:
        return Values.of(kind, numbers=column[self.rows], size=len(self))

    def _ints(self, column: Integers) -> Values:
        return self._of(INT, column)

    def _texts(self, column: pa.Array) -> Values:
        return Values.texts(column.take(pa.array(self.rows)).fill_null(""))

    def _lasting(self) -> Integers:
        """How long each span's trace takes, from the first start to the last end."""
        columns, starts = self.store.columns, self.store.offsets[:-1]
        ends = np.maximum.reduceat(columns.start_ns + columns.duration_ns, starts)
        lasting: Integers = (ends - columns.start_ns[starts])[self.trace]
        return lasting

    def _of_root(self, column: pa.Array) -> Values:
        """What the root of each span's trace has, the first where there are several; an empty text without any."""
        tree = self.store.tree
        roots = np.flatnonzero(tree.is_root)
        first = np.full(self.store.traces, -1, np.int64)
        first[self.store.trace[roots[::-1]]] = roots[::-1]
        places = first[self.trace]
        return Values.texts(column.take(pa.array(places, mask=places < 0)).fill_null(""))

    def _bases(self) -> Integers:
        """What comes before the numbers of each span's trace: those of a trace begin with 1."""
        lowest = np.minimum.reduceat(self.store.tree.left, self.store.offsets[:-1])
        bases: Integers = (lowest - 1)[self.store.trace]
        return bases

    def _nested_parents(self) -> Integers:
        """The parent's number, -1 for a root, 0 where the parent is not there."""
        tree = self.store.tree
        numbers = (tree.left - self._bases())[np.maximum(tree.parent, 0)]
        return np.where(tree.parent >= 0, numbers, np.where(tree.is_root, -1, 0))
