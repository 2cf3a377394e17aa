"""A folder as a source: answers, units, why there is nothing, health, catalog, cancellation, errors."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from obs_magics.local import native, source
from obs_magics.local.block import Block, Rows, assemble
from obs_magics.local.settings import FolderSettings
from obs_magics.local.source import ADAPTER, FolderSource
from obs_magics.model.catalog import MetricInfo
from obs_magics.model.errors import BadAnswer, ConfigError, QueryError, SourceUnavailable
from obs_magics.model.frames import check_metrics
from obs_magics.model.query import MetricsQuery
from obs_magics.model.sources import CatalogSource, MetricsSource
from obs_magics.model.time import SECOND, TimeRange

START = 1_795_341_600_000  # 2026-11-22 10:00 UTC
CSV = "timestamp,service,value\n" + "".join(
    f"{(START + number * 15_000) / 1000:.0f},{service},{number * factor}\n"
    for service, factor in (("a", 1), ("b", 2))
    for number in range(41)
)


def _query(text: str, *, minutes: tuple[float, float] = (0, 10), step: int = 60, **options: object) -> MetricsQuery:
    first, last = (START * 1_000_000 + int(minute * 60) * SECOND for minute in minutes)
    return MetricsQuery(text=text, range=TimeRange(first, last), step_ns=step * SECOND, **options)


@pytest.fixture
def folder(tmp_path: Path) -> FolderSource:
    (tmp_path / "work_seconds_total.csv").write_text(CSV)
    return FolderSource("mine", FolderSettings(path=str(tmp_path)))


async def test_it_is_a_source_with_metrics_and_a_catalog(folder: FolderSource) -> None:
    assert isinstance(folder, MetricsSource)
    assert isinstance(folder, CatalogSource)
    opened = ADAPTER.open("x", FolderSettings(url="/tmp/x"))
    assert opened.address == "/tmp/x"
    assert FolderSettings(url="/tmp/x").shown_address == "/tmp/x"
    assert ADAPTER.type == opened.platform == "folder"
    await opened.close()


async def test_a_range_an_instant_and_a_limit(folder: FolderSource) -> None:
    answer = await folder.metrics(_query("rate(work_seconds_total[5m])", minutes=(5, 10)))
    check_metrics(answer.frame)
    assert answer.unit == "1"  # seconds of work a second: a share
    assert answer.native_query == "rate(work_seconds_total[5m])"
    assert answer.frame.groupby("service", observed=True)["value"].mean().to_dict() == pytest.approx(
        {"a": 1 / 15, "b": 2 / 15}
    )
    assert not answer.warnings
    assert not answer.truncated
    assert not answer.empty_reason
    answer = await folder.metrics(_query("work_seconds_total", instant=True, limit=1))
    assert answer.frame["value"].tolist() == [40.0]
    assert answer.frame["timestamp"].tolist() == [pd.Timestamp("2026-11-22T10:10:00Z")]
    assert answer.truncated == "1 of 2 series (limit)"
    answer = await folder.metrics(_query("1 + 1", instant=True))
    assert answer.frame["value"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("text", "minutes", "reason"),
    [
        ("work_second_total", (0, 1), "there is no metric 'work_second_total' here; did you mean work_seconds_total?"),
        ('{__name__=~"nope.*"}', (0, 1), 'no metric name fits __name__=~"nope.*"'),
        ('work_seconds_total{sevice="a"}', (0, 1), "no series has a label 'sevice'; did you mean service?"),
        ('work_seconds_total{service="c"}', (0, 1), 'no series has service="c"; it has a, b'),
        ('work_seconds_total{service="a",service!="a"}', (0, 1), "no series has all of"),
        ("work_seconds_total", (100, 110), "between 2026-11-22 10:00:00 and 2026-11-22 10:10:00 UTC, outside"),
        ('{service="c",service=~".+"}', (0, 1), 'no series has service="c"; it has a, b'),
        ('{service="aa"}', (0, 1), 'no series has service="aa"'),
        ("work_seconds_total > 100", (0, 1), "nothing is left of them"),
        ("vector(1) > 2", (0, 1), "reads no series"),
    ],
)
async def test_an_empty_answer_says_why(folder: FolderSource, text: str, minutes: tuple[int, int], reason: str) -> None:
    answer = await folder.metrics(_query(text, minutes=minutes))
    assert answer.frame.empty
    assert reason in answer.empty_reason


async def test_values_of_other_metrics_and_gaps_are_told_apart(tmp_path: Path) -> None:
    rows = Rows(
        [{"__name__": "x", "job": "a"}, {"__name__": "y", "job": "b"}],
        np.array([0, 0, 1]),
        np.array([START, START + 3_600_000, START]),
        np.ones(3),
    )
    native.write_folder(tmp_path, assemble([rows]), native.Manifest(format=native.FORMAT, version=1))
    folder = FolderSource("x", FolderSettings(path=str(tmp_path)))
    answer = await folder.metrics(_query('x{job="b"}'))
    assert answer.empty_reason == 'no series of x has job="b"; it has a'
    answer = await folder.metrics(_query("x", minutes=(20, 30)))
    assert answer.empty_reason == "x has no samples in the range asked for; there are some before and after"
    assert folder.now_ns() == (START + 3_600_000) * 1_000_000
    await folder.close()


async def test_a_series_without_samples_is_said_to_have_none(tmp_path: Path) -> None:
    block = Block([{"__name__": "x"}], np.zeros(2, np.int64), np.empty(0, np.int64), np.empty(0))
    native.write_folder(tmp_path, block, native.Manifest(format=native.FORMAT, version=1))
    folder = FolderSource("x", FolderSettings(path=str(tmp_path)))
    assert (await folder.metrics(_query("x"))).empty_reason == "the series are there, but without samples"
    await folder.close()


async def test_health_says_what_is_there_and_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV + "bad,a,1\n")
    (tmp_path / "b.csv").write_text(CSV)
    for number in range(7):
        (tmp_path / f"empty{number}.csv").write_text("\n")
    folder = FolderSource("mine", FolderSettings(path=str(tmp_path), metric="work"))
    assert folder.warnings == ()
    health = await folder.health()
    assert health.ok
    first, *lines = health.detail.split("\n")
    assert first == "2 files, 2 series. It stands still: its now is 2026-11-22 10:10:00 UTC"
    assert lines[0].startswith("a.csv, line 84: column timestamp: ")
    assert lines[-1] == folder.warnings[-1] == "82 samples left out: a later one has the same series and time"
    assert len(folder.warnings) == 9
    answer = await folder.metrics(_query("work"))
    assert answer.warnings == (lines[0], lines[-1])
    await folder.close()


async def test_the_catalog_knows_names_and_metadata(tmp_path: Path) -> None:
    (tmp_path / "m.prom").write_text(
        "# HELP lag_seconds How late.\n# TYPE lag_seconds histogram\n# TYPE a_bytes counter\n"
        f'lag_seconds_sum{{job="x"}} 1 {START}\nlag_seconds_count 1 {START}\na_bytes_total{{pod="p"}} 2 {START}\n'
    )
    folder = FolderSource("mine", FolderSettings(path=str(tmp_path / "m.prom")))
    catalog = folder.catalog
    assert await catalog.metric_names() == ["a_bytes_total", "lag_seconds_count", "lag_seconds_sum"]
    assert await catalog.label_names() == ["job", "pod"]
    assert await catalog.label_names("a_bytes_total") == ["pod"]
    assert await catalog.label_values("job") == ["x"]
    assert await catalog.label_values("job", "a_bytes_total") == []
    assert await catalog.metric("lag_seconds") == MetricInfo("lag_seconds", "histogram", "s", "How late.")
    assert (await catalog.metric("lag_seconds_count")).unit == ""
    assert (await catalog.metric("lag_seconds_sum")).unit == "s"
    assert await catalog.metric("a_bytes_total") == MetricInfo("a_bytes_total", "counter", "By")
    assert await catalog.metric("other_total") == MetricInfo("other_total", "counter")
    await folder.close()


async def test_the_native_folder_brings_its_own_now_and_name(tmp_path: Path) -> None:
    manifest = native.Manifest(
        format=native.FORMAT, version=1, title="T", address="a nice name", now="2026-11-22T16:00:00Z", note="N."
    )
    native.write_folder(tmp_path, assemble([]), manifest)
    folder = FolderSource("x", FolderSettings(path=str(tmp_path)))
    assert folder.address == "a nice name"
    assert folder.now_ns() == 1_795_363_200 * SECOND
    assert (await folder.health()).detail == "T, 0 series. N"
    await folder.close()
    await folder.close()
    with pytest.raises(SourceUnavailable, match="has been closed"):
        folder.now_ns()
    empty = FolderSource("x", FolderSettings(path=str(tmp_path), now="2026-11-22 17:00"))
    assert empty.now_ns() == 1_795_366_800 * SECOND
    await empty.close()
    native.write_folder(tmp_path, assemble([]), native.Manifest(format=native.FORMAT, version=1))
    silent = FolderSource("x", FolderSettings(path=str(tmp_path)))
    assert silent.now_ns() is None
    assert (await silent.health()).detail == "a folder, 0 series"
    await silent.close()


async def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a path"):
        FolderSource("x", FolderSettings())
    with pytest.raises(ValidationError):
        FolderSettings(path="x", nope=1)
    missing = FolderSource("x", FolderSettings(path=str(tmp_path / "nope")))
    with pytest.raises(SourceUnavailable, match="no such file or folder"):
        await missing.health()
    empty = FolderSource("x", FolderSettings(path=str(tmp_path)))
    with pytest.raises(BadAnswer, match="the folder is empty"):
        await empty.metrics(_query("up"))
    (tmp_path / "x.csv").write_text(CSV)
    wrong = FolderSource("x", FolderSettings(path=str(tmp_path), now="yesterday-ish"))
    with pytest.raises(ConfigError, match="not a time"):
        wrong.now_ns()
    native.write_folder(tmp_path / "n", assemble([]), native.Manifest(format=native.FORMAT, version=1))
    (tmp_path / "n" / native.SERIES).write_bytes(b"PAR1 no")
    damaged = FolderSource("x", FolderSettings(path=str(tmp_path / "n")))
    with pytest.raises(BadAnswer, match="the folder is damaged"):
        await damaged.health()


async def test_a_wrong_query_says_where_and_a_text_is_no_answer(folder: FolderSource) -> None:
    with pytest.raises(QueryError) as caught:
        await folder.metrics(_query("ratee(up[5m])"))
    assert caught.value.where == f"mine ({folder.address})"
    with pytest.raises(QueryError, match="gives a text"):
        await folder.metrics(_query('"hello"', instant=True))
    with pytest.raises(QueryError, match="regex"):
        await folder.metrics(_query('{__name__=~"a(b"}'))


async def test_cancelling_stops_the_evaluation(folder: FolderSource, monkeypatch: pytest.MonkeyPatch) -> None:
    started, stopped = threading.Event(), threading.Event()

    def evaluate(*_args: object, stop: threading.Event, **_options: object) -> None:
        started.set()
        if stop.wait(10):
            stopped.set()
        raise QueryError("stopped")

    monkeypatch.setattr(source, "evaluate", evaluate)
    task = asyncio.create_task(folder.metrics(_query("up")))
    await asyncio.to_thread(started.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(stopped.wait, 10)


async def test_version_two_includes_both_ends(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(CSV)
    counted = {}
    for version in (2, 3):
        folder = FolderSource("x", FolderSettings(path=str(tmp_path), version=version))
        answer = await folder.metrics(_query('count_over_time(x{service="a"}[1m])', instant=True))
        counted[version] = answer.frame["value"].tolist()
        await folder.close()
    assert counted == {2: [5.0], 3: [4.0]}
