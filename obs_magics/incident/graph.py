"""Who calls whom around a service: from spans, and from the configuration; neighbours and distances."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd

from obs_magics.analysis.spans import call_graph
from obs_magics.model.frames import STRING_DTYPE
from obs_magics.model.incident import Direction

CONFIGURED = "configured"
_STORES = frozenset({"database", "messaging", "external"})
_LEAST = 4  # letters that two names of one store have in common


def topology(
    spans: pd.DataFrame | None, configured: Mapping[str, Sequence[str]], known: Collection[str]
) -> pd.DataFrame:
    """The call graph.

    Args:
        spans: A spans frame; None when there is none.
        configured: Callees by caller.
        known: Services by their names in metrics and logs: databases that spans call otherwise (`postgresql`) get them.

    Returns:
        `caller` · `callee` · `kind` (service, database, messaging, external, configured) · `calls` (in the traces that
        were fetched) · `errors`, in order of the names.
    """
    rows: dict[tuple[str, str], tuple[str, int, int]] = {}
    if spans is not None and len(spans):
        edges = call_graph(spans)
        columns = (edges[name].tolist() for name in ("caller", "callee", "kind", "calls", "errors"))
        for caller, callee, kind, calls, errors in zip(*columns, strict=True):
            pair = str(caller), _known_as(str(callee), str(kind), known)
            before = rows.get(pair, (str(kind), 0, 0))
            if pair[0] != pair[1]:
                rows[pair] = (before[0], before[1] + int(calls), before[2] + int(errors))
    for caller, callees in configured.items():
        for callee in callees:
            rows.setdefault((caller, callee), (CONFIGURED, 0, 0))
    ordered = sorted(rows.items())
    return pd.DataFrame(
        {
            "caller": pd.array([pair[0] for pair, _ in ordered], dtype=STRING_DTYPE),
            "callee": pd.array([pair[1] for pair, _ in ordered], dtype=STRING_DTYPE),
            "kind": pd.array([row[0] for _, row in ordered], dtype=STRING_DTYPE),
            "calls": pd.array([row[1] for _, row in ordered], dtype="int64"),
            "errors": pd.array([row[2] for _, row in ordered], dtype="int64"),
        }
    )


def _known_as(callee: str, kind: str, known: Collection[str]) -> str:
    """A store by the name under which metrics and logs know it, when there is just one that fits."""
    if kind not in _STORES or callee in known:
        return callee
    fits = [name for name in known if len(name) >= _LEAST and (callee.startswith(name) or name.startswith(callee))]
    return fits[0] if len(fits) == 1 else callee


def pairs(edges: pd.DataFrame) -> list[tuple[str, str]]:
    """Callers with their callees."""
    return list(zip(edges["caller"].tolist(), edges["callee"].tolist(), strict=True))


def neighbours(edges: pd.DataFrame, service: str, most: int) -> pd.DataFrame:
    """Who calls a service and whom it calls, those with most calls first.

    Returns:
        `service` · `direction` (callers, callees) · `kind` · `calls` · `errors`.
    """
    sides: tuple[tuple[Direction, str, str], ...] = (("callers", "callee", "caller"), ("callees", "caller", "callee"))
    found = []
    for direction, own, other in sides:
        side = edges[edges[own] == service]
        columns = (side[name].tolist() for name in (other, "kind", "calls", "errors"))
        found += [(name, direction, kind, calls, errors) for name, kind, calls, errors in zip(*columns, strict=True)]
    found.sort(key=lambda row: (-row[3], row[1], row[0]))
    names = ("service", "direction", "kind", "calls", "errors")
    frame = pd.DataFrame(found[:most], columns=list(names))
    return frame.astype({"service": STRING_DTYPE, "direction": STRING_DTYPE, "kind": STRING_DTYPE})


def distances(edges: Iterable[tuple[str, str]], service: str) -> dict[str, int]:
    """How many calls lie between a service and the others, in whichever direction; those that none reaches are missing.

    >>> distances([("gateway", "cart"), ("cart", "redis"), ("search", "index")], "cart")
    {'cart': 0, 'gateway': 1, 'redis': 1}
    """
    near: dict[str, set[str]] = {}
    for caller, callee in edges:
        near.setdefault(caller, set()).add(callee)
        near.setdefault(callee, set()).add(caller)
    found = {service: 0}
    front = [service]
    while front:
        reached = sorted({other for name in front for other in near.get(name, ()) if other not in found})
        found |= dict.fromkeys(reached, found[front[0]] + 1)
        front = reached
    return found
