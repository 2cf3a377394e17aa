"""Tables of a page: each cell knows its heading, so that a narrow screen can show rows as cards and nothing is cut."""

from __future__ import annotations

import re
from html import unescape

from obs_magics.display import markup

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
# What is no longer than this stays on one line: "payment-api", "config change", "+11 min 15 s".
_SHORT, _SHORT_WORD = 16, 24


def with_headings(html: str) -> str:
    """HTML of ours with the heading beside each cell of each table, as `data-label`, and the roles of a table spelled.

    The roles stay where a style sheet turns rows into blocks, which would take them from those who cannot see; headings
    say that they head a column.
    """
    return _TABLE.sub(lambda found: _table(found[0]), html)


def _table(table: str) -> str:
    head, _, body = table.partition("</thead>")
    headings = [_said(cell[3]) for cell in _CELL.finditer(head)] if body else []
    whole = _ROW.sub(lambda row: _row(row[0], headings), table)
    for tag, role in (("table", "table"), ("thead", "rowgroup"), ("tbody", "rowgroup"), ("tr", "row")):
        whole = re.sub(rf"<{tag}\b", f'<{tag} role="{role}"', whole)
    return whole


def _row(row: str, headings: list[str]) -> str:
    places = iter(range(row.count("<t")))

    def cell(found: re.Match[str]) -> str:
        tag, attributes, inside = found.groups()
        place = next(places)
        if tag == "th":
            return f'<th scope="col" role="columnheader"{attributes}>{inside}</th>'
        label = headings[place] if place < len(headings) and _said(inside) else ""
        named = f' data-label="{markup.text(label)}"' if label else ""
        return f'<td role="cell"{named}{_on_one_line(attributes, inside)}>{inside}</td>'

    return _CELL.sub(cell, row)


def _said(cell: str) -> str:
    return unescape(_TAG.sub("", cell)).strip()


def _on_one_line(attributes: str, inside: str) -> str:
    """The attributes of a cell, with a class of its own where it is short."""
    said = _said(inside)
    if "class=" in attributes or not said or len(said) > (_SHORT if " " in said else _SHORT_WORD):
        return attributes
    return f'{attributes} class="obs-short"'
