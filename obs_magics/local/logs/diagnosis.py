"""Why a question for log lines gave nothing: an unknown label or value, another time, or filters that keep none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from obs_magics.local.logql.context import Asked, Context
from obs_magics.local.logs.selection import ALIASES
from obs_magics.local.logs.store import LogStore
from obs_magics.local.promql.data import Matcher
from obs_magics.model.errors import did_you_mean
from obs_magics.syntax.logql.strings import quote

_SHOWN = 8


def why_empty(context: Context) -> str:
    """A sentence on the first selector that found no line, or on the query as a whole."""
    for asked in context.asked:
        if not asked.found:
            return _explained(context.store, asked)
    if not context.asked:
        return "the query reads no lines"
    found = sum(asked.found for asked in context.asked)
    if context.level is not None and context.unknown:
        found_level = f"none that is known to be at least {context.level}"
        return f"{_lines(context.unknown)} of unknown level found, and {found_level}: try --level all"
    severe = f" and is at least {context.level}" if context.level is not None else ""
    return f"the selector finds {_lines(found)} in this range, but none of them passes the filters{severe}"


def _explained(store: LogStore, asked: Asked) -> str:
    if not len(store):
        return "there are no log lines here"
    for matcher in asked.matchers:
        if not store.matches(matcher).any():
            return _unknown(store, matcher)
    rows = store.select(asked.matchers, *_whole(store))
    if len(rows):
        return _elsewhere(rows.times_ns[0], rows.times_ns[-1], asked)
    written = ", ".join(map(_written, asked.matchers))
    return f"no line has all of {written} at once"


def _unknown(store: LogStore, matcher: Matcher) -> str:
    names = store.label_names()
    if matcher.name in store.metadata:
        return (
            f"{matcher.name} differs from line to line, so it does not tell streams apart: "
            f"filter by it behind the selector, | {_written(matcher)}"
        )
    if matcher.name not in names and matcher.name not in ALIASES:
        return f"no stream has a label {matcher.name!r}; {did_you_mean(matcher.name, names) or _there_are(names)}"
    values = store.label_values(matcher.name)
    near = did_you_mean(matcher.value, values) if matcher.op == "=" else ""
    return f"no stream has {_written(matcher)}; {near or _there_are(values)}"


def _elsewhere(first_ns: int, last_ns: int, asked: Asked) -> str:
    if asked.start_ns > last_ns or max(asked.end_ns, asked.start_ns + 1) <= first_ns:
        return (
            f"the lines of these streams lie between {_time(first_ns)} and {_time(last_ns)} UTC, "
            "outside of the range asked for"
        )
    return "these streams have no line in the range asked for; there are some before and after"


def _whole(store: LogStore) -> tuple[int, int]:
    first, last = store.extent_ns or (0, 0)
    return first, last + 1


def _there_are(names: Sequence[str]) -> str:
    if not names:
        return "there is none at all"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names[:_SHOWN])}{more}"


def _written(matcher: Matcher) -> str:
    return f"{matcher.name}{matcher.op}{quote(matcher.value)}"


def _lines(number: int) -> str:
    return f"{number:,} {'line' if number == 1 else 'lines'}"


def _time(time_ns: int) -> str:
    return datetime.fromtimestamp(int(time_ns) // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
