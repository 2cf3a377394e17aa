"""The call graph as it is drawn: which calls, which nodes, and where they stand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from obs_magics.display.traces import words
from obs_magics.display.traces.layers import layered
from obs_magics.display.units import format_value

MAX_EDGES, MAX_NODES = 80, 40
NOTABLE = 0.01  # share of errors from which on a call or a service is marked


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls from one to another; `p95` and `network` are timedeltas, perhaps missing."""

    caller: str
    callee: str
    kind: str
    calls: int
    rate: float
    error_share: float
    p95: Any
    network: Any

    def rate_text(self) -> str:
        """Calls per second, or their number where there is no rate."""
        return _rate(self.rate, self.calls)

    def failing(self) -> str:
        """The share of errors with a mark; empty where there are none."""
        return f"{words.ERROR} {words.percent(self.error_share)}" if self.error_share > 0 else ""

    @property
    def bad(self) -> bool:
        """Whether it fails so often that it stands out."""
        return self.error_share >= NOTABLE


@dataclass(frozen=True, slots=True)
class Node:
    """A service, or what services call and has no spans of its own (`outside`)."""

    name: str
    outside: bool
    kind: str
    said: str
    error_share: float

    @property
    def bad(self) -> bool:
        """Whether it fails so often that it stands out."""
        return self.error_share >= NOTABLE


@dataclass(frozen=True, slots=True)
class ServiceGraph:
    """Nodes by name, calls with most first, and the layers in which the nodes stand."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    layers: tuple[tuple[str, ...], ...]
    left_out: int


def graph_of(edges: pd.DataFrame, nodes: pd.DataFrame) -> ServiceGraph:
    """Choose what to draw and put it in layers."""
    ordered = sorted(
        map(_edge, edges.to_dict("records")), key=lambda one: (-one.calls, one.caller, one.callee, one.kind)
    )
    named = {_name(row["service"]): row for row in nodes.to_dict("records")}
    kept, names = _kept(ordered, list(named))
    found = tuple(_node(name, named.get(name), kept) for name in sorted(names))
    pairs = [(edge.caller, edge.callee) for edge in kept]
    layers = layered([node.name for node in found], pairs)
    return ServiceGraph(found, tuple(kept), tuple(map(tuple, layers)), len(ordered) - len(kept))


def _kept(edges: list[Edge], names: list[str]) -> tuple[list[Edge], set[str]]:
    """The calls with most calls as long as there is room for them and for whom they join."""
    kept: list[Edge] = []
    joined: set[str] = set()
    for edge in edges:
        both = joined | {edge.caller, edge.callee}
        if len(kept) < MAX_EDGES and len(both) <= MAX_NODES:
            kept.append(edge)
            joined = both
    alone = [name for name in names if name not in joined]
    return kept, joined | set(alone[: MAX_NODES - len(joined)])


def _edge(row: dict[Any, Any]) -> Edge:
    return Edge(
        caller=_name(row["caller"]),
        callee=_name(row["callee"]),
        kind=_name(row["kind"]),
        calls=int(row["calls"]),
        rate=float(row["rate"]),
        error_share=float(row["error_share"]),
        p95=row["p95"],
        network=row.get("network", pd.NaT),
    )


def _node(name: str, row: dict[Any, Any] | None, edges: list[Edge]) -> Node:
    if row is None:
        kinds = sorted({edge.kind for edge in edges if edge.callee == name})
        return Node(name, True, kinds[0] if kinds else "", ", ".join(kinds), 0.0)
    share = float(row["error_share"])
    failing = f" · {words.ERROR} {words.percent(share)}" if share > 0 else ""
    said = f"{_rate(float(row['rate']), int(row['calls']))}{failing} · p95 {words.duration(row['p95'])}"
    return Node(name, False, "service", said, share)


def _rate(rate: float, calls: int) -> str:
    if math.isnan(rate):
        return f"{calls:,}"
    return (
        format_value(rate, "1/s", digits=2) if rate >= _PER_SECOND else f"{format_value(60 * rate, '', digits=2)}/min"
    )


_PER_SECOND = 0.1


def _name(value: Any) -> str:
    return value if isinstance(value, str) else ""
