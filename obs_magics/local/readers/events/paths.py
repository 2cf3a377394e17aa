"""Where in a document something stands: `deployment.ref`, with `|` between places that are tried in turn.

A path that begins with ``^`` starts at the whole document, any other at the element that is being read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ID = "id"
"""The attribute by which messages about one and the same thing are told: a deployment, an incident, an alert."""
_HOLE = re.compile(r"\{([^{}]+)\}")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT_SHA = 10
_BLANK = re.compile(r"\s{2,}")


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a document, and the document around it."""

    inside: Any
    whole: Any

    def at(self, path: str) -> Any:
        """What stands at a path; None when nothing does."""
        for one in path.split("|"):
            found = _walk(self.whole, one[1:]) if one.startswith("^") else _walk(self.inside, one)
            if found is not None and found not in ("", [], {}):
                return found
        return None

    def text(self, path: str) -> str:
        """The same as text: numbers as they are written, truths as words; of lists and mappings nothing."""
        return text_of(self.at(path)) if path else ""

    def filled(self, template: str) -> str:
        """A sentence with paths in braces; what is missing leaves no gap."""
        text = _HOLE.sub(lambda hole: short_version(self.text(hole[1])), template)
        return _BLANK.sub(" ", text).strip(" :,")


def _walk(place: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(place, Mapping):
            place = place.get(name)
        elif isinstance(place, list) and name.isdecimal() and int(name) < len(place):
            place = place[int(name)]
        else:
            return None
    return place


def text_of(value: Any) -> str:
    """A plain value as text; empty for what is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip()
    return f"{value:.15g}" if isinstance(value, float) else str(value) if isinstance(value, int) else ""


def short_version(text: str) -> str:
    """A commit's hash shortened as people read it, anything else as it is."""
    return text[:_SHORT_SHA] if _SHA.fullmatch(text) else text.removeprefix("refs/heads/").removeprefix("refs/tags/")


def holds(whole: Element, need: str) -> bool:
    """Whether something stands at a place; with ``=`` behind it, whether that does."""
    path, equals, value = need.partition("=")
    found = whole.at(path)
    return text_of(found) == value if equals else found is not None


def top_key(need: str) -> str:
    """The key at the top of a document that a need is about."""
    return need.partition("=")[0].partition(".")[0]
