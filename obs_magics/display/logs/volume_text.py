"""The volume of logs in characters: a row of blocks for each level."""

from __future__ import annotations

import textwrap

from obs_magics.display.logs.bars import Bars
from obs_magics.display.logs.spark import blocks
from obs_magics.display.marks import pins_text
from obs_magics.display.text import columns_of, cut, pad, safe, time_labels


def volume_text(bars: Bars, width: int) -> str:
    """One row a level, the most severe first, each on a scale of its own; no line is wider than `width`."""
    sums = {level: f"{count:,}" for level, count in bars.sums().items()}
    if len(sums) > 1:
        sums["all"] = f"{int(bars.totals.sum()):,}"
    counts = {**bars.counts, "all": bars.totals}
    names, figures = (max(map(columns_of, texts)) for texts in (sums, sums.values()))
    room = max(8, width - names - figures - 4)
    rows = [
        f"{pad(level, names)}  {pad(total, figures, right=True)}  {blocks(counts[level], room)}".rstrip()
        for level, total in sums.items()
    ]
    clock, zone = time_labels(bars.start_ms, bars.end_ms, bars.zone, room)
    indent = " " * (names + figures + 4)
    scale = "; each row on its own scale" if len(rows) > 1 else ""
    letters = [f"{indent}{pins_text(bars.pins, bars.start_ms, bars.end_ms, room)}"] if bars.pins else []
    said = [*(pin.said for pin in bars.pins), *(f"· {note}" for note in bars.notes)]
    notes = [line for one in said for line in textwrap.wrap(one, width, subsequent_indent="  ")]
    under = textwrap.wrap(f"{bars.unit}; {zone}{scale}", width, subsequent_indent="  ")
    lines = [bars.title, *rows, *letters, f"{indent}{clock}", *under, *notes]
    return "\n".join(cut(safe(line), width) for line in lines)
