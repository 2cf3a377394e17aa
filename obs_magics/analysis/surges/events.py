"""Events among coded lines: the core that works on arrays. `surges` builds frames around it.

How it goes: lines become lanes (one per pattern and service); each service's traffic is told by most of its patterns;
how unevenly lines come is learned from all lanes; lanes in which some stretch might be more than chance are searched
line by line; of all that is found, what the false discovery rate allows is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from obs_magics.analysis.surges import axis, cascade, counts, lanes, severe, usual
from obs_magics.analysis.surges.axis import Axis
from obs_magics.analysis.surges.dispersion import Pooled
from obs_magics.analysis.surges.search import Stretch, search

Array = np.ndarray[Any, Any]
Kind = Literal["new", "surge", "drop", "vanished"]

FALSE_DISCOVERY_RATE = 0.001
_SECOND = 1e9
_WORTH_A_LOOK = 2.0  # natural logarithm: how far a screened stretch may be from the limit, as the screen is rough
_SAME = 0.5  # of the time that two silences take together: what they share, to be one
_AT_ONCE = 2_000_000  # elements screened together: bounds memory


@dataclass(frozen=True, slots=True)
class Found:
    """One event of a pattern in a service.

    Args:
        kind: `new` (never seen before), `surge`, `drop`, or `vanished` (gone until the end).
        pattern: Its code.
        service: Its code.
        start_ns: Of its first line; of a drop, one nanosecond after the last line before it.
        end_ns: Of its last line; of a drop, one nanosecond before the next line, or the last line of all.
        count: Lines from start to end, both included.
        expected: Lines that the usual would have given from start to end.
        factor: `count / expected`; infinite when nothing was expected.
        p_value: Of such a stretch somewhere on this lane by chance; not yet corrected for the number of patterns.
        cascade: Position of its service in the order in which services began; None when alone.
    """

    kind: Kind
    pattern: int
    service: int
    start_ns: int
    end_ns: int
    count: int
    expected: float
    factor: float
    p_value: float
    cascade: int | None = None


def detect(
    patterns: Array,
    services: Array,
    times_ns: Array,
    *,
    levels: Array | None = None,
    baseline_until_ns: int | None = None,
    span_ns: tuple[int, int] | None = None,
    rate: float = FALSE_DISCOVERY_RATE,
) -> list[Found]:
    """New, surging, dropped and vanished patterns, the earliest first.

    Args:
        patterns: Code of each line's pattern, from 0.
        services: Code of each line's service, from 0; -1 is one of its own.
        times_ns: Nanoseconds, ascending.
        levels: Position of each line's level in `model.logs.LEVELS`, -1 where unknown; None when all are.
        baseline_until_ns: Lines before are the normal time, and no event begins there. None: lines are held against all
            others, and no event begins in the first tenth of the time.
        span_ns: From when to when lines were looked for; None for the first to the last line.
        rate: Share of what is found that may be wrong, on average.
    """
    laid = axis.build(patterns, services, times_ns, baseline_until_ns, span_ns)
    if laid is None:
        return []
    pooled = axis.pooled(laid)
    events = _believed(laid, pooled, rate, severe.bursts(laid, levels))
    if len(laid.lanes) > 1:
        whole = axis.build(np.zeros_like(patterns), services, times_ns, baseline_until_ns, span_ns)
        events += _silent(laid, whole, events, rate) if whole else []
    if levels is not None:
        told = {number for number, _ in events}
        events += [one for one in severe.first_lines(laid, levels) if one[0] not in told]
    return _ordered([_found(laid, times_ns, *one) for one in events])


def _believed(laid: Axis, pooled: Pooled, rate: float, bursts: Sequence[int]) -> list[tuple[int, Stretch]]:
    """Numbers of lanes with their events; `bursts` says how many lines make a short one, for each lane."""
    stretches: list[tuple[int, Stretch]] = []
    for number in _candidates(laid, pooled, rate):
        found = search(laid.lanes.lane(number), pooled, believable=rate, burst=bursts[number])
        stretches += [(number, one) for one in found]
    tests = int(np.count_nonzero(laid.lanes.lines() >= lanes.LEAST_LINES))
    kept = counts.believed(np.asarray([one.p_value for _, one in stretches]), tests, rate)
    return [one for one, keep in zip(stretches, kept, strict=True) if keep]


def _candidates(laid: Axis, pooled: Pooled, rate: float) -> Iterator[int]:
    """Lanes with a stretch that may be more than chance."""
    least = -np.log(rate) - _WORTH_A_LOOK
    for begin, part in laid.lanes.parts(_AT_ONCE):
        stand_out = usual.regular(part) >= 0
        for high in (True, False):
            stand_out |= lanes.best(part, pooled, high=high).score >= least
        yield from (np.flatnonzero(stand_out) + begin).tolist()


def _silent(laid: Axis, whole: Axis, events: list[tuple[int, Stretch]], rate: float) -> list[tuple[int, Stretch]]:
    """Services that fell silent altogether: each told once, by the pattern that was most frequent before.

    That all patterns of a service go together is traffic to the count model, and no news of any of them.

    Args:
        laid: The lanes.
        whole: One lane for each service.
        events: What was found in the lanes; a silence that is among it is not told again.
        rate: The false discovery rate.
    """
    found = []
    for number, one in _believed(whole, axis.pooled(whole), rate, severe.bursts(whole, None)):
        if one.high or one.count:
            continue
        service = whole.lanes.lane(number)
        begin, end = float(service.seconds[one.start]), float(service.seconds[one.stop])
        own = np.flatnonzero(laid.services == whole.services[number]).tolist()
        if not any(_same_silence(laid, lane, each, begin, end) for lane, each in events if lane in own):
            before = [int(np.searchsorted(laid.lanes.lane(lane).seconds, begin, side="right")) for lane in own]
            most = int(np.argmax(before))
            share = before[most] / sum(before)
            stretch = replace(one, start=before[most] - 1, stop=before[most], expected=one.expected * share)
            found.append((own[most], stretch))
    return found


def _same_silence(laid: Axis, lane: int, one: Stretch, begin: float, end: float) -> bool:
    """Whether an event of a lane is a silence that for the most part is that from `begin` to `end`."""
    first = int(laid.lanes.offsets[lane])
    start, stop = (float(laid.lanes.seconds[first + place]) for place in (one.start, one.stop))
    shared = min(stop, end) - max(start, begin)
    return not one.high and not one.count and shared >= _SAME * (max(stop, end) - min(start, begin))


def _found(laid: Axis, times_ns: Array, number: int, one: Stretch) -> Found:
    begin = int(laid.lanes.offsets[number])
    first, last = int(laid.elements[begin + one.start]), int(laid.elements[begin + one.stop])
    if one.high:
        start_ns, end_ns = int(times_ns[first]), int(times_ns[last])
    else:
        start_ns = int(times_ns[first]) + 1 if first >= 0 else laid.begin_ns
        end_ns = int(times_ns[last]) - 1 if last >= 0 else laid.end_ns
    return Found(
        _kind(one, begins=one.start == int(laid.lanes.fixed), ends=last < 0),
        int(laid.patterns[number]),
        int(laid.services[number]),
        start_ns,
        end_ns,
        one.count,
        one.expected,
        one.count / one.expected if one.expected else float("inf"),
        one.p_value,
    )


def _kind(one: Stretch, *, begins: bool, ends: bool) -> Kind:
    if one.high:
        return "new" if begins else "surge"
    return "vanished" if ends and not one.count else "drop"


def _ordered(events: list[Found]) -> list[Found]:
    events = sorted(events, key=lambda one: (one.start_ns, one.service, one.pattern))
    places = cascade.order([one.start_ns / _SECOND for one in events], [one.service for one in events])
    return [replace(one, cascade=place) for one, place in zip(events, places, strict=True)]
