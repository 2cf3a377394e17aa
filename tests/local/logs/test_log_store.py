"""Lines by selector and time, from tables in memory and from a native folder's file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.local.logs.column import Column, scattered
from obs_magics.local.logs.readers import ParquetReader, TableReader
from obs_magics.local.logs.store import LogStore, store_of_file, store_of_tables
from obs_magics.local.logs.tables import gathered
from obs_magics.local.promql.data import Matcher
from obs_magics.model.errors import QueryError

UTC = pa.timestamp("ns", tz="UTC")


def table(times: list[int], **columns: list[str | None] | pa.Array) -> pa.Table:
    """A table of lines; `message` is numbered when it is not given."""
    data: dict[str, pa.Array] = {"timestamp": pa.array(times, UTC)}
    columns.setdefault("message", [f"line {row}" for row in range(len(times))])
    for name, values in columns.items():
        data[name] = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    return pa.table(data)


def words(*values: str | None) -> pa.Array:
    """A label that tells streams apart."""
    return pa.array(values, pa.string()).dictionary_encode()


def texts(store: LogStore, *matchers: Matcher, start: int = 0, end: int = 10**6) -> list[str]:
    found = store.select(matchers, start, end)
    lines: list[str] = found.texts(np.arange(len(found))).to_pylist()
    return lines


@pytest.fixture(params=["memory", "file", "unsorted file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LogStore:
    """Six lines of two services, in memory and in files of small row groups."""
    lines = table(
        [10, 20, 20, 30, 40, 50],
        service=words("a", "b", "a", None, "", "b"),
        level=words("error", "info", "warn", "error", "WARNING", None),
        trace_id=["t1", None, "t2", "", "t3", None],
        pod=["p1", "p2", "p1", "p1", None, "p2"],
    )
    if request.param == "memory":
        return store_of_tables([lines])
    if request.param == "unsorted file":
        order = [3, 0, 1, 2, 5, 4]
        lines = lines.take(order)
    pq.write_table(lines, tmp_path / "logs.parquet", row_group_size=2)
    return store_of_file(tmp_path / "logs.parquet")


def test_lines_by_time(store: LogStore) -> None:
    assert texts(store, start=20, end=40) == ["line 1", "line 2", "line 3"]
    assert texts(store, start=20, end=20) == texts(store, start=30, end=20) == []
    assert texts(store) == [f"line {row}" for row in range(6)]
    assert store.extent_ns == (10, 50)
    assert len(store) == 6


@pytest.mark.parametrize(
    ("matcher", "rows"),
    [
        (Matcher("service", "=", "a"), [0, 2]),
        (Matcher("service", "!=", "a"), [1, 3, 4, 5]),
        (Matcher("service", "=~", "a|b"), [0, 1, 2, 5]),
        (Matcher("service", "!~", ".+"), [3, 4]),
        (Matcher("service", "=", ""), [3, 4]),
        (Matcher("service_name", "=", "a"), [0, 2]),
        (Matcher("service_name", "=", "unknown_service"), [3, 4]),
        (Matcher("service_name", "=~", ".+"), [0, 1, 2, 3, 4, 5]),
        (Matcher("detected_level", "=", "unknown"), [5]),
        (Matcher("detected_level", "=~", "error|warn"), [0, 2, 3]),
        (Matcher("nope", "=", ""), [0, 1, 2, 3, 4, 5]),
        (Matcher("nope", "=~", ".+"), []),
        (Matcher("trace_id", "=", "t1"), []),  # differs from line to line
    ],
)
def test_lines_by_label(store: LogStore, matcher: Matcher, rows: list[int]) -> None:
    assert texts(store, matcher) == [f"line {row}" for row in rows]


def test_labels_and_their_values(store: LogStore) -> None:
    assert store.label_values("service") == ["a", "b"]
    assert store.label_values("service_name") == ["a", "b", "unknown_service"]
    assert store.label_values("detected_level") == ["WARNING", "error", "info", "unknown", "warn"]
    assert store.label_values("nope") == store.label_values("trace_id") == []
    assert {"service", "level"} <= set(store.label_names())
    assert "trace_id" in store.metadata


def test_stored_labels_of_a_selection(store: LogStore) -> None:
    found = store.select([Matcher("service", "=", "a")], 0, 100)
    both = np.arange(2)
    assert found.label("trace_id", both).strings().to_pylist() == ["t1", "t2"]  # type: ignore[union-attr]
    assert found.label("trace_id", both[1:]).strings().to_pylist() == ["t2"]  # type: ignore[union-attr]
    assert found.label("service_name", both).strings().to_pylist() == ["a", "a"]  # type: ignore[union-attr]
    assert found.label("nope", both) is None
    assert found.texts(both[1:]).to_pylist() == ["line 2"]
    kept = found.kept(np.array([False, True]))
    assert kept.texts(np.arange(1)).to_pylist() == ["line 2"]


def test_levels_that_are_known(store: LogStore) -> None:
    assert store.level_codes(store.select([], 0, 100)).tolist() == [4, 2, 3, 4, -1, -1]


def test_plain_columns_tell_streams_apart_in_a_file_only(tmp_path: Path) -> None:
    lines = table([1, 2], pod=["p1", "p2"], number=pa.array([7, 8]))
    pq.write_table(lines, tmp_path / "x.parquet")
    stored = store_of_file(tmp_path / "x.parquet")
    assert stored.label_names() == ["number", "pod"]
    assert stored.label_values("number") == ["7", "8"]
    read = store_of_tables([lines])
    assert read.label_names() == []
    assert read.metadata == {"number", "pod"}


def test_many_distinct_values_do_not_tell_streams_apart(tmp_path: Path) -> None:
    size = 1_001
    lines = table(list(range(size)), request=[f"r{row}" for row in range(size)])
    pq.write_table(lines, tmp_path / "x.parquet", row_group_size=100)
    stored = store_of_file(tmp_path / "x.parquet")
    assert stored.metadata == {"request"}
    found = stored.select([], 250, 252)
    assert found.label("request", np.arange(2)).strings().to_pylist() == ["r250", "r251"]  # type: ignore[union-attr]


def test_a_file_that_is_no_table_of_logs(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    with pytest.raises(pa.ArrowInvalid, match="has no columns timestamp and message"):
        store_of_file(tmp_path / "x.parquet")


def test_several_tables_become_one() -> None:
    one = table([10, 30], service=words("a", "a"), host=["h1", "h1"])
    other = table(
        [20, 10], message=["x", "y"], service=words("b", None), host=words("h2", "h3"), level=words("info", "info")
    )
    whole = gathered([one, other])
    assert whole["timestamp"].cast(pa.int64()).to_pylist() == [10, 10, 20, 30]  # equal times keep their order
    assert whole["message"].to_pylist() == ["line 0", "y", "x", "line 1"]
    stored = store_of_tables([one, other])
    assert stored.label_names() == ["level", "service"]
    assert stored.metadata == {"host"}


def test_no_table_at_all() -> None:
    stored = store_of_tables([])
    assert len(stored) == 0
    assert stored.extent_ns is None
    assert texts(stored) == []
    assert stored.level_codes(stored.select([], 0, 1)).tolist() == []


def test_missing_messages_are_empty_lines() -> None:
    assert texts(store_of_tables([table([1, 2], message=[None, "x"])])) == ["", "x"]


def test_a_bad_pattern() -> None:
    with pytest.raises(QueryError, match="not a regular expression"):
        store_of_tables([table([1], service=words("a"))]).select([Matcher("service", "=~", "(")], 0, 1)


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 7))
def test_both_readers_give_the_same(wanted: list[bool], group: int) -> None:
    import tempfile

    lines = table(list(range(len(wanted))))
    rows = np.flatnonzero(wanted)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.parquet"
        pq.write_table(lines, path, row_group_size=group)
        found = ParquetReader(path).column("message", rows).to_pylist()
    assert found == TableReader(lines).column("message", rows).to_pylist() == [f"line {row}" for row in rows]


# Columns


def test_columns_of_chunks_with_their_own_dictionaries() -> None:
    column = Column.of(pa.chunked_array([words("a", "b"), words("b", None, "c")]))
    assert column.strings().to_pylist() == ["a", "b", "b", None, "c"]
    assert column.texts() == ["a", "b", "c"]
    assert len(Column.of(pa.chunked_array([], pa.string()))) == 0
    nulls = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1], pa.int8()), pa.array([None, "x"]))
    assert Column.of(nulls).strings().to_pylist() == [None, "x", "x"]


@given(st.lists(st.tuples(st.sampled_from(("a", "b", None)), st.sampled_from(("b", "c", None)))))
def test_one_label_over_another(pairs: list[tuple[str | None, str | None]]) -> None:
    upper, lower = (Column.of(pa.array([pair[side] for pair in pairs], pa.string())) for side in (0, 1))
    whole = upper.over(lower)
    assert whole.strings().to_pylist() == [one if one is not None else other for one, other in pairs]
    assert len(set(whole.texts())) == len(whole.texts())


def test_kept_columns_lose_values_that_nobody_has() -> None:
    column = Column.of(pa.array([f"v{row}" for row in range(1000)]))
    few = column.kept(np.arange(1000) < 2)
    assert few.texts() == ["v0", "v1"]
    assert few.where(np.array([True, False])).compact().strings().to_pylist() == ["v0", None]
    assert column.mask(lambda value: value == "v7", missing=False).sum() == 1
    assert column.kept(np.array([7])).mask(lambda value: value == "v7", missing=False).tolist() == [True]


def test_of_two_pieces_for_a_line_the_first_stays() -> None:
    pieces = [np.array([0, 2]), np.array([2, 1])], [pa.array(["a", None]), pa.array(["b", "c"])]
    assert scattered(4, *pieces).strings().to_pylist() == ["a", "c", "b", None]
    twice = [np.array([0]), np.array([0])], [pa.array(["a"]), pa.array(["b"])]
    assert scattered(1, *twice).strings().to_pylist() == ["a"]
