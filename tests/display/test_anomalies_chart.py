"""What is unusual as a picture: bands, expected ranges, small multiples, and what moved together."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from support.log_panels import HOSTILE
from support.metrics_frames import START, arbitrary, regular
from support.odd_frames import MINUTE, UNITS, expected, found, happened, looked, moved, odd, shop

from obs_magics.display import severity
from obs_magics.display.anomalies.moved import correlation_strip, correlation_table
from obs_magics.display.anomalies.multiples import Looked, anomalies_chart
from obs_magics.display.bands import BAND_COLOUR, Expected, expected_of
from obs_magics.display.chart import Chart
from obs_magics.display.metrics import metrics_chart
from obs_magics.display.text import columns_of
from obs_magics.model.anomalies import KINDS, SEVERITIES, anomalies_frame, empty_anomalies
from obs_magics.model.series import short_names, split_series

SVG = "{http://www.w3.org/2000/svg}"


def alone() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The latency by itself: frame, what was found, what is expected, all under the name it has then."""
    frame = shop().query("metric == 'latency_p99'").reset_index(drop=True)
    (name,) = short_names(split_series(frame))
    odd_ones, normal = (one[one["series"] == "latency_p99"].assign(series=name) for one in (found(), expected()))
    return frame, odd_ones, normal


def one_line() -> Chart | None:
    frame, odd_ones, normal = alone()
    return metrics_chart(
        frame, unit="s", title="p99", events=happened(), anomalies=odd_ones, expected=normal, zone="Europe/Berlin"
    )


def several_lines() -> Chart | None:
    frame = regular({"payment-api": np.arange(60.0), "cart": np.ones(60)})
    odd_ones = anomalies_frame(
        [
            odd("payment-api", (50, 59), "trend_change", (59, 0, 40), "high", ongoing=True),
            odd("cart", (51, 52), "drop", (1, 2, 3), "low"),
        ]
    )
    return metrics_chart(frame, anomalies=odd_ones, title="two")


def multiples() -> Chart | None:
    return anomalies_chart(looked(shop(), expected()), found(), unit=UNITS, events=happened(), title="payment-api")


def strip() -> Chart | None:
    return correlation_strip(
        shop(), "latency_p99", moved(), unit=UNITS, anomalies=found(), expected=expected(), events=happened()
    )


CHARTS: dict[str, Callable[[], Chart | None]] = {
    "one line": one_line,
    "several lines": several_lines,
    "multiples": multiples,
    "strip": strip,
}


def draw(name: str) -> Chart:
    chart = CHARTS[name]()
    assert chart is not None
    return chart


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.browser
def test_every_chart_is_what_the_vega_lite_of_jupyterlab_takes(name: str, vega_lite_schema: Any) -> None:
    chart = draw(name)
    assert [error.message for error in vega_lite_schema.iter_errors(chart.spec)] == []
    assert [error.message for error in vega_lite_schema.iter_errors(json.loads(json.dumps(dict(chart.still))))] == []


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("width", [40, 80])
def test_charts_in_a_terminal(name: str, width: int, snapshot: Any) -> None:
    told = draw(name).to_text(width)
    assert max(map(columns_of, told.split("\n"))) <= width
    assert told == snapshot


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_renders_and_says_what_it_shows(name: str) -> None:
    chart = draw(name)
    picture = ET.fromstring(chart.svg())
    texts = [element.text or "" for element in picture.iter(f"{SVG}text")]
    assert not any("undefined" in text or "NaN" in text for text in texts)
    assert BAND_COLOUR in chart.svg()
    assert len(picture.attrib["aria-label"]) > 60
    assert chart.to_altair().to_dict(validate=False)
    assert len(chart.png("dark")) > 10_000
    assert "tooltip" not in json.dumps(dict(chart.still))
    assert "params" not in json.dumps(dict(chart.still))


def test_the_specification_of_small_multiples(snapshot: Any) -> None:
    assert json.dumps(draw("multiples").spec, indent=1, ensure_ascii=False) == snapshot


def test_the_most_severe_series_stands_at_the_top() -> None:
    titles = [lane["title"]["text"] for lane in draw("multiples").spec["vconcat"]]
    assert titles == [f"{name} of payment-api" for name in ("latency_p99", "error_rate", "throughput", "cpu_usage")]
    abouts = [" ".join(lane["title"]["subtitle"]) for lane in draw("multiples").spec["vconcat"]]
    assert abouts[0] == "1 ‼ critical shift of level, 2.31 s, normal 360–450 ms, 5.1×"
    assert abouts[1] == "2 ▲ high spike, 12 %, normal 0.07–0.13 %, 92×"


