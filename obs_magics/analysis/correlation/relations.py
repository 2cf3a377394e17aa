"""How services relate to each other, from the edges of a call graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Relation = Literal["same", "downstream", "upstream", "general", "unknown", "none"]

FURTHEST = 3  # calls away: what is further off is not related


@dataclass(frozen=True, slots=True)
class Relations:
    """Who calls whom, and how many calls two services are apart.

    >>> shop = Relations.of([("gateway", "checkout"), ("checkout", "payment")])
    >>> shop.between("checkout", "payment"), shop.between("payment", "gateway"), shop.between("gateway", "search")
    (('downstream', 1), ('upstream', 2), ('none', 0))
    """

    callees: Mapping[str, frozenset[str]] = field(default_factory=dict)
    callers: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, edges: Iterable[tuple[str, str]]) -> Relations:
        """From edges, each a caller and whom it calls."""
        down: dict[str, set[str]] = {}
        up: dict[str, set[str]] = {}
        for caller, callee in edges:
            if caller != callee:
                down.setdefault(caller, set()).add(callee)
                up.setdefault(callee, set()).add(caller)
        return cls({name: frozenset(who) for name, who in down.items()}, {n: frozenset(who) for n, who in up.items()})

    def between(self, service: str, other: str) -> tuple[Relation, int]:
        """What another service is to a service, and how many calls away.

        `downstream`: the service calls it (it depends on it); `upstream`: it calls the service; `general`: the event
        concerns no service in particular; `unknown`: nothing is known of the service, or of any calls; `none`: they
        do not reach each other within three calls.
        """
        if not other:
            return "general", 0
        if not service:
            return "unknown", 0
        if service == other:
            return "same", 0
        if not self.callees:
            return "unknown", 0
        down, up = _distance(self.callees, service, other), _distance(self.callers, service, other)
        if down and (not up or down <= up):
            return "downstream", down
        return ("upstream", up) if up else ("none", 0)


def _distance(neighbours: Mapping[str, frozenset[str]], start: str, end: str) -> int:
    """Steps along the edges, at most three; 0 when there is no such way."""
    seen, edge = {start}, {start}
    for steps in range(1, FURTHEST + 1):
        edge = {name for one in edge for name in neighbours.get(one, frozenset())} - seen
        if end in edge:
            return steps
        seen |= edge
    return 0
