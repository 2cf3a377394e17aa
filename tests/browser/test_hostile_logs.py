"""Lines that nobody wrote in good faith, before a real Chromium: nothing runs, nothing breaks out, nothing turns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from support.lab import until
from support.log_panels import HOSTILE, frame_of, hostile_panel, panel

if TYPE_CHECKING:
    from support.lab import Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGE = '<!doctype html><meta charset="utf-8"><body><main>{}</main><p id="end">end</p>'
WIDTHS = (1100, 600)


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    """A page that asks nobody, and remembers whom it wanted to ask."""
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    page = context.new_page()
    page.asked = []
    page.route("**/*", lambda route: (page.asked.append(route.request.url), route.abort()))
    page.on("dialog", lambda dialog: (page.asked.append(dialog.message), dialog.dismiss()))
    yield page
    context.close()


def show(page: Any, html: str, width: int = 1100) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.set_content(PAGE.format(html))
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true })")


def nothing_happened(page: Any) -> None:
    """No script ran, nobody was asked, and the page is as its author made it."""
    page.mouse.move(5, 5)
    page.mouse.move(300, 300)
    assert page.evaluate("() => window.ran ?? 0") == 0
    assert page.asked == []
    assert page.locator("#end").is_visible()
    assert page.evaluate("() => document.body.lastElementChild.id") == "end"
    strange = "script, img, iframe, a:not([href^='https://example.com/explore']), form, input, button, base, link, math"
    assert page.locator(f"main :is({strange})").count() == 0
    assert page.evaluate(
        "() => [...document.querySelectorAll('main *')].every((node) => "
        "node.getAttributeNames().every((name) => !name.startsWith('on') && !name.startsWith('data-')))"
    )


OUTSIDE = """() => {
    const found = [];
    const rows = document.querySelectorAll(
        '.obs-lines details > summary, .obs-patterns tr, .obs-more, .obs-magics > *');
    for (const row of rows) {
        const own = row.getBoundingClientRect();
        for (const child of row.children) {
            const box = child.getBoundingClientRect();
            const aside = Math.max(own.left - box.left, box.right - own.right);
            const out = Math.max(aside, own.top - box.top, box.bottom - own.bottom);
            if (out > 1 && getComputedStyle(child).display !== 'inline') found.push([row.className, out]);
        }
    }
    return found;
}"""
OVERLAPPING = """() => {
    const found = [];
    const groups = [document.querySelectorAll('.obs-lines > *'), document.querySelectorAll('.obs-patterns tr'),
        document.querySelectorAll('.obs-magics > *')];
    for (const group of groups) {
        const boxes = [...group].map((one) => one.getBoundingClientRect());
        boxes.slice(1).forEach((box, place) => {
            if (box.top < boxes[place].bottom - 1) found.push([group[place].className, box.top, boxes[place].bottom]);
        });
    }
    return found;
}"""
ORDER = """() => [...document.querySelectorAll('.obs-lines summary')].every((row) => {
    const boxes = [...row.children].map((one) => one.getBoundingClientRect());
    return boxes.slice(1).every((box, place) => box.left >= boxes[place].right - 0.5);
})"""
DIRECTIONS = """() => ({
    isolated: [...document.querySelectorAll('main bdi')]
        .every((one) => getComputedStyle(one).unicodeBidi === 'isolate'),
    lines: [...document.querySelectorAll('main .obs-more pre')]
        .every((one) => getComputedStyle(one).unicodeBidi === 'plaintext'),
    many: document.querySelectorAll('main bdi').length,
})"""
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_line_stays_in_its_cell(page: Any, name: str) -> None:
    html = hostile_panel(HOSTILE[name]).to_html()
    for width in WIDTHS:
        show(page, html, width)
        nothing_happened(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate(OVERLAPPING) == []
        assert page.evaluate(ORDER)
    directions = page.evaluate(DIRECTIONS)
    assert directions["isolated"]
    assert directions["lines"]
    assert directions["many"] > 5
    assert not set(BIDI) & set(page.locator("main").inner_text())


@pytest.mark.parametrize(
    "name", ["flood of marks", "marks first", "marks everywhere", "right to left", "wide", "override"]
)
def test_no_ink_of_a_hostile_line_falls_on_its_neighbours(page: Any, name: str) -> None:
    """Boxes say where elements are, not where their letters are painted: the rows around look as ever."""
    pictures = []
    for text in ("quite harmless", HOSTILE[name]):
        around = [("info", "api", "harmless above"), ("info", "api", text), ("info", "api", "harmless below")]
        show(page, panel(frame_of(around, labels={}, trace=None)).sections[1].to_html())
        page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = false })")
        rows = page.locator(".obs-lines summary")
        pictures.append([rows.nth(place).screenshot() for place in (0, 1, 2)])
    (above, own, below), (above_it, itself, below_it) = pictures
    assert (above, below) == (above_it, below_it)
    assert own != itself


def test_an_unstyled_panel_still_isolates(page: Any) -> None:
    """JupyterLab takes our style sheet away where it does not trust a notebook."""
    for text in HOSTILE.values():
        html = hostile_panel(text).to_html(picture=False)
        page.set_content(PAGE.format(html[html.rindex("</style>") + len("</style>") :]))
        nothing_happened(page)
        assert page.evaluate(DIRECTIONS)["isolated"]


def test_nbconvert_shows_the_panel_and_runs_nothing(page: Any) -> None:
    from nbconvert import HTMLExporter

    notebook, _ = notebook_of([hostile_panel(text) for text in HOSTILE.values()])
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    show(page, html)
    nothing_happened(page)
    assert page.locator(".obs-lines").count() == len(HOSTILE)
    assert page.locator(".obs-lines mark").first.is_visible()


def test_a_notebook_that_lab_does_not_trust_is_still_readable(lab: Lab, open_notebook: Callable[..., Notebook]) -> None:
    notebook, count = notebook_of([panel(), *(hostile_panel(text) for text in HOSTILE.values())])
    (lab.folder / "strange.ipynb").write_text(json.dumps(notebook))
    opened = open_notebook("strange.ipynb")
    output = opened.page.locator(".jp-RenderedHTML")
    until(opened, lambda: output.count() == count)
    assert opened.page.evaluate("() => window.ran ?? 0") == 0
    assert output.locator("style, svg, script, img, iframe").count() == 0
    said = output.first.inner_text()
    for told in (
        "18 of 18 lines shown",
        "4 patterns",
        "█",
        "Connection pool exhausted",
        "error payment-api",
        "✚ new",
    ):
        assert told in said
    assert output.locator("bdi").evaluate_all(
        "(all) => all.every((one) => getComputedStyle(one).unicodeBidi === 'isolate')"
    )
    assert opened.strangers() == []


def notebook_of(panels: list[Any]) -> tuple[Any, int]:
    """A notebook with each panel under a cell of its own, not signed by anybody."""
    cells = []
    for one in panels:
        *_, data = one.outputs()
        output = nbformat.v4.new_output("display_data", data=json.loads(json.dumps(data, ensure_ascii=False)))
        cells.append(nbformat.v4.new_code_cell("show", outputs=[output], execution_count=1, id=f"c{len(cells)}"))
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook, len(cells)
