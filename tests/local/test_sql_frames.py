"""Frames on their way into SQL and back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.local.sql.frames import to_arrow, to_frame, unique_names
from obs_magics.model.errors import QueryError
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE, check_metrics, metrics_frame


def back(array: pa.Array) -> pd.Series:
    return to_frame(pa.table({"x": array}))["x"]


def test_a_metrics_frame_comes_back_as_one() -> None:
    frame = metrics_frame(
        [{"__name__": "up", "job": "a"}, {"__name__": "up"}], [2, 1], np.arange(3) * 1_000_000, np.arange(3) * 1.0
    )
    table, lost = to_arrow("frame", frame)
    assert lost == []
    assert table.schema.field("timestamp").type == pa.timestamp("us", "UTC")
    again = to_frame(
        table.cast(pa.schema([(f.name, pa.string()) if pa.types.is_dictionary(f.type) else f for f in table.schema]))
    )
    check_metrics(again)
    assert again["job"].tolist()[:2] == ["a", "a"]
    assert again["job"].isna().tolist() == [False, False, True]
    assert again["timestamp"].equals(frame["timestamp"])


def test_nanoseconds_that_are_cut_are_said() -> None:
    frame = pd.DataFrame({"at": pd.to_datetime([1001], utc=True, unit="ns").as_unit("ns")})
    table, lost = to_arrow("spans", frame)
    assert table["at"][0].as_py() == dt.datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC)
    assert lost == ["spans.at: SQL keeps microseconds, the nanoseconds are cut"]


def test_naive_times_and_other_zones() -> None:
    berlin = pd.DatetimeIndex(["2026-01-01 12:00"]).tz_localize("Europe/Berlin")
    table, _ = to_arrow("f", pd.DataFrame({"naive": pd.to_datetime(["2026-01-01"]), "berlin": berlin}))
    assert table.schema.field("naive").type == pa.timestamp("us")
    assert table["berlin"][0].as_py() == dt.datetime(2026, 1, 1, 11, tzinfo=dt.UTC)


def test_a_named_index_becomes_columns_and_names_become_text() -> None:
    frame = pd.DataFrame({("a", 1): [1], ("a", 2): [2]}, index=pd.Index([5], name="when"))
    assert to_arrow("f", frame)[0].column_names == ["when_", "a_1", "a_2"]
    assert to_arrow("f", pd.DataFrame({0: [1]}))[0].column_names == ["0"]


def test_what_sql_cannot_hold_is_said_by_column() -> None:
    with pytest.raises(QueryError, match="two columns called A"):
        to_arrow("f", pd.DataFrame({"a": [1], "A": [2]}))
    with pytest.raises(QueryError, match="column mixed of the frame f") as caught:
        to_arrow("f", pd.DataFrame({"mixed": [object(), 1]}))
    assert "drop(columns=['mixed'])" in caught.value.hint


@pytest.mark.parametrize(
    ("array", "dtype", "value"),
    [
        (pa.array([1, 2], pa.int64()), "int64", 1),
        (pa.array([1, None], pa.int64()), "Int64", 1),
        (pa.array([True, None]), "boolean", True),
        (pa.array([Decimal(3), None], pa.decimal128(38, 0)), "Int64", 3),
        (pa.array([Decimal(10) ** 30], pa.decimal128(38, 0)), "float64", 1e30),
        (pa.array([Decimal("1.5")], pa.decimal128(4, 1)), "float64", 1.5),
        (pa.array(["a", None]), STRING_DTYPE, "a"),
        (pa.array([dt.date(2026, 1, 1), None]), TIMESTAMP_DTYPE, pd.Timestamp("2026-01-01", tz="UTC")),
        (pa.array([0, None], pa.timestamp("us")), TIMESTAMP_DTYPE, pd.Timestamp(0, tz="UTC")),
        (pa.array([0, None], pa.timestamp("us", "Etc/UTC")), TIMESTAMP_DTYPE, pd.Timestamp(0, tz="UTC")),
        (pa.array(["a", "b"]).dictionary_encode(), "category", "a"),
        (pa.array([b"x"]), "object", b"x"),
        (pa.array([1.5, None]), "float64", 1.5),
    ],
)
def test_types_on_the_way_back(array: pa.Array, dtype: object, value: object) -> None:
    series = back(array)
    assert series.dtype == dtype
    assert series.iloc[0] == value
    assert series.isna().sum() == array.null_count


def test_nested_values_stay_with_arrow_and_nothing_at_all_is_text() -> None:
    assert back(pa.array([[1, 2]])).dtype == pd.ArrowDtype(pa.list_(pa.int64()))
    assert back(pa.array([{"a": 1}])).iloc[0] == {"a": 1}
    assert back(pa.nulls(2)).isna().all()


def test_intervals() -> None:
    kind = pa.month_day_nano_interval()
    durations = back(pa.array([pa.MonthDayNano([0, 1, 5]), None], kind))
    assert durations.dtype == "timedelta64[ns]"
    assert durations[0] == pd.Timedelta(1, "D") + pd.Timedelta(5, "ns")
    assert pd.isna(durations[1])
    assert back(pa.array([pa.MonthDayNano([2, 0, 0]), None], kind)).tolist()[0] == "2 months 0 days 0 s"
    assert len(back(pa.array([], kind))) == 0


def test_a_time_that_nanoseconds_cannot_tell() -> None:
    with pytest.raises(QueryError, match="the column x has a time outside"):
        back(pa.array([-(2**60)], pa.timestamp("us")))


@given(st.lists(st.sampled_from(["a", "A", "a_1", "A_1", "b"]), max_size=8))
def test_unique_names_are_unique_without_case_and_keep_the_first(names: list[str]) -> None:
    unique = unique_names(names)
    assert len({name.lower() for name in unique}) == len(names)
    assert unique[:1] == names[:1]
