"""How busy each service is over time, told by most of its patterns and not by the sum of its lines.

When traffic doubles, every pattern of a service doubles, and none of them is news. The factor is robust: the patterns
are dealt into a few hands of about the same weight, each hand tells how its lines compare with its own average, and the
median hand is believed. A pattern is judged by the hands it is not in, so that it cannot explain itself.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

OUTSIDER = -1  # the hand of a pattern that takes no part

_HANDS = 9
_BINS = 120  # at most: half a minute of an hour
_LINES_PER_CELL = 10  # of one hand in one bin, on average; fewer say nothing
_LEAST_LINES = 8  # of a pattern that takes part
_LEAST_SHARE = 0.1  # of its average rate that it must have in either part: a pattern that comes or goes is no measure
_SPREAD = 0.1  # squared relative spread of a bin beyond Poisson's: keeps one huge pattern from outweighing the others
_LEAST_FACTOR = 0.02


@dataclass(frozen=True, slots=True)
class Warp:
    """Time as a service lives it: seconds weighted by how busy it was, piecewise linear.

    Args:
        edges: Seconds, ascending, from 0 to the end of the axis.
        load: The same instants in busy seconds; as many over the whole axis as there are seconds.
    """

    edges: Array
    load: Array

    def __call__(self, seconds: Any) -> Any:
        """Busy seconds up to those instants."""
        return np.interp(seconds, self.edges, self.load)


def deal(sizes: Array) -> Array:
    """Deal patterns into hands of about equal weight, the largest first: the hand of each, counted from 0."""
    hands = np.zeros(len(sizes), dtype=np.int64)
    weights = [(0, hand) for hand in range(min(_HANDS, len(sizes)))]
    for pattern in np.argsort(-sizes, kind="stable").tolist():
        weight, hand = heapq.heappop(weights)
        hands[pattern] = hand
        heapq.heappush(weights, (weight + int(sizes[pattern]), hand))
    return hands


def takes_part(early: Array, late: Array, early_span: float, late_span: float) -> Array:
    """Which patterns are there in both parts of the time, and often enough to measure traffic by."""
    mean = (early + late) / (early_span + late_span)
    rates = np.minimum(early / early_span, late / late_span)
    return np.asarray((early + late >= _LEAST_LINES) & (rates >= _LEAST_SHARE * mean))


def warps(seconds: Array, hands: Array, end: float) -> dict[int, Warp]:
    """For each hand, time as told by the other hands of its service; no entry where there is no other.

    `OUTSIDER` is the time of the patterns that take no part, as told by all hands.

    Args:
        seconds: Of the lines of one service whose patterns take part.
        hands: The hand of each line.
        end: Of the axis, in seconds.
    """
    count = int(hands.max(initial=-1)) + 1
    if not count:
        return {}
    bins = int(np.clip(len(seconds) // (_LINES_PER_CELL * count), 1, _BINS))
    edges = np.linspace(0.0, end, bins + 1)
    cell = np.minimum((seconds * (bins / end)).astype(np.int64), bins - 1)
    counts = np.bincount(hands * bins + cell, minlength=count * bins).reshape(count, bins)
    means = counts.mean(axis=1, keepdims=True)
    ratios, weights = counts / means, 1 / (1 / means + _SPREAD)
    found = {}
    for hand in range(OUTSIDER, count if count > 1 else 0):
        others = np.arange(count) != hand
        factors = np.maximum(_weighted_median(ratios[others], weights[others, 0]), _LEAST_FACTOR)
        load = np.concatenate([[0.0], np.cumsum(factors)])
        found[hand] = Warp(edges, load * (end / load[-1]))
    return found


def _weighted_median(values: Array, weights: Array) -> Array:
    """Of each column; halfway between the two middle ones when the weights balance."""
    order = np.argsort(values, axis=0, kind="stable")
    ranked = np.take_along_axis(values, order, axis=0)
    share = np.cumsum(weights[order], axis=0) / weights.sum()
    low = (share >= 0.5 - 1e-9).argmax(axis=0)
    high = (share > 0.5 + 1e-9).argmax(axis=0)
    columns = np.arange(values.shape[1])
    return np.asarray((ranked[low, columns] + ranked[high, columns]) / 2)
