"""The pattern table of a logs frame, and the values behind wildcards."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.analysis.patterns import mine, pattern_id, pattern_table, wildcard_values
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE, categories
from obs_magics.model.logs import LEVEL_DTYPE, LEVELS, empty_logs, logs_frame

Line = tuple[int, str | None, str | None, str | None]  # seconds, level, service, message


def frame(lines: list[Line]) -> pd.DataFrame:
    return logs_frame(
        np.array([second * 1_000_000_000 for second, _, _, _ in lines], np.int64),
        pa.array([message for _, _, _, message in lines], pa.large_string()),
        level_codes=np.array([LEVELS.index(level) if level else -1 for _, level, _, _ in lines], np.int8),
        service=categories([service for _, _, service, _ in lines]),
        labels={},
    )


def at(second: int) -> pd.Timestamp:
    return pd.Timestamp(second, unit="s", tz="UTC").as_unit("ns")


LINES: list[Line] = [
    (1, "info", "web", "GET /a took 3 ms"),
    (2, "error", "pay", "pool exhausted"),
    (3, "warn", "web", "GET /b took 12 ms"),
    (4, "info", "api", "GET /a took 3 ms"),
    (5, None, None, None),
    (6, "info", "web", "GET /a took 4 ms"),
    (7, "fatal", None, "pool exhausted"),
]


def test_one_row_a_pattern() -> None:
    table, rows = pattern_table(frame(LINES))
    assert table["template"].tolist() == ["GET <*> took <*> ms", "pool exhausted", ""]
    assert rows.tolist() == [0, 1, 0, 0, 2, 0, 1]
    first = table.iloc[0]
    assert (first["count"], first["share"]) == (4, 4 / 7)
    assert (first["level"], first["service"]) == ("warn", "web")
    assert list(first["services"]) == ["web", "api"]
    assert list(first["levels"]) == ["warn", "info"]
    assert (first["first_seen"], first["last_seen"]) == (at(1), at(6))
    assert list(first["examples"]) == ["GET /a took 3 ms", "GET /b took 12 ms", "GET /a took 4 ms"]
    assert [list(values) for values in first["values"]] == [["/a", "/b"], ["3", "12", "4"]]
    assert list(table["values"].iloc[1]) == []


def test_what_is_unknown_is_missing() -> None:
    table, _ = pattern_table(frame(LINES))
    unknown = table.iloc[2]
    assert pd.isna(unknown["level"])
    assert pd.isna(unknown["service"])
    assert list(unknown["services"]) == list(unknown["levels"]) == []
    assert list(unknown["examples"]) == [""]
    assert (table["service"].iloc[1], list(table["levels"].iloc[1])) == ("pay", ["fatal", "error"])


def test_the_types_are_the_promised_ones_with_lines_or_without() -> None:
    strings = pd.ArrowDtype(pa.list_(pa.string()))
    expected = {
        "id": STRING_DTYPE,
        "template": STRING_DTYPE,
        "count": np.dtype(np.int64),
        "share": np.dtype(np.float64),
        "level": LEVEL_DTYPE,
        "service": STRING_DTYPE,
        "services": strings,
        "levels": strings,
        "first_seen": TIMESTAMP_DTYPE,
        "last_seen": TIMESTAMP_DTYPE,
        "examples": strings,
        "values": pd.ArrowDtype(pa.list_(pa.list_(pa.string()))),
    }
    for given_frame in (frame(LINES), empty_logs()):
        table, rows = pattern_table(given_frame)
        assert dict(table.dtypes) == expected
        assert rows.dtype == np.int64
        assert len(rows) == len(given_frame)


def test_services_with_equally_many_lines_come_by_name() -> None:
    table, _ = pattern_table(frame([(1, None, "web", "up"), (2, None, "api", "up")]))
    assert list(table["services"].iloc[0]) == ["api", "web"]


def test_an_id_is_the_start_of_the_templates_sha256() -> None:
    table, _ = pattern_table(frame(LINES))
    assert table["id"].iloc[1] == pattern_id("pool exhausted") == hashlib.sha256(b"pool exhausted").hexdigest()[:8]


def test_of_many_lines_the_values_come_from_a_sample_spread_over_all() -> None:
    lines: list[Line] = [(at_, "info", "web", f"phase {'10' if at_ < 5000 else '20'} begins") for at_ in range(10_000)]
    table, _ = pattern_table(frame(lines))
    assert [list(values) for values in table["values"].iloc[0]] == [["10", "20"]]
    assert list(table["examples"].iloc[0]) == ["phase 10 begins"]


MESSAGES = st.sampled_from(["took 3 ms", "took 12 ms", "opened", "closed", None, "", '{"msg":"took 5 ms","a":1}'])


@given(st.lists(st.tuples(st.sampled_from([*LEVELS, None]), st.sampled_from(["a", "b", None]), MESSAGES), max_size=30))
def test_every_number_is_what_a_reader_recounts(lines: list[tuple[str | None, str | None, str | None]]) -> None:
    given_frame = frame([(second, *line) for second, line in enumerate(lines)])
    table, rows = pattern_table(given_frame)
    assert table["count"].sum() == len(lines)
    for row, found in table.iterrows():
        own = given_frame[rows == row]
        assert found["count"] == len(own)
        assert found["share"] == len(own) / len(lines)
        assert (found["first_seen"], found["last_seen"]) == (own["timestamp"].min(), own["timestamp"].max())
        assert set(found["levels"]) == set(own["level"].dropna())
        assert set(found["services"]) == set(own["service"].dropna())
        assert set(found["examples"]) <= set(own["message"].fillna(""))
        if len(own["level"].dropna()):
            assert found["level"] == own["level"].max() == found["levels"][0]


def test_values_are_counted_and_the_most_frequent_five_kept() -> None:
    lines = [f"took {size} ms" for size in (7, 7, 9, 1, 2, 3, 4, 9, 7)]
    assert wildcard_values("took <*> ms", lines) == [["7", "9", "1", "2", "3"]]


def test_values_of_structured_bodies() -> None:
    lines = [
        '{"msg":"timeout after 30s","level":"error","http":{"status":500},"ok":true}',
        '{"msg":"timeout after 5s","level":"warn"}',
        'level=warn msg="timeout after 30s"',
    ]
    mined = mine(lines)
    assert mined.templates == ["timeout after <*> http=<*> level=<*> ok=<*>"]
    found = wildcard_values(mined.templates[0], lines, mined.fields[0])
    assert found == [["30s", "5s"], ['{"status": 500}'], ["warn", "error"], ["true"]]
    alone = mine(['{"a":1,"b":"x"}'])
    assert wildcard_values(alone.templates[0], ['{"a":1,"b":"x"}', '{"a":2}'], alone.fields[0]) == [["1", "2"], ["x"]]


def test_lines_that_do_not_match_are_left_out() -> None:
    others = ["took", "it took 3 ms", "took 3 s", "took  5 ms", "took ms"]
    assert wildcard_values("took <*> ms", others) == [["5"]]
    assert wildcard_values("<*> a <*> a <*>", ["1 a 2", "1 a 2 a 3"]) == [["1"], ["2"], ["3"]]
    assert wildcard_values("plain", ["plain", "other"]) == []
    assert wildcard_values("ab<*>bc", ["abc", "ab bc"]) == [[" "]]


def test_long_values_are_cut() -> None:
    assert wildcard_values("open <*>", [f"open /{'x' * 1000}"]) == [["/" + "x" * 199]]
