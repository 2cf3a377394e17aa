"""The public sessions, over real sources: the demo world, a folder, a real Prometheus."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.fakes import FAKE, NOW_NS, UNBUILT, FakeSource
from support.patience import eventually_async
from support.servers import nobody, prometheus

import obs_magics
from obs_magics import AsyncSession, Session
from obs_magics.api import base as base_module
from obs_magics.model.errors import (
    AuthError,
    ConfigError,
    ObsError,
    QueryError,
    SourceUnavailable,
    UsageError,
)
from obs_magics.model.frames import check_metrics
from obs_magics.model.sources import Progress


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    """A session without a configuration file that knows the fake platform."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(base_module, "ADAPTERS", (*base_module.ADAPTERS, FAKE, UNBUILT))
    with Session(zone="UTC", now_ns=lambda: NOW_NS, environ={"HOME": str(tmp_path)}) as made:
        yield made


def fake(session: Session, name: str = "f") -> FakeSource:
    session.connect(name, "http://fake", type="fake")
    source = session._core.book.source(name)  # the fake is what the test has to look into
    assert isinstance(source, FakeSource)
    return source


def test_a_configuration_switched_off_as_a_whole_asks_nobody_and_leaves_what_is_connected_by_hand(
    tmp_path: Path,
) -> None:
    file = tmp_path / "obs.yaml"
    file.write_text("observability: {enabled: false, platforms: {prometheus: {url: 'http://127.0.0.1:1'}}}")
    (tmp_path / "up.prom").write_text("up 1 1795363200000\n")
    with Session(file, zone="UTC") as session:
        assert [source.problem for source in session.sources] == ["switched off in the configuration"]
        with pytest.raises(UsageError, match="switched off"):
            session.metrics("up", source="prometheus")
        assert session.connect("mine", str(tmp_path)).health.ok


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, "<html><title>Sign in</title></html>", r"this version knows \(200 at its front page: .*title: Sign in\)"),
        (418, "no coffee", r"this version knows \(418 at its front page: no coffee\)"),
        (200, "hello", r"this version knows\n"),
        (503, "starting", r"the server is not available \(503 at /\): starting"),
    ],
)
def test_connecting_to_what_is_not_known_tells_what_it_says(
    status: int, body: str, says: str, session: Session
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if body.startswith("<") else "text/plain")
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET

        def log_message(self, *_arguments: Any) -> None:
            """The test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(SourceUnavailable, match=says):
            session.connect("x", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_what_the_package_promises_can_be_imported() -> None:
    for name in obs_magics.__all__:
        assert getattr(obs_magics, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = obs_magics.nonsense  # type: ignore[attr-defined]


def test_a_frame_says_where_it_comes_from(session: Session) -> None:
    fake(session)
    frame = session.metrics("up", last="1m", step="15s")
    check_metrics(frame)
    found = frame.obs.provenance
    assert (found.source, found.platform, found.question, found.native_query) == ("f", "fake", "up", "up")
    assert (found.start, found.end) == ("2026-11-22T15:59:00+00:00", "2026-11-22T16:00:00+00:00")
    assert (found.step, found.unit, found.rows) == (15.0, "1", 5)
    assert len(found.fingerprint) == len(found.digest) == 64


def test_the_same_question_has_the_same_fingerprint_and_another_another(session: Session) -> None:
    fake(session)
    one, two, other = (session.metrics("up", last=last).obs.provenance for last in ("1m", "1m", "2m"))
    assert one == two
    assert one.fingerprint != other.fingerprint


def test_what_is_missing_is_said_with_the_frame(session: Session) -> None:
    fake(session).extra = {"truncated": "1 of 2 series", "failed": ("part 2",), "warnings": ("careful",)}
    found = session.metrics("up", last="1m").obs.provenance
    assert (found.truncated, found.failed, found.warnings) == ("1 of 2 series", ("part 2",), ("careful",))


def test_the_bus_tells_when_a_question_starts_and_ends(session: Session) -> None:
    fake(session)
    told: list[tuple[str, dict[str, Any]]] = []
    session.bus.subscribe("observability:*", lambda event, payload: told.append((event, dict(payload))))
    session.metrics("up", last="1m", step="15s")
    assert [event for event, _ in told] == ["observability:query:start", "observability:query:complete"]
    assert told[0][1] == {"query": "up", "platforms": ["fake"]}
    assert told[1][1]["results"] == 5
    assert told[1][1]["duration"] >= 0


def test_a_plan_asks_nothing(session: Session) -> None:
    source = fake(session)
    plan = session.plan("http_requests_total", agg="sum", last="30m")
    assert plan.native_query == "sum(http_requests_total)"
    assert plan.range.duration_ns == 1800 * 10**9
    assert "2026-11-22 16:00:00 UTC" in plan.notes[0]
    assert source.asked == []


def test_the_catalog_is_there(session: Session) -> None:
    fake(session)
    catalog = session.catalog()
    assert catalog.metric_names() == ["http_requests_total", "up"]
    assert catalog.metric("up").type == "gauge"
    assert catalog.label_names("up") == ["job"]
    assert catalog.label_values("job") == ["api", "web"]


def test_connecting_finds_the_platform_and_makes_it_the_default(session: Session) -> None:
    found = session.connect("mine", "http://fake.example")
    assert (found.name, found.platform, session.default) == ("mine", "fake", "mine")
    assert "mine:" in found.yaml


def test_connecting_again_closes_the_one_before(session: Session) -> None:
    first = fake(session)
    assert fake(session) is not first
    assert first.closed


def test_a_source_that_is_not_well_is_not_kept(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[FakeSource] = []

    async def ill(self: FakeSource) -> None:
        opened.append(self)
        raise SourceUnavailable("it sleeps")

    monkeypatch.setattr(FakeSource, "health", ill)
    with pytest.raises(SourceUnavailable, match="it sleeps"):
        session.connect("f", "http://fake")
    assert opened[0].closed
    assert session.sources == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"token": "t", "user": "u"}, "two ways to get in"),
        ({"password": "p"}, "needs a user"),
        ({"type": "fakee"}, "no platform type"),
        ({"type": "unbuilt"}, "no adapter for Unbuilt"),
        ({"timeout": "nonsense"}, "timeout"),
    ],
)
def test_connecting_with_options_that_do_not_go_together_is_refused(
    session: Session, options: dict[str, str], message: str
) -> None:
    with pytest.raises((UsageError, ConfigError), match=message):
        session.connect("f", "http://fake", **options)  # type: ignore[arg-type]


def test_a_secret_is_in_no_message(session: Session) -> None:
    with pytest.raises(ConfigError) as error:
        session.connect("f", "http://fake", type="fake", token="hunter2-secret", timeout="nonsense")
    assert "hunter2" not in str(error.value) + repr(error.value)


def test_a_path_that_is_not_there_says_so(session: Session) -> None:
    with pytest.raises(UsageError, match="there is no file or folder nowhere"):
        session.connect("x", "nowhere")


def test_an_unknown_platform_names_the_way_out(session: Session) -> None:
    from support.recordings import replay

    with replay({}) as (address, _), pytest.raises(SourceUnavailable, match="--type"):
        session.connect("x", address)


def test_a_dead_server_is_a_few_lines(session: Session) -> None:
    with nobody() as address, pytest.raises(SourceUnavailable) as error:
        session.connect("x", address, type="prometheus")
    assert len(str(error.value).splitlines()) <= 4
    assert error.value.hint


def test_health_is_asked_of_the_source(session: Session) -> None:
    fake(session)
    assert session.health().version == "fake 1.0"


def test_closing_lets_go_and_the_session_goes_on(session: Session) -> None:
    source = fake(session)
    session.close()
    assert source.closed
    assert len(session.metrics("up", last="1m")) > 0


def test_configured_platforms_are_there(tmp_path: Path) -> None:
    file = tmp_path / "obs.yaml"
    file.write_text(
        "observability:\n  platforms:\n    prom: {type: prometheus, url: 'http://x:9090'}\n    grafana: {url: 'http://y'}\n"
    )
    session = Session(file, environ={})
    assert [(source.name, source.platform, bool(source.problem)) for source in session.sources] == [
        ("prom", "prometheus", False),
        ("grafana", "grafana", True),
    ]
    session.use("prom")
    assert session.default == "prom"


async def test_the_asynchronous_session_has_the_same_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_module, "ADAPTERS", (FAKE,))
    async with AsyncSession(environ={}, zone="UTC") as session:
        connected = await session.connect("f", "http://fake")
        assert connected.health.ok
        frame = await session.metrics("up", last="1m", step="15s")
        assert len(frame) == 5
        assert (await session.plan("up")).native_query == "up"
        assert (await session.health()).ok
        catalog = session.catalog()
        assert await catalog.metric_names() == ["http_requests_total", "up"]
        assert (await catalog.metric("up")).name == "up"
        assert await catalog.label_names() == ["job"]
        assert await catalog.label_values("job", "up") == ["api", "web"]


async def test_cancelling_an_asynchronous_call_cancels_what_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_module, "ADAPTERS", (FAKE,))
    async with AsyncSession(environ={}) as session:
        await session.connect("f", "http://fake")
        source = session._core.book.source("f")
        task = asyncio.create_task(session.metrics("wait"))
        await eventually_async(lambda: bool(source.asked))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert source.cancelled


def test_sync_and_async_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(Session) == public(AsyncSession)


def test_threads_can_share_a_session(session: Session) -> None:
    fake(session)
    frames: list[pd.DataFrame] = []
    threads = [threading.Thread(target=lambda: frames.append(session.metrics("up", last="1m"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({frame.obs.provenance.digest for frame in frames}) == 1
    assert len(frames) == 8


def test_the_demo_answers_what_its_story_says(session: Session) -> None:
    seen: list[Progress] = []
    connected = session.demo(progress=seen.append)
    assert connected.health.ok
    assert "2026-11-22 16:00" in connected.health.detail
    query = 'max(db_pool_connections_max{service="payment-api", pool="redis"})'
    pool = session.metrics(query, start="14:00", end="15:00")
    assert sorted(set(pool["value"])) == [20.0, 100.0]


def test_a_folder_of_ones_own_can_be_connected(session: Session, tmp_path: Path) -> None:
    (tmp_path / "cpu.csv").write_text("timestamp,host,cpu\n2026-11-22T15:00:00Z,a,1\n2026-11-22T15:00:15Z,a,2\n")
    connected = session.connect("mine", str(tmp_path))
    assert connected.platform == "folder"
    frame = session.metrics("cpu", start="2026-11-22T15:00:00Z", end="2026-11-22T15:00:15Z", step="15s")
    assert list(frame["value"]) == [1.0, 2.0]


@pytest.mark.real
def test_a_real_prometheus_from_connect_to_frame(session: Session, prometheus_binary: str) -> None:
    seconds = NOW_NS // 10**9
    samples = "".join(f'jobs_total{{job="api"}} {n} {seconds - 600 + 15 * n}\n' for n in range(41))
    with prometheus(f"# TYPE jobs counter\n{samples}# EOF\n") as address:
        connected = session.connect("prom", address)
        assert connected.platform == "prometheus"
        assert "2.42" in connected.health.version
        frame = session.metrics("rate(jobs_total[1m])", last="5m", step="15s")
        assert frame["value"].round(6).eq(round(1 / 15, 6)).all()
        assert frame.obs.provenance.unit == "1/s"
        with pytest.raises(QueryError) as error:
            session.metrics("rate(jobs_total)")
        assert error.value.position is not None
        assert session.catalog().metric_names() == ["jobs_total"]


@pytest.mark.real
def test_a_wrong_password_says_how_to_give_the_right_one(session: Session, prometheus_binary: str) -> None:
    # bcrypt of "right", made once with cost 4
    users = "basic_auth_users:\n  ann: $2b$04$Kjqx5E/mjk9fTBPlJzF3VuYkAIh3WEvD0PHpNvZJmlbnpLzIxQrWW\n"
    with prometheus(web_config=users) as address, pytest.raises(AuthError) as error:
        session.connect("prom", address, user="ann", password="wrong-password")
    assert error.value.hint
    assert "wrong-password" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timestmp": "when"}, "timestmp: is not a key that is known here"),
        ({"time_unit": "h"}, "time_unit: must be s, ms, us or ns"),
        ({"zone": "Mars/Olympus"}, "zone: must name a time zone"),
        ({"url": "elsewhere"}, "url cannot stand among the options"),
        ({"auth": {"token": "x"}}, "auth cannot stand among the options"),
        ({"timestamp": "nope"}, "nothing here can be read"),
    ],
)
def test_options_of_a_platform_are_checked_like_its_configuration(
    session: Session, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    (tmp_path / "x.csv").write_text("when,v\n2026-11-22,1\n")
    with pytest.raises(ObsError, match=message):
        session.connect("mine", str(tmp_path / "x.csv"), options=options)


async def test_options_go_the_same_way_asynchronously(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("when,a,b,h\n1795341600,1,2,x\n")
    async with AsyncSession(environ={}) as session:
        options = {"timestamp": "when", "value": ["a", "b"], "labels": []}
        connected = await session.connect("mine", str(tmp_path / "x.csv"), options=options)
        assert "value:\n      - a\n      - b" in connected.yaml
        frame = await session.metrics('{__name__=~"a|b"}', instant=True)
    assert frame[["metric", "value"]].to_numpy().tolist() == [["a", 1.0], ["b", 2.0]]


@pytest.mark.parametrize("form", ["file://{}", "FILE://{}", "file:{}"])
def test_an_address_of_a_file_is_its_path(session: Session, tmp_path: Path, form: str) -> None:
    path = tmp_path / "a b ü.csv"
    path.write_text("time,value\n2026-11-22,1\n")
    assert session.connect("mine", form.format(str(path).replace(" ", "%20"))).health.ok


def test_the_home_of_nobody_is_a_path_that_is_not_there(session: Session) -> None:
    with pytest.raises(UsageError, match="no file or folder ~nobody-of-that-name/x"):
        session.connect("mine", "~nobody-of-that-name/x")
