"""Files of events: what tools send and export, and tables of people's own; and what is none of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.local.readers import read_files
from obs_magics.local.readers.base import File, Mapping, Reading
from obs_magics.local.readers.events import EVENT_TITLES, looks_right, read
from obs_magics.local.readers.events.shapes import ALL_SHAPES, shape_of
from obs_magics.model.events import Event, events_frame

AT = 1_795_356_720 * 10**9  # 2026-11-22T14:12:00Z
SHA = "8d5118091edb4be0453ef2e052b892730123abcd"
REPOSITORY = {"name": "payment-api", "full_name": "acme/payment-api", "html_url": "https://github.com/acme/payment-api"}
DEPLOYMENT = {
    "id": 7, "sha": SHA, "ref": "refs/tags/v2.4.1", "environment": "production", "created_at": "2026-11-22T14:12:00Z",
    "creator": {"login": "ann"},
}  # fmt: skip
ALERT = {
    "labels": {"alertname": "Slow", "job": "cart", "severity": "page"},
    "annotations": {"summary": "cart is slow"},
    "startsAt": "2026-11-22T14:12:00Z",
}

# Title of the shape → a document, and what becomes of it: kind, service, title, version, when it is over in seconds.
SHAPES: dict[str, tuple[Any, tuple[str, str, str, str, int | None]]] = {
    "GitHub deployment_status webhook": (
        {"action": "created", "deployment": DEPLOYMENT, "repository": REPOSITORY,
         "deployment_status": {"state": "success", "created_at": "2026-11-22T14:13:00Z", "log_url": "https://ci/1"}},
        ("deployment", "payment-api", "payment-api v2.4.1 to production: success", "v2.4.1", 60),
    ),
    "GitHub deployment webhook": (
        {"action": "created", "deployment": {**DEPLOYMENT, "ref": SHA}, "repository": REPOSITORY},
        ("deployment", "payment-api", "payment-api 8d5118091e to production", "8d5118091e", None),
    ),
    "GitHub release webhook": (
        {"action": "published", "repository": REPOSITORY,
         "release": {"tag_name": "v2.4.1", "name": "Rounding", "published_at": "2026-11-22T14:12:00Z"}},
        ("deployment", "payment-api", "payment-api v2.4.1: Rounding", "v2.4.1", None),
    ),
    "GitHub deployments (REST)": (
        {**DEPLOYMENT, "statuses_url": "https://api/statuses", "repository_url": "https://api.github.com/repos/acme/cart"},
        ("deployment", "cart", "v2.4.1 to production", "v2.4.1", None),
    ),
    "GitHub releases (REST)": (
        {"tag_name": "v1", "name": "First", "published_at": "2026-11-22T14:12:00Z", "html_url": "https://x/"},
        ("deployment", "", "v1: First", "v1", None),
    ),
    "GitLab deployment webhook": (
        {"object_kind": "deployment", "status": "success", "status_changed_at": "2026-11-22 15:12:00 +0100",
         "deployment_id": 15, "environment": "production", "ref": "main", "short_sha": "279484c0",
         "project": {"name": "payment-api"}, "user": {"username": "ann"}, "commit_title": "Round half up"},
        ("deployment", "payment-api", "payment-api main to production: success Round half up", "main", None),
    ),
    "GitLab release webhook": (
        {"object_kind": "release", "tag": "v1.1", "name": "Autumn", "released_at": "2026-11-22 14:12:00 UTC",
         "project": {"name": "cart"}, "url": "https://gitlab.com/x"},
        ("deployment", "cart", "cart v1.1: Autumn", "v1.1", None),
    ),
    "Argo CD application": (
        {"kind": "Application", "metadata": {"name": "cart"}, "spec": {"destination": {"namespace": "shop"}},
         "status": {"history": [{"id": 1, "revision": SHA, "deployStartedAt": "2026-11-22T14:12:00Z",
                                 "deployedAt": "2026-11-22T14:12:30Z", "initiatedBy": {"username": "ann"}}]}},
        ("deployment", "cart", "cart 8d5118091e synced to shop", "8d5118091e", 30),
    ),
    "PagerDuty incident webhook (V3)": (
        {"event": {"event_type": "incident.triggered", "occurred_at": "2026-11-22T14:12:01Z",
                   "data": {"type": "incident", "id": "P1", "title": "Payments fail", "status": "triggered",
                            "created_at": "2026-11-22T14:12:00Z", "service": {"summary": "payment-api"},
                            "urgency": "high", "html_url": "https://pd/1"}}},
        ("incident", "payment-api", "Payments fail", "", None),
    ),
    "PagerDuty incidents (REST)": (
        {"incidents": [{"id": "P1", "title": "Payments fail", "status": "resolved",
                        "created_at": "2026-11-22T14:12:00Z", "resolved_at": "2026-11-22T14:40:00Z",
                        "service": {"summary": "payment-api"}}]},
        ("incident", "payment-api", "Payments fail", "", 1680),
    ),
    "PagerDuty incident (REST)": (
        {"incident": {"id": "P1", "title": "Payments fail", "status": "acknowledged",
                      "created_at": "2026-11-22T14:12:00Z", "service": {"summary": "payment-api"}}},
        ("incident", "payment-api", "Payments fail", "", None),
    ),
    "PagerDuty change events (REST)": (
        {"change_events": [{"id": "1", "summary": "Build 2 passed", "timestamp": "2026-11-22T14:12:00Z",
                            "services": [{"summary": "cart"}], "links": [{"href": "https://ci/2"}]}]},
        ("config_change", "cart", "Build 2 passed", "", None),
    ),
    "PagerDuty change event": (
        {"routing_key": "x", "payload": {"summary": "Build 2 passed", "timestamp": "2026-11-22T14:12:00Z"}},
        ("config_change", "", "Build 2 passed", "", None),
    ),
    "Kubernetes events": (
        {"kind": "Event", "reason": "OOMKilling", "message": "out of memory", "type": "Warning",
         "firstTimestamp": "2026-11-22T14:12:00Z", "metadata": {"uid": "u1"},
         "involvedObject": {"kind": "Pod", "name": "search-service-7d9f8b6c5d-x2x4z", "namespace": "shop"}},
        ("restart", "search-service", "search-service-7d9f8b6c5d-x2x4z: OOMKilling: out of memory", "", None),
    ),
    "LaunchDarkly webhook": (
        {"kind": "flag", "date": 1795356720000, "accesses": [{"action": "updateOn"}], "name": "new-banner",
         "title": "Ann turned on new-banner", "member": {"email": "ann@example.com"}},
        ("feature_flag", "", "Ann turned on new-banner", "", None),
    ),
    "Grafana annotation": (
        {"id": 3, "time": 1795356720000, "timeEnd": 1795356780000, "text": "pool 100 → 20", "alertId": 0,
         "tags": ["config", "service:payment-api"]},
        ("config_change", "payment-api", "pool 100 → 20", "", 60),
    ),
    "Alertmanager webhook": (
        {"version": "4", "receiver": "pager", "status": "resolved",
         "alerts": [{**ALERT, "status": "resolved", "endsAt": "2026-11-22T14:20:00Z", "fingerprint": "f"}]},
        ("alert", "cart", "cart is slow", "", 480),
    ),
    "Alertmanager alerts (API)": (
        {**ALERT, "endsAt": "2026-11-22T14:30:00Z", "status": {"state": "active"}},
        ("alert", "cart", "cart is slow", "", None),
    ),
    "Prometheus alerts (API)": (
        {"status": "success", "data": {"alerts": [
            {"labels": ALERT["labels"], "annotations": ALERT["annotations"], "state": "firing", "value": "3e+00",
             "activeAt": "2026-11-22T14:12:00Z"},
            {"labels": {"alertname": "P"}, "state": "pending", "activeAt": "2026-11-22T14:12:00Z"}]}},
        ("alert", "cart", "cart is slow", "", None),
    ),
}  # fmt: skip


def read_text(folder: Path, name: str, text: str, **mapping: Any) -> Reading:
    path = folder / name
    path.write_text(text)
    return read_files(path, Mapping(**mapping))


def test_every_shape_has_its_example() -> None:
    assert set(SHAPES) == {shape.title for shape in ALL_SHAPES}
    assert set(SHAPES) < set(EVENT_TITLES)


@pytest.mark.parametrize("title", SHAPES)
@pytest.mark.parametrize("form", ["one", "lines", "list", "pretty"])
def test_shapes_are_known_in_any_form_of_file(title: str, form: str, tmp_path: Path) -> None:
    document, (kind, service, said, version, lasted) = SHAPES[title]
    text = {
        "one": json.dumps(document),
        "lines": f"{json.dumps(document)}\n\n{json.dumps(document)}\n",
        "list": json.dumps([document]),
        "pretty": json.dumps(document, indent=2),
    }[form]
    reading = read_text(tmp_path, "saved.json", text)
    assert not reading.problems
    assert not reading.logs
    found = reading.events[0]
    assert (found.start_ns, found.kind, found.service, found.title, found.version) == (AT, kind, service, said, version)
    assert found.end_ns == (None if lasted is None else AT + lasted * 10**9)
    assert str(reading.notes[0]).startswith(f"saved.json: {title}, ")
    assert "id" not in found.attributes


@pytest.mark.contract
@pytest.mark.parametrize(
    ("name", "kind", "rows"),
    [
        ("getIncident", "incident", 1),
        ("listIncidents", "incident", 1),
        ("listChangeEvents", "config_change", 2),
        ("listServiceChangeEvents", "config_change", 2),
    ],
)
def test_the_vendor_s_own_examples_are_read(shared: Path, tmp_path: Path, name: str, kind: str, rows: int) -> None:
    fixture = json.loads((shared / f"contracts/fixtures/pagerduty/{name}.json").read_text())
    body = fixture["interactions"][0]["response"]["body"]
    reading = read_text(tmp_path, "answer.json", json.dumps(body))
    assert [event.kind for event in reading.events] == [kind] * rows
    assert all(event.title for event in reading.events)


@pytest.mark.contract
@pytest.mark.parametrize(("name", "rows"), [("002-alerts", 15), ("003-alerts-filter", 2)])
def test_saved_answers_of_alertmanager_are_read(shared: Path, tmp_path: Path, name: str, rows: int) -> None:
    recording = json.loads((shared / f"contracts/recordings/alertmanager/{name}.json").read_text())
    reading = read_text(tmp_path, "am.json", recording["response"]["body"])
    assert len(reading.events) == rows
    assert {event.kind for event in reading.events} == {"alert"}


def test_messages_about_one_thing_are_one_event(tmp_path: Path) -> None:
    state = {"deployment": DEPLOYMENT, "repository": REPOSITORY}
    lines = [
        {"deployment": DEPLOYMENT, "repository": REPOSITORY},
        {**state, "deployment_status": {"state": "in_progress", "created_at": "2026-11-22T14:12:10Z"}},
        {**state, "deployment_status": {"state": "failure", "created_at": "2026-11-22T14:15:00Z"}},
        SHAPES["PagerDuty incident webhook (V3)"][0],
        {"event": {"event_type": "incident.resolved", "occurred_at": "2026-11-22T14:40:00Z",
                   "data": {"type": "incident", "id": "P1", "status": "resolved", "created_at": "2026-11-22T14:12:00Z",
                            "title": "Payments fail", "service": {"summary": "payment-api"}}}},
    ]  # fmt: skip
    reading = read_text(tmp_path, "hooks.jsonl", "\n".join(map(json.dumps, lines)))
    deployment, incident = reading.events
    assert (deployment.attributes["state"], deployment.end_ns) == ("failure", AT + 180 * 10**9)
    assert (incident.attributes["state"], incident.end_ns) == ("resolved", AT + 28 * 60 * 10**9)


TABLES: dict[str, tuple[str, tuple[str, str, str, str]]] = {
    "deployments.csv": ("when,app,version,by\n2026-11-22 14:12,cart,v2,ann\n", ("deployment", "cart", "cart v2", "v2")),
    "prod-releases.csv": ("date;project;tag\n2026-11-22T14:12:00Z;cart;v2\n", ("deployment", "cart", "cart v2", "v2")),
    "any.csv": (
        "time\tkind\tservice\ttitle\n1795356720\tConfig Change\tpay\tpool\n", ("config_change", "pay", "pool", "")
    ),
    "events.json": ('[{"ts": 1795356720, "summary": "hello", "x": {"y": 1}}]', ("annotation", "", "hello", "")),
    "notes.jsonl": (
        '{"timestamp": "2026-11-22T14:12:00Z", "type": "rollout", "service.name": "cart", "message": "go"}',
        ("deployment", "cart", "go", ""),
    ),
    "wrapped.json": (
        '{"events": [{"date": "2026-11-22T14:12:00Z", "event_type": "restart", "name": "cart"}], "more": false}',
        ("restart", "", "cart", ""),
    ),
    "changes.json": (
        '{"at": "2026-11-22T14:12:00Z", "what": "pool", "labels": {"team": "a"}}', ("config_change", "", "pool", "")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_people_are_read_by_the_names_of_their_columns(name: str, tmp_path: Path) -> None:
    text, (kind, service, title, version) = TABLES[name]
    reading = read_text(tmp_path, name, text)
    (found,) = reading.events
    assert (found.start_ns, found.kind, found.service, found.title, found.version) == (
        AT,
        kind,
        service,
        title,
        version,
    )
    assert found.source == name


def test_what_no_column_has_a_meaning_for_is_kept(tmp_path: Path) -> None:
    row = {
        "time": AT,
        "kind": "scale",
        "title": "t",
        "replicas": 3,
        "ok": True,
        "labels": {"team": "a"},
        "raw": {"b": 1},
    }
    reading = read_text(tmp_path, "events.json", json.dumps([row, {**row, "kind": "odd"}]))
    first, second = reading.events
    assert first.attributes == {"replicas": "3", "ok": "true", "team": "a", "raw.b": "1"}
    assert (second.kind, second.attributes["kind"]) == ("annotation", "odd")
    assert events_frame(reading.events)["label_kind"].tolist()[1] == "odd"


def test_times_without_a_zone_are_of_the_one_configured(tmp_path: Path) -> None:
    text = "when,version\n2026-11-22 15:12,v1\n"
    reading = read_text(tmp_path, "deploys.csv", text, zone="Europe/Berlin")
    assert reading.events[0].start_ns == AT
    other = read_text(tmp_path, "deploys.csv", "kind,go_live,date\ndeploy,2026-11-22 14:12,x\n", timestamp="go_live")
    assert other.events[0].start_ns == AT


def test_rows_without_a_time_are_left_out_and_said(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "deploys.csv", "when,version\n2026-11-22 14:12,v1\nsoon,v2\n,v3\n")
    assert len(reading.events) == 1
    assert [str(problem) for problem in reading.problems] == [
        "deploys.csv: 2 of 3 events left out: no time that can be read"
    ]
    broken = read_text(
        tmp_path, "deploys.jsonl", '{"when": "2026-11-22T14:12:00Z", "version": "v1"}\n{"when": \n[1]\n"x"\n'
    )
    assert len(broken.events) == 1
    assert "not JSON" in str(broken.problems[0])


def test_compressed_and_marked_files_are_read_too(tmp_path: Path) -> None:
    text = json.dumps(SHAPES["Alertmanager webhook"][0]).encode()
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(text))
    (tmp_path / "b.json").write_bytes(b"\xef\xbb\xbf" + text)
    assert len(read_files(tmp_path, Mapping()).events) == 2


def test_a_long_list_is_known_by_its_beginning(tmp_path: Path) -> None:
    one = SHAPES["Grafana annotation"][0]
    many = [{**one, "id": number, "text": "x" * 300} for number in range(500)]
    assert len(read_text(tmp_path, "annotations.json", json.dumps(many)).events) == 500
    incident = SHAPES["PagerDuty incidents (REST)"][0]["incidents"][0]
    wrapped = {"incidents": [{**incident, "id": str(number), "note": "x" * 300} for number in range(500)]}
    assert len(read_text(tmp_path, "i.json", json.dumps(wrapped)).events) == 500


def test_saved_frames_of_events_come_back(tmp_path: Path) -> None:
    frame = events_frame([Event(start_ns=AT, kind="deployment", service="cart", title="t", attributes={"kind": "k"})])
    frame.to_parquet(tmp_path / "saved.parquet")
    reading = read_files(tmp_path, Mapping())
    pd.testing.assert_frame_equal(events_frame(reading.events), frame)
    odd = pa.table({"timestamp": pa.array([AT], pa.timestamp("ns", "UTC")), "kind": ["odd"], "title": ["t"]})
    pq.write_table(odd, tmp_path / "saved.parquet")
    assert "a kind that is none" in str(read_files(tmp_path, Mapping()).problems[0])


# What must stay what it is: logs, metrics, spans.
OTHERS = {
    "app.jsonl": '{"timestamp": "2026-11-22T14:12:00Z", "level": "info", "event": "deploy", "msg": "x"}\n' * 3,
    "app2.jsonl": '{"time": "2026-11-22T14:12:00Z", "severity": "INFO", "message": "alert", "service": "a"}\n' * 3,
    "load.csv": "time,host,value\n2026-11-22 14:12,a,1\n2026-11-22 14:13,a,2\n",
    "alerts.csv": "time,alert,value\n2026-11-22 14:12,a,1\n2026-11-22 14:13,a,2\n",
    "deploys.csv": "service,count\na,1\nb,2\n",
    "zip.json": '[{"traceId": "1", "id": "2", "kind": "SERVER", "name": "get", "timestamp": 1795356720000000, '
    '"duration": 3, "localEndpoint": {"serviceName": "a"}}]',
    "broken.json": '{"alerts": [',
    "empty.json": "[]",
}


@pytest.mark.parametrize("name", OTHERS)
def test_logs_metrics_and_spans_are_not_taken_for_events(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(OTHERS[name])
    assert not looks_right(File(path, name), Mapping())
    assert not read_files(path, Mapping()).events


def test_who_says_which_column_is_a_value_has_metrics(tmp_path: Path) -> None:
    (tmp_path / "deploys.csv").write_text("when,version,count\n2026-11-22 14:12,v1,3\n")
    assert not looks_right(File(tmp_path / "deploys.csv", "deploys.csv"), Mapping(value=("count",)))


def test_a_file_that_was_named_is_read_whatever_it_looks_like(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("when,what\n2026-11-22 14:12,moved\n")
    assert read(File(path, "list.txt"), Mapping(), "scale").events[0].kind == "scale"
    path.write_text("")
    assert "no event" in str(read(File(path, "list.txt"), Mapping()).problems[0])


KEYS = [
    "alerts", "deployment", "sha", "kind", "status", "time", "tags", "text", "labels", "startsAt", "annotations",
    "data", "events", "event",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_no_document_breaks_the_recognition(document: Any) -> None:
    shape = shape_of(document)
    if shape is not None:
        assert all(event is None or event.title is not None for event in shape.events(document))
