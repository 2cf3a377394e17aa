"""``--level`` inside of a LogQL query: a label filter right behind the selector, before anything changes the labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from obs_magics.adapters.log_levels import DETECTED, LEVEL_FIELDS, at_least, milder
from obs_magics.model.logs import Level

# A text in either of LogQL's quotations, a comment of its three kinds, or the brace that closes a selector.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|(?:#|//)[^\n]*|/\*.*?\*/|(?P<end>\})', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filtered:
    """A query with something put in; `text` is what is sent, `places` say where in the original it went in."""

    text: str
    original: str
    inserted: str = ""
    places: tuple[int, ...] = ()

    def original_place(self, place: int | None) -> int | None:
        """Where a place of `text` is in `original`; None when it is inside of what was put in."""
        if place is None:
            return None
        for number, at in enumerate(self.places):
            shifted = at + number * len(self.inserted)
            if place < shifted:
                return place - number * len(self.inserted)
            if place < shifted + len(self.inserted):
                return None
        return place - len(self.places) * len(self.inserted)


def level_labels(label_names: Sequence[str]) -> list[str]:
    """Those of a server's labels that tell the level."""
    return [name for name in LEVEL_FIELDS if name in label_names]


def without_milder(text: str, level: Level, labels: Sequence[str]) -> Filtered:
    """The query without lines that the server knows to be less severe; it keeps those of unknown level.

    Args:
        text: A query that gives lines.
        level: At least this severe.
        labels: The server's labels that tell the level.
    """
    words = milder(level)
    if not words:
        return Filtered(text, text)
    inserted = "".join(f' | {name}!~"{words}"' for name in (DETECTED, *labels))
    return _inserted(text, inserted, selectors=1)


def only_severe(text: str, level: Level, labels: Sequence[str]) -> Filtered:
    """The query over lines that the server knows to be severe enough; for queries that give numbers."""
    words = at_least(level)
    inserted = " | " + " or ".join(f'{name}=~"{words}"' for name in (DETECTED, *labels))
    return _inserted(text, inserted)


def _inserted(text: str, inserted: str, *, selectors: int | None = None) -> Filtered:
    places = [found.end() for found in _TOKENS.finditer(text) if found["end"]][:selectors]
    pieces = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    return Filtered(inserted.join(pieces), text, inserted, tuple(places))
