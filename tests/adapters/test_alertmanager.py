"""Every recorded exchange with Alertmanager 0.25, and a real one, through the public surface of the source."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.alertmanager_api import NIGHT, NOON, asked, check_request, source_at, specification
from support.recordings import Recording, load, replay
from support.servers import alertmanager
from support.sockets import answer, serving

from obs_magics.adapters.alertmanager import ADAPTER, AlertmanagerSettings
from obs_magics.adapters.alertmanager.product import find_status
from obs_magics.adapters.alertmanager.source import NO_HISTORY
from obs_magics.model.errors import (
    AuthError,
    BadAnswer,
    ConfigError,
    ObsError,
    QueryError,
    SourceUnavailable,
)
from obs_magics.model.events import check_events
from obs_magics.model.query import EventMatcher
from obs_magics.model.sources import EventsSource

SEVERE = EventMatcher(name="severity", op="=~", value="crit.*")
ALERTS, GROUPS, SILENCES, STATUS = (f"/api/v2/{name}" for name in ("alerts", "alerts/groups", "silences", "status"))

# What each recording is for, by its name without the number: which list it is an answer of, and how much it holds.
LISTS = {
    "alerts": (ALERTS, 15),
    "alerts-filter": (ALERTS, 2),
    "alerts-active-only": (ALERTS, 12),
    "alerts-none": (ALERTS, 0),
    "alerts-bad-filter": (ALERTS, 0),  # `service==` is taken for a value of `=`
    "alerts-bad-bool": (ALERTS, 3),  # `active=perhaps` is taken for false
    "alerts-groups": (GROUPS, 15),
    "alerts-groups-filter": (GROUPS, 1),
    "silences-filter": (SILENCES, 1),
}
# Refusals, those of requests that this adapter never makes too: what it would say of each.
REFUSALS: dict[str, tuple[type[ObsError], str]] = {
    "alerts-bad-receiver": (QueryError, "failed to parse receiver param: error parsing regexp: missing closing )"),
    "silence-missing": (BadAnswer, "nothing of the kind (404)"),
    "silence-bad-id": (QueryError, 'silenceID in path must be of type uuid: "xyz"'),
    "post-alert-no-labels": (QueryError, "at least one label pair required"),
    "post-alert-not-json": (QueryError, "unexpected EOF"),
    "post-alert-bad-time": (QueryError, 'cannot parse "now" as "2006"'),
    "post-silence-no-matchers": (QueryError, "matchers in body should have at least 1 items"),
    "post-silence-past": (QueryError, "end time can't be in the past"),
    "not-found": (BadAnswer, "path /api/v2/nope was not found"),
    "method-not-allowed": (BadAnswer, "method PUT is not allowed, but [GET,POST] are"),
}
OTHER = {"status", "ready", "post-alert", "delete-silence"}  # the last three have nothing to say


def kind_of(file: str) -> str:
    return re.sub(r"^\d+-|\.json$", "", file)


@pytest.fixture(scope="module")
def recordings(shared: Path) -> dict[str, Recording]:
    return {kind_of(item.file): item for item in load(shared / "contracts/recordings/alertmanager")}


@pytest.fixture(scope="module")
def spec(shared: Path) -> Any:
    return specification(shared / "contracts/specs/alertmanager_v2.yaml")


@pytest.mark.contract
def test_every_recording_has_its_place(recordings: dict[str, Recording]) -> None:
    assert set(recordings) == {*LISTS, *REFUSALS, *OTHER}


@pytest.mark.contract
@pytest.mark.parametrize("name", LISTS)
async def test_lists_are_read_to_the_last_element(recordings: dict[str, Recording], spec: Any, name: str) -> None:
    path, count = LISTS[name]
    recording = recordings[name]
    body = json.loads(recording.body)
    with replay({path: recording}) as (url, seen):
        async with source_at(url) as source:
            ask = {ALERTS: source.alerts, GROUPS: source.groups, SILENCES: source.silences}[path]
            found: list[Any] = await ask()
    told = [alert for group in found for alert in group.alerts] if path == GROUPS else found
    assert len(told) == count
    assert [getattr(one, "fingerprint", None) or one.id for one in told] == [
        one.get("fingerprint") or one["id"] for one in _flat(body)
    ]
    for request in seen:
        check_request(spec, request)


def _flat(body: Any) -> list[Any]:
    return [inner for one in body for inner in one.get("alerts", [one])]


@pytest.mark.contract
async def test_alerts_of_a_real_server_become_events(recordings: dict[str, Recording], spec: Any) -> None:
    answers = {
        ALERTS: recordings["alerts"],
        GROUPS: recordings["alerts-groups"],
        SILENCES: recordings["silences-filter"],
    }
    with replay(answers) as (url, seen):
        async with source_at(url) as source:
            assert isinstance(source, EventsSource)
            found = await source.events(asked())
            link = found.link
    frame = found.frame
    check_events(frame)
    assert frame["kind"].astype(str).value_counts().to_dict() == {"alert": 15, "annotation": 1}
    alert = frame[(frame["alertname"] == "HighErrorRate") & (frame["service"] == "payment-api")].iloc[0]
    assert alert["timestamp"] == pd.Timestamp("2026-11-22T14:16:00Z")
    assert pd.isna(alert["end"])  # what Alertmanager calls endsAt is when it would forget the alert
    assert (alert["severity"], alert["title"]) == ("critical", "HighErrorRate on payment-api")
    assert (alert["alert_state"], alert["alert_receivers"]) == ("firing", "default")
    assert alert["alert_group"] == '{alertname="HighErrorRate",service="payment-api"} to default'
    states = frame["alert_state"].value_counts().to_dict()
    assert states == {"firing": 12, "silenced": 2, "inhibited": 1}
    silence = frame[frame["kind"] == "annotation"].iloc[0]
    assert silence["title"] == 'Silence of {alertname="MemoryGrowth"}: known leak'
    assert (silence["by"], silence["silence_state"]) == ("demo", "active")
    broken = frame[frame["alertname"] == "BrokenAnnotation"].iloc[0]
    assert broken["title"] == "BrokenAnnotation"  # not the complaint of a template
    assert found.warnings == ("1 alert with a template that could not be filled in",)
    assert found.notes == (NO_HISTORY,)
    assert found.native_query == "GET /api/v2/alerts and GET /api/v2/silences"
    assert link == f"{url}/#/alerts?silenced=true&inhibited=true&active=true"
    assert {request.path for request in seen} == {ALERTS, GROUPS, SILENCES}
    for request in seen:
        check_request(spec, request)


@pytest.mark.contract
async def test_conditions_are_sent_as_the_server_writes_them(recordings: dict[str, Recording], spec: Any) -> None:
    name = EventMatcher(name="alertname", op="=", value='High"Error\\Rate')
    cluster = EventMatcher(name="cluster", op="!~", value="prod.*")
    answers = {ALERTS: recordings["alerts-filter"], GROUPS: recordings["alerts-groups-filter"]}
    with replay(answers) as (url, seen):
        async with source_at(url, receiver="pager|default") as source:
            found = await source.events(asked(name, SEVERE, cluster, kinds=("alert",)))
    sent = [
        ("filter", 'alertname="High\\"Error\\\\Rate"'),
        ("filter", 'cluster!~"prod.*"'),
        ("receiver", "pager|default"),
    ]
    assert [request.parameters for request in seen] == [
        sent,
        sent,
    ]  # severity is a column of events, and looked at here
    assert "filter=alertname" in found.native_query
    assert "%7Balertname%3D%22High" in found.link
    for request in seen:
        check_request(spec, request)


@pytest.mark.contract
@pytest.mark.parametrize("name", REFUSALS)
async def test_refusals_are_told_in_the_servers_words(recordings: dict[str, Recording], name: str) -> None:
    kind, words = REFUSALS[name]
    with replay({ALERTS: recordings[name]}) as (url, _):
        async with source_at(url) as source:
            with pytest.raises(kind) as caught:
                await source.alerts()
    assert words in caught.value.message
    assert caught.value.hint


@pytest.mark.contract
async def test_its_status_is_told_and_its_configuration_never(recordings: dict[str, Recording]) -> None:
    with replay({STATUS: recordings["status"]}) as (url, seen):
        async with source_at(url) as source:
            health = await source.health()
        assert await _detect(url)
    assert (health.ok, health.version) == (True, "Alertmanager 0.25.0")
    assert health.detail.startswith("up since 2026-11-23 14:03:0")
    assert health.detail.endswith(", alone")
    assert "global" not in repr(health)
    assert [request.path for request in seen] == [STATUS, STATUS]


@pytest.mark.contract
async def test_ready_and_bodies_without_an_answer_are_no_lists(recordings: dict[str, Recording]) -> None:
    for name in ("ready", "post-alert", "delete-silence"):
        with replay({ALERTS: recordings[name]}) as (url, _):
            async with source_at(url) as source:
                with pytest.raises(BadAnswer):
                    await source.alerts()


@pytest.mark.contract
@pytest.mark.parametrize(
    ("span", "kinds", "rows", "reason"),
    [
        ((NOON - 200_000, NOON - 190_000), (), 0, "of 16 alerts and silences that it has, none began before the range"),
        ((NOON, NIGHT), ("annotation",), 1, ""),
        ((NIGHT - 172_800, NIGHT - 86_400), ("annotation",), 0, "of 1 alerts"),
    ],
)
async def test_what_began_after_the_range_is_left_out(
    recordings: dict[str, Recording], span: tuple[float, float], kinds: Any, rows: int, reason: str
) -> None:
    answers = {
        ALERTS: recordings["alerts"],
        GROUPS: recordings["alerts-groups"],
        SILENCES: recordings["silences-filter"],
    }
    with replay(answers) as (url, _):
        async with source_at(url) as source:
            found = await source.events(asked(kinds=kinds, start=span[0], end=span[1]))
    assert len(found.frame) == rows
    assert found.empty_reason.startswith(reason)
    assert bool(found.empty_reason) == (not rows)


async def test_groups_and_silences_can_be_done_without() -> None:
    alert = {"labels": {"alertname": "X"}, "startsAt": "2026-11-23T13:00:00Z", "fingerprint": "1"}

    async def step(request: Any, writer: Any) -> None:
        path = request.target.partition("?")[0]
        reply = answer(json.dumps([alert])) if path == ALERTS else answer('"not today"', status=500)
        await reply(request, writer)

    async with serving(step) as stage, source_at(stage.url) as source:
        found = await source.events(asked())
        assert found.frame["title"].tolist() == ["X"]
        assert sorted(text.partition(":")[0] for text in found.failed) == ["groups", "silences"]
        with pytest.raises(SourceUnavailable, match="not today"):
            await source.events(asked(kinds=("annotation",)))


async def test_what_has_no_beginning_is_left_out() -> None:
    one = {"labels": {"alertname": "X"}, "startsAt": "", "id": "1", "matchers": []}
    async with serving(answer(json.dumps([one]))) as stage, source_at(stage.url) as source:
        assert len((await source.events(asked())).frame) == 0
    async with source_at("http://127.0.0.1:1") as source:
        assert source.now_ns() is None  # nothing was opened, and there is nothing to close


@pytest.mark.parametrize(
    ("status", "body", "kind", "error"),
    [
        (200, "<html><title>Sign in</title>", "text/html", BadAnswer),
        (200, '{"data": []}', "application/json", BadAnswer),
        (200, '[{"labels": []}]', "application/json", BadAnswer),
        (200, "[", "application/json", BadAnswer),
        (400, "\xff", "application/json", QueryError),
        (401, "Unauthorized", "text/plain", AuthError),
        (500, '"storage broken"', "application/json", SourceUnavailable),
    ],
)
async def test_answers_that_make_no_sense_are_errors_of_ours(
    status: int, body: str, kind: str, error: type[ObsError]
) -> None:
    async with serving(answer(body, status=status, kind=kind)) as stage, source_at(stage.url) as source:
        with pytest.raises(error) as caught:
            await source.events(asked())
        assert caught.value.where.startswith("am")
        with pytest.raises(ObsError):
            await source.health()


async def test_nothing_firing_and_nothing_silenced_says_so() -> None:
    async with serving(answer("[]")) as stage, source_at(stage.url) as source:
        assert (await source.events(asked())).empty_reason.startswith("nothing fires now")
        assert (await source.events(asked(kinds=("annotation",)))).empty_reason == "there are no silences"


def test_a_receiver_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="regular expression"):
        AlertmanagerSettings(url="http://a", receiver="(")
    with pytest.raises((ValueError, ConfigError)):
        AlertmanagerSettings.model_validate({})


async def test_grafana_s_own_and_a_cluster_are_told_too() -> None:
    config = {"config": {"original": "password: s3cret"}}
    for more, version, detail in (
        ({"cluster": None, "versionInfo": None, "uptime": None}, "Alertmanager", "alone"),
        ({"cluster": {"status": "ready", "peers": [{}, {}, {}]}, "versionInfo": {"version": "0.28.1"},
          "uptime": "2026-11-22T10:00:00.5Z"},
         "Alertmanager 0.28.1", "up since 2026-11-22 10:00:00, a cluster of 3, ready"),
    ):  # fmt: skip
        async with serving(answer(json.dumps({**config, **more}))) as stage, source_at(stage.url) as source:
            health = await source.health()
            assert (health.version, health.detail) == (version, detail)
            assert "s3cret" not in repr(await find_status(source._client))


async def test_other_servers_are_not_taken_for_one() -> None:
    for body, status in (('{"status":"success"}', 200), ("404 page not found", 404), ("<html>", 200)):
        async with serving(answer(body, status=status)) as stage:
            assert not await _detect(stage.url)
    async with serving(answer("", status=401)) as stage:
        with pytest.raises(AuthError):
            await _detect(stage.url)


async def _detect(url: str) -> bool:
    assert ADAPTER.detect is not None
    return await ADAPTER.detect("am", AlertmanagerSettings(url=url))


def post(url: str, content: Any) -> None:
    body = json.dumps(content).encode()
    request = urllib.request.Request(url, data=body, headers={"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture(scope="module")
def server(alertmanager_binary: str) -> Iterator[str]:
    with alertmanager() as url:
        labels = {"alertname": "Slow", "job": "carts", "severity": "page", "team": 'ä"b'}
        post(
            f"{url}{ALERTS}", [{"labels": labels, "annotations": {"summary": "slow <b>"}, "generatorURL": "http://p/"}]
        )
        now = pd.Timestamp.now("UTC")
        matchers = [{"name": "alertname", "value": "Sl.*", "isRegex": True, "isEqual": True}]
        times = {"startsAt": now.isoformat(), "endsAt": (now + pd.Timedelta("1h")).isoformat()}
        post(f"{url}{SILENCES}", {"matchers": matchers, **times, "createdBy": "me", "comment": "we know"})
        yield url


@pytest.mark.real
async def test_a_real_server_tells_of_an_alert_and_its_silence(server: str) -> None:
    async with source_at(server) as source:
        until = asyncio.get_running_loop().time() + 60
        while True:  # the silence takes effect when the alert is looked at next
            now = pd.Timestamp.now("UTC").timestamp()
            found = await source.events(asked(start=now - 3600, end=now + 1))
            if "silenced" in set(found.frame["alert_state"]):
                break
            assert asyncio.get_running_loop().time() < until, found.frame["alert_state"].tolist()
            await asyncio.sleep(0.2)
        team = EventMatcher(name="team", op="=", value='ä"b')
        assert len((await source.events(asked(team, kinds=("alert",), start=now - 3600, end=now + 1))).frame) == 1
        other = EventMatcher(name="team", op="!=", value='ä"b')
        assert len((await source.events(asked(other, kinds=("alert",), start=now - 3600, end=now + 1))).frame) == 0
        assert (await source.health()).version.startswith("Alertmanager ")
    alert = found.frame[found.frame["kind"] == "alert"].iloc[0]
    assert (alert["service"], alert["severity"], alert["title"], alert["url"]) == (
        "carts",
        "page",
        "slow <b>",
        "http://p/",
    )
    assert alert["alert_state"] == "silenced"
    silence = found.frame[found.frame["kind"] == "annotation"].iloc[0]
    assert silence["title"] == 'Silence of {alertname=~"Sl.*"}: we know'
    assert silence["silence_id"] == alert["alert_silenced_by"]


@pytest.mark.real
async def test_a_real_server_refuses_a_receiver_that_re2_takes(server: str) -> None:
    async with source_at(server) as source:
        source._settings = AlertmanagerSettings.model_construct(url=server, receiver="(")
        with pytest.raises(QueryError, match="missing closing") as caught:
            await source.events(asked())
    assert "receiver:" in caught.value.hint


@pytest.mark.real
async def test_a_password_is_asked_for_and_taken(alertmanager_binary: str) -> None:
    guarded = 'basic_auth_users: {me: "$2y$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG"}\n'
    with alertmanager(web_config=guarded) as url:
        async with source_at(url) as source:
            with pytest.raises(AuthError):
                await source.events(asked())
        auth = {"type": "basic", "user": "me", "password": "s3cret"}
        async with source_at(url, auth=auth) as source:
            assert (await source.health()).ok
