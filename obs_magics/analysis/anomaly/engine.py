"""From a metrics frame to its anomalies: batches of series, gated before anything is done for one series alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly import settings
from obs_magics.analysis.anomaly.edges import sharpened
from obs_magics.analysis.anomaly.grids import Batch, Gridded, batches, on_grid
from obs_magics.analysis.anomaly.kinds import kind_of, method_of, severity_of
from obs_magics.analysis.anomaly.normal import Normal, normal_of
from obs_magics.analysis.anomaly.selection import one_each, standing_out
from obs_magics.analysis.anomaly.thresholds import Threshold, crossings
from obs_magics.analysis.anomaly.tracks import Track, Tracks
from obs_magics.analysis.anomaly.windows import Candidate, Evidence, candidates_of, evidence_of
from obs_magics.model.anomalies import Anomaly
from obs_magics.model.durations import DAY

Array = np.ndarray[Any, Any]

BAND = 3.0
"""Spreads on either side of what is expected that are normal."""
_MOST_SPREADS = 1e4
_ENDS = 2  # cells from the last one, within which an event still goes on
_FEWEST_A_SERIES = 3

Skipped = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Examined:
    """What an examination of tracks found: anomalies, and which series it said nothing of, with the reason."""

    anomalies: list[Anomaly]
    skipped: list[Skipped]


def examine_tracks(
    tracks: Tracks, level: settings.Level, since_ns: int | None, from_ns: int | None, rules: Sequence[Threshold]
) -> Examined:
    """Look at every series.

    Args:
        tracks: The series.
        level: What the sensitivity asks for.
        since_ns: Where judging begins; None for the first point.
        from_ns: Nothing before this is looked at; None for the first point.
        rules: Thresholds.
    """
    anomalies: list[Anomaly] = []
    skipped: list[Skipped] = []
    gridded = []
    for track in cut(tracks, from_ns):
        anomalies += crossings(rules, tracks, track, since_ns)
        reason = why_not(track)
        if reason:
            skipped.append((tracks.names[track.number], reason))
        elif track.values.min() < track.values.max():
            gridded.append(on_grid(track, since_ns))
    for batch in batches(gridded):
        for row, kept, dropped in _events(batch, level):
            anomalies += (_anomaly(tracks, batch, *kept_one) for kept_one in kept)
            if dropped:
                skipped.append((tracks.names[batch.rows[row].track.number], f"{dropped} weaker events left out"))
    return Examined(anomalies, sorted(skipped))


def cut(tracks: Tracks, from_ns: int | None) -> Iterator[Track]:
    """The tracks, without what lies before an instant."""
    for track in tracks:
        first = 0 if from_ns is None else int(np.searchsorted(track.times_ns, from_ns))
        yield replace(track, times_ns=track.times_ns[first:], values=track.values[first:]) if first else track


def why_not(track: Track) -> str:
    """Why nothing can be said of a series; empty when something can."""
    points = len(track.times_ns)
    if points < settings.FEWEST_POINTS:
        return f"not enough data: {points} of at least {settings.FEWEST_POINTS} points"
    return ""


_Kept = tuple[int, Normal, Candidate]


def _events(batch: Batch, level: settings.Level) -> Iterator[tuple[int, list[_Kept], int]]:
    """Per row with events: the row, the events, and how many weaker ones were left out."""
    normal = normal_of(batch)
    evidence = evidence_of(normal, batch.judged)
    hot = evidence.best.max(axis=(0, 1)) > level.factor
    for row in np.flatnonzero(hot).tolist():
        found = _row_events(normal, evidence, row, level, batch.judged)
        most = max(_FEWEST_A_SERIES, math.ceil(level.a_day * batch.values.shape[1] * batch.step_ns / DAY))
        yield row, [(row, normal, one) for one in found[:most]], max(0, len(found) - most)


def _row_events(normal: Normal, evidence: Evidence, row: int, level: settings.Level, judged: int) -> list[Candidate]:
    z = normal.z[row]
    found = [sharpened(one, z) for one in candidates_of(normal, evidence, row, level.factor)]
    events = standing_out(one_each(found), len(z), level)
    return [one for one in events if one.last >= judged]


def _anomaly(tracks: Tracks, batch: Batch, row: int, normal: Normal, event: Candidate) -> Anomaly:
    gridded = batch.rows[row]
    track = gridded.track
    series = tracks.series[track.number]
    first, last = _points(gridded, event)
    cells = gridded.cells[first : last + 1]
    z = normal.z[row]
    peak = int(cells[np.argmax(z[cells] * event.side if event.side else np.abs(z[cells]))])
    low, high = band(batch, normal, row)
    return Anomaly(
        series=tracks.names[track.number],
        metric=series.metric,
        labels=series.labels,
        start_ns=int(track.times_ns[first]),
        end_ns=int(track.times_ns[last]),
        kind=kind_of(event, z, normal.season[row], np.minimum(normal.low[row], normal.high[row])),
        value=float(batch.values[row, peak]),
        expected_low=float(low[peak]),
        expected_high=float(high[peak]),
        score=min(event.spreads, _MOST_SPREADS),
        severity=severity_of(event.strength),
        detection_method=method_of(event, normal.periods[row], batch.step_ns, rate=track.rate),
        ongoing=event.last >= gridded.width - 1 - _ENDS,
    )


def _points(gridded: Gridded, event: Candidate) -> tuple[int, int]:
    """The first and the last point of an event: of its cells those that have one."""
    first = int(np.searchsorted(gridded.cells, event.first))
    last = int(np.searchsorted(gridded.cells, event.last, side="right")) - 1
    return (first, last) if first <= last else (last, last)


def band(batch: Batch, normal: Normal, row: int) -> tuple[Array, Array]:
    """Between what values each cell of a row is normal; never below zero for a series that never is."""
    low = normal.expected[row] - BAND * normal.low[row]
    high = normal.expected[row] + BAND * normal.high[row]
    return (np.maximum(low, 0.0) if batch.rows[row].track.values.min() >= 0 else low), high
