"""An executed notebook as one HTML page with everything inside: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import copy
from typing import Any

from obs_magics.display.document.page import page, picture

_SVG = "image/svg+xml"
_HTML = "text/html"
# What a page can show without scripts, best first.
_SHOWN = (_SVG, _HTML, "image/png", "image/jpeg", "text/markdown", "text/plain")
_PLAIN = "\n.highlight { background: transparent; }"


def notebook_page(notebook: Any, *, title: str) -> str:
    """Render a notebook (nbformat 4) as a page that can be opened anywhere, in light and dark.

    Charts appear as the SVG they carry, tables as HTML, everything else as text.
    """
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    exporter: Any = HTMLExporter(template_name="basic")
    body, _ = exporter.from_notebook_node(_reduced(notebook))
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    return page(
        title, body, styles=[light + _PLAIN, f"@media screen and (prefers-color-scheme: dark) {{\n{dark}{_PLAIN}\n}}"]
    )


def _reduced(notebook: Any) -> Any:
    """A copy in which every output has one form only, the best that needs no script."""
    reduced = copy.deepcopy(notebook)
    for cell in reduced.cells:
        for output in cell.get("outputs", ()):
            forms = output.get("data", {})
            best = next((form for form in _SHOWN if form in forms), None)
            if forms and best:
                output["data"] = {_HTML: picture(forms[_SVG])} if best == _SVG else {best: forms[best]}
    return reduced
