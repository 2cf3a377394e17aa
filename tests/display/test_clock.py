"""Times in the reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.display.clock import (
    DAY_MS,
    Change,
    clock_text,
    dates_text,
    offset_changes,
    offset_ms,
    offset_text,
    time_axis,
    zone_text,
)

HOUR_MS = 3_600_000


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


AUTUMN = ms(2026, 10, 24, 22)


def test_the_end_of_summer_time_is_found_to_the_second() -> None:
    assert offset_changes(AUTUMN, AUTUMN + DAY_MS, "Europe/Berlin") == (Change(ms(2026, 10, 25, 1), -HOUR_MS),)
    assert offset_changes(AUTUMN, AUTUMN + DAY_MS, "UTC") == ()
    assert offset_changes(AUTUMN, AUTUMN, "Europe/Berlin") == ()


@given(start=st.integers(ms(1990, 1, 1), ms(2035, 1, 1)), days=st.integers(0, 800), hour=st.integers(0, 24 * 800))
def test_labels_add_up_to_the_zone_over_any_change(start: int, days: int, hour: int) -> None:
    """Shift and changes together give the offset that the zone has, at every instant of the picture."""
    zone = "America/New_York"
    axis = time_axis(start, start + days * DAY_MS, zone)
    instant = min(start + hour * HOUR_MS, start + days * DAY_MS)
    local = axis.shift_ms + sum(change.delta_ms for change in axis.changes if instant >= change.at_ms)
    assert local == offset_ms(instant, zone)


def test_the_expression_compares_drawn_times() -> None:
    axis = time_axis(AUTUMN, AUTUMN + DAY_MS, "Europe/Berlin")
    assert axis.local("v") == f"(v + (v >= {ms(2026, 10, 25, 1) + 2 * HOUR_MS} ? -3600000 : 0))"
    assert "'%a %d %b'" in axis.label()
    assert "'%d %b %Y'" in time_axis(AUTUMN, AUTUMN + 400 * DAY_MS, "UTC").label()


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "UTC"),
        ("Europe/Berlin", "Europe/Berlin (UTC+2, then UTC+1)"),
        ("Asia/Kolkata", "Asia/Kolkata (UTC+5:30)"),
        ("America/St_Johns", "America/St_Johns (UTC−2:30)"),
        ("Etc/UTC", "Etc/UTC (UTC)"),
    ],
)
def test_the_zone_is_named_with_its_offsets(zone: str, text: str) -> None:
    assert zone_text(AUTUMN, AUTUMN + DAY_MS, zone) == text


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (ms(2026, 11, 22, 14), "Sun 22 Nov 2026"),
        (ms(2026, 11, 24), "22 – 24 Nov 2026"),
        (ms(2026, 12, 1), "22 Nov – 1 Dec 2026"),
        (ms(2027, 1, 1), "22 Nov 2026 – 1 Jan 2027"),
    ],
)
def test_the_days_of_a_range(end: int, text: str) -> None:
    assert dates_text(ms(2026, 11, 22, 13), end, "UTC") == text


def test_a_time_of_day() -> None:
    instant = ms(2026, 11, 22, 14, 15, 30)
    assert clock_text(instant, "UTC") == "14:15:30 UTC"
    assert clock_text(instant - 30_000, "Europe/Berlin", day=True) == "22 Nov 15:15 Europe/Berlin"
    assert clock_text(instant, "UTC", named=False) == "14:15:30"
    assert offset_text(instant, "America/New_York") == "UTC−5"


def test_instants_outside_the_calendar_stop_at_its_ends() -> None:
    assert dates_text(-(10**17), 10**17, "UTC").endswith("9998")
