"""Anomalies of metrics: `detect` and `examine` for events, `scores` and `expected` for every point.

How, and with what limits: `docs/anomalies.md`.
"""

from __future__ import annotations

from obs_magics.analysis.anomaly.findings import Findings, detect, examine
from obs_magics.analysis.anomaly.points import expected, scores
from obs_magics.analysis.anomaly.thresholds import Threshold
from obs_magics.analysis.anomaly.together import detect_together, scores_together

__all__ = [
    "Findings",
    "Threshold",
    "detect",
    "detect_together",
    "examine",
    "expected",
    "scores",
    "scores_together",
]
