"""What requests always did and now do not, or never did and now do: of log statements and of calls alike.

A request either shows an item (a log statement, a call) at a service or it does not. The share of requests that do is
compared before and during, among all requests that came to the service and, for each other item of it, among those that
show that one: what always followed it and now does not, whatever the mix of requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.analysis.root_cause.statistics import INCIDENT, REFERENCE, g_statistic

Array = np.ndarray[Any, Any]

ALL = -1
"""In place of the item that was given: all requests that came to the service."""

_MOST_ITEMS = 200  # of one service that are crossed with each other; the rarer ones are compared among all requests


@dataclass(frozen=True, slots=True)
class Change:
    """A share of requests that changed for the worse.

    Args:
        service: Its number.
        item: What vanished or appeared.
        given: Among requests with this item; `ALL` for all that came to the service.
        hits: During the incident, requests that show the item.
        total: Of so many.
        other_hits: In the reference.
        other_total: Of so many.
        g: The G statistic.
        tests: How many were made of this item.
    """

    service: int
    item: int
    given: int
    hits: int
    total: int
    other_hits: int
    other_total: int
    g: float
    tests: int

    @property
    def difference(self) -> float:
        """Share during minus share before."""
        return self.hits / max(self.total, 1) - self.other_hits / max(self.other_total, 1)


def changes(*, service: Array, request: Array, item: Array, period: Array, wrong: Array) -> list[Change]:
    """The strongest change for the worse of each item of each service.

    Args:
        service: The service of each row, counted from 0; rows below 0 are left out.
        request: Its request, counted from 0; likewise.
        item: What was seen, counted from 0; items of two services may have one number.
        period: REFERENCE, INCIDENT or NEITHER of each *request*.
        wrong: Of each *item*, whether it is a bad sign when it appears; of the others it is one when they vanish.
    """
    rows = np.flatnonzero((service >= 0) & (request >= 0))
    rows = rows[period[request[rows]] >= 0]
    order = rows[np.argsort(service[rows], kind="stable")]
    cuts = np.flatnonzero(np.diff(service[order])) + 1
    return [
        change
        for part in np.split(order, cuts)
        if len(part)
        for change in _of_service(int(service[part[0]]), request[part], item[part], period, wrong)
    ]


def _of_service(service: int, request: Array, item: Array, period: Array, wrong: Array) -> Iterator[Change]:
    requests, row = np.unique(request, return_inverse=True)
    items, column, counts = np.unique(item, return_inverse=True, return_counts=True)
    shown = np.zeros((len(requests), len(items) + 1), dtype=np.float64)
    shown[row, column] = 1.0
    shown[:, -1] = 1.0
    when = period[requests]
    during, before = shown[when == INCIDENT], shown[when == REFERENCE]
    if not len(during) or not len(before):
        return
    given = np.concatenate([[len(items)], np.sort(np.argsort(-counts, kind="stable")[:_MOST_ITEMS])])
    hits, other_hits = during[:, given].T @ during, before[:, given].T @ before
    total, other_total = during[:, given].sum(axis=0)[:, None], before[:, given].sum(axis=0)[:, None]
    g = g_statistic(hits, total, other_hits, other_total)
    rising = hits * other_total > other_hits * total
    g = np.where(rising == np.append(wrong[items], False)[None, :], g, 0.0)
    worth = g * (hits / np.maximum(total, 1) - other_hits / np.maximum(other_total, 1)) ** 2
    best = np.argmax(worth, axis=0)
    for at in np.flatnonzero(worth[best, np.arange(worth.shape[1])][:-1] > 0).tolist():
        by = int(best[at])
        yield Change(
            service=service,
            item=int(items[at]),
            given=ALL if given[by] == len(items) else int(items[given[by]]),
            hits=int(hits[by, at]),
            total=int(total[by, 0]),
            other_hits=int(other_hits[by, at]),
            other_total=int(other_total[by, 0]),
            g=float(g[by, at]),
            tests=len(given),
        )
