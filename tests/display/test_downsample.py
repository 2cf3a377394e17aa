"""Fewer points with the same picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.patience import least_seconds

from obs_magics.display.downsample import gaps, stretch_ns, thinned, whole

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def test_a_single_spike_among_many_points_is_kept() -> None:
    times = np.arange(100_000) * SECOND
    values = np.sin(times / 1e13)
    values[54_321], values[77_777] = 40.0, -30.0
    line = thinned(times, values, stretch_ns(int(times[-1]), 640))
    assert len(line.values) <= 2 * 640 + 2
    assert line.values.max() == 40.0
    assert line.timestamps_ns[np.argmax(line.values)] == times[54_321]
    assert line.values.min() == -30.0


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=300), st.integers(1, 50))
def test_extremes_of_every_stretch_and_both_ends_are_kept(numbers: list[float], minutes: int) -> None:
    values = np.array(numbers)
    times = np.arange(len(values)) * MINUTE
    stretch = minutes * MINUTE
    line = thinned(times, values, stretch)
    finite = np.isfinite(values)
    shown = np.isfinite(line.values)
    assert np.all(np.diff(line.timestamps_ns) >= 0)
    if not finite.any():
        assert not len(line.values)
        return
    for cell in np.unique(times[finite] // stretch):
        full = values[finite & (times // stretch == cell)]
        thin = line.values[shown & (line.timestamps_ns // stretch == cell)]
        assert (thin.min(), thin.max()) == (full.min(), full.max())
    assert line.timestamps_ns[shown][[0, -1]].tolist() == times[finite][[0, -1]].tolist()


def test_a_wide_gap_breaks_the_line_and_a_narrow_one_closes() -> None:
    times = np.arange(1000) * SECOND
    values = np.ones(1000)
    values[100:102] = np.nan
    keep = np.ones(1000, bool)
    keep[500:700] = False
    line = thinned(times[keep], values[keep], 10 * SECOND)
    broken = np.flatnonzero(np.isnan(line.values))
    assert len(broken) == 1
    assert line.timestamps_ns[broken - 1] == 499 * SECOND
    assert line.timestamps_ns[broken + 1] == 700 * SECOND


def test_missing_points_and_missing_numbers_break_a_whole_line() -> None:
    times = np.array([0, 1, 2, 3, 5, 6, 7, 8, 9, 10]) * MINUTE
    values = np.array([1, np.nan, 2, 3, 4, 5, 6, np.inf, 7, 8.0])
    line = whole(times, values)
    assert np.flatnonzero(np.isnan(line.values)).tolist() == [1, 4, 8]
    assert line.isolated().tolist() == [True, *[False] * 10]


def test_irregular_distances_are_no_gaps() -> None:
    times = np.cumsum([0, 10, 25, 12, 31, 18, 22, 400, 15]) * SECOND
    assert np.flatnonzero(gaps(times, np.ones(9))).tolist() == [7]
    assert gaps(np.array([5]), np.ones(1)).tolist() == [False]
    assert gaps(np.array([5, 5, 5]), np.ones(3)).tolist() == [False, False, False]


@pytest.mark.parametrize(
    ("span", "most", "seconds"),
    [(3600, 640, 10), (86_400, 640, 180), (86_400 * 365 * 30, 640, 18 * 86_400), (1, 640, 0.002), (0, 9, 1e-9)],
)
def test_stretches_have_readable_lengths(span: float, most: int, seconds: float) -> None:
    assert stretch_ns(int(span * SECOND), most) == round(seconds * SECOND)


def test_a_hundred_thousand_points_take_milliseconds() -> None:
    times = np.arange(100_000) * SECOND
    values = np.random.default_rng(1).normal(size=100_000)
    assert least_seconds(lambda: thinned(times, values, 300 * SECOND), 0.03, tries=20) < 0.03
