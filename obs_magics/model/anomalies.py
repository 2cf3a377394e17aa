"""The anomalies frame: one row per unusual stretch of one series, in order of time.

`series` (string: the short name by which charts and tables call it) · `metric` and `service` (category) · `start` and
`end` (datetime64[ns, UTC], the first and the last unusual point) · `kind` (category, `KINDS`) · `value` (float64, the
most unusual one, in the unit of the series) · `expected_low`, `expected_high` (float64, what would have been normal
there) · `score` (float64, how far off, in spreads of the noise) · `severity` (ordered category, `SEVERITIES`) ·
`detection_method` (string, in words) · `ongoing` (bool: the series ends with it) · one category column per label of the
series, sorted by name. A label whose name is taken gets the prefix `label_`; the label `service` is the column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd

from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE, categories, free_column

Kind = Literal[
    "spike",
    "drop",
    "level_shift",
    "trend_change",
    "seasonality",
    "variance",
    "silence",
    "threshold",
    "correlation_break",
    "joint",
]
Severity = Literal["low", "medium", "high", "critical"]
Sensitivity = Literal["low", "medium", "high"]

KINDS: tuple[Kind, ...] = get_args(Kind)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least severe to the most: the position is the code in a frame's `severity`."""
SENSITIVITIES: tuple[Sensitivity, ...] = get_args(Sensitivity)
SEVERITY_DTYPE = pd.CategoricalDtype(pd.Index(list(SEVERITIES), dtype=STRING_DTYPE), ordered=True)
KIND_DTYPE = pd.CategoricalDtype(pd.Index(list(KINDS), dtype=STRING_DTYPE))
ANOMALY_COLUMNS = (
    "series",
    "metric",
    "service",
    "start",
    "end",
    "kind",
    "value",
    "expected_low",
    "expected_high",
    "score",
    "severity",
    "detection_method",
    "ongoing",
)
ANOMALY_RESERVED = frozenset(ANOMALY_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One unusual stretch of one series; times in nanoseconds since the epoch, values in the unit of the series."""

    series: str
    metric: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    start_ns: int
    end_ns: int
    kind: Kind
    value: float
    expected_low: float
    expected_high: float
    score: float
    severity: Severity
    detection_method: str
    ongoing: bool = False


def anomalies_frame(found: Sequence[Anomaly]) -> pd.DataFrame:
    """Build an anomalies frame, in order of start, the most severe first where they start together."""
    ordered = sorted(found, key=lambda one: (one.start_ns, -SEVERITIES.index(one.severity), -one.score, one.series))
    data = {
        "series": pd.array([one.series for one in ordered], dtype=STRING_DTYPE),
        "metric": categories([one.metric or None for one in ordered]),
        "service": categories([one.labels.get("service") for one in ordered]),
        "start": pd.DatetimeIndex(np.array([one.start_ns for one in ordered], np.int64), dtype=TIMESTAMP_DTYPE),
        "end": pd.DatetimeIndex(np.array([one.end_ns for one in ordered], np.int64), dtype=TIMESTAMP_DTYPE),
        "kind": pd.Categorical([one.kind for one in ordered], dtype=KIND_DTYPE),
        "value": np.array([one.value for one in ordered], np.float64),
        "expected_low": np.array([one.expected_low for one in ordered], np.float64),
        "expected_high": np.array([one.expected_high for one in ordered], np.float64),
        "score": np.array([one.score for one in ordered], np.float64),
        "severity": pd.Categorical([one.severity for one in ordered], dtype=SEVERITY_DTYPE),
        "detection_method": pd.array([one.detection_method for one in ordered], dtype=STRING_DTYPE),
        "ongoing": np.array([one.ongoing for one in ordered], np.bool_),
    }
    for name in sorted({name for one in ordered for name in one.labels} - {"service"}):
        data[free_column(name, ANOMALY_RESERVED)] = categories([one.labels.get(name) for one in ordered])
    return pd.DataFrame(data)


def empty_anomalies() -> pd.DataFrame:
    """An anomalies frame with no rows and the right dtypes."""
    return anomalies_frame([])
