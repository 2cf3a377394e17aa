"""Alerts of Prometheus and its kin as events: recorded answers, made-up ones, and real servers with rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import pytest
from support.prometheus_api import END, START, check_request, source_at, specification
from support.recordings import Recording, load, replay
from support.servers import alertmanager, prometheus, victoria_metrics
from support.sockets import Asked, answer, serving

from obs_magics.api import Session
from obs_magics.model.errors import QueryError, SourceUnavailable
from obs_magics.model.events import check_events
from obs_magics.model.query import EventMatcher, EventsQuery
from obs_magics.model.sources import EventsSource
from obs_magics.model.time import SECOND, TimeRange

RANGE, RULES, ALERTS = "/api/v1/query_range", "/api/v1/rules", "/api/v1/alerts"
STEP = 5  # seconds: what is chosen for the hour from START to END


def question(*matchers: EventMatcher, start: float = START, end: float = END) -> EventsQuery:
    return EventsQuery(range=TimeRange(round(start * SECOND), round(end * SECOND)), matchers=matchers, limit=1000)


def recorded(shared: Path, folder: str, name: str) -> Recording:
    found = load(shared / "contracts/recordings" / folder)
    return next(item for item in found if item.file == name)


@pytest.mark.contract
async def test_a_recorded_history_is_folded_into_one_event_an_alert(shared: Path) -> None:
    history = recorded(shared, "prometheus", "086-alerts-series-range.json")
    answers = {RANGE: history, "/api/v1/status/buildinfo": recorded(shared, "prometheus", "055-status-buildinfo.json")}
    points = json.loads(history.body)["data"]["result"]
    with replay(answers) as (url, seen):
        async with source_at(url) as source:
            assert isinstance(source, EventsSource)
            # of a day points are asked for a minute apart, as the recording has them
            asked = EventsQuery(range=TimeRange(1_795_273_200 * SECOND, 1_795_359_600 * SECOND), limit=10)
            found = await source.events(asked)
    check_events(found.frame)
    by_key = {(row["metric"]["alertname"], row["metric"]["service"]): row["values"] for row in points}
    assert len(found.frame) == len(points)
    for row in found.frame.to_dict("records"):
        values = by_key[row["alertname"], row["service"]]
        assert row["timestamp"] == pd.Timestamp(values[0][0], unit="s", tz="UTC")
        ended = values[-1][0] < 1_795_359_600
        assert pd.isna(row["end"]) != ended
        assert not ended or row["end"] == pd.Timestamp(values[-1][0], unit="s", tz="UTC")
        assert (row["kind"], row["source"], row["namespace"]) == ("alert", "prom", "shop")
        assert row["title"] == f"{row['alertname']} on {row['service']}"
    assert found.native_query == 'ALERTS{alertstate="firing"}'
    assert found.notes == ("beginnings and ends of alerts are exact to 1m",)
    (problem,) = found.failed  # this recording's server was not asked for rules
    assert problem.startswith("what fires now, and the texts of alerts: nothing there (404")
    spec = specification(shared / "contracts/specs/prometheus_3.1.yaml")
    for request in seen:
        check_request(spec, request)
    assert {request.path for request in seen} >= {RANGE, RULES, ALERTS}


@pytest.mark.contract
async def test_a_victoria_metrics_without_rules_says_why_there_is_nothing(shared: Path) -> None:
    answers = {
        RANGE: Recording("", "", "POST", RANGE, {}, 200, (), _matrix([]), False, ""),
        RULES: recorded(shared, "victoria-metrics", "071-rules.json"),
        ALERTS: recorded(shared, "victoria-metrics", "072-alerts.json"),
    }
    with replay(answers) as (url, _):
        async with source_at(url) as source:
            found = await source.events(question())
    assert len(found.frame) == 0
    assert found.empty_reason == "this server has no alerting rules, and ALERTS has no series in this range"
    assert found.failed == ()


@pytest.mark.contract
@pytest.mark.parametrize("name", ["067-rules-bad-type", "087-rules-unreachable-path"])
async def test_recorded_refusals_of_rules_do_no_harm(shared: Path, name: str) -> None:
    answers = {
        RANGE: Recording("", "", "POST", RANGE, {}, 200, (), _matrix([]), False, ""),
        RULES: recorded(shared, "prometheus", f"{name}.json"),
    }
    with replay(answers) as (url, _):
        async with source_at(url) as source:
            found = await source.events(question())
    assert found.empty_reason == "nothing has fired: ALERTS has no series in this range"
    assert len(found.failed) == 1


def _matrix(series: list[Any]) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}}).encode()


def firing(name: str, *stretches: tuple[int, int], **labels: str) -> dict[str, Any]:
    """A series that is there in these stretches: first and last second after START."""
    times = [START + at for first, last in stretches for at in range(first, last + 1, STEP)]
    metric = {"__name__": "ALERTS", "alertname": name, "alertstate": "firing", **labels}
    return {"metric": metric, "values": [[time, "1"] for time in times]}


def rule(name: str, *active: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "query": f"{name} > 1", "type": "alerting", "duration": 0, "alerts": list(active), **more}


def active(name: str, since: str, state: str = "firing", **more: Any) -> dict[str, Any]:
    return {
        "labels": {"alertname": name},
        "annotations": {},
        "state": state,
        "activeAt": since,
        "value": "2e+00",
        **more,
    }


Step = Callable[[Asked, Any], Any]


def server(series: list[Any], rules: list[Any] | None, alerts: list[Any] | None = None) -> Step:
    """A server that has these series, these rules (None: it knows no rules) and these alerts."""

    async def step(request: Asked, writer: Any) -> None:
        path = request.target.partition("?")[0]
        body = {
            RANGE: _matrix(series).decode(),
            RULES: None if rules is None else json.dumps({"status": "success", "data": {"groups": [{"rules": rules}]}}),
            ALERTS: None if alerts is None else json.dumps({"status": "success", "data": {"alerts": alerts}}),
            "/api/v1/status/buildinfo": '{"status": "success", "data": {"version": "3.1.0"}}',
        }.get(path)
        reply = answer("404 page not found", status=404) if body is None else answer(body)
        await reply(request, writer)

    return step


async def events_of(step: Step, query: EventsQuery | None = None) -> Any:
    async with serving(step) as stage, source_at(stage.url) as source:
        return await source.events(query or question())


async def test_a_gap_makes_two_alerts_of_one_series() -> None:
    found = await events_of(server([firing("Slow", (600, 900), (1200, 1500), service="cart")], []))
    times = [(start - pd.Timestamp(START, unit="s", tz="UTC")).total_seconds() for start in found.frame["timestamp"]]
    lasted = (found.frame["end"] - found.frame["timestamp"]).dt.total_seconds().tolist()
    assert (times, lasted) == ([600, 1200], [300, 300])


async def test_an_alert_that_fires_at_both_ends_of_the_range_may_be_longer() -> None:
    found = await events_of(server([firing("Slow", (0, 3600))], []))
    assert found.frame["timestamp"].iloc[0] == pd.Timestamp(START, unit="s", tz="UTC")
    assert pd.isna(found.frame["end"].iloc[0])
    assert found.notes[1] == "1 alert fired already when the range began, and may have begun earlier"


async def test_rules_tell_texts_value_and_true_beginning_of_what_fires() -> None:
    began = pd.Timestamp(START - 7200, unit="s", tz="UTC").isoformat()
    told = active("Slow", began, annotations={"description": "p99 is 2 s\nlook", "summary": "{{"}, value="1.5e+00")
    found = await events_of(server([firing("Slow", (0, 3600))], [rule("Slow", told, duration=300)]))
    row = found.frame.iloc[0]
    assert row["timestamp"] == pd.Timestamp(START - 6900, unit="s", tz="UTC")  # it fires once it is true for 5 minutes
    assert (row["alert_value"], row["alert_query"], row["alert_state"]) == ("1.5", "Slow > 1", "firing")
    assert (row["title"], row["annotation_description"]) == ("{{", "p99 is 2 s\nlook")
    assert "/query?g0.expr=Slow+%3E+1" in row["url"]
    assert len(found.notes) == 1  # that it may have begun earlier is no longer so


async def test_what_only_the_rules_tell_of_is_an_event_too() -> None:
    early, late = (pd.Timestamp(at, unit="s", tz="UTC").isoformat() for at in (END - 1, END + 60))
    rules = [
        rule("New", active("New", early)),
        rule("After", active("After", late)),
        rule("P", active("P", early, "pending")),
    ]
    again = rule("Slow", active("Slow", early))
    found = await events_of(server([firing("Slow", (600, 900))], [*rules, again]))
    assert found.frame["alertname"].tolist() == ["Slow", "New", "Slow"]
    assert found.frame["end"].isna().tolist() == [False, True, True]


async def test_a_server_without_rules_is_asked_for_alerts() -> None:
    began = pd.Timestamp(START + 60, unit="s", tz="UTC").isoformat()
    found = await events_of(server([], None, [active("Slow", began, value="NaN"), active("Odd", "x")]))
    row = found.frame.iloc[0]
    assert (len(found.frame), row["alertname"], row["alert_value"]) == (1, "Slow", "nan")
    assert found.failed == ()


async def test_rules_that_fail_and_texts_that_broke_are_told() -> None:
    began = pd.Timestamp(START, unit="s", tz="UTC").isoformat()
    broken = active("Slow", began, annotations={"summary": "<error expanding template: x>"})
    rules = [rule("Slow", broken), *(rule(name, health="err") for name in "abcd"), {"type": "recording", "name": "r"}]
    found = await events_of(server([], rules))
    assert found.warnings == (
        "1 alert with a template that could not be filled in",
        "4 alerting rules cannot be evaluated, and so never fire: a, b, c, …",
    )
    assert found.frame["title"].tolist() == ["Slow"]
    nothing = await events_of(server([], [rule("x"), rule("y")]))
    assert nothing.empty_reason.startswith("nothing has fired: 2 alerting rules are loaded")


async def test_the_question_has_what_can_only_be_a_label() -> None:
    asked: list[str] = []

    async def step(request: Asked, writer: Any) -> None:
        if request.target.startswith(RANGE):
            asked.extend(parse_qs(request.body.decode())["query"])
        await server([], [])(request, writer)

    matchers = [
        EventMatcher(name="alertname", op="=~", value='Hi"gh.*'),
        EventMatcher(name="team", op="!=", value="a"),
        EventMatcher(name="severity", op="=", value="page"),
        EventMatcher(name="annotation_summary", op="=", value="x"),
        EventMatcher(name="alert_value", op="=", value="1"),
        EventMatcher(name="odd.name", op="=", value="1"),
    ]
    found = await events_of(step, question(*matchers))
    assert asked == ['ALERTS{alertstate="firing",alertname=~"Hi\\"gh.*",team!="a"}']
    assert found.native_query == asked[0]


async def test_rules_that_make_no_sense_do_no_harm() -> None:
    async def step(request: Asked, writer: Any) -> None:
        path = request.target.partition("?")[0]
        await (answer("{}") if path in (RULES, ALERTS) else server([], []))(request, writer)

    found = await events_of(step)
    assert len(found.failed) == 1
    assert "not JSON" in found.failed[0]
    began = pd.Timestamp(START, unit="s", tz="UTC").isoformat()
    odd = await events_of(server([], None, [active("Slow", began, value="much")]))
    assert odd.frame["alert_value"].tolist() == ["much"]


async def test_what_did_not_come_is_told() -> None:
    partial = json.loads(_matrix([firing("Slow", (600, 900))])) | {"isPartial": True}

    async def step(request: Asked, writer: Any) -> None:
        whole = request.target.startswith(RANGE)
        await (answer(json.dumps(partial)) if whole else server([], []))(request, writer)

    assert "not to be had" in (await events_of(step)).truncated


async def test_a_server_that_fails_is_an_error_and_a_refused_condition_too() -> None:
    with pytest.raises(SourceUnavailable):
        await events_of(answer("no", status=500))
    refusal = {"status": "error", "errorType": "bad_data", "error": "1:8: parse error: x"}
    with pytest.raises(QueryError, match="refused"):
        await events_of(answer(json.dumps(refusal), status=400))


RULE_FILE = """\
groups:
- name: g
  rules:
  - alert: Always
    expr: vector(3)
    labels: {severity: critical, service: payment-api}
    annotations: {summary: "value {{ $value }}", runbook_url: "http://runbooks/x"}
  - {alert: Waits, expr: vector(1), for: 1h, labels: {job: cart}}
  - {alert: Never, expr: vector(1) > 2}
