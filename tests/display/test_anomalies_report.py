"""What is unusual in words: against what was normal, since when, how severe, after what, what next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.log_panels import HOSTILE
from support.metrics_frames import START
from support.odd_frames import MINUTE, NOW, UNITS, causes, found, odd

from obs_magics.display.anomalies.causes import causes_of
from obs_magics.display.anomalies.found import Found, found_in, plain_name, range_text
from obs_magics.display.anomalies.report import WHOLE, anomaly_report
from obs_magics.display.text import columns_of
from obs_magics.model.anomalies import KINDS, SEVERITIES, anomalies_frame, empty_anomalies

CELLS = {row: [f"%obs_logs --start {row}", "%obs_events"] for row in range(4)}


def report(**options: Any) -> Any:
    return anomaly_report(
        found(), now_ns=NOW, unit=UNITS, correlated=causes(), cells=CELLS, **{"zone": "Europe/Berlin", **options}
    )


def first(**figures: Any) -> Found:
    base = {"value": 2.3, "low": 0.36, "high": 0.45, "unit": "s"} | figures
    value, low, high = base["value"], base["low"], base["high"]
    frame = anomalies_frame([odd("a", (5, 7), "spike", (value, low, high), "high")])
    return found_in(frame, base["unit"])[0]


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({}, "2.3 s, normal 360–450 ms, 5.1×"),
        ({"value": 0.1}, "100 ms, normal 360–450 ms, 72 % below"),
        ({"value": 0.4}, "400 ms, normal 360–450 ms"),
        ({"value": 0.46}, "460 ms, normal 360–450 ms"),
        ({"value": 0.0}, "0 s, normal 360–450 ms, 100 % below"),
        ({"value": np.nan}, "no values, normal 360–450 ms"),
        ({"low": -np.inf, "high": 0.45}, "2.3 s, normal up to 450 ms, 5.1×"),
        (
            {"value": 1.0, "low": 3.0, "high": np.inf, "unit": "{request}/s"},
            "1 request/s, normal at least 3 request/s, 67 % below",
        ),
        ({"low": np.nan, "high": np.nan}, "2.3 s"),
        ({"value": 5.0, "low": -2.0, "high": 0.0, "unit": ""}, "5, normal −2 to 0"),
        ({"value": 9.0, "low": 2.0, "high": 2.0, "unit": ""}, "9, normal 2, 4.5×"),
        ({"value": 0.12, "low": 0.0007, "high": 0.0013, "unit": "1"}, "12 %, normal 0.07–0.13 %, 92×"),
        ({"value": 3 * 2**30, "low": 2**20 / 2, "high": 2**30, "unit": "By"}, "3 GiB, normal 512 KiB to 1 GiB, 3×"),
    ],
)
def test_the_value_is_said_against_what_was_normal(figures: dict[str, Any], said: str) -> None:
    assert first(**figures).against_normal() == said


@given(
    st.floats(allow_nan=True, allow_infinity=False),
    st.floats(allow_nan=True),
    st.floats(allow_nan=True),
    st.sampled_from(["", "s", "By", "1", "{request}/s"]),
)
def test_any_numbers_are_said(value: float, low: float, high: float, unit: str) -> None:
    said = first(value=value, low=min(low, high), high=max(low, high), unit=unit).against_normal()
    assert said.isprintable()
    assert "nan" not in said.lower()


def test_a_range_of_powers_of_ten_reads_as_one() -> None:
    assert range_text(1e17, 2e17, "") == "100–200P"
    assert range_text(1e-20, 1.0, "") == "1e-20 to 1"


def test_series_are_named_once() -> None:
    def what(series: str, metric: str = "", service: str = "") -> str:
        frame = anomalies_frame([odd(series, (1, 2), "spike", (1, 2, 3), "low", metric=metric, service=service)])
        return found_in(frame)[0].what

    assert what('latency_p99{service="payment-api"}', "latency_p99", "payment-api") == "latency_p99 of payment-api"
    assert what("payment-api", "latency_p99", "payment-api") == "latency_p99 of payment-api"
    assert what("payment-api · redis", "saturation", "payment-api") == "saturation payment-api · redis"
    assert what("redis", "saturation", "payment-api") == "saturation redis of payment-api"
    assert what("payment-api", service="payment-api") == "payment-api"
    assert what("up · (none) · a") == "up · a"
    assert plain_name("(none)") == "(none)"


def test_the_most_severe_comes_first_then_what_is_furthest_off() -> None:
    frame = anomalies_frame(
        [
            odd("a", (1, 2), "spike", (1, 2, 3), "low", score=9),
            odd("b", (3, 4), "spike", (1, 2, 3), "critical", score=1),
            odd("c", (2, 4), "spike", (1, 2, 3), "low", score=np.inf),
            odd("d", (2, 4), "spike", (1, 2, 3), "low", score=np.nan),
        ]
    )
    assert [one.series for one in found_in(frame)] == ["b", "c", "a", "d"]
    assert [one.row for one in found_in(frame)] == [3, 1, 0, 2]
    assert found_in(None) == found_in(empty_anomalies()) == []


def test_units_and_improvements_of_a_session_count() -> None:
    frame = found().assign(unit=["{request}/s", "s", "1", ""], improvement=[False, True, False, False])
    first, *_ = found_in(frame, {"cpu_usage": "1"})
    assert first.marked == "‼ critical shift of level for the better"
    assert {one.metric: one.unit for one in found_in(frame, {"cpu_usage": "1"})} == UNITS


# ── the report ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", [40, 80])
def test_the_report_in_a_terminal(width: int, snapshot: Any) -> None:
    told = report(current={("latency_p99", "latency_p99"): 0.41}).to_text(width)
    assert told == snapshot
    code = {line for line in told.split("\n") if "%obs" in line}
    assert max(columns_of(line) for line in told.split("\n") if line not in code) <= width


def test_the_report_as_html(snapshot: Any) -> None:
    assert report().to_html() == snapshot


def test_only_the_first_anomaly_is_open() -> None:
    html = report().to_html()
    assert html.count("<details open>") == 1
    assert html.count("<details") == 4


def test_of_many_anomalies_five_are_told_in_full() -> None:
    many = anomalies_frame([odd(f"s{n:02}", (n, n + 1), "drop", (1, 2, 3), "medium", score=99 - n) for n in range(40)])
    section = anomaly_report(many, now_ns=NOW)
    told = section.to_text(80)
    assert told.count("found by") == WHOLE
    assert "\n25 ● medium drop: s24" in told
    assert "and 15 more anomalies; the frame has all" in told
    assert section.to_html().count("obs-odd-one") == WHOLE + section.style.count("obs-odd-one")
    assert "and 39 more" in anomaly_report(many, now_ns=NOW, limit=1).to_text()


def test_when_it_began_is_said_in_the_zone_with_the_day_where_it_was_another() -> None:
    told = report(zone="UTC").to_text(100)
    assert "14:15 UTC, 1 h 15 min ago; over at 14:49, after 34 min" in told
    assert "14:14 UTC, 1 h 16 min ago; still going on" in told
    late = anomaly_report(found(), now_ns=NOW + 24 * 60 * MINUTE).to_text(100)
    assert "22 Nov 14:15 UTC, 25 h 15 min ago" in late
    ahead = anomaly_report(found(), now_ns=START).to_text(100)
    assert "ago" not in ahead


def test_where_the_value_is_another_now_that_is_said() -> None:
    told = report(current={("latency_p99", "latency_p99"): 0.41, ("cpu_usage", "cpu_usage"): 0.99}).to_text(100)
    assert "5.1×; now 410 ms" in told
    assert "now 99 %" not in told
    assert "nan" not in report(current={("latency_p99", "latency_p99"): np.nan}).to_text(100).lower()


# ── what came before ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_causes_belong_to_an_anomaly_by_series_and_onset() -> None:
    latency, errors, *_ = found_in(found(), UNITS)
    assert [one.kind for one in causes_of(latency, causes())] == ["config_change", "deployment"]
    assert causes_of(errors, causes()) == []
    assert causes_of(latency, causes().head(0)) == causes_of(latency, None) == []
    assert causes_of(latency, causes())[0].said("UTC", day=False) == (
        "2 min before, 14:13: config change payment-api: redis pool: max connections 100 → 20 "
        "(confidence 91 %: at the service itself; the only one like it in 7 days)"
    )


def test_offsets_are_before_after_or_at_the_same_time() -> None:
    latency = found_in(found(), UNITS)[0]
    moved = causes().assign(time_offset=pd.to_timedelta([90, 0], unit="s"), reason=["", None], service=[None, "x"])
    after, same = sorted(causes_of(latency, moved), key=lambda one: -one.offset_ns)
    assert after.offset() == "2 min after"
    assert same.offset() == "at the same time"
    assert after.said("UTC", day=True) == (
        "2 min after, 22 Nov 14:13: config change redis pool: max connections 100 → 20 (confidence 91 %)"
    )


def test_of_many_causes_three_are_told() -> None:
    many = pd.concat([causes()] * 4, ignore_index=True)
    told = anomaly_report(found(), now_ns=NOW, correlated=many).to_text(120)
    assert told.count("min before") == 3
    assert "and 5 more, less likely" in told


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "lone surrogates"])  # a frame holds none
def test_hostile_names_are_only_text(name: str) -> None:
    text = HOSTILE[name]
    frame = anomalies_frame([odd(text, (5, 6), "spike", (9, 0, 2), "low", metric=text, service=text)])
    before = causes().head(1).assign(anomaly=text, event=text, reason=text, service=text, start=frame["start"].iloc[0])
    section = anomaly_report(frame, now_ns=NOW, correlated=before, cells={0: [text, "%obs_events"]})
    html = section.to_html()
    assert "<script" not in html.replace("<style", "")
    assert len(html) < 60_000
    assert all(char.isprintable() or char == "\n" for char in section.to_text(80))


def test_every_kind_and_severity_has_its_words() -> None:
    frame = anomalies_frame(
        [odd(f"{kind} {level}", (1, 2), kind, (1, 2, 3), level) for kind in KINDS for level in SEVERITIES]
    )
    told = anomaly_report(frame, now_ns=NOW, limit=99).to_text(200)
    assert all(f" {level} " in told for level in SEVERITIES)
    assert "shift of level" in told
