"""A world's metrics: every quantity under its exporter's name, sampled, noisy, as gauges and as counters."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from support.rca_worlds.exporters import Metric, metrics_of
from support.rca_worlds.state import STEP_S, State
from support.rca_worlds.world import World

Array = np.ndarray[Any, Any]

_STEPS_S = (5, 10, 15, 15, 30, 30, 60, 60)
_NOISE: Mapping[str, float] = {
    "p99": 0.18,
    "p90": 0.1,
    "mean": 0.06,
    "p50": 0.05,
    "cpu": 0.08,
    "memory": 0.01,
    "disk": 0.0,
}
_SPIKES = 0.004  # of the points of latencies, which jump without any reason


@dataclass(frozen=True, slots=True)
class _Sampled:
    """Which instants are kept, and what is lost of each series."""

    step: int
    offset: int
    gaps: bool
    skew: int


def metrics_table(world: World) -> pd.DataFrame:
    """The table `metrics.parquet` of a case."""
    random = np.random.default_rng([world.seed, 1])
    step = int(random.choice(_STEPS_S))
    missing = unseen(world)
    parts = []
    for at, node in enumerate(world.graph.nodes):
        if at in missing:
            continue
        skew = int(random.integers(-5, 6)) if world.evidence == "clocks apart" else 0
        how = _Sampled(step, int(random.integers(0, step)), world.evidence == "gaps", skew)
        for pod in node.pods:
            share = 1 / len(node.pods)
            parts += [_series(world, at, metric, how, random, pod=pod, share=share) for metric in metrics_of(node)]
    return pd.concat(parts, ignore_index=True).astype({"ts": "int64", "value": "float32"})


def unseen(world: World) -> set[int]:
    """Nodes that nothing is recorded of, where services are missing; never that with the fault or the symptom."""
    if world.evidence != "services missing":
        return set()
    random = np.random.default_rng([world.seed, 2])
    kept = {world.place, world.symptom, *world.graph.entries}
    return {at for at in range(len(world.graph.nodes)) if at not in kept and random.random() < 0.3}


def _series(
    world: World, at: int, metric: Metric, how: _Sampled, random: np.random.Generator, *, pod: str, share: float
) -> pd.DataFrame:
    plain = quantity(world.state, at, metric, random)
    if metric.quantity in {"requests", "errors", "time", "rows", "network", "pool_used", "memory"} and share < 1:
        plain = plain * share * random.uniform(0.9, 1.1) if metric.quantity != "memory" else plain
    noisy = _noisy(plain, metric, random)
    values: Array
    stride = max(how.step // STEP_S, 1)
    if metric.counter:
        whole = random.uniform(0, 1e5) + np.cumsum(np.maximum(noisy, 0) * STEP_S)
        if metric.quantity == "restarts":
            whole = np.rint(plain).astype(np.float64)
        values = whole[stride - 1 :: stride]
    elif metric.quantity in {"requests", "errors", "throttled"}:  # means over the step
        kept = len(noisy) // stride * stride
        values = noisy[:kept].reshape(-1, stride).mean(axis=1)
    else:
        values = noisy[stride - 1 :: stride]
    times = world.state.seconds[stride - 1 :: stride][: len(values)] + how.skew
    there = np.ones(len(values), dtype=bool)
    if how.gaps:
        there = random.random(len(values)) > 0.05
        hole = int(random.integers(0, len(values)))
        there[hole : hole + max(1, len(values) // 12)] = False
    node = world.graph.nodes[at]
    return pd.DataFrame(
        {"ts": times[there], "service": node.name, "instance": pod, "metric": metric.name, "value": values[there]}
    )


def _noisy(plain: Array, metric: Metric, random: np.random.Generator) -> Array:
    noise = _NOISE.get(metric.quantity, 0.08)
    values = plain * np.exp(noise * random.standard_normal(len(plain)))
    if metric.quantity in {"p50", "p90", "p99", "mean"}:
        jumps = random.random(len(values)) < _SPIKES
        values[jumps] *= random.uniform(2, 8, int(jumps.sum()))
    if metric.quantity in {"errors", "error_share"}:
        values = values * (random.random(len(values)) < 0.7) if plain.mean() < 1e-3 else values
    if metric.quantity == "disk":
        values = np.minimum(values, metric.scale)
    return values


def quantity(state: State, at: int, metric: Metric, random: np.random.Generator) -> Array:
    """A quantity of a node by instant, in the unit of its metric."""
    load, latency, errors = state.load[:, at], state.latency[:, at], np.clip(state.errors[:, at], 0, 1)
    shown = state.shown.get((metric.quantity, at))
    more: Array = np.zeros(len(load)) if shown is None else shown
    seed = zlib.crc32(f"{state.graph.nodes[at].name} {metric.name}".encode())
    some = np.random.default_rng(seed).uniform(0.1, 0.4)  # what is usual of it here
    cpu = np.clip(some * load / np.median(load) + state.cpu_more[:, at], 0, 0.99)
    values: dict[str, Array] = {
        "p50": latency * 0.9,
        "p90": latency * 1.8,
        "p99": latency * 3.2,
        "mean": latency,
        "time": latency * load / 1e3,
        "errors": errors * load,
        "error_share": errors,
        "success": 1 - errors,
        "requests": load,
        "cpu": cpu,
        "cpu_time": cpu,
        "memory": state.memory[:, at],
        "restarts": more,
        "busy": 2 + load * latency / 1e3,
        "network": load,
        "gc": 0.002 + more,
        "throttled": 0.004 + more,
        "pool_used": np.maximum(np.minimum(1 + load * some * 0.1, 9), more * 10),
        "pool_waiting": more,
        "disk": np.clip(some + 0.4 + 1e-5 * np.arange(len(load)) + more * (0.6 - some), 0, 1),
        "locks": 3 + load * 0.02 + more,
        "slow": 0.01 + more,
        "clients": 8 + load * 0.05 + more,
        "lag": 5 + load * 0.1 + more * 100,
        "age": 1 + more * 100,
        "retransmits": 0.5 + more,
        "rows": load * (20 + more * 20),
        "wander": 1 + 0.1 * np.cumsum(random.standard_normal(len(load))) / len(load) ** 0.5,
    }
    found: Array = values[metric.quantity] * metric.scale
    return found
