"""When it began, where nobody said: the unusual stretch of the symptom's own series, else of that which moved most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from obs_magics.analysis.robust import unusual
from obs_magics.analysis.root_cause.inputs import Symptom, Window
from obs_magics.analysis.root_cause.metric_shifts import SeriesTable
from obs_magics.analysis.root_cause.roles import BAD, OUTCOMES, role_of

_STEP_NS = 60 * 1_000_000_000
_BEFORE_ALERT_NS, _AFTER_ALERT_NS = 5 * _STEP_NS, 10 * _STEP_NS  # alerts wait for some minutes before they ring
_LATE_NS = _STEP_NS  # that what is alerted of may be seen after it: series have steps


@dataclass(frozen=True, slots=True)
class Stretch:
    """An unusual stretch: how far off it is, when, and whether it is more than one point."""

    score: float
    window: Window
    lasting: bool


def find_incident(table: SeriesTable, symptom: Symptom | None, alerted_ns: int | None = None) -> Window | None:
    """The stretch that is unusual; None when nothing is.

    Args:
        table: The metrics by series.
        symptom: What people saw; its own series count before all others.
        alerted_ns: When somebody was told: a stretch that is over by then does not count, nor one that begins later.
    """
    groups = [
        [one for at in series if (one := stretch_of(table, at, alerted_ns))] for series in _in_order(table, symptom)
    ]
    for lasting in (True, False):  # a single point counts only where nothing lasts
        for found in groups:
            kept = [one for one in found if one.lasting or not lasting]
            best = max(kept, key=lambda one: (one.score, -one.window.start_ns), default=None)
            if best:
                return best.window
    return _around(table, alerted_ns) if alerted_ns is not None else None


def _around(table: SeriesTable, alerted_ns: int) -> Window | None:
    """The time around an alert, where no series alone tells more."""
    last = int(table.instants.max(initial=0))
    window = Window(alerted_ns - _BEFORE_ALERT_NS, min(alerted_ns + _AFTER_ALERT_NS, last + 1))
    return window if window.start_ns < window.end_ns else None


def _in_order(table: SeriesTable, symptom: Symptom | None) -> Iterator[list[int]]:
    """Series in groups: the symptom's metric, what callers of its service feel, all of its service, everything."""
    keys = [(str(key.service), str(key.metric)) for key in table.keys.itertuples(index=False)]
    everything = list(range(len(keys)))
    if symptom is not None:
        own = [at for at in everything if keys[at][0] == symptom.service]
        yield [at for at in own if keys[at][1] == symptom.metric]
        yield [at for at in own if role_of(keys[at][1]) in OUTCOMES]
        yield own
    yield [at for at in everything if role_of(keys[at][1]) in OUTCOMES]
    yield everything


def stretch_of(table: SeriesTable, series: int, alerted_ns: int | None = None) -> Stretch | None:
    """The unusual stretch of one series and how far off it is; None when nothing is, or when it is no bad one."""
    rows = np.flatnonzero(table.series == series)
    rows = rows[np.argsort(table.instants[rows], kind="stable")]
    found = unusual(table.values[rows])
    if found is None:
        return None
    instants = table.instants[rows]
    bad = BAD[role_of(str(table.keys["metric"].iloc[series]))]
    if bad and np.sign(table.values[rows][found.peak] - found.median) != bad:
        return None
    step = int(np.median(np.diff(instants))) if len(instants) > 1 else _STEP_NS
    window = Window(int(instants[found.start]), int(instants[found.end]) + step)
    if alerted_ns is not None and not window.start_ns - _LATE_NS <= alerted_ns <= window.end_ns:
        return None
    return Stretch(min(found.score, 1e6), window, found.kind == "sustained")
