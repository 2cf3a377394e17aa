"""Which events fit a question."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from obs_magics.model.events import Event
from obs_magics.model.query import EventMatcher, EventsQuery
from obs_magics.syntax.logql.regexes import compiled

_Test = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What fits, and what else there was.

    Args:
        events: Those that fit, in the order given.
        of_no_service: How many were passed over only because they concern no service in particular.
        outside: How many fit but for the time.
    """

    events: tuple[Event, ...]
    of_no_service: int = 0
    outside: int = 0


def chosen(found: Iterable[Event], query: EventsQuery) -> Chosen:
    """The events that overlap the range and fulfil every condition; the limit is not a condition."""
    tests: list[_Test] = [*_kinds(query), *map(_word, query.words), *map(_matcher, query.matchers)]
    kept, nowhere, outside = [], 0, 0
    for event in found:
        if not all(test(event) for test in tests):
            continue
        inside = event.start_ns <= query.range.end_ns and event.until_ns >= query.range.start_ns
        if query.services and not event.service:
            nowhere += inside
        elif not query.services or any(fnmatch.fnmatchcase(event.service, name) for name in query.services):
            outside += not inside
            kept += [event] if inside else []
    return Chosen(tuple(kept), nowhere, outside)


def value_of(event: Event, name: str) -> str:
    """The column or attribute of an event; empty when it has none of that name."""
    if name in event.attributes:
        return event.attributes[name]
    if name in _COLUMNS:
        return str(getattr(event, name))
    return event.attributes.get(name.removeprefix("label_"), "")


_COLUMNS = frozenset({"kind", "service", "title", "version", "severity", "url", "source"})


def _kinds(query: EventsQuery) -> Sequence[_Test]:
    kinds = frozenset(query.kinds)
    return [lambda event: event.kind in kinds] if kinds else []


def _word(word: str) -> _Test:
    wanted = word.casefold()

    def test(event: Event) -> bool:
        said = (event.title, event.service, event.version, event.severity, event.source, *event.attributes.values())
        return any(wanted in text.casefold() for text in said)

    return test


def _matcher(matcher: EventMatcher) -> _Test:
    if matcher.op in ("=", "!="):
        return lambda event: (value_of(event, matcher.name) == matcher.value) == (matcher.op == "=")
    pattern, problem = compiled(matcher.value)
    if pattern is None:
        raise ValueError(problem)
    return lambda event: bool(pattern.fullmatch(value_of(event, matcher.name))) == (matcher.op == "=~")
