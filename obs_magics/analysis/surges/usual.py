"""What a pattern does anyway: how unevenly its lines come, jobs that run again and again, pauses, and clocks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from obs_magics.analysis.surges import counts
from obs_magics.analysis.surges.dispersion import Pooled, excess
from obs_magics.analysis.surges.lanes import LEAST_SECONDS, Lanes

Array = np.ndarray[Any, Any]

_MOST_BLOCKS = 64  # on each side of the stretch
_BLOCKS = 10  # at least
_ALIKE = 1 / 3  # of the excess: a stretch with that much of it is of the same kind
_FROM_THE_START = 1.5  # mean intervals before the first of a kind: more, and they did not run from the start
_ROUND = 300.0  # seconds: two runs some times that apart follow a timetable
_ROUND_WITHIN = 5.0
SLACK = 2 * LEAST_SECONDS  # that a burst like another may take longer
_BEATS = 12  # gaps, from which a clock can be told
_REGULAR = 10.0  # mean² / variance of gaps, from which it is one; twelve gaps at random have that once in a million
_MOST_REGULAR = 25.0  # what a clock is trusted with: late by half a beat happens
MISSED_BEATS = 3.0  # that at least have to be missing


def outside(lane: Lanes, start: int, stop: int, *, high: bool) -> Array:
    """Indices of the lines that a stretch is held against: the baseline's, or all outside of it."""
    first = int(lane.firsts[0])
    if lane.fixed:
        return np.arange(first)
    keep = np.ones(len(lane.seconds) - 1, dtype=bool)
    keep[start if high else start + 1 : stop + 1 if high else stop] = False
    return np.flatnonzero(keep)


def dispersion(lane: Lanes, start: int, stop: int, pooled: Pooled, *, span: float, high: bool) -> float:
    """How uneven stretches of `span` seconds are in one lane: the usual phi, times how much more uneven this lane is.

    That is told by blocks outside of the stretch and as long, or shorter where too few of that length are left. The
    blocks that lie furthest on the stretch's side, as many as it would cover, are left out: they may be another event.
    """
    usual = float(pooled.at(span))
    before, after = _sides(lane, start, stop)
    width = min(span, (before + after) / _BLOCKS)
    left, right = min(int(before / width), _MOST_BLOCKS), min(int(after / width), _MOST_BLOCKS)
    ends = (before - width * np.arange(left, -1, -1.0), float(lane.seconds[stop]) + width * np.arange(right + 1.0))
    kept = lane.seconds[outside(lane, start, stop, high=high)]
    blocks = np.concatenate([np.diff(np.searchsorted(kept, part)) for part in ends])
    load = np.concatenate([np.diff(np.interp(part, lane.seconds, lane.load)) for part in ends])
    other = _furthest(blocks, math.ceil(span / width) + 1, high=high)
    blocks, load = np.delete(blocks, other), np.delete(load, other)
    if not blocks.sum():
        return usual
    own = min(float(excess(blocks, np.ones(len(blocks)))), float(excess(blocks, load)))
    return usual * max(own / float(pooled.at(width)), 1.0)


def _furthest(blocks: Array, many: int, *, high: bool) -> slice:
    """The blocks in a row that hold most lines, or fewest; none where that is more than a quarter of all."""
    if 4 * many > len(blocks):
        return slice(0, 0)
    sums = np.convolve(blocks, np.ones(many), mode="valid")
    start = int(np.argmax(sums) if high else np.argmin(sums))
    return slice(start, start + many)


def _sides(lane: Lanes, start: int, stop: int) -> tuple[float, float]:
    """Seconds that a stretch can be held against, before and after it."""
    if lane.fixed:
        return float(lane.seconds[lane.firsts[0]]), 0.0
    return float(lane.seconds[start]), float(lane.seconds[-1] - lane.seconds[stop])


def alike(lane: Lanes, start: int, stop: int, lines: float, *, high: bool) -> Array:
    """Where stretches of the same kind begin, in seconds: about as long, with a third of the excess, or of the silence.

    Args:
        lane: One pattern in one service.
        start: Index of the stretch's first element.
        stop: Of its last.
        lines: That it should have held.
        high: More lines than usual, or fewer.
    """
    own, span = float(lane.seconds[start]), float(lane.seconds[stop] - lane.seconds[start])
    kept = lane.seconds[outside(lane, start, stop, high=high)]
    if high:
        span += SLACK  # a job does not always take as long
        enough = lines + _ALIKE * (stop - start + 1 - lines)
        size = np.searchsorted(kept, kept + span, side="right") - np.arange(len(kept))
        return _apart(kept[size >= enough], size[size >= enough], span)
    lone = stop - start
    kept = np.concatenate([[0.0], kept])  # it may begin with a pause
    begins = kept[: max(len(kept) - lone, 0)]
    length = kept[lone:][: len(begins)] - begins
    long = (length >= _ALIKE * span) & (begins != own)
    return _apart(begins[long], length[long], _ALIKE * span)


