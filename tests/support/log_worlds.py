"""Made log lines whose events are known: coded lines, and frames of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.model.frames import categories
from obs_magics.model.logs import LEVELS, logs_frame

SECOND = 1_000_000_000
START_NS = 1_790_000_000 * SECOND
HOUR = 3600.0


def steady(rng: np.random.Generator, per_minute: float, span: float = HOUR, *, phi: float = 0.1) -> np.ndarray:
    """Seconds of lines at a rate that changes from minute to minute: gamma with mean 1 and variance `phi`."""
    minutes = np.arange(0.0, span, 60.0)
    factors = rng.gamma(1 / phi, phi, len(minutes)) if phi else np.ones(len(minutes))
    counts = rng.poisson(per_minute * factors)
    times = np.repeat(minutes, counts) + 60 * rng.random(counts.sum())
    return np.sort(times[times < span])


def during(rng: np.random.Generator, start: float, end: float, lines: int) -> np.ndarray:
    """Seconds of so many lines, spread over a stretch, the first at its beginning and the last at its end."""
    return np.sort(np.concatenate([[start, end], rng.uniform(start, end, max(lines - 2, 0))]))[:lines]


@dataclass
class World:
    """Lines by pattern and service."""

    seconds: list[np.ndarray] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    services: list[str | None] = field(default_factory=list)
    levels: list[str] = field(default_factory=list)

    def add(
        self, pattern: str, service: str | None, seconds: Sequence[float] | np.ndarray, level: str = "info"
    ) -> World:
        self.seconds.append(np.asarray(seconds, dtype=np.float64))
        self.patterns.append(pattern)
        self.services.append(service)
        self.levels.append(level)
        return self

    def codes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Patterns (by position), services (by position among their sorted names, -1 missing) and nanoseconds."""
        names = sorted({name for name in self.services if name is not None})
        sizes = [len(times) for times in self.seconds]
        seconds = np.concatenate(self.seconds)
        order = np.argsort(seconds, kind="stable")
        services = [names.index(name) if name is not None else -1 for name in self.services]
        times_ns = START_NS + np.round(seconds[order] * SECOND).astype(np.int64)
        return np.repeat(np.arange(len(sizes)), sizes)[order], np.repeat(services, sizes)[order], times_ns

    def frame(self, *, shift: float = 0.0) -> pd.DataFrame:
        """As a logs frame; each line is its pattern and, where there is a `#`, a number in its place."""
        sizes = [len(times) for times in self.seconds]
        seconds = np.concatenate(self.seconds) + shift
        order = np.argsort(seconds, kind="stable")
        which = np.repeat(np.arange(len(sizes)), sizes)[order]
        messages = [self.patterns[one].replace("#", str(1000 + place * 7 % 9000)) for place, one in enumerate(which)]
        return logs_frame(
            START_NS + np.round(seconds[order] * SECOND).astype(np.int64),
            pa.array(messages, pa.string()),
            level_codes=np.array([LEVELS.index(self.levels[one]) if self.levels[one] else -1 for one in which]),
            service=categories([self.services[one] for one in which]),
            labels={},
        )


WORDS = ["alpha", "bravo", "delta", "hotel", "india", "kilo", "lima", "oscar", "papa", "romeo", "sierra", "tango"]


def quiet(rng: np.random.Generator, services: Sequence[str] = ("api", "db"), *, span: float = HOUR) -> World:
    """An hour in which nothing happens: patterns of all frequencies, unevenly."""
    world = World()
    for service in services:
        for place, word in enumerate(WORDS):
            world.add(f"{service} {word} took # ms", service, steady(rng, 40 / (1 + place) ** 1.3, span))
    return world


def at(stamp: pd.Timestamp) -> float:
    """Seconds since the world's start."""
    return (stamp.value - START_NS) / SECOND
