"""A range query in parts: a server gives at most 11,000 points a series, a person may ask for more.

All parts lie on the grid of the whole question, start + k · step in milliseconds (the servers' resolution), and no
point of the grid is in two parts, so that what comes back is what one large answer would have been.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obs_magics.model.errors import UsageError

if TYPE_CHECKING:
    from obs_magics.model.query import MetricsQuery

MOST_POINTS = 11_000
"""More points a series are refused: Prometheus' web/api/v1/api.go, recordings `range-11000-ok`, `range-11001`."""

_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a range query, in milliseconds since the epoch; both ends are points of the grid."""

    start_ms: int
    end_ms: int
    step_ms: int

    @property
    def points(self) -> int:
        """Points a series."""
        return (self.end_ms - self.start_ms) // self.step_ms + 1

    def parts(self, most: int = MOST_POINTS) -> list[Window]:
        """Cut into parts of at most `most` points, of about the same length each."""
        count = -(-self.points // most)
        edges = [self.points * part // count for part in range(count + 1)]
        return [
            Window(self.start_ms + first * self.step_ms, self.start_ms + (last - 1) * self.step_ms, self.step_ms)
            for first, last in itertools.pairwise(edges)
        ]

    def form(self) -> list[tuple[str, str]]:
        """As parameters of the API, exact to the millisecond."""
        return [("start", seconds(self.start_ms)), ("end", seconds(self.end_ms)), ("step", seconds(self.step_ms))]


def window_of(query: MetricsQuery) -> Window:
    """The grid that a question asks for.

    Raises:
        UsageError: The step is shorter than a millisecond, or the range ends before it begins.
    """
    if query.step_ns < _MILLISECOND:
        raise UsageError("the step is shorter than a millisecond", hint="--step 1s, or leave it out")
    if query.range.end_ns < query.range.start_ns:
        raise UsageError("the range ends before it begins", hint="look at --start and --end")
    start_ms, step_ms = -(-query.range.start_ns // _MILLISECOND), query.step_ns // _MILLISECOND
    end_ms = max(start_ms, query.range.end_ns // _MILLISECOND)
    return Window(start_ms, start_ms + (end_ms - start_ms) // step_ms * step_ms, step_ms)


def seconds(milliseconds: int) -> str:
    """Milliseconds as the API's seconds, exactly: `1795356000`, `0.25`.

    >>> seconds(1795356000250)
    '1795356000.250'
    """
    return f"{milliseconds / 1000:.3f}".removesuffix(".000")


# A string in any of PromQL's three quotations, a comment, or the modifier that we look for.
_TOKENS = re.compile(
    r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\#[^\n]*|@\s*(?P<edge>start|end)\s*\(\s*\)""", re.DOTALL
)


def pinned(text: str, window: Window) -> str:
    """Replace `@ start()` and `@ end()` by the ends of the whole range, which a part would take for its own."""
    ends = {"start": window.start_ms, "end": window.end_ms}

    def replace(found: re.Match[str]) -> str:
        edge = found["edge"]
        return f"@ {seconds(ends[edge])}" if edge else found[0]

    return _TOKENS.sub(replace, text)
