"""Who subscribes hears; who fails does not stop the rest."""

from __future__ import annotations

import logging

import pytest

from obs_magics.model.bus import QUERY_COMPLETE, QUERY_START, Bus, Payload


class Heard(list[tuple[str, dict[str, object]]]):
    """A listener that keeps what it hears."""

    def __call__(self, event: str, payload: Payload) -> None:
        self.append((event, dict(payload)))


@pytest.mark.parametrize(
    ("pattern", "events"),
    [
        (QUERY_START, [QUERY_START]),
        ("observability:query:*", [QUERY_START, QUERY_COMPLETE]),
        ("*", [QUERY_START, QUERY_COMPLETE, "observability:rca:complete"]),
        ("observability:query", []),
    ],
)
def test_an_event_reaches_those_who_asked_for_it(pattern: str, events: list[str]) -> None:
    bus, heard = Bus(), Heard()
    bus.subscribe(pattern, heard)
    for event in (QUERY_START, QUERY_COMPLETE, "observability:rca:complete"):
        bus.emit(event, query="up")
    assert heard == [(event, {"query": "up"}) for event in events]


def test_a_payload_may_call_something_event() -> None:
    bus, heard = Bus(), Heard()
    bus.subscribe("*", heard)
    bus.emit("x", event="deployment", self="y")
    assert heard == [("x", {"event": "deployment", "self": "y"})]


def test_a_subscription_ends_once() -> None:
    bus, heard = Bus(), Heard()
    end = bus.subscribe("*", heard)
    bus.subscribe("*", heard)
    end()
    end()
    bus.emit("x")
    assert heard == [("x", {})]


def test_a_listener_that_fails_is_logged_and_the_next_still_hears(caplog: pytest.LogCaptureFixture) -> None:
    bus, heard = Bus(), Heard()

    def fails(_event: str, _payload: Payload) -> None:
        raise RuntimeError("mine alone")

    bus.subscribe("*", fails)
    bus.subscribe("*", heard)
    with caplog.at_level(logging.WARNING):
        bus.emit("x")
    assert heard == [("x", {})]
    assert "a listener of x failed" in caplog.text


def test_a_listener_may_subscribe_and_unsubscribe_while_it_listens() -> None:
    bus, heard = Bus(), Heard()

    def once(event: str, payload: Payload) -> None:
        end()
        bus.subscribe("*", heard)

    end = bus.subscribe("*", once)
    bus.emit("first")
    bus.emit("second")
    assert [event for event, _ in heard] == ["second"]
