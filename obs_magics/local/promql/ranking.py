"""Which series topk, bottomk and limitk keep at each step.

Where more series share the last place than there is room for, Prometheus keeps those that its binary heap happens to
hold (promql/engine.go, `aggregationK`, over Go's container/heap); the heap is then rebuilt here move by move. Version 2
takes the top off and puts the new one in, version 3 replaces the top.
"""

from __future__ import annotations

import numpy as np

from obs_magics.local.promql.data import Array


def first_k(present: Array, limits: Array) -> Array:
    """Mark (bool [series, steps]) the first `limits` (int64 [steps]) present series of each step."""
    chosen: Array = present & (np.cumsum(present, axis=0) <= limits)
    return chosen


def top_k(values: Array, present: Array, limits: Array, *, version: int) -> Array:
    """Mark (bool [series, steps]) the `limits` (int64 [steps]) largest present values of a step; NaN is least."""
    counts = present.sum(axis=0)
    chosen: Array = present & (counts <= limits)
    contested = np.flatnonzero((counts > limits) & (limits > 0))
    if not len(contested):
        return chosen
    keys = np.where(present & ~np.isnan(values), values, -np.inf)[:, contested]
    places = (len(values) - limits[contested])[np.newaxis]
    last = np.take_along_axis(np.sort(keys, axis=0), places, axis=0)
    chosen[:, contested] = present[:, contested] & (keys >= last)
    unclear = contested[(chosen[:, contested].sum(axis=0) != limits[contested]) | np.isneginf(last[0])]
    for step in unclear:
        rows = np.flatnonzero(present[:, step])
        chosen[:, step] = False
        chosen[rows[_heap(values[rows, step].tolist(), int(limits[step]), version)], step] = True
    return chosen


def _less(one: float, other: float) -> bool:
    return one != one or one < other  # noqa: PLR0124 - only NaN differs from itself


def _heap(values: list[float], limit: int, version: int) -> list[int]:
    """Positions of the values that a heap of `limit` places holds in the end, its smallest on top."""
    heap: list[int] = []
    for position, value in enumerate(values):
        if len(heap) < limit:
            heap.append(position)
            _rise(heap, values)
        elif version >= 3 and value != value:  # noqa: PLR0124 - a NaN replaces nothing, not even a NaN
            continue
        elif _less(values[heap[0]], value):
            _put_in(heap, position, values, version)
    return heap


def _put_in(heap: list[int], position: int, values: list[float], version: int) -> None:
    if version >= 3 or len(heap) == 1:
        heap[0] = position
        _sink(heap, values)
        return
    heap[0] = heap.pop()
    _sink(heap, values)
    heap.append(position)
    _rise(heap, values)


def _rise(heap: list[int], values: list[float]) -> None:
    child = len(heap) - 1
    while child > 0:
        parent = (child - 1) // 2
        if not _less(values[heap[child]], values[heap[parent]]):
            return
        heap[child], heap[parent] = heap[parent], heap[child]
        child = parent


def _sink(heap: list[int], values: list[float]) -> None:
    parent = 0
    while (child := 2 * parent + 1) < len(heap):
        if child + 1 < len(heap) and _less(values[heap[child + 1]], values[heap[child]]):
            child += 1
        if not _less(values[heap[child]], values[heap[parent]]):
            return
        heap[child], heap[parent] = heap[parent], heap[child]
        parent = child
