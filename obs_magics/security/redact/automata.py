"""Expressions of RE2 over bytes: automata, whose time is proportional to the text whatever is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import re2

Search: TypeAlias = Callable[[bytes, int], tuple[int, int] | None]
"""Where an expression is found in bytes from a place on; None for nowhere."""


def searcher(expression: str) -> Search:
    """What looks for an expression (ASCII, syntax of RE2).

    The Python layer of google-re2 makes a generator and an object of each hit, which takes longer than to find it. The
    layer below gives the places; where a release has another one, the public way serves.
    """
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are bytes: END and MARK are no UTF-8
    options.max_mem = 1 << 28
    compiled = re2.compile(expression.encode("ascii"), options)
    match: Any = getattr(getattr(compiled, "_regexp", None), "Match", None)
    anchor: Any = getattr(getattr(re2, "_Anchor", None), "UNANCHORED", None)
    return slow_search(compiled) if match is None or anchor is None else _quick_search(match, anchor)


def _quick_search(match: Any, anchor: Any) -> Search:
    def search(text: bytes, at: int) -> tuple[int, int] | None:
        span: tuple[int, int] = match(anchor, text, at, len(text))[0]
        return span if span[0] >= 0 else None

    return search


def slow_search(compiled: Any) -> Search:
    """The same by what google-re2 promises."""

    def search(text: bytes, at: int) -> tuple[int, int] | None:
        found = compiled.search(text, at)
        return found.span() if found else None

    return search
