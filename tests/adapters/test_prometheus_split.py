"""Range queries cut into parts: on one grid, without gap or overlap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.adapters.prometheus.answers import Series
from obs_magics.adapters.prometheus.merge import merged
from obs_magics.adapters.prometheus.split import MOST_POINTS, Window, pinned, seconds, window_of
from obs_magics.model.errors import UsageError
from obs_magics.model.frames import HISTOGRAM_TYPE
from obs_magics.model.query import MetricsQuery
from obs_magics.model.time import TimeRange

WINDOW = Window(1_000, 601_500, 500)


@given(st.integers(0, 2**41), st.integers(0, 100_000), st.integers(1, 10**7), st.integers(1, 12_000))
def test_parts_are_the_whole_without_gap_or_overlap(start: int, steps: int, step: int, most: int) -> None:
    window = Window(start, start + steps * step, step)
    parts = window.parts(most)
    assert parts[0].start_ms == window.start_ms
    assert parts[-1].end_ms == window.end_ms
    assert sum(part.points for part in parts) == window.points
    assert max(part.points for part in parts) <= most
    assert all(right.start_ms - left.end_ms == step for left, right in pairwise(parts))
    assert len(parts) == -(-window.points // most)


@given(st.integers(0, 2**60), st.integers(0, 2**50), st.integers(10**6, 2**45))
def test_the_grid_lies_inside_the_range(start: int, length: int, step: int) -> None:
    window = window_of(MetricsQuery(text="up", range=TimeRange(start, start + length), step_ns=step))
    assert window.start_ms * 10**6 >= start
    assert window.end_ms * 10**6 <= max(start + length, window.start_ms * 10**6)
    assert (window.end_ms - window.start_ms) % window.step_ms == 0


@pytest.mark.parametrize(("span", "step"), [((0, 10), 999_999), ((10, 0), 10**9)])
def test_ranges_and_steps_that_make_no_sense(span: tuple[int, int], step: int) -> None:
    with pytest.raises(UsageError) as caught:
        window_of(MetricsQuery(text="up", range=TimeRange(*span), step_ns=step))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0"), (1_795_356_000_000, "1795356000"), (250, "0.250"), (-1_500, "-1.500")]
)
def test_milliseconds_are_written_exactly(milliseconds: int, text: str) -> None:
    assert seconds(milliseconds) == text


@given(st.integers(-(2**42), 2**42))
def test_seconds_go_back_to_the_same_millisecond(milliseconds: int) -> None:
    assert round(float(seconds(milliseconds)) * 1000) == milliseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x @ start()", "x @ 1"),
        ("x @end ( ) + y", "x @ 601.500 + y"),
        ('x{a="@ end()"} # @ end()', 'x{a="@ end()"} # @ end()'),
        ("x{a='\\'@ start()'} @ start()", "x{a='\\'@ start()'} @ 1"),
        ("x{a=`\\`} @ start()", "x{a=`\\`} @ 1"),
        ("x @ 5", "x @ 5"),
    ],
)
def test_the_ends_of_the_whole_range_stay_its_ends(text: str, expected: str) -> None:
    assert pinned(text, WINDOW) == expected


def test_eleven_thousand_points_are_one_part() -> None:
    assert len(Window(0, (MOST_POINTS - 1) * 1000, 1000).parts()) == 1
    assert len(Window(0, MOST_POINTS * 1000, 1000).parts()) == 2


def part(labels: list[str], times: list[int], histograms: pa.Array | None = None, **more: object) -> Series:
    counts = np.full(len(labels), len(times))
    stamps = np.tile(np.asarray(times, np.int64), len(labels))
    return Series(
        labels=[{"a": label} for label in labels],
        counts=counts,
        timestamps_ns=stamps,
        values=stamps.astype(float),
        histograms=histograms,
        **more,  # type: ignore[arg-type]
    )


def test_series_that_come_and_go_are_put_together() -> None:
    whole = merged(
        [part(["1", "2"], [1, 2], warnings=("w",)), part(["2", "3"], [3], warnings=("w", "v"), partial=True)]
    )
    assert [labels["a"] for labels in whole.labels] == ["1", "2", "3"]
    assert whole.counts.tolist() == [2, 3, 1]
    assert whole.timestamps_ns.tolist() == [1, 2, 1, 2, 3, 3]
    assert whole.warnings == ("w", "v")
    assert whole.partial


def test_histograms_of_one_part_stay_where_they_belong() -> None:
    row = {"count": 1.0, "sum": 2.0, "buckets": []}
    whole = merged([part(["1", "2"], [1]), part(["1", "2"], [2], pa.array([row, None], HISTOGRAM_TYPE))])
    assert whole.histograms is not None
    assert whole.histograms.to_pylist() == [None, row, None, None]


def test_parts_without_anything_are_nothing() -> None:
    whole = merged([part([], []), part([], [])])
    assert len(whole.frame()) == 0
