"""TraceQL text as tokens, cut as Tempo cuts it: by Go's `text/scanner`, with attributes and durations put together.

What Go's scanner brings along is kept, because Tempo accepts it: `//` and `/* */` are comments, names may have letters
of any alphabet, and a character that means nothing is a name of its own.

An attribute is three tokens: its scope with the dot (`span.`), its name, and its end. Its name goes on to the next
space or one of ``{}()=~!<>&|^,``; whatever is in double quotes belongs to it as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from obs_magics.syntax.logql.numbers import go_float, scan_number
from obs_magics.syntax.logql.strings import go_quote, has_surrogates, unquote
from obs_magics.syntax.logql.units import duration_ns
from obs_magics.syntax.traceql.words import INTRINSIC_SCOPES, OPERATORS, SCOPES, WORDS

END = "$end"
END_OF_NAME = "END_ATTRIBUTE"
LARGEST = 2**63 - 1
_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_WORD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)
_DURATION = re.compile(r"[0-9.nuµmshdwy]+")
# What Go calls white space, and the characters that end an attribute's name.
_NO_NAME = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000{}()=~!<>&|^,"
_PART = re.compile(rf'[^"{_NO_NAME}]+')
PLAIN_NAME = re.compile(rf'[^"\\{_NO_NAME}]+')
"""A name that needs no quotes."""
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)("?)', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_INNER_SCOPE = re.compile(r"(?:span|resource)\.")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query.

    Attributes:
        kind: Tempo's own name for it: ``STRING``, ``IDENTIFIER``, ``span.``, ``duration``, ``&&``, ``$end``, …
        start: Where it begins, in characters from 0.
        end: The place behind it.
        value: The text of a string or a name, the value of a number, a duration in nanoseconds.
        problem: What is wrong with it, in Tempo's words; empty when nothing is.
        mark: The place whose column Tempo tells when it complains about this token.
        lineless: Tempo has lost the line then, and says 0.
    """

    kind: str
    start: int
    end: int
    value: Any = None
    problem: str = ""
    mark: int = 0
    lineless: bool = False


def lex(text: str) -> list[Token]:
    """The tokens of a query, `END` last. Never fails: a token says itself what is wrong with it."""
    return list(_scan(text))


def _scan(text: str) -> Iterator[Token]:
    place = 1 if text.startswith("\ufeff") else 0  # a byte order mark
    lost = has_surrogates(text)
    while True:
        space = _SPACE.match(text, place)
        place = space.end() if space else place
        if place >= len(text):
            yield Token(END, len(text), len(text), mark=len(text))
            return
        for token in _tokens(text, place):
            place = token.end
            if lost and token.end > lost.start():
                yield _broken(token, "invalid UTF-8 encoding", lost.start())
                lost = None
            elif "\x00" in text[token.start : token.end]:
                yield _broken(token, "invalid character NUL", token.start)
            else:
                yield token


def _broken(token: Token, problem: str, start: int) -> Token:
    return Token(token.kind, start, max(token.end, start + 1), token.value, problem, start)


def _tokens(text: str, start: int) -> list[Token]:
    """The next token; of an attribute all that belong to it."""
    character = text[start]
    if character == "_" or character.isalpha():
        return _word(text, start)
    if character in "0123456789" or (character == "." and text[start + 1 : start + 2] in set("0123456789")):
        return [_number(text, start)]
    return _SPECIAL.get(character, _sign)(text, start)


def _word(text: str, start: int) -> list[Token]:
    end = _word_end(text, start)
    word, following = text[start:end], text[end : end + 1]
    if following == "." and word in SCOPES:
        return [Token(f"{word}.", start, end + 1, word, mark=start, lineless=True), *_name(text, end + 1, start, word)]
    if following == ":" and word in INTRINSIC_SCOPES:
        return [Token(f"{word}:", start, end + 1, word, mark=start, lineless=True)]
    return [Token(word if word in WORDS else "IDENTIFIER", start, end, word, mark=start)]


def _word_end(text: str, start: int) -> int:
    match = _WORD.match(text, start)
    end = match.end() if match else start + 1
    while end < len(text) and (text[end] == "_" or text[end].isalpha() or text[end].isdecimal()):
        end += 1
    return end


