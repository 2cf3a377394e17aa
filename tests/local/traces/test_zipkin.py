"""Zipkin's JSON as spans."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.errors import BadAnswer
from obs_magics.model.spans import check_spans
from obs_magics.syntax.spans import VALUE_TYPES
from obs_magics.syntax.spans.zipkin import read_zipkin

US = 1_795_341_600_000_000
CLIENT = {
    "traceId": "5af7183fb1d4cf5f",
    "id": "6b221d5bc9e6496c",
    "parentId": "5AF7183FB1D4CF5F",
    "name": "get /api",
    "kind": "CLIENT",
    "timestamp": US,
    "duration": 1_500,
    "localEndpoint": {"serviceName": "frontend", "ipv4": "127.0.0.1"},
    "remoteEndpoint": {"serviceName": "backend", "ipv6": "::1", "port": 9000},
    "annotations": [{"timestamp": US + 5, "value": "ws"}],
    "tags": {"http.path": "/api", "error": "timeout", "otel.status_code": "ERROR", "rows": 5},
}
SERVER = {
    "traceId": "5af7183fb1d4cf5f", "id": "6b221d5bc9e6496c", "kind": "SERVER", "timestamp": US + 100, "duration": 900,
    "localEndpoint": {"serviceName": "backend"}, "shared": True,
}  # fmt: skip


def read(document: Any) -> Any:
    """A document as spans."""
    return read_zipkin(json.dumps(document).encode())


def test_everything_a_span_has() -> None:
    columns = read([CLIENT, SERVER])
    frame = columns.frame()
    check_spans(frame)
    client, server = frame.iloc[0], frame.iloc[1]
    assert client["trace_id"] == "0" * 16 + "5af7183fb1d4cf5f"
    assert client["parent_id"] == "5af7183fb1d4cf5f"
    assert (client["service"], client["operation"], client["kind"]) == ("frontend", "get /api", "client")
    assert client["start"] == pd.Timestamp(US, unit="us", tz="UTC")
    assert client["duration"] == pd.Timedelta(1500, "us")
    assert (client["status"], client["status_message"]) == ("error", "timeout")
    assert dict(client["attributes"]) == {
        "http.path": "/api", "rows": "5", "peer.service": "backend", "network.peer.address": "::1",
        "network.peer.port": "9000", "service.name": "frontend", "host.ip": "127.0.0.1",
    }  # fmt: skip
    assert [event["name"] for event in client["events"]] == ["ws"]
    types = dict(zip(columns.attributes.keys.to_pylist(), columns.attributes.types.tolist(), strict=True))
    assert VALUE_TYPES[types["rows"]] == VALUE_TYPES[types["network.peer.port"]] == "int"
    assert (server["service"], server["operation"], server["status"]) == ("backend", "", "unset")
    assert dict(server["attributes"])["shared"] == "true"
    assert columns.notes == ("1 span id stands for several spans of one trace that differ; all of them are kept",)


@pytest.mark.parametrize(
    ("tags", "status", "message"),
    [
        ({}, "unset", None),
        ({"error": ""}, "error", None),
        ({"error": "true"}, "error", None),
        ({"error": "false"}, "unset", None),
        ({"error": "false", "otel.status_code": "OK"}, "ok", None),
        ({"otel.status_code": "ERROR"}, "error", None),
        ({"error": "no route"}, "error", "no route"),
    ],
)
def test_errors(tags: dict[str, str], status: str, message: str | None) -> None:
    span = read([{**SERVER, "tags": tags}]).frame().iloc[0]
    assert span["status"] == status
    assert (None if pd.isna(span["status_message"]) else span["status_message"]) == message


def test_lists_of_traces_single_spans_and_lines() -> None:
    other = {**SERVER, "traceId": "2"}
    assert len(read([[CLIENT, SERVER], [other]])) == 3
    assert len(read(CLIENT)) == 1
    lines = "\n".join(map(json.dumps, [CLIENT, other])).encode()
    assert len(read_zipkin(lines)) == 2
    assert len(read([])) == 0
    assert len(read([CLIENT, CLIENT])) == 1


def test_what_is_missing_or_makes_no_sense() -> None:
    columns = read(
        [{"traceId": "1", "id": "2"}, {"traceId": "1"}, {"traceId": "1", "id": "3", "timestamp": 2**62, "kind": "X"}]
    )
    frame = columns.frame()
    assert frame["duration"].tolist() == [pd.Timedelta(0)] * 2
    assert frame["service"].isna().all()
    assert frame["kind"].isna().tolist() == [False, True]
    assert columns.notes == (
        "1 time that cannot be taken as 0",
        "1 span without a trace id and a span id that make sense left out",
    )


@pytest.mark.parametrize("body", [b'[{"a": 1}]', b"nope", b'{"traceId": 5}', b'[{"traceId": "1", "id": ""}]'])
def test_other_documents_are_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer, match="this is not Zipkin's JSON"):
        read_zipkin(body)


@given(
    st.dictionaries(
        st.text(max_size=5), st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.none()), max_size=4
    )
)
def test_tags_survive(tags: dict[str, Any]) -> None:
    tags = {
        name.encode("utf-8", "replace").decode(): value
        for name, value in tags.items()
        if name not in {"error", "otel.status_code"}
    }
    found = dict(read([{**SERVER, "shared": None, "tags": tags}]).frame()["attributes"][0])
    for name, value in tags.items():
        if isinstance(value, str):
            assert found[name] == value
        else:
            assert found[name] == (
                "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            )
