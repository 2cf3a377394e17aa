"""The events of one lane: find the stretch that stands out most, settle its ends, judge it, look again without it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from obs_magics.analysis.surges import counts, edges, lanes, usual
from obs_magics.analysis.surges.dispersion import Pooled
from obs_magics.analysis.surges.lanes import LEAST_FACTOR, LEAST_LINES, LEAST_SECONDS, PRIOR_LINES, Lanes

Array = np.ndarray[Any, Any]

BURST_SECONDS = 30.0
BURST_LINES = 20  # of a shorter stretch: what one request, loop or restart prints at once is no change of rate
_FEW = 2  # stretches like one, that may be events too
_FAR = 8.0  # times the expected lines, from which a stretch is no mere extreme of what is usual
_PAUSE = 0.5  # of the longer of two stretches: what lies closer is one event
MOST_EVENTS = 8  # of one pattern in one service; what has more is restless, and no event


@dataclass(frozen=True, slots=True)
class Stretch:
    """An event of one lane.

    Args:
        start: Position in the lane of the line it begins with (more lines), or of the last one before it (fewer).
        stop: Of the last line, or the first one after it; a mark where the axis ends.
        high: More lines than usual, or fewer.
        count: Lines within.
        expected: Lines that the usual would have given.
        known: Lines that the expectation rests on; 0 for a pattern never seen.
        p_value: Of so many, or so few, somewhere on the axis.
    """

    start: int
    stop: int
    high: bool
    count: int
    expected: float
    known: int
    p_value: float

    def overlaps(self, other: Stretch) -> bool:
        """Whether they share more than an end."""
        return self.start < other.stop and other.start < self.stop


def search(lane: Lanes, pooled: Pooled, *, believable: float, burst: int = BURST_LINES) -> list[Stretch]:
    """All events of one lane whose p-value is believable, earliest first.

    Args:
        lane: One pattern in one service.
        pooled: How uneven patterns usually are.
        believable: Greatest p-value.
        burst: Lines that a stretch of less than `BURST_SECONDS` must have.
    """
    found: list[Stretch] = []
    rest, places = lane, np.arange(len(lane.seconds))
    for _ in range(MOST_EVENTS):
        proposals = [judge(rest, *ends, pooled=pooled) for ends in _proposals(rest, pooled)]
        passed = [one for one in proposals if one.p_value <= believable and _enough(rest, one, burst)]
        if not passed:
            break
        top = min(passed, key=lambda one: (one.p_value, one.start))
        joined = _join(lane, found, int(places[top.start]), int(places[top.stop]), top)
        if joined == found:
            break
        found = joined
        rest, places = _without(lane, found)
    settled = [_again(lane, found, number, pooled) for number in range(len(found))]
    return sorted((one for one in settled if one.p_value <= believable), key=lambda one: one.start)


def _enough(lane: Lanes, one: Stretch, burst: int) -> bool:
    span = lane.seconds[one.stop] - lane.seconds[one.start]
    return not one.high or span >= BURST_SECONDS or one.count >= burst


def judge(lane: Lanes, start: int, stop: int, high: bool, *, pooled: Pooled) -> Stretch:
    """The stretch with what it should have held, and how likely it is that it is like that by chance.

    One or two others like it that do not recur are events of their own, and do not count as usual.
    """
    lines = float(lanes.expected(lane, start, stop, lane=0, high=high).lines)
    like = usual.alike(lane, start, stop, lines, high=high)
    if usual.recurs(lane, float(lane.seconds[start]), like, high=high):
        return replace(_weighed(lane, start, stop, high, pooled), p_value=1.0)
    if high and 0 < len(like) <= _FEW and stop - start + 1 >= _FAR * lines:
        rest, places = _without(lane, _others(lane, start, stop, like))
        begin, end = (int(np.searchsorted(places, place)) for place in (start, stop))
        return replace(_weighed(rest, begin, end, high, pooled), start=start, stop=stop)
    return _weighed(lane, start, stop, high, pooled)


def _weighed(lane: Lanes, start: int, stop: int, high: bool, pooled: Pooled) -> Stretch:
    """The stretch by the count model, and by the clock's where the lane beats like one."""
    span = max(float(lane.seconds[stop] - lane.seconds[start]), LEAST_SECONDS if high else 1e-9)
    count = stop - start + (1 if high else -1)
    should = lanes.expected(lane, start, stop, lane=0, high=high)
    lines, known = float(should.lines), int(should.known)
    phi = usual.dispersion(lane, start, stop, pooled, span=span, high=high)
    shape = float(lanes.shape(known, should.known_span, phi, pooled))
    p_value = 1.0
    if high and count >= max(LEAST_LINES, LEAST_FACTOR * lines):
        p_value = counts.tail_above(count - 1, lines, shape) * float(lanes.chances(lane, span))
    elif not high:
        if lines >= LEAST_LINES and count <= lines / LEAST_FACTOR:
            p_value = counts.tail_below(count, lines, shape) * float(lanes.chances(lane, span))
        if count == 0:
            p_value = min(p_value, usual.missed(lane, start, stop))
    return Stretch(start, stop, high, count, _plain(lane, start, stop, high=high), known, min(p_value, 1.0))


