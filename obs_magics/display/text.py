"""Charts in characters, for terminals and for readers without pictures."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from obs_magics.display.bands import bands_text
from obs_magics.display.clock import MS, clock_text, time_axis
from obs_magics.display.downsample import Array, Line
from obs_magics.display.marks import pins_text
from obs_magics.display.units import digits_apart, format_value

if TYPE_CHECKING:
    from obs_magics.display.drawing import Drawing, Drawn

_BLOCKS = "▁▂▃▄▅▆▇█"
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_BRAILLE = 0x2800
# Bit of each dot of a braille character, by row from the top and by column (Unicode chart U+2800).
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_ROWS = 8
_LEAST_SPARK = 16


def drawing_text(drawing: Drawing, width: int = 80) -> str:
    """A drawing in characters: a braille chart for one line, sparklines for several, blocks for bars."""
    body = _bars(drawing, width) if drawing.kind == "bars" else _lines(drawing, width)
    head = [drawing.title, *([drawing.common] if drawing.common else [])]
    told = [*drawing.legend(), *(f"· {note}" for note in drawing.notes)]
    notes = [line for one in told for line in textwrap.wrap(one, width, subsequent_indent="  ", break_on_hyphens=False)]
    return "\n".join(cut(safe(line), width) for line in [*head, *body, *notes])


def _lines(drawing: Drawing, width: int) -> list[str]:
    if len(drawing.series) == 1:
        return _braille_chart(drawing, width)
    return _sparklines(drawing, width)


def _sparklines(drawing: Drawing, width: int) -> list[str]:
    numbers = [_figures(one, drawing.unit) for one in drawing.series]
    columns = [("min", 0), ("max", 1), ("last", 2)]
    sizes = [max(columns_of(title), *(columns_of(row[place]) for row in numbers)) for title, place in columns]
    room = width - sum(sizes) - 2 * len(sizes)
    longest = max(columns_of(drawing.key), *(columns_of(one.name) for one in drawing.series))
    name_width = min(longest, max(8, room - 2 - _LEAST_SPARK))
    spark_width = max(4, room - name_width - 2)
    titles = "  ".join(pad(title, size, right=True) for (title, _), size in zip(columns, sizes, strict=True))
    rows = [f"{pad(drawing.key, name_width)}  {' ' * spark_width}  {titles}"]
    for one, row in zip(drawing.series, numbers, strict=True):
        spark = sparkline(*binned(one.line, drawing.start_ms, drawing.end_ms, spark_width)[1:])
        cells = "  ".join(pad(cell, size, right=True) for cell, size in zip(row, sizes, strict=True))
        rows.append(f"{pad(one.name, name_width)}  {spark}  {cells}")
    axis = _time_labels(drawing, spark_width)
    indent = " " * (name_width + 2)
    marks = [f"{indent}{row}" for row in _marks(drawing, spark_width)]
    return [*rows, *marks, f"{indent}{axis[0]}", f"{indent}{axis[1]}; each line on its own scale"]


def _figures(one: Drawn, unit: str) -> list[str]:
    finite = one.line.values[np.isfinite(one.line.values)]
    return [format_value(float(number), unit) for number in (finite.min(), finite.max(), one.last)]


def sparkline(low: Array, high: Array) -> str:
    """One character per column: its highest value on the scale of all of them, blank where there is none.

    Args:
        low: float64, the lowest value of each column; NaN where there is none.
        high: float64, the highest.
    """
    if not np.isfinite(high).any():
        return " " * len(high)
    bottom, top = np.nanmin(low), np.nanmax(high)
    # Halved before they are subtracted: the span of the largest doubles is not a double.
    share = (high / 2 - bottom / 2) / (top / 2 - bottom / 2) if top > bottom else np.where(np.isnan(high), np.nan, 0.4)
    return "".join(" " if np.isnan(one) else _BLOCKS[min(7, int(one * 8))] for one in share)


def binned(line: Line, start_ms: int, end_ms: int, columns: int) -> tuple[Array, Array, Array]:
    """First, lowest and highest value of each of `columns` equal stretches of time; NaN where none is."""
    finite = np.isfinite(line.values)
    values = line.values[finite]
    times = line.timestamps_ns[finite] / MS - start_ms
    span = max(end_ms - start_ms, 1)
    cells = np.clip((times * columns / span).astype(np.int64), 0, columns - 1)
    first, low, high = np.full(columns, np.nan), np.full(columns, np.inf), np.full(columns, -np.inf)
    first[cells[::-1]] = values[::-1]
    np.minimum.at(low, cells, values)
    np.maximum.at(high, cells, values)
    low[np.isinf(low)] = np.nan
    high[np.isinf(high)] = np.nan
    # A column narrower than the step holds nothing: it goes on with what was, unless the line breaks there.
    for place in range(1, columns):
        if np.isnan(high[place]) and not _breaks_at(line, start_ms + (place + 0.5) * span / columns):
            low[place], high[place] = low[place - 1], high[place - 1]
    return first, low, high


def _breaks_at(line: Line, at_ms: float) -> bool:
    """Whether the middle of a column without points lies in a gap, or past the end, of the line."""
    after = int(np.searchsorted(line.timestamps_ns, at_ms * MS))
    outside = after == 0 or after == len(line.values)
    return outside or bool(np.isnan(line.values[after - 1 : after + 1]).any())


def _braille_chart(drawing: Drawing, width: int) -> list[str]:
    one = drawing.series[0]
    digits = digits_apart(drawing.low, drawing.high)
    labels = [
        format_value(value, drawing.unit, digits=digits) for value in (drawing.high, _middle(drawing), drawing.low)
    ]
    if drawing.low == drawing.high:
        labels = ["", labels[1], ""]
    label_width = max(map(columns_of, labels))
    columns = max(8, width - label_width - 2)
    _, low, high = binned(one.line, drawing.start_ms, drawing.end_ms, columns * 2)
    rows = _dots(low, high, drawing.low, drawing.high)
    marks = {0: labels[0], _ROWS // 2 if drawing.low < drawing.high else _ROWS - 1: labels[1]}
    marks |= {_ROWS - 1: labels[2]} if drawing.low < drawing.high else {}
    body = [
        f"{pad(marks.get(number, ''), label_width, right=True)} {'┤' if marks.get(number) else '│'}{row}".rstrip()
        for number, row in enumerate(rows)
    ]
    axis = _time_labels(drawing, columns)
    corner = " " * (label_width + 1)
    odd = [f"{corner} {row}" for row in _marks(drawing, columns)]
    return [*body, f"{corner}└{'─' * columns}", *odd, f"{corner} {axis[0]}", f"{corner} {axis[1]}"]


def _middle(drawing: Drawing) -> float:
    return drawing.low / 2 + drawing.high / 2


def _dots(low: Array, high: Array, bottom: float, top: float) -> list[str]:
    """Rows of braille characters; each half column is filled from its lowest to its highest value."""
    levels = _ROWS * 4 - 1
    span = top / 2 - bottom / 2
    grid = np.full((_ROWS, len(low) // 2), _BRAILLE, dtype=np.int64)
    before: tuple[int, int] | None = None
    for column, (least, most) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        if math.isnan(most):
            before = None
            continue
        down, up = (round((value / 2 - bottom / 2) / span * levels) if span else 0 for value in (least, most))
        start, end = _joined(down, up, before)
        before = (down, up)
        for level in range(start, end + 1):
            row, dot = divmod(levels - level, 4)
            grid[row, column // 2] |= _DOTS[dot][column % 2]
    return ["".join(map(chr, row)) for row in grid.tolist()]


def _joined(down: int, up: int, before: tuple[int, int] | None) -> tuple[int, int]:
    """The dots of a half column, stretched to meet those before: a steep rise is a line and not two dots."""
    if before is None:
        return down, up
    return min(down, before[1] + 1) if before[1] < down else down, max(up, before[0] - 1) if before[0] > up else up


def _marks(drawing: Drawing, columns: int) -> list[str]:
    """Unusual stretches, and below them the letters of events."""
    span = drawing.start_ms, drawing.end_ms, columns
    return [
        *([bands_text(drawing.bands, *span)] if drawing.bands else []),
        *([pins_text(drawing.pins, *span)] if drawing.pins else []),
    ]


def _time_labels(drawing: Drawing, columns: int) -> tuple[str, str]:
    return time_labels(drawing.start_ms, drawing.end_ms, drawing.zone, columns)


def time_labels(start_ms: int, end_ms: int, zone: str, columns: int) -> tuple[str, str]:
    """Start, middle and end of the time axis under `columns` characters, and the line with day and zone."""
    axis = time_axis(start_ms, end_ms, zone)
    span = end_ms - start_ms
    days = span >= 2 * 86_400_000
    grain = 60_000 if span >= 600_000 else 1000 if span >= 10_000 else 1
    texts = [
        clock_text(int(start_ms + span * share) // grain * grain, zone, day=days, named=False) for share in (0, 0.5, 1)
    ]
    wide = sum(map(columns_of, texts)) + 4 <= columns
    left, middle, right = texts if wide else (texts[0], "", texts[2])
    gap = columns - columns_of(left) - columns_of(right)
    if gap < 1:
        return left, axis.title
    lead = max(1, columns // 2 - columns_of(left) - columns_of(middle) // 2) if middle else 0
    return f"{left}{' ' * lead}{middle}{' ' * (gap - lead - columns_of(middle))}{right}", axis.title


def _bars(drawing: Drawing, width: int) -> list[str]:
    values = [format_value(one.last, drawing.unit) for one in drawing.series]
    value_width = max(map(columns_of, values))
    longest = max(columns_of(one.name) for one in drawing.series)
    name_width = min(longest, max(8, (width - value_width) // 2))
    room = max(4, width - name_width - value_width - 4)
    largest = max(abs(drawing.low), abs(drawing.high)) or 1.0
    rows = [
        f"{pad(one.name, name_width)}  {pad(text, value_width, right=True)}  {_bar(one.last / largest, room)}".rstrip()
        for one, text in zip(drawing.series, values, strict=True)
    ]
    by = f"by {drawing.key}, " if drawing.key else ""
    return [*rows, f"{by}at {clock_text(drawing.end_ms, drawing.zone, day=True)}"]


def _bar(share: float, room: int) -> str:
    eighths = round(abs(share) * room * 8)
    bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8]
    return f"−{bar}" if share < 0 else bar


# ── widths in a terminal ─────────────────────────────────────────────────────────────────────────────────────────────


def columns_of(text: str) -> int:
    """How many columns a terminal gives to a text: wide characters two, combining ones none."""
    return sum(_column(char) for char in text)


def _column(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def safe(text: str) -> str:
    """A line without the characters by which a text could command a terminal."""
    return "".join(char if char.isprintable() else " " if char in "\n\t" else "�" for char in text)


def cut(text: str, width: int) -> str:
    """The text, ended with … where it is wider than `width` columns."""
    if columns_of(text) <= width:
        return text
    kept, used = [], 0
    for char in text:
        used += _column(char)
        if used > width - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` columns, cut or filled with blanks; `right` puts the blanks before it."""
    fitted = cut(text, width)
    blanks = " " * (width - columns_of(fitted))
    return blanks + fitted if right else fitted + blanks


def aligned(rows: Sequence[Sequence[str]], numeric: Sequence[bool], limit: int = 60) -> list[str]:
    """Rows of cells as lines with aligned columns, two blanks apart; no cell wider than `limit`."""
    sizes = [min(limit, max(columns_of(row[place]) for row in rows)) for place in range(len(numeric))]
    return [
        "  ".join(pad(cell, size, right=right) for cell, size, right in zip(row, sizes, numeric, strict=True)).rstrip()
        for row in rows
    ]
