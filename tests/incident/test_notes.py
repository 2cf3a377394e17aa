"""People's notes: times that come twice because clocks were set back."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from obs_magics.incident.notes import near_instant, said
from obs_magics.model.incident import Remark
from obs_magics.model.time import parse_instant

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = parse_instant("2026-10-25T00:00:00Z", now_ns=0, zone=UTC)


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        ("2026-10-25T02:30", "25 Oct 02:30:00 (00:30:00 UTC, the first 02:30 of two)"),
        ("2026-10-25T02:30+01:00", "25 Oct 02:30:00 (01:30:00 UTC, the second 02:30 of two)"),
        ("2026-10-25T03:30", "25 Oct 03:30:00 (02:30:00 UTC)"),
        ("2026-10-25T01:59", "25 Oct 01:59:00 (23:59:00 UTC)"),
    ],
)
def test_of_a_time_that_comes_twice_it_is_said_which_is_meant(time: str, shown: str) -> None:
    at_ns = near_instant(time, near_ns=NIGHT, zone=BERLIN)
    assert said(Remark(at_ns=at_ns, text="rolled back"), BERLIN) == f"{shown}  rolled back"


def test_in_london_where_one_of_the_two_is_utc() -> None:
    london = ZoneInfo("Europe/London")
    at_ns = near_instant("2026-10-25T01:30+00:00", near_ns=NIGHT, zone=london)
    assert said(Remark(at_ns=at_ns, text="x"), london) == "25 Oct 01:30:00 (01:30:00 UTC, the second 01:30 of two)  x"
