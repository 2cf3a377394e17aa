"""Where severity counts beside numbers: short bursts of errors, and the first severe lines of a service.

A single line of a new pattern is nothing: in the long tail of rare patterns some line is always the first of its kind.
A service's first fatal line is something, and so are its first three errors of one kind.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from obs_magics.analysis.surges import lanes
from obs_magics.analysis.surges.axis import Axis
from obs_magics.analysis.surges.search import BURST_LINES, Stretch
from obs_magics.model.logs import LEVELS, Level

Array = np.ndarray[Any, Any]

FIRST_LINES: dict[Level, int] = {"fatal": 1, "error": 3}
"""How many lines of one new pattern are an event, where the service had no line before that is as severe."""


def bursts(laid: Axis, levels: Array | None) -> list[int]:
    """How many lines make an event of a short burst, for each lane: fewer where there are errors.

    Args:
        laid: The lanes.
        levels: Position in `LEVELS` of each line, -1 where unknown; None when all are.
    """
    if levels is None:
        return [BURST_LINES] * len(laid.lanes)
    severity = np.where(laid.elements >= 0, levels[laid.elements], -1)
    worst = np.maximum.reduceat(severity, laid.lanes.offsets[:-1])
    return [lanes.LEAST_LINES if level >= LEVELS.index("error") else BURST_LINES for level in worst.tolist()]


def first_lines(laid: Axis, levels: Array) -> list[tuple[int, Stretch]]:
    """Lanes that hold a service's first lines of such a level, and nothing from before an event may begin.

    Args:
        laid: The lanes.
        levels: Position in `LEVELS` of each line, -1 where unknown.
    """
    found: dict[int, Stretch] = {}
    marked = laid.elements >= 0
    lane = np.repeat(np.arange(len(laid.lanes)), np.diff(laid.lanes.offsets))[marked]
    severity, service = levels[laid.elements[marked]], laid.services[lane]
    order = laid.elements[marked]
    for level, least in FIRST_LINES.items():
        severe = np.flatnonzero(severity >= LEVELS.index(level))
        severe = severe[np.argsort(order[severe], kind="stable")]
        _, first = np.unique(service[severe], return_index=True)
        for number in lane[severe[first]].tolist():
            count = int(laid.lanes.lines()[number])
            if count >= least and not laid.lanes.firsts[number] and number not in found:
                begin = int(laid.lanes.fixed)
                found[number] = Stretch(begin, begin + count - 1, True, count, 0.0, 0, 1.0)
    return sorted(found.items())
