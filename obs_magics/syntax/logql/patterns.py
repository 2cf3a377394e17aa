"""Patterns of the `pattern` stage and of `|>`, as far as their form goes: text with captures `<name>`, `<_>`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_BETWEEN = "put a text between two captures"
_CAPTURE = re.compile(r"<([a-zA-Z_][a-zA-Z0-9_]*)>")


def pattern_parts(pattern: str) -> Sequence[tuple[str, bool]]:
    """The parts of a pattern: literal text (False), or the name of a capture (True; ``_`` for an unnamed one).

    >>> pattern_parts("<ip> - <_>")
    [('ip', True), (' - ', False), ('_', True)]
    """
    pieces = _CAPTURE.split(pattern)
    return [(piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece]


def pattern_problem(pattern: str) -> tuple[str, str]:
    """What is wrong with the pattern of a `pattern` stage, and the way out; both empty when nothing is."""
    parts = pattern_parts(pattern)
    names = [name for name, is_capture in parts if is_capture and name != "_"]
    if not pattern:  # its own grammar has no rule for an empty text
        return "syntax error: unexpected $end, expecting IDENTIFIER or LITERAL", "write a pattern: <ip> - <_>"
    if not names:
        return "at least one capture is required", "name what to take: <status>"
    touching = _consecutive(parts)
    if touching:
        return touching, _BETWEEN
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        return f"duplicate capture name ({twice}): invalid expression", "give each capture a name of its own"
    return "", ""


def line_pattern_problem(pattern: str) -> tuple[str, str]:
    """What is wrong with the pattern of a line filter ``|>``, and the way out; both empty when nothing is."""
    parts = pattern_parts(pattern)
    if any(is_capture and name != "_" for name, is_capture in parts):
        return "named captures are not allowed", "use <_> in a line filter, and a pattern stage to extract"
    touching = _consecutive(parts)
    return (touching, _BETWEEN) if touching else ("", "")


def _consecutive(parts: Sequence[tuple[str, bool]]) -> str:
    pairs = ((one, other) for (one, first), (other, second) in pairwise(parts) if first and second)
    touching = next(pairs, None)
    return f"found consecutive capture '<{touching[0]}><{touching[1]}>': invalid expression" if touching else ""
