"""Gathering from sources that have little, several of them, and what the panel says then."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest
from support.incident_story import ns

from obs_magics.api import Session
from obs_magics.config.adapter import Adapter
from obs_magics.config.platform import PlatformSettings
from obs_magics.incident.enriched import Enriched
from obs_magics.incident.panel import incident_panel, timeline_panel
from obs_magics.incident.verdict import verdict_sentences
from obs_magics.incident.words import headline, incident_sentences
from obs_magics.local.source import FolderSource
from obs_magics.model.errors import ConfigError, UsageError
from obs_magics.model.events import Event, events_frame
from obs_magics.model.logs import check_logs
from obs_magics.model.sources import Answer, Source
from obs_magics.session import book


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lines(folder: Path, service: str, *minutes: int, text: str = "pool exhausted") -> Path:
    folder.mkdir(exist_ok=True)
    rows = [
        f'{{"ts": "2026-11-22T14:{minute:02}:00Z", "level": "error", "service": "{service}", "msg": "{text} {minute}"}}'
        for minute in minutes
    ]
    (folder / "lines.jsonl").write_text("\n".join(rows))
    return folder


def points(folder: Path) -> Path:
    """Requests of `pay`, which stop at 14:15."""
    folder.mkdir(exist_ok=True)
    rows = ["timestamp,metric,value,service"]
    total = 0
    for minute in range(13 * 60, 15 * 60):
        total += 0 if minute >= 14 * 60 + 15 else 600
        rows.append(f"2026-11-22T{minute // 60:02}:{minute % 60:02}:00Z,http_requests_total,{total},pay")
    (folder / "points.csv").write_text("\n".join(rows))
    return folder


def text_of(enriched: Enriched) -> str:
    return re.sub(r"\s+", " ", incident_panel(enriched, name="inc", zone="UTC").to_text(100))


def rings(monkeypatch: pytest.MonkeyPatch, *told: Event) -> None:
    async def events(*_arguments: Any) -> Answer:
        return Answer(events_frame(told), "", signal="events")

    monkeypatch.setattr(FolderSource, "events", events)


def test_lines_of_two_sources_are_one_frame(tmp_path: Path) -> None:
    with Session(zone="UTC") as session:
        session.connect("one", str(lines(tmp_path / "one", "pay", 16, 18, 20)))
        session.connect("two", str(lines(tmp_path / "two", "pay", 17, 19, 40, text="no route to host")))
        found = session.enrich("pay", "14:15")
        only_one = session.enrich("pay", "14:15", source="one")
    check_logs(found.error_logs)
    assert found.error_lines == 6
    assert found.error_logs["timestamp"].is_monotonic_increasing
    assert len(found.patterns) == 2
    assert only_one.error_lines == 3
    assert any("clocks are" in one for one in found.warnings)


def flood(folder: Path) -> Path:
    """A rare error, from 14:15:07 on a new one forty times a second, and from 14:50 on another one."""
    folder.mkdir(exist_ok=True)
    begin = 14 * 3600 + 10 * 60
    told = [(begin + 60 * minute, "letter is late") for minute in range(6)]
    told += [(begin + 307 + tick / 40, "certificate has expired") for tick in range(40 * 60 * 30)]
    told += [(begin + 2400 + tick, "letter box is shut") for tick in range(60)]
    rows = [
        f'{{"ts": "2026-11-22T{int(at) // 3600:02}:{int(at) % 3600 // 60:02}:{at % 60:09.6f}Z", "level": "error", '
        f'"service": "pay", "msg": "{text}"}}'
        for at, text in told
    ]
    (folder / "lines.jsonl").write_text("\n".join(rows))
    return folder


def test_of_more_lines_than_are_read_the_first_ones_are_among_those_read(tmp_path: Path) -> None:
    with Session(zone="UTC") as session:
        session.connect("one", str(flood(tmp_path / "one")))
        found = session.enrich("pay", "14:15", end="14:52")
    first = found.first_errors
    assert [text.split(" ")[-1] for text in first["template"]] == ["late", "expired"]
    assert first["first_seen"].iloc[1].isoformat() == "2026-11-22T14:15:07+00:00"
    assert found.error_lines == 6 + 72_000 + 60
    assert not found.all_error_logs.duplicated(["timestamp", "message"]).any()
    assert any("were counted and not read" in one for one in found.warnings)
    assert not any("--limit" in one for one in found.warnings)


def test_where_nothing_is_measured_the_last_alert_tells_when_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rings(
        monkeypatch,
        Event(start_ns=ns("14:10"), end_ns=ns("14:12"), kind="alert", service="pay", title="Earlier"),
        Event(start_ns=ns("14:20"), kind="alert", service="pay", title="Payments fail"),
    )
    with Session(zone="UTC") as session:
        session.connect("one", str(lines(tmp_path / "one", "pay", *range(16, 40))))
        found = session.enrich("pay")
    assert (found.incident.found_by, found.incident.start_ns) == ("alert", ns("14:20"))
    assert found.incident.start_because == "alert: Payments fail"
    text = text_of(found)
    assert "Incident: pay since 22 Nov 14:20 UTC" in text
    assert "symptom: not measured, there are no metrics of it" in text
    assert "no change before it is recorded" in text
    assert "time to recover: unknown (not known: no source measures it)" in text
    assert "ℹ Note: no source tells its error rate, p99 latency" in text
    assert "How it went" not in text


def test_a_service_that_stops_is_noticed_by_its_traffic(tmp_path: Path) -> None:
    with Session(zone="UTC") as session:
        session.connect("one", str(points(tmp_path / "one")))
        found = session.enrich("pay", "14:15")
        searched = session.enrich("pay")
    assert [one.measure for one in found.symptoms] == ["throughput"]
    assert abs(found.incident.start_ns - ns("14:15")) <= 5 * 60 * 10**9
    assert found.incident.end_because.startswith("not over: requests is not back to usual")
    assert searched.incident.found_by == "measured"
    text = text_of(found)
    assert "no neighbour" not in text
    assert "no error lines" in text
    assert "throughput" in set(found.timeline()["measure"].dropna())


def test_a_folder_without_traces_says_so_once_and_the_only_errors_are_named(tmp_path: Path) -> None:
    lines(points(tmp_path / "one"), "pay", 16, 17, 18, 19, text="daily quota exceeded")
    with Session(zone="UTC") as session:
        session.connect("one", str(tmp_path / "one"))
        found = session.root_cause(session.enrich("pay", "14:15"))
    assert text_of(found.enriched).count("there are no spans in this folder") == 1
    told = verdict_sentences(found, zone="UTC")
    assert "the first errors: pay 14:16 (daily quota exceeded …)" in told
    assert "next: look for traces: there were none here" in told


def test_few_points_are_not_called_nothing(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text(
        "timestamp,metric,value,service\n"
        + "".join(f"2026-11-22T14:{minute:02}:00Z,http_requests_total,{60 * minute},pay\n" for minute in range(6))
    )
    with Session(zone="UTC") as session:
        session.connect("one", str(tmp_path))
        with pytest.raises(UsageError, match="what is measured of it is too short to tell what is usual"):
            session.enrich("pay")


def test_a_source_that_is_not_there_at_all(tmp_path: Path, unused_port: int) -> None:
    config = tmp_path / "obs.yaml"
    config.write_text(f"observability: {{platforms: {{jaeger: {{url: 'http://127.0.0.1:{unused_port}'}}}}}}")
    with Session(config, zone="UTC") as session:
        found = session.enrich("pay", "2026-11-22T14:15:00Z")
        with pytest.raises(UsageError, match="no source measures it"):
            session.enrich("pay")
    assert found.empty
    assert found.failed[0].startswith("services of jaeger: ")
    assert "no source has metrics: what moved is not known" in found.failed
    assert "no source has events: deployments, changes of configuration, flags and alerts are not known" in found.failed
    text = text_of(found)
    assert text.index("✖ Failed") < text.index("symptom: not measured")
    assert "What changed nothing is recorded" in text
    panel = timeline_panel(found.timeline(), response=found.response(), service="pay", zone="UTC", name="")
    assert "start of the incident (as told)" in panel.to_text(100)
    nothing = timeline_panel(found.timeline().iloc[:0], response=None, service="", zone="UTC", name="rows")
    assert "nothing is known yet: add what you saw" in nothing.to_text()
    assert "%obs_timeline add" in nothing.to_html()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    config = tmp_path / "obs.yaml"
    config.write_text(f"observability: {{platforms: {{gone: {{type: folder, path: '{tmp_path}/gone'}}}}}}")
    with Session(config, zone="UTC") as session, pytest.raises(UsageError, match="no source can be asked") as caught:
        session.enrich("pay", "14:15")
    assert "gone" in caught.value.hint


def test_a_service_that_nobody_knows_where_not_all_told(tmp_path: Path, unused_port: int) -> None:
    config = tmp_path / "obs.yaml"
    config.write_text(f"observability: {{platforms: {{loki: {{url: 'http://127.0.0.1:{unused_port}'}}}}}}")
    with Session(config, zone="UTC") as session:
        session.connect("one", str(lines(tmp_path / "one", "pay", 16, 18, 20)))
        found = session.enrich("cart", "14:15")
        with pytest.raises(UsageError, match="there is no service called 'cart'") as caught:
            session.enrich("cart", "14:15", source="one")
    assert found.warnings[0] == "no source that answered knows a service called 'cart'; they know pay"
    assert caught.value.hint == "the services are pay"


def test_what_is_said_of_little(tmp_path: Path) -> None:
    with Session(zone="Europe/Berlin") as session:
        session.connect("one", str(lines(tmp_path / "one", "pay", *range(16, 40))))
        found = session.enrich("pay", "2026-11-22T14:15:00Z", end="2026-11-22T14:35:00Z", title="It fails")
    assert headline(found, zone="Europe/Berlin") == (
        "Incident “It fails”: pay from 22 Nov 15:15 Europe/Berlin to 15:35 (20 min)"
    )
    told = incident_sentences(found, zone="Europe/Berlin")
    assert "24 error lines: pay from 15:16: pool exhausted … (24)" in told
    assert "no alert concerns it" in told
    assert "time to detect: unknown (no alert, incident or note from the onset on concerns it)" in told


def test_a_source_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "obs.yaml"
    config.write_text("observability: {platforms: {prom: {type: prometheus, url: 'http://prom:9090'}}}")
    whole = book.open_source

    def opened(adapter: Adapter, name: str, settings: PlatformSettings) -> Source:
        if name == "prom":
            raise ConfigError("a secret is not there", where=name)
        return whole(adapter, name, settings)

    monkeypatch.setattr(book, "open_source", opened)
    with Session(config, zone="UTC") as session:
        session.connect("one", str(lines(tmp_path / "one", "pay", 16, 18, 20)))
        found = session.enrich("pay", "14:15")
    assert found.failed[0] == "prom: a secret is not there"
    assert found.error_lines == 3


def test_fewer_instances_are_bad_and_changes_are_near_or_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rings(
        monkeypatch,
        Event(start_ns=ns("14:10"), kind="deployment", service="", title="everything"),
        Event(start_ns=ns("14:11"), kind="deployment", service="caller", title="a caller"),
        Event(start_ns=ns("14:12"), kind="deployment", service="pay", title="itself"),
        Event(start_ns=ns("14:13"), kind="restart", service="unknown", title="of nobody"),
    )
    config = tmp_path / "obs.yaml"
    config.write_text("observability: {incident: {calls: {caller: [pay]}}}")
    folder = tmp_path / "one"
    folder.mkdir()
    rows = ["timestamp,metric,value,service"]
    for minute in range(13 * 60, 15 * 60):
        up = 1 if minute < 14 * 60 + 15 else 0
        rows.append(f"2026-11-22T{minute // 60:02}:{minute % 60:02}:00Z,up,{up},pay")
    (folder / "points.csv").write_text("\n".join(rows))
    with Session(config, zone="UTC") as session:
        session.connect("one", str(folder))
        found = session.enrich("pay", "14:15")
        assert session.incident("pay", "14:15").service == "pay"
    assert [one.measure for one in found.symptoms] == ["availability"]
    text = text_of(found)
    assert "▲ availability" in text
    for words in ("the service itself pay", "calls it caller", "everywhere deployment", "not connected unknown"):
        assert words in text, words


def test_a_time_outside_of_all_data_is_told_with_what_the_data_covers(tmp_path: Path) -> None:
    with Session(zone="UTC") as session:
        session.connect("one", str(lines(tmp_path / "one", "pay", 16, 18)))
        deploys = tmp_path / "deploys.csv"
        deploys.write_text("when,service,version\n2026-11-22 14:12,pay,v1\n2026-11-22 14:20,pay,v2\n")
        session.connect("changes", str(deploys), type="events")
        found = session.enrich("pay", "2026-11-20 14:15")
    text = text_of(found)
    assert "2026-11-22 14:12:00" in text
    assert "no change before it is recorded" not in text
    assert "changes before it are not known: " in text
    assert any(one.startswith("one has nothing of that time: logs: ") for one in found.notes)
    assert found.notes[-1] == "no source has anything of that time: name one that their data covers, with --at"
