"""Patterns with placeholders, as in ``| pattern "<ip> - <_>"`` and ``|> "<_> failed <_>"``.

Source: Loki's `pkg/logql/log/pattern` (`Matches` and `Test`).
"""

from __future__ import annotations

from collections.abc import Sequence

from obs_magics.syntax.logql.patterns import pattern_parts

Parts = Sequence[tuple[str, bool]]
"""Literal texts (False) and names of placeholders (True), as `syntax.logql.patterns.pattern_parts` gives them."""

UNNAMED = "_"

__all__ = ["Parts", "captures", "fits", "names_of", "pattern_parts"]


def names_of(parts: Parts) -> list[str]:
    """The names that a pattern gives, in order.

    >>> names_of(pattern_parts("<ip> - <_> <status>"))
    ['ip', 'status']
    """
    return [name for name, is_placeholder in parts if is_placeholder and name != UNNAMED]


def captures(parts: Parts, text: str) -> list[str]:
    """What the named placeholders stand for; fewer than there are when the text ends before.

    A placeholder whose following text is not there takes all that is left.
    """
    found: list[str] = []
    if not text or not parts:
        return found
    first = 0
    if not parts[0][1]:
        if not text.startswith(parts[0][0]):
            return found
        text, first = text[len(parts[0][0]) :], 1
    for number in range(first, len(parts), 2):
        behind = parts[number + 1][0] if number + 1 < len(parts) else None
        end = -1 if behind is None else text.find(behind)
        if parts[number][0] != UNNAMED:
            found.append(text if end < 0 else text[:end])
        if behind is None or end < 0:
            break
        text = text[end + len(behind) :]
    return found


def fits(parts: Parts, text: str) -> bool:
    """Whether a whole text follows a pattern: every placeholder stands for at least one character.

    A pattern that begins with a text may begin anywhere in the line, as in Loki.
    """
    if not text or not parts:
        return not text and not parts
    place = 0
    for number, (literal, is_placeholder) in enumerate(parts):
        if is_placeholder:
            continue
        found = text.find(literal, place)
        if found < 0 or (number and found == place):
            return False
        place = found + len(literal)
    return parts[-1][1] == (place != len(text))