def _name(text: str, start: int, mark: int, scope: str) -> list[Token]:
    """What follows the dot of an attribute: a scope within `parent.`, the name, its end."""
    tokens = []
    inner = _INNER_SCOPE.match(text, start) if scope == "parent" else None
    if inner:
        tokens.append(Token(inner[0], start, inner.end(), inner[0][:-1], mark=mark, lineless=True))
        start = inner.end()
    parts, place, problem = list[str](), start, ""
    while not problem and place < len(text):
        part = _PART.match(text, place) or _QUOTED.match(text, place)
        if part is None:
            break
        place = part.end()
        if part.re is _PART:
            parts.append(part[0])
            continue
        parts.append(_ESCAPED.sub(r"\1", part[1]))
        if not part[2]:
            problem = "invalid escape sequence" if place < len(text) else 'unexpected EOF, expecting "'
    lineless = place > start or scope != ""
    if place > start:
        tokens.append(Token("IDENTIFIER", start, place, "".join(parts), problem, mark, lineless=True))
    return [*tokens, Token(END_OF_NAME, place, place, mark=mark, lineless=lineless)]


def _dot(text: str, start: int) -> list[Token]:
    return [Token(".", start, start + 1, "", mark=start), *_name(text, start + 1, start, "")]


def _number(text: str, start: int) -> Token:
    end, problem = scan_number(text, start)
    number = text[start:end]
    rest = _DURATION.match(text, end)
    nanoseconds = duration_ns(text[start : rest.end()]) if rest and not problem else None
    if rest and nanoseconds is not None:
        return Token("DURATION", start, rest.end(), nanoseconds, mark=start, lineless=True)
    is_hex = number[:2] in {"0x", "0X"}
    is_float = any(mark in number.lower() for mark in (".p" if is_hex else ".e"))
    value = go_float(number) if is_float else _whole(number)
    if value is None and not problem:  # in the words of Go's `strconv`
        fault = "value out of range" if is_float or number.isdecimal() else "invalid syntax"
        problem = f"strconv.{'ParseFloat' if is_float else 'Atoi'}: parsing {go_quote(number)}: {fault}"
    return Token("FLOAT" if is_float else "INTEGER", start, end, value, problem, start)


def _whole(number: str) -> int | None:
    """The value of a whole number in decimal digits that 64 bits can hold; leading zeros mean nothing."""
    digits = number.lstrip("0") or "0"
    value = int(digits) if number.isdecimal() and len(digits) < 20 else LARGEST + 1
    return value if value <= LARGEST else None


def _string(text: str, start: int) -> list[Token]:
    match = _STRING.match(text, start)
    if match is None:
        stop = len(text) if text[start] == "`" else text.find("\n", start)
        end = len(text) if stop < 0 else stop
        return [Token("STRING", start, end, "", "literal not terminated", start)]
    if text[start] == "'":  # Go's character; Tempo has no use for it, and takes it for a name
        problem = "" if len(match[0]) == 3 else "invalid char literal"
        return [Token("IDENTIFIER", start, match.end(), match[0], problem, start)]
    try:
        return [Token("STRING", start, match.end(), unquote(match[0]), mark=start)]
    except ValueError:
        return [Token("STRING", start, match.end(), "", "invalid char escape", start)]


def _comment(text: str, start: int) -> list[Token]:
    if text.startswith("/*", start):
        return [Token(END, start, len(text), None, "comment not terminated", start)]
    return _sign(text, start)


def _sign(text: str, start: int) -> list[Token]:
    end = start + 1
    while end < len(text) and text[start : end + 1] in OPERATORS:
        end += 1
    sign = text[start:end]
    kind = sign if sign in OPERATORS else "IDENTIFIER"
    return [Token(kind, start, end, sign, mark=start, lineless=end > start + 1)]


_SPECIAL: Mapping[str, Callable[[str, int], list[Token]]] = {
    '"': _string,
    "'": _string,
    "`": _string,
    ".": _dot,
    "/": _comment,
}
