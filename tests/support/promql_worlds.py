"""Random series for the differential test: gaps, resets, NaN, infinities, late starts, broken histograms."""

from __future__ import annotations

import numpy as np

from obs_magics.local.promql.data import Array
from support.memory_store import MemoryStore

START_MS = 1_700_006_400_000  # a multiple of two hours, so that one world is one block
LENGTH_MS = 70 * 60_000
BOUNDS = ("0.05", "0.1", "0.25", "1", "2.5", "+Inf")


def build(worlds: int, seed: int = 7) -> MemoryStore:
    """`worlds` sets of metrics; those of world 3 have names that start with ``w3_``."""
    store = MemoryStore()
    for number in range(worlds):
        _world(store, f"w{number}_", np.random.default_rng([seed, number]))
    return store


def _times(random: np.random.Generator, interval_ms: int) -> Array:
    """Scrapes with jitter, some missed, a gap, perhaps a late start and an early end."""
    times = START_MS + np.arange(random.integers(0, interval_ms), LENGTH_MS, interval_ms)
    if random.random() < 0.4:
        times = times + random.integers(-200, 200, len(times))
    keep = random.random(len(times)) > random.choice([0.0, 0.03, 0.3])
    if random.random() < 0.5:
        gap = START_MS + random.integers(0, LENGTH_MS)
        keep &= (times < gap) | (times > gap + random.integers(60_000, 15 * 60_000))
    if random.random() < 0.3:
        keep &= times > START_MS + random.integers(0, LENGTH_MS // 2)
    if random.random() < 0.3:
        keep &= times < START_MS + random.integers(LENGTH_MS // 2, LENGTH_MS)
    keep[len(keep) // 2] = True
    return np.unique(np.maximum(times[keep], START_MS))


def _counter(random: np.random.Generator, size: int) -> Array:
    whole = random.random() < 0.7
    steps = random.poisson(random.choice([0.1, 2.0, 40.0]), size).astype(float)
    values = np.cumsum(steps if whole else np.round(steps * random.random(size), 3))
    for place in random.integers(0, size, random.choice([0, 0, 1, 3])):
        values[place:] -= values[place] - random.integers(0, 3)
    return values + random.choice([0, 0, 5, 100_000])


def _gauge(random: np.random.Generator, size: int) -> Array:
    kind = random.choice(["walk", "noise", "flat", "few"])
    values = {
        "walk": np.round(np.cumsum(random.normal(0, 1, size)), 2),
        "noise": random.normal(50, 20, size),
        "flat": np.full(size, float(random.integers(-3, 4))),
        "few": random.integers(-2, 3, size).astype(float),
    }[kind]
    if random.random() < 0.35:
        odd = random.random(size) < 0.05
        values[odd] = random.choice([np.nan, np.inf, -np.inf], int(odd.sum()))
    return values


def _world(store: MemoryStore, prefix: str, random: np.random.Generator) -> None:
    def add(name: str, labels: dict[str, str], interval: int, values: object) -> None:
        times = _times(random, interval)
        store.add({"__name__": prefix + name, **labels}, times, values(random, len(times)))  # type: ignore[operator]

    for job in ("api", "db"):
        for instance in ("a:1", "b:1", "c:2")[: random.integers(1, 4)]:
            for code in ("200", "500")[: random.integers(1, 3)]:
                add("requests_total", {"job": job, "instance": instance, "code": code}, 15_000, _counter)
            add("errors_total", {"job": job, "instance": instance}, 15_000, _counter)
            add("load", {"job": job, "instance": instance}, 30_000, _gauge)
            add("temp", {"job": job, "instance": instance, "zone": f"z{random.integers(0, 2)}"}, 60_000, _gauge)
        add("up", {"job": job, "x": ""}, 60_000, lambda r, n: (r.random(n) > 0.2).astype(float))
        add("build", {"job": job, "version": f"1.{random.integers(0, 12)}"}, 60_000, lambda r, n: np.ones(n))
    _histograms(store, prefix, random)


def _histograms(store: MemoryStore, prefix: str, random: np.random.Generator) -> None:
    for job in ("api", "db"):
        times = _times(random, 15_000)
        shares = np.sort(random.random(len(BOUNDS)))
        total = _counter(random, len(times))
        for bound, share in zip(BOUNDS, shares / shares[-1], strict=True):
            if random.random() < 0.05:
                continue
            own = times if random.random() < 0.8 else times[random.random(len(times)) > 0.1]
            counts = np.floor(total * share)[np.isin(times, own)]
            if random.random() < 0.1:
                counts = counts + random.integers(0, 3, len(counts))
            store.add({"__name__": f"{prefix}lat_bucket", "job": job, "le": bound}, own, counts)
    store.add({"__name__": f"{prefix}lat_bucket", "job": "odd", "le": "what"}, times, np.arange(len(times)) * 1.0)
