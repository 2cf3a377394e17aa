"""Why a query gave no lines: a field that no line has, a value that it never has, or no data in the range."""

from __future__ import annotations

import re

from obs_magics.adapters.victorialogs.catalog import OWN_FIELDS, VictoriaLogsCatalog
from obs_magics.adapters.victorialogs.query import pipes_of
from obs_magics.model.errors import did_you_mean
from obs_magics.model.time import TimeRange

_SHOWN_VALUES = 5
# `field:value`, `field:="value"`, and `{field="value"}` of a stream filter; what is negated is passed over.
_EXACT = re.compile(
    r"""(?P<no>[!-]|\bnot\s+)?\b(?P<field>[A-Za-z_][\w.]*)(?::=?|=)(?:"(?P<quoted>[^"\\]*)"|(?P<bare>[\w.-]+)(?![\w(*:]))"""
)


async def empty_reason(query: str, span: TimeRange, catalog: VictoriaLogsCatalog) -> str:
    """One sentence about why `query` gave nothing; empty when that cannot be told."""
    names = [hit.value for hit in await catalog.hits("field_names", span)]
    if not names:
        return "there are no logs at all in this range"
    for found in _EXACT.finditer(pipes_of(query).filter):
        field, wanted = found["field"], found["quoted"] if found["quoted"] is not None else found["bare"]
        if found["no"] or field in OWN_FIELDS:
            continue
        if field not in names:
            own = [name for name in names if name not in OWN_FIELDS]
            return f"no line has a field {field}; {did_you_mean(field, own) or 'there are ' + _listed(own)}"
        values = [hit.value for hit in await catalog.hits("field_values", span, field=field)]
        if not any(wanted in value for value in values):
            near = did_you_mean(wanted, values)
            there = f"{near} there are" if near else "there are"
            return f"no line has {field}:{wanted} in this range; {there} {_listed(values)}"
    return "there are lines in this range, but the query's filters keep none of them"


def _listed(values: list[str]) -> str:
    shown = ", ".join(values[:_SHOWN_VALUES])
    return f"{shown} and {len(values) - _SHOWN_VALUES} more" if len(values) > _SHOWN_VALUES else shown
