"""One table of colours and dash patterns, readable on light and on dark, for every picture we draw.

The palette stands on white and on JupyterLab's dark #111111 with a contrast of at least 3:1 (WCAG 2.2, 1.4.11), and
its colours stay apart (≥ 0.095 in OKLab) under protan-, deuter- and tritanopia as simulated by Machado, Oliveira and
Fernandes (2009): Okabe and Ito's hues, moved until both hold. One palette for all themes, so that a series has the same
colour in the notebook, in the report and on the slide. Dash patterns go with the colours: nothing is told by colour
alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from obs_magics.model.errors import UsageError

ThemeName = Literal["auto", "light", "dark"]

PALETTE = ("#009ce3", "#bf5000", "#008461", "#9a3cff", "#d57f00", "#a88b9d")
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (7, 2), (2, 2), (8, 2, 2, 2))
MAX_SERIES = 12  # every one of them has a pair of colour and dash of its own
# Of one width, whichever of them a machine has: an SVG is measured on one machine and read on another.
FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of what is not data. `background` None is transparent."""

    background: str | None
    text: str
    quiet: str
    grid: str


# auto stands on whatever is behind it (an <img> cannot know JupyterLab's theme): greys of ≥ 4:1 on white and #111111.
THEMES: dict[ThemeName, Theme] = {
    "auto": Theme(None, "#757575", "#757575", "#80808038"),
    "light": Theme("#ffffff", "#222222", "#5f5f5f", "#0000001c"),
    "dark": Theme("#111111", "#ececec", "#adadad", "#ffffff26"),
}


def style(number: int) -> tuple[str, tuple[int, ...]]:
    """Colour and dash of the series with this number; unlike for the first twelve."""
    return PALETTE[number % len(PALETTE)], DASHES[(number + number // MAX_SERIES) % len(DASHES)]


def vega_config(name: ThemeName) -> dict[str, Any]:
    """The theme as Vega-Lite's `config`.

    It sets every key that vega-embed's own dark theme sets, so that JupyterLab's dark mode does not paint over it.
    """
    if name not in THEMES:
        raise UsageError(f"there is no theme {name!r}", hint=f"one of {', '.join(THEMES)}")
    theme = THEMES[name]
    return {
        "background": theme.background or "transparent",
        "font": FONT,
        "padding": {"left": 5, "top": 5, "right": 14, "bottom": 5},
        "view": {"stroke": None},
        "title": {
            "color": theme.text,
            "subtitleColor": theme.quiet,
            "anchor": "start",
            "frame": "group",
            "fontSize": 13,
            "subtitleFontSize": 11,
            "fontWeight": 600,
            "offset": 10,
        },
        "text": {"color": theme.quiet},
        "style": {"guide-label": {"fill": theme.quiet}, "guide-title": {"fill": theme.quiet}},
        "axis": {
            "domainColor": theme.quiet,
            "tickColor": theme.quiet,
            "gridColor": theme.grid,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
        },
        "legend": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "symbolStrokeWidth": 2},
    }
