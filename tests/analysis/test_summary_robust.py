"""What is called a trend, and what is called unusual, on made series whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis import robust

RNG = np.random.default_rng
Maker = Callable[[np.random.Generator, int], np.ndarray]


def autoregressive(rng: np.random.Generator, count: int, weight: float) -> np.ndarray:
    values = rng.normal(size=count)
    for place in range(1, count):
        values[place] += weight * values[place - 1]
    return 20 + values


NOISES: dict[str, Maker] = {
    "normal": lambda rng, count: rng.normal(10, 1, count),
    "log-normal": lambda rng, count: rng.lognormal(0, 0.7, count),
    "counts": lambda rng, count: rng.poisson(3, count).astype(float),
    "rare events": lambda rng, count: rng.poisson(0.1, count).astype(float),
    "autocorrelated": lambda rng, count: autoregressive(rng, count, 0.8),
    "seasonal": lambda rng, count: 10 + 5 * np.sin(np.arange(count) / count * 6 * np.pi + 1) + rng.normal(0, 1, count),
}


@pytest.mark.parametrize("count", [12, 60, 240, 1440])
@pytest.mark.parametrize("name", NOISES)
def test_noise_is_neither_a_trend_nor_unusual(name: str, count: int) -> None:
    rng = RNG(11)
    made = [NOISES[name](rng, count) for _ in range(100)]
    assert sum(robust.trend(values).direction != 0 for values in made) <= 3
    assert sum(robust.unusual(values) is not None for values in made) <= 8


@pytest.mark.parametrize("count", [60, 240, 1440])
def test_a_steady_rise_and_its_mirror_are_trends(count: int) -> None:
    rng = RNG(5)
    made = [rng.normal(10, 1, count) + np.linspace(0, 6, count) for _ in range(50)]
    assert sum(robust.trend(values).direction == 1 for values in made) >= 48
    assert sum(robust.trend(-values).direction == -1 for values in made) >= 48


def test_a_trend_that_begins_late_says_where() -> None:
    values = RNG(2).normal(10, 0.3, 240)
    values[120:] += np.linspace(0, 12, 120)
    found = robust.trend(values)
    assert found.direction == 1
    assert found.onset is not None
    assert 112 <= found.onset <= 140
    step = RNG(2).normal(10, 0.3, 240) + 5 * (np.arange(240) >= 130)
    stayed = robust.unusual(step)  # a step in the middle is told as an anomaly that stayed
    assert stayed is not None
    assert (stayed.start, stayed.end) == (130, 239)
    assert robust.trend(10 + np.arange(240.0)).onset is None


def test_an_onset_without_three_points_off_is_where_the_line_bends() -> None:
    values = np.tile([0.0, 4.0], 30)
    values[30:] += np.repeat(np.linspace(0, 6, 15), 2)
    assert robust.trend(values).direction == 1


def test_tiny_drifts_and_constants_are_steady() -> None:
    assert robust.trend(np.zeros(50)).direction == 0
    assert robust.trend(np.full(50, 3.0)).direction == 0
    assert robust.trend(1000 + np.linspace(0, 0.5, 50)).direction == 0
    assert robust.trend(RNG(1).normal(10, 1, 2000) + np.linspace(0, 0.3, 2000)).direction == 0


@pytest.mark.parametrize("count", [60, 240, 1440])
def test_what_came_and_stayed_is_sustained(count: int) -> None:
    values = RNG(4).normal(10, 1, count)
    start = count - count // 5
    values[start:] += 10
    found = robust.unusual(values)
    assert found is not None
    assert (found.kind, found.start, found.end) == ("sustained", start, count - 1)
    assert found.median == pytest.approx(10, abs=0.6)


@pytest.mark.parametrize("side", [1, -1])
def test_what_came_and_went_is_sustained(side: int) -> None:
    values = RNG(4).normal(10, 1, 240)
    values[80:120] += side * 15
    found = robust.unusual(values)
    assert found is not None
    assert (found.kind, found.start, found.end) == ("sustained", 80, 119)


def test_a_single_far_point_is_a_spike_and_a_recurring_one_is_not() -> None:
    values = RNG(4).normal(10, 1, 240)
    values[100] = 60
    found = robust.unusual(values)
    assert found is not None
    assert (found.kind, found.start, found.peak, found.end) == ("spike", 100, 100, 100)
    values[[30, 60, 150, 200]] = 58
    assert robust.unusual(values) is None


def test_one_event_in_many_zeros_is_a_spike_and_in_few_is_not() -> None:
    values = np.zeros(60)
    values[40] = 3
    found = robust.unusual(values)
    assert found is not None
    assert found.score == float("inf")
    assert robust.unusual(values[10:]) is None


def test_a_few_points_say_nothing() -> None:
    assert robust.unusual(np.array([1.0] * 10 + [99.0])) is None


@given(st.lists(st.floats(-1e300, 1e300), min_size=12, max_size=80))
def test_any_finite_series_is_judged_the_same_way_twice(numbers: list[float]) -> None:
    values = np.array(numbers)
    assert robust.unusual(values) == robust.unusual(values.copy())
    assert robust.trend(values) == robust.trend(values.copy())


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_quantiles_are_those_of_numpy(numbers: list[float], share: float) -> None:
    expected = float(np.quantile(numbers, share))
    assert robust.quantile(np.sort(numbers), share) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("minutes", [(15, 50), (20, 58), (60, 88)])
def test_an_incident_over_a_large_part_of_the_window_is_found_from_its_onset(minutes: tuple[int, int]) -> None:
    rng = RNG(5)
    start, end = (minute * 6 for minute in minutes)
    for _ in range(20):
        values = 0.4 + 0.03 * rng.normal(size=540)
        values[start:end] += 1.5 + 0.3 * rng.normal(size=end - start)
        found = robust.unusual(values)
        assert found is not None
        assert found.kind == "sustained"
        assert abs(found.start - start) <= 2
        assert abs(found.end - end + 1) <= 2
        assert found.median == pytest.approx(0.4, abs=0.02)


def test_a_level_left_for_a_third_of_the_window_is_found() -> None:
    values = np.full(540, 100.0)
    values[78:282] = 20
    found = robust.unusual(values)
    assert found is not None
    assert (found.start, found.end, found.median) == (78, 281, 100.0)
