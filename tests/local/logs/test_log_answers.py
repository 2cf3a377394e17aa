"""A folder as a source of logs: frames, totals, volumes, why there is nothing, catalog, cancellation, errors."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.logql_reference import Entry
from support.logql_worlds import SECOND, START, store_of

from obs_magics.local import contents, native, source
from obs_magics.local.block import Block, assemble
from obs_magics.local.log_answers import answer_logs, words_query
from obs_magics.local.logs.catalog import FolderLogCatalog, field_names
from obs_magics.local.logs.store import LogStore
from obs_magics.local.readers import Reading
from obs_magics.local.settings import FolderSettings
from obs_magics.local.source import FolderSource
from obs_magics.model.errors import BadAnswer, QueryError, SourceError
from obs_magics.model.frames import check_metrics
from obs_magics.model.logs import LEVELS, Level, Volume, check_logs
from obs_magics.model.query import LogsQuery, LogWords, MetricsQuery
from obs_magics.model.sources import Answer, LogsSource
from obs_magics.model.time import TimeRange
from obs_magics.syntax.logql import parse

MINUTE = 60 * SECOND


def entries() -> list[Entry]:
    """Sixty lines, one a second: every fifth an error, every seventh of unknown level, of two services and none."""
    found = []
    for row in range(60):
        stream = {"pod": f"p{row % 2}"}
        if row % 7:
            stream["level"] = "error" if row % 5 == 0 else "info"
        if row % 3:
            stream["service"] = ("shop", "till")[row % 2]
        found.append(Entry(START + row * SECOND, f'{{"n":{row},"trace_id":"x{row}"}}', stream, {"user": f"u{row % 4}"}))
    return found


def ask(
    text: str, store: LogStore | None = None, *, minutes: float = 1, limit: int = 1000, level: Level | None = None
) -> Answer:
    """Ask the lines of a range."""
    return answer_logs(
        store_of(entries()) if store is None else store,
        query(text, minutes=minutes, limit=limit, level=level),
        "mine (here)",
        warnings=lambda _: ("said always",),
        stop=threading.Event(),
    )


def query(
    text: str, *, minutes: float = 1, limit: int = 1000, level: Level | None = None, start: int = START
) -> LogsQuery:
    """A question about the minutes from the start."""
    span = TimeRange(start, start + int(minutes * MINUTE))
    return LogsQuery(text=text, range=span, limit=limit, level=level, step_ns=30 * SECOND, volume_step_ns=25 * SECOND)


def test_lines_as_a_frame() -> None:
    answer = ask('{pod="p1"} | json')
    frame = answer.frame
    check_logs(frame)
    assert list(frame.columns) == [
        "timestamp", "level", "service", "message", "trace_id", "span_id", "n", "pod", "user",
    ]  # fmt: skip
    assert frame["n"].tolist() == [str(row) for row in range(1, 60, 2)]
    assert isinstance(frame["pod"].dtype, pd.CategoricalDtype)
    assert frame["trace_id"].tolist() == [f"x{row}" for row in range(1, 60, 2)]  # nothing was stored: found in the body
    assert frame["span_id"].isna().all()
    assert frame["service"].cat.categories.tolist() == ["till"]
    assert (answer.signal, answer.total, answer.truncated, answer.native_query) == ("logs", 30, "", '{pod="p1"} | json')
    assert answer.warnings == ("said always",)


def test_the_newest_lines_and_how_many_there_are() -> None:
    answer = ask('{pod=~".+"} | json | n >= 10', limit=3)
    assert answer.frame["n"].tolist() == ["57", "58", "59"]
    assert answer.total == 50
    assert answer.truncated == "the newest 3 of 50 lines (--limit)"
    wanted = [entry for entry in entries() if entry.time >= START + 10 * SECOND]
    counts = {
        level: tuple(
            sum(one.stream.get("level") == name and (one.time - START) // (25 * SECOND) == bar for one in wanted)
            for bar in range(3)
        )
        for level, name in (("info", "info"), ("error", "error"), ("unknown", None))
    }
    assert answer.volume == Volume(START, 25 * SECOND, counts)
    assert answer.volume.total == answer.total


def test_the_range_is_open_at_its_end() -> None:
    assert ask('{pod=~".+"}', minutes=0.5).total == 30


def test_lines_of_a_level() -> None:
    answer = ask('{pod=~".+"} | json | n < 50', level="error")
    assert answer.total == sum(1 for entry in entries()[:50] if entry.stream.get("level") == "error")
    assert set(answer.frame["level"]) == {"error"}
    assert answer.warnings == ("8 lines of unknown level left out (--level error)", "said always")
    assert answer.volume is not None
    assert set(answer.volume.counts) == {"error"}
    single = store_of([Entry(START, "x", {"pod": "p"})])
    answer = ask('{pod="p"}', single, level="error")
    assert answer.warnings[0] == "1 line of unknown level left out (--level error)"
    assert (
        answer.empty_reason
        == "1 line of unknown level found, and none that is known to be at least error: try --level all"
    )


def test_numbers_over_time() -> None:
    answer = ask('sum by (service) (count_over_time({pod=~".+"}[30s]))', level="info")
    check_metrics(answer.frame)
    assert answer.signal == "metrics"
    assert (answer.total, answer.volume) == (None, None)
    assert answer.warnings[0].endswith("lines of unknown level left out (--level info)")
    known = [entry for entry in entries() if "level" in entry.stream and START < entry.time <= START + 30 * SECOND]
    at = answer.frame[answer.frame["timestamp"] == pd.Timestamp(START + 30 * SECOND, tz="UTC")]
    assert at.set_index("service")["value"].to_dict() == {
        name: sum(entry.stream.get("service") == name for entry in known) for name in ("shop", "till")
    } | {np.nan: sum("service" not in entry.stream for entry in known)}


def test_a_pipeline_does_not_take_away_what_a_line_is() -> None:
    found = [
        Entry(
            START, "level=warn service=other x=1", {"level": "error", "service": "shop", "app": "a"}, {"trace_id": "t"}
        )
    ]
    frame = ask('{app="a"} | logfmt | drop level, service, trace_id', store_of(found)).frame
    assert frame.loc[0, ["level", "service", "trace_id"]].tolist() == ["error", "shop", "t"]
    assert frame.loc[0, ["level_extracted", "service_extracted"]].tolist() == ["warn", "other"]
    frame = ask('{app="a"} | label_format level=`mine`, service=`y`, trace_id=`z`', store_of(found)).frame
    assert frame.loc[0, ["level", "service", "trace_id"]].tolist() == ["error", "shop", "t"]
    assert frame.loc[0, ["label_level", "label_service", "label_trace_id"]].tolist() == ["mine", "y", "z"]
    frame = ask('{app="a"} | json', store_of(found)).frame
    assert frame.loc[0, "__error__"] == "JSONParserErr"


def test_names_that_the_frame_has_already() -> None:
    found = [
        Entry(START, '{"message":"m","timestamp":1,"level":"odd"}', {"app": "a"}),
        Entry(START + 1, '{"message":"m","timestamp":1}', {"app": "a", "label_level": "NOTICE"}),
    ]
    frame = ask('{app="a"} | json', store_of(found)).frame
    assert frame.loc[0, ["label_message", "label_timestamp", "label_level"]].tolist() == ["m", "1", "odd"]
    assert frame.loc[1, "label_level"] == "NOTICE"
    assert pd.isna(frame.loc[0, "level"])
    frame = ask('{app="a"}', store_of(found)).frame
    assert frame.loc[1, "label_level"] == "NOTICE"
    assert isinstance(frame["label_level"].dtype, pd.CategoricalDtype)


def test_an_empty_frame_is_well_formed() -> None:
    answer = ask('{pod="nope"}')
    check_logs(answer.frame)
    assert (len(answer.frame), answer.total) == (0, 0)
    assert answer.volume == Volume(START, 25 * SECOND, {})


@pytest.mark.parametrize(
    ("text", "minutes", "reason"),
    [
        ('{pos="p1"}', 1, "no stream has a label 'pos'; did you mean pod?"),
        ('{app="p1"}', 1, "no stream has a label 'app'; there are level, pod, service"),
        ('{service="shap"}', 1, 'no stream has service="shap"; did you mean shop?'),
        ('{service="zzzz"}', 1, 'no stream has service="zzzz"; there are shop, till'),
        ('{service=~"z.*"}', 1, 'no stream has service=~"z.*"; there are shop, till'),
        ('{detected_level="fatal"}', 1, 'no stream has detected_level="fatal"; there are error, info, unknown'),
        ('{user="u1"}', 1, 'user differs from line to line, so it does not tell streams apart: filter by it behind the '
         'selector, | user="u1"'),
        ('{service="shop", pod="p1"}', 1, 'no line has all of service="shop", pod="p1" at once'),
        ('{pod="p1"} |= "nope"', 1, "the selector finds 30 lines in this range, but none of them passes the filters"),
        ('{pod="p0"}', 0, "these streams have no line in the range asked for; there are some before and after"),
        ("vector(1) > 2", 1, "the query reads no lines"),
        ('sum(rate({pod="p1"} |= "nope" [1m]))', 1, "the selector finds 30 lines in this range, but none of them "
         "passes the filters"),
    ],
)  # fmt: skip
def test_why_there_is_nothing(text: str, minutes: float, reason: str) -> None:
    assert ask(text, minutes=minutes).empty_reason == reason


def test_why_there_is_nothing_at_another_time_or_level() -> None:
    later = query('{pod="p1"}', start=START + 3600 * SECOND)
    answer = answer_logs(store_of(entries()), later, "", warnings=lambda _: (), stop=threading.Event())
    assert answer.empty_reason == (
        "the lines of these streams lie between 2026-11-22 10:00:01 and 2026-11-22 10:00:59 UTC, "
        "outside of the range asked for"
    )
    found = [Entry(START, "x", {"pod": "p", "level": "info"})]
    assert ask('{pod="p"}', store_of(found), level="error").empty_reason == (
        "the selector finds 1 line in this range, but none of them passes the filters and is at least error"
    )
    assert ask('{pod="p"}', store_of([])).empty_reason == "there are no log lines here"
    many = [Entry(START + row, "x", {f"label{row}": "a"}) for row in range(12)]
    assert ask('{pod="p"}', store_of(many)).empty_reason.endswith("label3, label4, label5 and 4 more")
    bare = [Entry(START, "x", {})]
    assert ask('{pod="p"}', store_of(bare)).empty_reason == "no stream has a label 'pod'; there is none at all"
    assert ask('{q="p"}', store_of([Entry(START, "x", {"pod": "p"})])).empty_reason.endswith("there is pod")


def test_errors_say_where() -> None:
    with pytest.raises(QueryError, match="parse error") as caught:
        ask("{pod=")
    assert caught.value.where == "mine (here)"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (LogWords(), '{service_name=~".+"}'),
        (LogWords(services=("shop",)), '{service="shop"}'),
        (LogWords(services=("shop", "a.b")), "{service=~`shop|a\\.b`}"),
        (
            LogWords(phrases=("took 1.5s (slow)", "X")),
            '{service_name=~".+"} |~ `(?i)took 1\\.5s \\(slow\\)` |~ "(?i)X"',
        ),
    ],
)
def test_plain_words(words: LogWords, text: str) -> None:
    assert words_query(words) == text
    parse(text)


def test_plain_words_find_lines_of_no_service_too() -> None:
    assert ask(words_query(LogWords(phrases=('"N":0',)))).total == 1


async def test_the_catalog() -> None:
    catalog = FolderLogCatalog(lambda: store_of(entries()))
    assert await catalog.label_names() == ["level", "pod", "service"]
    assert await catalog.label_values("service") == ["shop", "till"]
    assert await catalog.services() == ["shop", "till"]
    assert await catalog.field_names() == await catalog.field_names() == ["n", "trace_id", "user"]
    nothing = FolderLogCatalog(lambda: None)
    assert await nothing.label_names() == await nothing.label_values("x") == await nothing.field_names() == []
    assert field_names(store_of([])) == []
    mixed = [
        Entry(START, "a=1 b=2", {"pod": "p"}),
        Entry(START, '{"c":{"d":1}}', {"pod": "p"}),
        Entry(START, '"x', {"pod": "p"}),
    ]
    assert field_names(store_of(mixed)) == ["a", "b", "c_d"]


# Folders


def logs_table(lines: int = 3) -> pa.Table:
    """A table as readers of log files give it."""
    return pa.table(
        {
            "timestamp": pa.array([START + row * SECOND for row in range(lines)], pa.timestamp("ns", tz="UTC")),
            "level": pa.array([LEVELS[row % 6] for row in range(lines)]).dictionary_encode(),
            "service": pa.array(["shop"] * lines).dictionary_encode(),
            "message": [f"line {row}" for row in range(lines)],
        }
    )


def write_native(folder: Path, **tables: pa.Table) -> FolderSource:
    native.write_folder(folder, assemble([]), native.Manifest(format=native.FORMAT, version=1, title="mine"), tables)
    return FolderSource("mine", FolderSettings(path=str(folder)))


async def test_a_native_folder_of_logs_only(tmp_path: Path) -> None:
    folder = write_native(tmp_path, logs=logs_table())
    assert isinstance(folder, LogsSource)
    assert folder.log_language == "logql"
    health = await folder.health()
    assert "mine, 3 log lines" in health.detail
    assert folder.now_ns() == START + 2 * SECOND + 1  # a range up to now holds the last line
    answer = await folder.logs(query('{service="shop"}'))
    assert answer.frame["message"].tolist() == ["line 0", "line 1", "line 2"]
    assert await folder.words_query(LogWords(services=("shop",))) == '{service="shop"}'
    assert await folder.log_catalog.services() == ["shop"]
    span = TimeRange(START, START + MINUTE)
    nothing = await folder.metrics(MetricsQuery(text="up", range=span, step_ns=15 * SECOND))
    assert "no metric 'up'" in nothing.empty_reason
    await folder.close()


async def test_a_folder_without_logs_does_not_pretend(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("timestamp,value\n1795341600,1\n")
    folder = FolderSource("mine", FolderSettings(path=str(tmp_path)))
    with pytest.raises(SourceError, match="there are no log lines in this folder") as caught:
        await folder.logs(query('{service="shop"}'))
    assert "CSV" in caught.value.hint
    assert caught.value.where.startswith("mine (")
    assert await folder.log_catalog.label_names() == []
    empty = write_native(tmp_path / "native", logs=logs_table(0))
    with pytest.raises(SourceError, match="no log lines"):
        await empty.logs(query('{service="shop"}'))
    assert empty.now_ns() is None


def _reading(monkeypatch: pytest.MonkeyPatch, reading: Reading) -> None:
    monkeypatch.setattr(contents, "read_files", lambda path, mapping: reading)


async def test_files_of_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _reading(monkeypatch, Reading(files=1, logs=[logs_table(1)]))
    folder = FolderSource("mine", FolderSettings(path=str(tmp_path)))
    assert "1 file, 1 log line" in (await folder.health()).detail
    assert folder.now_ns() == START + 1
    assert (await folder.logs(query('{service="shop"}'))).total == 1


async def test_files_of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.csv").write_text(f"timestamp,value\n{START // SECOND + 60},1\n")
    read = contents.read_files
    monkeypatch.setattr(
        contents,
        "read_files",
        lambda path, mapping: Reading(rows=read(path, mapping).rows, files=2, logs=[logs_table()]),
    )
    folder = FolderSource("mine", FolderSettings(path=str(tmp_path)))
    assert "2 files, 1 series, 3 log lines" in (await folder.health()).detail
    assert folder.now_ns() == START + MINUTE


async def test_files_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _reading(monkeypatch, Reading(files=1, logs=[logs_table(0)]))
    with pytest.raises(BadAnswer, match="nothing here can be read as metrics"):
        await FolderSource("mine", FolderSettings(path=str(tmp_path))).health()


async def test_damaged_logs(tmp_path: Path) -> None:
    write_native(tmp_path, logs=pa.table({"x": [1]}))
    with pytest.raises(BadAnswer, match="the folder is damaged: logs"):
        await FolderSource("mine", FolderSettings(path=str(tmp_path))).health()


async def test_logs_that_vanish_while_the_folder_is_open(tmp_path: Path) -> None:
    folder = write_native(tmp_path, logs=logs_table())
    await folder.health()
    pq.write_table(pa.table({"x": [1]}), tmp_path / "logs.parquet")
    with pytest.raises(BadAnswer, match="the log lines cannot be read"):
        await folder.logs(query('{service="shop"}'))


async def test_cancelling_stops_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_native(tmp_path, logs=logs_table())
    started, stopped = threading.Event(), threading.Event()

    def wait(*_: object, stop: threading.Event, **__: object) -> None:
        started.set()
        stop.wait(10)
        stopped.set()

    monkeypatch.setattr(source, "answer_logs", wait)
    task = asyncio.create_task(folder.logs(query('{service="shop"}')))
    await asyncio.to_thread(started.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(stopped.wait, 10)


def test_nothing_assembled_is_a_block() -> None:
    assert isinstance(assemble([]), Block)
