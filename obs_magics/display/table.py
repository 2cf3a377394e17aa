"""Small tables for people: HTML in a notebook, aligned text in a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from obs_magics.display import markup
from obs_magics.display.bundle import HTML, TEXT
from obs_magics.display.text import aligned, columns_of, safe
from obs_magics.display.visible import visible
from obs_magics.model.series import one_line

_LONG = re.compile(r"[^\s-]{30}")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts and numbers.

    Args:
        columns: Headings.
        rows: One value per column; None is blank, numbers stand to the right.
        caption: A line above the table.
        empty: What to say when there are no rows.
        anchors: A name for each row to which links of the same page lead; none by default.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | int | None]]
    caption: str = ""
    empty: str = "nothing"
    anchors: Sequence[str] = ()

    def __post_init__(self) -> None:
        wrong = next((row for row in self.rows if len(row) != len(self.columns)), None)
        if wrong is not None:
            raise ValueError(f"a row of {len(wrong)} values in a table of {len(self.columns)} columns")

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {HTML: self.to_html(), TEXT: self.to_text()}

    def to_text(self) -> str:
        """The table in aligned columns."""
        if not self.rows:
            return "\n".join(safe(part) for part in (self.caption, self.empty) if part)
        cells = [[safe(one_line(cell)) for cell in row] for row in self.texts()]
        lines = aligned(cells, self.numeric())
        rule = "─" * max(map(columns_of, lines))
        return "\n".join([*([safe(self.caption)] if self.caption else []), lines[0], rule, *lines[1:]])

    def to_html(self) -> str:
        """The table as HTML; every text in it is escaped."""
        caption = markup.element("caption", markup.text(self.caption)) if self.caption else ""
        if not self.rows:
            words = " ".join(part for part in (self.caption and f"{self.caption}:", self.empty) if part)
            return markup.scoped(markup.element("p", markup.text(words), "obs-quiet"))
        styles = ["obs-number" if numeric else "" for numeric in self.numeric()]
        head, *rows = self.texts()
        names = self.anchors or [""] * len(rows)
        body = "".join(_row("td", row, styles, name) for row, name in zip(rows, names, strict=True))
        inside = f"{caption}{markup.element('thead', _row('th', head, styles))}{markup.element('tbody', body)}"
        return markup.scoped(markup.element("table", inside))

    def texts(self) -> list[list[str]]:
        """Headings and rows as they are written."""
        return [list(self.columns), *([_cell(value) for value in row] for row in self.rows)]

    def numeric(self) -> list[bool]:
        """Which columns hold numbers alone; they stand to the right."""
        columns = ([row[place] for row in self.rows] for place in range(len(self.columns)))
        return [all(value is None or _is_number(value) for value in column) for column in columns]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if _is_number(value) else str(value)


def _row(tag: str, cells: Sequence[str], styles: Sequence[str], anchor: str = "") -> str:
    inside = "".join(
        markup.element(tag, markup.text(visible(cell, lines=True)), css or _long(cell))
        for cell, css in zip(cells, styles, strict=True)
    )
    return f'<tr id="{markup.text(anchor)}">{inside}</tr>' if anchor else markup.element("tr", inside)


def _long(cell: str) -> str:
    """The class of a cell with a word so long (a query, an address) that a page may break it anywhere."""
    return "obs-long" if _LONG.search(cell) else ""
