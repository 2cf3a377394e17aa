"""A summary as sentences."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from obs_magics.display.words import sentences
from obs_magics.model.summary import SeriesSummary, Summary

ONE = SeriesSummary(
    name="payment-api",
    points=240,
    current=2.3,
    average=0.61,
    minimum=0.4,
    maximum=2.4,
    p95=2.2,
    trend="rising",
    anomaly_detected=False,
    median=0.412,
    current_at="2026-11-22T14:30:00Z",
)
FIGURES = "average 610 ms, min 400 ms, max 2.4 s, p95 2.2 s"


def told(one: SeriesSummary, *, zone: str = "UTC", end: str = "2026-11-22T14:30:00Z") -> str:
    overall = replace(one, current_at=end)
    (sentence,) = sentences(Summary(unit="s", series=1, rows=one.points, overall=overall, shown=(one,)), zone=zone)
    return sentence.removeprefix("payment-api: ")


def test_what_is_far_from_its_median_says_how_far() -> None:
    assert told(ONE) == f"now 2.3 s (5.6× its median 412 ms), {FIGURES}; rising; nothing unusual"
    assert told(replace(ONE, current=0.1)).startswith("now 100 ms (0.24× its median 412 ms), ")
    assert told(replace(ONE, current=0.42)).startswith("now 420 ms, average")
    assert told(replace(ONE, median=0.0)).startswith("now 2.3 s, average")


def test_an_anomaly_is_told_with_its_time_in_the_zone() -> None:
    one = replace(
        ONE,
        anomaly_detected=True,
        anomaly_reason="up to 2.4 s for 15 min, 5.8× the usual 412 ms, still going on",
        anomaly_at="2026-11-22T14:15:00Z",
        trend_since="2026-11-22T14:14:30Z",
    )
    assert told(one, zone="Europe/Berlin") == (
        f"now 2.3 s, {FIGURES}; rising since 15:14:30 Europe/Berlin; anomaly at 15:15 Europe/Berlin: "
        "up to 2.4 s for 15 min, 5.8× the usual 412 ms, still going on"
    )


def test_another_day_is_named() -> None:
    one = replace(ONE, trend_since="2026-11-21T14:15:00Z")
    assert "; rising since 21 Nov 14:15 UTC; " in told(one)


def test_a_series_that_ended_early_says_so() -> None:
    assert told(replace(ONE, current=0.5, current_at="2026-11-22T14:10:00Z")).startswith(
        "now 500 ms (last number at 14:10 UTC), average"
    )


@pytest.mark.parametrize("reason", ["fewer than 12 points", "a counter, which only rises: ask for its rate()"])
def test_what_cannot_be_told_says_why(reason: str) -> None:
    one = replace(ONE, anomaly_detected=None, anomaly_reason=reason, trend="unknown", current=0.42)
    assert told(one) == f"now 420 ms, {FIGURES}; anomaly: cannot tell ({reason})"


def test_one_point_is_a_value() -> None:
    assert told(replace(ONE, points=1)) == "2.3 s"


def test_what_is_not_a_number_is_counted() -> None:
    assert " p95 2.2 s (1 of 240 values is NaN or infinite); " in told(replace(ONE, not_numbers=1))
    assert " p95 2.2 s (20 of 240 values are NaN or infinite); " in told(replace(ONE, not_numbers=20))
    gone = replace(ONE, current=math.nan, average=math.nan, not_numbers=240)
    assert told(gone) == "240 values, none of them a number"


def test_many_series_begin_with_all_of_them_and_end_with_the_rest() -> None:
    summary = Summary(unit="s", series=40, rows=9600, overall=replace(ONE, name="all", points=9600), shown=(ONE,))
    first, _, last = sentences(summary)
    assert first == f"40 series, 9,600 values: {FIGURES}"
    assert last == "and 39 more; frame.obs.summary() tells of each"
    empty = replace(ONE, points=9600, average=math.nan)
    assert sentences(replace(summary, overall=empty))[0] == "40 series, 9,600 values, none of them a number"
    assert sentences(replace(summary, series=0, shown=())) == ["no series"]
