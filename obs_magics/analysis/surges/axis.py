"""From coded lines to lanes: sorting, marks, and each service's own time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from obs_magics.analysis.surges import dispersion, volume
from obs_magics.analysis.surges.lanes import LEAST_BEFORE, Lanes

Array = np.ndarray[Any, Any]

_SECOND = 1e9
_MOST_POOLED = 2000  # lanes that tell how unevenly lines come: the longest ones


@dataclass(frozen=True, slots=True)
class Axis:
    """Lanes, and what leads from them back to the lines.

    Args:
        lanes: The lanes.
        elements: Of each element the number of its line; -1 for a mark.
        patterns: Code of each lane's pattern.
        services: Of its service.
        begin_ns: Where an event may begin at the earliest.
        end_ns: The end of the time that was looked at: the last line of all, where nothing else is known.
        hands: Of each lane the service's own time, None where it is the clock's.
    """

    lanes: Lanes
    elements: Array
    patterns: Array
    services: Array
    begin_ns: int
    end_ns: int
    hands: list[volume.Warp | None]


def build(
    patterns: Array,
    services: Array,
    times_ns: Array,
    baseline_until_ns: int | None,
    span_ns: tuple[int, int] | None = None,
) -> Axis | None:
    """Lay lines out in lanes; None when they have no length in time, or nothing follows the baseline.

    Args:
        patterns: Code of each line's pattern.
        services: Code of each line's service.
        times_ns: Ascending.
        baseline_until_ns: Lines before are the baseline; None for no baseline.
        span_ns: From when to when lines were looked for; None for the first to the last line.
    """
    fixed = baseline_until_ns is not None
    start_ns, end_ns = _ends(times_ns, span_ns)
    begin_ns = start_ns + int(LEAST_BEFORE * (end_ns - start_ns)) if baseline_until_ns is None else baseline_until_ns
    if not start_ns <= begin_ns < end_ns or (fixed and start_ns == begin_ns):
        return None
    seconds = (times_ns - start_ns) / _SECOND
    lane, lane_patterns, lane_services = _number(patterns, services)
    end = (end_ns - start_ns) / _SECOND
    early = times_ns < begin_ns if fixed else seconds < end / 2
    before = np.bincount(lane[times_ns < begin_ns], minlength=len(lane_patterns))
    split = (begin_ns - start_ns) / _SECOND if fixed else end / 2
    hands = _hands(lane, lane_services, seconds, early, split=split, end=end)
    elements, sizes = _elements(lane, before, fixed=fixed)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    placed = np.where(elements >= 0, seconds[elements], end)
    if fixed:
        placed[offsets[:-1] + before] = split
    load = placed.copy()
    for number, warp in enumerate(hands):
        if warp is not None:
            own = slice(offsets[number], offsets[number + 1])
            load[own] = warp(placed[own])
    laid = Lanes(placed, load, offsets, before, fixed)
    return Axis(laid, elements, lane_patterns, lane_services, begin_ns, end_ns, hands)


def pooled(axis: Axis) -> dispersion.Pooled:
    """How unevenly lines come, over the lanes that are long enough to tell."""
    laid = axis.lanes
    end = float(laid.seconds[laid.firsts[0]] if laid.fixed else laid.seconds[-1])
    width = end / dispersion.BINS
    lines = laid.firsts if laid.fixed else laid.lines()
    longest = np.argsort(-lines, kind="stable")[:_MOST_POOLED]
    edges = np.linspace(0.0, end, dispersion.BINS + 1)
    cells = np.zeros((len(longest), dispersion.BINS))
    load = np.ones((len(longest), dispersion.BINS))
    for row, number in enumerate(longest.tolist()):
        begin = int(laid.offsets[number])
        own = laid.seconds[begin : begin + int(lines[number])] / width
        cells[row] = np.bincount(np.minimum(own.astype(np.int64), dispersion.BINS - 1), minlength=dispersion.BINS)
        warp = axis.hands[number]
        if warp is not None:
            load[row] = np.diff(warp(edges))
    return dispersion.pool(cells, load, width)


def _number(patterns: Array, services: Array) -> tuple[Array, Array, Array]:
    """The lane of each line, and each lane's codes; lanes in order of service and pattern."""
    width = int(patterns.max()) + 1
    keys, lane = np.unique((services.astype(np.int64) + 1) * width + patterns, return_inverse=True)
    return lane.astype(np.int64), keys % width, keys // width - 1


def _elements(lane: Array, before: Array, *, fixed: bool) -> tuple[Array, Array]:
    """Numbers of the lines lane by lane in order of time with -1 for the marks, and the size of each lane."""
    marks = 1 + int(fixed)
    lines = np.bincount(lane, minlength=len(before))
    sizes = lines + marks
    starts = np.cumsum(sizes) - sizes
    order = np.argsort(lane, kind="stable")
    place = np.arange(len(lane)) - np.repeat(np.cumsum(lines) - lines, lines)
    if fixed:
        place += place >= np.repeat(before, lines)
    elements = np.full(int(sizes.sum()), -1, dtype=np.int64)
    elements[np.repeat(starts, lines) + place] = order
    return elements, sizes


def _ends(times_ns: Array, span_ns: tuple[int, int] | None) -> tuple[int, int]:
    """From when to when lines were looked for; a line outside stretches it."""
    if not len(times_ns):
        return 0, 0
    first, last = int(times_ns[0]), int(times_ns[-1])
    return (first, last) if span_ns is None else (min(first, span_ns[0]), max(last, span_ns[1]))


def _hands(
    lane: Array, services: Array, seconds: Array, early: Array, *, split: float, end: float
) -> list[volume.Warp | None]:
    """Each lane's own time."""
    found: list[volume.Warp | None] = [None] * len(services)
    first, total = np.bincount(lane[early], minlength=len(services)), np.bincount(lane, minlength=len(services))
    fit = volume.takes_part(first, total - first, split, end - split)
    hand_of_lane = np.full(len(services), volume.OUTSIDER, dtype=np.int64)
    line_service = services[lane]
    order = np.argsort(line_service, kind="stable")
    bounds = np.searchsorted(line_service[order], np.unique(services))
    for own in np.split(order, bounds[1:]):
        members = np.flatnonzero(services == line_service[own[0]])
        playing = members[fit[members]]
        hand_of_lane[playing] = volume.deal(total[playing])
        mine = own[fit[lane[own]]]
        told = volume.warps(seconds[mine], hand_of_lane[lane[mine]], end)
        for number in members.tolist():
            found[number] = told.get(int(hand_of_lane[number]))
    return found
