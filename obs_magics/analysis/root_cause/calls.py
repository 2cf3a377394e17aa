"""Calls that requests always made and now do not, or never made and now do; and calls that fail where they begin to.

The owner of a call is who makes it: a service that stops half-way makes no more calls from there on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.root_cause.findings import Finding
from obs_magics.analysis.root_cause.inputs import nanoseconds
from obs_magics.analysis.root_cause.log_statements import first_instants, surprise_of
from obs_magics.analysis.root_cause.periods import Periods
from obs_magics.analysis.root_cause.presence import ALL, changes
from obs_magics.analysis.spans import span_tree
from obs_magics.analysis.spans.tree import SpanTree

Array = np.ndarray[Any, Any]

_WRONG = r"(?i)error|exception|fallback"


@dataclass(frozen=True)
class Requests:
    """Spans with their tree, and which period each trace belongs to.

    Args:
        frame: A spans frame.
        tree: Its tree.
        period: Of each trace, by its first span.
    """

    frame: pd.DataFrame
    tree: SpanTree
    period: Array

    @classmethod
    def of(cls, frame: pd.DataFrame, periods: Periods) -> Requests:
        """Find the tree and the periods."""
        tree = span_tree(frame)
        return cls(frame, tree, periods.of(first_instants(tree.trace, nanoseconds(frame["start"]))))

    @cached_property
    def service(self) -> Array:
        """The code of each span's service; -1 for none."""
        return self.frame["service"].cat.codes.to_numpy().astype(np.int64)

    @cached_property
    def operation(self) -> Array:
        """A number for the service and the operation of each span, dense from 0."""
        codes = self.frame["operation"].cat.codes.to_numpy().astype(np.int64)
        many = len(self.frame["operation"].cat.categories) + 1
        return np.unique((self.service + 1) * many + codes + 1, return_inverse=True)[1]

    @cached_property
    def names(self) -> list[tuple[str, str]]:
        """Service and operation by the number of `operation`."""
        first = np.unique(self.operation, return_index=True)[1]
        rows = self.frame[["service", "operation"]].iloc[first].astype(object)
        return [(str(service), str(operation)) for service, operation in rows.itertuples(index=False)]

    @cached_property
    def crossing(self) -> Array:
        """Rows whose parent belongs to another service."""
        parent = self.tree.parent
        return np.flatnonzero((parent >= 0) & (self.service != self.service[np.maximum(parent, 0)]))

    @cached_property
    def services(self) -> frozenset[str]:
        """Every service that has a span."""
        return frozenset(str(name) for name in self.frame["service"].cat.categories)

    @cached_property
    def waiting(self) -> Array:
        """Whether a span does nothing but wait for another service, so that its self time is what lies between them.

        That is how a client's span looks, which stands below one of its own service. Where a service's first span calls
        others itself, its self time is the service's own work, and what lies between is part of it.
        """
        parent = self.tree.parent
        found = np.zeros(len(parent), dtype=bool)
        found[parent[self.crossing]] = True
        first = (parent < 0) | (self.service != self.service[np.maximum(parent, 0)])
        waits: Array = found & ~first
        return waits

    @cached_property
    def edges(self) -> set[tuple[str, str]]:
        """Who calls whom."""
        names = [str(name) for name in self.frame["service"].cat.categories]
        pairs = np.stack([self.service[self.tree.parent[self.crossing]], self.service[self.crossing]], axis=1)
        return {
            (names[caller], names[callee])
            for caller, callee in np.unique(pairs, axis=0).tolist()
            if min(caller, callee) >= 0
        }


def call_findings(requests: Requests) -> list[Finding]:
    """Calls, and operations of a service's own, that came or went."""
    parent, own = requests.tree.parent, requests.service
    owner = np.where(parent >= 0, own[np.maximum(parent, 0)], own)
    rows = np.stack(
        [
            np.concatenate([owner, own]),
            np.concatenate([requests.tree.trace, requests.tree.trace]),
            np.concatenate([requests.operation, requests.operation]),
        ]
    )
    many = len(requests.names)
    packed = np.unique((rows[0] * len(requests.period) + rows[1]) * many + rows[2])
    pairs, item = np.divmod(packed, many)
    service, request = np.divmod(pairs, len(requests.period))
    wrong = pd.Series([operation for _service, operation in requests.names], dtype=object).str.contains(_WRONG)
    found = changes(
        service=service, request=request, item=item, period=requests.period, wrong=wrong.to_numpy(dtype=bool)
    )
    services = [str(name) for name in requests.frame["service"].cat.categories]
    return [
        Finding(
            service=services[change.service],
            signal="calls",
            kind="vanished" if change.difference < 0 else "appeared",
            subject=" ".join(requests.names[change.item]),
            surprise=surprise_of(change),
            before=change.other_hits / max(change.other_total, 1),
            during=change.hits / max(change.total, 1),
            counts=(change.other_total, change.total),
            details={
                "given": "" if change.given == ALL else " ".join(requests.names[change.given]),
                "to": requests.names[change.item][0],
            },
        )
        for change in found
        if change.service >= 0
    ]
