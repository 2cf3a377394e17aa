"""One answer of what several sources tell: each event once, those that fit, the newest ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from obs_magics.analysis.events import Chosen, chosen, folded
from obs_magics.display.units import count_text
from obs_magics.model.errors import did_you_mean
from obs_magics.model.events import Event, events_frame, events_of
from obs_magics.model.query import EventsQuery
from obs_magics.model.sources import Answer


def merged(answers: Mapping[str, Answer], query: EventsQuery) -> Answer:
    """One answer of all; what is wrong with a part of it is said with the source's name.

    Args:
        answers: By the source's name, in the order of precedence.
        query: What was asked; every condition is checked here again.
    """
    alone = len(answers) == 1
    told, twice = folded([events_of(answer.frame) for answer in answers.values()])
    found = chosen(told, query)
    kept = found.events
    if len(kept) > query.limit:
        kept = tuple(sorted(kept, key=lambda event: event.start_ns)[-query.limit :])
    cut = f"the newest {len(kept):,} of {len(found.events):,} events (limit)" if len(kept) < len(found.events) else ""
    named = {"" if alone else f"{name}: ": answer for name, answer in answers.items()}
    reasons = [f"{name}{answer.empty_reason}" for name, answer in named.items() if answer.empty_reason]
    return Answer(
        events_frame(kept),
        "; ".join(dict.fromkeys(answer.native_query for answer in answers.values() if answer.native_query)),
        warnings=tuple(f"{name}{text}" for name, answer in named.items() for text in answer.warnings),
        truncated="; ".join(
            [
                *(f"{name}{answer.truncated}" for name, answer in named.items() if answer.truncated),
                *([cut] if cut else []),
            ]
        ),
        failed=tuple(f"{name}{text}" for name, answer in named.items() for text in answer.failed),
        link=next((answer.link for answer in answers.values() if alone), ""),
        empty_reason="" if kept else _why_empty(query, found, told, reasons),
        signal="events",
        notes=(*(f"{name}{text}" for name, answer in named.items() for text in answer.notes), *_said(found, twice)),
    )


def _said(found: Chosen, twice: int) -> list[str]:
    told = (
        [f"{count_text(twice, 'alert or change', 'alerts or changes')} told by two sources: shown once"]
        if twice
        else []
    )
    if found.of_no_service and found.events:
        told.append(f"{count_text(found.of_no_service, 'event')} of no service in particular left out (--service)")
    return told


def _why_empty(query: EventsQuery, found: Chosen, told: Sequence[Event], reasons: list[str]) -> str:
    """What there is instead, as far as it is known."""
    total = len(told)
    known = {event.service for event in told if event.service}
    near = [f"no event there is of {name!r}: {hint}" for name in query.services if (hint := did_you_mean(name, known))]
    if near and not known & set(query.services):
        return "; ".join(near)
    if found.of_no_service:
        return f"{count_text(found.of_no_service, 'event')} of no service in particular would fit: leave --service out"
    if found.outside:
        return f"{count_text(found.outside, 'event')} outside of the time asked for would fit: look further with --last"
    asked = query.kinds or query.services or query.words or query.matchers
    if total and asked:
        return f"none of the {count_text(total, 'event')} there fits what was asked for"
    return "; ".join(reasons)
