"""A page that can be opened anywhere: everything inside, light and dark, printable, no script needed to read it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from html import unescape

from jinja2 import Environment, PackageLoader, select_autoescape

from obs_magics import __version__
from obs_magics.display import markup
from obs_magics.display.chart import Chart
from obs_magics.display.theme import ThemeName
from obs_magics.display.visible import visible

_THEMES: tuple[ThemeName, ThemeName] = ("light", "dark")
_RUNNING = 90  # characters of the title that stand at the foot of each printed page
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
    shown = visible(title)
    return (
        _environment()
        .get_template("page.html")
        .render(title=shown, footer=_css_text(shown), body=body, styles=styles, version=__version__)
    )


def _css_text(text: str) -> str:
    """A text as a string of CSS, in which nothing ends the string or the style sheet."""
    safe = "".join(char if char.isalnum() or char in " .,:-–" else f"\\{ord(char):x} " for char in text[:_RUNNING])
    return f'"{safe}"'


def picture(svg: str) -> str:
    """An SVG as an image, in which no script runs, with the text that it carries for those who cannot see it."""
    spoken = _SPOKEN.search(svg)
    label = markup.text(unescape(spoken[1]) if spoken else "a picture")
    return f'<img alt="{label}" src="{_data(svg)}">'


def pictures(chart: Chart) -> str:
    """A chart as an image for light and another for dark, so that its words read as well in both; light on paper.

    The style sheet shows one of them. A `picture` with sources would not do: a browser that shows the page in the dark
    prints the source that it has loaded.
    """
    light, dark = (picture(chart.svg(theme)) for theme in _THEMES)
    return light.replace("<img ", '<img class="light" ', 1) + dark.replace("<img ", '<img class="dark" ', 1)


def _data(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
