"""From a metrics frame to its anomalies: batches of series, gated before anything is done for one series alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly import settings
from obs_magics.analysis.anomaly.bands import band, band_beside
from obs_magics.analysis.anomaly.edges import settled, sharpened
from obs_magics.analysis.anomaly.grids import Batch, Gridded, batches, on_grid
from obs_magics.analysis.anomaly.kinds import kind_of, method_of, severity_of
from obs_magics.analysis.anomaly.normal import Normal, normals_of
from obs_magics.analysis.anomaly.onsets import Onsets, breaks_of, onsets_of, with_breaks
from obs_magics.analysis.anomaly.selection import one_each, standing_out
from obs_magics.analysis.anomaly.shifts import Moves, moves_of, shifts_of, with_shifts
from obs_magics.analysis.anomaly.still import fell_silent, flat_runs
from obs_magics.analysis.anomaly.swings import sizes_of, swing_evidence, swings_of, with_swings
from obs_magics.analysis.anomaly.tails import Row, believable
from obs_magics.analysis.anomaly.thresholds import Threshold, crossings
from obs_magics.analysis.anomaly.tracks import Track, Tracks
from obs_magics.analysis.anomaly.windows import Candidate, Evidence, candidates_of, evidence_of
from obs_magics.model.anomalies import Anomaly
from obs_magics.model.durations import DAY

Array = np.ndarray[Any, Any]

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
    watched = list(cut(tracks, from_ns))
    if watched:
        anomalies += fell_silent(tracks, watched, tracks.end_ns, since_ns)
    for track in watched:
        anomalies += crossings(rules, tracks, track, since_ns)
        reason = why_not(track)
        if reason:
            skipped.append((tracks.names[track.number], reason))
        elif track.values.min() < track.values.max():
            laid = on_grid(track, since_ns)
            gridded += [laid] if laid.judged < laid.width else []  # it ended before what is judged
    for batch, normal in normal_batches(gridded):
        for row, kept, dropped in _events(batch, normal, level):
            anomalies += (_anomaly(tracks, batch, row, normal, one) for one in kept)
            if dropped:
                skipped.append((tracks.names[batch.rows[row].track.number], f"{dropped} weaker events left out"))
    return Examined(anomalies, sorted(skipped))


def cut(tracks: Tracks, from_ns: int | None) -> Iterator[Track]:
    """The tracks, without what lies before an instant."""
    for track in tracks:
        first = 0 if from_ns is None else int(np.searchsorted(track.times_ns, from_ns))
        yield replace(track, times_ns=track.times_ns[first:], values=track.values[first:]) if first else track


def normal_batches(gridded: Sequence[Gridded]) -> Iterator[tuple[Batch, Normal]]:
    """Series of one shape together, with what is normal for them."""
    return chain.from_iterable(normals_of(batch) for batch in batches(gridded))


def why_not(track: Track) -> str:
    """Why nothing can be said of a series; empty when something can."""
    points = len(track.times_ns)
    if points < settings.FEWEST_POINTS:
        return f"not enough data: {points} of at least {settings.FEWEST_POINTS} points"
    return ""


def _events(batch: Batch, normal: Normal, level: settings.Level) -> Iterator[tuple[int, list[Candidate], int]]:
    """Per row with events: the row, the events, and how many weaker ones were left out."""
    search = _search(batch, normal)
    for row in range(len(batch.rows)):
        found = _row_events(batch, search, row, level)
        most = max(_FEWEST_A_SERIES, math.ceil(level.a_day * batch.values.shape[1] * batch.step_ns / DAY))
        if found:
            yield row, found[:most], max(0, len(found) - most)


@dataclass(frozen=True, slots=True)
class _Search:
    """Everything that is known of a batch before any of its series is looked at alone."""

    normal: Normal
    evidence: Evidence
    sizes: Normal
    swings: Evidence
    moves: Moves | None
    onsets: Onsets | None


def _search(batch: Batch, normal: Normal) -> _Search:
    sizes = sizes_of(normal, batch.seen)
    return _Search(
        normal=normal,
        evidence=evidence_of(normal, batch.judged),
        sizes=sizes,
        swings=swing_evidence(sizes, batch.judged),
        moves=moves_of(normal, batch.judged),
        onsets=onsets_of(normal, normal.filled, batch.day) if normal.short else None,
    )


def _row_events(batch: Batch, search: _Search, row: int, level: settings.Level) -> list[Candidate]:
    """The events of one row, the strongest first."""
    normal, factor = search.normal, level.factor
    track = batch.rows[row].track
    found = flat_runs(track.values, batch.rows[row].cells, factor)
    found += [sharpened(one, normal.z[row]) for one in candidates_of(normal, search.evidence, row, factor)]
    swings = swings_of(search.sizes, search.swings, row, factor)
    moves = search.moves
    shifts = shifts_of(normal, moves, batch.values[row], row, factor) if moves and moves.best[row] > factor else []
    broken = (
        breaks_of(search.onsets, normal.filled[row] - normal.season[row], row, factor, batch.judged)
        if search.onsets
        else []
    )
    if not found and not swings and not shifts and not broken:
        return []
    events = with_swings(with_shifts(one_each([*found, *swings, *shifts]), shifts), swings)
    events = with_breaks(events, broken)
    told = standing_out(events, batch.values.shape[1], level)
    if normal.short:
        told = believable(told, Row(batch.values[row], normal.z[row], search.evidence, row, batch.step_ns), factor)
    return [settled(one, normal.z[row]) for one in told if one.last >= batch.judged]


def _anomaly(tracks: Tracks, batch: Batch, row: int, normal: Normal, event: Candidate) -> Anomaly:
    gridded = batch.rows[row]
    track = gridded.track
    series = tracks.series[track.number]
    first, last = _points(gridded, event)
    cells = gridded.cells[first : last + 1]
    z = normal.z[row]
    beside = band_beside(batch, normal, row, event) if normal.short and event.kind and event.side else None
    low, high = beside or band(batch, normal, row)
    off = z if beside is None else batch.values[row] - (high if event.side > 0 else low)
    peak = int(cells[np.argmax(off[cells] * event.side if event.side else np.abs(off[cells]))])
    half = (high[peak] - low[peak]) / 2
    strength = max(event.strength, 1 + abs(off[peak]) / half) if beside and half > 0 else event.strength
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
        severity=severity_of(strength),
        detection_method=method_of(event, normal.periods[row], batch.step_ns, rate=track.rate),
        ongoing=event.last >= gridded.width - 1 - _ENDS,
    )


def _points(gridded: Gridded, event: Candidate) -> tuple[int, int]:
    """The first and the last point of an event: of its cells those that have one."""
    first = int(np.searchsorted(gridded.cells, event.first))
    last = int(np.searchsorted(gridded.cells, event.last, side="right")) - 1
    return (first, last) if first <= last else (last, last)
