"""Finds out how a file writes its times, and where in a line they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import re2

from obs_magics.local.readers.logs.times import NO_TIME, TIME_FORMS, Moments, TimeForm, read_times

Array = np.ndarray[Any, Any]

# Where a line may begin with its time: behind a bracket or quote, a priority, a dash; and behind the NULs that are left
# at the top of a file that was cut while its program went on writing.
_START = r"^\x00*(?:<\d{1,3}>(?:1 )?)?(?:- )?[\[(\"']?"
# Or in it, behind a word or more.
_BEFORE = r"^\S[^\n]{0,160}?"
_INSIDE = r"[\s\[(=\"'|:,{]"
# Behind a key only: a number in the middle may be anything.
_KEYED = r"(?:^|[\s{,])(?:ts|time|timestamp|t)=\"?"
_ENOUGH = 0.05  # of the lines, that a further form must explain


@dataclass(frozen=True, slots=True)
class Stamp:
    """A form of time at a place in the line.

    Args:
        form: How it is written.
        at_start: Whether it opens the line.
        pattern: RE2 for lines that have it; says how far into the line it may stand.
        inner: RE2 with the form's groups, for such lines only: the first match is it, and found ten times faster.
    """

    form: TimeForm
    at_start: bool
    pattern: str
    inner: str

    def read(self, lines: pa.Array) -> Moments:
        """The times of lines; `NO_TIME` where a line has none of this form at this place."""
        rows = np.flatnonzero(self.matches(lines))
        if len(rows) == len(lines):
            return read_times(pc.extract_regex(lines, self.inner), self.form)
        found, zoned = np.full(len(lines), NO_TIME), np.zeros(len(lines), bool)
        if len(rows):
            moments = read_times(pc.extract_regex(lines.take(pa.array(rows)), self.inner), self.form)
            found[rows], zoned[rows] = moments.local_ns, moments.zoned
        return Moments(found, zoned)

    def matches(self, lines: pa.Array) -> Array:
        """Which lines have such a time at this place."""
        hits: Array = pc.match_substring_regex(lines, self.pattern).to_numpy(zero_copy_only=False)
        return hits


def _stamps() -> list[Stamp]:
    stamps = [Stamp(form, True, _START + form.pattern, _START + form.pattern) for form in TIME_FORMS]
    for form in TIME_FORMS:
        if form.scale:
            stamps.append(Stamp(form, False, f"^(?:{_BEFORE[1:]})?{_KEYED}{form.pattern}", _KEYED + form.pattern))
        elif not form.needs_day and not form.pattern.startswith("[IWEFD]"):
            stamps.append(Stamp(form, False, _BEFORE + _INSIDE + form.pattern, _INSIDE + form.pattern))
    return stamps


STAMPS = _stamps()


def find_stamps(lines: Sequence[str], known: Sequence[Stamp] = ()) -> list[Stamp]:
    """The forms in which these lines write their times, the most frequent first; empty when they write none.

    Args:
        lines: A sample.
        known: Forms found before; further ones must stand at the start of lines.
    """
    matched = {stamp: _found(stamp, lines) for stamp in STAMPS if stamp.at_start or not known}
    left = np.ones(len(lines), bool)
    found: list[Stamp] = []
    while left.any():
        counts = {stamp: int((hits & left).sum()) for stamp, hits in matched.items() if stamp.at_start or not found}
        best = max(counts, key=counts.__getitem__)
        if counts[best] < max(1, _ENOUGH * len(lines)):
            break
        found.append(best)
        left &= ~matched[best]
    return found


@cache
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern)


def _found(stamp: Stamp, lines: Sequence[str]) -> Array:
    """As `matches`, for few lines: a pattern that is compiled once costs less than a column of them."""
    search = _compiled(stamp.pattern).search
    return np.fromiter((search(line) is not None for line in lines), bool, len(lines))


def share_timed(lines: Sequence[str], stamps: Sequence[Stamp]) -> float:
    """How many of the lines that are not indented or empty have a time."""
    heads = [line for line in lines if line.strip() and not line[0].isspace()]
    if not heads or not stamps:
        return 0.0
    return float(np.logical_or.reduce([_found(stamp, heads) for stamp in stamps]).mean())


def is_timed(line: str, stamps: Sequence[Stamp]) -> bool:
    """Whether a line has a time of one of these forms."""
    return any(_found(stamp, [line])[0] for stamp in stamps)
