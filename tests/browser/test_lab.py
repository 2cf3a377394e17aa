"""A person in front of JupyterLab: charts under the pointer, completion at the cursor, themes, errors, an interrupt."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.lab import until

if TYPE_CHECKING:
    from support.lab import Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CHART_CELL = 2
FIRST, SECOND = "#009ce3", "#bf5000"  # of the palette: user-service and payment-api
METRICS = "%%obs_metrics\n"
# The least contrast of text that WCAG 2.2 (1.4.3) allows.
TEXT_CONTRAST = 4.5


# ── the chart ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_notebook_runs_from_end_to_end_and_asks_nobody_but_this_machine(chart: Notebook) -> None:
    assert chart.said(1).startswith("The obs_magics demo")
    under_the_chart = chart.said(CHART_CELL)
    assert "errors: 2 series, 1,082 rows from demo (folder)" in under_the_chart
    assert "payment-api: now 0 /s" in under_the_chart
    assert chart.page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    colours = chart.colours(CHART_CELL)
    assert colours[FIRST] > 100
    assert colours[SECOND] > 100
    assert chart.strangers() == []


def test_the_pointer_is_told_series_value_and_time(chart: Notebook) -> None:
    box = canvas(chart)
    tooltip = chart.page.locator("#vg-tooltip-element.visible")
    without = chart.colours(CHART_CELL)[SECOND]
    until(chart, lambda: (move(chart, box["x"] + 250, box["y"] + 150), tooltip.count())[1] == 1)
    told = tooltip.inner_text()
    assert "payment-api" in told
    assert "/s" in told
    assert "Sun 22 Nov 2026 14:2" in told
    assert "time, UTC" in told
    until(chart, lambda: chart.colours(CHART_CELL)[SECOND] > without)
    assert chart.colours(CHART_CELL)[SECOND] - without < 80  # one dot, not one for each point of the series


def test_a_click_into_the_legend_brings_one_series_out_and_another_takes_it_back(chart: Notebook) -> None:
    box = canvas(chart)
    both = chart.colours(CHART_CELL)
    first_name = box["x"] + box["width"] - 80, box["y"] + 60
    chart.page.mouse.click(*first_name)
    until(chart, lambda: chart.colours(CHART_CELL).get(SECOND, 0) < both[SECOND] / 10)
    assert chart.colours(CHART_CELL)[FIRST] > both[FIRST] / 2
    chart.page.mouse.click(*first_name)
    until(chart, lambda: chart.colours(CHART_CELL).get(SECOND, 0) > both[SECOND] / 2)


@pytest.mark.parametrize("gesture", ["wheel", "drag"])
def test_wheel_and_drag_move_the_time_axis_and_a_double_click_takes_it_back(chart: Notebook, gesture: str) -> None:
    mouse, box = chart.page.mouse, canvas(chart)
    x, y = box["x"] + 300, box["y"] + 60
    before = chart.time_axis(CHART_CELL)
    mouse.move(x, y)
    if gesture == "wheel":
        mouse.wheel(0, -400)
    else:
        mouse.down()
        mouse.move(x + 120, y, steps=4)
        mouse.up()
    until(chart, lambda: chart.time_axis(CHART_CELL) != before)
    mouse.dblclick(x, y)
    until(chart, lambda: chart.time_axis(CHART_CELL) == before)


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_every_text_can_be_read_in_either_theme(chart: Notebook, pictures: Path, theme: str) -> None:
    chart.theme(theme)
    chart.page.screenshot(path=pictures / f"{theme}.png")
    weak = {text: contrast for text, contrast in contrasts(chart) if contrast < TEXT_CONTRAST}
    assert weak == {}
    boxes = [cell.bounding_box() for cell in chart.cell(CHART_CELL).locator(".obs-magics pre").all()]
    assert all(lower["y"] > upper["y"] + upper["height"] for upper, lower in pairwise(boxes))


def test_a_saved_notebook_shows_the_chart_without_a_kernel(
    chart: Notebook, lab: Lab, open_notebook: Callable[..., Notebook]
) -> None:
    saved = json.loads((lab.folder / "chart.ipynb").read_text())
    saved["metadata"] = {"kernelspec": {"name": "elsewhere", "display_name": "Of another machine"}}
    (lab.folder / "without.ipynb").write_text(json.dumps(saved))
    notebook = open_notebook("without.ipynb", kernel=False)
    notebook.page.get_by_role("dialog").get_by_role("button", name="No Kernel").click()
    notebook.cell(CHART_CELL).locator("canvas").wait_for()
    until(notebook, lambda: notebook.colours(CHART_CELL).get(FIRST, 0) > 100)
    assert "errors: 2 series, 1,082 rows" in notebook.said(CHART_CELL)
    assert notebook.kernel() is None
    assert notebook.strangers() == []


# ── completion ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "after", "accepted", "becomes"),
    [
        pytest.param("http_requests_t", "", "http_requests_total", "http_requests_total", id="a metric's name"),
        pytest.param("sum(rate(ht", "[5m]))", None, "sum(rate(…[5m]))", id="a metric inside a call"),
        pytest.param("up{", "}", None, "up{…}", id="a label behind the brace"),
        pytest.param("up{ins", "}", "instance", "up{instance}", id="a label, half typed"),
        pytest.param("sum by (nam", ") (up)", "namespace", "sum by (namespace) (up)", id="a label to group by"),
        pytest.param('up{job="', '"}', None, 'up{job="…"}', id="a value behind the quote"),
        pytest.param('up{job="payment-a', '"}', "payment-api", 'up{job="payment-api"}', id="a value, across a hyphen"),
        pytest.param('up{job=~"cart|pay', '"}', "payment-api", 'up{job=~"cart|payment-api"}', id="an alternative"),
    ],
)
def test_tab_in_a_query_offers_what_the_source_has_and_puts_it_in_place(
    completing: Notebook, before: str, after: str, accepted: str | None, becomes: str
) -> None:
    completing.put(1, METRICS + before, after)
    offered = completing.completions()
    assert accepted in {None, offered[0]}
    completing.accept()
    assert completing.source(1) == METRICS + becomes.replace("…", offered[0])


@pytest.mark.parametrize(
    ("before", "after", "becomes"),
    [("%%obs_metrics --so", "\nup", "%%obs_metrics --source\nup"), ("%obs cat", "", "%obs catalog")],
)
def test_tab_knows_options_and_subcommands(completing: Notebook, before: str, after: str, becomes: str) -> None:
    completing.put(1, before, after)
    completing.completions()
    completing.accept()
    assert completing.source(1) == becomes


def test_the_list_names_metrics_labels_and_values(completing: Notebook) -> None:
    told = {}
    for place, before in {"metric": "http_", "label": "up{", "value": 'up{job="'}.items():
        completing.put(1, METRICS + before)
        told[place] = set(completing.completions())
        completing.page.keyboard.press("Escape")
    assert {"http_requests_total", "http_requests_in_flight"} <= told["metric"]
    assert {"instance", "job", "namespace"} <= told["label"]
    assert {"checkout-api", "payment-api"} <= told["value"]


def test_what_is_typed_key_by_key_completes_too(completing: Notebook) -> None:
    completing.put(1, METRICS)
    completing.page.keyboard.type('up{job="user-')
    assert completing.completions() == ["user-service"]
    completing.accept()
    assert completing.source(1) == METRICS + 'up{job="user-service'


# ── tables, errors, an interrupt ─────────────────────────────────────────────────────────────────────────────────────


def test_tables_stand_to_the_left_and_break_no_word(completing: Notebook) -> None:
    completing.put(1, "%obs catalog http_request_duration_seconds_bucket")
    completing.run(1)
    table = completing.cell(1).locator(".obs-magics table")
    heads = [str(text) for text in table.locator("th").all_inner_texts()]
    assert heads == ["label", "values", "such as"]
    aligned = table.locator("tbody tr:first-child td").evaluate_all(
        "(cells) => cells.map((cell) => getComputedStyle(cell).textAlign)"
    )
    assert aligned == ["left", "right", "left"]
    heights = table.locator("tbody td:first-child").evaluate_all(
        "(cells) => cells.map((cell) => { const range = document.createRange(); range.selectNodeContents(cell);"
        " return range.getClientRects().length })"
    )
    assert set(heights) == {1}


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (
            "%%obs_metrics --source nowhere\nup",
            ["UsageError: there is no source called 'nowhere'", "→ the sources are"],
        ),
        ("%%obs_metrics\nsum(rate(up[5m])", ["QueryError", "  sum(rate(up[5m])\n     ^"]),
        ("%obs_metrics --lst 1h up", ["UsageError: %obs_metrics has no option --lst", "did you mean --last"]),
    ],
)
def test_an_error_is_a_few_lines(completing: Notebook, cell: str, says: list[str]) -> None:
    completing.put(1, cell)
    completing.run(1)
    told = completing.said(1)
    assert all(part in told for part in says), told
    assert len(told.splitlines()) <= 4


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """It accepts, and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(90)
        yield server


