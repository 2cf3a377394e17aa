"""The page that a demo run leaves: one file, no scripts, readable by all."""

from __future__ import annotations

from html.parser import HTMLParser

import nbformat
import pytest

from obs_magics.demo.page import notebook_page

SVG = '<svg role="img" aria-label="p99 of &quot;a&quot; &amp; b" xmlns="http://www.w3.org/2000/svg"></svg>'


class Images(HTMLParser):
    """Collects the attributes of the images on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.attributes: list[dict[str, str]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.attributes.append({name: value or "" for name, value in attrs})


def page_of(**forms: str) -> str:
    cell = nbformat.v4.new_code_cell("1")
    cell.outputs = [
        nbformat.v4.new_output("display_data", {form.replace("_", "/"): text for form, text in forms.items()})
    ]
    return notebook_page(nbformat.v4.new_notebook(cells=[cell]), title="<a page>")


@pytest.mark.parametrize(("svg", "spoken"), [(SVG, 'p99 of "a" & b'), ("<svg></svg>", "a picture")])
def test_a_chart_is_an_image_with_the_text_that_it_carries(svg: str, spoken: str) -> None:
    page = page_of(**{"image_svg+xml": svg, "text_plain": "a chart in characters"})
    images = Images(page).attributes
    assert [image["alt"] for image in images] == [spoken]
    assert images[0]["src"].startswith("data:image/svg+xml;base64,")
    assert "a chart in characters" not in page


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = page_of(**{"application_javascript": "alert(1)", "text_html": "<b>a table</b>"})
    assert "<b>a table</b>" in page
    assert "<script" not in page
    assert "http" not in page.partition("<body>")[0]
    assert "<title>&lt;a page&gt;</title>" in page
