"""One world by its seed: graph, load, a fault, and what is recorded of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from support.rca_worlds.changes import Told, drawn_names
from support.rca_worlds.faults import FAULTS, Fault, Strength
from support.rca_worlds.graph import DOMAINS, Graph, random_graph
from support.rca_worlds.state import STEP_S, State

Array = np.ndarray[Any, Any]

EVIDENCE = (
    "everything",
    "everything",
    "no logs",
    "no traces",
    "metrics and graph",
    "metrics only",
    "few traces",
    "services missing",
    "clocks apart",
    "gaps",
)
_EPOCH = 1_740_000_000
_LONGEST_S = 3 * 3600


@dataclass(frozen=True, slots=True)
class World:
    """What happened, and what is known of it.

    Args:
        seed: What it was made of.
        fault: Its name in `FAULTS`.
        place: The node with the fault.
        cause: The id of the change behind it; empty for none.
        evidence: One of `EVIDENCE`.
        state: All quantities.
        start: When it began, in seconds since the epoch.
        end: When it was over.
        told_start: When people say it began; None when nobody does.
        told_end: Likewise.
        symptom: The node at which it was noticed; None when nobody says.
        names: What things are called.
        events: As a manifest has them.
        decoys: Ids of innocent changes.
    """

    seed: int
    fault: str
    place: int
    cause: str
    evidence: str
    state: State
    start: int
    end: int
    told_start: int | None
    told_end: int | None
    symptom: int | None
    names: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    decoys: list[str] = field(default_factory=list)

    @property
    def graph(self) -> Graph:
        """Who calls whom."""
        return self.state.graph


def make(seed: int) -> World:
    """The world of a seed: the same one each time."""
    random = Random(f"incident {seed}")
    name = sorted(FAULTS)[seed % len(FAULTS)]
    fault = FAULTS[name]
    graph = _graph_for(random, fault)
    seconds, start, end = _times(random)
    state = State(graph, seconds, np.random.default_rng(random.getrandbits(64)))
    place = _place(random, graph, fault)
    fault.effect(state, place, Strength(_course(random, seconds, start, end, fault), random.uniform(0.6, 3.0)))
    state.settle()
    evidence = EVIDENCE[seed // len(FAULTS) % len(EVIDENCE)]
    names = drawn_names(random, DOMAINS)
    given = random.random() < 0.8
    late = random.choice((0, 0, 0, 15, 30, 60))
    symptom = _symptom(random, graph, place)
    told = Told(random, names, start)
    cause = _changes(random, told, graph, fault, place=place, start=start)
    if name in {"dependency error", "quota"} and random.random() < 0.4:
        told.provider(names["partner"], start - random.randrange(0, 300))
    told.alert(graph.nodes[symptom].name, _alert(random), start + random.randrange(60, 300))
    nameless = evidence == "metrics only" or random.random() < 0.1
    return World(
        seed,
        name,
        place,
        cause,
        evidence,
        state,
        start,
        end,
        told_start=start + late if given else None,
        told_end=end + random.choice((0, 0, 30)) if given else None,
        symptom=None if nameless and given else symptom,
        names=names,
        events=[] if evidence.startswith("metrics") else told.events,
        decoys=told.decoys,
    )


def _graph_for(random: Random, fault: Fault) -> Graph:
    while True:
        graph = random_graph(random)
        if any(node.kind in fault.places for node in graph.nodes):
            return graph


def _times(random: Random) -> tuple[Array, int, int]:
    begin = _EPOCH + random.randrange(0, 300 * 86_400) // 60 * 60
    before, lasts = random.choice((20, 30, 45, 60, 90, 120)), random.choice((4, 5, 8, 10, 15, 20, 30))
    after = random.choice((0, 2, 5, 15, 40))
    start = begin + before * 60 + random.randrange(60)
    end = start + lasts * 60
    count = min(end + after * 60 - begin, _LONGEST_S) // STEP_S
    return begin + STEP_S * np.arange(count), start, end


def _course(random: Random, seconds: Array, start: int, end: int, fault: Fault) -> Array:
    """From 0 to 1: at once, over a minute or three, or in waves."""
    rise = 600 if fault.slow else random.choice((1, 1, 20, 60, 180))
    now = np.clip((seconds - start) / rise, 0, 1) * (seconds >= start) * (seconds < end)
    if random.random() < 0.15:
        now = now * (0.55 + 0.45 * np.sign(np.sin(2 * np.pi * (seconds - start) / 150)))
    return now


def _place(random: Random, graph: Graph, fault: Fault) -> int:
    able = [at for at, node in enumerate(graph.nodes) if node.kind in fault.places]
    calling = [at for at in able if graph.callees(at)]
    return random.choice(calling if fault is FAULTS["retry storm"] and calling else able)


def _symptom(random: Random, graph: Graph, place: int) -> int:
    above = [at for at in graph.above(place) if graph.nodes[at].kind in {"gateway", "service"}]
    entries = [at for at in above if at in graph.entries]
    direct = [edge.caller for edge in graph.callers(place)]
    own = [place] if graph.nodes[place].kind in {"gateway", "service"} else direct
    return random.choice((entries or own, entries or own, own, direct or own))[0]


def _alert(random: Random) -> str:
    return random.choice(
        (
            "error budget burns fast",
            "latency p99 above objective",
            "SLO violated",
            "too many 5xx",
            "synthetic check fails",
        )
    )


def _changes(random: Random, told: Told, graph: Graph, fault: Fault, *, place: int, start: int) -> str:
    """Write all changes; the id of the one behind the fault, empty for none."""
    owners = [at for at, node in enumerate(graph.nodes) if node.kind in {"gateway", "service"}]
    home = place if place in owners else next((edge.caller for edge in graph.callers(place)), place)
    cause, lag = "", 0
    if fault.changes and (fault.always or random.random() < 0.5):
        lag = random.choice((20, 45, 60, 90, 180, 400, 900)) * (3 if fault is FAULTS["memory leak"] else 1)
        cause = told.cause(random.choice(fault.changes), graph.nodes[home].name, graph.nodes[home].domain, lag)
    for _ in range(random.randrange(0, 14)):
        node = graph.nodes[random.choice(owners)]
        at = start - random.randrange(300, 7200)
        told.decoy(node.name, node.domain, at, near=False, deployed=random.random() < 0.4)
    for _ in range(random.choice((0, 1, 1, 2))):  # nearer in time, or at the very service, or in words
        node = graph.nodes[home if random.random() < 0.5 else random.choice(owners)]
        at = start - random.randrange(10, 700)
        told.decoy(node.name, node.domain, at, near=random.random() < 0.3, deployed=True)
    if random.random() < 0.3:  # after it began: somebody's attempt to mend it, or chance
        node = graph.nodes[home if random.random() < 0.5 else random.choice(owners)]
        told.decoy(node.name, node.domain, start + random.randrange(60, 240), near=random.random() < 0.3, deployed=True)
    for _ in range(random.choice((0, 1, 2))):
        told.flag(graph.nodes[random.choice(owners)].name, start - random.randrange(30, 5000))
    return cause
