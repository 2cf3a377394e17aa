"""The waterfall of a trace: its spans as bars over time, the critical path, errors and the bottleneck marked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from obs_magics.display.panel import Section
from obs_magics.display.traces.folding import MAX_ROWS, folded
from obs_magics.display.traces.style import STYLE
from obs_magics.display.traces.trace import Array, trace_of
from obs_magics.display.traces.waterfall_html import waterfall_html
from obs_magics.display.traces.waterfall_text import waterfall_text


def waterfall(
    frame: pd.DataFrame,
    *,
    critical: pd.DataFrame | None = None,
    parent: Sequence[int] | Array | None = None,
    zone: str = "UTC",
    title: str = "",
) -> Section:
    """Draw one trace.

    Args:
        frame: A spans frame with the spans of one trace. Of more than sixty those are shown that matter: see `folding`.
        critical: The pieces of its critical path: `row` (position in the frame) · `start` · `end`. Without it no path
            and no bottleneck is marked.
        parent: Row of each span's parent, -1 for a root, where somebody has it; else found by the ids.
        zone: IANA name of the zone in which times are written; the picture names it.
        title: What stands above it; service and operation of its root when empty.

    Raises:
        UsageError: There are several traces in the frame, or no zone has that name.
    """
    trace = trace_of(frame, critical, parent)
    rows = folded(trace, MAX_ROWS)
    return Section(
        partial(waterfall_html, trace, rows, zone=zone, title=title),
        partial(waterfall_text, trace, rows, zone=zone, title=title),
        STYLE,
    )
