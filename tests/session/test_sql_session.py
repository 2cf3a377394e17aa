"""`Session.sql` and `AsyncSession.sql`: which source, what provenance, and an interrupt that reaches DuckDB."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.fakes import FAKE
from support.long_statement import LONG, interrupted_when, statement_begun
from support.patience import eventually_async
from support.sql_folders import native_folder

from obs_magics.api import AsyncSession, Session
from obs_magics.config.platform import PlatformSettings
from obs_magics.model.bus import QUERY_COMPLETE, QUERY_START
from obs_magics.model.errors import LimitExceeded, QueryError, UsageError
from obs_magics.model.provenance import content_digest, of

NOW_NS = 1_795_363_200_000_000_000


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.chdir(tmp_path)
    with Session(zone="UTC", now_ns=lambda: NOW_NS, environ={}) as session:
        yield session


@pytest.fixture
def folder(session: Session, tmp_path: Path) -> Path:
    place = native_folder(tmp_path / "here")
    session.connect("here", str(place))
    return place


def with_fake(session: Session) -> None:
    """A source that has metrics and no tables."""
    book = session._core.book
    book._registry = {**book._registry, "fake": FAKE}
    book.add("fake", PlatformSettings(type="fake", url="http://fake"))


def test_the_frame_says_where_it_comes_from(session: Session, folder: Path) -> None:
    frame = session.sql("SELECT * FROM metrics WHERE metric = 'up' LIMIT 3")
    origin = of(frame)
    assert origin is not None
    assert (origin.signal, origin.source, origin.platform) == ("sql", "here", "folder")
    assert origin.native_query == origin.question == "SELECT * FROM metrics WHERE metric = 'up' LIMIT 3"
    assert (origin.rows, origin.truncated) == (3, "")
    assert origin.fetched_at == "2026-11-22T16:00:00+00:00"
    assert origin.digest == content_digest(frame)
    assert len(origin.fingerprint) == 64


def test_the_fingerprint_knows_the_question_and_its_frames(session: Session, folder: Path) -> None:
    def fingerprint(text: str, **options: Any) -> str:
        return session.sql(text, **options).attrs["obs"]["fingerprint"]

    mine = session.sql("SELECT 1 AS x")
    same = fingerprint("FROM mine", frames={"mine": mine})
    assert same == fingerprint("FROM mine", frames={"mine": mine, "other": pd.DataFrame()})
    assert same != fingerprint("FROM mine", frames={"mine": session.sql("SELECT 2 AS x")})
    assert fingerprint("SELECT 1") != fingerprint("SELECT 1", limit=5)


def test_without_a_source_there_are_frames_alone(session: Session) -> None:
    frame = session.sql("SELECT sum(x) AS s FROM mine", frames={"mine": pd.DataFrame({"x": [1, 2]})})
    assert frame["s"].tolist() == [3]
    assert (of(frame).source, of(frame).platform, of(frame).address) == ("notebook", "duckdb", "")
    assert session.tables() == {}
    with pytest.raises(QueryError, match="no table or frame"):
        session.sql("FROM metrics")


def test_a_default_without_tables_leaves_the_frames(session: Session) -> None:
    with_fake(session)
    assert of(session.sql("SELECT 1")).source == "notebook"
    assert of(session.sql("SELECT 1", source="auto")).source == "notebook"
    with pytest.raises(UsageError, match=r"fake .* has no tables for SQL"):
        session.sql("SELECT 1", source="fake")
    with pytest.raises(UsageError, match="no source called 'nobody'"):
        session.sql("SELECT 1", source="nobody")


def test_a_source_can_be_named(session: Session, folder: Path) -> None:
    with_fake(session)
    session.use("fake")
    assert "metrics" in session.tables("here")
    assert session.sql("SELECT count(*) AS n FROM series", source="here")["n"][0] == 4


def test_limits(session: Session) -> None:
    frame = session.sql("SELECT * FROM range(20)", limit=5)
    assert len(frame) == 5
    assert frame.attrs["obs"]["truncated"] == "the first 5 rows of more (limit)"
    with pytest.raises(UsageError, match="--limit"):
        session.sql("SELECT 1", limit=0)
    with pytest.raises(UsageError, match="--timeout"):
        session.sql("SELECT 1", timeout=0)
    assert len(session.sql("SELECT 1", timeout=2.5)) == 1
    with pytest.raises(LimitExceeded):
        session.sql("SELECT i, repeat('x', 100) FROM range(50000000) t(i) ORDER BY hash(i)", timeout=900)


def test_a_plan_runs_nothing(session: Session, folder: Path) -> None:
    plan = session.sql_plan(f"{LONG} AND exists(FROM metrics)", frames={"x": pd.DataFrame()}, timeout="2s")
    assert (plan.source, plan.platform) == ("here", "folder")
    assert plan.names == {"metrics": "table"}
    assert plan.query.timeout_ns == 2_000_000_000
    with pytest.raises(QueryError, match="DROP does more than read") as caught:
        session.sql_plan("DROP TABLE metrics")
    assert caught.value.where.startswith("here (")


def test_the_bus_is_told(session: Session) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    session.bus.subscribe("*", lambda event, payload: heard.append((event, dict(payload))))
    session.sql("SELECT 1")
    assert [event for event, _ in heard] == [QUERY_START, QUERY_COMPLETE]
    assert heard[0][1] == {"query": "SELECT 1", "platforms": ["duckdb"]}
    assert heard[1][1]["results"] == 1


def test_a_keyboard_interrupt_stops_the_statement(
    session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt), interrupted_when(statement_begun(monkeypatch)):
        session.sql(LONG, timeout=900)
    assert session.sql("SELECT 1 AS one")["one"][0] == 1


def test_a_session_can_be_used_again_after_close(session: Session) -> None:
    assert len(session.sql("SELECT 1")) == 1
    session.close()
    assert len(session.sql("SELECT 1")) == 1


async def test_async(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with AsyncSession(zone="UTC", environ={}) as session:
        await session.connect("here", str(native_folder(tmp_path / "here")))
        assert "series" in await session.tables()
        assert (await session.sql_plan("FROM series")).names == {"series": "table"}
        assert len(await session.sql("FROM series")) == 4
        begun = statement_begun(monkeypatch)
        task = asyncio.create_task(session.sql(LONG, timeout=900))
        await eventually_async(begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)
