"""Grafana's time variables keep their meaning; everything else stays as typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.time import HOUR, MINUTE, SECOND
from obs_magics.syntax.grafana import expand_time_variables


def expand(text: str, step_ns: int = 5 * SECOND, range_ns: int = HOUR, scrape_ns: int = 15 * SECOND) -> str:
    return expand_time_variables(text, step_ns=step_ns, range_ns=range_ns, scrape_ns=scrape_ns)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate(x[$__interval])", "rate(x[5s])"),
        ("rate(x[${__interval}])", "rate(x[5s])"),
        ("x / $__interval_ms", "x / 5000"),
        ("increase(x[$__range])", "increase(x[1h])"),
        ("x / $__range_s", "x / 3600"),
        ("x / $__range_ms", "x / 3600000"),
        ("rate(x[$__rate_interval])", "rate(x[1m])"),
    ],
)
def test_each_variable_has_the_meaning_grafana_gives_it(text: str, expected: str) -> None:
    assert expand(text) == expected


def test_the_rate_interval_is_at_least_a_step_and_a_scrape() -> None:
    assert expand("$__rate_interval", step_ns=10 * MINUTE) == "10m15s"


@pytest.mark.parametrize(
    "text", ["$__intervals", "$interval", "${job}", "$__", "a$", "$__Interval", "label_replace(x, 'a', '$1', 'b', '')"]
)
def test_other_dollars_stay(text: str) -> None:
    assert expand(text) == text


@given(st.text(alphabet=st.characters(exclude_characters="$")))
def test_text_without_a_dollar_is_untouched(text: str) -> None:
    assert expand(text) == text
