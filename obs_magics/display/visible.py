"""Text that others wrote, made harmless: what would be invisible, turn or cover its neighbours is spelled out.

Logs hold anything: bytes of a binary, colours for a terminal, marks that turn the direction of reading, piles of
accents. A reader must see that they are there, and everything around must stay where it is. The direction of letters
themselves (Hebrew, Arabic) is the business of who lays the text out: our HTML isolates it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

MAX_MARKS = 4
"""Combining marks that a letter keeps; Hebrew and Tibetan have up to four, a pile of more covers the lines around."""

# Select Graphic Rendition and Erase in Line (ECMA-48, 8.3.117 and 8.3.41): colours of a terminal. Others are spelled.
_COLOURS = re.compile(r"\x1b\[[0-9;:]{0,64}[mK]")
_RUN = 200
_MARKS = frozenset({"Mn", "Me"})
# Letters by category that are blanks by sight, and marks that nobody sees (Default_Ignorable_Code_Point).
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")
_JOINERS = frozenset("\u200c\u200d")


@dataclass(frozen=True, slots=True)
class Run:
    r"""A stretch of a text as it is shown.

    Args:
        text: What is shown.
        spelled: Whether it stands for something else: `\x00` for a NUL.
        taken: How many characters of the original it stands for.
    """

    text: str
    spelled: bool
    taken: int


def uncoloured(text: str) -> str:
    r"""The text without a terminal's colours, and with ``\n`` for ``\r\n``."""
    return _COLOURS.sub("", text).replace("\r\n", "\n")


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with everything that cannot be seen, or that turns its neighbours, spelled out.

    Args:
        text: Anything, lone surrogates too.
        lines: Whether line breaks and tabs stay; else they become ``⏎`` and a blank.

    >>> print(visible("a\x00b\u202etxt.exe"))
    a\x00b\u202etxt.exe
    """
    return "".join(run.text for run in runs(uncoloured(text), lines=lines))


def short(text: str, length: int) -> str:
    """The start of a text on one line, visible, at most `length` characters of it."""
    shown = visible(text[: 4 * length])
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"


def upper_first(text: str) -> str:
    """A text that begins a sentence.

    >>> upper_first("p99 latency of pay")
    'P99 latency of pay'
    """
    return text[:1].upper() + text[1:]


def runs(text: str, *, lines: bool = False) -> Iterator[Run]:
    """The text in stretches that are shown as they are, and such that are spelled; see `visible`."""
    if text.isascii() and text.isprintable():
        yield from [Run(text, False, len(text))] if text else []
        return
    kept: list[str] = []
    marks = dropped = 0
    before = ""
    for char, after in pairwise([*text, ""]):
        marks = marks + 1 if unicodedata.category(char) in _MARKS else 0
        if dropped and not marks:
            yield Run(f"[+{dropped:,} marks]", True, dropped)
            dropped = 0
        shown = _shown(char, before, after, lines=lines)
        before = char
        if marks > MAX_MARKS:
            dropped += 1
        elif shown is not None:
            kept.append(shown)
            if len(kept) == _RUN:  # given out early: who takes only the start need not wait for the rest
                yield Run("".join(kept), False, _RUN)
                kept = []
            continue
        if kept:
            yield Run("".join(kept), False, len(kept))
            kept = []
        if marks <= MAX_MARKS:
            yield Run(_escape(char), True, 1)
    if kept:
        yield Run("".join(kept), False, len(kept))
    if dropped:
        yield Run(f"[+{dropped:,} marks]", True, dropped)


def _shown(char: str, before: str, after: str, *, lines: bool) -> str | None:
    """How a character is shown when it need not be spelled."""
    if char in "\n\t":
        return char if lines else "⏎" if char == "\n" else " "
    if char in _BLANKS:
        return None
    if char in _JOINERS:  # Persian, Indic scripts and families of emoji need them; between Latin letters they hide
        return char if _wide(before) and _wide(after) else None
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if category in _MARKS and (not before or before in "\n\t"):
        return None  # without a letter of its own it would sit on that of its neighbour
    return char if char.isprintable() else None


def _wide(char: str) -> bool:
    return char > "\x7f" and char not in _JOINERS


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
