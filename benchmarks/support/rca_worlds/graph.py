"""Call graphs of services with databases, caches and queues, named as people name them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

Kind = Literal["gateway", "service", "db", "cache", "queue"]
Stack = Literal["otel", "prom", "cloudwatch", "datadog", "spring", "short"]

DOMAINS = re.findall(
    r"\w+",
    """
    order cart payment user inventory shipping catalog search recommendation pricing review auth session email
    notification invoice ledger fraud tax coupon wallet profile media image comment feed chat booking seat route
    ticket voucher warehouse supplier delivery tracking geo weather currency loyalty returns audit billing report
    analytics quote policy claim risk device telemetry
    """,
)
_STYLES = (
    "{}-service",
    "{}service",
    "{}",
    "{}-api",
    "ts-{}-service",
    "svc-{}",
    "{}_svc",
    "{}.prod",
    "team-a/{}",
    "{Title}Service",
)
_GATEWAYS = ("frontend", "web", "api-gateway", "gateway", "edge-proxy", "bff", "storefront", "ingress-nginx", "portal")
_STORES: dict[Kind, tuple[str, ...]] = {
    "db": ("{}-db", "{}db", "postgres-{}", "mysql-{}", "{}-mongo", "{}_rds"),
    "cache": ("{}-redis", "redis-{}", "{}-memcached", "{}cache"),
    "queue": ("kafka-{}", "{}-queue", "rabbitmq-{}", "{}-sqs"),
    "gateway": (),
    "service": (),
}


@dataclass(frozen=True, slots=True)
class Node:
    """One service, or one store.

    Args:
        name: As all data calls it.
        domain: What it is about, a word.
        kind: What it is.
        work_ms: Usual own time of a request, in milliseconds.
        pods: Names of its instances; one empty name where series have none.
        stack: Whose names its metrics have.
        traced: Whether its spans are recorded.
    """

    name: str
    domain: str
    kind: Kind
    work_ms: float
    pods: tuple[str, ...]
    stack: Stack
    traced: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls of one service to another: how many a request, and whether the caller can do without the answer."""

    caller: int
    callee: int
    calls: float
    optional: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, the entries first, and who calls whom; callers stand before callees but for a few calls that go back."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    entries: tuple[int, ...]

    def callees(self, node: int) -> list[Edge]:
        """The calls that a node makes."""
        return [edge for edge in self.edges if edge.caller == node]

    def callers(self, node: int) -> list[Edge]:
        """The calls that come to a node."""
        return [edge for edge in self.edges if edge.callee == node]

    def above(self, node: int) -> list[int]:
        """All that need a node, at however many removes."""
        found, open_ = {node}, [node]
        while open_:
            new = [edge.caller for edge in self.callers(open_.pop()) if edge.caller not in found]
            found.update(new)
            open_ += new
        return sorted(found - {node})


def random_graph(random: Random) -> Graph:
    """A call graph of 5 to 40 nodes."""
    many = random.choice((5, 6, 8, 10, 12, 15, 20, 25, 30, 40))
    style = random.choice(_STYLES)
    stacks: Sequence[Stack] = random.sample(
        ("otel", "prom", "cloudwatch", "datadog", "spring", "short"), random.choice((1, 1, 2))
    )
    podded = random.random() < 0.4
    entries = tuple(range(1 if many < 12 else random.choice((1, 1, 2))))
    gateways = random.sample(_GATEWAYS, len(entries))
    nodes = [_node(random, name, name, "gateway", stacks, podded=podded) for name in gateways]
    domains = random.sample(DOMAINS, len(DOMAINS))
    stores = max(1, round(many * random.uniform(0.15, 0.35)))
    nodes += [
        _node(random, _named(style, domain), domain, "service", stacks, podded=podded)
        for domain in domains[: many - len(entries) - stores]
    ]
    services = len(nodes)
    edges = _calls(random, services, len(entries))
    for owner in random.sample(range(len(entries), services), min(stores, services - len(entries))):
        kind: Kind = random.choice(("db", "db", "db", "cache", "queue"))
        name = random.choice(_STORES[kind]).format(nodes[owner].domain)
        nodes.append(_node(random, name, nodes[owner].domain, kind, stacks, podded=False))
        edges.append(Edge(owner, len(nodes) - 1, random.choice((1.0, 1.0, 2.0, 3.0)), optional=kind == "cache"))
        if random.random() < 0.2:
            other = random.randrange(len(entries), services)
            if other != owner:
                edges.append(Edge(other, len(nodes) - 1, 1.0, optional=False))
    return Graph(tuple(nodes), tuple(edges), entries)


def _named(style: str, domain: str) -> str:
    return style.replace("{Title}", domain.title()).replace("{}", domain)


def _calls(random: Random, services: int, entries: int) -> list[Edge]:
    edges = []
    for callee in range(entries, services):
        nearest = max(0, callee - random.choice((3, 6, 12)))
        first = random.randrange(nearest, callee) if callee > entries else random.randrange(entries)
        callers = {first} | ({random.randrange(callee)} if random.random() < 0.35 else set())
        edges += [
            Edge(one, callee, random.choice((0.3, 0.6, 1.0, 1.0, 1.0, 2.0)), random.random() < 0.2)
            for one in sorted(callers)
        ]
    if services > entries + 3 and random.random() < 0.2:  # a call that goes back
        caller = random.randrange(entries + 2, services)
        callee = random.randrange(entries, caller)
        edges.append(Edge(caller, callee, 0.1, optional=True))
    return edges


def _node(random: Random, name: str, domain: str, kind: Kind, stacks: Sequence[Stack], *, podded: bool) -> Node:
    pods = tuple(
        f"{name}-{random.getrandbits(32):08x}-{random.getrandbits(20):05x}" for _ in range(random.choice((1, 2, 3)))
    )
    return Node(
        name=name,
        domain=domain,
        kind=kind,
        work_ms=random.choice((1.0, 2.0, 4.0)) if kind in {"db", "cache", "queue"} else 10 ** random.uniform(0.5, 1.8),
        pods=pods if podded else ("",),
        stack=random.choice(stacks),
        traced=kind in {"gateway", "service"} and random.random() < 0.95,
    )
