"""Everything around an incident, over the demo world: what is gathered, what fails, what is refused."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.incident_story import ns

from obs_magics import demo
from obs_magics.analysis.root_cause import explain
from obs_magics.api import AsyncSession, Session
from obs_magics.config.settings import Incident as Section
from obs_magics.incident.configured import settings_of
from obs_magics.incident.enriched import FRAMES, Enriched
from obs_magics.incident.gathering import Settings
from obs_magics.local.source import FolderSource
from obs_magics.model.errors import SourceUnavailable, UsageError
from obs_magics.model.events import Event, check_events, events_frame
from obs_magics.model.frames import check_metrics
from obs_magics.model.incident import Incident
from obs_magics.model.logs import check_logs
from obs_magics.model.ranges import TimeRange
from obs_magics.model.sources import Answer, Progress
from obs_magics.model.spans import check_spans

MINUTE = 60 * 10**9


@pytest.fixture(scope="module")
def folder() -> Path:
    return demo.open()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Session]:
    config = tmp_path_factory.mktemp("config") / "obs.yaml"
    config.write_text("observability: {incident: {calls: {payment-api: [bank]}}}")
    with Session(config, zone="UTC") as made:
        made.connect("demo", str(folder))
        yield made


@pytest.fixture(scope="module")
def payments(session: Session) -> Enriched:
    return session.enrich("payment-api", "14:15")


# ── what is gathered ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_incident_of_the_story(payments: Enriched) -> None:
    incident = payments.incident
    assert (incident.start_ns, incident.end_ns) == (ns("14:15"), ns("14:50"))
    assert (incident.found_by, incident.detected_ns) == ("told", ns("14:21"))
    assert incident.start_because.startswith("as told; p99 latency 4")
    assert incident.end_because.startswith("p99 latency back to 4")
    told = payments.response()
    assert (told.to_detect, told.to_mitigate, told.to_recover) == (
        timedelta(minutes=6),
        timedelta(minutes=32),
        timedelta(minutes=35),
    )


def test_the_frames_have_the_columns_of_the_vocabulary(payments: Enriched) -> None:
    check_metrics(payments.metrics)
    for logs in (payments.error_logs, payments.all_error_logs):
        check_logs(logs)
    for spans in (payments.error_traces, payments.slow_traces, payments.usual_traces, payments.spans):
        check_spans(spans)
    for name in ("deployments", "config_changes", "flags", "alerts", "restarts", "events"):
        check_events(getattr(payments, name))
    assert all(isinstance(getattr(payments, name), pd.DataFrame) for name in FRAMES)
    assert payments.failed == payments.warnings == payments.missing == ()
    assert not payments.empty


def test_each_kind_of_evidence_comes_from_its_window(payments: Enriched) -> None:
    windows = payments.incident.windows
    until = ns("14:50") + 10 * MINUTE
    assert windows["metrics"] == TimeRange(ns("14:15") - 30 * MINUTE, until)
    assert windows["logs"] == TimeRange(ns("14:15") - 5 * MINUTE, until)
    assert windows["deployments"] == TimeRange(ns("14:15") - 120 * MINUTE, until)
    assert windows["alerts"] == TimeRange(ns("14:15") - 10 * MINUTE, until)
    times = payments.metrics["timestamp"].astype("int64")
    assert (times.min(), times.max()) == (windows["metrics"].start_ns, windows["metrics"].end_ns)
    assert payments.deployments["title"].str.contains("v5.0.3|v2.4.1|v2.4.0").all()
    assert len(payments.deployments) == 3
    assert payments.config_changes["timestamp"].astype("int64").tolist() == [ns("13:30"), ns("14:13"), ns("14:47")]
    assert payments.flags["service"].tolist() == ["cart-service"]
    assert {"incident", "alert"} == set(payments.alerts["kind"])


def test_measures_of_the_service_and_of_its_neighbours(payments: Enriched) -> None:
    told = payments.metrics.groupby("service", observed=True)["metric"].agg(set)
    assert {"error_rate", "latency_p99", "throughput", "saturation", "cpu_usage"} <= told["payment-api"]
    assert {"checkout-api", "user-service", "order-service", "redis", "postgres"} <= set(told.index)
    assert {"payment-api", "bank"} <= set(payments.services)
    assert payments.distances["api-gateway"] == 2
    moved = {(one.service, one.title): one.start_ns for one in payments.shifts}
    assert moved["payment-api", "p99 latency"] == ns("14:15")
    assert moved["payment-api", "saturation of pool redis"] == ns("14:13")
    assert {one.measure for one in payments.symptoms} == {"latency_p99", "error_rate"}


def test_error_lines_and_their_patterns(payments: Enriched) -> None:
    assert payments.error_lines == len(payments.all_error_logs) == len(payments.error_logs) == 60
    assert payments.patterns["count"].sum() == 60
    assert payments.first_errors["service"].tolist() == ["payment-api", "user-service", "order-service"]
    assert [sum(counts) for counts in payments.pattern_counts.values()] == payments.patterns["count"].tolist()


def test_the_timeline_of_the_story(payments: Enriched) -> None:
    frame = payments.timeline()
    own = frame[frame["service"].isin(["payment-api", "user-service", "order-service"]) | frame["service"].isna()]
    rows = [f"{at:%H:%M} {what}" for at, what in zip(own["timestamp"], own["what"], strict=True)]
    expected = [
        *("14:12 change", "14:13 change", "14:14 annotation", "14:15 onset", "14:21 alert", "14:23 first_error"),
        *("14:24 first_error", "14:26 first_error", "14:38 change", "14:47 change", "14:50 recovery"),
    ]
    places = [rows.index(row) for row in expected]
    assert places == sorted(places)
    near = payments.timeline(near=True)
    assert "recommendation-service" in set(frame["service"])
    assert "recommendation-service" not in set(near["service"])


def test_fewer_lines_stand_for_all_of_them(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "obs.yaml"
    config.write_text("observability: {incident: {log_lines: 6, neighbours: 2, traces: 3, after: 1m}}")
    with Session(config, zone="UTC") as session:
        session.connect("demo", str(folder))
        found = session.enrich("payment-api", "14:15")
    assert len(found.error_logs) == 6
    assert found.error_lines > 6
    assert set(found.error_logs["service"]) == set(found.all_error_logs["service"])
    assert len(found.neighbours) == 2
    assert found.error_traces["trace_id"].nunique() == found.slow_traces["trace_id"].nunique() == 3
    assert found.incident.windows["metrics"].end_ns == ns("14:51")


def test_the_engine_of_root_causes_takes_it(payments: Enriched) -> None:
    report = explain(payments.observations())
    assert report.factors[0].title == "redis pool: max connections 100 → 20"


def test_it_tells_how_far_it_is(session: Session) -> None:
    told: list[Progress] = []
    session.enrich("payment-api", "14:15", progress=told.append)
    assert told[-1].done == told[-1].total > 20
    assert {"events", "failing traces", "error lines from demo"} <= {one.note for one in told}


def test_asked_twice_it_says_the_same(session: Session, payments: Enriched) -> None:
    again = session.enrich("payment-api", "14:15")
    assert again.incident == payments.incident
    assert again.shifts == payments.shifts
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(payments, name))


async def test_the_same_call_can_be_awaited(folder: Path, payments: Enriched) -> None:
    async with AsyncSession(zone="UTC") as session:
        await session.connect("demo", str(folder))
        found = await session.enrich("payment-api", "14:15", end="14:40", title="Payments")
        alone = await session.incident("payment-api", "14:15")
    assert found.incident.end_ns == ns("14:40")
    assert found.incident.end_because == "as told"
    assert found.incident.title == "Payments"
    assert alone == payments.incident
    assert [one.start_ns for one in found.symptoms] == [one.start_ns for one in payments.symptoms]


def test_the_incident_alone_says_the_same_of_when(session: Session, payments: Enriched) -> None:
    alone = session.incident("payment-api", "14:15")
    assert alone == payments.incident
    assert Incident.from_dict(alone.to_dict()) == alone


def test_what_the_configuration_says_by_default_is_what_is_done_by_default() -> None:
    assert settings_of(Section()) == Settings()


# ── when it began ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_start_the_last_incident_is_found_and_others_are_told(session: Session) -> None:
    found = session.enrich("checkout-api")
    assert (found.incident.found_by, found.incident.start_ns) == ("measured", ns("14:15"))
    assert found.notes == ("it was not as usual at 12:40–13:01 UTC either: name one with --at",)


def test_a_time_in_the_midst_of_it_is_moved_to_where_it_began(session: Session) -> None:
    found = session.enrich("checkout-api", "12:45")
    assert abs(found.incident.start_ns - ns("12:40")) <= 15 * 10**9
    assert found.incident.found_by == "measured"
    assert "before the time told" in found.incident.start_because
    assert found.response().of("mitigated").because == "Index inventory_sku_idx created again"


@pytest.mark.parametrize("told", ["14:22", "14:31", "14:40", "14:46"])
def test_who_tells_late_is_understood(session: Session, told: str) -> None:
    found = session.incident("payment-api", told)
    assert (found.found_by, found.start_ns, found.end_ns) == ("measured", ns("14:15"), ns("14:50"))
    assert "before the time told: p99 latency" in found.start_because


def test_a_time_at_which_all_was_well_stays_and_that_is_said(session: Session) -> None:
    found = session.enrich("cart-service", "11:00")
    assert found.incident.start_ns == ns("11:00")
    assert found.incident.end_because == "not known: no measure of it left what is usual"
    assert found.symptoms == ()
    assert found.response().to_recover is None


def test_a_service_that_was_well_has_no_incident_to_be_found(session: Session) -> None:
    with pytest.raises(UsageError, match="nothing tells when an incident of cart-service began") as caught:
        session.enrich("cart-service")
    assert caught.value.hint == "say when: --at 14:15"


def test_where_nothing_is_measured_an_alert_tells(session: Session) -> None:
    found = session.enrich("node-3", end="now") if "node-3" in _known(session) else None
    assert found is None
    only_events = session.enrich("notification-service", end="14:30")
    assert only_events.incident.start_ns < ns("14:30")


def _known(session: Session) -> set[str]:
    return {*session.log_catalog().services(), *session.trace_catalog().services()}


@pytest.mark.parametrize(
    ("service", "options", "says"),
    [
        ("paymnt-api", {"start": "14:15"}, "there is no service called 'paymnt-api'"),
        ("payment-api", {"start": "2026-11-22T17:00:00Z"}, "lies after the sources' now"),
        ("payment-api", {"start": "2026-11-22T14:30:00Z", "end": "2026-11-22T14:00:00Z"}, "after"),
        ("payment-api", {"start": "nonsense"}, "is not a time"),
        ("  ", {"start": "14:15"}, "an incident has a service"),
        ("payment-api", {"start": "14:15", "source": "prom"}, "there is no source called 'prom'"),
    ],
)
def test_what_makes_no_sense_is_refused(session: Session, service: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        session.enrich(service, **options)
    assert caught.value.hint


def test_a_service_that_an_alert_alone_tells_of_is_known(session: Session) -> None:
    assert "node-3" not in _known(session)
    found = session.enrich("node-3", "14:15")
    assert found.incident.service == "node-3"
    assert "Disk of node-3 is more than 80 % full" in set(found.alerts["title"])
    with pytest.raises(UsageError, match=re.escape("there is no service called 'node-*'")):
        session.enrich("node-*", "14:15")


def test_without_any_source_it_says_how_to_get_one() -> None:
    with Session(zone="UTC") as empty, pytest.raises(UsageError, match="there is no source to ask"):
        empty.enrich("payment-api", "14:15")


# ── what fails ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _fails(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    async def down(*_arguments: Any) -> Answer:
        raise SourceUnavailable("it went away", where="demo")

    for name in names:
        monkeypatch.setattr(FolderSource, name, down)


@pytest.mark.parametrize(
    ("signal", "empty", "says"),
    [
        ("logs", ("error_logs", "patterns", "first_errors"), "error lines from demo: demo: it went away"),
        ("traces", ("error_traces", "slow_traces", "spans"), "failing traces: demo: it went away"),
        ("events", ("deployments", "alerts", "events"), "events: demo: it went away"),
        ("metrics", ("metrics",), "latency_p99 from demo: demo: it went away"),
    ],
)
def test_a_signal_that_fails_takes_nothing_else_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, signal: str, empty: tuple[str, ...], says: str
) -> None:
    with Session(zone="UTC") as session:
        session.connect("demo", str(folder))
        _fails(monkeypatch, signal)
        found = session.enrich("payment-api", "14:15")
    assert says in found.failed
    assert all(getattr(found, name).empty for name in empty)
    others = {"error_logs", "error_traces", "alerts", "metrics"} - set(empty)
    assert all(len(getattr(found, name)) for name in others)
    assert "did not come" in repr(found)
    assert len(found.timeline())


def test_a_source_that_goes_away_half_way_leaves_what_had_come(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = FolderSource.metrics
    asked = 0

    async def goes_away(*arguments: Any) -> Answer:
        nonlocal asked
        asked += 1
        if asked > 12:
            raise SourceUnavailable("it went away", where="demo")
        return await whole(*arguments)

    with Session(zone="UTC") as session:
        session.connect("demo", str(folder))
        monkeypatch.setattr(FolderSource, "metrics", goes_away)
        found = session.enrich("payment-api", "14:15")
    assert set(found.metrics["metric"]) == {"error_rate", "latency_p99", "throughput"}
    assert any("it went away" in one for one in found.failed)
    assert found.incident.end_ns == ns("14:50")


def test_a_second_source_that_is_down_is_named(folder: Path, tmp_path: Path, unused_port: int) -> None:
    config = tmp_path / "obs.yaml"
    config.write_text(f"observability: {{platforms: {{loki: {{url: 'http://127.0.0.1:{unused_port}'}}}}}}")
    with Session(config, zone="UTC") as session:
        session.connect("demo", str(folder))
        found = session.enrich("payment-api", "14:15")
    assert any("loki" in one for one in found.failed)
    assert len(found.error_logs) == 60
    assert any("clocks are" in one for one in found.warnings)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_events_with_times_that_cannot_be_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = [
        Event(start_ns=ns("15:52"), end_ns=ns("15:40"), kind="alert", service="payment-api", title="ends first"),
        Event(start_ns=ns("16:00") + 30 * MINUTE, kind="deployment", service="payment-api", title="of tomorrow"),
    ]

    async def told(*_arguments: Any) -> Answer:
        return Answer(events_frame(odd), "", signal="events")

    with Session(zone="UTC") as session:
        session.connect("demo", str(folder))
        monkeypatch.setattr(FolderSource, "events", told)
        found = session.enrich("payment-api", "15:50")
    assert found.notes == ("evidence ends at 16:00:00 UTC, the sources' now",)
    assert found.deployments.empty
    assert any("of tomorrow" in one and "dated after the sources' now" in one for one in found.warnings)
    assert any("ends first" in one and "said to end before it began" in one for one in found.warnings)


def test_a_folder_of_lines_alone_says_what_it_has_not(tmp_path: Path) -> None:
    lines = "\n".join(
        f'{{"ts": "2026-11-22T14:{minute:02}:00Z", "level": "error", "service": "pay", "msg": "pool empty {minute}"}}'
        for minute in range(15, 40)
    )
    (tmp_path / "pay.jsonl").write_text(lines)
    with Session(zone="UTC") as session:
        session.connect("mine", str(tmp_path))
        found = session.enrich("pay", "14:15")
        with pytest.raises(UsageError, match="no source measures it"):
            session.enrich("pay")
    assert found.error_lines == 25
    assert found.metrics.empty
    assert found.incident.end_because == "not known: no source measures it"
    assert found.observations().metrics is not None


async def test_a_gathering_that_is_cancelled_stops(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def waits(*_arguments: Any) -> Answer:
        loop.call_soon_threadsafe(begun.set)
        try:
            await asyncio.sleep(600)
        finally:
            loop.call_soon_threadsafe(ended.set)
        raise AssertionError("nobody waits that long")

    async with AsyncSession(zone="UTC") as session:
        await session.connect("demo", str(folder))
        monkeypatch.setattr(FolderSource, "traces", waits)
        task = asyncio.create_task(session.enrich("payment-api", "14:15"))
        await asyncio.wait_for(begun.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(ended.wait(), 60)
