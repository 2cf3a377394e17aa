"""The list of lines: one row each, which opens to the whole line with its labels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from obs_magics.display.logs.line_rows import Order, rows_of
from obs_magics.display.logs.lines_html import list_html
from obs_magics.display.logs.lines_text import list_text
from obs_magics.display.logs.style import STYLE
from obs_magics.display.panel import Section

LINES = 30
MAX_LINES = 200


def log_list(
    frame: pd.DataFrame,
    *,
    zone: str = "UTC",
    limit: int = LINES,
    order: Order = "newest",
    phrases: Sequence[str] = (),
    total: int | None = None,
) -> Section:
    """The newest or the most severe lines of a logs frame.

    Args:
        frame: A logs frame.
        zone: IANA name of the zone in which times are written; the list names it.
        limit: At most so many lines, 200 at most; fewer when they are large.
        order: Which lines come first, and are kept: the newest, or the most severe and of these the newest.
        phrases: What was asked for, each marked where it stands, in any case of letters.
        total: How many lines the source counted in all, where the frame has some of them.
    """
    rows = rows_of(frame, zone=zone, limit=min(max(1, limit), MAX_LINES), order=order, phrases=phrases, total=total)
    return Section(partial(list_html, rows), partial(list_text, rows), STYLE)
