"""What is unusual, in front of JupyterLab: interactive pictures in both themes, and what the pointer is told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from support.lab import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.lab import Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CELLS = [
    "%load_ext obs_magics",
    "%obs demo",
    "%obs_anomalies odd << --service payment-api --start 13:30 --end 15:30 ;",
    "%obs_correlate moved << --service payment-api --start 13:30 --end 15:30 --events latency_p99 ;",
]
LINE, BAND = "#009ce3", "#bf5000"


@pytest.fixture(scope="module")
def notebook(lab: Lab, open_notebook: Callable[..., Notebook]) -> Notebook:
    lab.write("odd.ipynb", CELLS)
    opened = open_notebook("odd.ipynb")
    opened.run_all()
    for number in (2, 3):
        opened.cell(number).locator("canvas").wait_for()
        until(opened, lambda number=number: opened.colours(number).get(LINE, 0) > 100)
    return opened


def test_small_multiples_and_the_report_are_drawn(notebook: Notebook) -> None:
    assert notebook.page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    told = notebook.said(2)
    assert "critical" in told
    assert "redis pool: max connections 100 → 20" in told
    colours = notebook.colours(2)
    assert colours[LINE] > 100
    assert colours[BAND] > 50
    assert notebook.strangers() == []


def test_the_facts_stand_side_by_side(notebook: Notebook) -> None:
    """Lab has rules of its own for lists of terms: a term is on one line, its fact beside it."""
    terms, facts = (notebook.cell(2).locator(f".obs-facts > {tag}") for tag in ("dt", "dd"))
    term, fact = terms.nth(0).bounding_box(), facts.nth(0).bounding_box()
    assert term is not None
    assert fact is not None
    assert term["height"] < 30
    assert abs(term["y"] - fact["y"]) < 3
    assert fact["x"] - term["x"] < 160


def test_the_pointer_is_told_the_value_of_a_small_chart(notebook: Notebook) -> None:
    canvas = notebook.cell(2).locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    tooltip = notebook.page.locator("#vg-tooltip-element.visible")
    heights = cycle((150, 170, 190, 210))

    def told() -> bool:
        notebook.page.mouse.move(box["x"] + 420, box["y"] + next(heights))
        notebook.page.wait_for_timeout(300)
        return bool(tooltip.count())

    until(notebook, told)
    assert "latency_p99 of payment-api" in tooltip.inner_text()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_both_themes_show_the_pictures(notebook: Notebook, theme: str, pictures: Path) -> None:
    notebook.theme(theme)
    for number in (2, 3):
        until(notebook, lambda number=number: notebook.colours(number).get(LINE, 0) > 100)
    notebook.page.screenshot(path=pictures / f"odd-{theme.rsplit(maxsplit=1)[-1]}.png", full_page=True)
    notebook.cell(2).screenshot(path=pictures / f"odd-cell-{theme.rsplit(maxsplit=1)[-1]}.png")
