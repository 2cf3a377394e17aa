"""The parts that surges are told with: the count model, change points, traffic, recurrence, the order of services."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from support.log_worlds import HOUR, SECOND, START_NS, World, during, quiet, steady
from support.patience import least_seconds

from obs_magics.analysis.surges import Found, cascade, counts, detect, dispersion, edges, usual, volume
from obs_magics.analysis.surges.lanes import Lanes

RNG = np.random.default_rng
shapes = st.floats(0.1, 100.0)
means = st.floats(0.01, 500.0)


def lane(seconds: np.ndarray, end: float, *, baseline: float | None = None) -> Lanes:
    marked = (
        [*seconds, end]
        if baseline is None
        else [*seconds[seconds < baseline], baseline, *seconds[seconds >= baseline], end]
    )
    first = int((seconds < (0.1 * end if baseline is None else baseline)).sum())
    placed = np.asarray(marked, dtype=np.float64)
    return Lanes(placed, placed, np.array([0, len(placed)]), np.array([first]), baseline is not None)


# ── the count model ──────────────────────────────────────────────────────────────────────────────────────────────────


@given(count=st.integers(0, 300), mean=means, shape=shapes)
def test_tails_are_those_of_the_negative_binomial(count: int, mean: float, shape: float) -> None:
    law = stats.nbinom(shape, shape / (shape + mean))
    assert counts.tail_above(count, mean, shape) == pytest.approx(law.sf(count - 1), rel=1e-6, abs=1e-12)
    assert counts.tail_below(count, mean, shape) == pytest.approx(law.cdf(count), rel=1e-6, abs=1e-12)


@given(count=st.integers(0, 300), mean=means, shape=shapes)
def test_the_surprise_bounds_the_tail(count: int, mean: float, shape: float) -> None:
    bound = math.exp(-float(counts.surprise(count, mean, shape)))
    tail = counts.tail_above(count, mean, shape) if count > mean else counts.tail_below(count, mean, shape)
    assert tail <= bound * (1 + 1e-6)


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(0, 100), st.floats(0.001, 0.5))
def test_what_is_believed_is_what_benjamini_and_hochberg_say(p_values: list[float], others: int, rate: float) -> None:
    tests = len(p_values) + others
    ranked = sorted(p_values)
    limits = [p for place, p in enumerate(ranked, 1) if p <= rate * place / tests]
    limit = max(limits, default=-1.0)
    assert counts.believed(np.asarray(p_values), tests, rate).tolist() == [p <= limit for p in p_values]


def test_the_dispersion_of_a_negative_binomial_is_found() -> None:
    rng = RNG(1)
    cells = rng.poisson(5 * rng.gamma(1 / 0.3, 0.3, (200, 256)))
    told = dispersion.pool(cells, np.ones(cells.shape), 10.0)
    assert told.at(10.0) == pytest.approx(0.3, rel=0.15)
    assert told.at(160.0) == pytest.approx(0.3 / 16, rel=0.5)  # blocks of independent ones average out
    assert told.at(1.0) == told.at(10.0)


def test_patterns_too_rare_to_tell_leave_the_usual_dispersion() -> None:
    told = dispersion.pool(np.zeros((3, 256)), np.ones((3, 256)), 10.0)
    assert told.at(100.0) == pytest.approx(0.1)


def test_traffic_that_explains_is_no_dispersion() -> None:
    rng = RNG(2)
    busy = np.repeat(1 + 0.8 * np.sin(np.arange(256) / 20), 50).reshape(256, 50).T
    cells = rng.poisson(8 * busy)
    assert dispersion.pool(cells, busy, 10.0).at(80.0) < 0.02
    assert dispersion.pool(cells, np.ones(busy.shape), 10.0).at(80.0) > 0.2


# ── change points ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("start", "stop"), [(62, 70), (40, 90), (55, 200)])
def test_ends_settle_on_the_change_points(start: int, stop: int) -> None:
    rng = RNG(3)
    before, after = np.sort(rng.uniform(0, 1000, 60)), np.sort(rng.uniform(1100, 3000, 114))
    seconds = np.concatenate([before, during(rng, 1000.0, 1100.0, 150), after, [3000.0]])
    found = edges.settle(seconds, start, stop, 0.06, first=0, last=len(seconds) - 2, high=True)
    assert abs(seconds[found[0]] - 1000.0) < 3
    assert abs(seconds[found[1]] - 1100.0) < 3


def test_a_silence_settles_on_the_lines_around_it() -> None:
    seconds = np.concatenate([np.arange(0.0, 1000.0, 5.0), np.arange(1400.0, 2000.0, 5.0), [2000.0]])
    found = edges.settle(seconds, 195, 205, 0.2, first=0, last=len(seconds) - 1, high=False)
    assert (seconds[found[0]], seconds[found[1]]) == (995.0, 1400.0)


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1000), min_size=8, max_size=60), st.data())
def test_settling_never_makes_a_stretch_less_likely(times: list[float], data: st.DataObject) -> None:
    seconds = np.sort(np.asarray([*times, 1000.0]))
    start = data.draw(st.integers(0, len(seconds) - 5))
    stop = data.draw(st.integers(start + 3, len(seconds) - 2))
    rate = len(times) / 1000.0

    def gain(first: int, last: int) -> float:
        span, lines = max(seconds[last] - seconds[first], 1e-6), last - first + 1
        return lines * math.log(lines / span / rate) - (lines - rate * span)

    found = edges.settle(seconds, start, stop, rate, first=0, last=len(seconds) - 2, high=True)
    if (stop - start + 1) / max(seconds[stop] - seconds[start], 1e-6) > rate:
        assert found[0] <= found[1]
        assert gain(*found) >= gain(start, stop) - 1e-6


def test_ends_stay_where_nothing_stands_out() -> None:
    seconds = np.arange(0.0, 100.0)
    assert edges.settle(seconds, 20, 40, 1.5, first=0, last=98, high=True) == (20, 40)
    assert edges.settle(seconds, 20, 40, 0.5, first=0, last=98, high=False) == (20, 40)


# ── traffic ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_pattern_does_not_pass_for_traffic() -> None:
    rng = RNG(4)
    parts = [rng.uniform(0, HOUR, 2000) for _ in range(8)]
    parts[0] = np.concatenate([parts[0], rng.uniform(1800, 2400, 20_000)])
    hands = volume.deal(np.array([len(part) for part in parts]))
    told = volume.warps(np.concatenate(parts), np.repeat(hands, [len(part) for part in parts]), HOUR)
    for hand, warp in told.items():
        assert warp(2400.0) - warp(1800.0) == pytest.approx(600, rel=0.15), hand


def test_what_all_patterns_do_is_traffic() -> None:
    rng = RNG(5)
    parts = [np.concatenate([rng.uniform(0, HOUR, 2000), rng.uniform(1800, 2400, 1000)]) for _ in range(4)]
    told = volume.warps(np.concatenate(parts), np.repeat(np.arange(4), 3000), HOUR)
    assert sorted(told) == [volume.OUTSIDER, 0, 1, 2, 3]
    for warp in told.values():
        before, within = warp(1800.0) / 1800, (warp(2400.0) - warp(1800.0)) / 600
        assert within / before == pytest.approx(4, rel=0.1)
        assert warp(HOUR) == pytest.approx(HOUR)


def test_a_pattern_alone_tells_only_the_others_of_traffic() -> None:
    told = volume.warps(RNG(6).uniform(0, HOUR, 500), np.zeros(500, dtype=np.int64), HOUR)
    assert list(told) == [volume.OUTSIDER]
    assert volume.warps(np.empty(0), np.empty(0, dtype=np.int64), HOUR) == {}


def test_what_comes_or_goes_is_no_measure_of_traffic() -> None:
    early, late = np.array([100, 0, 3, 100]), np.array([110, 90, 3, 2])
    assert volume.takes_part(early, late, 10.0, 10.0).tolist() == [True, False, False, False]


# ── what is usual ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_runs_recur_when_they_were_there_from_the_start() -> None:
    one = lane(np.arange(0.0, 100.0), 1000.0)
    for own, like, expected in (
        (700.0, [100.0, 400.0], True),
        (900.0, [600.0, 750.0], False),  # the first came late
        (900.0, [600.0], False),
        (910.0, [500.0], False),  # no schedule: 6 minutes and 50 seconds apart
        (798.0, [400.0], False),
        (702.0, [400.0], True),
        (500.0, [], False),
    ):
        assert usual.recurs(one, own, np.asarray(like), high=True) is expected, (own, like)
    assert usual.recurs(one, 700.0, np.array([500.0]), high=False) is False
    assert usual.recurs(one, 700.0, np.array([200.0]), high=False) is True
    assert usual.recurs(one, 720.0, np.array([418.0]), high=True) is True
    with_baseline = lane(np.arange(0.0, 100.0), 1000.0, baseline=50.0)
    assert usual.recurs(with_baseline, 700.0, np.array([20.0]), high=True) is True
    assert usual.recurs(with_baseline, 700.0, np.array([]), high=True) is False


def test_only_a_clock_is_regular() -> None:
    rng = RNG(7)
    beats = np.arange(0.0, 1000.0, 20.0)
    late = np.concatenate([beats[:30], beats[40:]])
    assert usual.regular(lane(late, 1000.0)).tolist() == [29]
    assert usual.regular(lane(beats, 1000.0)).tolist() == [-1]
    assert usual.regular(lane(beats[:5], 1000.0)).tolist() == [-1]
    assert usual.regular(lane(beats[:30], 1000.0, baseline=900.0)).tolist() == [30]
    assert usual.regular(lane(beats[:45], 1000.0, baseline=999.9)).tolist() == [-1]
    assert sum(usual.regular(lane(np.sort(rng.uniform(0, 1000, 40)), 1000.0))[0] >= 0 for _ in range(500)) == 0


def test_a_missed_beat_is_as_unlikely_as_the_clock_is_regular() -> None:
    beats = np.arange(0.0, 1000.0, 20.0)
    assert usual.missed(lane(beats[:40], 1000.0), 39, 40) < 1e-9
    assert usual.missed(lane(beats[:48], 1000.0), 47, 48) == 1.0  # two beats late
    assert usual.missed(lane(np.sort(RNG(8).uniform(0, 800, 40)), 1000.0), 39, 40) == 1.0


# ── the order of services ────────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.tuples(st.floats(0, 2000), st.integers(0, 4)), max_size=20))
def test_positions_follow_the_first_beginning_of_each_service(events: list[tuple[float, int]]) -> None:
    events = sorted(events)
    starts, services = [start for start, _ in events], [service for _, service in events]
    places = cascade.order(starts, services)
    assert len(places) == len(events)
    for place, start in zip(places, starts, strict=True):
        near = [other for other in starts if other != start and abs(other - start) <= cascade.CLOSE]
        assert place is None or place == 1 or near
    for first in range(len(events) - 1):
        one, other = places[first], places[first + 1]
        if starts[first + 1] - starts[first] <= cascade.CLOSE and services[first] != services[first + 1]:
            assert one is not None
            assert other is not None


def test_services_that_began_together_share_a_position() -> None:
    assert cascade.order([5.0, 5.0, 9.0], [1, 2, 3]) == [1, 1, 3]
    assert cascade.order([], []) == []


# ── detect ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def busy_world() -> World:
    rng = RNG(9)
    times = steady(rng, 30)
    world = quiet(rng, ("api", "db", "web")).add("a #", "api", during(rng, 2000.0, 2300.0, 60))
    return world.add("b #", "db", during(rng, 2050.0, 2300.0, 60)).add("c #", "web", times[times < 2800])


@settings(max_examples=15)
@given(st.integers(-(10**17), 10**17), st.permutations(range(39)))
def test_neither_the_date_nor_the_numbers_of_patterns_matter(shift: int, order: list[int]) -> None:
    patterns, services, times_ns = busy_world().codes()
    usual_events = detect(patterns, services, times_ns)
    moved = detect(np.asarray(order)[patterns], services, times_ns + shift)
    assert len(usual_events) == 3
    back = {new: old for old, new in enumerate(order)}
    assert [
        (one.kind, back[one.pattern], one.service, one.start_ns - shift, one.count, one.cascade) for one in moved
    ] == [(one.kind, one.pattern, one.service, one.start_ns, one.count, one.cascade) for one in usual_events]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 2), st.integers(0, 600)), min_size=0, max_size=400),
    st.sampled_from([None, 100, 300, 599, 700]),
    st.booleans(),
)
def test_any_lines_give_events_that_a_reader_can_recount(
    lines: list[tuple[int, int, int]], baseline: int | None, severe: bool
) -> None:
    lines = sorted(lines, key=lambda line: line[2])
    patterns, services, seconds = (np.asarray([line[part] for line in lines], dtype=np.int64) for part in range(3))
    times_ns = START_NS + seconds * SECOND
    until = None if baseline is None else START_NS + baseline * SECOND
    levels = np.where(patterns == 0, 5, 2) if severe else None
    check(
        detect(patterns, services, times_ns, levels=levels, baseline_until_ns=until, rate=0.5),
        patterns,
        services,
        times_ns,
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_bursts_and_silences_anywhere_give_events_that_a_reader_can_recount(seed: int, fixed: bool) -> None:
    rng = RNG(seed)
    world = World()
    for place in range(int(rng.integers(1, 8))):
        times = steady(rng, float(rng.lognormal(1, 1)))
        for _ in range(int(rng.integers(0, 4))):
            start = rng.uniform(0, HOUR)
            end = min(start + rng.uniform(1, 900), HOUR)
            burst = rng.uniform(start, end, int(rng.integers(5, 200)))
            times = np.concatenate([times[(times < start) | (times > end)], burst if rng.random() < 0.6 else []])
        world.add(f"p{place}", ("api", "db", None)[int(rng.integers(3))], np.floor(times * 10) / 10)
    patterns, services, times_ns = world.codes()
    if len(times_ns):
        until = START_NS + 1800 * SECOND if fixed else None
        check(detect(patterns, services, times_ns, baseline_until_ns=until, rate=0.1), patterns, services, times_ns)


def check(found: list[Found], patterns: np.ndarray, services: np.ndarray, times_ns: np.ndarray) -> None:
    assert [one.start_ns for one in found] == sorted(one.start_ns for one in found)
    for one in found:
        own = times_ns[(patterns == one.pattern) & (services == one.service)]
        assert times_ns[0] <= one.start_ns <= one.end_ns <= times_ns[-1]
        assert one.count == int(((own >= one.start_ns) & (own <= one.end_ns)).sum())
        assert one.expected >= 0
        assert 0 <= one.p_value <= 1
        assert one.factor == (one.count / one.expected if one.expected else math.inf)
        if one.kind == "new":
            assert not (own < one.start_ns).any()
        if one.kind == "vanished":
            assert not (own >= one.start_ns).any()
        if one.kind in {"new", "surge"}:
            assert {one.start_ns, one.end_ns} <= set(own.tolist())


def test_lanes_screened_in_parts_give_the_same_events(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = busy_world().codes()
    whole = detect(*lines)
    monkeypatch.setattr("obs_magics.analysis.surges.events._AT_ONCE", 500)
    assert detect(*lines) == whole


def test_more_lines_than_anybody_reads_take_seconds() -> None:
    rng = RNG(10)
    share = 1 / np.arange(1, 2001) ** 1.1
    patterns = rng.choice(2000, size=200_000, p=share / share.sum())
    times_ns = START_NS + np.sort(rng.integers(0, 3600 * SECOND, 200_000))
    assert detect(patterns, patterns % 20, times_ns) == []
    assert least_seconds(lambda: detect(patterns, patterns % 20, times_ns), 5) < 5
