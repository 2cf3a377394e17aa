"""Why a search found nothing, as far as the server's own lists tell."""

from __future__ import annotations

from collections.abc import Sequence

from obs_magics.adapters.jaeger.catalog import JaegerCatalog
from obs_magics.model.errors import did_you_mean
from obs_magics.model.query import TracesQuery

_SHOWN = 8


async def empty_reason(query: TracesQuery, catalog: JaegerCatalog) -> str:
    """One sentence without a full stop.

    Raises:
        SourceError: The lists could not be had.
        QueryError: Likewise.
    """
    services = await catalog.services()
    if not services:
        return "no service has written spans yet"
    if query.service is not None and query.service not in services:
        return _unknown(f"there is no service {query.service}", query.service, services)
    if query.service is not None and query.operation is not None:
        operations = await catalog.operations(query.service)
        if query.operation not in operations:
            return _unknown(f"{query.service} has no operation {query.operation}", query.operation, operations)
    conditions = (query.operation, query.status, query.min_duration_ns, query.max_duration_ns)
    if any(condition is not None for condition in conditions):
        return "no trace in this range fulfils all of these conditions"
    return f"{query.service} has no trace in this range" if query.service else "no service has a trace in this range"


def _unknown(what: str, word: str, known: Sequence[str]) -> str:
    more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
    there = f"there are {', '.join(known[:_SHOWN]) or 'none'}{more}"
    near = did_you_mean(word, known)
    return f"{what}; {near} {there}" if near else f"{what}; {there}"
