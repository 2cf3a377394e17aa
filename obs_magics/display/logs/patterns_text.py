"""The table of patterns for a terminal: two or three lines a pattern."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from obs_magics.display import times
from obs_magics.display.logs import levels
from obs_magics.display.logs.events import Event
from obs_magics.display.logs.gist import template_gist
from obs_magics.display.logs.pattern_rows import Pattern, PatternTable
from obs_magics.display.logs.spark import blocks
from obs_magics.display.text import columns_of, cut, pad
from obs_magics.display.units import count_text, format_value
from obs_magics.display.visible import visible

_READ = 2000  # characters of a template that could be shown
_TEMPLATE_LINES = 2
_SPARK = 24
_EVENTS, _GONE = 3, 5
_SERVICES, _SERVICE = 8, 40
_INDENT = 6


def table_text(table: PatternTable, width: int) -> str:
    """The table with what stands above and below it; no line is wider than `width`."""
    if not table.total:
        return "no patterns: there are no lines"
    shown = len(table.shown)
    lines = textwrap.wrap(" ".join(table.about(shown)), width, subsequent_indent="  ")
    figures = _columns([(f"{one.count:,}", format_value(one.share, "1")) for one in table.shown])
    for one, figure in zip(table.shown, figures, strict=True):
        lines += _pattern(one, figure, table, width)
    patterns, rest = table.rest(shown)
    if patterns:
        lines.append(f"and {count_text(patterns, 'more pattern')} ({count_text(rest, 'line')})")
    for event in table.gone[:_GONE]:
        lines += _event(event, table, width, service=True, indent=0)
        lines += _wrapped(visible(template_gist(event.template[:_READ], service=event.service)), width, indent=_INDENT)
    if len(table.gone) > _GONE:
        lines.append(f"and {len(table.gone) - _GONE:,} more that changed and have no line here")
    return "\n".join(lines)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    sizes = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(pad(cell, size, right=True) for cell, size in zip(row, sizes, strict=True)) for row in rows]


def _pattern(one: Pattern, figures: str, table: PatternTable, width: int) -> list[str]:
    when = times.stretch(one.first_ns, one.last_ns, table.zone, day=table.day)
    left = f"{figures}  {levels.word(one.level):<{levels.WORD_WIDTH}}  "
    picture = blocks(one.spark, min(_SPARK, max(8, width - 60))) + "  " if len(one.spark) else ""
    room = width - columns_of(left) - columns_of(picture) - columns_of(when) - 2
    services = cut(_services(one), max(room, 0)) if room >= 6 else ""
    head = f"{left}{picture}{pad(services, max(room, 0)) if room >= 6 else ''}  {when}".rstrip()
    lines = [cut(head, width)]
    gist = template_gist(one.template[:_READ], service=one.service)
    lines += _wrapped(visible(gist), width, indent=_INDENT)
    for event in one.events[:_EVENTS]:
        lines += _event(event, table, width, service=len(one.named) > 1)
    if len(one.events) > _EVENTS:
        lines.append(f"{' ' * _INDENT}and {len(one.events) - _EVENTS:,} more changes")
    return lines


def _services(one: Pattern) -> str:
    return ", ".join(cut(visible(name[:_SERVICE]), _SERVICE) for name in one.named[:_SERVICES])


def _event(event: Event, table: PatternTable, width: int, *, service: bool, indent: int = _INDENT) -> list[str]:
    told = f"{event.mark()} {event.said(table.zone, day=table.day, service=service)}"
    return textwrap.wrap(told, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))


def _wrapped(text: str, width: int, *, indent: int) -> list[str]:
    """A text in at most two lines; what does not fit ends with …."""
    blank = " " * indent
    room = width - indent
    lines: list[str] = []
    while text and len(lines) < _TEMPLATE_LINES:
        last = len(lines) == _TEMPLATE_LINES - 1
        head = cut(text, room) if last else _line(text, room)
        lines.append(f"{blank}{head}".rstrip())
        text = "" if last else text[len(head) :].lstrip()
    return lines


def _line(text: str, room: int) -> str:
    """As much of the text as one line takes, to the last blank in its second half when there is one."""
    fitting = cut(text, room)
    if fitting == text:
        return text
    fitting = fitting[:-1]
    blank = fitting.rfind(" ")
    return fitting[:blank] if blank > len(fitting) // 2 else fitting
