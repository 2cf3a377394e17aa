"""How wide words are in our pictures: an SVG is laid out on one machine and read on others, which may lack its fonts.

Every text that is long enough to matter carries the width that it was laid out with (SVG's `textLength`), so that a
wider font is narrowed and no label is cut or lies on its neighbour. Widths are those of Helvetica, which Arial and
Liberation Sans share (Adobe Font Metrics, in thousandths of the font's size); where one of them is there, nothing
changes.
"""

from __future__ import annotations

import re
from html import unescape

_FIRST = " "
_REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
_BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
)  # fmt: skip
_OTHERS = {"…": 1000, "→": 1000, "×": 584, "−": 584, "–": 556, "·": 278, "°": 400, "µ": 576}

_TEXT = re.compile(r"<text\b([^>]*)>((?:[^<]+|<tspan\b[^>]*>[^<]*</tspan>)+)</text>")
_LINE = re.compile(r"<tspan\b([^>]*)>([^<]*)</tspan>")
_SIZE = re.compile(r'font-size="([\d.]+)px"')
_HEAVY = re.compile(r'font-weight="(?:bold|[6-9]00)"')
_LEAST = 3  # shorter ones are cut by nothing


def text_width(text: str, size: float, *, bold: bool = False) -> float | None:
    """Pixels that a text takes in a font of so many pixels; None where it has characters of unknown width.

    >>> text_width("100 ms", 10)
    32.79
    """
    widths = _BOLD if bold else _REGULAR
    total = 0
    for char in text:
        place = ord(char) - ord(_FIRST)
        width = widths[place] if 0 <= place < len(widths) else _OTHERS.get(char)
        if width is None:
            return None
        total += width
    return round(total * size / 1000, 2)


def fitted(svg: str) -> str:
    """An SVG whose longer texts carry the width that they were laid out with."""
    return _TEXT.sub(_fitted, svg)


def _fitted(found: re.Match[str]) -> str:
    """A text with its width; one of several lines with that of each of them."""
    attributes, inside = found.groups()
    if "<" not in inside:
        return f"<text{attributes}{_length(inside, attributes, attributes)}>{inside}</text>"
    lines = _LINE.sub(lambda one: f"<tspan{one[1]}{_length(one[2], one[1], attributes)}>{one[2]}</tspan>", inside)
    return f"<text{attributes}>{lines}</text>"


def _length(inside: str, own: str, attributes: str) -> str:
    """The attributes that say how wide a line is; none where that is not known, or said already."""
    text, size = unescape(inside), _SIZE.search(attributes)
    if size is None or len(text) < _LEAST or "textLength=" in own:
        return ""
    width = text_width(text, float(size[1]), bold=bool(_HEAVY.search(attributes)))
    return "" if width is None else f' textLength="{width:g}" lengthAdjust="spacingAndGlyphs"'