def recurs(lane: Lanes, own: float, like: Array, *, high: bool) -> bool:
    """Whether a stretch is nothing new: a job's burst that comes again and again, or its pause.

    With a baseline, one like it there is enough. Without, the like must have been there from the start: the first no
    later than they follow each other; and of bursts there must be three, or two some times five minutes apart.

    Args:
        lane: One pattern in one service.
        own: When the stretch begins.
        like: When those like it do.
        high: More lines than usual, or fewer.
    """
    if lane.fixed:
        return bool(len(like))
    runs = np.sort(np.append(like, own))
    if len(runs) < 2 or runs[0] > _FROM_THE_START * float(np.diff(runs).mean()):
        return False
    off_schedule = (float(runs[1] - runs[0]) + _ROUND / 2) % _ROUND - _ROUND / 2
    return not high or len(runs) > 2 or abs(off_schedule) <= _ROUND_WITHIN


def _apart(starts: Array, size: Array, span: float) -> Array:
    """Of stretches by their beginnings, those that lie apart: of some that overlap the largest, of equals the first."""
    chosen, place = [], 0
    while place < len(starts):
        after = int(np.searchsorted(starts, starts[place] + span, side="right"))
        best = place + int(np.argmax(size[place:after]))
        chosen.append(starts[best])
        place = int(np.searchsorted(starts, starts[best] + span, side="right"))
    return np.asarray(chosen, dtype=np.float64)


def regular(lanes: Lanes) -> Array:
    """Which lanes beat like a clock but for one long gap, and where that gap begins: positions, -1 for the others."""
    found = np.full(len(lanes), -1, dtype=np.int64)
    for number in _steady(lanes).tolist():
        lane = lanes.lane(number)
        gaps = np.diff(lane.seconds)
        first = int(lane.firsts[0])
        if first >= len(gaps):
            continue
        longest = first + int(np.argmax(gaps[first:]))
        beat = clock(lane, longest, longest + 1)
        if beat is not None and gaps[longest] > MISSED_BEATS * beat[0]:
            found[number] = longest
    return found


def _steady(lanes: Lanes) -> Array:
    """Lanes whose gaps, the longest left out, are about as regular as a clock's: a quick look at all of them."""
    lines = lanes.firsts if lanes.fixed else lanes.lines()
    many = np.flatnonzero(lines > _BEATS)
    if not len(many):
        return many
    gaps = np.diff(lanes.seconds)
    bounds = np.stack([lanes.offsets[many], lanes.offsets[many] + lines[many] - 1], axis=1).ravel()
    count = lines[many] - 2
    longest = np.maximum.reduceat(gaps, bounds)[::2]
    mean = (np.add.reduceat(gaps, bounds)[::2] - longest) / count
    variance = (np.add.reduceat(gaps**2, bounds)[::2] - longest**2) / count - mean**2
    return np.asarray(many[mean**2 >= _REGULAR / 2 * variance])


def clock(lane: Lanes, start: int, stop: int) -> tuple[float, float, int] | None:
    """Mean gap, regularity and number of gaps of a lane that beats like a clock outside of a stretch; None if not."""
    kept = lane.seconds[outside(lane, start, stop, high=False)]
    gaps = np.diff(kept)
    if not lane.fixed and start < len(kept) - 1:
        gaps = np.delete(gaps, start)  # the stretch itself
    if len(gaps) < _BEATS:
        return None
    mean, variance = float(gaps.mean()), float(gaps.var(ddof=1))
    regularity = mean**2 / variance if variance > 0 else _MOST_REGULAR
    return (mean, min(regularity, _MOST_REGULAR), len(gaps)) if mean > 0 and regularity >= _REGULAR else None


def missed(lane: Lanes, start: int, stop: int) -> float:
    """Probability that a clock pauses that long by chance, among all its gaps; 1 when it is no clock or just late."""
    beat = clock(lane, start, stop)
    gap = float(lane.seconds[stop] - lane.seconds[start])
    if beat is None or gap <= MISSED_BEATS * beat[0]:
        return 1.0
    return min(counts.longer_gap(gap, beat[0], beat[1]) * (beat[2] + 1), 1.0)