def _others(lane: Lanes, start: int, stop: int, like: Array) -> list[Stretch]:
    """Stretches like the one from start to stop, by when they begin; only those that lie apart from it."""
    span = float(lane.seconds[stop] - lane.seconds[start]) + usual.SLACK
    begins = np.searchsorted(lane.seconds, like)
    ends = np.searchsorted(lane.seconds, like + span, side="right") - 1
    bounds = zip(begins.tolist(), np.minimum(ends, len(lane.seconds) - 2).tolist(), strict=True)
    return [Stretch(*each, True, 0, 0.0, 0, 1.0) for each in bounds if each[1] < start or each[0] > stop]


def _plain(lane: Lanes, start: int, stop: int, *, high: bool) -> float:
    """Lines expected as a reader would recount them: without the prior and the least length."""
    should = lanes.expected(lane, start, stop, lane=0, high=high, least=0.0)
    known = float(should.known)
    return float(should.lines) * known / (known + PRIOR_LINES)


def _proposals(lane: Lanes, pooled: Pooled) -> list[tuple[int, int, bool]]:
    """Stretches worth judging, their ends settled."""
    proposals = []
    for high in (True, False):
        top = lanes.best(lane, pooled, high=high)
        if np.isfinite(top.score[0]):
            proposals.append(_settled(lane, int(top.start[0]), int(top.stop[0]), high=high))
    beat = int(usual.regular(lane)[0])
    if beat >= 0:
        proposals.append((beat, beat + 1, False))
    first = int(lane.firsts[0])
    return [(start, stop, high) for start, stop, high in proposals if start >= first]


def _settled(lane: Lanes, start: int, stop: int, *, high: bool) -> tuple[int, int, bool]:
    should = lanes.expected(lane, start, stop, lane=0, high=high)
    span = max(float(lane.seconds[stop] - lane.seconds[start]), LEAST_SECONDS)
    first = int(lane.firsts[0]) + int(high) if lane.fixed else 0
    last = len(lane.seconds) - (2 if high else 1)
    rate = max(float(should.lines) / span, 1e-12)
    ends = edges.settle(lane.seconds, start, stop, rate, first=first, last=last, high=high)
    return (*ends, high)


def _join(lane: Lanes, found: list[Stretch], start: int, stop: int, top: Stretch) -> list[Stretch]:
    """Add a stretch; it becomes one with what is near and of its kind, and gives way to what is of the other kind."""
    new = replace(top, start=start, stop=stop)
    same = [one for one in found if one.high == new.high and _near(lane, one, new)]
    joined = replace(new, start=min(one.start for one in [new, *same]), stop=max(one.stop for one in [new, *same]))
    others = [one for one in found if one not in same]
    return found if any(one.overlaps(joined) for one in others) else [*others, joined]


def _near(lane: Lanes, one: Stretch, other: Stretch) -> bool:
    """Whether two stretches are parts of one event: the pause between is short beside the longer of them."""
    first, second = sorted((one, other), key=lambda each: each.start)
    longer = max(float(lane.seconds[each.stop] - lane.seconds[each.start]) for each in (one, other))
    return float(lane.seconds[second.start] - lane.seconds[first.stop]) <= _PAUSE * longer


def _again(lane: Lanes, found: list[Stretch], number: int, pooled: Pooled) -> Stretch:
    """Judge an event once more, with the other ones out of the way."""
    own = found[number]
    rest, places = _without(lane, [*found[:number], *found[number + 1 :]])
    start, stop = (int(np.searchsorted(places, place)) for place in (own.start, own.stop))
    seen = judge(rest, start, stop, own.high, pooled=pooled)
    like = usual.alike(lane, own.start, own.stop, seen.expected, high=own.high)
    recurs = usual.recurs(lane, float(lane.seconds[own.start]), like, high=own.high)
    return replace(seen, start=own.start, stop=own.stop, p_value=1.0 if recurs else seen.p_value)


def _without(lane: Lanes, found: list[Stretch]) -> tuple[Lanes, Array]:
    """The lane with the time of those stretches cut out, and the position that each element left had before.

    The last line of a surge stays: a silence may begin there.
    """
    seconds, load = lane.seconds.copy(), lane.load.copy()
    keep = np.ones(len(seconds), dtype=bool)
    for one in found:
        seconds[one.stop :] -= lane.seconds[one.stop] - lane.seconds[one.start]
        load[one.stop :] -= lane.load[one.stop] - lane.load[one.start]
        keep[one.start if one.high else one.start + 1 : one.stop] = False
    places = np.flatnonzero(keep)
    first = int(np.count_nonzero(keep[: int(lane.firsts[0])]))
    offsets = np.array([0, len(places)])
    return Lanes(seconds[places], load[places], offsets, np.array([first]), lane.fixed), places
