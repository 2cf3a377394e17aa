"""Tables of figures with a bar in them: HTML whose cells may hold markup, and aligned text that fits its width."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from obs_magics.display import markup
from obs_magics.display.text import columns_of, cut, pad
from obs_magics.display.traces import words

_LEAST_NAME, _MOST_NAME = 20, 60
_BELOW_LINES = 2
_LEFT, _NUMBER = ' style="text-align:left"', ' class="obs-number"'


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Args:
        title: Its heading.
        html: Its cells as HTML, all escaped and bounded.
        text: The same in characters.
        kind: `number` stands to the right; `name` takes what room is left in a terminal; `below` gets lines of its own
            there; anything else stands to the left.
        rank: In a terminal the columns of the highest rank give way first when there is no room for names.
    """

    title: str
    html: Sequence[str]
    text: Sequence[str]
    kind: str = ""
    rank: int = 0

    @property
    def width(self) -> int:
        """How many columns of a terminal it takes."""
        return max(map(columns_of, [self.title, *self.text]))


def numbers(title: str, values: Sequence[str], *, rank: int = 0) -> Column:
    """A column of figures."""
    return Column(title, [markup.text(value) for value in values], values, "number", rank)


def bar(shares: Sequence[float], css: str = "") -> list[str]:
    """Shares as bars in HTML; without a style sheet they stand there as blocks."""
    return [
        f'<span class="obs-share"><samp>{blocks(share, 10)}</samp>'
        f'<i{f" class={css}" if css else ""} style="width:{100 * min(max(share, 0.0), 1.0):.4g}%"></i></span>'
        for share in shares
    ]


def pairs(bars: Sequence[str], said: Sequence[str]) -> list[str]:
    """Bars with what they say beside them."""
    return [
        f'<span class="obs-pair"><span>{drawn}</span> <span>{markup.text(each)}</span></span>'
        for drawn, each in zip(bars, said, strict=True)
    ]


def blocks(share: float, width: int) -> str:
    """A share as a bar in characters."""
    full = round(min(max(share, 0.0), 1.0) * width)
    return words.BLOCKS[2] * full + words.BLOCKS[0] * (width - full)


def table_html(columns: Sequence[Column]) -> str:
    """The table."""
    css = [_NUMBER if column.kind == "number" else _LEFT for column in columns]
    head = "".join(f"<th{one}>{column.title}</th>" for one, column in zip(css, columns, strict=True))
    rows = (
        "".join(f"<td{one}>{cell}</td>" for one, cell in zip(css, cells, strict=True))
        for cells in zip(*(column.html for column in columns), strict=True)
    )
    body = "".join(markup.element("tr", row) for row in rows)
    inside = markup.element("thead", markup.element("tr", head)) + markup.element("tbody", body)
    return markup.element("div", markup.element("table", inside), "obs-wide")


def table_text(columns: Sequence[Column], width: int) -> list[str]:
    """The table in lines, none wider than `width`."""
    below = [column for column in columns if column.kind == "below"]
    kept = [column for column in columns if column.kind != "below"]
    while _room(kept, width) < _LEAST_NAME and any(column.rank for column in kept):
        last = max(column.rank for column in kept)
        kept = [column for column in kept if column.rank < last]
    sizes = [
        min(max(_room(kept, width), 1), column.width) if column.kind == "name" else column.width for column in kept
    ]
    lines = [_line([column.title for column in kept], kept, sizes, width)]
    for place in range(len(columns[0].text)):
        lines.append(_line([column.text[place] for column in kept], kept, sizes, width))
        for column in below:
            wrapped = textwrap.wrap(column.text[place], width - 4, max_lines=_BELOW_LINES, placeholder="…")
            lines += [f"    {part}" for part in wrapped]
    return lines


def _room(columns: Sequence[Column], width: int) -> int:
    """What is left for each column of names."""
    names = [column for column in columns if column.kind == "name"]
    taken = sum(column.width for column in columns if column.kind != "name") + 2 * (len(columns) - 1)
    return min((width - taken) // max(len(names), 1), _MOST_NAME)


def _line(cells: Sequence[str], columns: Sequence[Column], sizes: Sequence[int], width: int) -> str:
    padded = (
        pad(cell, size, right=column.kind == "number") for cell, column, size in zip(cells, columns, sizes, strict=True)
    )
    return cut("  ".join(padded).rstrip(), width)


def section_html(head: str, about: str, columns: Sequence[Column], under: Sequence[str] = ()) -> str:
    """A table with what stands above and below it; the texts are escaped here, the cells are HTML already."""
    over = markup.element("div", f"{markup.text(head)} {words.quiet(markup.text(about))}", "obs-over")
    notes = "".join(markup.element("p", markup.text(note), "obs-quiet") for note in under)
    table = table_html(columns) if columns and columns[0].html else ""
    return markup.element("div", over + table + notes, "obs-traces")


def section_text(head: str, about: str, columns: Sequence[Column], under: Sequence[str], width: int) -> str:
    """The same in characters."""
    lines = textwrap.wrap(f"{head} {about}", width, subsequent_indent="  ")
    lines += table_text(columns, width) if columns and columns[0].text else []
    for note in under:
        lines += textwrap.wrap(note, width, subsequent_indent="  ")
    return "\n".join(lines)
