"""Plain words about measures, as far as they are read today: which measure, of which service, and when."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from obs_magics.language.log_words import said_time
from obs_magics.language.measures import find_measure
from obs_magics.model.time import MINUTE
from obs_magics.session.plan import MetricsOptions
from obs_magics.syntax.grafana import expand_time_variables
from obs_magics.syntax.promql import tree_of

_OF_SERVICE = re.compile(r"(?P<measure>[\w .%/-]+?) +(?:of|in|for|at) +(?P<service>[\w.:/-]+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A question without the time that it named in words, the options with that time, and what to tell about it."""

    text: str
    options: MetricsOptions
    when: str = ""
    notes: tuple[str, ...] = ()


def in_words(text: str, service: str | None, own: Collection[str] = ()) -> tuple[str, str | None]:
    """A measure and its service, where both stand in words: "errors of payment-api"; else as they came.

    Args:
        text: As typed, without a time.
        service: The one that an option names; then the text is a measure or a query by itself.
        own: Measures that the configuration adds.

    >>> in_words("p99 latency of payment-api", None)
    ('p99 latency', 'payment-api')
    """
    found = _OF_SERVICE.fullmatch(text)
    if found is None or service is not None or not is_measure(found["measure"], own):
        return text, service
    return found["measure"], found["service"]


def with_time(text: str, options: MetricsOptions, *, own: Collection[str], is_range: Callable[[str], object]) -> Spoken:
    """Read the time that a question about measures names in words, where the rest is a measure or a query.

    Args:
        text: As typed. A query is left alone, whatever its words.
        options: Say more than words do, where they name a time.
        own: Measures that the configuration adds.
        is_range: Raises `UsageError` for a text that is no time range (`model.time.parse_range`).
    """
    when, bare = said_time(text, is_range)
    understood = not bare or is_measure(in_words(bare, None, own)[0], own) or is_query(bare)
    if not when or not understood or (bare and is_query(text)):
        return Spoken(text=text, options=options)
    if any(given is not None for given in (options.last, options.start, options.end)):
        return Spoken(text=bare, options=options, notes=(f"“{when}” passed over: the options say more",))
    told = f"read as {', '.join(part for part in (bare, when) if part)}"
    return Spoken(text=bare, options=dataclasses.replace(options, last=when), when=when, notes=(told,))


def is_measure(text: str, own: Collection[str]) -> bool:
    """Whether a text names a measure."""
    return find_measure(text) is not None or text in own


def is_query(text: str) -> bool:
    """Whether a text can be read as PromQL."""
    return tree_of(expand_time_variables(text, step_ns=MINUTE, range_ns=MINUTE, scrape_ns=MINUTE)) is not None
