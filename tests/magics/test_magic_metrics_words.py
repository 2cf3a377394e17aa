"""`%%obs_metrics` with plain words, and times that the clocks jumped over, in a real shell over the demo world."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_magics.api import Session
from obs_magics.model import provenance
from obs_magics.model.gaps import gap_note
from obs_magics.model.time import parse_instant
from obs_magics.model.zones import to_datetime

if TYPE_CHECKING:
    from conftest import Cell, Shell

GAP = "02:30 on 29 Mar 2026 does not exist in Europe/Berlin, where clocks are set forward: read as 03:30"


@pytest.fixture
def shop(make_shell: Callable[[], Shell], bare_session: Session) -> Shell:
    """A shell with the demo world, whose now is 16:00."""
    bare_session.demo()
    return make_shell()


def said(cell: Cell) -> str:
    assert cell.error is None, cell.error
    return re.sub(r"\s+", " ", cell.text)


def test_a_measure_of_a_service_is_asked_for_and_the_query_is_said(shop: Shell) -> None:
    cell = shop.run("%%obs_metrics slow <<\np99 latency of payment-api since 14:00")
    text = said(cell)
    assert "read as latency_p99 of payment-api, since 14:00 → histogram_quantile(0.99," in text
    frame = shop.variables["slow"]
    assert set(frame["metric"]) == {"latency_p99"}
    assert set(frame["service"]) == {"payment-api"}
    origin = provenance.of(frame)
    assert origin is not None
    assert origin.start.startswith("2026-11-22T14:00")


def test_the_plan_of_words_says_the_query(shop: Shell) -> None:
    text = said(shop.run("%obs_metrics --dry-run errors of payment-api"))
    assert "read as error_rate of payment-api → " in text
    assert "Nothing was asked" in text


def test_a_query_with_a_time_behind_it_is_asked_in_that_time(shop: Shell) -> None:
    text = said(shop.run("%obs_metrics --dry-run sum(up) between 14:00 and 15:00"))
    assert "query sum(up)" in text
    assert "2026-11-22 14:00:00 to 2026-11-22 15:00:00 UTC" in text
    assert "read as sum(up), between 14:00 and 15:00" in text


def test_an_option_says_more_than_words(shop: Shell) -> None:
    text = said(shop.run("%obs_metrics --dry-run --last 2h errors of payment-api since 15:00"))
    assert "2026-11-22 14:00:00 to 2026-11-22 16:00:00 UTC" in text
    assert "“since 15:00” passed over: the options say more" in text


def test_anomalies_of_words_are_those_of_the_measure(shop: Shell) -> None:
    text = said(shop.run("%obs_metrics --anomalies p99 latency of payment-api between 13:30 and 15:30"))
    assert "latency_p99" in text
    assert "passed over" not in text


def test_a_measure_of_nobody_names_the_way_out(shop: Shell) -> None:
    error = str(shop.run("%obs_metrics p99 latency").error)
    assert "'p99 latency' is a measure, and no service is named" in error
    assert "p99 latency of NAME" in error
    assert "%obs_anomalies latency_p99" in error


def test_a_service_that_is_not_there_is_named_with_its_neighbours(shop: Shell) -> None:
    assert "payment-api" in str(shop.run("%obs_metrics p99 latency of paymnt-api").error)


def test_what_is_no_query_and_no_measure_is_refused_as_ever(shop: Shell) -> None:
    assert "sum(up" in str(shop.run("%obs_metrics sum(up").error)


# ── clocks that are set forward ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "line",
    ["%obs_metrics {} up", "%obs_logs {}", "%obs_traces {}", "%obs_events {}", "%obs_anomalies {} up"],
)
@pytest.mark.parametrize(
    "options",
    [
        '--start "2026-03-29 02:30 Europe/Berlin" --end "2026-03-29 05:00 Europe/Berlin"',
        '--start "2026-03-29 01:00 Europe/Berlin" --end "2026-03-29 2:30am Europe/Berlin"',
    ],
)
def test_a_time_that_never_was_is_told(shop: Shell, line: str, options: str) -> None:
    assert GAP in said(shop.run(line.format(f"--dry-run {options}")))


@pytest.mark.parametrize("start", ["2026-03-29 01:59", "2026-03-29 03:00", "2026-03-29", "2026-10-25 02:30"])
def test_a_time_that_was_is_not(shop: Shell, start: str) -> None:
    line = f'%obs_metrics --dry-run --start "{start} Europe/Berlin" --last 1h up'
    assert "does not exist" not in said(shop.run(line))


def test_of_a_note_it_is_told(shop: Shell) -> None:
    text = said(shop.run('%obs_timeline add --zone Europe/Berlin "2026-03-29 02:30" "rolled back"'))
    assert "01:30:00 rolled back" in text
    assert GAP in text


def test_of_the_start_of_an_incident_it_is_told(shop: Shell) -> None:
    text = said(shop.run('%obs_incident payment-api --at "2026-03-29 02:30 Europe/Berlin"'))
    assert GAP in text


def test_of_a_comparison_it_is_told(shop: Shell) -> None:
    start, end = "2026-03-29 02:30 Europe/Berlin", "2026-03-29 05:00 Europe/Berlin"
    assert GAP in said(shop.run(f'%obs_correlate --dry-run --start "{start}" --end "{end}" --service payment-api p99'))


def test_of_the_answer_of_a_comparison_it_is_told(bare_shell: Shell, tmp_path: Path) -> None:
    rows = [
        f"{(datetime(2026, 3, 29, tzinfo=UTC) + timedelta(minutes=at)).isoformat()},{at % 7},{at % 5}"
        for at in range(0, 360)
    ]
    (tmp_path / "two.csv").write_text("\n".join(["time,one,two", *rows]), encoding="utf-8")
    assert bare_shell.run(f"%obs connect two {tmp_path / 'two.csv'} --value one,two").error is None
    start, end = "2026-03-29 02:30 Europe/Berlin", "2026-03-29 05:00 Europe/Berlin"
    assert GAP in said(bare_shell.run(f'%obs_correlate --start "{start}" --end "{end}" --with two one'))


def test_a_time_that_python_holds_is_told_too() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    ns = 1_774_747_800 * 10**9
    assert gap_note(datetime(2026, 3, 29, 2, 30), ns, berlin) == GAP
    assert gap_note(datetime(2026, 3, 29, 2, 30, 15), ns + 15 * 10**9, berlin).startswith("02:30:15 on")
    assert gap_note(datetime(2026, 3, 29, 2, 30, tzinfo=UTC), ns, berlin) == ""
    assert gap_note(1_774_747_800, ns, berlin) == ""


@given(st.datetimes(datetime(2026, 3, 28), datetime(2026, 3, 31)), st.sampled_from(["Europe/Berlin", "UTC"]))
def test_it_is_told_of_those_times_alone_that_come_back_as_others(when: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    when = when.replace(microsecond=0)
    ns = parse_instant(when, now_ns=0, zone=zone)
    comes_back = to_datetime(ns, zone).replace(tzinfo=None) == when
    assert (gap_note(when.isoformat(), ns, zone) == "") is comes_back
    assert (gap_note(when, ns, zone) == "") is comes_back
