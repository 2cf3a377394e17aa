"""A metrics frame as its series, and their names."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from support.metrics_frames import arbitrary, regular

from obs_magics.model.frames import series_ids
from obs_magics.model.series import ABSENT, clip, one_line, selector, short_names, split_series


@given(arbitrary())
def test_every_row_is_in_one_series_in_order_of_time(frame: pd.DataFrame) -> None:
    series = split_series(frame)
    rows = np.concatenate([one.rows for one in series]) if series else np.empty(0)
    assert sorted(rows.tolist()) == list(range(len(frame)))
    ids = series_ids(frame)
    for one in series:
        assert len(set(ids[one.rows].tolist())) == 1
        assert np.all(np.diff(one.timestamps_ns) >= 0)
        np.testing.assert_array_equal(one.values, frame["value"].to_numpy()[one.rows])


@given(arbitrary())
def test_names_are_unique_single_lines(frame: pd.DataFrame) -> None:
    names = short_names(split_series(frame))
    assert len(set(names)) == len(names)
    assert not any("\n" in name or "\x1b" in name for name in names)


def test_only_what_differs_names_a_series() -> None:
    frame = regular(
        [
            ({"__name__": "up", "job": "node", "host": "a", "zone": "x"}, [1]),
            ({"__name__": "up", "job": "node", "host": "b"}, [1]),
        ]
    )
    assert short_names(split_series(frame)) == ["a · x", f"b · {ABSENT}"]
    assert short_names(split_series(frame)[:1]) == ['up{host="a", job="node", zone="x"}']
    assert short_names(split_series(regular([({}, [1])]))) == ["value"]
    assert short_names([]) == []


def test_names_that_are_cut_to_the_same_are_numbered() -> None:
    names = [f"{'a' * 80}{middle}{'b' * 80}" for middle in "xyz"]
    assert [name[-4:] for name in short_names(split_series(regular({name: [1] for name in names})), length=20)] == [
        "bbbb",
        " (2)",
        " (3)",
    ]


def test_a_frame_without_metric_or_labels_is_one_series() -> None:
    frame = regular({"a": [1, 2]})[["timestamp", "value"]]
    (one,) = split_series(frame)
    assert (one.metric, one.labels, one.values.tolist()) == ("", {}, [1, 2])


def test_invisible_characters_become_visible() -> None:
    assert one_line("a\nb\tc\x1b\u202e\u2028\ud800") == "a⏎b⇥c\\x1b\\u202e⏎�"
    assert clip("abcdefghij", 5) == "ab…ij"
    assert selector({"metric": "up", "a": "x"}) == 'up{a="x"}'
    assert selector({}) == ""
