"""From what a person asked of events to what sources are asked: kinds, services, words, conditions, time range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from obs_magics.language.log_words import said_time
from obs_magics.model.errors import QueryError, UsageError
from obs_magics.model.events import EventKind
from obs_magics.model.query import EventsQuery
from obs_magics.model.time import parse_range, resolve_range
from obs_magics.session.plan import Limits, When, check_limit, checked_text
from obs_magics.syntax.event_query import event_kind, read_event_query

DEFAULT_LIMIT = 1000
Names = str | Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsOptions:
    """What can be said beside the query; see `Session.events` for the meaning of each."""

    kinds: Names | None = None
    service: Names | None = None
    last: str | None = None
    start: When | None = None
    end: When | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class EventsPlanned:
    """What will be asked, and how words were understood."""

    query: EventsQuery
    notes: tuple[str, ...] = ()


def plan_events_query(
    question: str, options: EventsOptions, *, now_ns: int, zone: tzinfo, limits: Limits
) -> EventsPlanned:
    """Resolve an events question; a time that is said in words counts where no option says one.

    Raises:
        UsageError: An option does not make sense.
        QueryError: The question cannot be read.
    """
    text = checked_text(question)
    check_limit(options.limit)
    when, bare = said_time(text, lambda phrase: parse_range(phrase, now_ns=now_ns, zone=zone))
    found = read_event_query(bare)
    typed = any(given is not None for given in (options.last, options.start, options.end))
    span = resolve_range(
        last=options.last if typed else when or None,
        start=options.start,
        end=options.end,
        now_ns=now_ns,
        zone=zone,
        default_ns=limits.events_range_ns,
        max_ns=limits.max_range_ns,
    )
    query = EventsQuery(
        text=text,
        range=span,
        kinds=_both(_kinds(options.kinds), found.kinds, text),
        services=_names("service", options.service),
        words=found.words,
        matchers=found.matchers,
        limit=options.limit or DEFAULT_LIMIT,
    )
    said = f"“{when}” passed over: the options say more" if typed else f"read as {when}"
    return EventsPlanned(query, (said,) if when else ())


def _kinds(asked: Any) -> tuple[EventKind, ...]:
    try:
        return tuple(dict.fromkeys(map(event_kind, _names("kind", asked))))
    except QueryError as problem:
        raise UsageError(problem.message, hint=problem.hint) from None


def _both(asked: tuple[EventKind, ...], typed: tuple[EventKind, ...], text: str) -> tuple[EventKind, ...]:
    """Kinds that fulfil the option and the words of the question."""
    if not asked or not typed:
        return asked or typed
    common = tuple(kind for kind in asked if kind in typed)
    if not common:
        raise UsageError(
            f"{text!r} asks for {' and '.join(typed)}, and the option for {' and '.join(asked)}",
            hint="quote a word that is to be looked for in events",
        )
    return common


def _names(option: str, asked: Any) -> tuple[str, ...]:
    if asked is None:
        return ()
    names = asked.split(",") if isinstance(asked, str) else asked
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"--{option} takes names, not {asked!r}", hint="several with commas between them")
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
