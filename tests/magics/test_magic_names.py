"""Names for completion: a deadline, and an order."""

from __future__ import annotations

import logging
from threading import Event

import pytest
from support.patience import eventually

from obs_magics.magics.names import Names, ranked
from obs_magics.model.errors import SourceUnavailable


def test_a_quick_source_answers_at_once() -> None:
    assert Names(60).get("k", lambda: ["a", "b"]) == ["a", "b"]


def test_a_slow_source_is_not_waited_for_and_its_answer_is_there_next_time() -> None:
    names, may_answer, has_answered = Names(0.01), Event(), Event()

    def slow() -> list[str]:
        may_answer.wait(120)
        has_answered.set()
        return ["late"]

    assert names.get("k", slow) == ()
    assert names.get("k", lambda: pytest.fail("asked twice at once")) == ()
    may_answer.set()
    assert has_answered.wait(60)
    assert Names(60).get("other", lambda: ["x"]) == ["x"]
    quick = eventually(lambda: names.get("k", lambda: ["late", "later"]))
    assert quick[:1] == ["late"]


def test_when_a_source_fails_what_it_said_last_still_holds(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> list[str]:
        raise SourceUnavailable("nobody there")

    names = Names(60)
    names.get("k", lambda: ["a"])
    with caplog.at_level(logging.DEBUG, "obs_magics.magics.names"):
        assert names.get("k", broken) == ["a"]
        assert names.get("new", broken) == ()
    assert "nobody there" in caplog.text


def test_order_prefix_then_inside_then_similar() -> None:
    names = sorted(["HTTP_up", "a_http", "http_errors", "http_requests", "zzz"])
    assert ranked(names, "http") == ["http_errors", "http_requests", "HTTP_up", "a_http"]
    assert ranked(names, "http_reqests") == ["http_requests"]
    assert ranked(names, "") == names
    assert ranked(names, "", limit=2) == names[:2]
    assert ranked(names, "http", limit=1) == ["http_errors"]
    assert ranked(names, "qq") == []


def test_a_hundred_thousand_names() -> None:
    names = [f"metric_{number:06}" for number in range(100_000)]
    assert ranked(names, "metric_0999")[:1] == ["metric_099900"]
    assert len(ranked(names, "metric")) == 500
