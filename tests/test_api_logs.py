"""Logs through the public sessions: what the session adds to a source's answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fake_logs import FAKE_LOGS, VOLUME, FakeLogsSource, lines_frame

from obs_magics import AsyncSession, Session
from obs_magics.api import base as base_module
from obs_magics.model.errors import SourceUnavailable, UsageError
from obs_magics.model.logs import check_logs

SECRET = "hunter2" * 3


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(base_module, "ADAPTERS", (*base_module.ADAPTERS, FAKE_LOGS))
    with Session(zone="UTC", environ={"HOME": str(tmp_path)}) as made:
        made.connect("f", "http://fake", type="fakelogs")
        yield made


def source(session: Session) -> FakeLogsSource:
    found = session._core.book.source("f")  # the fake is what the test has to look into
    assert isinstance(found, FakeLogsSource)
    return found


def test_the_frame_carries_where_it_comes_from_and_what_the_source_counted(session: Session) -> None:
    source(session).extra = {"total": 73, "volume": VOLUME, "warnings": ("slow",), "truncated": "the newest 1 of 73"}
    frame = session.logs('{app="x"}', limit=1)
    check_logs(frame)
    origin = frame.obs.provenance
    assert (origin.signal, origin.total, origin.level, origin.rows) == ("logs", 73, "", 1)
    assert origin.volume == VOLUME.to_dict()
    assert (origin.warnings, origin.truncated) == (("slow",), "the newest 1 of 73")
    assert origin.fingerprint != session.logs('{app="x"}', limit=1, level="error").obs.provenance.fingerprint


def test_with_a_level_the_volume_of_every_level_is_asked_for_too(session: Session) -> None:
    source(session).extra = {"volume": VOLUME}
    frame = session.logs('{app="x"}', level="error")
    asked = source(session).asked
    assert sorted((query.level or "all", query.limit) for query in asked) == [("all", 1), ("error", 1000)]
    assert frame.obs.provenance.level == "error"
    source(session).asked.clear()
    session.logs('{app="x"}')
    assert [query.level for query in source(session).asked] == [None]


def test_secrets_never_reach_the_user(session: Session) -> None:
    source(session).frame = lines_frame([(5, "error", "auth", f"login failed password={SECRET}")])
    frame = session.logs('{app="x"}')
    assert SECRET not in frame.to_csv() + repr(frame.attrs)
    assert frame.obs.provenance.notes[-1] == "hidden: 1 password"
    asked = session.logs(f'{{app="x"}} |= "password={SECRET}"').obs.provenance
    assert SECRET not in asked.native_query + asked.question
    again = session.logs('{app="x"}')
    assert again["message"].tolist() == frame["message"].tolist()  # equal secrets stay equal


def test_a_dead_source_says_so_and_an_unknown_one_too(session: Session) -> None:
    source(session).error = SourceUnavailable("nobody answers", where="f")
    with pytest.raises(SourceUnavailable, match="nobody answers"):
        session.logs('{app="x"}', level="error")
    with pytest.raises(UsageError, match="no source called"):
        session.logs("", source="g")


def test_a_source_without_logs_is_refused_with_the_ones_that_may_have_some(session: Session, tmp_path: Path) -> None:
    (tmp_path / "up.prom").write_text("up 1 1795363200000\n")
    session.connect("mine", str(tmp_path))
    session.use("f")
    assert session.offers("f") == ("logs",)
    assert session.log_language("f") == "logql"
    with pytest.raises(UsageError, match="has no metrics"):
        session.metrics("up", source="f")


def test_what_lines_are_labelled_with(session: Session) -> None:
    catalog = session.log_catalog()
    assert list(catalog.label_names()) == ["app", "namespace"]
    assert list(catalog.label_values("app")) == list(catalog.services()) == ["cart-service", "payment-api"]
    assert list(catalog.field_names()) == ["duration_ms", "path"]


def test_a_plan_asks_for_no_lines(session: Session) -> None:
    plan = session.logs_plan("errors in payment-api", limit=5)
    assert (plan.signal, plan.native_query, plan.translated_by) == ("logs", '{app=~"payment-api"}', "words")
    assert source(session).asked == []


def test_the_same_calls_can_be_awaited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(base_module, "ADAPTERS", (*base_module.ADAPTERS, FAKE_LOGS))

    async def ask() -> None:
        async with AsyncSession(zone="UTC", environ={"HOME": str(tmp_path)}) as session:
            await session.connect("f", "http://fake", type="fakelogs")
            frame = await session.logs("errors", limit=3)
            assert frame["message"].tolist() == ["Connection pool exhausted"]
            assert (await session.logs_plan("")).native_query == '{app=~".+"}'
            catalog = session.log_catalog()
            assert await catalog.label_names() == ["app", "namespace"]
            assert await catalog.label_values("namespace") == ["shop"]
            assert await catalog.field_names() == ["duration_ms", "path"]
            assert await catalog.services() == ["cart-service", "payment-api"]

    asyncio.run(ask())
