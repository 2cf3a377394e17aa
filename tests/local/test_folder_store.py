"""The folder's series: matchers, blocks, the native layout on disk, and what both stores give back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obs_magics.local import native
from obs_magics.local.block import STALE, Block, Rows, assemble
from obs_magics.local.database import connect
from obs_magics.local.labels import SeriesIndex
from obs_magics.local.promql.data import STALE_BITS, Matcher
from obs_magics.local.store import Store, store_of_block, store_of_folder
from obs_magics.model.catalog import MetricInfo
from obs_magics.model.errors import BadAnswer, QueryError
from obs_magics.model.frames import HISTOGRAM_TYPE

_LABELS = st.dictionaries(st.sampled_from(["__name__", "job", "a b", "é"]), st.sampled_from(["x", "xy", "y\n", ""]))
_OPS = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "=~": lambda value, wanted: re.fullmatch(wanted, value, re.DOTALL) is not None,
    "!~": lambda value, wanted: re.fullmatch(wanted, value, re.DOTALL) is None,
}


@given(
    st.lists(_LABELS),
    st.lists(
        st.builds(
            Matcher,
            st.sampled_from(["__name__", "job", "a b", "nope"]),
            st.sampled_from(list(_OPS)),
            st.sampled_from(["x", "", "x.*", ".+", "x|y.", "(x)?"]),
        ),
        max_size=3,
    ),
)
def test_matchers_do_what_they_do_in_prometheus(labels: list[dict[str, str]], matchers: list[Matcher]) -> None:
    column = pa.array([list(series.items()) for series in labels], pa.map_(pa.string(), pa.string()))
    expected = [
        row
        for row, series in enumerate(labels)
        if all(_OPS[one.op](series.get(one.name, ""), one.value) for one in matchers)
    ]
    for index in (SeriesIndex.from_labels(labels), SeriesIndex.from_map(column)):
        assert index.match(matchers).tolist() == expected
        assert index.labels(expected) == [labels[row] for row in expected]


def test_a_pattern_is_one_of_re2() -> None:
    index = SeriesIndex.from_labels([{"__name__": "é1"}, {"__name__": "11"}])
    assert index.match([Matcher("__name__", "=~", r"\pL\d\z")]).tolist() == [0]
    with pytest.raises(QueryError, match="of RE2"):
        index.match([Matcher("__name__", "=~", "(")])


def test_labels_and_values_of_one_metric_or_of_all() -> None:
    index = SeriesIndex.from_labels([{"__name__": "up", "job": "b"}, {"__name__": "x", "pod": "p"}, {"job": "a"}])
    assert index.metric_names() == ["up", "x"]
    assert index.label_names() == ["job", "pod"]
    assert index.label_names("x") == ["pod"]
    assert index.label_values("job") == ["a", "b"]
    assert index.label_values("job", "up") == ["b"]
    assert index.label_values("nope") == []


_SAMPLES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.floats(allow_nan=False)), max_size=40)


@given(st.lists(_SAMPLES, max_size=3))
def test_of_equal_series_and_times_the_last_one_wins(parts: list[list[tuple[int, int, float]]]) -> None:
    names = ["b", "a", "b", "c"]  # the first and the third are one series
    rows = [
        Rows(
            [{"__name__": name, "empty": ""} for name in names],
            np.array([series for series, _, _ in part], np.int64),
            np.array([time for _, time, _ in part], np.int64),
            np.array([value for _, _, value in part], np.float64),
        )
        for part in parts
    ]
    expected: dict[tuple[str, int], float] = {}
    for part in parts:
        expected.update({(names[series], time): value for series, time, value in part})
    block = assemble(rows)
    found = {
        (block.labels[row]["__name__"], int(block.timestamps_ms[at])): float(block.values[at])
        for row in range(len(block.labels))
        for at in range(block.offsets[row], block.offsets[row + 1])
    }
    assert found == expected
    assert [series["__name__"] for series in block.labels] == sorted({name for name, _ in expected})
    assert block.repeated == sum(map(len, parts)) - len(expected)
    for first, last in zip(block.offsets[:-1], block.offsets[1:], strict=True):
        assert (np.diff(block.timestamps_ms[first:last]) > 0).all()


def _block(histograms: bool = False) -> Block:
    labels = [{"__name__": "m", "service": f"s{number:03d}"} for number in range(300)]
    times = np.tile(np.arange(10, dtype=np.int64) * 15_000, 300)
    values = np.arange(3000, dtype=np.float64)
    values[[7, 2999]] = [np.nan, STALE]
    kept = None
    if histograms:
        one = {"count": 3.0, "sum": 4.5, "buckets": [{"rule": 0, "lower": 0.5, "upper": 1.0, "count": 3.0}]}
        kept = pa.array([one if row % 10 == 3 else None for row in range(3000)], HISTOGRAM_TYPE)
    info = {"m": MetricInfo("m", "gauge", "s", "A metric.")}
    return Block(labels, np.arange(301) * 10, times, values, kept, info)


_MANIFEST = native.Manifest(format=native.FORMAT, version=native.VERSION)


@pytest.mark.parametrize("histograms", [False, True])
def test_a_folder_gives_back_what_was_written(tmp_path: Path, histograms: bool) -> None:
    block = _block(histograms)
    native.write_folder(tmp_path, block, _MANIFEST, {"events": pa.table({"kind": ["alert"]})})
    with connect(tmp_path) as connection:
        for store in (store_of_folder(connection, tmp_path), store_of_block(block)):
            got = store.select([Matcher("__name__", "=", "m")], 0, 10**9)
            assert list(got.labels) == list(block.labels)
            assert got.offsets.tolist() == block.offsets.tolist()
            assert got.timestamps_ms.tolist() == block.timestamps_ms.tolist()
            assert (got.values.view(np.uint64) == block.values.view(np.uint64)).all()
            assert got.values.view(np.uint64)[-1] == STALE_BITS != got.values.view(np.uint64)[7]
            assert (got.histograms is None) == (not histograms)
            if histograms:
                assert got.histograms.to_pylist() == block.histograms.to_pylist()
            assert store.metadata == block.metadata
            assert store.samples_end_ms == 135_000


@pytest.fixture(scope="module")
def both_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    folder = tmp_path_factory.mktemp("stores")
    native.write_folder(folder, _block(histograms=True), _MANIFEST)
    with connect(folder) as connection:
        yield store_of_folder(connection, folder), store_of_block(_block(histograms=True))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(
    wanted=st.sets(st.integers(0, 299), min_size=1),
    start=st.integers(-20_000, 160_000),
    end=st.integers(-20_000, 160_000),
)
def test_few_or_scattered_series_come_with_the_samples_of_the_range(
    both_stores: tuple[Store, Store], wanted: set[int], start: int, end: int
) -> None:
    matchers = [Matcher("service", "=~", "|".join(f"s{number:03d}" for number in wanted))]
    times = [time for time in range(0, 150_000, 15_000) if start <= time <= end]
    for store in both_stores:
        got = store.select(matchers, start, end)
        assert [one["service"] for one in got.labels] == [f"s{n:03d}" for n in sorted(wanted) if times]
        assert got.timestamps_ms.tolist() == times * len(got.labels)
        assert np.diff(got.offsets).tolist() == [len(times)] * len(got.labels)


def test_many_stretches_are_read_in_one_go(tmp_path: Path) -> None:
    labels = [{"__name__": "m", "n": f"{number:05d}"} for number in range(3000)]
    block = Block(labels, np.arange(3001), np.zeros(3000, np.int64), np.arange(3000, dtype=np.float64))
    native.write_folder(tmp_path, block, _MANIFEST)
    with connect(tmp_path) as connection:
        got = store_of_folder(connection, tmp_path).select([Matcher("n", "=~", ".*00")], 0, 1)
    assert got.values.tolist() == list(range(0, 3000, 100))


def test_nothing_is_an_empty_set() -> None:
    store = store_of_block(assemble([]))
    got = store.select([Matcher("__name__", "=", "up")], 0, 1)
    assert list(got.labels) == []
    assert got.offsets.tolist() == [0]
    assert store.samples_end_ms is None


def test_the_database_reads_one_folder_only(tmp_path: Path) -> None:
    import duckdb

    (tmp_path / "in").mkdir()
    (tmp_path / "out.csv").write_text("a\n1\n")
    (tmp_path / "in" / "x.csv").write_text("a\n1\n")
    with connect(tmp_path / "in") as connection:
        assert connection.execute(f"SELECT * FROM '{tmp_path}/in/x.csv'").fetchall() == [(1,)]
        for forbidden in (
            f"SELECT * FROM '{tmp_path}/out.csv'",
            f"COPY (SELECT 1) TO '{tmp_path}/y.csv'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(forbidden)


def test_a_manifest_of_somebody_else_is_none(tmp_path: Path) -> None:
    assert native.read_manifest(tmp_path) is None
    (tmp_path / "manifest.json").write_text('{"format": "something"}')
    assert native.read_manifest(tmp_path) is None
    assert native.address_of(tmp_path) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ('{"format": "obs_magics folder"}', "damaged"),
        ('{"format": "obs_magics folder", "version": 99}', "version 99"),
    ],
)
def test_a_damaged_manifest_says_so(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(BadAnswer, match=message):
        native.read_manifest(tmp_path)
    assert native.address_of(tmp_path) == ""


def test_damage_is_found(tmp_path: Path) -> None:
    native.write_folder(tmp_path, _block(), _MANIFEST)
    manifest = native.read_manifest(tmp_path)
    assert manifest
    assert native.damage(tmp_path, manifest) == ""
    with (tmp_path / native.SAMPLES).open("ab") as stream:
        stream.write(b"x")
    assert native.damage(tmp_path, manifest) == "metrics/samples.parquet is not as it was written"
    (tmp_path / native.SERIES).unlink()
    (tmp_path / native.SAMPLES).unlink()
    assert "is missing" in native.damage(tmp_path, manifest)
