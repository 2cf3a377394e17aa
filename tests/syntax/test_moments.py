"""Moments as documents write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.syntax.moments import moment_ns

SECOND = 10**9
AT = 1_795_356_720 * SECOND  # 2026-11-22T14:12:00Z


@pytest.mark.parametrize(
    ("written", "ns"),
    [
        ("2026-11-22T14:12:00Z", AT),
        ("2026-11-22T14:12:00.000000001Z", AT + 1),
        ("2026-11-22T14:12:00.123456789123Z", AT + 123_456_789),
        ("2026-11-22T15:12:00+01:00", AT),
        ("2026-11-22 15:12:00 +0100", AT),
        ("2026-11-22 14:12:00 UTC", AT),
        ("2026-11-22 14:12", AT),
        ("2026-11-22t14:12:00z", AT),
        ("2026-11-22", AT - (14 * 3600 + 12 * 60) * SECOND),
        (1_795_356_720, AT),
        (1_795_356_720.5, AT + SECOND // 2),
        (1_795_356_720_000, AT),
        (1_795_356_720_000_000, AT),
        (AT, AT),
        ("1795356720000", AT),
        (" 1795356720.25 ", AT + SECOND // 4),
        (0, 0),
    ],
)
def test_forms_that_people_and_programs_write(written: object, ns: int) -> None:
    assert moment_ns(written) == ns


@pytest.mark.parametrize(
    "written",
    ["", "now", "0001-01-01T00:00:00Z", "2026-02-31", "2026-11-22T25:00:00Z", "14:12", True, None, [], float("nan"),
     float("inf"), 1e30, "9999-12-31T00:00:00Z"],
)  # fmt: skip
def test_what_is_no_time_is_none(written: object) -> None:
    assert moment_ns(written) is None


def test_times_without_a_zone_are_of_the_one_given() -> None:
    assert moment_ns("2026-11-22 15:12", ZoneInfo("Europe/Berlin")) == AT


@given(st.datetimes(datetime(1970, 1, 2), datetime(2262, 1, 1)), st.sampled_from(["T", " "]))
def test_iso_8601_comes_back(moment: datetime, joint: str) -> None:
    aware = moment.replace(tzinfo=UTC)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert moment_ns(aware.isoformat(sep=joint)) == (aware - epoch) // (aware.resolution) * 1000


@given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    found = moment_ns(text)
    assert found is None or found < 2**63
