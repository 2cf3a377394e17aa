"""Columns and frames: the same kind comes back, and the same as line by line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from security.redact_examples import PERSONAL, SECRETS, TOKENS, pem
from security.redact_negatives import CLEAN

from obs_magics.model.frames import STRING_DTYPE, categories
from obs_magics.model.logs import check_logs, empty_logs, logs_frame
from obs_magics.security.redact import Redactor

KEY = b"a key for tests, of 32 bytes ...."
SECRET = TOKENS["github_token"][0]
SAFE = Redactor(KEY).text(SECRET)
LINES = [line for _, line, _ in [*SECRETS, *PERSONAL]]


def redactor(pii: Any = True) -> Redactor:
    return Redactor(KEY, pii=pii)


def many(lines: list[str | None]) -> list[str | None]:
    """So many that the sieves are used."""
    return [*lines, *(f"{line} {number}" for number in range(2) for line in CLEAN * 5)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_arrow_columns_are_as_line_by_line(kind: pa.DataType) -> None:
    lines = many([None, *LINES, None, ""])
    one = redactor()
    expected = [None if line is None else one.text(line) for line in lines]
    column = redactor()
    safe = column.column(pa.array(lines, kind))
    assert safe.type == kind
    assert safe.to_pylist() == expected
    assert column.report == one.report
    parts = redactor().column(pa.chunked_array([lines[:7], [], lines[7:]], kind))
    assert isinstance(parts, pa.ChunkedArray)
    assert parts.to_pylist() == expected


def test_repeated_lines_are_counted_each_time() -> None:
    one = redactor()
    one.column(pa.array([f"x {SECRET}", None, "y"] * 700))
    assert one.report.counts == {"github_token": 700}


def test_dictionaries_and_lists() -> None:
    one = redactor()
    safe = one.column(pa.array(["a", SECRET, None, SECRET]).dictionary_encode())
    assert pa.types.is_dictionary(safe.type)
    assert safe.to_pylist() == ["a", SAFE, None, SAFE]
    assert one.report.total == 2
    nested = pa.array([["a", SECRET], None, [], [None, SECRET]], pa.list_(pa.string()))
    assert one.column(nested).to_pylist() == [["a", SAFE], None, [], [None, SAFE]]
    assert one.column(nested.slice(1)).to_pylist() == [None, [], [None, SAFE]]
    deep = pa.array([[[SECRET], []], None], pa.large_list(pa.list_(pa.large_string())))
    assert one.column(deep).to_pylist() == [[[SAFE], []], None]
    assert one.column(deep).type == deep.type
    numbers = pa.array([1, 2])
    assert one.column(numbers) is numbers


@pytest.mark.parametrize(
    "dtype", [STRING_DTYPE, pd.StringDtype("python"), object, "category", pd.ArrowDtype(pa.string()), "str"]
)
def test_series_keep_dtype_index_name_and_gaps(dtype: Any) -> None:
    lines = ["a", SECRET, None, SECRET, "b"]
    series = pd.Series(lines, dtype=dtype, index=[9, 8, 7, 6, 5], name="message")
    safe = redactor().column(series)
    if dtype != "category":
        assert safe.dtype == series.dtype
    assert safe.name == "message"
    assert list(safe.index) == [9, 8, 7, 6, 5]
    assert list(safe.isna()) == [False, False, True, False, False]
    assert list(safe.dropna()) == ["a", SAFE, SAFE, "b"]
    assert series[8] == SECRET, "what was given stays as it is"


def test_categories_are_redacted_once_and_merged() -> None:
    values = pd.Categorical(
        ["Bob@x.com", "bob@x.com", None, "z"], categories=["z", "Bob@x.com", "bob@x.com"], ordered=True
    )
    one = redactor()
    safe = one.column(pd.Series(values))
    assert safe.cat.categories[0] == "z"
    assert len(safe.cat.categories) == 2
    assert safe.cat.ordered
    assert list(safe.cat.codes) == [1, 1, -1, 0]
    assert one.report.counts == {"email": 2}
    untouched = pd.Series(pd.Categorical([1, 2]))
    assert redactor().column(untouched).equals(untouched)
    assert redactor().column(pd.Series([1.5])).equals(pd.Series([1.5]))
    clean = pd.Series(pd.Categorical(["a"]))
    assert redactor().column(clean).equals(clean)


def test_objects_that_are_no_strings_stay() -> None:
    values = [SECRET, 3, None, {"a": SECRET}, "\ud800 password=hunter22"]
    safe = redactor().column(pd.Series(values, dtype=object))
    assert safe[0] == SAFE
    assert safe[1:3].tolist() == [3, None]
    assert safe[3] == {"a": SECRET}
    assert safe[4].startswith("\ud800 password=<password:")


def logs(messages: list[str | None], **labels: Any) -> pd.DataFrame:
    rows = len(messages)
    return logs_frame(
        np.arange(rows, dtype=np.int64) * 10**9,
        pa.array(messages, pa.string()),
        level_codes=np.full(rows, 4, np.int8),
        service=categories(["shop"] * rows),
        trace_id=pa.array([f"{4111111111111111:032d}"] * rows),
        span_id=pa.array(["4111111111111111"] * rows),
        labels=labels,
    )


def test_a_logs_frame_stays_one() -> None:
    frame = logs(
        ["bob@example.com paid", None, SECRET],
        pod=categories(["shop-7d9f8b6c5d-x2x4z"] * 3),
        user=categories(["bob@example.com", None, "bob@example.com"]),
    )
    frame.attrs["obs"] = {"rows": 3}
    before = frame.copy(deep=True)
    one = redactor()
    safe = one.frame(frame)
    check_logs(safe)
    pd.testing.assert_frame_equal(frame, before)
    assert safe.attrs == frame.attrs
    for name in ("timestamp", "level", "service", "trace_id", "span_id", "pod"):
        pd.testing.assert_series_equal(safe[name], frame[name])
    assert safe["message"][0] == f"{safe['user'][0]} paid", "joinable over columns"
    assert safe["message"][2] == SAFE
    assert one.report.counts == {"email": 3, "github_token": 1}
    pd.testing.assert_frame_equal(redactor().frame(safe), safe)


def test_ids_are_kept_only_when_they_are_ids() -> None:
    safe = redactor().frame(pd.DataFrame({"trace_id": ["4111111111111111", SECRET, None]}))
    assert safe["trace_id"].tolist()[:2] == ["4111111111111111", SAFE]
    as_category = redactor().frame(pd.DataFrame({"span_id": pd.Categorical(["4111111111111111", SECRET])}))
    assert as_category["span_id"].tolist() == ["4111111111111111", SAFE]
    assert redactor().frame(pd.DataFrame({"order": ["4111111111111111"]}))["order"][0].startswith("<card:")


@pytest.mark.parametrize("kind", ["category", object, STRING_DTYPE])
def test_the_name_of_a_column_is_read(kind: Any) -> None:
    frame = pd.DataFrame(
        {
            "db_password": ["hunter2 and more", "***"],
            "token": ["Xq7kPz2mWv9nRt4b", "expired"],
            "tokens": ["many", "few"],
            "phone": ["5551234567", "none"],
            "password_count": ["2 of them", "3"],
        }
    ).astype(kind)
    one = redactor()
    safe = one.frame(frame)
    assert safe["db_password"][0].startswith("<password:")
    assert safe["db_password"][1] == "***"
    assert safe["token"][0].startswith("<token:")
    assert safe["token"][1] == "expired"
    assert safe["phone"][0].startswith("<phone:")
    assert safe["phone"][1] == "none"
    assert safe[["tokens", "password_count"]].equals(frame[["tokens", "password_count"]])
    assert one.report.counts == {"password": 1, "phone": 1, "token": 1}
    pd.testing.assert_frame_equal(redactor().frame(safe), safe)


def test_frames_of_other_kinds() -> None:
    empty = empty_logs()
    pd.testing.assert_frame_equal(redactor().frame(empty), empty)
    assert redactor().frame(pd.DataFrame()).empty
    lists = pd.DataFrame(
        {"examples": pd.Series([[SECRET], []], dtype=pd.ArrowDtype(pa.list_(pa.string()))), "n": [1, 2]}
    )
    assert redactor().frame(lists)["examples"][0] == [SAFE]
    twice = pd.DataFrame([[SECRET, SECRET]], columns=["a", "a"])
    assert redactor().frame(twice).to_numpy().tolist() == [[SAFE, SAFE]]
    numbers = pd.DataFrame({"n": pd.Series([1], dtype=pd.ArrowDtype(pa.int64())), "c": pd.Categorical([1])})
    pd.testing.assert_frame_equal(redactor().frame(numbers), numbers)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_key_logged_line_by_line(chunked: bool) -> None:
    key = pem()
    rows = ["start", key[0], "other service", *key[1:3], None, "  " + key[3], *key[4:], key[2], key[0] + "\n" + key[1]]
    values: Any = pa.chunked_array([rows[:4], rows[4:]]) if chunked else pa.array(rows)
    one = redactor()
    safe = one.column(values).to_pylist()
    assert safe[0:3] == ["start", key[0], "other service"]
    assert all(line is None or line.strip().startswith("<private_key:") for line in safe[3:9])
    assert safe[6].startswith("  <")
    assert safe[-3] == key[-1]
    assert safe[-2] == key[2], "behind the end it is only base64"
    assert one.report.counts == {"private_key": 7}
    assert redactor().column(pa.array(safe)).to_pylist() == safe


def test_a_first_line_alone_hides_nothing() -> None:
    rows = [pem()[0], "nothing of it", None]
    assert redactor().column(pa.array(rows)).to_pylist() == rows


@given(st.lists(st.one_of(st.none(), st.sampled_from(LINES + list(CLEAN))), max_size=30))
def test_frames_are_as_line_by_line(lines: list[str | None]) -> None:
    frame = logs(lines)
    one = redactor()
    assert [None if pd.isna(line) else line for line in redactor().frame(frame)["message"]] == [
        None if line is None else one.text(line) for line in lines
    ]


def test_many_lines_are_looked_at_again_where_something_is_left() -> None:
    lines = [f"{number} Authorization: Bearer a1b2c3d4e5f6 token=a1b2c3d4e5f6 x@example.com" for number in range(1500)]
    one = redactor()
    safe = one.column(pa.array(lines))
    assert one.report.counts == {"authorization": 1500, "email": 1500, "token": 1500}
    assert safe.to_pylist() == [Redactor(KEY, pii=True).text(line) for line in lines]
    assert redactor().column(safe).equals(safe)


def test_more_values_than_are_remembered() -> None:
    lines = [f"user{number}@example.com" for number in range(100_050)]
    safe = redactor().column(pa.array(lines)).to_pylist()
    assert len(set(safe)) == len(lines)
    assert safe[7] == Redactor(KEY, pii=True).text("user7@example.com")
