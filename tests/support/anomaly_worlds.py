"""Series whose faults are known, for the tests of anomalies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.model.frames import metrics_frame

Array = np.ndarray[Any, Any]

START = 1_760_000_000
DAY = 86_400


def instants(step: int, count: int) -> Array:
    """Seconds since the epoch."""
    return START + step * np.arange(count)


def noise(count: int, size: float = 3.0, seed: int = 0) -> Array:
    """Normal noise, the same every time."""
    return np.random.default_rng(seed).normal(0.0, size, count)


def daily(times: Array, swing: float = 30.0) -> Array:
    """A daily course around 100."""
    return 100 + swing * np.sin(2 * np.pi * times / DAY)


def frame_of(series: Mapping[str, tuple[Array, Array]], metric: str = "load") -> pd.DataFrame:
    """A metrics frame of series by name: seconds and values."""
    times = np.concatenate([one for one, _ in series.values()]).astype(np.int64) * 1_000_000_000
    values = np.concatenate([one for _, one in series.values()]).astype(np.float64)
    labels = [{"__name__": metric, "name": name} for name in series]
    return metrics_frame(labels, [len(one) for one, _ in series.values()], times, values)


def alone(times: Array, values: Array, metric: str = "load") -> pd.DataFrame:
    """A metrics frame of one series."""
    return frame_of({"only": (times, values)}, metric)


def at(second: float) -> pd.Timestamp:
    """An instant."""
    return pd.Timestamp(int(second * 1e9), tz="UTC")
