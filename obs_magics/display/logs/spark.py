"""Counts over time in the height of a line: bars as SVG, block characters as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from obs_magics.display import markup
from obs_magics.display.units import count_text
from obs_magics.model.logs import Array

WIDTH, HEIGHT = 120, 22
_MAX_BARS = 60
_LEAST = 2  # pixels of a bar that is not zero
_BLOCKS = "▁▂▃▄▅▆▇█"


def merged(counts: Sequence[int], most: int) -> Array:
    """int64: the counts in at most `most` bars, each the sum of as many neighbours; the last may have fewer."""
    values = np.asarray(counts, dtype=np.int64)
    if len(values) <= most:
        return values
    return np.add.reduceat(values, np.arange(0, len(values), -(-len(values) // most)))


def blocks(counts: Sequence[int] | Array, width: int) -> str:
    """Counts in exactly `width` characters: the highest is a full block, none is blank.

    >>> blocks([0, 1, 4, 8], 8)
    '  ▁▁▄▄██'
    """
    values = np.asarray(counts, dtype=np.int64)
    if not len(values):
        return " " * width
    if len(values) <= width:
        columns = values[np.arange(width) * len(values) // width]
    else:  # the highest of those that share a column: a sum would make steps where columns hold unlike many
        columns = np.maximum.reduceat(values, np.arange(width) * len(values) // width)
    top = max(int(columns.max()), 1)
    return "".join(_BLOCKS[-(-int(one) * 8 // top) - 1] if one else " " for one in columns)


def svg(counts: Sequence[int]) -> str:
    """Counts as bars in the colour of the text around.

    What stands in its title is what remains where a front end takes SVG away, as JupyterLab does in a notebook that is
    not trusted.
    """
    bars = merged(counts, _MAX_BARS)
    if not len(bars):
        return ""
    top = max(int(bars.max()), 1)
    step = WIDTH / len(bars)
    path = "".join(
        f"M{place * step:.4g},{HEIGHT}v{-max(_LEAST, round(HEIGHT * one / top, 1)):g}h{step * 0.86:.3g}V{HEIGHT}z"
        for place, one in enumerate(bars.tolist())
        if one
    )
    title = f"{blocks(bars, min(len(bars), 24))} at most {count_text(top, 'line')} a bar"
    return (
        f'<svg class="obs-spark" role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<title>{markup.text(title)}</title><path fill="currentColor" opacity=".35" d="M0,{HEIGHT}v-1h{WIDTH}v1z"/>'
        f'<path fill="currentColor" d="{path}"/></svg>'
    )
