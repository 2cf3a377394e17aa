"""What stood behind the wildcards of a template."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from obs_magics.analysis.patterns.messages import Fields, first_line, json_object, logfmt, message_key
from obs_magics.analysis.patterns.words import WILDCARD

_BLANKS = re.compile(r"[ \t\n\v\f\r]+")  # as Arrow splits

MOST_FREQUENT = 5
LONGEST_VALUE = 200
"""Characters of a value that are kept."""


def wildcard_values(template: str, messages: Iterable[str], fields: Fields = ()) -> list[list[str]]:
    """Of each wildcard the most frequent values, at most five; as frequent ones in the order of their text.

    Args:
        template: From `mine`.
        messages: Some that have this template; one that does not match (it cannot be told where) is left out.
        fields: The template's, from `mine`.

    >>> wildcard_values("took <*> ms", ["took 3 ms", "took 3 ms", "took 12 ms"])
    [['3', '12']]
    """
    parts = _parts(template, fields)
    counters: list[Counter[str]] = [Counter() for _ in range(len(parts) - 1 + len(fields))]
    for message, times in Counter(messages).items():
        text, others = _opened(message, fields)
        found = _between(parts, text)
        for counter, value in zip(counters, [*found, *others] if found is not None else [], strict=False):
            if value is not None:
                counter[value[:LONGEST_VALUE]] += times
    return [_most_frequent(counter) for counter in counters]


def _most_frequent(counter: Counter[str]) -> list[str]:
    return sorted(counter, key=lambda value: (-counter[value], value))[:MOST_FREQUENT]


def _parts(template: str, fields: Fields) -> list[str]:
    """What stands between the wildcards of the message's part of a template."""
    behind = " ".join(f"{name}={WILDCARD}" for name in fields)
    message = template.removesuffix(behind).removesuffix(" ") if fields else template
    return message.split(WILDCARD)


def _opened(message: str, fields: Fields) -> tuple[str, list[str | None]]:
    """The text that the template's message matches, with single blanks, and the values of the fields."""
    body: dict[str, Any] | None = json_object(message)
    if body is None:
        message = first_line(message)
        body = logfmt(message) if fields else None
    if body is None:
        return _single_blanks(message), [None] * len(fields)
    key = message_key(body)
    text = first_line(body[key]) if key else ""
    return _single_blanks(text), [_shown(body[name]) if name in body else None for name in fields]


def _single_blanks(text: str) -> str:
    return " ".join(filter(None, _BLANKS.split(text)))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _between(parts: Sequence[str], text: str) -> list[str] | None:
    """What stands between the parts in a text, each part taken where it comes first; None when they are not all there.

    A wildcard may stand for anything, nothing too, so taking the first place finds a match if there is one.
    """
    first, *others = parts
    if not text.startswith(first):
        return None
    if not others:
        return [] if text == first else None
    at, found = len(first), []
    for part in others[:-1]:
        start = text.find(part, at)
        if start < 0:
            return None
        found.append(text[at:start])
        at = start + len(part)
    end = len(text) - len(others[-1])
    if end < at or not text.endswith(others[-1]):
        return None
    return [*found, text[at:end]]
