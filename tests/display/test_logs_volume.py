"""The chart of a volume of logs: nothing lost, nothing overlooked, the same bytes each time."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from display.test_theme import SIGHTS, contrast, linear, oklab
from hypothesis import given, settings
from hypothesis import strategies as st
from support.log_panels import HOSTILE, MINUTE, SECOND, START, volume

from obs_magics.display import bundle
from obs_magics.display.chart import Chart
from obs_magics.display.logs.bars import MAX_BARS
from obs_magics.display.logs.levels import COLOURS, SEVEREST_FIRST
from obs_magics.display.logs.spark import blocks, svg
from obs_magics.display.logs.volume import volume_chart
from obs_magics.display.marks import MAX_MARKS, Mark
from obs_magics.display.text import columns_of
from obs_magics.model.logs import LEVELS, Volume

MARKS = [Mark(START + 8 * MINUTE, "first error"), Mark(START + MINUTE, "deploy v2")]
CASES: dict[str, tuple[Volume, dict[str, Any]]] = {
    "levels": (volume(), {"title": '{namespace="shop"}', "marks": MARKS, "zone": "Europe/Berlin"}),
    "fetched": (volume(), {"counted_by": "fetched", "notes": ["a note"]}),
    "errors": (Volume(START, MINUTE, {"error": (0, 3, 0, 12)}), {"title": "errors"}),
    "one bar": (Volume(START, MINUTE, {"unknown": (1,)}), {}),
    "many bars": (Volume(START, SECOND, {"info": tuple(range(1000)), "fatal": (0,) * 999 + (1,)}), {}),
    "every level": (Volume(START, MINUTE, dict.fromkeys((*LEVELS, "unknown"), (1, 2, 3))), {}),
    "dst": (Volume(int(pd.Timestamp("2026-10-24 22:00", tz="UTC").value), 1800 * SECOND, {"warn": (5,) * 50}), {}),
    "millions": (Volume(START, MINUTE, {"info": (4_000_000, 12_345_678)}), {}),
    "tiny steps": (Volume(START, 1000, {"info": (1, 2)}), {}),
}


def draw(name: str) -> Chart:
    counted, options = CASES[name]
    chart = volume_chart(counted, **options)
    assert chart is not None
    return chart


def bars(chart: Chart) -> dict[str, dict[int, int]]:
    """By level, the lines of each bar."""
    rows = chart.spec["layer"][0]["data"]["values"]
    return {row["level"]: dict(zip(row["bar"], row["lines"], strict=True)) for row in rows}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.browser
def test_every_chart_is_what_the_vega_lite_of_jupyterlab_takes(
    name: str, vega_lite_schema: jsonschema.protocols.Validator
) -> None:
    chart = draw(name)
    for spec in (chart.spec, bundle.finished(chart.still, "dark")):
        assert [error.message for error in vega_lite_schema.iter_errors(spec)] == []


@pytest.mark.parametrize("name", CASES)
def test_every_chart_renders_and_is_small(name: str) -> None:
    chart = draw(name)
    picture = ET.fromstring(chart.svg())
    assert picture.get("aria-label", "").startswith(chart.spec["title"]["text"])
    assert len(json.dumps(chart.spec)) < 12_000
    assert set(chart._repr_mimebundle_()) == {bundle.VEGALITE, bundle.SVG, bundle.TEXT}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [40, 80])
def test_charts_in_a_terminal(name: str, width: int, snapshot: Any) -> None:
    text = draw(name).to_text(width)
    assert max(map(columns_of, text.split("\n"))) <= width
    assert text == snapshot


def test_the_specification(snapshot: Any) -> None:
    spec = {key: value for key, value in draw("levels").spec.items() if key != "config"}
    assert json.dumps(spec, indent=1, ensure_ascii=False) == snapshot


def test_the_same_volume_gives_the_same_bytes() -> None:
    counted, options = CASES["levels"]
    turned = replace(counted, counts=dict(reversed(counted.counts.items())))
    other = volume_chart(turned, **{**options, "marks": MARKS[::-1]})
    assert other is not None
    assert json.dumps(other.spec) == json.dumps(draw("levels").spec)
    assert other.svg() == draw("levels").svg()


@pytest.mark.parametrize("counts", [{}, {"info": ()}, {"info": (0, 0)}])
def test_no_lines_are_no_picture(counts: dict[str, tuple[int, ...]]) -> None:
    assert volume_chart(Volume(START, MINUTE, counts)) is None


@given(
    st.dictionaries(
        st.sampled_from([*LEVELS, "unknown", "notice"]), st.lists(st.integers(0, 10**9), max_size=300), max_size=8
    )
)
@settings(max_examples=50)
def test_no_line_is_lost_and_parts_stand_on_each_other(counts: dict[str, list[int]]) -> None:
    counted = Volume(START, MINUTE, {name: tuple(values) for name, values in counts.items()})
    chart = volume_chart(counted)
    if chart is None:
        assert not counted.total
        return
    shown = bars(chart)
    assert sum(sum(one.values()) for one in shown.values()) == counted.total
    assert max(max(one) for one in shown.values()) < MAX_BARS
    assert list(shown) == [level for level in SEVEREST_FIRST if level in shown]
    below: dict[int, int] = {}
    for row in chart.spec["layer"][0]["data"]["values"]:
        for place, lines, low in zip(row["bar"], row["lines"], row["low"], strict=True):
            assert low == below.get(place, 0)
            below[place] = low + lines
    highest = chart.spec["layer"][0]["encoding"]["y"]["scale"]["domain"][1]
    assert max(below.values()) < highest


def test_neighbours_become_one_bar_and_the_axis_says_how_wide_it_is() -> None:
    chart = draw("many bars")
    assert chart.spec["layer"][0]["encoding"]["y"]["axis"]["title"] == "lines per 12 s"
    assert bars(chart)["info"][0] == sum(range(12))
    assert bars(chart)["fatal"] == {83: 1}


def test_a_level_is_told_by_word_and_count_as_well_as_by_colour() -> None:
    legend = draw("levels").spec["layer"][0]["encoding"]["color"]["legend"]["labelExpr"]
    assert legend == "{'error': 'error 30', 'warn': 'warn 210', 'info': 'info 2,811'}[datum.label]"
    assert "30 error" in draw("levels").spec["description"]


def test_errors_too_low_to_be_seen_are_flagged() -> None:
    few = Volume(START, MINUTE, {"info": (5000, 5000, 10), "error": (1, 0, 9)})
    chart = volume_chart(few)
    assert chart is not None
    flags = chart.spec["layer"][1]["data"]["values"]
    assert len(flags) == 2
    assert "▼ error in this bar, where it may be too low to be seen" in chart.spec["title"]["subtitle"]
    seen = volume_chart(Volume(START, MINUTE, {"info": (10,), "error": (10,)}))
    assert seen is not None
    assert len(seen.spec["layer"]) == 1


def test_marks_have_letters_in_order_of_time_and_those_outside_are_left_out() -> None:
    outside = [Mark(START - 1, "before"), Mark(START + 60 * MINUTE, "after")]
    chart = volume_chart(volume(), marks=[*MARKS, *outside])
    assert chart is not None
    assert chart.spec["title"]["subtitle"] == ["A 14:01 deploy v2 · B 14:08 first error", FLAGGED]
    many = volume_chart(volume(), marks=[Mark(START + place * SECOND, "m") for place in range(20)])
    assert many is not None
    assert many.notes == ("8 more marks not drawn",)
    assert len(many.spec["layer"][-2]["data"]["values"]) == MAX_MARKS
    assert many.spec["layer"][-1]["data"]["values"][0]["letter"] == "ABCDEFGHIJKL"
    assert len(many.spec["title"]["subtitle"]) <= 8


FLAGGED = "▼ error in this bar, where it may be too low to be seen"


def test_the_head_stays_short_whatever_is_noted() -> None:
    chart = volume_chart(volume(), notes=["word " * 60] * 9)
    assert chart is not None
    assert len(chart.spec["title"]["subtitle"]) == 8
    assert chart.spec["title"]["subtitle"][-1] == "…"


def test_bars_of_fetched_lines_say_so() -> None:
    said = "counted are the fetched lines only: there may be more"
    assert said in draw("fetched").notes
    assert said in draw("fetched").spec["title"]["subtitle"]
    assert said in draw("fetched").to_text()
    assert said not in draw("levels").to_text()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_titles_and_marks_are_only_text(name: str) -> None:
    text = HOSTILE[name]
    chart = volume_chart(volume(), title=text, notes=[text], marks=[Mark(START, text)])
    assert chart is not None
    assert len(chart.svg()) < 60_000
    assert len(json.dumps(chart.spec)) < 20_000
    assert all(char.isprintable() or char == "\n" for char in chart.to_text())
    tags = {element.tag.split("}")[-1] for element in ET.fromstring(chart.svg()).iter()}
    assert tags <= {"svg", "g", "path", "text", "line", "rect", "defs", "clipPath", "style", "tspan", "title"}


# ── colours ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("background", ["#ffffff", "#111111"])
def test_every_level_stands_out_on_light_and_on_dark(background: str) -> None:
    assert min(contrast(colour, background) for colour in COLOURS.values()) >= 3
    assert tuple(COLOURS) == SEVEREST_FIRST


@pytest.mark.parametrize("sight", SIGHTS)
def test_levels_that_stand_on_each_other_can_be_told_apart(sight: str) -> None:
    """Of all pairs but with grey: unknown stands at the end, and is told by its place and its word."""
    seen = {level: oklab(SIGHTS[sight] @ linear(colour)) for level, colour in COLOURS.items()}
    pairs = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(seen, 2)}
    assert min(distance for pair, distance in pairs.items() if "unknown" not in pair) >= 0.095
    assert min(pairs.values()) >= 0.04


# ── spark lines ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("counts", "width", "shown"),
    [([0, 1, 4, 8], 4, " ▁▄█"), ([1, 2], 4, "▄▄██"), ([0, 0], 2, "  "), ([], 3, "   "), ([1, 0, 9, 0, 0, 3], 3, "▁█▃")],
)
def test_blocks_show_the_highest_and_never_hide_a_line(counts: list[int], width: int, shown: str) -> None:
    assert blocks(counts, width) == shown


@given(st.lists(st.integers(0, 10**12), max_size=400))
def test_a_spark_line_is_small_and_well_formed(counts: list[int]) -> None:
    picture = svg(counts)
    assert len(picture) < 3000
    assert (picture == "") == (not counts)
    if counts:
        assert ET.fromstring(picture).get("role") == "img"
        assert "id=" not in picture
