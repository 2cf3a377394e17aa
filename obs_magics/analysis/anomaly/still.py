"""Series that stand still though they never do: the same value over and over, or no value at all any more."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.tracks import Track, Tracks
from obs_magics.analysis.anomaly.windows import Candidate, stretches
from obs_magics.model.anomalies import Anomaly, Kind

Array = np.ndarray[Any, Any]

_FEWEST_SAME = 8  # equal values in a row
_LONGER = 3.0  # times as long as any other such run of the series
_BY_CHANCE = 1e-4  # that such a run turns up in a series whose neighbours are equal as often as elsewhere in it
_LONGEST_RUNS = 3
_MISSED = 10  # steps without a value
_LONGER_GAP = 3.0  # times as long as any gap before
_FEWEST_POINTS = 24

ALIKE = ("service", "job", "app", "namespace")
"""The first of these labels that a series has says whose it is."""


def flat_runs(values: Array, cells: Array, factor: float) -> list[Candidate]:
    """Runs of one value that are far longer than any other of the series.

    Args:
        values: float64, in order of time.
        cells: Where they stand.
        factor: On the threshold.
    """
    same = values[1:] == values[:-1]
    equal = int(np.count_nonzero(same))
    if equal < _FEWEST_SAME / 2:
        return []
    runs = stretches(same, 0)
    lengths = np.array([last - first + 2 for first, last in runs])
    found = []
    for place in np.argsort(-lengths, kind="stable")[:_LONGEST_RUNS].tolist():
        length = int(lengths[place])
        others = np.delete(lengths, place)
        usual = (equal - (length - 1) + 1) / (len(values) - length + 1)  # one more than was seen
        rare = math.log(len(values) / _BY_CHANCE) / -math.log(min(usual, 1 - 1e-9))
        strength = length / max(_FEWEST_SAME, _LONGER * float(others.max(initial=1)), rare)
        if strength > factor:
            first, last = int(cells[runs[place][0]]), int(cells[runs[place][1] + 1])
            kind: Kind = "level_shift" if _above_all_else(values, *runs[place]) else "silence"
            found.append(Candidate(strength, first, last, first, 0, length, strength, kind))
    return found


def _above_all_else(values: Array, first: int, last: int) -> bool:
    """Whether a run stands higher than the series ever does: an error rate of 100 % is a shift, and no silence."""
    elsewhere = np.delete(values, slice(first, last + 2))
    return bool(values[first] > elsewhere.max(initial=-math.inf)) and len(elsewhere) > 0


def fell_silent(tracks: Tracks, watched: Sequence[Track], end_ns: int, since_ns: int | None) -> Iterator[Anomaly]:
    """Whose values no longer come: a metric of a service of which no series reaches the end any more.

    That one of several series ends (a pod was replaced) is no event. The end is known by other series that go on.

    Args:
        tracks: Who the series are.
        watched: Their points.
        end_ns: The last instant at which any series has a value.
        since_ns: What fell silent before is not told.
    """
    groups: dict[tuple[str, str, str], list[Track]] = defaultdict(list)
    for track in watched:
        series = tracks.series[track.number]
        whose = next((name for name in ALIKE if name in series.labels), "")
        if len(track.times_ns):
            groups[series.metric, whose, series.labels.get(whose, "")].append(track)
    for group in groups.values():
        latest = max(group, key=lambda one: (int(one.times_ns[-1]), -one.number))
        if len(latest.times_ns) < _FEWEST_POINTS:
            continue
        steps = np.diff(latest.times_ns)
        step, last = float(np.median(steps)), int(latest.times_ns[-1])
        missed = (end_ns - last) / step
        if missed > max(_MISSED, _LONGER_GAP * float(steps.max()) / step) and (since_ns is None or end_ns >= since_ns):
            yield _silence(tracks, latest, round(last + step), end_ns, missed)


def _silence(tracks: Tracks, track: Track, start_ns: int, end_ns: int, missed: float) -> Anomaly:
    series = tracks.series[track.number]
    low, high = np.quantile(track.values, (0.05, 0.95))
    return Anomaly(
        series=tracks.names[track.number],
        metric=series.metric,
        labels=series.labels,
        start_ns=start_ns,
        end_ns=end_ns,
        kind="silence",
        value=math.nan,
        expected_low=float(low),
        expected_high=float(high),
        score=missed,
        severity="medium",
        detection_method=f"no value any more, {missed:.0f} steps long",
        ongoing=True,
    )
