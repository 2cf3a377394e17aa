"""An executed notebook as one HTML page with everything inside: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import copy
import re
from base64 import b64encode
from html import escape, unescape
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

_SVG = "image/svg+xml"
_HTML = "text/html"
# What a page can show without scripts, best first.
_SHOWN = (_SVG, _HTML, "image/png", "image/jpeg", "text/markdown", "text/plain")
_SPOKEN = re.compile(r'<svg [^>]*aria-label="([^"]*)"')


def notebook_page(notebook: Any, *, title: str) -> str:
    """Render a notebook (nbformat 4) as a page that can be opened anywhere, in light and dark.

    Charts appear as the SVG they carry, tables as HTML, everything else as text.
    """
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    exporter: Any = HTMLExporter(template_name="basic")
    body, _ = exporter.from_notebook_node(_reduced(notebook))
    environment = Environment(
        loader=PackageLoader("obs_magics.demo"), autoescape=select_autoescape(default_for_string=True, default=True)
    )
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    return environment.get_template("page.html").render(title=title, body=body, light=light, dark=dark)


def _reduced(notebook: Any) -> Any:
    """A copy in which every output has one form only, the best that needs no script."""
    reduced = copy.deepcopy(notebook)
    for cell in reduced.cells:
        for output in cell.get("outputs", ()):
            forms = output.get("data", {})
            best = next((form for form in _SHOWN if form in forms), None)
            if forms and best:
                output["data"] = {_HTML: _picture(forms[_SVG])} if best == _SVG else {best: forms[best]}
    return reduced


def _picture(svg: str) -> str:
    """An SVG as an image, in which no script runs, with the text that it carries for those who cannot see it."""
    spoken = _SPOKEN.search(svg)
    text = escape(unescape(spoken[1]) if spoken else "a picture")
    return f'<img alt="{text}" src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'
