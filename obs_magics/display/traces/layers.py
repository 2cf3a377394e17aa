"""Services in layers: who is called stands to the right of who calls, and near to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SWEEPS = 4


def layered(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Nodes in layers from left to right, each in its order from top to bottom.

    The layer is the longest way from a node that nobody calls, calls back to somebody above left out; the order is that
    of the means of the neighbours' places, swept to and fro (Sugiyama, Tagawa and Toda, 1981).

    Args:
        nodes: Names, in the order in which they stand where nothing else decides.
        edges: Pairs of names, caller and callee.
    """
    below = {node: [callee for caller, callee in edges if caller == node and callee != node] for node in nodes}
    called = {callee for callees in below.values() for callee in callees}
    layer = dict.fromkeys(nodes, 0)
    order = _descending([*(one for one in nodes if one not in called), *nodes], below)
    place = {node: number for number, node in enumerate(order)}
    for node in order:
        for callee in below[node]:
            if place[callee] > place[node]:  # else a call back
                layer[callee] = max(layer[callee], layer[node] + 1)
    layers = [
        [node for node in nodes if layer[node] == number] for number in range(max(layer.values(), default=-1) + 1)
    ]
    return _ordered(layers, edges)


def _descending(starts: Sequence[str], below: Mapping[str, Sequence[str]]) -> list[str]:
    """Every node before those that it calls, except where calls go round."""
    done: list[str] = []
    seen: set[str] = set()
    for start in starts:
        stack = [(start, 0)] if start not in seen else []
        seen.add(start)
        while stack:
            node, place = stack.pop()
            if place == len(below[node]):
                done.append(node)
                continue
            stack.append((node, place + 1))
            callee = below[node][place]
            if callee not in seen:
                seen.add(callee)
                stack.append((callee, 0))
    return done[::-1]


def _ordered(layers: list[list[str]], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    near: dict[str, list[str]] = {node: [] for nodes in layers for node in nodes}
    for caller, callee in edges:
        near[caller].append(callee)
        near[callee].append(caller)
    for sweep in range(_SWEEPS):
        numbers = range(len(layers))
        for number in numbers if sweep % 2 == 0 else reversed(numbers):
            place = {node: (index + 0.5) / len(nodes) for nodes in layers for index, node in enumerate(nodes)}
            layers[number] = sorted(
                layers[number], key=lambda node: _mean([place[one] for one in near[node]], place[node])
            )
    return layers


def _mean(places: Sequence[float], own: float) -> float:
    return sum(places) / len(places) if places else own
