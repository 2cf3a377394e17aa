"""What a metrics frame says in numbers: filled by `analysis.summary`, shown by `display`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Trend = Literal["rising", "falling", "steady", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSummary:
    """One series in numbers; all in the unit of the series, NaN where there is nothing to tell.

    `anomaly_detected` is None when there are too few points to say; `anomaly_reason` says what was seen, in words.
    """

    name: str
    points: int
    current: float
    average: float
    minimum: float
    maximum: float
    p95: float
    trend: Trend
    anomaly_detected: bool | None
    anomaly_reason: str = ""
    anomaly_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A metrics frame in numbers: all series together, and the ones that deserve a look, worst first.

    `overall` pools every value of every series; its `current` is the mean of the series' last values. `shown` holds the
    series in order of interest (anomalous ones first, then the largest), at most as many as were asked for;
    `series` says how many there are in all.
    """

    unit: str
    series: int
    rows: int
    overall: SeriesSummary
    shown: tuple[SeriesSummary, ...]
