"""What kind of event a candidate is, how severe, and how it was found: in the words of the anomalies frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from obs_magics.analysis.anomaly.edges import ramp_of
from obs_magics.analysis.anomaly.windows import Candidate
from obs_magics.model.anomalies import Kind, Severity
from obs_magics.model.durations import DAY, format_duration

Array = np.ndarray[Any, Any]

_BRIEF = 4  # cells: at most that long, it is a spike or a drop
_LASTING = 0.4  # of the peak that the median cell must reach, for a shift of the level
_SEASON_CELLS = 12
_AGAINST_SEASON = -0.75  # correlation with the season, for what undoes it
_SEASON_SWING = 3.0  # spreads that the season must move during the event
_SEVERITIES: tuple[tuple[float, Severity], ...] = ((4.0, "critical"), (2.2, "high"), (1.3, "medium"))
_WEEK_DAYS = 7
_SAME = 0.02


def kind_of(candidate: Candidate, z: Array, season: Array, spread: Array) -> Kind:
    """The kind of a candidate.

    Args:
        candidate: Its first and last cell sharpened.
        z: float64, the cells of the row, in spreads.
        season: float64, what the phase adds, in units of the series.
        spread: float64, the size of a spread, likewise.
    """
    if candidate.kind:
        return candidate.kind
    inside = slice(candidate.first, candidate.last + 1)
    sided = z[inside] * candidate.side
    brief: Kind = "spike" if candidate.side > 0 else "drop"
    if len(sided) <= _BRIEF:
        return brief
    if _undoes_season(z[inside], season[inside] / spread[inside]):
        return "seasonality"
    if ramp_of(sided) is not None:
        return "trend_change"
    return "level_shift" if np.median(sided) >= _LASTING * sided.max() else brief


def _undoes_season(z: Array, season: Array) -> bool:
    if len(z) < _SEASON_CELLS or np.ptp(season) < _SEASON_SWING or not np.ptp(z):
        return False
    return bool(np.corrcoef(z, season)[0, 1] < _AGAINST_SEASON)


def severity_of(strength: float) -> Severity:
    """How severe, by how many times the threshold of medium sensitivity it reaches."""
    return next((severity for least, severity in _SEVERITIES if strength >= least), "low")


def method_of(candidate: Candidate, periods: tuple[float, ...], step_ns: float, *, rate: bool) -> str:
    """By what method: "robust level, daily season, mean of 16 points"."""
    parts = ["rate of a counter"] if rate else []
    parts += ["robust level", *(f"{_named(period * step_ns)} season" for period in periods)]
    if candidate.window > 1 and not candidate.kind:
        parts.append(f"mean of {candidate.window} points")
    return ", ".join(parts)


def _named(period_ns: float) -> str:
    for days, name in ((1, "daily"), (_WEEK_DAYS, "weekly")):
        if abs(period_ns / (days * DAY) - 1) < _SAME:
            return name
    digits = 10 ** max(0, len(str(int(period_ns))) - 3)
    return format_duration(round(period_ns / digits) * digits)
