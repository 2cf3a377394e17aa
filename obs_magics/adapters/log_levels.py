"""How the level of a line is asked for: in the words that platforms and people write for each level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from obs_magics.analysis.loglines import level_code
from obs_magics.model.logs import LEVELS, UNKNOWN, Level, Volume, levels_from

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pandas as pd

    from obs_magics.adapters.log_rows import Rows
    from obs_magics.model.time import TimeRange

# Loki's own words (pkg/util/constants/levels.go), syslog's, and those of the usual loggers. What is written otherwise
# passes every filter made of these and is judged when it is here.
_SPELLINGS: dict[Level, tuple[str, ...]] = {
    "trace": ("trace",),
    "debug": ("debug", "dbg"),
    "info": ("info", "information", "informational", "notice"),
    "warn": ("warn", "warning"),
    "error": ("err", "error"),
    "fatal": ("fatal", "crit", "critical", "panic", "alert", "emerg", "emergency"),
}

LEVEL_FIELDS = ("level", "severity", "severity_text", "lvl", "loglevel")
"""Names under which lines are labelled with their level, most usual first."""

DETECTED = "detected_level"
"""What Loki 3 finds out about every line by itself, unless it is told not to (`discover_log_levels`)."""
LEVEL_SOURCES = (*LEVEL_FIELDS, DETECTED)
"""All names that tell a level, the line's own before what a server guessed."""


def level_of(labels: Mapping[str, str]) -> str:
    """The level of a group of lines with these labels, or `unknown`."""
    codes = (level_code(labels[name], name) for name in LEVEL_SOURCES if name in labels)
    return next((LEVELS[code] for code in codes if code >= 0), UNKNOWN)


def milder(level: Level) -> str:
    """A regular expression (RE2, for a whole value) of all levels less severe than this; empty when there are none.

    >>> milder("info")
    '(?i)trace|debug|dbg'
    """
    words = [word for other in LEVELS[: LEVELS.index(level)] for word in _SPELLINGS[other]]
    return f"(?i){'|'.join(words)}" if words else ""


def at_least(level: Level) -> str:
    """A regular expression (RE2, for a whole value) of all levels at least this severe.

    >>> at_least("fatal")
    '(?i)fatal|crit|critical|panic|alert|emerg|emergency'
    """
    return f"(?i){'|'.join(word for other in levels_from(level) for word in _SPELLINGS[other])}"


def severe_enough(frame: pd.DataFrame, level: Level) -> npt.NDArray[np.bool_]:
    """Which lines of a logs frame are known to be at least this severe."""
    codes = frame["level"].cat.codes.to_numpy()
    return np.asarray(codes >= LEVELS.index(level), np.bool_)


def keep_severe(level: Level) -> Callable[[Rows], Rows]:
    """What keeps the lines of a page that are known to be at least this severe, by their labels or by their text."""

    def keep(rows: Rows) -> Rows:
        mask = np.zeros(len(rows), np.bool_)
        mask[np.argsort(rows.timestamps_ns, kind="stable")] = severe_enough(rows.frame(), level)
        return rows.where(mask)

    return keep


def volume_of(frame: pd.DataFrame, span: TimeRange, step_ns: int) -> Volume:
    """The volume of a logs frame that holds all lines of a range."""
    bars = -(-span.duration_ns // step_ns)
    places = (frame["timestamp"].astype("int64").to_numpy() - span.start_ns) // step_ns
    codes = frame["level"].cat.codes.to_numpy()
    counts = {
        name: tuple(np.bincount(places[codes == code], minlength=bars).tolist())
        for code, name in [*enumerate(LEVELS), (-1, UNKNOWN)]
        if (codes == code).any()
    }
    return Volume(span.start_ns, step_ns, counts)
