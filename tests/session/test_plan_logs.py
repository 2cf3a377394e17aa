"""From a question about logs to what is sent."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Any

import pytest
from support.fake_logs import FakeLogsSource

from obs_magics.config.platform import PlatformSettings
from obs_magics.model.errors import UsageError
from obs_magics.model.time import DAY, HOUR, MINUTE, SECOND
from obs_magics.session.plan import Limits
from obs_magics.session.plan_logs import LogsOptions, LogsPlanned, is_native, level_of, plan_logs_query

NOW = 1_795_363_200 * SECOND
LIMITS = Limits(default_range_ns=HOUR, max_range_ns=7 * DAY, max_data_points=1000)


def plan(question: str = '{app="x"}', *, language: str = "logql", **options: Any) -> LogsPlanned:
    source = FakeLogsSource("f", PlatformSettings())
    source.log_language = language
    given = LogsOptions(**options)
    return asyncio.run(plan_logs_query(question, given, source, now_ns=NOW, zone=UTC, limits=LIMITS))


def test_without_options_the_last_half_hour_and_a_thousand_lines_are_asked() -> None:
    query = plan().query
    assert (query.range.start_ns, query.range.end_ns) == (NOW - 30 * MINUTE, NOW)
    assert (query.limit, query.level, query.text) == (1000, None, '{app="x"}')
    assert query.volume_step_ns == 30 * SECOND


def test_words_are_translated_and_told() -> None:
    found = plan('errors in payment-api "pool exhausted" last hour')
    assert found.query.text == '{app=~"payment-api"} |~ "(?i)pool exhausted"'
    assert (found.query.level, found.query.range.duration_ns, found.translated_by) == ("error", HOUR, "words")
    assert found.notes == ('read as lines of payment-api, level error or worse, with "pool exhausted", last hour',)


def test_options_say_more_than_words() -> None:
    found = plan("errors last hour", level="warn", last="2h")
    assert (found.query.level, found.query.range.duration_ns) == ("warn", 2 * HOUR)
    assert found.notes == ("read as lines of every service, level warn or worse; passed over: last hour",)
    assert plan("errors", level="all").query.level is None


def test_no_question_is_every_line_and_needs_no_note() -> None:
    found = plan("")
    assert (found.query.text, found.notes) == ('{app=~".+"}', ())


def test_time_variables_mean_what_they_mean_in_grafana() -> None:
    assert plan('rate({app="x"}[$__interval])', step="2m").query.text == 'rate({app="x"}[2m])'


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ('{app="x"}', True),
        ('sum(rate({app="x"}[5m]))', True),
        ('{app="x', True),  # meant as LogQL, and wrong: the source says how
        ('rate({app="x"}[5m]', True),
        ('{app="x"} |= ', True),
        ("errors in payment-api", False),
        ("pool exhausted", False),
        ("why did {foo fail", False),
        ('"user {id} not found"', False),
        ("rate(http_requests_total[5m])", True),  # meant as LogQL, or as PromQL: not as words
        ("sum by (app) (x)", True),
        ("sum (total) failed", False),
        ("1 + 1", True),
        ("500", False),
        ("2026-11-22", False),
        ("", False),
    ],
)
def test_logql_is_told_from_words(text: str, native: bool) -> None:
    assert is_native(text, "logql") is native


def test_logsql_is_made_of_words_itself() -> None:
    assert plan("error payment", language="logsql").query.text == "error payment"
    assert plan("", language="logsql").query.text == '{app=~".+"}'


@pytest.mark.parametrize(
    ("said", "level"), [("error", "error"), ("ERROR", "error"), ("warning", "warn"), ("all", None), (None, None)]
)
def test_levels(said: str | None, level: str | None) -> None:
    assert level_of(said) == level


def test_a_level_that_is_none_is_refused_with_a_guess() -> None:
    with pytest.raises(UsageError, match="did you mean error") as error:
        level_of("eror")
    assert "trace, debug, info, warn, error, fatal, all" in str(error.value)


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": -1}, {"limit": 2.5}, {"last": "8d"}, {"step": "0s"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        plan(**options)


def test_a_question_is_text() -> None:
    with pytest.raises(UsageError, match="not a int"):
        plan(5)  # type: ignore[arg-type]
