"""LogQL text as tokens, cut as Loki cuts it: by Go's `text/scanner`, with words, durations and sizes put together.

What Go's scanner brings along is kept, because Loki accepts it: `//` and `/* */` are comments beside `#`, names may
have letters of any alphabet, and a character that means nothing is a name of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from obs_magics.syntax.logql.numbers import scan_number
from obs_magics.syntax.logql.strings import has_surrogates, unquote
from obs_magics.syntax.logql.units import bytes_of, duration_ns, range_ns
from obs_magics.syntax.logql.words import FLAGS, FUNCTIONS, OPERATORS, RESERVED, SHOWN

END = "$end"
_SPACE = re.compile(r"(?:[ \t\r\n]+|\#[^\n]*|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_WORD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_FUNCTION = re.compile(r"\s*(?:\(|(?:by|without)\s*\()", re.IGNORECASE)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)
_UNITS: Mapping[str, tuple[re.Pattern[str], Callable[[str], int | None]]] = {
    "DURATION": (re.compile(r"[0-9.nuµmshdwy]+"), duration_ns),
    "BYTES": (re.compile(r"[0-9.BikKMGTP]+"), bytes_of),
}
_FLAG = re.compile(r"--[a-zA-Z-]*")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query.

    Attributes:
        kind: Loki's own name for it: ``STRING``, ``IDENTIFIER``, ``RATE``, ``json``, ``|=``, ``$end``, …
        start: Where it begins, in characters from 0.
        end: The place behind it.
        value: The text of a string or a name, the number of a duration (nanoseconds) or a size (bytes).
        problem: What is wrong with it, in Loki's words; empty when nothing is.
        lineless: Loki has lost the line when it complains about this token, and says 0.
    """

    kind: str
    start: int
    end: int
    value: Any = None
    problem: str = ""
    lineless: bool = False


def lex(text: str) -> list[Token]:
    """The tokens of a query, `END` last. Never fails: a token says itself what is wrong with it."""
    return list(_scan(text))


def space_end(text: str, start: int) -> int:
    """Where the white space and the comments that begin at `start` end."""
    match = _SPACE.match(text, start)
    return match.end() if match else start


def _scan(text: str) -> Iterator[Token]:
    place = 1 if text.startswith("\ufeff") else 0  # a byte order mark
    lost = has_surrogates(text)
    while True:
        place = space_end(text, place)
        if place >= len(text):
            yield Token(END, len(text), len(text))
            return
        token = _token(text, place)
        if lost and token.end > lost.start():
            token = Token("STRING", lost.start(), lost.end(), "", "invalid UTF-8 encoding")
            lost = None
        elif "\x00" in text[token.start : token.end]:
            token = Token(token.kind, token.start, token.end, token.value, "invalid character NUL")
        yield token
        place = token.end


def _token(text: str, start: int) -> Token:
    character = text[start]
    if character == "_" or character.isalpha():
        return _word(text, start)
    if character in "0123456789" or (character == "." and text[start + 1 : start + 2].isdecimal()):
        return _number(text, start)
    special = _SPECIAL.get(character)
    return special(text, start) if special else _sign(text, start)


def _word(text: str, start: int) -> Token:
    end = _word_end(text, start)
    word = text[start:end]
    lower = word.lower()
    if lower in FUNCTIONS:
        is_function = _FUNCTION.match(text, end) is not None
        return (
            Token(SHOWN.get(lower, lower), start, end, lower) if is_function else Token("IDENTIFIER", start, end, word)
        )
    return Token(lower if lower in RESERVED else "IDENTIFIER", start, end, word)


def _word_end(text: str, start: int) -> int:
    match = _WORD.match(text, start)
    end = match.end() if match else start + 1
    while end < len(text) and (text[end] == "_" or text[end].isalpha() or text[end].isdecimal()):
        end += 1
    return end


def _number(text: str, start: int) -> Token:
    end, problem = scan_number(text, start)
    if problem:
        return Token("NUMBER", start, end, text[start:end], problem)
    return (
        _measured(text, start, end, "DURATION")
        or _measured(text, start, end, "BYTES")
        or Token("NUMBER", start, end, text[start:end])
    )


def _measured(text: str, start: int, end: int, kind: str) -> Token | None:
    """A number together with the unit behind it, when both make a duration or a size."""
    more, read = _UNITS[kind]
    rest = more.match(text, end)
    value = read(text[start : rest.end()]) if rest else None
    return Token(kind, start, rest.end(), value, lineless=True) if rest and value is not None else None


def _minus(text: str, start: int) -> Token:
    flag = _FLAG.match(text, start)
    if flag and flag[0] in FLAGS:
        return Token("FUNCTION_FLAG", start, flag.end(), flag[0], lineless=True)
    negative = _measured(text, start, start + 1, "DURATION")
    return negative or _sign(text, start)


def _string(text: str, start: int) -> Token:
    match = _STRING.match(text, start)
    if match is None:
        stop = len(text) if text[start] == "`" else text.find("\n", start)
        return Token("STRING", start, len(text) if stop < 0 else stop, "", "literal not terminated")
    if text[start] == "'":  # Go's character; Loki has no use for it, and takes it for a name
        problem = "" if len(match[0]) == 3 else "invalid char literal"
        return Token("IDENTIFIER", start, match.end(), match[0], problem)
    try:
        return Token("STRING", start, match.end(), unquote(match[0]))
    except ValueError:
        return Token("STRING", start, match.end(), "", "invalid char escape")


def _range(text: str, start: int) -> Token:
    end = text.find("]", start)
    if end < 0:
        return Token("RANGE", start, len(text), 0, "missing closing ']' in duration", lineless=True)
    try:
        return Token("RANGE", start, end + 1, range_ns(text[start + 1 : end]), lineless=True)
    except ValueError as problem:
        return Token("RANGE", start, end + 1, 0, str(problem), lineless=True)


def _comment(text: str, start: int) -> Token:
    if text.startswith("/*", start):
        return Token(END, start, len(text), None, "comment not terminated")
    return _sign(text, start)


def _sign(text: str, start: int) -> Token:
    two = text[start : start + 2]
    if len(two) == 2 and two in OPERATORS:
        return Token(two, start, start + 2, two, lineless=True)
    one = text[start]
    return Token(one if one in OPERATORS else "IDENTIFIER", start, start + 1, one)


_SPECIAL: Mapping[str, Callable[[str, int], Token]] = {
    '"': _string,
    "'": _string,
    "`": _string,
    "[": _range,
    "-": _minus,
    "/": _comment,
}
