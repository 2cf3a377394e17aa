"""Hostile text as HTML of a bounded size: isolated from its neighbours, with matches and wildcards set apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from obs_magics.display import markup
from obs_magics.display.visible import runs, uncoloured

WILDCARD = "<*>"
MAX_PHRASES = 20
_BYTES_A_CHARACTER = 5  # room for escapes, within which an ordinary text never stops
_READ = 3  # times the characters shown: how far an original is read that gives nothing to show

Kind = Literal["mark", "var"]
_TAGS: dict[Kind | None, tuple[str, str]] = {
    None: ("", ""),
    "mark": ("<mark>", "</mark>"),
    "var": ("<var>", "</var>"),
}
_SPELLED = ('<span class="obs-odd">', "</span>")


@dataclass(frozen=True, slots=True)
class Inline:
    """A text as HTML, and how many characters of it are not in there."""

    html: str
    left: int

    @property
    def whole(self) -> bool:
        """Whether all of the text is there."""
        return not self.left


class Highlight:
    """Finds literal phrases, in any case of letters.

    Args:
        phrases: As a person typed them; the empty ones and those after the twentieth are left out.
    """

    def __init__(self, phrases: Sequence[str] = ()) -> None:
        literal = sorted({phrase for phrase in phrases if phrase}, key=lambda phrase: (-len(phrase), phrase))
        self._found = re.compile("|".join(map(re.escape, literal[:MAX_PHRASES])), re.IGNORECASE) if literal else None

    def ranges(self, text: str) -> list[tuple[int, int]]:
        """Where they stand: start and end of each, in order."""
        return [match.span() for match in self._found.finditer(text)] if self._found else []

    def first(self, text: str) -> int:
        """Where the first of them starts; -1 when there is none."""
        match = self._found.search(text) if self._found else None
        return match.start() if match else -1


NOTHING = Highlight()


def inline(text: str, most: int, *, highlight: Highlight = NOTHING, wildcards: bool = False) -> Inline:
    """A text on one line, in an element that keeps its direction of reading to itself.

    Args:
        text: Anything.
        most: At most so many characters are shown, in five bytes each on average.
        highlight: What is marked in it.
        wildcards: Whether `<*>` stands for what differs from line to line.
    """
    inner = _bounded(text, most, highlight, wildcards=wildcards, lines=False)
    return Inline(markup.element("bdi", inner.html + ("…" if inner.left else "")), inner.left)


def block(text: str, most: int, *, highlight: Highlight = NOTHING) -> Inline:
    """A text with its line breaks, each line in a direction of its own; what is left out is said at its end."""
    inner = _bounded(text, most, highlight, wildcards=False, lines=True)
    cut = f'<span class="obs-odd">… {inner.left:,} more characters</span>' if inner.left else ""
    return Inline(f'<pre dir="auto">{inner.html}{cut}</pre>', inner.left)


def _bounded(text: str, most: int, highlight: Highlight, *, wildcards: bool, lines: bool) -> Inline:
    read = uncoloured(text[: most * _READ])
    skipped = max(0, len(text) - most * _READ)
    parts: list[str] = []
    characters, size, taken = most, most * _BYTES_A_CHARACTER, 0
    for start, end, kind in _segments(read, highlight, wildcards=wildcards):
        for run in runs(read[start:end], lines=lines):
            before, after = _SPELLED if run.spelled else _TAGS[kind]
            shown, used = _fitting(run.text, characters, size - len(before) - len(after))
            whole = len(shown) == len(run.text)
            if run.spelled and not whole:  # half of \u202e says nothing
                return Inline("".join(parts), len(read) - taken + skipped)
            if shown:
                parts += [before, markup.text(shown), after]
                characters -= len(shown)
                size -= used + len(before) + len(after)
            taken += run.taken if whole else len(shown)
            if not whole:
                return Inline("".join(parts), len(read) - taken + skipped)
    return Inline("".join(parts), skipped)


def _fitting(text: str, characters: int, size: int) -> tuple[str, int]:
    """As much of the text as fits, with the bytes that it takes as HTML."""
    shown = text[: max(0, characters)]
    while (used := len(markup.text(shown).encode())) > size:
        if not shown:
            return "", 0
        shown = shown[: len(shown) // 2]
    return shown, used


def _segments(text: str, highlight: Highlight, *, wildcards: bool) -> Iterator[tuple[int, int, Kind | None]]:
    """The text from start to end in stretches of one kind."""
    marked: list[tuple[int, int, Kind]] = [(start, end, "mark") for start, end in highlight.ranges(text)]
    if wildcards:
        marked += [(match.start(), match.end(), "var") for match in re.finditer(re.escape(WILDCARD), text)]
    place = 0
    for start, end, kind in sorted(marked):
        if start < place:  # overlaps what was marked before it
            continue
        if start > place:
            yield place, start, None
        yield start, end, kind
        place = end
    if place < len(text):
        yield place, len(text), None
