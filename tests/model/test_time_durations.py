"""Durations: what people type, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.errors import UsageError
from obs_magics.model.time import (
    DAY,
    HOUR,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    SECOND,
    WEEK,
    format_duration,
    parse_duration,
)

TYPED = {
    "1h30m": 90 * MINUTE,
    "90 minutes": 90 * MINUTE,
    "1.5h": 90 * MINUTE,
    ".5h": 30 * MINUTE,
    "30s": 30 * SECOND,
    "2 weeks": 2 * WEEK,
    "an hour": HOUR,
    "half an hour": 30 * MINUTE,
    "Half a day": 12 * HOUR,
    "two days": 2 * DAY,
    "500ms": 500 * MILLISECOND,
    "1d12h": 36 * HOUR,
    "1y": 365 * DAY,
    "1 day, 2 hours and 5 min": 26 * HOUR + 5 * MINUTE,
    "1 hour, and 5 min": 65 * MINUTE,
    "1h 30m": 90 * MINUTE,
    "1H": HOUR,
    "3 µs": 3 * MICROSECOND,
    "3 μs": 3 * MICROSECOND,
    "7ns": 7,
    "0s": 0,
    "  5\u00a0m ": 5 * MINUTE,
    "0.1s": 100 * MILLISECOND,
    "0.3ns": 0,
}


@pytest.mark.parametrize(("text", "expected"), TYPED.items(), ids=TYPED)
def test_durations_as_people_type_them(text: str, expected: int) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a duration"),
        ("soon", "is not a duration"),
        ("1h30", "is not a duration"),
        ("-1h", "is not a duration"),
        ("1h and", "is not a duration"),
        ("٣h", "is not a duration"),
        ("ſeven hours", "is not a duration"),
        ("90", "has no unit\n→ write 90s or 90m"),
        ("5 minuts", "did you mean minutes"),
        ("1M", "a month has no fixed length"),
        ("2 months", "a month has no fixed length"),
        ("300y", "longer than 292 years"),
        ("9" * 150 + "d", "longer than 292 years"),
        ("1" * 201, "too long"),
    ],
)
def test_what_is_no_duration_says_so(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (5 * MINUTE, "5m"),
        (90 * MINUTE, "1h30m"),
        (500 * MILLISECOND, "500ms"),
        (7 * DAY, "7d"),
        (0, "0s"),
        (-HOUR, "-1h"),
        (SECOND + 1, "1s1ns"),
        (1_500, "1us500ns"),
    ],
)
def test_durations_in_short(ns: int, text: str) -> None:
    assert format_duration(ns) == text


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_what_is_written_reads_the_same(ns: int) -> None:
    assert parse_duration(format_duration(ns)) == ns


@given(st.integers(1, 10_000), st.sampled_from(["s", "sec", "minutes", "h", "days", "weeks", "ms", "us", "ns"]))
def test_spaces_and_case_do_not_matter(count: int, unit: str) -> None:
    assert parse_duration(f"{count}{unit}") == parse_duration(f" {count}  {unit.upper() if unit != 'ms' else unit} ")


@given(st.text(max_size=300))
def test_any_text_is_a_duration_or_a_usage_error(text: str) -> None:
    try:
        assert 0 <= parse_duration(text) < 2**63
    except UsageError as error:
        assert error.hint  # noqa: PT017 - both outcomes are right
