"""From what a person asked of logs to what a source is asked: words or a native query, time range, level, limit."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from obs_magics.language.log_words import WordsRead, read_words
from obs_magics.model.errors import QueryError, UsageError, did_you_mean
from obs_magics.model.logs import LEVELS, Level
from obs_magics.model.query import LogsQuery, choose_step
from obs_magics.model.sources import LogLanguage, LogsSource
from obs_magics.model.time import parse_range, resolve_range
from obs_magics.session.plan import SCRAPE_INTERVAL_NS, Limits, When, check_limit, checked_text, step_of
from obs_magics.syntax.grafana import expand_time_variables
from obs_magics.syntax.logql import parse

DEFAULT_LIMIT = 1000
ALL = "all"
WORDS = "words"
_MOST_BARS = 61  # half an hour in bars of half a minute, and one that is cut
# `rate(http_requests_total[5m])`, `sum by (app) (…`: nobody writes words like that.
_CALL = re.compile(
    r"(?:sum|avg|min|max|count|topk|bottomk|stddev|stdvar|sort|sort_desc|rate|rate_counter|bytes_rate|\w+_over_time"
    r"|label_replace|vector)(?:\(|\s+(?:by|without)\s*\()"
)
_NUMBER = re.compile(r"\d[\d.:-]*")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")
_ALSO_LEVELS: dict[str, Level] = {"warning": "warn", "critical": "fatal", "err": "error", "information": "info"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsOptions:
    """What can be said beside the query; see `Session.logs` for the meaning of each."""

    last: str | None = None
    start: When | None = None
    end: When | None = None
    step: str | float | None = None
    level: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsPlanned:
    """A logs question, resolved; `translated_by` says who wrote the query when it was not typed as such."""

    query: LogsQuery
    translated_by: str = ""
    notes: tuple[str, ...] = ()


async def plan_logs_query(
    question: str, options: LogsOptions, target: LogsSource, *, now_ns: int, zone: tzinfo, limits: Limits
) -> LogsPlanned:
    """Resolve a logs question; words are translated with the help of the source, which knows its services.

    Raises:
        UsageError: An option does not make sense.
    """
    text = checked_text(question)
    check_limit(options.limit)
    level = level_of(options.level)
    read = None
    if not is_native(text, target.log_language):
        read = read_words(
            text,
            services=await _services(text, target),
            is_range=lambda phrase: parse_range(phrase, now_ns=now_ns, zone=zone),
        )
        text = await target.words_query(read.words)
        level = level if options.level is not None else read.level
    span = resolve_range(
        last=_when(options, read),
        start=options.start,
        end=options.end,
        now_ns=now_ns,
        zone=zone,
        default_ns=limits.logs_range_ns,
        max_ns=limits.max_range_ns,
    )
    step_ns = step_of(options.step, span, limits.max_data_points)
    text = expand_time_variables(text, step_ns=step_ns, range_ns=span.duration_ns, scrape_ns=SCRAPE_INTERVAL_NS)
    query = LogsQuery(
        text=text,
        range=span,
        limit=options.limit or DEFAULT_LIMIT,
        level=level,
        step_ns=step_ns,
        volume_step_ns=choose_step(span, _MOST_BARS),
    )
    if read is None:
        return LogsPlanned(query=query)
    used = _used_when(options, read)
    passed_over = (*read.unused, *(() if used == read.when else (read.when,)))
    shown = dataclasses.replace(read, level=level, when=used, unused=passed_over)
    return LogsPlanned(query=query, translated_by=WORDS, notes=(shown.sentence,) if question.strip() else ())


def level_of(asked: Any) -> Level | None:
    """The level that is meant; None for every line.

    Raises:
        UsageError: There is no such level.
    """
    if asked is None:
        return None
    word = str(asked).strip().lower()
    if word == ALL:
        return None
    word = _ALSO_LEVELS.get(word, word)
    for level in LEVELS:
        if word == level:
            return level
    known = [*LEVELS, ALL]
    raise UsageError(
        f"--level takes one of {', '.join(known)}, not {asked!r}", hint=did_you_mean(word, known) or "error: and worse"
    )


def is_native(text: str, language: LogLanguage) -> bool:
    """Whether this is meant as a query in the source's own language, right or wrong; else it is plain words.

    LogsQL is made of words itself. LogQL always has a selector in braces, or is arithmetic; a number or a date alone
    stands in lines, or is a time. What has a brace outside of quotes was meant as LogQL, and so is a call of a
    function; their mistakes are for the source to tell.
    """
    if language == "logsql":
        return bool(text)
    if _NUMBER.fullmatch(text):
        return False
    try:
        parse(text)
    except QueryError:
        begins = text.startswith(("{", "(")) or _CALL.match(text) is not None
        bare = _QUOTED.sub("", text)
        return begins or ("{" in bare and ("}" in bare or "[" in bare))
    return True


async def _services(text: str, target: LogsSource) -> Sequence[str]:
    return await target.log_catalog.services() if text else ()


def _when(options: LogsOptions, read: WordsRead | None) -> str | None:
    return options.last if read is None else _used_when(options, read) or options.last


def _used_when(options: LogsOptions, read: WordsRead) -> str:
    """The time that was named in words; an option says more."""
    typed = options.last is not None or options.start is not None or options.end is not None
    return "" if typed else read.when
