"""The table of patterns: what the lines say, how often, when, where, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from obs_magics.display.logs.events import events_of
from obs_magics.display.logs.pattern_rows import rows_of
from obs_magics.display.logs.patterns_html import table_html
from obs_magics.display.logs.patterns_text import table_text
from obs_magics.display.logs.style import STYLE
from obs_magics.display.panel import Section

PATTERNS = 12
MAX_PATTERNS = 100


def pattern_table(
    patterns: pd.DataFrame,
    spark: Mapping[str, Sequence[int]],
    *,
    surges: pd.DataFrame | None = None,
    zone: str = "UTC",
    limit: int = PATTERNS,
    span_ns: tuple[int, int] | None = None,
) -> Section:
    """The patterns of a logs frame: errors first, then what changed, then those with most lines.

    Args:
        patterns: The table of the analysis of patterns, one row a pattern.
        spark: By `id`, lines in equal stretches of time, the same stretches for all; what has none gets no picture.
        surges: What is new, surges, drops or vanished; rows of patterns that the table lacks stand below it.
        zone: IANA name of the zone in which times are written; the table names it.
        limit: At most so many patterns, 100 at most; fewer when they are large.
        span_ns: From when to when `spark` counts, in nanoseconds since the epoch, to be named.
    """
    table = rows_of(
        patterns, spark, events=events_of(surges), zone=zone, limit=min(max(1, limit), MAX_PATTERNS), span_ns=span_ns
    )
    return Section(partial(table_html, table), partial(table_text, table), STYLE)
