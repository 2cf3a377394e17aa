"""What a metrics frame says in numbers: filled by `analysis.summary`, shown by `display`."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Literal

Trend = Literal["rising", "falling", "steady", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSummary:
    """One series in numbers; all in the unit of the series, NaN where there is nothing to tell.

    `anomaly_detected` is None when there is no way to say (too few points, a raw counter); `anomaly_reason` says what
    was seen, or why nothing can be said, in words. `current` is the last number, told at `current_at`; `trend_since` is
    where a trend began when it did not fill the whole range. All times are ISO 8601 in UTC, empty when there are none.
    `not_numbers` of the `points` are NaN or infinite and count nowhere else.
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
    median: float = nan
    current_at: str = ""
    trend_since: str = ""
    not_numbers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A metrics frame in numbers: all series together, and the ones that deserve a look, worst first.

    `overall` pools every value of every series; its `current` is the mean of the series' last values. `shown` holds the
    series in order of interest (anomalous ones first, then the largest), at most as many as were asked for;
    `series` says how many there are in all. Where they are too many, `unexamined` of them, the smallest, were not
    looked into for trends and anomalies, and only count in `overall`.
    """

    unit: str
    series: int
    rows: int
    overall: SeriesSummary
    shown: tuple[SeriesSummary, ...]
    unexamined: int = 0
