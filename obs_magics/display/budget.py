"""How large a picture of rows may become: rows until their room is used up, and what opens as far as there is some."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

_LEFT_OUT = '<div class="obs-more obs-quiet">left out here, it would be too large: the frame has it</div>'
_MISFITS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A row as HTML.

    Args:
        head: What is always seen.
        more: Makes what opens behind it; where there is no room, a word about that takes its place.
        end: What closes the row.
    """

    head: str
    more: Callable[[], str]
    end: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """Rows that fit, as HTML, and how many they are."""

    html: str
    rows: int


def fitted(rows: Iterable[Row], *, heads: int, more: int) -> Fitted:
    """Rows in order, until the next one would not fit.

    Args:
        rows: Made one by one, so that those past the end cost nothing.
        heads: Bytes for what is always seen.
        more: Bytes for what opens. After a few that were too large no other is tried.
    """
    parts: list[str] = []
    count = misfits = 0
    for row in rows:
        heads -= _size(row.head) + _size(row.end) + len(_LEFT_OUT)
        if heads < 0:
            break
        opens = row.more() if misfits < _MISFITS else _LEFT_OUT
        if _size(opens) > more:
            misfits += 1
            opens = _LEFT_OUT
        elif misfits < _MISFITS:
            more -= _size(opens)
        parts += [row.head, opens, row.end]
        count += 1
    return Fitted("".join(parts), count)


def _size(html: str) -> int:
    return len(html.encode())
