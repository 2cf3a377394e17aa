"""Why a query gave no lines: an unknown label or value, no data in the range, or filters that keep none."""

from __future__ import annotations

from collections.abc import Sequence

import re2

from obs_magics.adapters.loki.catalog import LokiCatalog
from obs_magics.model.errors import QueryError, did_you_mean
from obs_magics.model.time import TimeRange
from obs_magics.syntax.logql import quote
from obs_magics.syntax.logql.tree import LogQuery, Matcher

_SHOWN_VALUES = 5


async def empty_reason(query: LogQuery, span: TimeRange, catalog: LokiCatalog) -> str:
    """One sentence about why `query` gave nothing; empty when that cannot be told."""
    names = await catalog.names_in(span)
    if not names:
        return "there are no logs at all in this range"
    for matcher in query.matchers:
        if matcher.name not in names and not _matches(matcher, ""):
            near = did_you_mean(matcher.name, names)
            return f"no stream has a label {matcher.name}; {near or 'there are ' + _listed(names)}"
    for matcher in query.matchers:
        values = await catalog.values_in(matcher.name, span) if matcher.name in names else []
        if not any(_matches(matcher, value) for value in [*values, ""]):
            near = did_you_mean(matcher.value, values) if matcher.op == "=" else ""
            there = f"{near} there are" if near else "there are"
            return f'no stream has {matcher.name}{matcher.op}"{matcher.value}" in this range; {there} {_listed(values)}'
    if not await catalog.series([_selector(query.matchers)], span):
        return "no stream has all of these labels at once in this range"
    if query.stages:
        return "the streams have lines in this range, but the query's filters keep none of them"
    return "the streams exist, but have no line in this range"


def _matches(matcher: Matcher, value: str) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    try:
        return bool(re2.fullmatch(matcher.value, value)) == (matcher.op == "=~")
    except re2.error as error:  # the server took it, so it is none of our business
        raise QueryError(str(error)) from None


def _selector(matchers: Sequence[Matcher]) -> str:
    return f"{{{', '.join(f'{item.name}{item.op}{quote(item.value)}' for item in matchers)}}}"


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(values[:_SHOWN_VALUES])
    return f"{shown} and {len(values) - _SHOWN_VALUES} more" if len(values) > _SHOWN_VALUES else shown