def test_of_many_series_a_few_are_drawn_and_the_rest_is_counted() -> None:
    frame = regular({f"s{n}": np.ones(30) for n in range(9)})
    some = anomalies_frame([odd(f"s{n}", (3, 4), "spike", (9, 0, 2), "low", score=n) for n in range(9)])
    chart = anomalies_chart(looked(frame), some)
    assert chart is not None
    assert [lane["title"]["text"] for lane in chart.spec["vconcat"]] == ["s8", "s7", "s6", "s5", "s4", "s3"]
    assert chart.notes == ("6 of 9 series with something unusual drawn, the most severe",)
    assert chart.notes[0] in chart.to_text()
    single = anomalies_chart(looked(frame), some, limit=1)
    assert single is not None
    assert single.spec["vconcat"][0]["height"] > chart.spec["vconcat"][0]["height"]


def test_where_nothing_is_unusual_there_is_no_picture() -> None:
    assert anomalies_chart(looked(shop()), empty_anomalies()) is None
    other = anomalies_frame([odd("elsewhere", (1, 2), "spike", (9, 0, 2), "low")])
    assert anomalies_chart(looked(shop()), other) is None
    nothing = regular({"a": [np.nan] * 20})
    assert (
        anomalies_chart(looked(nothing), anomalies_frame([odd("a", (1, 2), "silence", (np.nan, 1, 2), "low")])) is None
    )


def test_a_series_with_something_unusual_is_drawn_among_very_many() -> None:
    frame = regular({f"s{n:02}": np.full(30, float(n)) for n in range(40)})
    odd_one = anomalies_frame([odd("s20", (3, 4), "spike", (9, 0, 2), "low")])
    chart = metrics_chart(frame, anomalies=odd_one)
    plain = metrics_chart(frame)
    assert chart is not None
    assert plain is not None
    lines = [row["series"] for row in chart.spec["layer"][1]["data"]["values"]]
    assert "s20" in lines
    assert len(lines) == 12
    assert "s20" not in [row["series"] for row in plain.spec["data"]["values"]]


def test_a_single_point_is_wide_enough_to_be_seen() -> None:
    frame = regular({"a": np.ones(2000)})
    chart = metrics_chart(frame, anomalies=anomalies_frame([odd("a", (900, 900), "spike", (9, 0, 2), "low")]))
    assert chart is not None
    (band,) = chart.spec["layer"][0]["data"]["values"]
    span = 1999 * MINUTE / 1e6
    assert 4 <= (band["to"] - band["from"]) / span * 640 <= 6


