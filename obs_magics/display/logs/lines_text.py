"""The list of lines for a terminal: one row each."""

from __future__ import annotations

import textwrap

from obs_magics.display import times
from obs_magics.display.logs import levels
from obs_magics.display.logs.line_rows import Line, LineList
from obs_magics.display.text import columns_of, cut, pad
from obs_magics.display.visible import visible

LINES = 20
_SERVICE_COLUMNS = 16
_READ = 1000
_COMMON = 200
_FOLDED = "+n: so many lines are folded into the one that is shown"


def list_text(listed: LineList, width: int) -> str:
    """The list, at most twenty lines of it, with what stands above and below; no line is wider than `width`."""
    lines = listed.lines[:LINES]
    if not lines:
        return listed.count(0)
    over = textwrap.wrap(f"{listed.count(len(lines))}, {listed.about()}", width, subsequent_indent="  ")
    service = min(_SERVICE_COLUMNS, width // 5, max(columns_of(_visible(line.service)) for line in lines))
    rows = [_row(line, listed, service, width) for line in lines]
    under = [_FOLDED] if any(line.folded for line in lines) else []
    if listed.common:
        common = " · ".join(f"{_visible(name)}={_visible(value)}" for name, value in listed.common)
        under.append(cut(f"all of them: {common}", _COMMON))
    wrapped = [part for one in under for part in textwrap.wrap(one, width, subsequent_indent="  ")]
    return "\n".join([*over, *rows, *wrapped])


def _row(line: Line, listed: LineList, service: int, width: int) -> str:
    where = f"{pad(_visible(line.service), service)} " if service else ""
    time = times.stamp(line.at_ns, listed.zone, day=listed.day)
    head = f"{time} {levels.word(line.level):<{levels.WORD_WIDTH}} {where}"
    folded = f" +{line.folded:,}" if line.folded else ""
    room = width - columns_of(head) - columns_of(folded)
    return f"{head}{cut(_visible(line.short), max(room, 1))}{folded}".rstrip()


def _visible(text: str) -> str:
    return visible(text[:_READ])
