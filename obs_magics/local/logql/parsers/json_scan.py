"""JSON read the way Loki's lenient parser does: member by member, until something is wrong.

Used for the lines that a strict parser refuses: broken ones, and those with something behind the object. Source:
`ObjectEach` and `Get` of grafana/jsonparser, with its words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Literal

Kind = Literal["string", "number", "boolean", "null", "object", "array"]

_JSON = "Malformed JSON error"
_OBJECT = "Value looks like object, but can't find closing '}' symbol"
_ARRAY = "Value is array, but can't find closing ']' symbol"
_STRING = "Value is string, but can't find closing '\"' symbol"
_ESCAPE = "Encountered an invalid escape sequence in a string"
_TYPE = "Unknown value type"

_SPACE = re.compile(r"[ \n\r\t]*")
_STRING_END = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TOKEN = re.compile(r"[^ \n\r\t,}\]]*")
_BLOCK = {"{": re.compile(r'["{}]'), "[": re.compile(r'["\[\]]')}
_WORDS: dict[str, Kind] = {"true": "boolean", "false": "boolean", "null": "null"}
_SURROGATE = re.compile("[\ud800-\udfff]")


class Malformed(ValueError):  # noqa: N818 - the field's own word
    """Where the text stops being JSON."""


def members(text: str) -> Iterator[tuple[str, str, Kind]]:
    """The members of an object: key, value as written (strings without their quotes), kind.

    Raises:
        Malformed: After the members before the place where something is wrong.
    """
    place = _token(text, 0, _OBJECT)
    if text[place] != "{":
        raise Malformed(_OBJECT)
    place = _token(text, place + 1, _JSON)
    if text[place] == "}":
        return
    while True:
        key, place = _key(text, place)
        value, kind, place = value_at(text, place)
        yield key, value, kind
        place = _token(text, place, _ARRAY)
        if text[place] == "}":
            return
        if text[place] != ",":
            raise Malformed(_OBJECT)
        place = _token(text, place + 1, _ARRAY)


def _key(text: str, place: int) -> tuple[str, int]:
    """A key, and where its value begins."""
    if text[place] != '"':
        raise Malformed(_OBJECT)
    end = _STRING_END.match(text, place + 1)
    if end is None:
        raise Malformed(_JSON)
    key = unescaped(text[place + 1 : end.end() - 1])
    if key is None:
        raise Malformed(_ESCAPE)
    colon = _token(text, end.end(), _JSON)
    if text[colon] != ":":
        raise Malformed(_JSON)
    return key, colon + 1


def value_at(text: str, place: int) -> tuple[str, Kind, int]:
    """The value that begins at or behind `place`, its kind, and where it ends.

    Raises:
        Malformed: There is none.
    """
    place = _token(text, place, _JSON)
    first = text[place]
    if first == '"':
        end = _STRING_END.match(text, place + 1)
        if end is None:
            raise Malformed(_STRING)
        return text[place + 1 : end.end() - 1], "string", end.end()
    if first in _BLOCK:
        behind = _block_end(text, place)
        return text[place:behind], "object" if first == "{" else "array", behind
    token = _TOKEN.match(text, place)
    word = token[0] if token else ""
    if word in _WORDS:
        return word, _WORDS[word], place + len(word)
    if not (first.isascii() and (first.isdigit() or first == "-")):
        raise Malformed(_TYPE)
    return word, "number", place + len(word)


def _block_end(text: str, place: int) -> int:
    opening, level = text[place], 0
    while mark := _BLOCK[opening].search(text, place):
        place = mark.end()
        if mark[0] == '"':
            end = _STRING_END.match(text, place)
            if end is None:
                break
            place = end.end()
            continue
        level += 1 if mark[0] == opening else -1
        if level == 0:
            return place
    raise Malformed(_OBJECT if opening == "{" else _ARRAY)


def _token(text: str, place: int, otherwise: str) -> int:
    """Where the next character that is no space stands."""
    space = _SPACE.match(text, place)
    found = space.end() if space else place
    if found >= len(text):
        raise Malformed(otherwise)
    return found


def unescaped(written: str) -> str | None:
    r"""The text of a string as written between its quotes; None when an escape is none.

    >>> unescaped("a\\u00e9"), unescaped("\\ud800")
    ('aé', None)
    """
    if "\\" not in written:
        return written
    try:
        text: str = json.loads(f'"{written}"', strict=False)
    except ValueError:
        return None
    return None if _SURROGATE.search(text) else text
