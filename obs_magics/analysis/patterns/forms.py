"""Masked lines that differ only in how a value is written: its unit, a list's length, an empty bracket, a quoted text.

What varies belongs to the value: `0 bytes sent` and `1190 bytes (1.16 KB) sent` give `<*> sent`, but where all lines
have the same unit it stays. Quoted texts of several words (the user agents of an access log) are one value where there
are enough different ones.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from obs_magics.analysis.patterns.words import WILDCARD

ENOUGH_QUOTED = 5
"""Different quoted texts at one place."""

_UNIT = (
    r"(?:bytes?|[KMGTPkmgtp]i?[Bb](?:/s|ps)?|B|ns|us|µs|ms|msecs?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?"
    r"|microseconds?|milliseconds?|nanoseconds?|%)"
)
_ONE = rf"<\*>(?: ?{_UNIT}(?![\w<])(?: \(<\*> ?{_UNIT}\))?)?"
_FORM = re.compile(
    rf"{_ONE}(?:(?:, ?|; ?| |\|){_ONE})*"
    r"|(?<![\w>)])(?:\((?:<\*>)?\)|\[(?:<\*>)?\]|'(?:<\*>)?'|\"(?:<\*>)?\")"
)
_BRACKETED = {"(": f"({WILDCARD})", "[": f"[{WILDCARD}]", "'": f"'{WILDCARD}'", '"': f'"{WILDCARD}"'}
_QUOTED = re.compile(r'"[^" ]+ [^" ]+ [^"]+"')  # three words or more: "GET <*>" is none


def forms_of_values(texts: Iterable[str]) -> dict[str, str]:
    """Rows that differ in the forms of their values: what they become."""
    return _same_but_for(texts, _FORM, _form, lambda _: True)


def quoted_texts(texts: Iterable[str]) -> dict[str, str]:
    """Rows that differ in long quoted texts, where there are enough of these: what they become."""
    return _same_but_for(texts, _QUOTED, lambda _: _BRACKETED['"'], lambda found: len(found) >= ENOUGH_QUOTED)


def _form(value: str) -> str:
    return _BRACKETED.get(value[0], WILDCARD)


def _same_but_for(
    texts: Iterable[str], slot: re.Pattern[str], bare: Callable[[str], str], enough: Callable[[set[str]], bool]
) -> dict[str, str]:
    """Rows that are equal once every slot is bare; a slot in which enough different texts stand stays bare."""
    groups: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        groups[slot.sub(lambda found: bare(found[0]), text)].append(text)
    changes: dict[str, str] = {}
    for members in groups.values():
        if len(members) > 1:
            columns = [set(column) for column in zip(*map(slot.findall, members), strict=True)]
            merged = [bare(min(found)) if len(found) > 1 and enough(found) else None for found in columns]
            changes.update({member: _with_slots(member, slot, merged) for member in members})
    return changes


def _with_slots(text: str, slot: re.Pattern[str], merged: Sequence[str | None]) -> str:
    places = iter(merged)
    return slot.sub(lambda found: next(places) or found[0], text)
