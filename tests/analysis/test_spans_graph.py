"""Who calls whom: edges from both sides of a call, from one side, from links."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from support.span_worlds import frame, hex_id, span, worlds

from obs_magics.analysis.spans import call_graph, services
from obs_magics.model.spans import empty_spans


def edges(data: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Kind by caller and callee."""
    found = call_graph(data)
    return dict(zip(zip(found["caller"], found["callee"], strict=True), found["kind"], strict=True))


def test_a_call_has_both_sides() -> None:
    data = frame(
        span("a", None, 0, 1000, service="web", kind="server"),
        span("b", "a", 0, 100, service="web", kind="client"),
        span("c", "b", 10, 90, service="cart", kind="server", status="error"),
        span("d", "a", 200, 400, service="web", kind="client"),
        span("e", "d", 230, 370, service="cart", kind="server"),
    )
    found = call_graph(data)
    assert found[["caller", "callee", "kind", "calls", "errors"]].to_numpy().tolist() == [
        ["web", "cart", "service", 2, 1]
    ]
    row = found.iloc[0]
    assert (row["rate"], row["error_share"]) == (2.0, 0.5)
    assert row["p50"] == pd.Timedelta(150, "ms")
    assert row["p99"] == pd.Timedelta(199, "ms")
    assert row["network"] == pd.Timedelta(40, "ms")


def test_a_parent_that_is_no_client_calls_without_a_gap() -> None:
    found = call_graph(frame(span("a", service="web"), span("b", "a", 1, 5, service="cart")))
    assert found[["caller", "callee", "kind"]].to_numpy().tolist() == [["web", "cart", "service"]]
    assert found["network"].isna().all()
    assert found["p50"][0] == pd.Timedelta(4, "ms")


def test_a_service_that_calls_itself_is_an_edge_only_over_the_wire() -> None:
    data = frame(span("a", kind="client"), span("b", "a", 1, kind="server"), span("c", "b", 2))
    assert edges(data) == {("shop", "shop"): "service"}


@pytest.mark.parametrize(
    ("attributes", "kind", "expected"),
    [
        ({"db.system": "mysql", "server.address": "db1"}, "client", ("mysql", "database")),
        ({"db.system.name": "redis", "peer.service": "sessions"}, "client", ("sessions", "database")),
        ({"messaging.system": "kafka", "messaging.destination.name": "mail"}, "producer", ("mail", "messaging")),
        ({"messaging.system": "kafka"}, "client", ("kafka", "messaging")),
        ({"net.peer.name": "api.example.com"}, "client", ("api.example.com", "external")),
        ({"server.address": "cart.shop.svc:80"}, "client", ("cart", "service")),
    ],
)
def test_a_call_that_nobody_answers_is_named_after_what_it_speaks_to(
    attributes: dict[str, str], kind: str, expected: tuple[str, str]
) -> None:
    data = frame(
        span("a", service="web"),
        span("b", "a", 1, 5, service="web", kind=kind, attributes=attributes),
        span("c", trace="2", service="cart"),
    )
    assert edges(data) == {("web", expected[0]): expected[1]}


def test_a_call_to_nobody_in_particular_is_no_edge() -> None:
    data = frame(
        span("a", kind="client"), span("b", trace="2", service=None, kind="client", attributes={"db.system": "x"})
    )
    assert edges(data) == {}


def test_messages_within_a_trace_and_by_links() -> None:
    data = frame(
        span("a", service="web"),
        span("b", "a", 1, 2, service="web", kind="producer", attributes={"messaging.system": "kafka"}),
        span("c", "b", 500, 600, service="mail", kind="consumer"),
        span("d", "a", 3, 4, service="web", kind="producer", attributes={"messaging.system": "kafka"}),
        span("e", None, 700, 800, trace="2", service="bill", kind="consumer", links=[("1", "d")]),
        span("f", None, 700, 800, trace="3", service="bill", kind="consumer", links=[("1", "dead")]),
    )
    assert edges(data) == {("web", "mail"): "messaging", ("web", "bill"): "messaging"}
    assert call_graph(data)["network"].isna().all()
    assert data["links"][3][0]["span_id"] == hex_id("d", 16) if len(data["links"][3]) else True


def test_services_answer_their_entries() -> None:
    data = frame(
        span("a", None, 0, 1000, service="web"),
        span("b", "a", 100, 500, service="web"),
        span("c", "b", 200, 400, service="cart", status="error"),
        span("d", "c", 250, 300, service=None),
    )
    found = services(data).set_index("service")
    assert list(found.index) == ["cart", "web"]
    assert found["calls"].tolist() == [1, 1]
    assert found["spans"].tolist() == [1, 2]
    assert found["errors"].tolist() == [1, 0]
    assert found["rate"].tolist() == [1.0, 1.0]
    assert found["self_time"].tolist() == [pd.Timedelta(150, "ms"), pd.Timedelta(800, "ms")]
    assert found["p95"].tolist() == [pd.Timedelta(200, "ms"), pd.Timedelta(1000, "ms")]


def test_nothing_calls_nobody() -> None:
    for data in (empty_spans(), frame(span("a", None, 0, 0))):
        assert call_graph(data).empty
    assert services(empty_spans()).empty
    assert services(frame(span("a", None, 0, 0)))["rate"].isna().all()


@settings(max_examples=40)
@given(worlds(rings=True))
def test_every_call_over_services_is_counted(data: pd.DataFrame) -> None:
    found = call_graph(data)
    assert not found.duplicated(["caller", "callee", "kind"]).any()
    assert (found["errors"] <= found["calls"]).all()
    assert found["error_share"].between(0, 1).all()
    assert services(data)["spans"].sum() == data["service"].notna().sum()
