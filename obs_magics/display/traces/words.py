"""What all pictures of traces say alike: durations, shares, names, and texts from outside on one line."""

from __future__ import annotations

from typing import Any

import pandas as pd

from obs_magics.display import markup, times
from obs_magics.display.clock import MS
from obs_magics.display.inline import inline
from obs_magics.display.units import format_value
from obs_magics.display.visible import short

ERROR = "✖"
NOTHING = "–"
BLOCKS = "░▒█"  # by kind of a cell: empty, taken, on the critical path
NAME, TITLE = 80, 100  # characters
_READ = 1000
_LEAST_SHARE, _WHOLE_SHARE = 0.0005, 0.0995


def lasted(ns: int) -> str:
    """A duration in nanoseconds as a person says it."""
    return format_value(ns / 1e9, "s")


def duration(value: Any) -> str:
    """A timedelta as a person says it; a dash where it is missing."""
    return NOTHING if pd.isna(value) else lasted(pd.Timedelta(value).as_unit("ns").value)


def percent(share: float) -> str:
    """A share in percents, as exact as a reader compares them: "81 %", "3.4 %", "<0.1 %"."""
    if 0 < share < _LEAST_SHARE:
        return "<0.1 %"
    return f"{100 * share:.{0 if share == 0 or share >= _WHOLE_SHARE else 1}f} %"


def text(value: Any, length: int = NAME) -> str:
    """A text from outside on one line, visible and bounded; a dash where it is missing or empty."""
    shown = "" if not isinstance(value, str) else short(value[:_READ], length)
    return shown or NOTHING


def bounded(value: Any, length: int = NAME) -> str:
    """The same as HTML."""
    return inline(value, length).html if isinstance(value, str) and value else NOTHING


def quiet(html: str) -> str:
    """HTML that stands back."""
    return markup.element("span", html, "obs-quiet")


def trace_id(value: str) -> str:
    """An id as HTML that one click selects."""
    return f'<span class="obs-id">{inline(value, NAME).html}</span>' if value else NOTHING


def moment(value: Any, zone: str, *, day: bool) -> str:
    """An instant to the minute or second; a dash where it is missing."""
    return NOTHING if pd.isna(value) else times.clock(pd.Timestamp(value).as_unit("ns").value, zone, day=day)


def day_and_zone(start_ns: int, end_ns: int, zone: str) -> str:
    """What all times have in common."""
    return times.days_and_zone(start_ns, max(end_ns, start_ns + MS), zone)
