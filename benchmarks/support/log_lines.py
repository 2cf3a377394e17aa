"""Many log lines from few: the given ones again and again, each time with other numbers and ids.

Lines are drawn at random, with replacement, so that frequent ones stay frequent. In each drawn line every run of hex
digits that holds a decimal one and has three characters or more, and every number behind an underscore, is drawn anew,
digit for digit and letter for letter: `blk_38865049064139660`, `10.250.11.53`, `core.2275`, `0x24ed9311` and UUIDs
become others of their length, small counts stay. So about all lines of HDFS are distinct, half of those of BGL, as in
the full logs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

_CHANGING = re.compile(r"\b[0-9a-f]*[0-9][0-9a-f]*\b|(?<=_)-?[0-9]+")
_SHORTEST = 3


def grown(lines: Sequence[str], many: int, seed: int = 7) -> list[str]:
    """So many lines, made from the given ones."""
    draw = random.Random(seed)

    def other(found: re.Match[str]) -> str:
        text = found[0]
        return text if len(text) < _SHORTEST else "".join(map(_redrawn, text))

    def _redrawn(character: str) -> str:
        if character.isdigit():
            return draw.choice("0123456789")
        return draw.choice("abcdef") if character in "abcdef" else character

    return [_CHANGING.sub(other, draw.choice(lines)) for _ in range(many)]
