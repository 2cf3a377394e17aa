"""Numbers over time as an engine has them: one row per series, NaN where a point is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from obs_magics.local.traceql.values import Floats, Integers
from obs_magics.model.frames import metrics_frame


@dataclass(frozen=True, slots=True)
class Series:
    """Series over the same points.

    Args:
        labels: Of each; all differ.
        times_ns: int64 [points], nanoseconds since the epoch.
        values: float64 [series, points].
    """

    labels: Sequence[dict[str, str]]
    times_ns: Integers
    values: Floats

    def frame(self) -> pd.DataFrame:
        """The metrics frame, series in order of their labels; what has no point is not there."""
        present = ~np.isnan(self.values)
        order = sorted(np.flatnonzero(present.any(axis=1)).tolist(), key=lambda row: sorted(self.labels[row].items()))
        chosen = present[order]
        times = np.broadcast_to(self.times_ns, chosen.shape)[chosen]
        return metrics_frame([self.labels[row] for row in order], chosen.sum(axis=1), times, self.values[order][chosen])
