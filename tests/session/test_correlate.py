"""`session.correlate` and `session.changes_before`, over the demo world and over sources that fail."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.metrics_frames import regular
from support.odd_frames import found

from obs_magics.api import AsyncSession, Session
from obs_magics.model import provenance
from obs_magics.model.bus import CORRELATION_FOUND
from obs_magics.model.errors import UsageError
from obs_magics.session.correlate import named

AROUND: dict[str, Any] = {"start": "13:30", "end": "15:30"}


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with Session(zone="UTC") as made:
        made.demo()
        yield made


def test_what_moved_with_a_measure(session: Session) -> None:
    report = session.correlation_report("p99", service="payment-api", **AROUND)
    assert report.compared > 50
    assert report.target.startswith("latency_p99 · payment-api")
    assert report.units[report.target] == "s"
    assert {"{request}/s", "1", "By"} <= set(report.units.values())
    assert report.failed == ()
    origin = provenance.of(report.frame)
    assert origin is not None
    assert origin.signal == "correlation"
    assert origin.rows == len(report.frame)
    assert report.frame["q_value"].max() <= 0.05
    pd.testing.assert_frame_equal(report.frame, session.correlate("p99", service="payment-api", **AROUND))


def test_both_sessions_say_the_same(session: Session) -> None:
    async def asked() -> tuple[Any, Any, Any, int]:
        async with AsyncSession(zone="UTC") as other:
            await other.demo()
            frame = await other.correlate("p99", service="payment-api", against="saturation", **AROUND)
            odd = await other.anomalies("p99", service="payment-api", **AROUND)
            changes = await other.changes_before(odd)
            plans = await other.anomaly_plans("p99", service="payment-api")
            return frame, changes, plans, other.now_ns()

    frame, changes, plans, now_ns = asyncio.run(asked())
    pd.testing.assert_frame_equal(
        frame, session.correlate("p99", service="payment-api", against=["saturation"], **AROUND)
    )
    odd = session.anomalies("p99", service="payment-api", **AROUND)
    pd.testing.assert_frame_equal(changes.frame, session.changes_before(odd).frame)
    assert [plan.native_query for plan in plans] == [
        plan.native_query for plan in session.anomaly_plans("p99", service="payment-api")
    ]
    assert pd.Timestamp(now_ns, tz="UTC") == pd.Timestamp("2026-11-22 16:00", tz="UTC")


def test_a_frame_brings_its_own_range(session: Session) -> None:
    slow = session.measure("p99", "payment-api", step="1m", **AROUND)
    report = session.correlation_report(slow, against=("saturation", "p99"))
    assert report.range.duration_ns == 2 * 3600 * 10**9
    assert set(report.frame["metric"]) <= {"saturation", "latency_p99"}
    assert "payment-api" in set(report.frame["service"])


def test_which_series_is_meant_has_to_be_clear(session: Session) -> None:
    with pytest.raises(UsageError, match=r"the target is .* series"):
        session.correlate("p99", **AROUND)
    one = session.correlation_report("p99", series="payment-api", against="saturation", **AROUND)
    assert "payment-api" in one.target
    with pytest.raises(UsageError, match="the target has no rows"):
        session.correlate(regular({}))
    with pytest.raises(UsageError, match="there is no target"):
        session.correlate("  ")


def test_a_series_without_a_name_gets_one() -> None:
    plain = regular([({}, [1.0, 2.0])])
    assert set(named(plain, "slow")["metric"]) == {"slow"}
    labelled = regular({"a": [1.0]})
    assert named(labelled) is labelled


def test_changes_before_anomalies_are_told_and_the_bus_hears_of_them(session: Session) -> None:
    heard: list[Any] = []
    session.bus.subscribe(CORRELATION_FOUND, lambda _, payload: heard.append(payload))
    odd = session.anomalies(service="payment-api", measures=("p99", "throughput"), **AROUND)
    changes = session.changes_before(odd)
    frame = changes.frame
    assert changes.notes == ()
    assert len(heard) == len(frame)
    latency = frame[frame["anomaly"].str.startswith("latency")]
    best = set(latency["event"].head(2))
    assert "redis pool: max connections 100 → 20" in best
    assert "traffic" in set(latency["event_type"])
    assert latency["confidence"].is_monotonic_decreasing
    first = heard[0]
    assert first["anomaly"]["metric"] in {"latency_p99", "throughput"}
    assert set(first["correlated_event"]) == {
        "event_type",
        "event",
        "event_time",
        "service",
        "confidence",
        "time_offset",
    }
    assert isinstance(first["correlated_event"]["time_offset"], float)


def test_without_anomalies_nobody_is_asked(session: Session) -> None:
    asked: list[Any] = []
    session.bus.subscribe("observability:query:*", lambda event, _: asked.append(event))
    changes = session.changes_before(found().head(0))
    assert changes.frame.empty
    assert changes.events.empty
    assert asked == []


def test_without_sources_of_events_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with Session(zone="UTC") as session:
        changes = session.changes_before(found())
    assert changes.events.empty
    assert changes.notes[0].startswith("without events: ")
    assert set(changes.frame["event_type"]) == {"traffic"}


def test_configured_windows_and_calls_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "obs.yaml").write_text(
        "observability:\n"
        "  correlation: {deployment_window: 1m, config_change_window: 5m, alert_window: 1m}\n"
        "  incident: {calls: {payment-api: [redis]}}\n"
    )
    with Session(zone="UTC") as session:
        session.demo()
        odd = session.anomalies("p99", service="payment-api", **AROUND)
        kinds = set(session.changes_before(odd).frame["event_type"])
    assert "config_change" in kinds
    assert "deployment" not in kinds
