"""Events of a session: every source at once, one frame, and what failed said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from obs_magics.api import AsyncSession, Session
from obs_magics.config.adapter import Adapter
from obs_magics.config.platform import PlatformSettings
from obs_magics.model.bus import QUERY_COMPLETE, QUERY_START
from obs_magics.model.errors import ConfigError, QueryError, SourceUnavailable, UsageError
from obs_magics.model.events import KINDS, Event, EventKind, check_events, events_frame
from obs_magics.model.query import EventsQuery
from obs_magics.model.sources import Answer, EventsSource, Health, ProgressListener, no_progress
from obs_magics.model.time import MINUTE

NOW_NS = 1_795_363_200_000_000_000  # 2026-11-22 16:00 UTC
SECRET = "hunter2hunter2"


class Teller:
    """A source that tells of what it was given; one in a session for each name."""

    platform = "teller"
    made: ClassVar[dict[str, Teller]] = {}

    def __init__(self, name: str, settings: PlatformSettings) -> None:
        if name == "closed":
            raise ConfigError("a secret is not there", where=name)
        self.name = name
        self.address = settings.url or "memory"
        self.event_kinds: tuple[EventKind, ...] = ("alert",) if name == "ringer" else KINDS
        self.events_told: list[Event] = []
        self.extra: dict[str, Any] = {}
        self.error: Exception | None = None
        self.asked: list[EventsQuery] = []
        self.now: int | None = None
        Teller.made[name] = self

    def now_ns(self) -> int | None:
        if isinstance(self.now, int) and self.now < 0:
            raise SourceUnavailable("cannot be read", where=self.name)
        return self.now

    async def health(self) -> Health:
        return Health(ok=True, version="teller", seconds=0.0)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def events(self, query: EventsQuery, progress: ProgressListener = no_progress) -> Answer:
        self.asked.append(query)
        if self.error:
            raise self.error
        if query.text == "wait":
            await asyncio.sleep(60)
        return replace(Answer(events_frame(self.events_told), f"ask {self.name}", signal="events"), **self.extra)


class Deaf:
    """A source without events."""

    platform = "deaf"

    def __init__(self, name: str, settings: PlatformSettings) -> None:
        self.name = name
        self.address = "memory"

    def now_ns(self) -> int | None:
        return None

    async def health(self) -> Health:
        return Health(ok=True, version="deaf", seconds=0.0)

    async def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.chdir(tmp_path)
    Teller.made = {}
    registry = {
        "teller": Adapter("teller", "Teller", PlatformSettings, Teller),
        "deaf": Adapter("deaf", "Deaf", PlatformSettings, Deaf),
    }
    monkeypatch.setattr("obs_magics.api.base.ADAPTERS", tuple(registry.values()))
    made = Session(environ={}, now_ns=lambda: NOW_NS, zone="UTC")
    yield made
    made.close()


def add(session: Session, name: str, *events: Event, kind: str = "teller") -> None:
    session.connect(name, f"http://{name}.invalid", type=kind)
    if name in Teller.made:
        Teller.made[name].events_told = list(events)


def event(minutes_ago: float, kind: EventKind = "deployment", **more: Any) -> Event:
    return Event(start_ns=NOW_NS - round(minutes_ago * MINUTE), kind=kind, **{"title": "t", "source": "x", **more})


def test_all_sources_are_asked_and_their_events_stand_in_order(session: Session) -> None:
    add(session, "a", event(10, title="second"), event(1000, title="too old"))
    add(session, "b", event(20, title="first"), event(5, "alert", title="third", service="s"))
    add(session, "deaf", kind="deaf")
    frame = session.events()
    check_events(frame)
    assert frame["title"].tolist() == ["first", "second", "third"]
    origin = frame.obs.provenance
    assert (origin.signal, origin.source, origin.platform) == ("events", "a,b", "teller")
    assert origin.native_query == "ask a; ask b"
    assert (origin.start, origin.end) == ("2026-11-22T10:00:00+00:00", "2026-11-22T16:00:00+00:00")
    assert (origin.failed, origin.truncated, origin.rows) == ((), "", 3)
    query = Teller.made["a"].asked[0]
    assert (query.kinds, query.limit, query.range.end_ns) == ((), 1000, NOW_NS)
    assert isinstance(Teller.made["a"], EventsSource)


def test_the_short_names_ask_for_their_kinds(session: Session) -> None:
    kinds: tuple[EventKind, ...] = ("deployment", "config_change", "feature_flag", "alert", "scale")
    add(session, "a", *(event(10, kind, title=kind) for kind in kinds))
    assert session.deployments()["title"].tolist() == ["deployment"]
    assert session.config_changes()["title"].tolist() == ["config_change", "feature_flag"]
    assert session.alerts()["title"].tolist() == ["alert"]
    assert session.events(kinds=["scale", "alerts"])["title"].tolist() == ["alert", "scale"]
    assert session.events("deploys", kinds="deployment,scale")["title"].tolist() == ["deployment"]
    with pytest.raises(UsageError, match="asks for deployment, and the option for scale"):
        session.events("deploys", kinds="scale")


def test_a_source_that_cannot_know_is_not_asked(session: Session) -> None:
    add(session, "ringer", event(3, "alert"))
    add(session, "a", event(4))
    assert session.deployments().obs.provenance.source == "a"
    assert Teller.made["ringer"].asked == []
    assert session.deployments(source="ringer").obs.provenance.source == "ringer"  # who names it wants it


def test_one_that_fails_does_no_harm_and_is_named(session: Session) -> None:
    add(session, "a", event(10))
    add(session, "b")
    Teller.made["b"].error = SourceUnavailable("nobody answers", where="b")
    frame = session.events()
    origin = frame.obs.provenance
    assert len(frame) == 1
    assert origin.failed == ("b did not answer: nobody answers",)
    assert origin.truncated == "1 of 2 sources did not answer"
    Teller.made["a"].error = SourceUnavailable("gone", where="a")
    with pytest.raises(SourceUnavailable, match=r"gone|nobody"):
        session.events()
    Teller.made["b"].error = KeyError("a mistake of ours")
    with pytest.raises(KeyError):
        session.events()


def test_one_that_cannot_be_opened_is_named_too(tmp_path: Path, session: Session) -> None:
    path = tmp_path / "obs.yaml"
    path.write_text("observability: {platforms: {closed: {type: teller}, open: {type: teller}}}\n")
    with Session(path, environ={}, now_ns=lambda: NOW_NS) as other:
        assert other.events().obs.provenance.failed == ("closed did not answer: a secret is not there",)
    path.write_text("observability: {platforms: {closed: {type: teller}}}\n")
    with Session(path, environ={}) as other, pytest.raises(ConfigError, match="a secret is not there"):
        other.events()


def test_what_each_source_has_to_say_is_said_with_its_name(session: Session) -> None:
    add(session, "a", event(1))
    add(session, "b")
    Teller.made["a"].extra = {
        "warnings": ("w",),
        "truncated": "cut",
        "failed": ("part",),
        "notes": ("n",),
        "link": "http://a",
    }
    Teller.made["b"].extra = {"empty_reason": "nothing here"}
    origin = session.events().obs.provenance
    assert (origin.warnings, origin.truncated, origin.failed) == (("a: w",), "a: cut", ("a: part",))
    assert (origin.notes, origin.link, origin.empty_reason) == (("a: n",), "", "")
    alone = session.events(source="a").obs.provenance
    assert (alone.warnings, alone.link) == (("w",), "http://a")


def test_an_alert_told_twice_is_shown_once(session: Session) -> None:
    labels = {"alertname": "Slow"}
    add(session, "a", event(10, "alert", source="a", attributes=labels))
    add(session, "b", event(9.5, "alert", source="b", attributes={**labels, "cluster": "eu"}))
    session.use("a")
    frame = session.alerts()
    assert frame["source"].tolist() == ["a,b"]
    assert frame["cluster"].tolist() == ["eu"]
    assert frame.obs.provenance.notes == ("1 alert or change told by two sources: shown once",)


def test_the_newest_are_kept_and_it_is_said(session: Session) -> None:
    add(session, "a", *(event(minutes, title=str(minutes)) for minutes in (1, 2, 3)))
    frame = session.events(limit=2)
    assert frame["title"].tolist() == ["2", "1"]
    assert frame.obs.provenance.truncated == "the newest 2 of 3 events (limit)"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"service": "pay"}, "1 event of no service in particular would fit: leave --service out"),
        ({"service": "carrt"}, "no event there is of 'carrt': did you mean cart?"),
        ({"last": "5m"}, "2 events outside of the time asked for would fit: look further with --last"),
        ({"query": "nonsense"}, "none of the 2 events there fits what was asked for"),
    ],
)
def test_why_there_is_nothing(session: Session, options: dict[str, Any], reason: str) -> None:
    add(session, "a", event(10), event(20, service="cart"))
    frame = session.events(**options)
    check_events(frame)
    assert len(frame) == 0
    assert frame.obs.provenance.empty_reason == reason


def test_what_the_sources_say_of_it_is_the_last_resort(session: Session) -> None:
    add(session, "a")
    add(session, "b")
    session.use("a")
    Teller.made["a"].extra = {"empty_reason": "it keeps none"}
    Teller.made["b"].extra = {"empty_reason": "it has none"}
    assert session.events().obs.provenance.empty_reason == "a: it keeps none; b: it has none"


def test_events_of_no_service_are_told_of(session: Session) -> None:
    add(session, "a", event(10), event(20, service="cart"))
    frame = session.events(service=["cart", "pay*"])
    assert len(frame) == 1
    assert frame.obs.provenance.notes == ("1 event of no service in particular left out (--service)",)


def test_secrets_are_hidden(session: Session) -> None:
    add(session, "a", event(10, title=f"set password={SECRET}", attributes={"env": f"PASSWORD={SECRET}"}))
    frame = session.events(f'"{SECRET}"')
    assert len(frame) == 1
    assert SECRET not in frame.to_csv()
    assert any(note.startswith("hidden: ") for note in frame.obs.provenance.notes)
    asked = session.events(f'title="password={SECRET}"').obs.provenance
    assert SECRET not in asked.question


def test_the_default_source_says_what_now_is(session: Session) -> None:
    add(session, "a", event(10))
    add(session, "b")
    Teller.made["b"].now = NOW_NS - 60 * MINUTE
    session.use("b")
    origin = session.events().obs.provenance
    assert (origin.source, origin.end) == ("b,a", "2026-11-22T15:00:00+00:00")
    assert origin.notes[0] == "this source stands still: its now is 2026-11-22 15:00:00 UTC"
    Teller.made["b"].now = -1  # it cannot be read
    assert session.events().obs.provenance.end == "2026-11-22T16:00:00+00:00"
    with pytest.raises(SourceUnavailable):
        session.events(source="b")


def test_a_plan_asks_nobody(session: Session) -> None:
    add(session, "a")
    plan = session.events_plan("deploys", service="cart", last="2h", limit=5)
    assert (plan.signal, plan.source, plan.native_query) == ("events", "a", "deploys")
    query = plan.query
    assert isinstance(query, EventsQuery)
    assert (query.kinds, query.services, query.limit) == (("deployment",), ("cart",), 5)
    assert Teller.made["a"].asked == []


def test_what_cannot_be_asked_is_refused(session: Session) -> None:
    with pytest.raises(UsageError, match="no source to ask"):
        session.events()
    add(session, "deaf", kind="deaf")
    with pytest.raises(UsageError, match=r"none of the sources \(deaf\) has events"):
        session.events()
    with pytest.raises(UsageError, match=r"deaf \(deaf\) has no events"):
        session.events(source="deaf")
    add(session, "a")
    wrong: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"kinds": "deploymnt"}, UsageError, "no kind of event"),
        ({"service": 3}, UsageError, "--service takes names"),
        ({"limit": 0}, UsageError, "--limit"),
        ({"query": 3}, UsageError, "a query is text"),
        ({"query": '"'}, QueryError, "not closed"),
        ({"source": "nope"}, UsageError, "no source called"),
        ({"last": "30d"}, UsageError, "at most 7d"),
    ]
    for options, kind, said in wrong:
        with pytest.raises(kind, match=said):
            session.events(**options)


def test_listeners_hear_of_the_question_and_of_its_end(session: Session) -> None:
    add(session, "a", event(10))
    heard: list[tuple[str, Any]] = []
    session.bus.subscribe(QUERY_START, lambda name, payload: heard.append((name, payload)))
    session.bus.subscribe(QUERY_COMPLETE, lambda name, payload: heard.append((name, payload)))
    steps: list[Any] = []
    session.events(progress=steps.append)
    assert [name for name, _ in heard] == [QUERY_START, QUERY_COMPLETE]
    assert steps[0].note == "asking for events"


def test_the_same_calls_can_be_awaited(session: Session) -> None:
    async def ask() -> list[pd.DataFrame]:
        async with AsyncSession(environ={}, now_ns=lambda: NOW_NS) as other:
            await other.connect("a", "http://a.invalid", type="teller")
            Teller.made["a"].events_told = [event(10), event(5, "alert"), event(4, "config_change")]
            assert (await other.events_plan()).source == "a"
            return [await other.events(), await other.deployments(), await other.config_changes(), await other.alerts()]

    assert list(map(len, asyncio.run(ask()))) == [3, 1, 1, 1]


def test_giving_up_gives_up_everywhere(session: Session) -> None:
    async def ask() -> None:
        async with AsyncSession(environ={}, now_ns=lambda: NOW_NS) as other:
            await other.connect("a", "http://a.invalid", type="teller")
            await asyncio.wait_for(other.events("wait"), 0.3)

    with pytest.raises(TimeoutError):
        asyncio.run(ask())
