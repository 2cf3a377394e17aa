"""What goes on in a world: load, latencies, failures and resources of every node at every instant.

Instants are `STEP_S` apart. A node's latency is its own work and what it waits for; its failures are its own and those
of calls that it cannot do without. A fault changes the own quantities of few nodes; the graph carries them up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from support.rca_worlds.graph import Graph

Array = np.ndarray[Any, Any]

STEP_S = 5
DAY_S = 86_400
_ROUNDS = 6  # of carrying latencies and failures up: enough for calls that go back


@dataclass
class State:
    """Quantities by instant and node; a fault is written into them before `settle`.

    Args:
        graph: Who calls whom.
        seconds: Seconds since the epoch of each instant.
        random: For noise.
    """

    graph: Graph
    seconds: Array
    random: np.random.Generator
    entry: Array = field(init=False)
    own: Array = field(init=False)
    fails: Array = field(init=False)
    gap: Array = field(init=False)
    cpu_more: Array = field(init=False)
    memory: Array = field(init=False)
    repeats: Array = field(init=False)
    shown: dict[tuple[str, int], Array] = field(init=False, default_factory=dict)
    load: Array = field(init=False)
    latency: Array = field(init=False)
    errors: Array = field(init=False)

    def __post_init__(self) -> None:
        """The usual: a day's shape, slow drift, noise."""
        count, nodes = len(self.seconds), len(self.graph.nodes)
        top = 10 ** self.random.uniform(0.7, 2.3)
        phase, depth = self.random.uniform(0, 2 * math.pi), self.random.uniform(0.1, 0.5)
        shape = 1 + depth * np.sin(2 * math.pi * self.seconds / DAY_S + phase)
        self.entry = top * shape * np.exp(0.08 * self.drift(1, 60)[:, 0] + 0.05 * self.random.standard_normal(count))
        work = np.array([node.work_ms for node in self.graph.nodes])
        self.own = work * np.exp(0.06 * self.drift(nodes, 60))
        base = 10 ** self.random.uniform(-5, -2.2, nodes)
        self.fails = np.tile(base, (count, 1))
        self.gap = np.full((count, len(self.graph.edges)), 1.0) * self.random.uniform(0.3, 2.0, len(self.graph.edges))
        self.cpu_more = np.zeros((count, nodes))
        self.memory = self.random.uniform(150, 900, nodes) * np.exp(0.02 * self.drift(nodes, 120))
        self.repeats = np.ones((count, len(self.graph.edges)))

    def drift(self, columns: int, lasts: int) -> Array:
        """Slow noise of unit variance, that is remembered for so many instants."""
        kept = math.exp(-1 / lasts)
        steps = self.random.standard_normal((len(self.seconds), columns)) * math.sqrt(1 - kept**2)
        steps[0] /= math.sqrt(1 - kept**2)
        for at in range(1, len(steps)):
            steps[at] += kept * steps[at - 1]
        return steps

    def settle(self) -> None:
        """Carry load down and latency and failures up."""
        graph = self.graph
        self.load = np.zeros_like(self.own)
        self.load[:, list(graph.entries)] = self.entry[:, None] / len(graph.entries)
        for _ in range(2 if self._goes_back else 1):
            load = np.zeros_like(self.load)
            load[:, list(graph.entries)] = self.entry[:, None] / len(graph.entries)
            for at in range(len(graph.nodes)):
                for number, edge in enumerate(graph.edges):
                    if edge.caller == at:
                        # Who calls back within one request adds what was there a round ago.
                        from_ = load if edge.callee > edge.caller else self.load
                        load[:, edge.callee] += from_[:, at] * edge.calls * self.repeats[:, number]
            self.load = load
        self.latency, self.errors = self.own.copy(), self.fails.copy()
        for _ in range(_ROUNDS if self._goes_back else 1):
            self._carry()

    @property
    def _goes_back(self) -> bool:
        return any(edge.callee < edge.caller for edge in self.graph.edges)

    def _carry(self) -> None:
        for at in reversed(range(len(self.graph.nodes))):
            waits, works = self.own[:, at].copy(), 1 - self.fails[:, at]
            for number, edge in enumerate(self.graph.edges):
                if edge.caller == at:
                    times = edge.calls * self.repeats[:, number]
                    waits += times * (self.gap[:, number] + self.latency[:, edge.callee])
                    if not edge.optional:
                        works *= 1 - min(1.0, edge.calls) * np.clip(self.errors[:, edge.callee], 0, 1)
            self.latency[:, at], self.errors[:, at] = waits, 1 - works
