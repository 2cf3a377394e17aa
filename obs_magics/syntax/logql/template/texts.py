"""Functions of templates on texts: case, trimming, cutting, encoding, regular expressions.

Positions count bytes, as in Go (`trunc`, `substr`), except where Loki counts characters (`alignLeft`, `alignRight`).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from obs_magics.syntax.logql.regexes import compiled
from obs_magics.syntax.logql.strings import go_quote
from obs_magics.syntax.logql.template.values import TemplateError, inside, is_true
from obs_magics.syntax.logql.units import bytes_of, go_duration_ns

LONGEST = 4_000_000
"""Characters that a function may make; a template is no place for more."""
_SPACE = " \t\n\v\f\r\x85\xa0"  # unicode.IsSpace, the part of it that is no rarity
_EXPAND = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2}).{0,2}", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def bounded(size: int) -> None:
    """Refuses to make a text that is too long to be meant."""
    if size > LONGEST:
        raise TemplateError(f"a text of {size:,} characters is longer than {LONGEST:,}")


def replace(text: str, old: str, new: str, count: int) -> str:
    """Go's `strings.Replace`: a negative count replaces all."""
    bounded(len(text) + (len(new) - len(old)) * (text.count(old) if old else len(text) + 1))
    return text.replace(old, new, count)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def trunc(count: int, text: str) -> str:
    """The first bytes of a text; with a negative count the last."""
    data = _bytes(text)
    if count < 0 < len(data) + count:
        return _text(data[len(data) + count :])
    return _text(data[:count]) if 0 <= count < len(data) else text


def substr(start: int, end: int, text: str) -> str:
    """The bytes from `start` to `end`; a negative one stands for the beginning or the end of the text."""
    data = _bytes(text)
    start, stop = (0, end) if start < 0 else (start, len(data) if end < 0 or end > len(data) else end)
    if not 0 <= start <= stop <= len(data):
        raise TemplateError(f"slice bounds out of range [{start}:{stop}] with length {len(data)}")
    return _text(data[start:stop])


def align_left(count: int, text: str) -> str:
    """As many characters from the left, filled up with spaces."""
    bounded(count)
    return text if count < 0 else text[:count].ljust(count)


def align_right(count: int, text: str) -> str:
    """As many characters from the right, filled up with spaces."""
    bounded(count)
    return text if count < 0 else text[max(0, len(text) - count) :].rjust(count)


def title(text: str) -> str:
    """Each word with a capital; words end where no letter, digit or underscore stands."""
    shown, starts = [], True
    for character in text:
        shown.append(character.upper() if starts and len(character.upper()) == 1 else character)
        joins = character == "_" or character.isalnum() or (ord(character) > 0x7F and not character.isspace())
        starts = not joins
    return "".join(shown)


def repeat(count: int, text: str) -> str:
    """The text so many times."""
    if count < 0:
        raise TemplateError("strings: negative Repeat count")
    bounded(count * len(text))
    return text * count


def indent(spaces: int, text: str) -> str:
    """Every line moved to the right."""
    padding = repeat(spaces, " ")
    bounded(len(text) + (text.count("\n") + 1) * spaces)
    return padding + text.replace("\n", "\n" + padding)


def b64enc(text: str) -> str:
    """The text as base64."""
    return base64.b64encode(_bytes(text)).decode("ascii")


def b64dec(text: str) -> str:
    """The text behind base64; what is wrong with it, where it is none, as sprig does."""
    plain = text.replace("\r", "").replace("\n", "")
    valid = _BASE64.match(plain)
    end = valid.end() if valid else 0
    try:
        if end < len(plain) or len(plain) % 4:
            raise ValueError
        return _text(base64.b64decode(plain, validate=True))
    except (ValueError, binascii.Error):
        return f"illegal base64 data at input byte {end if end < len(plain) else len(plain) - len(plain) % 4}"


