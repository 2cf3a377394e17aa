"""Which candidates become events: one per stretch, and only those that stand out from what the series does anyway."""

from __future__ import annotations

import math
from collections.abc import Sequence

from obs_magics.analysis.anomaly import settings
from obs_magics.analysis.anomaly.windows import Candidate

_MOST_EXAMINED = 400  # candidates of a series, the strongest
_FEWEST = 3  # events of a kind that need no comparison with each other
BRIEF = 4
"""Cells of a spike or a drop; what is longer lasts."""


def one_each(candidates: Sequence[Candidate], apart: int = settings.APART) -> list[Candidate]:
    """The strongest candidate of each stretch; what comes closer to it than `apart` cells is the same event."""
    kept: list[Candidate] = []
    for one in sorted(candidates, key=lambda one: (-one.strength, one.first, one.last, one.side))[:_MOST_EXAMINED]:
        if all(one.first > other.last + apart or one.last < other.first - apart for other in kept):
            kept.append(one)
    return kept


def standing_out(events: Sequence[Candidate], cells: int, level: settings.Level) -> list[Candidate]:
    """Of more events than a series of this length should have, those that are clearly stronger than the rest.

    Args:
        events: In order of strength, the strongest first.
        cells: Of the series.
        level: What the sensitivity asks for.
    """
    told: set[Candidate] = set()
    for brief in (True, False):  # that a spike comes back every hour says nothing of a shift
        most = max(_FEWEST, math.ceil(cells / (settings.ONE_IN * level.factor)))
        alike = [one for one in events if (one.last - one.first < BRIEF) is brief]
        least = settings.STANDS_OUT * alike[most].strength if len(alike) > most else 0.0
        told.update(one for one in alike if one.strength >= least)
    return [one for one in events if one in told]
