"""A page that can be opened anywhere: everything inside, light and dark, printable, no script needed to read it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from html import unescape

from jinja2 import Environment, PackageLoader, select_autoescape

from obs_magics.display import markup
from obs_magics.display.visible import visible

_SPOKEN = re.compile(r'<svg [^>]*aria-label="([^"]*)"')


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("obs_magics.display.document"),
        autoescape=select_autoescape(default_for_string=True, default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(title: str, body: str, *, styles: Sequence[str] = ()) -> str:
    """A whole page.

    Args:
        title: Plain text.
        body: HTML: every text in it escaped.
        styles: Further style sheets.
    """
    return _environment().get_template("page.html").render(title=visible(title), body=body, styles=styles)


def picture(svg: str) -> str:
    """An SVG as an image, in which no script runs, with the text that it carries for those who cannot see it."""
    spoken = _SPOKEN.search(svg)
    label = markup.text(unescape(spoken[1]) if spoken else "a picture")
    return f'<img alt="{label}" src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'
