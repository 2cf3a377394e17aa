"""Plain words about logs: which lines they mean, and when. Every word is used, or listed as passed over.

``errors in payment-api since 14:00 "pool exhausted"`` asks for lines of payment-api, of level error or worse, from
14:00 on, that hold the phrase. What is quoted is one phrase; of the rest each word that is no service, no level, no
time and no filler must stand in the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from obs_magics.model.errors import UsageError
from obs_magics.model.logs import LEVELS, Level
from obs_magics.model.query import LogWords

_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'|`([^`]*)`")
_WORD = re.compile(r"\S+")
_HOLE = "\0"  # where a quoted phrase stood

# Words for the kind of line that is asked for. `failed` and the like stay phrases: lines say them themselves.
_LEVELS: dict[str, Level] = {
    "fatal": "fatal", "fatals": "fatal", "critical": "fatal",
    "error": "error", "errors": "error", "exceptions": "error", "failures": "error",
    "warning": "warn", "warnings": "warn", "warn": "warn",
    "debug": "debug",
}  # fmt: skip

# What people put around the words that matter.
_FILLERS = frozenset({
    "a", "about", "all", "and", "any", "are", "at", "by", "can", "containing", "contain", "contains", "find",
    "for", "from", "get", "give", "happened", "has", "have", "having", "i", "in", "is", "it", "line", "lines",
    "list", "log", "logged", "logs", "me", "message", "messages", "mentioning", "of", "on", "or", "our",
    "please", "saying", "service", "services", "show", "that", "the", "them", "there", "these", "they", "this",
    "to", "us", "was", "were", "what", "where", "which", "while", "who", "why", "with",
})  # fmt: skip
_TIME_STARTS = frozenset({
    "last", "past", "previous", "this", "since", "after", "between", "from", "yesterday", "today", "around",
    "about",
})  # fmt: skip
_BEFORE_TIMES = frozenset({
    "in", "over", "during", "for", "within", "the",
})  # fmt: skip
_LONGEST_TIME = 9  # words: `between yesterday 14:00 and yesterday 15:00 UTC` has seven
_PUNCTUATION = ".,;:!?()"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsRead:
    """What plain words were taken to mean.

    Args:
        words: Services and phrases.
        level: At least this severe; None where no level was named.
        when: A time range as typed; empty where none was named.
        unused: Words that were passed over.
    """

    words: LogWords
    level: Level | None = None
    when: str = ""
    unused: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """How it was understood, for the reader to check."""
        parts = [f"lines of {' or '.join(self.words.services)}" if self.words.services else "lines of every service"]
        parts += [f"level {self.level} or worse"] if self.level else []
        parts += ["with " + " and ".join(f'"{phrase}"' for phrase in self.words.phrases)] if self.words.phrases else []
        parts += [self.when] if self.when else []
        unused = f"; passed over: {' '.join(self.unused)}" if self.unused else ""
        return f"read as {', '.join(parts)}{unused}"


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    text: str


def read_words(text: str, *, services: Sequence[str], is_range: Callable[[str], object]) -> WordsRead:
    """Read plain words.

    Args:
        text: As typed.
        services: Names of services that write logs.
        is_range: Raises `UsageError` for a text that is no time range (`model.time.parse_range`).
    """
    phrases = [next(group for group in found.groups() if group is not None) for found in _QUOTED.finditer(text)]
    bare = _QUOTED.sub(_HOLE, text)
    when, bare = _without_time(bare, is_range)
    known = {_folded(name): name for name in services}
    named: list[str] = []
    level: Level | None = None
    single: list[str] = []
    unused: list[str] = []
    for word in _words(bare):
        folded = _folded(word)
        if folded in known:
            named.append(known[folded])
        elif word.lower() in _LEVELS:
            level = min(level or "fatal", _LEVELS[word.lower()], key=LEVELS.index)  # errors and warnings: both
        elif word.lower() in _FILLERS:
            unused.append(word)
        else:
            single.append(word)
    kept = tuple(dict.fromkeys(phrase for phrase in [*phrases, *single] if phrase.strip()))
    return WordsRead(
        words=LogWords(services=tuple(dict.fromkeys(named)), phrases=kept),
        level=level,
        when=when,
        unused=tuple(unused),
    )


def _words(text: str) -> Iterator[str]:
    for found in _WORD.finditer(text.replace(_HOLE, " ")):
        if word := found[0].strip(_PUNCTUATION):
            yield word


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


def _without_time(text: str, is_range: Callable[[str], object]) -> tuple[str, str]:
    """The longest time range that stands in the text, and the text without it."""
    places = [_Place(found.start(), found.end(), found[0]) for found in _WORD.finditer(text)]
    for first, place in enumerate(places):
        if place.text.lower() not in _TIME_STARTS:
            continue
        for last in range(min(len(places), first + _LONGEST_TIME) - 1, first - 1, -1):
            phrase = text[place.start : places[last].end].rstrip(_PUNCTUATION)
            if _HOLE not in phrase and _is(phrase, is_range):
                begin = _with_preposition(places, first)
                return phrase, f"{text[: places[begin].start]} {text[places[last].end :]}"
    return "", text


def _with_preposition(places: Sequence[_Place], first: int) -> int:
    """Where `in the` of `in the last hour` begins."""
    while first and places[first - 1].text.lower() in _BEFORE_TIMES:
        first -= 1
    return first


def _is(phrase: str, is_range: Callable[[str], object]) -> bool:
    try:
        is_range(phrase)
    except UsageError:
        return False
    return True