def test_an_interrupt_ends_a_cell_with_one_line(
    lab: Lab, open_notebook: Callable[..., Notebook], silent_server: socket.socket
) -> None:
    folder = lab.folder / "silent"
    folder.mkdir()
    url = f"http://127.0.0.1:{silent_server.getsockname()[1]}"
    settings = {"observability": {"platforms": {"prometheus": {"enabled": True, "url": url}}}}
    (folder / "obs.yaml").write_text(json.dumps(settings))
    lab.write("silent/asks.ipynb", ["%load_ext obs_magics", "%%obs_metrics --source prometheus\nup"])
    notebook = open_notebook("silent/asks.ipynb")
    notebook.run(0)
    notebook.run(1, wait=False)
    with silent_server.accept()[0]:
        notebook.interrupt()
        notebook.wait_until_idle()
    until(notebook, lambda: notebook.said(1) == "interrupted: nothing was fetched")


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def completing(lab: Lab, open_notebook: Callable[..., Notebook]) -> Notebook:
    """A notebook on the demo world, with an empty second cell."""
    lab.write("completing.ipynb", ["%load_ext obs_magics\n%obs demo", ""])
    notebook = open_notebook("completing.ipynb")
    notebook.run(0)
    return notebook


def canvas(notebook: Notebook) -> dict[str, float]:
    """Where the chart is."""
    notebook.page.bring_to_front()
    notebook.page.mouse.move(2, 2)
    box: dict[str, float] = notebook.cell(CHART_CELL).locator("canvas").bounding_box()
    return box


def move(notebook: Notebook, x: float, y: float) -> None:
    """Over a point, as a hand does: not with one leap."""
    notebook.page.mouse.move(x - 6, y)
    notebook.page.mouse.move(x, y)


def contrasts(notebook: Notebook) -> list[tuple[str, float]]:
    """Every text of our panels with its contrast to what is behind it, as WCAG 2.2 counts it."""
    found: Any = notebook.page.evaluate(
        """() => {
            const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
            const light = (colour) => {
                const [r, g, b] = parts(colour).map((part) => part / 255)
                    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const behind = (node) => {
                const colour = getComputedStyle(node).backgroundColor;
                return parts(colour)[3] === 0 && node.parentElement ? behind(node.parentElement) : colour;
            };
            return [...document.querySelectorAll('.obs-magics *')]
                .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
                .map((node) => {
                    const both = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
                    return [node.textContent, (both[0] + 0.05) / (both[1] + 0.05)];
                });
        }"""
    )
    return [(str(text), float(contrast)) for text, contrast in found]
