"""From what a person asked of events to what sources are asked."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.errors import ObsError
from obs_magics.model.time import DAY, HOUR, MINUTE
from obs_magics.session.plan import Limits
from obs_magics.session.plan_events import EventsOptions, EventsPlanned, plan_events_query

NOW_NS = 1_795_363_200_000_000_000  # 2026-11-22 16:00 UTC, a Sunday
LIMITS = Limits(default_range_ns=HOUR, max_range_ns=7 * DAY, max_data_points=1000)


def planned(question: str = "", **options: Any) -> EventsPlanned:
    return plan_events_query(question, EventsOptions(**options), now_ns=NOW_NS, zone=UTC, limits=LIMITS)


def test_six_hours_are_looked_back_when_nobody_says_otherwise() -> None:
    query = planned().query
    assert (query.range.end_ns, query.range.duration_ns, query.limit) == (NOW_NS, 6 * HOUR, 1000)
    assert planned(last="2h").query.range.duration_ns == 2 * HOUR


@pytest.mark.parametrize(
    ("question", "hours", "words", "kinds"),
    [
        ("deploys in the last hour", 1, (), ("deployment",)),
        ('payment-api over the past 2 hours "last hour"', 2, ("payment-api", "last hour"), ()),
        ("alerts since 14:00 of cart", 2, ("cart",), ("alert",)),
        ('severity=~"crit.*" last 30 minutes', 0.5, (), ()),
        ("flags today", 16, (), ("feature_flag",)),
        ("what changed in the last day", 24, ("changed",), ()),
        ("version=2.4", 6, (), ()),
    ],
)
def test_times_that_are_said_in_words_are_times(question: str, hours: float, words: object, kinds: object) -> None:
    found = planned(question)
    assert found.query.range.duration_ns == round(hours * 60) * MINUTE
    assert (found.query.words, found.query.kinds, found.query.text) == (words, kinds, question)
    assert bool(found.notes) == (hours != 6)


def test_an_option_says_more_than_words() -> None:
    found = planned("deploys in the last hour", last="3h")
    assert found.query.range.duration_ns == 3 * HOUR
    assert found.query.words == ()
    assert found.notes == ("“last hour” passed over: the options say more",)
    assert planned("deploys last hour").notes == ("read as last hour",)


def test_kinds_and_services_may_be_lists_or_texts() -> None:
    query = planned(kinds="deploys, config", service=["cart", "cart ", "pay*"]).query
    assert (query.kinds, query.services) == (("deployment", "config_change"), ("cart", "pay*"))


@given(st.text(max_size=40))
def test_any_question_is_planned_or_refused_in_words(question: str) -> None:
    try:
        found = planned(question)
    except ObsError:
        return
    assert found.query.range.start_ns <= found.query.range.end_ns
    assert found.query.range.duration_ns <= 7 * DAY
