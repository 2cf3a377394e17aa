"""The waterfall for a terminal: name, bar, duration and share of each span."""

from __future__ import annotations

import textwrap

from obs_magics.display.text import columns_of, cut, pad
from obs_magics.display.traces import headline, words
from obs_magics.display.traces.bars import CRITICAL, RUNS, cells
from obs_magics.display.traces.folding import Row
from obs_magics.display.traces.trace import Trace

_BAR, _LEAST_BAR = 20, 10
_DEEP, _MOST_INDENT = 7, 12
_LEAST_NAME = 12
_MESSAGE = 200
_KEY = f"{words.BLOCKS[CRITICAL]} on the critical path, {words.BLOCKS[RUNS]} waits for others or runs beside it"


def waterfall_text(trace: Trace, rows: list[Row], width: int, *, zone: str, title: str) -> str:
    """The whole picture; no line is wider than `width`."""
    if not len(trace):
        return headline.EMPTY
    lines = [
        *_wrapped(f"{headline.title_of(trace, title)}: {headline.facts(trace)}", width),
        *_wrapped(f"trace {words.text(trace.trace_id)}, {headline.began(trace, zone)}", width),
        "",
        *_body(trace, rows, width),
    ]
    return "\n".join([*lines, "", *_wrapped(_KEY if trace.pieces is not None else "", width)]).rstrip()


def _body(trace: Trace, rows: list[Row], width: int) -> list[str]:
    figures = [headline.figures(trace, row) for row in rows]
    sizes = [max(columns_of(figure[place]) for figure in figures) for place in (0, 1)]
    marked = any(row.span == trace.bottleneck and not row.folded for row in rows)
    mark = columns_of(headline.BOTTLENECK) + 1 if marked else 0
    step = 2 if max(row.depth for row in rows) < _DEEP else 1
    names = [_name(trace, row, step) for row in rows]
    room = width - sum(sizes) - 7 - mark  # two blanks before the bar and after it, one and brackets around the share
    name = min(max(map(columns_of, names)), max(room - _BAR, _LEAST_NAME))
    bar = min(_BAR, max(room - name, _LEAST_BAR)) if room - name < _BAR else min(room - name, 2 * _BAR)
    lines = []
    for row, (length, share), shown, said in zip(rows, figures, names, headline.told(trace, rows), strict=True):
        blocks = _blocks(trace, row, bar)
        line = f"{pad(shown, name)}  {blocks}  {pad(length, sizes[0], right=True)} ({pad(share, sizes[1], right=True)})"
        if row.span == trace.bottleneck and not row.folded:
            line = f"{line} {headline.BOTTLENECK}"
        lines.append(cut(line.rstrip(), width))
        if said:
            blank = _indent(row, step) + ("   " if row.depth else "  ")
            lines.append(cut(f"{blank}{words.ERROR} {words.text(said, _MESSAGE)}", width))
    return lines


def _name(trace: Trace, row: Row, step: int) -> str:
    """The service where the trace enters it, and the operation."""
    above = int(trace.parent[row.span])
    service, operation = trace.services[row.span], trace.operations[row.span]
    entered = above < 0 or trace.services[above] != service or row.skipped
    shown = [words.text(service, 40)] if entered and service else []
    shown += [words.text(operation, 60)] if operation or not shown else []
    failed = int(trace.failed[list(row.spans)].sum())
    parts = [f"{words.ERROR}{f'{failed:,}' if row.folded else ''}"] if failed else []
    parts += [f"+ {len(row.spans):,}×"] if row.folded else []
    parts += shown if row.alike else ["other spans"]
    skipped = f"⋯{row.skipped:,}⋯ " if row.skipped else ""
    return f"{_indent(row, step)}{'└─ ' if row.depth else ''}{skipped}{' '.join(parts)}"


def _indent(row: Row, step: int) -> str:
    return " " * (step * min(max(row.depth - 1, 0), _MOST_INDENT // step))


def _blocks(trace: Trace, row: Row, width: int) -> str:
    return "".join(words.BLOCKS[kind] for kind in cells(trace, row.spans, width).tolist())


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)
