"""Where made series change, and that noise of many kinds does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.changepoint import change_points, onset

RNG = np.random.default_rng
Maker = Callable[[np.random.Generator, int], np.ndarray]


def autoregressive(rng: np.random.Generator, count: int, weight: float) -> np.ndarray:
    noise = rng.normal(size=count)
    values = np.zeros(count)
    for place in range(1, count):
        values[place] = weight * values[place - 1] + noise[place]
    return values


NOISES: dict[str, Maker] = {
    "normal": lambda rng, count: rng.normal(size=count),
    "log-normal": lambda rng, count: rng.lognormal(0, 0.7, count),
    "heavy tails": lambda rng, count: rng.standard_t(2, count),
    "counts": lambda rng, count: rng.poisson(3, count).astype(float),
    "rare events": lambda rng, count: rng.poisson(0.1, count).astype(float),
    "autocorrelated": lambda rng, count: autoregressive(rng, count, 0.8),
    "random walk": lambda rng, count: np.cumsum(rng.normal(size=count)),
    "seasonal": lambda rng, count: 5 * np.sin(np.arange(count) / count * 6 * np.pi) + rng.normal(size=count),
}


@pytest.mark.parametrize("count", [60, 240, 1440])
@pytest.mark.parametrize("name", NOISES)
def test_noise_does_not_change(name: str, count: int) -> None:
    rng = RNG(7)
    found = sum(bool(change_points(NOISES[name](rng, count))) for _ in range(60))
    assert found <= 6


@pytest.mark.parametrize("name", ["normal", "log-normal", "heavy tails"])
@pytest.mark.parametrize("count", [120, 240, 1440])
def test_a_clear_step_is_found_within_a_point(name: str, count: int) -> None:
    rng = RNG(3)
    errors, held, confident = [], 0, 0
    for _ in range(30):
        at = int(rng.integers(count // 5, 4 * count // 5))
        values = NOISES[name](rng, count)
        spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
        values[at:] += 8 * spread
        found = onset(values)
        if found is not None:
            errors.append(abs(found.index - at))
            held += found.low <= at <= found.high
            confident += found.confidence > 0.99 and found.direction == 1
    assert len(errors) >= 28
    assert sum(error <= 1 for error in errors) >= len(errors) - 1
    assert held >= 0.9 * len(errors)
    assert confident == len(errors)


def test_steps_without_noise_are_exact_wherever_they_are() -> None:
    for count, start, end in [(60, 20, 40), (540, 78, 282), (1440, 701, 903)]:
        values = np.full(count, 100.0)
        values[start:end] = 20
        first, second = change_points(values)
        assert (first.index, first.before, first.after, first.direction, first.shape) == (start, 100, 20, -1, "level")
        assert (second.index, second.before, second.after, second.direction) == (end, 20, 100, 1)
        assert (first.low, first.high) == (start, start)


def test_steps_that_stand_out_of_autocorrelated_noise_are_found() -> None:
    rng = RNG(5)
    found = 0
    for _ in range(20):
        values = autoregressive(rng, 1440, 0.8)
        values[900:] += 8
        first = onset(values)
        found += first is not None and abs(first.index - 900) <= 2
    assert found >= 18


@pytest.mark.parametrize("rise", [8, 40])
@pytest.mark.parametrize("count", [240, 1440])
def test_a_bend_is_a_change_of_slope(count: int, rise: int) -> None:
    rng = RNG(1)
    values = rng.normal(size=count)
    values[count // 2 :] += np.linspace(0, rise, count - count // 2)
    (found,) = change_points(values)
    assert found.shape == "slope"
    assert abs(found.index - count // 2) <= count // 16
    assert found.before == pytest.approx(0, abs=4 / count)
    assert found.after == pytest.approx(2 * rise / count, rel=0.4)


def test_lines_and_alternations_do_not_change() -> None:
    assert change_points(np.arange(100.0)) == ()
    assert change_points(np.tile([0.0, 4.0], 30)) == ()
    assert change_points(np.full(100, 5.0)) == ()
    spike = np.full(300, 5.0)
    spike[100] = 500
    assert change_points(spike) == ()


def test_few_points_say_nothing() -> None:
    assert change_points(np.array([0.0] * 5 + [9.0] * 6)) == ()
    assert onset(np.zeros(40)) is None


def test_the_onset_near_a_place_is_the_nearest() -> None:
    values = RNG(2).normal(size=600)
    values[100:200] += 20
    values[400:] += 10
    assert [one.index for one in change_points(values, shapes=("level",))] == [100, 200, 400]
    assert [getattr(onset(values, about=about), "index", None) for about in (110, 190, 380)] == [100, 200, 400]


def test_at_most_so_many_are_told_and_the_surest_first() -> None:
    values = RNG(2).normal(size=600)
    values[120:] += 12
    values[300:] += 60
    (only,) = change_points(values, most=1)
    assert only.index == 300
    assert [one.index for one in change_points(values)] == [120, 300]


def test_alpha_says_how_sure_one_must_be() -> None:
    values = RNG(2).normal(size=200)
    values[80:] += 3
    (found,) = change_points(values)
    assert 0 < found.p_value < 1e-6
    assert change_points(values, alpha=found.p_value / 2) == ()


@given(st.lists(st.floats(-1e15, 1e15), min_size=0, max_size=90))
def test_any_numbers_are_judged_the_same_way_twice_and_in_bounds(numbers: list[float]) -> None:
    values = np.array(numbers)
    found = change_points(values)
    assert found == change_points(values.copy())
    for one in found:
        assert 0 < one.index < len(values)
        assert one.low <= one.index <= one.high
        assert 0 <= one.p_value <= 0.01
    places = [one.index for one in found]
    assert places == sorted(places)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(0, 50))
def test_a_shift_and_a_scale_change_no_place(offset: float, scale: float, seed: int) -> None:
    values = RNG(seed).normal(size=150)
    values[70:] += 9
    moved = onset(offset + scale * values)
    still = onset(values)
    assert still is not None
    assert abs(still.index - 70) <= 1
    if abs(offset) < 1e6 * scale:  # else the digits of a double are used up
        assert moved is not None
        assert moved.index == still.index
