"""Plain words about logs: which lines they mean, and when. What says something is used, or told as passed over.

``errors in payment-api since 14:00 "pool exhausted"`` asks for lines of payment-api, of level error or worse, from
14:00 on, that hold the phrase. What is quoted is one phrase; of the rest each word that is no service, no level, no
time and no filler must stand in the line; `timeout or refused` asks for either. What cannot be said in plain words
(what to leave out, an end without a beginning) is refused, because the opposite would be asked for.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from obs_magics.model.errors import UsageError
from obs_magics.model.logs import LEVELS, Level
from obs_magics.model.query import LogWords

_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'|`([^`]*)`")
_WORD = re.compile(r"\S+")
_HOLE = "\0"  # where a quoted phrase stood
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)

# Words for the kind of line that is asked for. `failed` and the like stay phrases: lines say them themselves.
_LEVELS: dict[str, Level] = {
    "fatal": "fatal", "fatals": "fatal", "critical": "fatal",
    "error": "error", "errors": "error", "exceptions": "error", "failures": "error",
    "warning": "warn", "warnings": "warn", "warn": "warn",
    "info": "info", "debug": "debug",
}  # fmt: skip

# What people put around the words that matter.
_FILLERS = frozenset({
    "a", "about", "all", "and", "any", "are", "at", "by", "can", "containing", "contain", "contains", "everything",
    "find", "for", "from", "get", "give", "happened", "has", "have", "having", "i", "in", "is", "it", "line", "lines",
    "list", "log", "logged", "logs", "me", "message", "messages", "mentioning", "of", "on", "or", "our",
    "please", "saying", "service", "services", "show", "that", "the", "them", "there", "these", "they", "this",
    "to", "us", "was", "were", "what", "where", "which", "while", "who", "why", "with",
})  # fmt: skip
# Those of them that would have said something: of them it is told that they were passed over.
_WOULD_SAY = frozenset({"or", "where", "which", "while", "who", "why"})
_TIME_STARTS = frozenset({
    "last", "past", "previous", "this", "since", "after", "between", "from", "yesterday", "today", "around",
    "about", "at",
})  # fmt: skip
_CLOCK = re.compile(r"\(?\d{1,4}(?:[:-]\d{1,2}|(?:[:.]\d\d)?[ap]m)\S*", re.IGNORECASE)  # 14:20, 2pm, 2026-11-22
# How people also say a time, in the words of `model.time.parse_range`.
_SAID_OTHERWISE = (
    (re.compile(r"^at\s+", re.IGNORECASE), "around "),
    (re.compile(r"^(?:since|after)\s+(.+?)\s+(?:until|till|to|and|before)\s+", re.IGNORECASE), r"from \1 to "),
    (re.compile(r"^(?=\d)"), "around "),
)
_ENDS = frozenset({"before", "until", "till"})
_LEAVE_OUT = frozenset({"except", "excluding", "without"})
_NOT_WHAT = frozenset({"in", "from", "of", "on", "with", "containing", "at", "by"})
_BEFORE_TIMES = frozenset({
    "in", "over", "during", "for", "within", "the",
})  # fmt: skip
_LONGEST_TIME = 9  # words: `between yesterday 14:00 and yesterday 15:00 UTC` has seven
_PUNCTUATION = ".,;:!?()"
_LONG_ENOUGH = 4  # letters: shorter parts of names (api) say nothing
_MOST_NEAR = 3
_ALIKE = 0.8


_Token: TypeAlias = tuple[str, bool]  # a word or a phrase, and whether it was quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsRead:
    """What plain words were taken to mean.

    Args:
        words: Services and phrases.
        level: At least this severe; None where no level was named.
        when: A time range as typed; empty where none was named.
        unused: Words that say something and were passed over.
        near: Words that name no service but nearly do, each with the services that may be meant.
    """

    words: LogWords
    level: Level | None = None
    when: str = ""
    unused: tuple[str, ...] = ()
    near: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def sentence(self) -> str:
        """How it was understood, for the reader to check."""
        parts = [f"lines of {' or '.join(self.words.services)}" if self.words.services else "lines of every service"]
        parts += [f"level {self.level} or worse"] if self.level else []
        wanted = [f'"{phrase}"' for phrase in self.words.phrases]
        wanted += [" or ".join(f'"{phrase}"' for phrase in group) for group in self.words.any_of]
        if len(wanted) > 1:
            wanted = [f"({one})" if " or " in one and one.count('"') > 2 else one for one in wanted]
        parts += ["with " + " and ".join(wanted)] if wanted else []
        parts += [self.when] if self.when else []
        unused = f"; passed over: {' '.join(self.unused)}" if self.unused else ""
        near = "".join(f"; {word} is no service here: did you mean {' or '.join(names)}?" for word, names in self.near)
        return f"read as {', '.join(parts)}{unused}{near}"


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    text: str


def read_words(text: str, *, services: Sequence[str], is_range: Callable[[str], object]) -> WordsRead:
    """Read plain words.

    Args:
        text: As typed; lines that begin with `#` are comments.
        services: Names of services that write logs.
        is_range: Raises `UsageError` for a text that is no time range (`model.time.parse_range`).

    Raises:
        UsageError: The words say what to leave out, or when to stop but not where to begin, or want one of things of
            different kinds.
    """
    text = _COMMENT.sub("", text.replace(_HOLE, " "))
    quoted = [next(group for group in found.groups() if group is not None) for found in _QUOTED.finditer(text)]
    when, bare = _without_time(_QUOTED.sub(f" {_HOLE} ", text), is_range)
    words = list(_words(bare, quoted))
    _refuse_what_cannot_be_said(words)
    known = {_folded(name): name for name in services}
    _refuse_mixed_or(words, known)
    sorter = _Sorter(known)
    for place in range(len(words)):
        sorter.take(words, place)
    groups = dict.fromkeys(tuple(dict.fromkeys(group)) for group in sorter.wanted)
    return WordsRead(
        words=LogWords(
            services=tuple(dict.fromkeys(sorter.named)),
            phrases=tuple(group[0] for group in groups if len(group) == 1),
            any_of=tuple(group for group in groups if len(group) > 1),
        ),
        level=sorter.level,
        when=when,
        unused=tuple(sorter.unused),
        near=tuple((word, names) for word in dict.fromkeys(sorter.single) if (names := _near(word, services))),
    )


def said_time(text: str, is_range: Callable[[str], object]) -> tuple[str, str]:
    """The time range that stands in words outside of quotes (empty where none does), and the words without it.

    Args:
        text: As typed.
        is_range: Raises `UsageError` for a text that is no time range (`model.time.parse_range`).

    >>> from datetime import UTC
    >>> from obs_magics.model.time import parse_range
    >>> said_time('deploys "last hour" in the last hour', lambda text: parse_range(text, now_ns=10**18, zone=UTC))
    ('last hour', 'deploys "last hour"')
    """
    text = text.replace(_HOLE, " ")
    quoted = [found[0] for found in _QUOTED.finditer(text)]
    when, bare = _without_time(_QUOTED.sub(f" {_HOLE} ", text), is_range)
    if not when:
        return "", text
    for phrase in quoted:
        bare = bare.replace(_HOLE, phrase, 1)
    return when, re.sub(r" {2,}", " ", bare).strip()


@dataclass(slots=True)
class _Sorter:
    """Puts each word where it belongs.

    Args:
        known: Services by their folded names.
        named: Services that were named.
        level: The least severe level that was named.
        wanted: Groups of phrases, of each of which one at least must stand in the line.
        unused: Words that say something and were passed over.
        single: Phrases that were not quoted.
        joins: Whether an `or` stands between the last phrase and the next.
    """

    known: Mapping[str, str]
    named: list[str] = field(default_factory=list)
    level: Level | None = None
    wanted: list[list[str]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    single: list[str] = field(default_factory=list)
    joins: bool = False

    def take(self, words: Sequence[_Token], place: int) -> None:
        """Take the next word."""
        word, is_quoted = words[place]
        lower = word.lower()
        if not is_quoted and lower == "or" and _between_phrases(words, place, self.known):
            self.joins = True
            return
        if is_quoted or not self._is_special(word, lower):
            self._phrase(word, is_quoted=is_quoted)
        self.joins = False

    def _is_special(self, word: str, lower: str) -> bool:
        """Take a service, a level or a filler; False for any other word."""
        if (folded := _folded(word)) in self.known:
            self.named.append(self.known[folded])
        elif lower in _LEVELS:
            self.level = min(self.level or "fatal", _LEVELS[lower], key=LEVELS.index)  # errors and warnings: both
        elif lower in _FILLERS:
            self.unused += [word] if lower in _WOULD_SAY else []
        else:
            return False
        return True

    def _phrase(self, word: str, *, is_quoted: bool) -> None:
        if not word.strip():
            return
        if self.joins:
            self.wanted[-1].append(word)
        else:
            self.wanted.append([word])
        if not is_quoted:
            self.single.append(word)


def _words(text: str, quoted: Sequence[str]) -> Iterator[_Token]:
    phrases = iter(quoted)
    for found in _WORD.finditer(text):
        if found[0] == _HOLE:
            yield next(phrases), True
        elif word := found[0].strip(_PUNCTUATION):
            yield word, False


def _kind(token: _Token, known: Collection[str]) -> str:
    """What a word is: a service, a level, a text that stands in lines, or (empty) one that says nothing."""
    word, is_quoted = token
    lower = word.lower()
    if is_quoted or not word.strip():
        return _TEXT if word.strip() else ""
    if _folded(word) in known:
        return _SERVICE
    return _LEVEL if lower in _LEVELS else "" if lower in _FILLERS else _TEXT


_SERVICE, _LEVEL, _TEXT = "service", "level", "text"


def _between_phrases(words: Sequence[_Token], place: int, known: Collection[str]) -> bool:
    """Whether what stands before and behind an `or` must stand in lines."""
    inside = 0 < place < len(words) - 1
    return inside and _kind(words[place - 1], known) == _kind(words[place + 1], known) == _TEXT


def _refuse_mixed_or(words: Sequence[_Token], known: Collection[str]) -> None:
    """An `or` between a service, a level and a text: a query selects by the first two, and filters what they leave."""
    kinds = [(token[0], _kind(token, known)) for token in words]
    told = [(word, kind) for word, kind in kinds if kind or word.lower() == "or"]
    for (before, one), (_, kind), (behind, other) in zip(told, told[1:], told[2:], strict=False):
        if not kind and one and other and one != other:
            raise UsageError(
                f"one query cannot have lines with the {one} {before!r} or the {other} {behind!r}",
                hint=f'ask for each by itself; or "{before}" or "{behind}", both in quotes, for lines with either word',
            )


def _refuse_what_cannot_be_said(words: Sequence[_Token]) -> None:
    bare = [("" if is_quoted else word.lower()) for word, is_quoted in words]
    for place, (word, following) in enumerate(pairwise([*bare, ""])):
        typed = " ".join(token for token, _ in words[place : place + 3])
        if word in _LEAVE_OUT or (word == "not" and following in _NOT_WHAT):
            raise UsageError(
                f"plain words cannot say what to leave out: {typed!r}",
                hint='write LogQL: {service!="redis"} != "text"; a word that stands in the lines goes into quotes',
            )
        if word in _ENDS and _CLOCK.fullmatch(following):
            raise UsageError(
                f"{typed!r} says when to stop, not where to begin",
                hint=f"write from … to {following}, or --end {following} --last 30m",
            )


def _near(word: str, services: Sequence[str]) -> tuple[str, ...]:
    """The services that a word may have meant: it is a part of their name, or one mistyped."""
    folded = {_folded(name): name for name in services}
    typed = _folded(word)
    parts = [name for fold, name in folded.items() if len(typed) >= _LONG_ENOUGH and typed in fold.split("-")]
    close = parts or [folded[name] for name in difflib.get_close_matches(typed, folded, n=_MOST_NEAR, cutoff=_ALIKE)]
    return tuple(close) if len(close) <= _MOST_NEAR else ()


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


def _without_time(text: str, is_range: Callable[[str], object]) -> tuple[str, str]:
    """The longest time range that stands in the text, and the text without it."""
    places = [_Place(found.start(), found.end(), found[0]) for found in _WORD.finditer(text)]
    for first, place in enumerate(places):
        if place.text.lower() not in _TIME_STARTS and not _CLOCK.fullmatch(place.text):
            continue
        if first and places[first - 1].text.lower() in _ENDS:
            continue
        for last in range(min(len(places), first + _LONGEST_TIME) - 1, first - 1, -1):
            phrase = text[place.start : places[last].end].strip(_PUNCTUATION)
            if _HOLE not in phrase and (when := _as_range(phrase, is_range)):
                begin = _with_preposition(places, first)
                return when, f"{text[: places[begin].start]} {text[places[last].end :]}"
    return "", text


def _as_range(phrase: str, is_range: Callable[[str], object]) -> str:
    """The phrase as `is_range` takes it; empty where it is no time range in any way it may be said."""
    told = (how.sub(instead, phrase) for how, instead in _SAID_OTHERWISE if how.search(phrase))
    return next((one for one in (phrase, *told) if _is(one, is_range)), "")


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
