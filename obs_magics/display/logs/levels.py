"""How a level looks: its place, its word, its colour. Nothing is told by the colour alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from obs_magics.display.theme import PALETTE
from obs_magics.model.logs import LEVELS, UNKNOWN, Array

SEVEREST_FIRST: tuple[str, ...] = (*reversed(LEVELS), UNKNOWN)

_BLUE, _VERMILION, _GREEN, _PURPLE, _ORANGE, _MAUVE = PALETTE
_GREY = "#808080"
COLOURS: dict[str, str] = {
    "fatal": _PURPLE,
    "error": _VERMILION,
    "warn": _ORANGE,
    "info": _BLUE,
    "debug": _GREEN,
    "trace": _MAUVE,
    UNKNOWN: _GREY,
}
WORD_WIDTH = max(map(len, LEVELS))


def level_of(value: Any) -> str:
    """The name of a level as a frame holds it; `unknown` when it is missing or none of ours."""
    return value if isinstance(value, str) and value in LEVELS else UNKNOWN


def codes(column: pd.Series[Any]) -> Array:
    """int8: the severity of each row, -1 where unknown, whatever dtype the column has."""
    if isinstance(column.dtype, pd.CategoricalDtype) and list(column.cat.categories) == list(LEVELS):
        return column.cat.codes.to_numpy()
    return np.array([severity(value) for value in column], dtype=np.int8)


def severity(value: Any) -> int:
    """The position in `LEVELS`, -1 for unknown."""
    name = level_of(value)
    return LEVELS.index(name) if name in LEVELS else -1


def word(level: str) -> str:
    """What stands in the column of a table: blank is what nobody knows."""
    return "" if level == UNKNOWN else level


def css(level: str) -> str:
    """The class that gives an element the level's colour on its left edge."""
    return f"obs-l-{level}"
