"""The scatter of latencies for a terminal: dots for how many traces there are, a cross where one failed."""

from __future__ import annotations

import math
import textwrap

import numpy as np

from obs_magics.display.marks import pins_text
from obs_magics.display.text import columns_of, cut, pad, safe, time_labels
from obs_magics.display.traces import words
from obs_magics.display.traces.points import Points

_ROWS = 8
_MARKS = " ·∶⁘#"  # by how many traces lie in a cell: none, one, up to four, up to sixteen, more


def scatter_text(points: Points, width: int) -> str:
    """The picture; no line is wider than `width`."""
    low, high = _scaled(points, points.shortest if points.logarithmic else 0.0), _scaled(points, points.longest)
    shown = [words.lasted(round(_unscaled(points, low + (high - low) * share) * 1e9)) for share in (1, 0.5, 0)]
    label = max(map(columns_of, shown))
    columns = max(8, width - label - 2)
    marks = dict(zip((0, _ROWS // 2, _ROWS - 1), shown, strict=True))
    body = [
        f"{pad(marks.get(number, ''), label, right=True)} {'┤' if number in marks else '│'}{line}".rstrip()
        for number, line in enumerate(_grid(points, low, high, columns))
    ]
    corner = " " * (label + 1)
    under = [f"{corner}└{'─' * columns}"]
    under += [f"{corner} {pins_text(points.pins, points.start_ms, points.end_ms, columns)}"] if points.pins else []
    under += [f"{corner} {line}" for line in time_labels(points.start_ms, points.end_ms, points.zone, columns)]
    head = textwrap.wrap(f"{points.title}: {points.about()}", width, subsequent_indent="  ")
    told = [*(pin.said for pin in points.pins), *(f"· {note}" for note in points.notes)]
    notes = [line for one in told for line in textwrap.wrap(one, width, subsequent_indent="  ")]
    return "\n".join(cut(safe(line), width) for line in [*head, *body, *under, *notes])


def _grid(points: Points, low: float, high: float, columns: int) -> list[str]:
    counts = np.zeros((_ROWS, columns), dtype=np.int64)
    failed = np.zeros((_ROWS, columns), dtype=bool)
    span = max(points.end_ms - points.start_ms, 1)
    for one in points.points:
        place = min((one.start_ms - points.start_ms) * columns // span, columns - 1)
        share = (_scaled(points, one.seconds) - low) / (high - low) if high > low else 0.0
        row = _ROWS - 1 - min(max(int(share * _ROWS), 0), _ROWS - 1)
        counts[row, place] += 1
        failed[row, place] |= one.errors > 0
    return ["".join(map(_mark, line, bad)) for line, bad in zip(counts.tolist(), failed.tolist(), strict=True)]


def _mark(count: int, failed: bool) -> str:
    if failed:
        return words.ERROR
    return _MARKS[0 if not count else min(1 + math.ceil(math.log(count, 4)), len(_MARKS) - 1)]


def _scaled(points: Points, seconds: float) -> float:
    return math.log10(seconds) if points.logarithmic else seconds


def _unscaled(points: Points, value: float) -> float:
    return float(10**value) if points.logarithmic else value
