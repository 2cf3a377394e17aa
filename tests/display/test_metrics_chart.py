"""The chart of a metrics frame: its specification, its pictures, and what it says of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from support.metrics_frames import SECOND, START, arbitrary, regular
from support.patience import least_seconds

from obs_magics.display import bundle
from obs_magics.display.chart import Chart
from obs_magics.display.metrics import metrics_chart

SVG = "{http://www.w3.org/2000/svg}"


def spec_size(chart: Chart) -> int:
    return len(json.dumps(chart.spec, separators=(",", ":")).encode())


def draw(frame: pd.DataFrame, **options: Any) -> Chart:
    chart = metrics_chart(frame, **options)
    assert chart is not None
    return chart


def noisy(count: int = 120, *, level: float = 10, seed: int = 3) -> np.ndarray:
    return level + np.random.default_rng(seed).normal(size=count)


def labels_of(chart: Chart) -> list[str]:
    return [row["series"] for row in chart.spec["data"]["values"]]


FRAMES = {
    "one line": (regular({"a": noisy()}), {"unit": "s"}),
    "lines": (regular({name: noisy(seed=seed) for seed, name in enumerate("abc")}), {"unit": "By", "title": "memory"}),
    "gaps": (regular({"a": [1, np.nan, 2, np.nan, 3, 4, np.inf]}), {}),
    "many": (regular({f"pod-{n}": noisy(seed=n) for n in range(30)}), {"unit": "{request}/s"}),
    "bars": (regular({"a": [1.5], "b": [-2], "c": [0]}), {"unit": "Cel", "notes": ["a note"]}),
    "one bar": (regular({"a": [0.0]}), {"unit": "1"}),
    "dst": (
        regular({"a": noisy(97)}, step=900, start=int(pd.Timestamp("2026-10-24 22:00", tz="UTC").value)),
        {"zone": "Europe/Berlin"},
    ),
    "constant": (regular({"a": [7] * 20}), {}),
    "zero": (regular({"a": [0] * 20}), {}),
    "negative": (regular({"a": -noisy()}), {}),
    "huge": (regular({"a": [1e300, -1e300, 1.7e308, 5]}), {}),
    "tiny": (regular({"a": [1e-300, 5e-324, 0, 2e-300]}), {}),
    "narrow": (regular({"a": 1.7e9 + np.arange(50)}), {}),
}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.browser
def test_every_chart_is_what_the_vega_lite_of_jupyterlab_takes(
    name: str, vega_lite_schema: jsonschema.protocols.Validator
) -> None:
    frame, options = FRAMES[name]
    chart = draw(frame, **options)
    for spec in (chart.spec, bundle.finished(chart.still, "dark")):
        assert [error.message for error in vega_lite_schema.iter_errors(spec)] == []
    assert chart.spec["$schema"] == "https://vega.github.io/schema/vega-lite/v5.json"


@pytest.mark.parametrize("name", FRAMES)
def test_every_chart_renders(name: str) -> None:
    frame, options = FRAMES[name]
    picture = draw(frame, **options).svg()
    texts = [element.text for element in ET.fromstring(picture).iter(f"{SVG}text")]
    assert texts
    assert "NaN" not in texts
    assert not any("undefined" in (text or "") for text in texts)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(frame=arbitrary())
def test_any_frame_gives_a_chart_or_none(frame: pd.DataFrame) -> None:
    chart = metrics_chart(frame, unit="s", title="any", zone="Europe/Berlin")
    drawable = np.isfinite(frame["value"]) & (frame["value"].abs() <= 8e307)
    assert (chart is None) == (not drawable.any())
    if chart is not None:
        json.dumps(chart.spec, allow_nan=False)
        assert max(map(len, chart.to_text(60).split("\n"))) <= 80
        assert len(labels_of(chart)) == len(set(labels_of(chart)))


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(frame=arbitrary())
def test_any_frame_gives_a_picture_that_is_xml(frame: pd.DataFrame) -> None:
    chart = metrics_chart(frame, title="<b>&\"'\x00\ud800")
    if chart is not None:
        tags = {element.tag for element in ET.fromstring(chart.svg()).iter()}
        assert tags <= {
            f"{SVG}{tag}" for tag in ("svg", "g", "path", "text", "rect", "line", "defs", "clipPath", "tspan")
        }


def test_the_bundle_holds_vega_lite_svg_and_text() -> None:
    chart = draw(*FRAMES["lines"][:1])
    data = chart._repr_mimebundle_()
    assert set(data) == {"application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"}
    assert data["text/plain"] == repr(chart)
    assert data["image/svg+xml"].startswith('<svg role="img" aria-label="')
    assert chart.png()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "#111111" in chart.svg("dark")


def test_the_same_frame_gives_the_same_bytes_in_every_process() -> None:
    code = (
        "import hashlib, json, sys; sys.path.insert(0, 'tests')\n"
        "from support.metrics_frames import regular\n"
        "from obs_magics.display.metrics import metrics_chart\n"
        "metrics_chart(regular({'z': [1, 2, 3]})).svg()  # a chart before must not change the one after\n"
        "f = regular([({'b': str(i), 'a': 'x', 'c': str(i % 3)}, range(i, 90)) for i in range(9)])\n"
        "chart = metrics_chart(f, unit='s', title='t', zone='Europe/Berlin')\n"
        "data = json.dumps(chart._repr_mimebundle_()).encode()\n"
        "print(hashlib.sha256(data).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def _keys_in_order(value: Any) -> bool:
    if isinstance(value, dict):
        return list(value) == sorted(value) and all(map(_keys_in_order, value.values()))
    return not isinstance(value, list) or all(map(_keys_in_order, value))


def test_keys_are_sorted_all_the_way_down() -> None:
    assert _keys_in_order(draw(*FRAMES["many"][:1]).spec)


def test_a_hundred_thousand_points_are_small_and_fast_and_the_chart_says_so() -> None:
    count = 100_000
    values = noisy(count)
    values[54_321] = 900
    frame = regular({"a": values}, step=15)
    chart = draw(frame)
    assert least_seconds(lambda: draw(frame), 0.2) < 0.2  # 12 ms on an idle machine
    assert spec_size(chart) <= 100_000
    assert len(json.dumps(chart._repr_mimebundle_())) <= 200_000
    assert "showing the min/max of each 1 h of 100,000 points" in chart.spec["title"]["subtitle"]
    assert 900 in chart.spec["data"]["values"][0]["v"]


def test_twelve_long_lines_stay_below_the_limit() -> None:
    frame = regular({f"pod-{n}": noisy(9_000, seed=n) for n in range(12)}, step=15)
    chart = draw(frame)
    assert len(json.dumps(chart._repr_mimebundle_())) <= 300_000
    assert spec_size(chart) <= 200_000


def test_few_points_are_drawn_as_they_are() -> None:
    chart = draw(regular({"a": [1, 2, np.nan, 3]}))
    row = chart.spec["data"]["values"][0]
    assert row["v"] == [1, 2, None, 3]
    assert row["t"] == [START // 10**6 + 60_000 * place for place in (0, 1, 2, 3)]
    assert chart.notes == ("1 of 4 values is not a number (NaN) and left out",)


def test_of_many_series_those_that_move_or_reach_furthest_are_drawn() -> None:
    quiet = {f"quiet-{n}": noisy(seed=n) for n in range(40)}
    mover = np.concatenate([np.full(100, 1.0), np.full(20, 9.0)])
    chart = draw(regular({**quiet, "mover": mover, "giant": np.full(120, 500.0)}))
    assert len(labels_of(chart)) == 12
    assert {"mover", "giant"} <= set(labels_of(chart))
    assert chart.notes == ("12 of 42 series drawn, those that move or reach furthest; the frame holds all",)


def test_the_legend_shows_only_what_differs_in_the_order_of_the_right_edge() -> None:
    frame = regular(
        [({"__name__": "up", "job": "node", "host": host}, [1, rise]) for host, rise in (("a", 2), ("b", 5))]
    )
    chart = draw(frame, title="up by host")
    legend = chart.spec["encoding"]["color"]
    assert legend["legend"]["title"] == "host"
    assert legend["scale"]["domain"] == labels_of(chart) == ["b", "a"]
    assert chart.spec["title"] == {"subtitle": ['up{job="node"}'], "text": "up by host"}
    assert draw(frame).spec["title"]["text"] == 'up{job="node"}'


def test_one_series_needs_no_legend() -> None:
    chart = draw(regular({"a": noisy()}))
    assert chart.spec["encoding"]["color"]["legend"] is None
    assert [param["name"] for layer in chart.spec["layer"] for param in layer.get("params", [])] == ["zoom", "pointer"]


def test_several_series_can_be_zoomed_picked_and_pointed_at() -> None:
    chart = draw(*FRAMES["lines"][:1])
    params = {param["name"]: param for layer in chart.spec["layer"] for param in layer.get("params", [])}
    assert params["zoom"]["bind"] == "scales"
    assert params["picked"]["bind"] == "legend"
    assert params["picked"]["select"]["toggle"] == "true"
    assert params["pointer"]["select"]["nearest"] is True
    assert params["pointer"]["select"]["fields"] == ["series", "x"]
    assert not any("params" in layer for layer in chart.still["layer"])


def test_a_chart_over_the_change_of_clocks_writes_local_times() -> None:
    frame, options = FRAMES["dst"]
    texts = [element.text for element in ET.fromstring(draw(frame, **options).svg()).iter(f"{SVG}text")]
    assert "Sun 25 Oct 2026, Europe/Berlin (UTC+2, then UTC+1)" in texts
    assert {"Sun 25 Oct", "02:00", "23:00"} <= set(texts)


@pytest.mark.parametrize(
    ("unit", "values", "label"),
    [("s", [0, 0.3], "200 ms"), ("By", [0, 3 * 2**30], "2 GiB"), ("1", [0, 0.5], "40 %"), ("", [0, 4000], "2k")],
)
def test_the_value_axis_names_the_unit(unit: str, values: list[float], label: str) -> None:
    texts = [
        element.text for element in ET.fromstring(draw(regular({"a": values}), unit=unit).svg()).iter(f"{SVG}text")
    ]
    assert label in texts


def test_one_point_per_series_becomes_a_bar() -> None:
    chart = draw(regular({f"s{n:02}": [n] for n in range(30)}), unit="{request}/s", title="now")
    rows = chart.spec["data"]["values"]
    assert [row["series"] for row in rows] == [f"s{n:02}" for n in range(29, 4, -1)]
    assert rows[0]["shown"] == "29 request/s"
    assert chart.notes == ("25 of 30 series drawn, the largest; the frame holds all",)
    assert chart.spec["title"]["subtitle"][0] == "by service, at 22 Nov 13:30 UTC"


def test_nothing_to_draw_is_no_chart() -> None:
    assert metrics_chart(regular({})) is None
    assert metrics_chart(regular({"a": [np.nan, np.inf]})) is None


def test_what_is_left_out_is_said() -> None:
    frame = regular({"a": [1, np.nan, np.inf, 1e308, 2], "b": [np.nan] * 5})
    assert draw(frame, notes=["first"]).notes == (
        "first",
        "6 of 10 values are not numbers (NaN) and left out",
        "1 of 10 values is infinite and left out",
        "1 value beyond ±8e307 is left out",
        "1 series without any number left out",
    )


def test_a_flood_of_notes_is_cut_on_the_picture_and_kept_on_the_chart() -> None:
    chart = draw(regular({"a": [1, 2]}), notes=[f"note {n}" for n in range(20)])
    assert len(chart.spec["title"]["subtitle"]) == 8
    assert chart.spec["title"]["subtitle"][-1] == "…"
    assert len(chart.notes) == 20


def test_hostile_labels_stay_text() -> None:
    evil = "</svg><script>alert('x')</script>\n\u202e" + "😀" * 50
    frame = regular({evil: [1, 2], "b" * 200: [2, 3]})
    picture = draw(frame, title=evil).svg()
    root = ET.fromstring(picture)
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in picture
    assert all("\n" not in name and len(name) <= 48 for name in labels_of(draw(frame)))


def test_small_changes_of_large_values_are_not_rounded_away() -> None:
    values = 1_700_000_000 + np.arange(50) / 4
    assert draw(regular({"a": values})).spec["data"]["values"][0]["v"] == pytest.approx(values.tolist(), rel=1e-14)


def test_duplicate_timestamps_are_all_drawn() -> None:
    frame = regular({"a": [1, 2, 3]})
    frame = pd.concat([frame, frame.assign(value=9.0)], ignore_index=True)
    row = draw(frame).spec["data"]["values"][0]
    assert row["v"] == [1, 9, 2, 9, 3, 9]


def test_a_thousand_series_take_well_below_a_second() -> None:
    frame = regular({f"s{n}": noisy(240, seed=n) for n in range(1000)}, step=15)
    chart = draw(frame)
    assert least_seconds(lambda: draw(frame), 2) < 2  # 0.2 s on an idle machine
    assert spec_size(chart) <= 200_000


def test_the_specification_of_a_small_frame(snapshot: Any) -> None:
    frame = regular({"a": [1, 2, np.nan, 4], "b": [2, 2, 3, 3]}, step=30)
    chart = draw(frame, unit="s", title="latency", zone="Europe/Berlin", notes=["a note"])
    assert json.dumps(chart.spec, indent=1, ensure_ascii=False) == snapshot


def test_points_between_two_gaps_are_dots() -> None:
    chart = draw(regular({"a": [1, np.nan, 2, np.nan, 3, 4]}))
    assert chart.spec["data"]["values"][0]["alone"] == [True, False, True, False, False, False]
    assert chart.spec["layer"][-1]["mark"]["type"] == "point"


def test_times_are_milliseconds_of_the_epoch() -> None:
    chart = draw(regular({"a": [1, 2]}, step=0.5))
    assert np.diff(chart.spec["data"]["values"][0]["t"]).tolist() == [500]
    assert chart.spec["data"]["values"][0]["t"][0] * 10**6 == START
    assert SECOND == 10**9


@pytest.mark.parametrize(
    ("values", "domain"),
    [([0, 50, 100], (0, 104)), ([90, 95, 100], (89.6, 100.4)), ([-100, 0, 0], (-104, 0)), ([-50, 50, 0], (-54, 54))],
)
def test_lines_keep_clear_of_the_edges_but_for_zero(values: list[float], domain: tuple[float, float]) -> None:
    chart = draw(regular({"a": values}), title="x")
    scale = chart.spec["encoding"]["y"]["scale"]
    assert scale["domain"] == pytest.approx(domain)
    assert scale["nice"] is False
