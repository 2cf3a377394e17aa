"""Chance that is the same everywhere: named streams of uniform numbers, and counts and noise made from them.

Only uniform numbers are drawn, whose bits NumPy keeps stable, and what libm computes is rounded: so that a world built
elsewhere has equal content. Each name has a stream of its own: one metric more does not change the others.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SEED = 20_261_122


def stream(*name: object) -> np.random.Generator:
    """The generator that belongs to a name."""
    words = zlib.crc32("\x1f".join(map(str, name)).encode())
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([SEED, words])))


def uniform(size: int, *name: object) -> Array:
    """Uniform numbers from 0 to 1."""
    return stream(*name).random(size)


def bell(size: int, *name: object) -> Array:
    """Numbers with mean 0 and standard deviation 1, nearly normal: four uniform ones added up (Irwin-Hall)."""
    centred: Array = (stream(*name).random((4, size)).sum(axis=0) - 2) * np.sqrt(3.0)
    return centred


def counts(expected: Array, *name: object) -> Array:
    """Whole numbers whose mean is `expected`, scattered like events that happen one by one."""
    draws = uniform(len(expected), "counts", *name)
    scatter = np.where(expected > 4, bell(len(expected), "scatter", *name) * np.sqrt(expected), 0.0)
    drawn: Array = np.maximum(np.floor(expected + scatter + draws), 0.0)
    return drawn


def wander(times_ms: Array, amplitude: float, *name: object, every_ms: int = 600_000) -> Array:
    """A factor around 1 that drifts within ± `amplitude`, in straight lines between draws every `every_ms`.

    The draw belongs to the time, so that two axes over one hour see the same drift.
    """
    first, last = int(times_ms[0]) // every_ms, int(times_ms[-1]) // every_ms + 1
    epoch = 2_980_000 * 600_000 // every_ms  # the same draws whatever the first time is
    draws = uniform(last - epoch + 1, "wander", *name)[first - epoch :]
    return 1 + amplitude * (2 * np.interp(times_ms, np.arange(first, last + 1) * float(every_ms), draws) - 1)
