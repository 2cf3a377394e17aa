"""When an event was over, as its record says, and what to make of an end that lies before the beginning."""

from __future__ import annotations

from datetime import UTC, datetime

from obs_magics.model.events import ONGOING, EventKind

CONTRADICTION = "contradiction"
"""The attribute of an event whose record contradicts itself, in words."""
# Go's zero time, and a zero since the epoch, stand for "no end".
_NO_END_NS = 365 * 86_400_000_000_000


def over(kind: EventKind, start_ns: int, end_ns: int | None) -> tuple[int | None, dict[str, str]]:
    """The end of an event (None for a moment, and for what goes on), and an attribute that says what is wrong with it.

    What ends before it begins was over at once: it is no alert that still goes on.
    """
    if end_ns is None or end_ns < _NO_END_NS:
        return None, {}
    if end_ns > start_ns:
        return end_ns, {}
    at_once = start_ns if kind in ONGOING else None
    if end_ns == start_ns:
        return at_once, {}
    told = datetime.fromtimestamp(end_ns / 1e9, UTC).isoformat().replace("+00:00", "Z")
    return at_once, {CONTRADICTION: f"ends {told}, before it begins"}
