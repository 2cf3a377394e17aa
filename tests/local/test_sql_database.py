"""SQL for real: over a native folder, over files, over frames; with bounds that hold."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.long_statement import LONG, statement_begun
from support.patience import eventually_async
from support.sql_folders import END_MS, file_folder, native_folder

from obs_magics.local.settings import FolderSettings
from obs_magics.local.source import FolderSource
from obs_magics.local.sql import Database
from obs_magics.local.sql.tables import Layout
from obs_magics.model.errors import BadAnswer, LimitExceeded, ObsError, QueryError, SourceTimeout
from obs_magics.model.frames import check_metrics
from obs_magics.model.query import SqlQuery
from obs_magics.model.sources import Answer, SqlSource
from obs_magics.model.time import SECOND


def ask(source: FolderSource | Database, text: str, **options: Any) -> Answer:
    query = SqlQuery(text=text, **options)
    return asyncio.run(source.answer(query) if isinstance(source, Database) else source.sql(query))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> FolderSource:
    return FolderSource("here", FolderSettings(path=str(native_folder(tmp_path_factory.mktemp("native")))))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> FolderSource:
    return FolderSource("files", FolderSettings(path=str(file_folder(tmp_path_factory.mktemp("files")))))


@pytest.fixture
def frames_only() -> Database:
    return Database()


def test_the_tables_of_a_native_folder(native: FolderSource) -> None:
    assert isinstance(native, SqlSource)
    tables = asyncio.run(native.tables())
    assert list(tables) == ["metrics", "series", "spans"]
    labels = ["Job", "job_1", "label_metric", "samples"]
    assert list(tables["metrics"]) == ["timestamp", "value", "metric", *labels, "histogram"]
    assert list(tables["series"]) == ["metric", *labels, "samples_1", "first", "last"]


def test_metrics_is_a_metrics_frame_without_stale_markers(native: FolderSource) -> None:
    frame = ask(native, "SELECT * FROM metrics WHERE metric = 'up' ORDER BY job_1, timestamp").frame
    check_metrics(frame)
    assert len(frame) == 19
    assert frame["job_1"].tolist() == ["api"] * 10 + ["cart"] * 9
    assert frame["timestamp"].iloc[9] == pd.Timestamp(END_MS, unit="ms", tz="UTC")
    assert not frame["value"].isna().any()


def test_a_nan_that_was_measured_is_found(native: FolderSource) -> None:
    answer = ask(
        native, "SELECT count(*) AS n, count(*) FILTER (isnan(value)) AS nan FROM metrics WHERE metric = 'load'"
    )
    assert answer.frame.loc[0].tolist() == [10, 1]
    assert ask(native, "SELECT count(*) AS n FROM metrics WHERE value > 1e300 AND metric = 'load'").frame["n"][0] == 1
    assert ask(native, "SELECT count(*) AS n FROM spans WHERE isnan(ratio)").frame["n"][0] == 1
    assert ask(native, "SELECT count(*) AS n FROM spans WHERE isnan(small)").frame["n"][0] == 1


def test_stale_markers_go_also_where_the_file_has_statistics_of_its_values(tmp_path: Path) -> None:
    folder = native_folder(tmp_path / "old")
    samples = folder / "metrics" / "samples.parquet"
    pq.write_table(pq.read_table(samples), samples)  # as an older writer did
    source = FolderSource("old", FolderSettings(path=str(folder)))
    assert ask(source, "SELECT count(*) AS n FROM metrics WHERE metric = 'up' AND isnan(value)").frame["n"][0] == 0
    assert ask(source, "SELECT count(*) AS n FROM metrics WHERE metric = 'load' AND isnan(value)").frame["n"][0] == 1
    asyncio.run(source.close())


def test_series_histograms_and_spans(native: FolderSource) -> None:
    frame = ask(native, "SELECT metric, samples, samples_1, last FROM series ORDER BY ALL").frame
    assert frame["samples_1"].tolist() == [10] * 4
    assert frame["last"].iloc[0] == pd.Timestamp(END_MS, unit="ms", tz="UTC")
    assert ask(native, "SELECT avg(histogram.count) AS c FROM metrics WHERE metric = 'latency'").frame["c"][0] == 3.0
    spans = ask(
        native, "SELECT trace_id[1] AS t, start, duration FROM spans WHERE duration > INTERVAL '1 second'"
    ).frame
    assert spans["t"].tolist() == ["a"]
    assert spans["duration"][0] == pd.Timedelta(1.5, "s")
    assert str(spans["start"].dtype) == "datetime64[ns, UTC]"


def test_only_the_row_groups_of_the_metric_are_read(native: FolderSource) -> None:
    plan = ask(native, "EXPLAIN ANALYZE SELECT avg(value) FROM metrics WHERE metric = 'up'").frame["explain_value"][0]
    assert "Dynamic Filters" in plan
    assert "timestamp_ms" not in plan


def test_files_are_tables_and_metrics(files: FolderSource) -> None:
    tables = asyncio.run(files.tables())
    assert list(tables) == ["load", "metrics", "metrics_1", "queue", "requests", "series"]
    assert ask(files, "FROM requests WHERE latency > 1").frame.loc[0, "route"] == "/cart"
    assert ask(files, "SELECT host FROM queue WHERE timestamp >= '2026-11-22T16:00:00Z'").frame["host"].tolist() == [
        "b"
    ]
    assert ask(files, "SELECT sum(depth) AS s FROM metrics_1").frame["s"][0] == 3
    assert ask(files, "SELECT count(*) AS n FROM load WHERE isnan(load)").frame["n"][0] == 1
    answer = ask(files, "SELECT metric, count(*) AS n FROM metrics GROUP BY ALL ORDER BY ALL")
    assert {"latency", "size", "depth", "load"} <= set(answer.frame["metric"])
    assert not any("notes.txt" in warning for warning in answer.warnings)


def test_native_histograms_of_files_in_memory(tmp_path: Path) -> None:
    point = {
        "timeUnixNano": str(END_MS * 1_000_000), "count": "3", "sum": 1.5, "scale": 0, "zeroCount": "0",
        "positive": {"offset": 0, "bucketCounts": ["3"]},
    }  # fmt: skip
    metric = {"name": "latency", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [point]}}
    body = {"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"scope": {}, "metrics": [metric]}]}]}
    (tmp_path / "otlp.json").write_text(json.dumps(body))
    source = FolderSource("otlp", FolderSettings(path=str(tmp_path)))
    assert ask(source, "SELECT sum(histogram.count) AS c FROM metrics").frame["c"][0] == 3
    asyncio.run(source.close())


def test_a_single_file(tmp_path: Path) -> None:
    path = file_folder(tmp_path) / "requests.csv"
    source = FolderSource("one", FolderSettings(path=str(path)))
    assert ask(source, "SELECT count(*) AS n FROM requests").frame["n"][0] == 2
    for call in (f"'{path.parent / 'queue.jsonl'}'", f"'{path.parent}/*.csv'"):
        with pytest.raises(QueryError):
            ask(source, f"SELECT * FROM {call}")
    asyncio.run(source.close())


def test_a_file_that_is_no_table_after_all_is_said(tmp_path: Path) -> None:
    folder = file_folder(tmp_path)
    (folder / "broken.jsonl").write_text('{"timestamp": "2026-11-22T16:00:00Z", "x": 1}\n{"a":\n' + "\xff\n")
    (folder / "packed.parquet").write_bytes(b"\x1f\x8bnot really")
    (folder / "broken.parquet").write_bytes(b"PAR1 and no more")
    (folder / "latin.csv").write_bytes(b"time,\xe9t\xe9\n2026-11-22T15:59:00Z,1\n2026-11-22T15:59:15Z,2\n")
    source = FolderSource("files", FolderSettings(path=str(folder)))
    answer = ask(source, "SELECT x FROM broken")
    assert answer.frame["x"].tolist() == [1]
    assert answer.warnings[0] == ("broken.jsonl, line 2: not JSON: Input data was truncated (and 1 more of this file)")
    said = " ".join(ask(source, "SHOW TABLES").warnings)
    assert "latin.csv is no table for SQL: its first line" in said
    assert "broken.jsonl" not in said
    asyncio.run(source.close())


def test_a_table_that_duckdb_cannot_read_is_said() -> None:
    layout = Layout(statements=["CREATE SCHEMA stored"], optional={"x.csv": "CREATE VIEW x AS FROM nothing"})
    answer = ask(Database(layout=lambda: layout), "SELECT 1")
    assert answer.warnings == ("x.csv is no table for SQL: Catalog Error: Table with name nothing does not exist!",)
    with pytest.raises(BadAnswer, match="cannot be opened"):
        ask(Database(layout=lambda: Layout(statements=["no SQL", "none"])), "SELECT 1")


def test_a_folder_whose_files_are_gone_is_an_error_of_ours(tmp_path: Path) -> None:
    folder = native_folder(tmp_path)
    source = FolderSource("gone", FolderSettings(path=str(folder)))
    source.contents()
    (folder / "spans.parquet").unlink()
    with pytest.raises(BadAnswer, match="tables cannot be opened"):
        ask(source, "SELECT 1")
    asyncio.run(source.close())


@pytest.fixture
def notebook() -> dict[str, pd.DataFrame]:
    times = pd.date_range("2026-11-22 15:59", periods=3, freq="15s", tz="UTC").as_unit("ns")
    frame = pd.DataFrame(
        {
            "timestamp": times,
            "service": pd.Categorical(["a", "b", None]),
            "text": pd.array(["x", None, "it's"], dtype=pd.StringDtype("pyarrow", na_value=np.nan)),
            "took": pd.to_timedelta([1, 2, 3], unit="s").as_unit("ns"),
            "n": [1, 2, 3],
        }
    )
    return {"errors": frame, "Wide": pd.DataFrame({"v": [1.5]}), "not_named": pd.DataFrame({"bad": [object()]})}


def test_frames_are_named_like_their_variables(frames_only: Database, notebook: dict[str, pd.DataFrame]) -> None:
    frame = ask(frames_only, "SELECT * FROM errors", frames=notebook).frame
    for column in ("timestamp", "took", "n"):
        pd.testing.assert_series_equal(frame[column], notebook["errors"][column])
    assert frame["service"].tolist()[:2] == ["a", "b"]
    assert frame["text"].isna().tolist() == [False, True, False]
    answer = ask(frames_only, "SELECT coalesce(service, 'none') AS s FROM errors ORDER BY n", frames=notebook)
    assert answer.frame["s"].tolist() == ["a", "b", "none"]
    assert ask(frames_only, "SELECT v FROM wide", frames=notebook).frame["v"].tolist() == [1.5]
    assert list(notebook["errors"].columns) == ["timestamp", "service", "text", "took", "n"]


def test_frames_join_tables_and_stand_before_them(native: FolderSource, notebook: dict[str, pd.DataFrame]) -> None:
    joined = "SELECT count(*) AS n FROM metrics JOIN errors USING (timestamp) WHERE metric = 'up'"
    assert ask(native, joined, frames=notebook).frame["n"][0] == 6
    own = {"spans": notebook["Wide"]}
    answer = ask(
        native, "SELECT (SELECT count(*) FROM spans) AS mine, (SELECT count(*) FROM memory.spans) AS its", frames=own
    )
    assert answer.frame.loc[0].tolist() == [1, 2]
    assert any("memory.spans" in warning for warning in answer.warnings)
    assert ask(native, "SELECT count(*) AS n FROM spans").frame["n"][0] == 2
    assert ask(native, "SELECT count(*) AS n FROM spans", frames={"Spans": notebook["Wide"]}).frame["n"][0] == 2


def test_a_frame_that_sql_cannot_take_is_an_error_only_when_named(
    frames_only: Database, notebook: dict[str, pd.DataFrame]
) -> None:
    assert len(ask(frames_only, "SELECT 1", frames=notebook).frame) == 1
    with pytest.raises(QueryError, match="not_named"):
        ask(frames_only, "FROM not_named", frames=notebook)


def test_rows_are_limited_and_that_is_said(frames_only: Database) -> None:
    answer = ask(frames_only, "SELECT * FROM range(100000000000)")  # all of them would take an hour
    assert len(answer.frame) == 10_000
    assert answer.truncated == "the first 10,000 rows of more (limit)"
    exact = ask(frames_only, "SELECT * FROM range(5)", limit=5)
    assert (len(exact.frame), exact.truncated) == (5, "")
    many = ask(frames_only, "SELECT * FROM range(300000) ORDER BY 1 DESC", limit=250_000)
    assert many.frame["range"].tolist() == list(range(299_999, 49_999, -1))


def test_an_empty_answer_has_its_columns(frames_only: Database) -> None:
    frame = ask(frames_only, "SELECT now() AS t, INTERVAL '1 s' AS d, 'x' AS s WHERE false").frame
    assert [str(dtype) for dtype in frame.dtypes] == ["datetime64[ns, UTC]", "timedelta64[ns]", "str"]


@pytest.mark.parametrize(
    ("text", "marked", "says", "hint"),
    [
        ("SELECT * FROM metrcs", "metrcs", "no table or frame called metrcs", "did you mean metrics?"),
        ("SELECT * FROM zzzzzz", "zzzzzz", "no table or frame called zzzzzz", "there are: metrics, series, spans"),
        ("SELECT * FROM '/etc/passwd'", "'/etc/passwd'"[:11], "no table or frame", "there are"),
        ("SELECT 'é',\n  valu FROM metrics", "valu", 'column "valu" not found', "did you mean value?"),
        ("SELECT m.valu FROM metrics m", "m.valu", "valu", "did you mean value?"),
        ("SELECT getenv('HOME')", "getenv('HOME')"[:6], "getenv does not exist", ""),
        ("SELECT CAST('x' AS INT)", "CAST('x' AS INT)", "Could not convert", ""),
        ("SELECT '" + "y" * 200 + "', valu FROM metrics", "valu", "valu", "did you mean value?"),
    ],
)
def test_errors_say_where_and_what_was_meant(
    native: FolderSource, text: str, marked: str, says: str, hint: str
) -> None:
    with pytest.raises(QueryError) as caught:
        ask(native, text)
    error = caught.value
    assert says in str(error)
    assert hint in error.hint
    assert error.words
    assert error.where.startswith("here (")
    assert error.position is not None
    assert text[error.position :].startswith(marked[: error.length])


def test_nothing_can_be_named_without_source_and_frames(frames_only: Database) -> None:
    with pytest.raises(QueryError) as caught:
        ask(frames_only, "FROM metrics")
    assert "%obs connect" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM '/proc/self/environ'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM 'https://example.com/x.parquet'",
        "SELECT * FROM 's3://bucket/x.parquet'",
        "SELECT * FROM 'metrics/samples.parquet'",
    ],
)
def test_no_file_is_read_through_a_name(native: FolderSource, text: str) -> None:
    with pytest.raises(QueryError):
        ask(native, text)


def test_the_leash_holds_below_the_judge_too(native: FolderSource, tmp_path: Path) -> None:
    """Should a statement ever slip through the judge, the database itself still refuses."""
    ask(native, "SELECT 1")
    opened = native._database._opened()  # what is tested is the second line of defence
    for text in (
        "SELECT * FROM read_text('/etc/passwd')",
        f"COPY (SELECT 1) TO '{tmp_path / 'x.csv'}'",
        f"ATTACH '{tmp_path / 'x.db'}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "RESET lock_configuration",
    ):
        import duckdb

        with pytest.raises(duckdb.Error), opened.connection.cursor() as cursor:
            cursor.execute(text)
    assert list(tmp_path.iterdir()) == []


def test_it_takes_no_longer_than_it_may(frames_only: Database) -> None:
    with pytest.raises(SourceTimeout, match="longer than 200ms"):
        ask(frames_only, LONG, timeout_ns=SECOND // 5)
    assert ask(frames_only, "SELECT 1 AS one").frame["one"][0] == 1


def test_cancelling_the_task_stops_the_statement(frames_only: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = statement_begun(monkeypatch)
    threads = set(threading.enumerate())

    async def main() -> None:
        task = asyncio.create_task(frames_only.answer(SqlQuery(text=LONG, timeout_ns=900 * SECOND)))
        await eventually_async(begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)

    asyncio.run(main())  # waits for its threads: one that went on would do so for hours
    assert set(threading.enumerate()) <= threads


def test_it_takes_no_more_memory_than_it_may() -> None:
    many = "SELECT i, repeat('x', 50) FROM range(20000000) t(i) ORDER BY hash(i)"
    with pytest.raises(LimitExceeded, match="more memory") as caught:
        ask(Database(memory_bytes=64 << 20), many, timeout_ns=900 * SECOND)
    assert "aggregate earlier" in caught.value.hint


def test_answers_are_the_same_each_time(native: FolderSource) -> None:
    text = "SELECT metric, job_1, sum(value / 3) AS s FROM metrics GROUP BY ALL"
    first, second = ask(native, text).frame, ask(native, text).frame
    pd.testing.assert_frame_equal(first, second)


def test_the_clock_of_a_source_that_stands_still(native: FolderSource, frames_only: Database) -> None:
    (warning,) = ask(native, "SELECT now() AS n").warnings
    assert "TIMESTAMPTZ '2026-11-22T16:00:00+00:00'" in warning
    assert ask(native, "SELECT 1").warnings == ()
    assert ask(frames_only, "SELECT now() AS n").warnings == ()


def test_questions_at_the_same_time(native: FolderSource) -> None:
    async def main() -> list[Answer]:
        frames = [{"mine": pd.DataFrame({"n": [number]})} for number in range(6)]
        return await asyncio.gather(*(native.sql(SqlQuery(text="FROM mine", frames=one)) for one in frames))

    assert [int(answer.frame["n"][0]) for answer in asyncio.run(main())] == list(range(6))


def test_a_closed_source_is_not_asked_again(tmp_path: Path) -> None:
    source = FolderSource("x", FolderSettings(path=str(native_folder(tmp_path))))
    ask(source, "SELECT 1")
    asyncio.run(source.close())
    with pytest.raises(ObsError, match="closed"):
        ask(source, "SELECT 1")


def test_a_frame_of_notebook_size_is_taken_as_it_is(frames_only: Database) -> None:
    big = pa.table({"v": np.arange(1_000_000), "s": pa.array(["a", "b"] * 500_000).dictionary_encode()}).to_pandas()
    frame = ask(frames_only, "SELECT s, sum(v) AS v FROM big GROUP BY ALL ORDER BY ALL", frames={"big": big}).frame
    assert frame["v"].sum() == 499_999_500_000


def test_a_folder_of_logs_alone_has_empty_tables_of_metrics(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text("2026-11-22T14:00:00Z ERROR it broke\n")
    source = FolderSource("logs", FolderSettings(path=str(tmp_path)))
    assert ask(source, "SELECT count(*) AS n FROM metrics").frame["n"].tolist() == [0]
