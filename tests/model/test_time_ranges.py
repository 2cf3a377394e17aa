"""Time ranges as people type them, and the options `last`, `start` and `end`."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.model.errors import UsageError
from obs_magics.model.time import DAY, HOUR, MINUTE, SECOND, TimeRange, format_instant, parse_range, resolve_range

BERLIN = ZoneInfo("Europe/Berlin")
NOW = int(datetime(2026, 11, 22, 14, 30, 10, tzinfo=UTC).timestamp()) * 10**9  # Sunday, 15:30:10 in Berlin


def shown(found: TimeRange, zone: ZoneInfo = BERLIN) -> str:
    start, end = (format_instant(ns, zone)[:19].replace("T", " ") for ns in (found.start_ns, found.end_ns))
    return f"{start} … {end}"


def read(text: str, now_ns: int = NOW, zone: ZoneInfo = BERLIN) -> str:
    return shown(parse_range(text, now_ns=now_ns, zone=zone), zone)


TYPED = {
    "last hour": "2026-11-22 14:30:10 … 2026-11-22 15:30:10",
    "the last hour": "2026-11-22 14:30:10 … 2026-11-22 15:30:10",
    "last 30 minutes": "2026-11-22 15:00:10 … 2026-11-22 15:30:10",
    "past 2 days": "2026-11-20 15:30:10 … 2026-11-22 15:30:10",
    "1h": "2026-11-22 14:30:10 … 2026-11-22 15:30:10",
    "30m": "2026-11-22 15:00:10 … 2026-11-22 15:30:10",
    "today": "2026-11-22 00:00:00 … 2026-11-22 15:30:10",
    "yesterday": "2026-11-21 00:00:00 … 2026-11-22 00:00:00",
    "2026-11-20": "2026-11-20 00:00:00 … 2026-11-21 00:00:00",
    "monday": "2026-11-16 00:00:00 … 2026-11-17 00:00:00",
    "22 Nov": "2026-11-22 00:00:00 … 2026-11-22 15:30:10",
    "this hour": "2026-11-22 15:00:00 … 2026-11-22 15:30:10",
    "this week": "2026-11-16 00:00:00 … 2026-11-22 15:30:10",
    "this month": "2026-11-01 00:00:00 … 2026-11-22 15:30:10",
    "last week": "2026-11-09 00:00:00 … 2026-11-16 00:00:00",
    "last month": "2026-10-01 00:00:00 … 2026-11-01 00:00:00",
    "last quarter": "2026-07-01 00:00:00 … 2026-10-01 00:00:00",
    "past week": "2026-11-15 15:30:10 … 2026-11-22 15:30:10",
    "past month": "2026-10-22 15:30:10 … 2026-11-22 15:30:10",
    "previous hour": "2026-11-22 14:00:00 … 2026-11-22 15:00:00",
    "previous minute": "2026-11-22 15:29:00 … 2026-11-22 15:30:00",
    "previous day": "2026-11-21 00:00:00 … 2026-11-22 00:00:00",
    "between 14:00 and 15:00": "2026-11-22 14:00:00 … 2026-11-22 15:00:00",
    "from 14:00 to 15:00": "2026-11-22 14:00:00 … 2026-11-22 15:00:00",
    "14:00-15:00": "2026-11-22 14:00:00 … 2026-11-22 15:00:00",
    "14:00–15:00": "2026-11-22 14:00:00 … 2026-11-22 15:00:00",
    "14:00 to 15:00": "2026-11-22 14:00:00 … 2026-11-22 15:00:00",
    "14:00 … 15:00": "2026-11-22 14:00:00 … 2026-11-22 15:00:00",
    "15:00 to 16:00": "2026-11-22 15:00:00 … 2026-11-22 16:00:00",
    "16:00 to 17:00": "2026-11-21 16:00:00 … 2026-11-21 17:00:00",
    "22:00 to 02:00": "2026-11-21 22:00:00 … 2026-11-22 02:00:00",
    "22:00-02:00": "2026-11-21 22:00:00 … 2026-11-22 02:00:00",
    "22:00-24:00": "2026-11-21 22:00:00 … 2026-11-22 00:00:00",
    "2-3pm": "2026-11-22 14:00:00 … 2026-11-22 15:00:00",
    "between 2 and 3pm": "2026-11-22 14:00:00 … 2026-11-22 15:00:00",
    "2:30-3pm": "2026-11-22 14:30:00 … 2026-11-22 15:00:00",
    "11-1pm": "2026-11-22 11:00:00 … 2026-11-22 13:00:00",
    "10pm to 2": "2026-11-21 22:00:00 … 2026-11-22 02:00:00",
    "9am to 15:00": "2026-11-22 09:00:00 … 2026-11-22 15:00:00",
    "yesterday 2-3pm": "2026-11-21 14:00:00 … 2026-11-21 15:00:00",
    "2-3pm UTC": "2026-11-22 15:00:00 … 2026-11-22 16:00:00",
    "Nov 5 - 3pm": "2026-11-05 00:00:00 … 2026-11-05 15:00:00",
    "yesterday from 9am to 11am": "2026-11-21 09:00:00 … 2026-11-21 11:00:00",
    "yesterday 14:00-15:00": "2026-11-21 14:00:00 … 2026-11-21 15:00:00",
    "between 14:00 and 15:00 yesterday": "2026-11-21 14:00:00 … 2026-11-21 15:00:00",
    "between 14:00 and 15:00 on monday": "2026-11-16 14:00:00 … 2026-11-16 15:00:00",
    "2026-11-20 14:00-15:00": "2026-11-20 14:00:00 … 2026-11-20 15:00:00",
    "22 Nov 14:00 to 22 Nov 16:00": "2026-11-22 14:00:00 … 2026-11-22 16:00:00",
    "monday to wednesday": "2026-11-16 00:00:00 … 2026-11-18 00:00:00",
    "monday to yesterday": "2026-11-16 00:00:00 … 2026-11-21 00:00:00",
    "2026-11-20 - 2026-11-22": "2026-11-20 00:00:00 … 2026-11-22 00:00:00",
    "14:00-15:00 UTC": "2026-11-22 15:00:00 … 2026-11-22 16:00:00",
    "14:00 UTC to 15:00": "2026-11-22 15:00:00 … 2026-11-22 16:00:00",
    "14:00 to tomorrow 15:00": "2026-11-22 14:00:00 … 2026-11-23 15:00:00",
    "1795356000-1795357000": "2026-11-22 15:00:00 … 2026-11-22 15:16:40",
    "14:00 for 30m": "2026-11-22 14:00:00 … 2026-11-22 14:30:00",
    "from 14:00 for half an hour": "2026-11-22 14:00:00 … 2026-11-22 14:30:00",
    "since 14:00": "2026-11-22 14:00:00 … 2026-11-22 15:30:10",
    "from yesterday": "2026-11-21 00:00:00 … 2026-11-22 15:30:10",
    "since yesterday 9am": "2026-11-21 09:00:00 … 2026-11-22 15:30:10",
    "around 14:15": "2026-11-22 13:45:00 … 2026-11-22 14:45:00",
    "around now": "2026-11-22 15:00:10 … 2026-11-22 16:00:10",
    "14:15 ± 10m": "2026-11-22 14:05:00 … 2026-11-22 14:25:00",
    "14:15 +- 10m": "2026-11-22 14:05:00 … 2026-11-22 14:25:00",
    "around 14:15 +/-1h": "2026-11-22 13:15:00 … 2026-11-22 15:15:00",
    "now-6h to now-1h": "2026-11-22 09:30:10 … 2026-11-22 14:30:10",
    "now-6h-now-1h": "2026-11-22 09:30:10 … 2026-11-22 14:30:10",
    "now-1d/d to now-1d/d": "2026-11-21 00:00:00 … 2026-11-22 00:00:00",
    "now/w to now/w": "2026-11-16 00:00:00 … 2026-11-23 00:00:00",
    "now-1h to now/h": "2026-11-22 14:30:10 … 2026-11-22 16:00:00",
}


@pytest.mark.parametrize(("text", "expected"), TYPED.items(), ids=TYPED)
def test_ranges_as_people_type_them(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("last hoor", "did you mean hour"),
        ("gibberish", "write for example"),
        ("", "is not a time range"),
        ("14:00", "is a point in time, not a range\n→ write since 14:00"),
        ("now/d", "is a point in time, not a range"),
        ("2026-11-22T14:00-05:00", "is a point in time, not a range"),
        ("tomorrow", "after now (2026-11-22T15:30:10+01:00)"),
        ("now+1h to now+2h", "after now (2026-11-22T15:30:10+01:00)"),
        ("last 0s", "is no length of time"),
        ("14:00 for 0s", "is no length of time"),
        ("14:15 ± 10", "has no unit"),
        ("14:00 for ever", "is not a duration"),
        ("around lunch", "is not a time"),
        ("14:00-25:00", "no such time of day"),
        ("this 5 minutes", "is not a time range"),
    ],
)
def test_what_is_no_range_says_so(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert says in str(caught.value)


def test_a_start_after_the_end_names_both_and_offers_the_swap() -> None:
    with pytest.raises(UsageError) as caught:
        read("2026-11-22 15:00 to 2026-11-22 14:00")
    assert str(caught.value).splitlines() == [
        "the start 2026-11-22T15:00:00+01:00 is after the end 2026-11-22T14:00:00+01:00",
        "→ swap them: from 2026-11-22T14:00:00+01:00 to 2026-11-22T15:00:00+01:00",
    ]
    assert read(caught.value.hint.removeprefix("swap them: ")) == "2026-11-22 14:00:00 … 2026-11-22 15:00:00"


def test_days_are_as_long_as_the_clock_makes_them() -> None:
    assert parse_range("2026-03-29", now_ns=NOW, zone=BERLIN).duration_ns == 23 * HOUR
    assert parse_range("2026-10-25", now_ns=NOW, zone=BERLIN).duration_ns == 25 * HOUR


def test_a_range_tells_its_ends_as_datetimes() -> None:
    found = TimeRange(1_795_356_000_123_456_789, 1_795_356_001_000_000_001)
    assert found.start == datetime(2026, 11, 22, 14, 0, 0, 123456, tzinfo=UTC)
    assert found.end == datetime(2026, 11, 22, 14, 0, 1, tzinfo=UTC)
    assert found.duration_ns == 876_543_212


def options(**given_options: Any) -> TimeRange:
    limits: dict[str, Any] = {"now_ns": NOW, "zone": BERLIN, "default_ns": HOUR, "max_ns": 7 * DAY}
    return resolve_range(**{**limits, **given_options})


OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({}, "2026-11-22 14:30:10 … 2026-11-22 15:30:10"),
    ({"last": "30m"}, "2026-11-22 15:00:10 … 2026-11-22 15:30:10"),
    ({"last": "last 30 minutes"}, "2026-11-22 15:00:10 … 2026-11-22 15:30:10"),
    ({"last": "hour"}, "2026-11-22 14:30:10 … 2026-11-22 15:30:10"),
    ({"last": "week"}, "2026-11-09 00:00:00 … 2026-11-16 00:00:00"),
    ({"last": "yesterday"}, "2026-11-21 00:00:00 … 2026-11-22 00:00:00"),
    ({"last": "14:00-15:00"}, "2026-11-22 14:00:00 … 2026-11-22 15:00:00"),
    ({"last": timedelta(minutes=5)}, "2026-11-22 15:25:10 … 2026-11-22 15:30:10"),
    ({"start": "14:00"}, "2026-11-22 14:00:00 … 2026-11-22 15:30:10"),
    ({"start": "14:00", "end": "15:00"}, "2026-11-22 14:00:00 … 2026-11-22 15:00:00"),
    ({"start": "22:00", "end": "02:00"}, "2026-11-21 22:00:00 … 2026-11-22 02:00:00"),
    ({"start": "2026-11-20 14:00", "end": "15:00"}, "2026-11-20 14:00:00 … 2026-11-20 15:00:00"),
    ({"start": "14:00 UTC", "end": "15:00"}, "2026-11-22 15:00:00 … 2026-11-22 16:00:00"),
    ({"start": "14:00", "end": "yesterday 15:00"}, "2026-11-21 14:00:00 … 2026-11-21 15:00:00"),
    ({"start": "2026-11-20", "end": "2026-11-21"}, "2026-11-20 00:00:00 … 2026-11-21 00:00:00"),
    ({"start": date(2026, 11, 20), "end": datetime(2026, 11, 21)}, "2026-11-20 00:00:00 … 2026-11-21 00:00:00"),
    ({"start": 1795356000, "end": 1795357000}, "2026-11-22 15:00:00 … 2026-11-22 15:16:40"),
    ({"start": "now-1d/d", "end": "now-1d/d"}, "2026-11-21 00:00:00 … 2026-11-22 00:00:00"),
    ({"end": "15:00"}, "2026-11-22 14:00:00 … 2026-11-22 15:00:00"),
    ({"end": "now-1d/d"}, "2026-11-21 23:00:00 … 2026-11-22 00:00:00"),
    ({"last": "2h", "end": "15:00"}, "2026-11-22 13:00:00 … 2026-11-22 15:00:00"),
    ({"last": "2h", "start": "12:00"}, "2026-11-22 12:00:00 … 2026-11-22 14:00:00"),
    ({"last": "2h", "start": "15:00"}, "2026-11-22 15:00:00 … 2026-11-22 17:00:00"),
    ({"last": "7d"}, "2026-11-15 15:30:10 … 2026-11-22 15:30:10"),
    ({"last": "8d", "max_ns": None}, "2026-11-14 15:30:10 … 2026-11-22 15:30:10"),
]


@pytest.mark.parametrize(("given_options", "expected"), OPTIONS, ids=str)
def test_options_together(given_options: dict[str, Any], expected: str) -> None:
    assert shown(options(**given_options)) == expected


@pytest.mark.parametrize(
    ("given_options", "says"),
    [
        ({"last": "1h", "start": "14:00", "end": "15:00"}, "leave one of the three out"),
        ({"last": "8d"}, "query.max_time_range"),
        ({"last": "7d1s"}, "the range is 7d1s long, and at most 7d may be asked"),
        ({"last": "last month"}, "query.max_time_range"),
        ({"last": "0s"}, "is no length of time"),
        ({"last": timedelta(0)}, "is no length of time"),
        ({"last": timedelta(days=-1)}, "is no length of time"),
        ({"last": timedelta.max}, "outside the years"),
        ({"last": "yesterday", "start": "14:00"}, "is not a duration"),
        ({"last": "1h", "start": "tomorrow"}, "after now (2026-11-22T15:30:10+01:00)"),
        ({"start": "tomorrow"}, "starts at 2026-11-23T00:00:00+01:00, after now (2026-11-22T15:30:10+01:00)"),
        ({"last": 300}, "a length of time cannot be a int"),
        ({"start": "now+5m", "end": "now+10m"}, "after now"),
        ({"start": "", "end": "15:00"}, "is not a time"),
        ({"last": "290y", "start": "2026-11-22"}, "outside the years"),
        ({"now_ns": 2**80}, "outside the years"),
    ],
    ids=str,
)
def test_options_that_do_not_go_together(given_options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        options(**given_options)
    assert says in str(caught.value)


def test_a_timedelta_of_pandas_keeps_its_nanoseconds() -> None:
    assert options(last=pd.Timedelta(1_000_000_001, unit="ns")).duration_ns == 1_000_000_001


def test_a_calendar_week_is_seven_days_also_when_clocks_are_set_back() -> None:
    now = int(datetime(2026, 10, 28, 12, tzinfo=UTC).timestamp()) * 10**9
    found = options(last="last week", now_ns=now)
    assert found.duration_ns == 7 * DAY + HOUR
    with pytest.raises(UsageError):
        options(last="last week", now_ns=now, max_ns=7 * DAY - 1)


ZONES = st.sampled_from([UTC, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")])
WORDS = """
now today yesterday monday last past this week hour 22 Nov 2026 14:05 9am 2 3pm at 1h 30m - + / d to and between from
since around ± .. UTC +02:00 Europe/Berlin 2026-11-22 T 29 Feb 99999999999 24:00 for until ,
"""
PIECES = st.lists(st.sampled_from(re.findall(r"\S+", WORDS)), max_size=8).map(" ".join)
NOWS = st.integers(0, int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 10**9)


@given(st.one_of(st.sampled_from(list(TYPED)), PIECES, st.text(max_size=250)), NOWS, ZONES)
def test_any_text_is_a_range_or_a_usage_error(text: str, now_ns: int, zone: ZoneInfo) -> None:
    try:
        found = parse_range(text, now_ns=now_ns, zone=zone)
    except UsageError as error:
        assert error.hint  # noqa: PT017 - both outcomes are right
    else:
        assert found.start_ns <= found.end_ns
        assert found.start_ns <= now_ns


VALUES = st.one_of(st.none(), PIECES, st.sampled_from(["14:00", "now-1h", "yesterday"]), st.integers(), st.datetimes())
LENGTHS = st.one_of(st.none(), PIECES, st.timedeltas())


@given(LENGTHS, VALUES, VALUES, NOWS, ZONES)
def test_any_options_are_a_range_or_a_usage_error(last: Any, start: Any, end: Any, now_ns: int, zone: ZoneInfo) -> None:
    try:
        found = options(last=last, start=start, end=end, now_ns=now_ns, zone=zone)
    except UsageError as error:
        assert error.hint  # noqa: PT017 - both outcomes are right
    else:
        assert found.start_ns <= min(found.end_ns, now_ns)
        assert found.duration_ns <= 7 * DAY + 2 * HOUR


@given(NOWS, st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1), ZONES)
def test_two_clock_times_are_a_stretch_of_a_day_or_a_night_that_is_over(
    now_ns: int, first: int, last: int, zone: ZoneInfo
) -> None:
    start, end = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in (first, last))
    night = (last - first) % (24 * 60)
    if first > last and night > 14 * 60:  # two hours over half a day: clocks may have been set
        with pytest.raises(UsageError, match="is after the end"):
            parse_range(f"{start}-{end}", now_ns=now_ns, zone=zone)
    elif first <= last or night < 10 * 60:
        found = parse_range(f"{start}-{end}", now_ns=now_ns, zone=zone)
        assert found.start_ns <= now_ns
        assert 0 <= found.duration_ns <= DAY + 2 * HOUR
        assert found.start_ns % MINUTE == 0
        assert first <= last or found.end_ns <= now_ns


@pytest.mark.parametrize(
    ("hour", "start", "end", "expected"),
    [
        (23, "22:00", "02:00", ("21T22", "22T02")),  # the night that is over, not the one that has begun
        (14, "22:00", "02:00", ("21T22", "22T02")),
        (15, "14:00", "16:00", ("22T14", "22T16")),  # goes on
        (9, "14:00", "16:00", ("21T14", "21T16")),
    ],
)
def test_which_of_several_days_two_clock_times_mean(hour: int, start: str, end: str, expected: tuple[str, str]) -> None:
    now_ns = int(datetime(2026, 11, 22, hour, 30, tzinfo=UTC).timestamp()) * SECOND
    found = resolve_range(start=start, end=end, now_ns=now_ns, zone=UTC, default_ns=HOUR)
    assert (f"{found.start:%dT%H}", f"{found.end:%dT%H}") == expected


def test_a_start_after_the_end_is_refused_and_the_swap_offered() -> None:
    now_ns = int(datetime(2026, 11, 22, 22, 37, tzinfo=UTC).timestamp()) * SECOND
    with pytest.raises(UsageError, match=r"start .*15:00.* is after the end .*14:00") as error:
        resolve_range(start="15:00", end="14:00", now_ns=now_ns, zone=UTC, default_ns=HOUR)
    assert error.value.hint.startswith("swap them")


def test_reading_times_needs_no_pandas() -> None:
    code = "import sys, obs_magics.model.time; sys.exit('pandas' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_errors_tell_times_to_the_second_unless_that_says_nothing() -> None:
    now_ns = NOW // SECOND * SECOND + 123_456_789
    with pytest.raises(UsageError, match="is after the end") as error:
        resolve_range(start="now", end="-1h", now_ns=now_ns, zone=BERLIN, default_ns=HOUR)
    assert "." not in str(error.value)
    with pytest.raises(UsageError, match=r"is after the end \S+\.122456789\+01:00"):
        resolve_range(start="now", end="now-1ms", now_ns=now_ns, zone=BERLIN, default_ns=HOUR)