def test_numbers_of_stretches_that_begin_together_share_a_text() -> None:
    chart = draw("several lines")
    assert chart.spec["layer"][-1]["data"]["values"] == [
        {"n": "▲ 1,2", "x": (START + 50 * MINUTE) // 10**6},
    ]
    many = anomalies_frame([odd("payment-api", (5, 6), "spike", (9, 0, 2), "low", score=n) for n in range(5)])
    drawn = metrics_chart(regular({"payment-api": np.ones(60)}), anomalies=many)
    assert drawn is not None
    assert drawn.spec["layer"][-1]["data"]["values"][0]["n"] == "○ 1,2,3…"


def test_severities_differ_by_shape_and_word_and_shade() -> None:
    assert len({severity.icon(one) for one in SEVERITIES}) == 4
    assert sorted(map(severity.shade, SEVERITIES)) == list(map(severity.shade, SEVERITIES))
    assert all(severity.mark(one).endswith(one) for one in SEVERITIES)
    assert all(severity.kind_word(kind).isprintable() for kind in KINDS)
    assert severity.mark("odd") == "○ odd"
    assert severity.shade("odd") == severity.shade("low")
    assert severity.kind_word("blue_moon") == "blue moon"


# ── expected ranges ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_expected_range_is_an_area_and_widens_the_axis_by_at_most_its_own_span() -> None:
    frame, _, normal = alone()
    chart = metrics_chart(frame, unit="s", expected=normal)
    assert chart is not None
    assert chart.spec["layer"][0]["mark"]["type"] == "area"
    far = normal.assign(expected_low=-1e9, expected_high=1e9)
    wide = metrics_chart(frame, unit="s", expected=far)
    assert wide is not None
    low, high = wide.spec["layer"][1]["encoding"]["y"]["scale"]["domain"]
    assert low == 0
    assert high < 5
    below = Expected(np.arange(2), np.array([-5.0, -5.0]), np.array([1.0, 2.0]))
    assert below.within(-1.0, 3.0) == (-5.0, 3.0)


def test_an_expected_range_that_nobody_knows_is_not_drawn() -> None:
    frame, _, normal = alone()
    assert expected_of(None, "a") is None
    assert expected_of(normal, "another") is None
    unknown = normal.assign(expected_low=np.nan)
    assert expected_of(unknown, normal["series"].iloc[0]) is None
    plain, without = metrics_chart(frame, unit="s"), metrics_chart(frame, unit="s", expected=unknown)
    assert plain is not None
    assert without is not None
    assert plain.spec == without.spec
    assert Expected(np.arange(1), np.array([np.nan]), np.array([1.0])).within(0, 1) == (0, 1)


def test_of_very_many_points_neighbours_are_averaged() -> None:
    count = 5000
    times = pd.DatetimeIndex(START + np.arange(count) * MINUTE, tz="UTC")
    level = np.arange(count, dtype=float)
    level[:3] = np.nan
    frame = pd.DataFrame({"timestamp": times, "series": "a", "expected_low": level, "expected_high": level + 1})
    drawn = expected_of(frame.iloc[::-1], "a")
    assert drawn is not None
    assert len(drawn.timestamps_ns) <= 320
    assert drawn.timestamps_ns[0] == times[0].value
    assert drawn.timestamps_ns[-1] == times[-1].value
    assert np.all(np.diff(drawn.low) > 0)
    assert np.allclose(drawn.high - drawn.low, 1)


# ── what moved together ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_target_is_at_the_top_and_each_other_series_says_how_it_moved() -> None:
    lanes = draw("strip").spec["vconcat"]
    assert [lane["title"]["text"] for lane in lanes] == ["latency_p99", "error_rate", "throughput", "cpu_usage"]
    assert [lane["title"].get("subtitle") for lane in lanes] == [
        None,
        ["↑↑ the same way, correlation 0.81, 8 min after"],
        ["↑↑ the same way, correlation 0.52, 1 min before"],
        ["↑↓ the opposite way, correlation −0.4, at the same time"],
    ]
    assert "x" in json.dumps(lanes[0]["layer"])
    domains = {
        json.dumps(layer["encoding"]["x"]["scale"])
        for lane in lanes
        for layer in lane["layer"]
        if "transform" in layer and "x" in layer["encoding"] and "scale" in layer["encoding"]["x"]
    }
    assert len(domains) == 1


def test_of_many_that_moved_a_few_are_drawn() -> None:
    chart = correlation_strip(shop(), "latency_p99", moved(), limit=1, unit="s", title="why")
    assert chart is not None
    assert len(chart.spec["vconcat"]) == 2
    assert chart.notes == ("1 of 3 series that moved with it drawn",)
    assert correlation_strip(shop(), "unknown", moved()) is None
    nothing = correlation_strip(shop(), "latency_p99", moved().head(0))
    assert nothing is not None
    assert "0 series moved with latency_p99" in nothing.to_text()


def test_the_table_of_what_moved(snapshot: Any) -> None:
    table = correlation_table(moved())
    assert table.to_text(80) == snapshot
    assert table.to_text(40) == snapshot
    assert table.to_html() == snapshot
    assert "and 2 more rows" in correlation_table(moved(), limit=1).to_text()
    assert "nothing that chance would not do" in correlation_table(moved().head(0)).to_html()
    unsure = moved().assign(q_value=np.nan)
    assert "nan" not in correlation_table(unsure).to_text().lower()


def test_very_many_points_are_thinned_and_that_is_said() -> None:
    frame = regular({"a": np.sin(np.arange(5000)), "b": np.cos(np.arange(5000))})
    odd_one = anomalies_frame([odd("a", (900, 950), "spike", (9, 0, 2), "low")])
    chart = anomalies_chart(looked(frame), odd_one)
    assert chart is not None
    assert "showing the min/max of each 10 min" in chart.notes
    assert len(json.dumps(chart.spec)) < 60_000


# ── anything at all ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "lone surrogates"])  # a frame holds none
def test_hostile_names_are_only_text(name: str) -> None:
    frame = regular({HOSTILE[name]: np.ones(60), "b": np.ones(60)})
    series = short_names(split_series(frame))
    some = anomalies_frame(
        [odd(series[0], (5, 6), "spike", (9, 0, 2), "low", metric=HOSTILE[name], service=HOSTILE[name])]
    )
    other = moved().assign(series=[series[0], "x", "y"])
    named = [Looked(HOSTILE[name], series[0], looked(frame)[0].points)]
    for chart in (anomalies_chart(named, some, title=HOSTILE[name]), correlation_strip(frame, "b", other)):
        assert chart is not None
        assert len(json.dumps(chart.spec)) < 60_000
        assert all(char.isprintable() or char == "\n" for char in chart.to_text())
        tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(chart.svg()).iter()}
        assert tags <= {"svg", "g", "path", "text", "line", "rect", "defs", "clipPath", "tspan"}


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(frame=arbitrary())
def test_any_frame_and_any_anomaly_give_a_chart_or_none(frame: pd.DataFrame) -> None:
    series = split_series(frame)
    names = short_names(series)
    some = anomalies_frame(
        [
            odd(name, (0, 10), "drop", (1, 2, 3), "medium", metric=one.metric)
            for name, one in zip(names, series, strict=True)
        ]
    )
    chart = anomalies_chart(looked(frame), some, unit="s", zone="Europe/Berlin", events=happened())
    together = metrics_chart(frame, unit="s", anomalies=some, events=happened())
    assert (chart is None) == (not (frame["value"].abs() <= 8e307).any())
    for one in (chart, together):
        if one is not None:
            json.dumps(one.spec, allow_nan=False)
            assert max(map(columns_of, one.to_text(60).split("\n"))) <= 60