def urldecode(text: str) -> str:
    """The text behind a query's encoding."""
    wrong = _BAD_ESCAPE.search(text)
    if wrong:
        raise TemplateError(f"invalid URL escape {go_quote(wrong[0])}")
    return urllib.parse.unquote_plus(text, errors="replace")


def urlencode(text: str) -> str:
    """The text as it stands in a query."""
    return urllib.parse.quote_plus(_bytes(text), safe="")


def from_json(text: str) -> Any:
    """What a JSON document says, with all numbers as floats; nil for what is none."""
    try:
        return json.loads(text, parse_int=float, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def default(fallback: Any, *given: Any) -> Any:
    """The given value, unless it is empty."""
    return given[0] if given and is_true(given[0]) else fallback


def seconds(text: str) -> float:
    """A duration in Go's dialect, in seconds."""
    nanoseconds = go_duration_ns(text)
    if nanoseconds is None:
        raise TemplateError(f"time: invalid duration {go_quote(text)}")
    return nanoseconds / 10**9


def size(text: str) -> float:
    """A size such as 5KB, in bytes."""
    found = bytes_of(text.strip())
    if found is None:
        raise TemplateError(f"unhandled size name or number: {go_quote(text)}")
    return float(found)


# Regular expressions


@lru_cache(maxsize=256)
def _regex(pattern: str) -> Any:
    found, problem = compiled(pattern)
    if found is None:
        raise TemplateError(problem)
    return found


def _matches(pattern: str, text: str) -> Iterator[Any]:
    """Matches from left to right; an empty one right behind another does not count, as in Go."""
    end = -1
    for match in _regex(pattern).finditer(text):
        if match.end() == match.start() == end:
            continue
        end = match.end()
        yield match


def count(pattern: str, text: str) -> int:
    """How often a regular expression matches."""
    return sum(1 for _ in _matches(pattern, text))


def replace_all(pattern: str, text: str, replacement: str) -> str:
    """Matches replaced; ``$1`` and ``${name}`` stand for groups."""
    return _replaced(pattern, text, lambda match: _EXPAND.sub(lambda found: _group(match, found), replacement))


def replace_all_literal(pattern: str, text: str, replacement: str) -> str:
    """Matches replaced by a text as it stands."""
    return _replaced(pattern, text, lambda _match: replacement)


def _replaced(pattern: str, text: str, shown: Callable[[Any], str]) -> str:
    parts, place, length = [], 0, 0
    for match in _matches(pattern, text):
        parts += [text[place : match.start()], shown(match)]
        place = match.end()
        length += len(parts[-1])
        bounded(length)
    return "".join([*parts, text[place:]])


def _group(match: Any, found: re.Match[str]) -> str:
    """What a reference to a group stands for: nothing when there is no such group."""
    if found[0] == "$$":
        return "$"
    name = found[1] or found[2]
    try:
        return match.group(int(name) if name.isdecimal() else name) or ""
    except (IndexError, KeyError):
        return ""


# Escaping

_HTML = {"\x00": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
_JS = {
    **{character: f"\\{character}" for character in "\\'\""},
    **{character: f"\\u{ord(character):04X}" for character in "<>&="},
}


def joined(*values: Any) -> str:
    """Values next to each other as `print` shows them: with a space between two that are no texts."""
    parts: list[str] = []
    for place, value in enumerate(values):
        if place and not isinstance(value, str) and not isinstance(values[place - 1], str):
            parts.append(" ")
        parts.append(inside(value))
    return "".join(parts)


def html(*values: Any) -> str:
    """Escaped for HTML."""
    return "".join(_HTML.get(character, character) for character in joined(*values))


def js(*values: Any) -> str:
    """Escaped for a JavaScript string."""
    return "".join(_JS.get(character) or _js_character(character) for character in joined(*values))


def _js_character(character: str) -> str:
    return f"\\u{ord(character):04X}" if character < " " or not character.isprintable() else character


def trimmed(text: str, characters: str = _SPACE) -> str:
    """Without these characters at both ends."""
    return text.strip(characters) if characters else text