"""


@pytest.fixture(scope="module")
def pair(prometheus_binary: str, alertmanager_binary: str) -> Iterator[tuple[str, str]]:
    with alertmanager() as quiet, prometheus(rules=RULE_FILE, alertmanager=quiet) as url:
        yield url, quiet


@pytest.mark.real
@pytest.mark.xdist_group("prometheus")
async def test_a_real_server_tells_what_its_rules_fire(pair: tuple[str, str]) -> None:
    found = await _once_there(pair[0], lambda answer: bool(answer.frame["end"].isna().any()))
    row = found.frame.iloc[0]
    assert (len(found.frame), row["alertname"], row["service"], row["severity"]) == (
        1,
        "Always",
        "payment-api",
        "critical",
    )
    assert (row["title"], row["alert_value"], row["annotation_runbook_url"]) == ("value 3", "3", "http://runbooks/x")
    assert pd.isna(row["end"])
    async with source_at(pair[0]) as source:
        now = pd.Timestamp.now("UTC").timestamp()
        none = await source.events(
            question(EventMatcher(name="alertname", op="=", value="Never"), start=now - 60, end=now)
        )
    assert set(none.frame["alertname"]) <= {"Always"}  # what the rules tell is narrowed by whoever asked


async def _once_there(url: str, there: Callable[[Any], bool]) -> Any:
    async with source_at(url) as source:
        for _ in range(400):
            now = pd.Timestamp.now("UTC").timestamp()
            found = await source.events(question(start=now - 300, end=now))
            if there(found):
                return found
            await asyncio.sleep(0.2)
    raise AssertionError(found)


@pytest.mark.real
@pytest.mark.xdist_group("prometheus")
async def test_an_alert_that_both_servers_tell_of_is_one(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await _once_there(pair[0], lambda answer: bool(len(answer.frame)))
    with Session(environ={}) as session:
        session.connect("prom", pair[0])
        assert session.connect("am", pair[1]).platform == "alertmanager"
        for _ in range(400):  # Alertmanager drops what Prometheus does not repeat within seconds
            both = await asyncio.to_thread(session.alerts, last="10m")
            if both["source"].tolist() == ["am,prom"]:
                break
            await asyncio.sleep(0.2)
        assert session.offers("am") == ("events",)
    row = both.iloc[0]
    assert (len(both), row["source"], row["cluster"], row["alert_query"]) == (1, "am,prom", "test", "vector(3)")
    assert any("told by two sources" in note for note in both.obs.provenance.notes)


@pytest.mark.real
async def test_a_real_victoria_metrics_has_the_alerts_that_were_written_to_it(victoria_metrics_binary: str) -> None:
    text = "\n".join(
        f'ALERTS{{alertname="Slow",alertgroup="g",alertstate="firing",job="cart"}} 1 {(START + at) * 1000}'
        for at in range(600, 1200, 15)
    )
    with victoria_metrics(f"{text}\n") as url:
        async with source_at(url) as source:
            found = await source.events(question())
    row = found.frame.iloc[0]
    assert (len(found.frame), row["service"], row["alertgroup"]) == (1, "cart", "g")
    assert row["timestamp"] == pd.Timestamp(START + 600, unit="s", tz="UTC")
    assert 585 <= (row["end"] - row["timestamp"]).total_seconds() <= 600 + 300  # it looks back for five minutes
