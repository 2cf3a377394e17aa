"""Whether a change was taken back, and what became of the symptom then: the best experiment there is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from obs_magics.analysis.root_cause.settings import setting_of

_MINUTE = 60 * 1_000_000_000
_BACK = re.compile(r"(?i)roll(?:ed|ing)?[ -]?back|revert|restore|undo|re-?creat|again")
_HELPED_NS = 5 * _MINUTE  # recovery takes a while
_IN_VAIN_NS = 10 * _MINUTE  # and what lasts so long after was not helped
_BEFORE_NS = 2 * _MINUTE  # and is recorded late


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that took another one back."""

    by: str
    at_ns: int
    effect: Literal["helped", "did not help"] | None


def undone(change: Mapping[str, Any], later: Sequence[Mapping[str, Any]], end_ns: int | None) -> Undone | None:
    """The first later change that takes this one back.

    Args:
        change: `at` (ns), `service`, `title`, `version`, and `key`, `old`, `new` where they are known.
        later: Changes after it, in order of time.
        end_ns: When the symptom was over; None while it goes on, or where that is not known.
    """
    for other in later:
        if other["service"] == change["service"] and other["at"] > change["at"] and _takes_back(other, change):
            return Undone(str(other["title"]), int(other["at"]), _effect(int(other["at"]), end_ns))
    return None


def _takes_back(other: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    moved, back = setting_of(change), setting_of(other)
    if moved is not None and back is not None and (back.old, back.new) == (moved.new, moved.old):
        return back.key == moved.key
    old = str(change.get("old") or "")
    if old and str(other.get("new") or other.get("version") or "") == old and not other.get("old"):
        return str(other.get("key") or "") == str(change.get("key") or "")
    told = str(other["title"])
    return bool(_BACK.search(told)) and bool(_names(change) & set(re.findall(r"[\w.-]+", told)))


def _names(change: Mapping[str, Any]) -> set[str]:
    """What a change may be called when it is taken back."""
    named = {str(change.get(name) or "") for name in ("version", "new", "key", "id")}
    return {name for name in named | set(re.findall(r"[\w.-]{6,}", str(change["title"]))) if name}


def _effect(at_ns: int, end_ns: int | None) -> Literal["helped", "did not help"] | None:
    if end_ns is None:
        return None
    if at_ns - _BEFORE_NS <= end_ns <= at_ns + _HELPED_NS:
        return "helped"
    return "did not help" if end_ns > at_ns + _IN_VAIN_NS else None
