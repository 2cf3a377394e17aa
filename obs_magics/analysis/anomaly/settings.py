"""The numbers of the method, in one place: spreads of the series' own noise, or shares. See docs/anomalies.md."""

from __future__ import annotations

from dataclasses import dataclass

from obs_magics.model.anomalies import Sensitivity

FEWEST_POINTS = 24
"""Finite points below which nothing is said of a series."""

CALM_CELLS = 288
"""Cells of a block: how far a series strays in a block of that length is what it does all the time."""
FEWEST_BLOCKS = 20
CALM_SHARE = 0.6
"""Of the blocks, those that stray less."""
QUIET_SHARE = 0.2
"""Likewise: how far those differ from calm ones tells how heavy the tails of a series are."""
BEYOND_CALM = 2.5
"""How many times further than in a calm block an event has to go …"""
BEYOND_QUIET = 5.0
"""… or by how many times what lies between a quiet and a calm block, whichever is less."""
SINGLE = 4.5
"""Spreads, for one cell."""
SUSTAINED = 4.75
"""Spreads of the mean of a window, for a window."""
CLIP = 8.0
"""Spreads: in a window no cell counts for more, so that one spike is no sustained shift."""
APART = 20
"""Cells between two events of one series; what is closer is one."""
ONE_IN = 576
"""Cells: of a series with more events than one in so many only those that stand out from the rest are told."""
STANDS_OUT = 1.2


@dataclass(frozen=True, slots=True)
class Level:
    """What a sensitivity asks for.

    Args:
        factor: On every threshold.
        a_day: Events a day and series, at most.
    """

    factor: float
    a_day: float


LEVELS: dict[Sensitivity, Level] = {
    "low": Level(factor=1.5, a_day=1.0),
    "medium": Level(factor=1.0, a_day=4.0),
    "high": Level(factor=0.65, a_day=8.0),
}
