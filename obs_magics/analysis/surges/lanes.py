"""Lanes: the lines of each pattern in each service along one axis of seconds, and the stretches that stand out.

A stretch runs from one line to another, so its edges are as exact as the lines' times, and looking at stretches of 5,
7, 10, 15 … lines costs the same whether they last a second or an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from obs_magics.analysis.surges import counts
from obs_magics.analysis.surges.dispersion import Pooled

Array = np.ndarray[Any, Any]

LEAST_LINES = 5  # of a surge; and that a baseline must promise before fewer are a drop
LEAST_FACTOR = 2.0  # times as many, or as few, as expected: less may be certain and still is no news
LEAST_SECONDS = 5.0  # a stretch that is shorter counts as this long: one loop that prints is one event, not a rate
LEAST_BEFORE = 0.1  # of the axis that must lie before an event when no baseline is given
PRIOR_LINES = 0.5  # Jeffreys' prior of a Poisson rate: a pattern never seen is rare, not impossible
_GROWTH = 1.5  # from one length of stretches, in lines, to the next
_OVERLAP = 4.0  # stretches of one length that lie apart, times this: those that overlap are not quite new tests
_SCALES = 10.0  # lengths of stretches looked at that tell different things: Bonferroni over them


@dataclass(frozen=True, slots=True)
class Lanes:
    """Lanes laid end to end. Each ends with a mark at the end of the axis; with a baseline, one stands at its end too.

    Args:
        seconds: Of each line and mark since the start of the axis, ascending in each lane.
        load: The same in busy seconds of the service (`volume.Warp`).
        offsets: Where each lane begins, and where the last one ends.
        firsts: Position within its lane of the first element that an event may begin at: the mark, with a baseline.
        fixed: Whether the lines before `firsts` are a baseline; else a stretch is held against all that lies outside.
    """

    seconds: Array
    load: Array
    offsets: Array
    firsts: Array
    fixed: bool

    def __len__(self) -> int:
        return len(self.firsts)

    def lane(self, number: int) -> Lanes:
        """One of them, alone."""
        return self._some(number, number + 1)

    def parts(self, most: int) -> Iterator[tuple[int, Lanes]]:
        """Lanes in groups of at most so many elements (or of one lane), each with the number of its first lane."""
        begin = 0
        while begin < len(self):
            limit = int(np.searchsorted(self.offsets, self.offsets[begin] + most, side="right")) - 1
            end = min(max(limit, begin + 1), len(self))
            yield begin, self._some(begin, end)
            begin = end

    def _some(self, begin: int, end: int) -> Lanes:
        own = slice(int(self.offsets[begin]), int(self.offsets[end]))
        offsets = self.offsets[begin : end + 1] - self.offsets[begin]
        return Lanes(self.seconds[own], self.load[own], offsets, self.firsts[begin:end], self.fixed)

    def lines(self) -> Array:
        """Lines of each lane, its marks not counted."""
        return np.diff(self.offsets) - 1 - int(self.fixed)


class Best(NamedTuple):
    """The stretch of each lane that stands out most; positions within the lane, score -inf where there is none."""

    score: Array
    start: Array
    stop: Array


class Expected(NamedTuple):
    """What a stretch would hold: lines, and the lines and seconds that this rests on."""

    lines: Any
    known: Any
    known_span: Any


def expected(lanes: Lanes, start: Any, stop: Any, *, lane: Any, high: bool, least: float = LEAST_SECONDS) -> Expected:
    """Lines that a stretch from one element to another should hold, were nothing the matter.

    Two things are usual: that a pattern keeps its rate, and that it follows the traffic of its service. The one that
    comes nearer to explaining the stretch counts: the larger for a surge, the smaller for a drop.

    Args:
        lanes: The lanes.
        start: Index of the first element, in `lanes.seconds`; an array for many stretches, as are the next two.
        stop: Of the last.
        lane: Number of the lane.
        high: Whether more lines than usual are looked for (both ends belong to the stretch), or fewer (neither does).
        least: Seconds that a shorter stretch of more lines counts as.
    """
    span = lanes.seconds[stop] - lanes.seconds[start]
    load = lanes.load[stop] - lanes.load[start]
    origin, first = lanes.offsets[lane], lanes.offsets[lane] + lanes.firsts[lane]
    if lanes.fixed:
        known, known_span, known_load = lanes.firsts[lane], lanes.seconds[first], lanes.load[first]
    else:
        end = lanes.offsets[np.asarray(lane) + 1] - 1
        known = end - origin - (stop - start + (1 if high else -1))
        known_span, known_load = lanes.seconds[end] - span, lanes.load[end] - load
    if high:
        short = np.maximum(least - span, 0.0)
        span, load = span + short, load + short
    pick = np.maximum if high else np.minimum
    return Expected((known + PRIOR_LINES) * pick(span / known_span, load / known_load), known, known_span)


def shape(known: Any, known_span: Any, phi: Any, pooled: Pooled) -> Any:
    """The negative binomial's shape for a stretch: it varies, and so does what it is held against.

    Args:
        known: Lines that the expectation rests on.
        known_span: Seconds that they took.
        phi: Of stretches like this one.
        pooled: For the seconds known.
    """
    return 1 / (phi + pooled.at(known_span) + 1 / (known + PRIOR_LINES))


def chances(lanes: Lanes, span: Any) -> Any:
    """How many stretches as long as that there are to look at: what a p-value has to be multiplied with."""
    first = float(lanes.seconds[lanes.firsts[0]]) if lanes.fixed else 0.0
    searched = float(lanes.seconds[-1]) - first
    return _SCALES * _OVERLAP * np.maximum(searched / np.maximum(span, LEAST_SECONDS), 1.0)


def best(lanes: Lanes, pooled: Pooled, *, high: bool) -> Best:
    """The stretch of each lane that is most surprising, after what looking at many of its length costs."""
    found = Best(np.full(len(lanes), -np.inf), np.zeros(len(lanes), np.int64), np.zeros(len(lanes), np.int64))
    sizes = np.diff(lanes.offsets)
    lane = np.repeat(np.arange(len(lanes)), sizes)
    place = np.arange(len(lanes.seconds)) - lanes.offsets[lane]
    opens = lanes.firsts + int(lanes.fixed and high)
    room = (sizes - (2 if high else 1))[lane] - place  # elements that follow and may be the last
    room[place < opens[lane]] = -1
    known = (lanes.firsts if lanes.fixed else lanes.lines())[lane] + PRIOR_LINES
    for step in _steps(int(room.max(initial=0)), high=high):
        starts = _odd(lanes, known, room, step, high=high)
        if len(starts):
            scores = _scores(lanes, starts, step, lane[starts], pooled, high=high)
            _keep(found, scores, starts - lanes.offsets[lane[starts]], step, lane[starts])
    return found


def _odd(lanes: Lanes, known: Array, room: Array, step: int, *, high: bool) -> Array:
    """First elements of the stretches that may be odd enough: by the clock alone, which is cheap and rules most out."""
    span = lanes.seconds[step:] - lanes.seconds[:-step]
    if lanes.fixed:
        held, against = known[:-step] * span, float(lanes.seconds[lanes.firsts[0]])
    else:
        held, against = (known[:-step] - (step + (1 if high else -1))) * span, lanes.seconds[-1] - span
    odd = room[:-step] >= step
    if high:
        odd &= step * against >= LEAST_FACTOR * held
    else:
        odd &= (held >= LEAST_LINES * against) & (held >= LEAST_FACTOR * (step - 1) * against)
    return np.flatnonzero(odd)


def _scores(lanes: Lanes, starts: Array, step: int, lane: Array, pooled: Pooled, *, high: bool) -> Array:
    count = step if high else step - 1  # a stretch that begins with a line has one line less to be surprised by
    usual = expected(lanes, starts, starts + step, lane=lane, high=high)
    span = lanes.seconds[starts + step] - lanes.seconds[starts]
    if high:
        odd = count >= LEAST_FACTOR * usual.lines
    else:
        odd = (usual.lines >= LEAST_LINES) & (count <= usual.lines / LEAST_FACTOR)
    scores = np.full(len(starts), -np.inf)
    if odd.any():
        span, lines = np.maximum(span[odd], LEAST_SECONDS), usual.lines[odd]
        known_span = np.broadcast_to(usual.known_span, odd.shape)[odd]
        shapes = shape(usual.known[odd], known_span, pooled.at(span), pooled)
        scores[odd] = counts.surprise(count, lines, shapes) - np.log(chances(lanes, span))
    return scores


def _keep(found: Best, scores: Array, places: Array, step: int, lane: Array) -> None:
    """Keep the best of each lane; the earliest of equals."""
    borders = np.flatnonzero(np.diff(lane, prepend=-1))
    tops = np.maximum.reduceat(scores, borders)
    run = np.repeat(np.arange(len(borders)), np.diff(borders, append=len(scores)))
    at = np.flatnonzero(scores == tops[run])
    at = at[np.flatnonzero(np.diff(run[at], prepend=-1))]
    at = at[scores[at] > found.score[lane[at]]]
    own = lane[at]
    found.score[own], found.start[own], found.stop[own] = scores[at], places[at], places[at] + step


def _steps(most: int, *, high: bool) -> Iterator[int]:
    """Lengths of stretches, in elements from the first to the last."""
    step = LEAST_LINES - 1 if high else 1
    while step <= most:
        yield step
        step = max(step + 1, int(step * _GROWTH))
