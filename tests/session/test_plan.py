"""From what was asked to what is sent."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from obs_magics.model.errors import QueryError, UsageError
from obs_magics.model.query import MetricsQuery
from obs_magics.model.time import DAY, HOUR, MINUTE, SECOND
from obs_magics.session.plan import Limits, MetricsOptions, plan_metrics_query

NOW = 1_795_363_200 * SECOND
LIMITS = Limits(default_range_ns=HOUR, max_range_ns=7 * DAY, max_data_points=1000)


def plan(question: str = "up", **options: Any) -> MetricsQuery:
    return plan_metrics_query(question, MetricsOptions(**options), now_ns=NOW, zone=UTC, limits=LIMITS)


def test_without_options_the_last_hour_is_asked_in_readable_steps() -> None:
    query = plan()
    assert (query.range.start_ns, query.range.end_ns) == (NOW - HOUR, NOW)
    assert query.step_ns == 5 * SECOND
    assert not query.instant


def test_the_step_keeps_within_the_points_allowed() -> None:
    assert plan(last="7d").step_ns == 15 * MINUTE
    assert plan(last="1m").step_ns == SECOND


@pytest.mark.parametrize(
    ("step", "expected"),
    [("30s", 30 * SECOND), (2.5, 2500 * SECOND // 1000), ("1m", MINUTE), (timedelta(minutes=1), MINUTE)],
)
def test_a_step_can_be_said(step: Any, expected: int) -> None:
    assert plan(step=step).step_ns == expected


@pytest.mark.parametrize("step", ["0s", 0, "nonsense", -5, float("nan"), float("inf"), [30]])
def test_a_step_that_makes_no_sense_is_refused(step: Any) -> None:
    with pytest.raises(UsageError):
        plan(step=step)


def test_aggregation_goes_with_a_metric_name() -> None:
    assert plan("  http_requests_total ", agg="sum").text == "sum(http_requests_total)"


def test_aggregation_is_refused_on_a_query_and_the_hint_shows_how_to_write_it() -> None:
    with pytest.raises(UsageError) as error:
        plan("rate(x[5m])", agg="avg")
    assert "avg(rate(x[5m]))" in error.value.hint


@pytest.mark.parametrize(
    "options",
    [
        {"agg": "median"},
        {"limit": 0},
        {"limit": -1},
        {"limit": "3"},
        {"limit": 2.5},
        {"last": "8d"},
        {"start": "tomorrow"},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        plan(**options)


def test_a_query_is_text() -> None:
    nothing: Any = None
    with pytest.raises(UsageError, match="a query is text, not a NoneType"):
        plan(nothing)


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_no_query_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(QueryError, match="there is no query"):
        plan(text)


def test_grafana_variables_are_replaced() -> None:
    assert plan("rate(x[$__interval]) > $__range_s").text == "rate(x[5s]) > 3600"


def test_frames_of_two_questions_share_their_times() -> None:
    def asked(now_ns: int, **options: Any) -> tuple[int, int]:
        query = plan_metrics_query("up", MetricsOptions(**options), now_ns=now_ns, zone=UTC, limits=LIMITS)
        return query.range.start_ns, query.range.end_ns

    odd = NOW + 3_210_000_001
    assert asked(odd) == asked(NOW) == (NOW - HOUR, NOW)
    assert asked(odd, last="2h") == (NOW - 2 * HOUR, NOW)
    for typed in ({"start": odd - HOUR}, {"last": "1h", "end": odd}, {"step": "5s"}, {"instant": True}):
        assert asked(odd, **typed) == (odd - HOUR, odd)
