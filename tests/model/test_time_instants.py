"""Points in time as people type them, in zones whose clocks are set."""

from __future__ import annotations

import locale
import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from obs_magics.model.errors import UsageError
from obs_magics.model.time import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Instant,
    format_duration,
    format_instant,
    parse_instant,
    parse_zone,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # half an hour of daylight saving time


def ns_of(text: str) -> int:
    """Nanoseconds of ISO 8601 with an offset, by the standard library."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


NOW = ns_of("2026-11-22T15:30:10+01:00")  # a Sunday, in Berlin


def shown(value: Instant, zone: ZoneInfo = BERLIN, now_ns: int = NOW) -> str:
    return format_instant(parse_instant(value, now_ns=now_ns, zone=zone), zone)


TYPED = {
    "now": "2026-11-22T15:30:10+01:00",
    "Now": "2026-11-22T15:30:10+01:00",
    "now-1h": "2026-11-22T14:30:10+01:00",
    "now - 90 minutes": "2026-11-22T14:00:10+01:00",
    "now-1h30m+5m": "2026-11-22T14:05:10+01:00",
    "now+5m": "2026-11-22T15:35:10+01:00",
    "now-1d/d": "2026-11-21T00:00:00+01:00",
    "now/d": "2026-11-22T00:00:00+01:00",
    "now/d+8h": "2026-11-22T08:00:00+01:00",
    "now/h": "2026-11-22T15:00:00+01:00",
    "now/m": "2026-11-22T15:30:00+01:00",
    "now/w": "2026-11-16T00:00:00+01:00",
    "now/M": "2026-11-01T00:00:00+01:00",
    "now/Q": "2026-10-01T00:00:00+02:00",
    "now/y": "2026-01-01T00:00:00+01:00",
    "now-1M": "2026-10-22T15:30:10+02:00",
    "now-1M/M": "2026-10-01T00:00:00+02:00",
    "now-2w/w": "2026-11-02T00:00:00+01:00",
    "now-1y/y": "2025-01-01T00:00:00+01:00",
    "-1h": "2026-11-22T14:30:10+01:00",
    "- 1h30m": "2026-11-22T14:00:10+01:00",
    "+5m": "2026-11-22T15:35:10+01:00",
    "-1d/d": "2026-11-21T00:00:00+01:00",
    "1h ago": "2026-11-22T14:30:10+01:00",
    "30 minutes ago": "2026-11-22T15:00:10+01:00",
    "an hour and 5 minutes ago": "2026-11-22T14:25:10+01:00",
    "14:05": "2026-11-22T14:05:00+01:00",
    "15:30:10": "2026-11-22T15:30:10+01:00",
    "15:30:11": "2026-11-21T15:30:11+01:00",
    "14:05:30": "2026-11-22T14:05:30+01:00",
    "14:05:30.123456789": "2026-11-22T14:05:30.123456789+01:00",
    "14:05:30,5": "2026-11-22T14:05:30.5+01:00",
    "14:05:30.1234567891": "2026-11-22T14:05:30.123456789+01:00",
    "at 14:05": "2026-11-22T14:05:00+01:00",
    "2:05pm": "2026-11-22T14:05:00+01:00",
    "2:05 p.m.": "2026-11-22T14:05:00+01:00",
    "9am": "2026-11-22T09:00:00+01:00",
    "12am": "2026-11-22T00:00:00+01:00",
    "12 PM": "2026-11-22T12:00:00+01:00",
    "noon": "2026-11-22T12:00:00+01:00",
    "yesterday midnight": "2026-11-21T00:00:00+01:00",
    "24:00": "2026-11-22T00:00:00+01:00",
    "yesterday 24:00": "2026-11-22T00:00:00+01:00",
    "yesterday": "2026-11-21T00:00:00+01:00",
    "yesterday 9am": "2026-11-21T09:00:00+01:00",
    "yesterday at 14:05": "2026-11-21T14:05:00+01:00",
    "9am yesterday": "2026-11-21T09:00:00+01:00",
    "today 8:00": "2026-11-22T08:00:00+01:00",
    "tomorrow 9am": "2026-11-23T09:00:00+01:00",
    "monday 14:00": "2026-11-16T14:00:00+01:00",
    "14:00 on Monday": "2026-11-16T14:00:00+01:00",
    "sunday": "2026-11-22T00:00:00+01:00",
    "sunday 16:00": "2026-11-15T16:00:00+01:00",
    "last sunday": "2026-11-15T00:00:00+01:00",
    "last monday": "2026-11-16T00:00:00+01:00",
    "thurs 9am": "2026-11-19T09:00:00+01:00",
    "2026-11-22": "2026-11-22T00:00:00+01:00",
    "2026/11/22": "2026-11-22T00:00:00+01:00",
    "20261122": "2026-11-22T00:00:00+01:00",
    "2026-11-22 14:05": "2026-11-22T14:05:00+01:00",
    "2026-11-22T14:05": "2026-11-22T14:05:00+01:00",
    "22 Nov 14:05": "2026-11-22T14:05:00+01:00",
    "22 Nov 16:05": "2025-11-22T16:05:00+01:00",
    "22nd of November": "2026-11-22T00:00:00+01:00",
    "Nov 22 2026 14:05": "2026-11-22T14:05:00+01:00",
    "Nov 22, 2026, 2:05pm": "2026-11-22T14:05:00+01:00",
    "Nov 22 14:05": "2026-11-22T14:05:00+01:00",
    "29 Feb": "2024-02-29T00:00:00+01:00",
    "Sun, 22 Nov 2026 14:05:30 +0000": "2026-11-22T15:05:30+01:00",
    "2026-11-22T14:05:30.123456789Z": "2026-11-22T15:05:30.123456789+01:00",
    "2026-11-22T14:05:30+02:00": "2026-11-22T13:05:30+01:00",
    "20261122T140530Z": "2026-11-22T15:05:30+01:00",
    "20261122T1405Z": "2026-11-22T15:05:00+01:00",
    "14:05 UTC": "2026-11-22T15:05:00+01:00",
    "14:05Z": "2026-11-22T15:05:00+01:00",
    "14:05 UTC yesterday": "2026-11-21T15:05:00+01:00",
    "14:05 UTC+2": "2026-11-22T13:05:00+01:00",
    "14:05 Europe/Berlin": "2026-11-22T14:05:00+01:00",
    "14:05 america/new_york": "2026-11-21T20:05:00+01:00",
    "14:05 +05:30": "2026-11-22T09:35:00+01:00",
    "14:05-0500": "2026-11-21T20:05:00+01:00",
    "today UTC": "2026-11-22T01:00:00+01:00",
    "1795356000": "2026-11-22T15:00:00+01:00",
    "1795356000.5": "2026-11-22T15:00:00.5+01:00",
    "1795356000123": "2026-11-22T15:00:00.123+01:00",
    "1795356000123456": "2026-11-22T15:00:00.123456+01:00",
    "1795356000123456789": "2026-11-22T15:00:00.123456789+01:00",
}


@pytest.mark.parametrize(("text", "expected"), TYPED.items(), ids=TYPED)
def test_times_as_people_type_them(text: str, expected: str) -> None:
    assert shown(text) == expected


HELD = [
    (1_795_356_000, "2026-11-22T15:00:00+01:00"),
    (1_795_356_000.123456, "2026-11-22T15:00:00.123456+01:00"),
    (1_795_356_000_123, "2026-11-22T15:00:00.123+01:00"),
    (1_795_356_000_123_456_789, "2026-11-22T15:00:00.123456789+01:00"),
    (0, "1970-01-01T01:00:00+01:00"),
    (np.int64(1_795_356_000), "2026-11-22T15:00:00+01:00"),
    (np.float64(1_795_356_000.5), "2026-11-22T15:00:00.5+01:00"),
    (date(2026, 11, 22), "2026-11-22T00:00:00+01:00"),
    (datetime(2026, 11, 22, 14, 5), "2026-11-22T14:05:00+01:00"),
    (datetime(2026, 11, 22, 14, 5, tzinfo=UTC), "2026-11-22T15:05:00+01:00"),
    (datetime(2026, 11, 22, 14, 5, tzinfo=timezone(timedelta(hours=-5))), "2026-11-22T20:05:00+01:00"),
    (pd.Timestamp("2026-11-22T14:05:30.123456789Z"), "2026-11-22T15:05:30.123456789+01:00"),
]


@pytest.mark.parametrize(("value", "expected"), HELD, ids=repr)
def test_times_as_programs_hold_them(value: Instant, expected: str) -> None:
    assert shown(value) == expected


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "is not a time"),
        ("yestarday", "did you mean yesterday"),
        ("14", "did you mean 14:00?"),
        ("14:05 yesterdya", "did you mean yesterday"),
        ("14:05 IST", "'IST' is not a time zone"),
        ("14:05 Europe/Berln", "did you mean Europe/Berlin"),
        ("25:00", "no such time of day"),
        ("14:60", "no such time of day"),
        ("24:01", "no such time of day"),
        ("13pm", "no such time of day"),
        ("0am", "no such time of day"),
        ("31 Feb", "no such day"),
        ("2026-02-30", "no such day"),
        ("29 Feb 2026", "no such day"),
        ("0000-01-01", "no such day"),
        ("Mon, 22 Nov 2026", "2026-11-22 is a Sunday"),
        ("Sun, 22 Nov", "name the year as well"),
        ("now-5", "has no unit"),
        ("now/q", "cannot be rounded"),
        ("now-1fy", "is not a duration"),
        ("forever ago", "is not a duration"),
        ("14:00-15:00", "is not a time"),
        ("ſunday", "is not a time"),
        ("1677-01-01", "outside the years 1678 to 2261"),
        ("9999-12-31 24:00", "outside the years 1678 to 2261"),
        ("9999-12-31", "outside the years 1678 to 2261"),
        ("now-9999M", "outside the years 1678 to 2261"),
        ("now-999999999999M", "outside the years 1678 to 2261"),
        ("now+290y", "outside the years 1678 to 2261"),
        ("9" * 150, "outside the years 1678 to 2261"),
        ("x" * 300, "too long"),
        (10**5000, "outside the years 1678 to 2261"),
        (1e300, "outside the years 1678 to 2261"),
        (-5, "is not an epoch"),
        (float("nan"), "is not an epoch"),
        (float("inf"), "is not an epoch"),
        (True, "a time cannot be a bool"),
        (None, "a time cannot be a NoneType"),
        (pd.NaT, "a time cannot be a NaTType"),
        (datetime.max, "outside the years 1678 to 2261"),
        (date.min, "outside the years 1678 to 2261"),
    ],
    ids=lambda value: str(value)[:30] if not isinstance(value, int) else "number",
)
def test_what_is_no_time_says_so(value: Instant, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_instant(value, now_ns=NOW, zone=BERLIN)
    assert says in str(caught.value)
    assert caught.value.hint
    assert len(str(caught.value)) < 400


# Clocks that are set. Forward: what does not exist moves forward by as much. Back: the first of two.
CLOCKS_SET = [
    (BERLIN, "2026-03-29 01:59", "2026-03-29T01:59:00+01:00"),
    (BERLIN, "2026-03-29 02:30", "2026-03-29T03:30:00+02:00"),
    (BERLIN, "2026-10-25 02:30", "2026-10-25T02:30:00+02:00"),
    (BERLIN, "2026-10-25 03:00", "2026-10-25T03:00:00+01:00"),
    (NEW_YORK, "2026-03-08 02:30", "2026-03-08T03:30:00-04:00"),
    (NEW_YORK, "2026-11-01 01:30", "2026-11-01T01:30:00-04:00"),
    (KOLKATA, "2026-03-29 02:30", "2026-03-29T02:30:00+05:30"),
    (LORD_HOWE, "2026-10-04 02:15", "2026-10-04T02:45:00+11:00"),
    (LORD_HOWE, "2026-04-05 01:45", "2026-04-05T01:45:00+11:00"),
]


@pytest.mark.parametrize(("zone", "text", "expected"), CLOCKS_SET, ids=str)
def test_times_when_clocks_are_set(zone: ZoneInfo, text: str, expected: str) -> None:
    assert shown(text, zone) == expected


def test_a_datetime_may_say_that_it_means_the_second_of_two() -> None:
    second = datetime(2026, 10, 25, 2, 30, fold=1)
    assert shown(second) == "2026-10-25T02:30:00+01:00"


@pytest.mark.parametrize(
    ("now", "text", "expected"),
    [
        # 23 hours long: 24 hours earlier is the day before yesterday, yet -1d/d is yesterday.
        ("2026-03-30T00:30:00+02:00", "now-1d/d", "2026-03-29T00:00:00+01:00"),
        ("2026-03-30T00:30:00+02:00", "now-1d", "2026-03-28T23:30:00+01:00"),
        ("2026-10-25T02:30:00+01:00", "now/h", "2026-10-25T02:00:00+01:00"),
        ("2026-03-31T12:00:00+02:00", "now-1M", "2026-02-28T12:00:00+01:00"),
    ],
)
def test_grafana_arithmetic_follows_the_calendar_only_where_it_must(now: str, text: str, expected: str) -> None:
    assert shown(text, now_ns=ns_of(now)) == expected


def test_hours_are_rounded_by_the_wall_clock() -> None:
    now = ns_of("2026-11-22T15:40:00+05:30")
    assert shown("now/h", KOLKATA, now) == "2026-11-22T15:00:00+05:30"


def test_a_source_whose_now_stands_still_is_asked_in_its_own_time() -> None:
    now = ns_of("2019-05-01T12:00:00+02:00")
    assert shown("14:05", now_ns=now) == "2019-04-30T14:05:00+02:00"
    assert shown("22 Nov", now_ns=now) == "2018-11-22T00:00:00+01:00"
    assert shown("29 Feb", now_ns=now) == "2016-02-29T00:00:00+01:00"


@pytest.mark.parametrize("text", ["UTC", "z", "gmt", "Europe/Berlin", "europe/berlin", "+02:00", "UTC-5", "-0330"])
def test_zones(text: str) -> None:
    moment = datetime(2026, 11, 22, tzinfo=parse_zone(text))
    assert moment.utcoffset() is not None


@pytest.mark.parametrize("text", ["Mars", "../../etc/passwd", "+15:00", "+02:75", "", "Europe"])
def test_no_zones(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_zone(text)
    assert caught.value.hint


ZONES = st.sampled_from([UTC, BERLIN, NEW_YORK, KOLKATA, LORD_HOWE])
NOWS = st.integers(ns_of("1990-01-01T00:00:00+00:00"), ns_of("2100-01-01T00:00:00+00:00"))


@given(NOWS, st.integers(0, 20 * 365 * DAY), ZONES)
def test_offsets_from_now_are_exact(now_ns: int, offset: int, zone: ZoneInfo) -> None:
    length = format_duration(offset)
    assert parse_instant(f"now-{length}", now_ns=now_ns, zone=zone) == now_ns - offset
    assert parse_instant(f"{length} ago", now_ns=now_ns, zone=zone) == now_ns - offset
    assert parse_instant(f"now-{length}+{length}", now_ns=now_ns, zone=zone) == now_ns


@given(NOWS, NOWS, ZONES)
def test_what_is_written_reads_the_same(instant: int, now_ns: int, zone: ZoneInfo) -> None:
    assert parse_instant(format_instant(instant, zone), now_ns=now_ns, zone=UTC) == instant
    assert parse_instant(str(max(instant, 10**17)), now_ns=now_ns, zone=zone) == max(instant, 10**17)


@given(NOWS, st.integers(0, DAY // MINUTE - 1), ZONES)
@example(ns_of("2026-10-25T02:10:00+01:00"), 150, BERLIN)
def test_a_bare_clock_time_is_the_most_recent_one(now_ns: int, minute: int, zone: ZoneInfo) -> None:
    instant = parse_instant(f"{minute // 60:02d}:{minute % 60:02d}", now_ns=now_ns, zone=zone)
    assert now_ns - DAY - 2 * HOUR < instant <= now_ns
    assert instant % MINUTE == 0


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), ZONES)
def test_naive_datetimes_agree_with_the_standard_library(moment: datetime, zone: ZoneInfo) -> None:
    expected = (moment.replace(tzinfo=zone).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    found = parse_instant(moment, now_ns=NOW, zone=zone)
    assert abs(found / SECOND - expected) < 1e-5
    assert found == parse_instant(moment.isoformat(" "), now_ns=NOW, zone=zone)


WORDS = """
now today yesterday monday last 22 Nov 2026 14:05 9am at ago 1h - + / d w M Q y to and between from since around ± ..
UTC +02:00 Z Europe/Berlin 2026-11-22 T 31 Feb 99999999999 00:00 24:00 for 5 , pm noon
"""
PIECES = st.lists(st.sampled_from(re.findall(r"\S+", WORDS)), max_size=8).flatmap(
    lambda words: st.sampled_from(["", " "]).map(lambda gap: gap.join(words))
)


@given(st.one_of(st.text(max_size=250), PIECES, st.integers(), st.floats(), st.dates(), st.datetimes()), ZONES)
def test_anything_is_a_time_or_a_usage_error(value: Instant, zone: ZoneInfo) -> None:
    try:
        found = parse_instant(value, now_ns=NOW, zone=zone)
    except UsageError as error:
        assert error.hint  # noqa: PT017 - both outcomes are right
    else:
        assert -(2**63) < found < 2**63


def test_the_locale_does_not_matter() -> None:
    before = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("tr_TR.UTF-8", "de_DE.UTF-8", "C"):
            if name in _installed():
                locale.setlocale(locale.LC_ALL, name)
                assert shown("22 nov 2026 9AM") == "2026-11-22T09:00:00+01:00"
                assert shown("FRIDAY") == "2026-11-20T00:00:00+01:00"
    finally:
        locale.setlocale(locale.LC_ALL, before)


def _installed() -> set[str]:
    names = {"C"}
    for name in ("tr_TR.UTF-8", "de_DE.UTF-8"):
        before = locale.setlocale(locale.LC_ALL)
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        locale.setlocale(locale.LC_ALL, before)
        names.add(name)
    return names
