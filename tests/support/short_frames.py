"""Short frames for the tests of anomalies: what people have at three in the morning, with and without a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from support.anomaly_worlds import instants

Array = np.ndarray[Any, Any]
Random = np.random.Generator


def _autoregressive(random: Random, count: int) -> Array:
    values = random.normal(size=count)
    for cell in range(1, count):
        values[cell] += 0.8 * values[cell - 1]
    return 200 + 5 * values


def _job(random: Random, count: int) -> Array:
    return 100 + random.normal(size=count) + 25.0 * (np.arange(count) % (count // 3) < 3)


NOTHING: dict[str, Callable[[Random, int], Array]] = {
    "white noise": lambda random, count: 100 + random.normal(size=count),
    "autoregressive": _autoregressive,
    "counts": lambda random, count: random.poisson(40.0, count).astype(np.float64),
    "few errors": lambda random, count: random.poisson(0.03, count).astype(np.float64),
    "latencies": lambda random, count: np.exp(0.3 * random.normal(size=count)),
    "heavy tails": lambda random, count: 100 + random.standard_t(3.0, count),
    "a daily course": lambda random, count: (
        100 + 30 * np.sin(np.arange(count) * 60 / 13_750.0) + 2 * random.normal(size=count)
    ),
    "a job three times": _job,
}
"""By what it is: values of a series in which nothing happens."""


def frame_times(hours: float, step: int) -> Array:
    """Seconds since the epoch of a frame."""
    return instants(step, int(hours * 3600 / step))
