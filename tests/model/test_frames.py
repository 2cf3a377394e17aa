"""Metrics frames: columns, dtypes, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.errors import BadAnswer
from obs_magics.model.frames import (
    HISTOGRAM_TYPE,
    RESERVED,
    TIMESTAMP_DTYPE,
    categories,
    check_metrics,
    empty_metrics,
    label_column,
    label_columns,
    metrics_frame,
    series_ids,
)

LABELS = [{"__name__": "up", "job": "node", "metric": "x"}, {"__name__": "up", "instance": "a:1"}, {}]


def frame_of_three() -> pd.DataFrame:
    return metrics_frame(LABELS, [2, 1, 1], np.array([1, 2, 1, 1]), np.array([1.0, np.nan, np.inf, -0.0]))


def test_a_frame_is_tidy_and_its_dtypes_are_explicit() -> None:
    frame = frame_of_three()
    assert list(frame.columns) == ["timestamp", "value", "metric", "instance", "job", "label_metric"]
    assert frame["timestamp"].dtype == TIMESTAMP_DTYPE
    assert frame["value"].dtype == np.float64
    assert isinstance(frame.index, pd.RangeIndex)
    assert frame["job"].astype(object).where(frame["job"].notna(), None).tolist() == ["node", "node", None, None]
    assert frame["metric"].isna().tolist() == [False, False, False, True]
    assert frame["timestamp"].astype("int64").tolist() == [1, 2, 1, 1]
    check_metrics(frame)


def test_an_empty_answer_is_an_empty_frame_of_the_right_shape() -> None:
    frame = empty_metrics()
    assert list(frame.columns) == ["timestamp", "value", "metric"]
    assert len(frame) == 0
    check_metrics(frame)


def test_histograms_have_a_column_only_when_there_are_any() -> None:
    histogram = {"count": 3.0, "sum": 1.5, "buckets": [{"rule": 0, "lower": 0.0, "upper": 1.0, "count": 3.0}]}
    array = pa.array([None, histogram], type=HISTOGRAM_TYPE)
    frame = metrics_frame([{}], [2], np.array([1, 2]), np.array([1.0, np.nan]), array)
    assert frame["histogram"].isna().tolist() == [True, False]
    assert frame["histogram"].iloc[1]["buckets"][0]["upper"] == 1.0
    assert label_columns(frame) == []
    check_metrics(frame)


@pytest.mark.parametrize(
    ("counts", "timestamps", "values"), [([1], [1, 2], [1.0, 2.0]), ([2], [1, 2], [1.0]), ([1, 1], [1, 2], [1.0, 2.0])]
)
def test_parts_that_do_not_belong_together_are_refused(
    counts: list[int], timestamps: list[int], values: list[float]
) -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        metrics_frame([{}], counts, np.array(timestamps), np.array(values))


@given(st.sets(st.from_regex(r"(label_){0,3}(timestamp|value|metric|histogram|job|label_)", fullmatch=True)))
def test_no_two_labels_share_a_column_and_none_takes_ours(names: set[str]) -> None:
    columns = [label_column(name) for name in names]
    assert len(set(columns)) == len(names)
    assert not RESERVED & set(columns)


@given(st.lists(st.none() | st.text(max_size=3), max_size=300))
def test_categories_keep_every_value(values: list[str | None]) -> None:
    made = categories(values)
    assert [None if pd.isna(value) else value for value in made] == values
    assert made.codes.dtype == np.int8 if len(set(values)) < 100 else made.codes.dtype == np.int16


def test_codes_are_as_narrow_as_they_can_be_and_repeat() -> None:
    assert categories([str(number) for number in range(126)]).codes.dtype == np.int8
    assert categories([str(number) for number in range(200)]).codes.dtype == np.int16
    assert categories([str(number) for number in range(40_000)]).codes.dtype == np.int32
    assert categories(["a", None], np.array([2, 1])).codes.tolist() == [0, 0, -1]


def test_series_are_numbered_in_order_of_appearance() -> None:
    assert series_ids(frame_of_three()).tolist() == [0, 0, 1, 2]
    assert series_ids(empty_metrics()).tolist() == []
    bare = frame_of_three()[["timestamp", "value"]]
    assert series_ids(bare).tolist() == [0, 0, 0, 0]


def test_what_is_no_metrics_frame_is_refused() -> None:
    with pytest.raises(BadAnswer, match="needs the columns timestamp, metric"):
        check_metrics(pd.DataFrame({"value": [1.0]}))
    wrong = frame_of_three().astype({"value": "float32", "job": "str"})
    with pytest.raises(BadAnswer, match="value is float32, not float64; job is str, not category"):
        check_metrics(wrong)
