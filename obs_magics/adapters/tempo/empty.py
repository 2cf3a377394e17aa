"""Why a search found nothing, as far as the server's own lists tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from obs_magics.adapters.tempo.catalog import NAME, SERVICE, TempoCatalog
from obs_magics.model.errors import did_you_mean
from obs_magics.model.time import TimeRange
from obs_magics.syntax.traceql.tree import Attribute, Intrinsic, Operation, Pipeline, Static

_SHOWN = 8


async def empty_reason(query: Pipeline, span: TimeRange, catalog: TempoCatalog) -> str:
    """One sentence about why `query` gave nothing, without a full stop.

    Raises:
        SourceError: The lists could not be had.
        QueryError: Likewise.
    """
    services = await catalog.values_in(SERVICE, span)
    if not services:
        return "there are no spans in this range (what was just written can be searched a minute or two later)"
    wanted, names = _asked_for(query)
    for service in wanted:
        if service not in services:
            return _unknown(f"there is no service {service} in this range", service, services)
    only = wanted[0] if len(wanted) == 1 else None
    operations = await catalog.values_in(NAME, span, only) if names else []
    for name in names if operations else ():
        if name not in operations:
            return _unknown(f"{only or 'no service'} has {'no' if only else 'an'} operation {name}", name, operations)
    return "there are spans in this range, but no trace fulfils all of the query"


def _asked_for(query: Pipeline) -> tuple[list[str], list[str]]:
    """Services and span names that a query compares with, in order of writing."""
    services: dict[str, None] = {}
    names: dict[str, None] = {}
    for node in _nodes(query):
        if not isinstance(node, Operation) or node.op != "=":
            continue
        for field, static in ((node.left, node.right), (node.right, node.left)):
            if not isinstance(static, Static) or not isinstance(static.value, str):
                continue
            if isinstance(field, Attribute) and field.name == "service.name":
                services[static.value] = None
            elif isinstance(field, Intrinsic) and field.name == "span:name":
                names[static.value] = None
    return list(services), list(names)


def _nodes(node: Any) -> Iterator[Any]:
    """A tree's nodes, outermost first."""
    if isinstance(node, tuple):
        for part in node:
            yield from _nodes(part)
    elif dataclasses.is_dataclass(node):
        yield node
        for field in dataclasses.fields(node):
            yield from _nodes(getattr(node, field.name))


def _unknown(what: str, word: str, known: Sequence[str]) -> str:
    near = did_you_mean(word, known)
    shown = ", ".join(known[:_SHOWN])
    more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
    return f"{what}; {near + ' ' if near else ''}there are {shown}{more}"
