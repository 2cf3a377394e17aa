"""How many lines there are over time, by level, as Loki counts them: bars that are disjoint and fill the range exactly.

A range vector looks at (t - range, t], and Loki moves `start` and `end` of a range query to multiples of the step
(pkg/logql/range_vector.go; pkg/querier/queryrange/splitters.go, alignStartEnd). So the query is asked at multiples of
the step, and an `offset` moves the windows to where the bars are: back by how far the bar's end is from the multiple,
and one nanosecond more, which turns (begin - 1 ns, end - 1 ns] into [begin, end). What does not fill a bar at the end
of the range is counted by an instant query, which is not moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from obs_magics.adapters.log_levels import LEVEL_SOURCES, level_of
from obs_magics.adapters.prometheus.answers import Series
from obs_magics.model.logs import LEVELS, UNKNOWN, Volume
from obs_magics.model.time import SECOND, TimeRange

RANGE, INSTANT = "/loki/api/v1/query_range", "/loki/api/v1/query"
_NO_ERRORS = " | drop __error__, __error_details__"
Form = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Count:
    """One request, and which bars its points are: that of the point at `first_ns` is `bar`."""

    path: str
    form: Form
    bar: int
    first_ns: int


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of a range; the last may be cut short by its end."""

    span: TimeRange
    step_ns: int

    @property
    def whole(self) -> int:
        """Bars of full width."""
        return self.span.duration_ns // self.step_ns

    @property
    def count(self) -> int:
        """All bars."""
        return -(-self.span.duration_ns // self.step_ns)

    def requests(self, text: str, *, tolerant: bool = False) -> list[Count]:
        """What to ask so that every bar is counted.

        Args:
            text: The query that gives the lines.
            tolerant: Count lines, too, that a parser of the query cannot read: a metric query fails for them.
        """
        lines = f"{text}{_NO_ERRORS}" if tolerant else text
        lines = f"{lines}\n" if "#" in lines or "//" in lines else lines  # a comment must not swallow what follows
        by_range = self.whole if self.whole > 1 else 0
        found = [self._range(lines, by_range)] if by_range else []
        return found + [self._instant(lines, bar) for bar in range(by_range, self.count)]

    def _range(self, lines: str, bars: int) -> Count:
        end_ns = self.span.start_ns + self.step_ns
        first_ns = -(-end_ns // self.step_ns) * self.step_ns
        query = _counted(lines, self.step_ns, first_ns - end_ns + 1)
        form = [
            ("query", query),
            ("start", str(first_ns)),
            ("end", str(first_ns + (bars - 1) * self.step_ns)),
            ("step", seconds(self.step_ns)),
        ]
        return Count(RANGE, form, 0, first_ns)

    def _instant(self, lines: str, bar: int) -> Count:
        start_ns = self.span.start_ns + bar * self.step_ns
        end_ns = min(start_ns + self.step_ns, self.span.end_ns)
        form = [("query", _counted(lines, end_ns - start_ns)), ("time", str(end_ns - 1))]
        return Count(INSTANT, form, bar, end_ns - 1)

    def volume(self, answers: Iterable[tuple[Count, Series]]) -> Volume:
        """The counts of all answers together."""
        counts: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        for asked, series in answers:
            ends = np.cumsum(series.counts)
            bars = asked.bar + np.rint((series.timestamps_ns - asked.first_ns) / self.step_ns).astype(np.int64)
            for number, labels in enumerate(series.labels):
                own = slice(ends[number] - series.counts[number], ends[number])
                inside = (bars[own] >= 0) & (bars[own] < self.count)
                total = counts.setdefault(level_of(labels), np.zeros(self.count, np.int64))
                np.add.at(total, bars[own][inside], series.values[own][inside].astype(np.int64))
        order = [level for level in (*LEVELS, UNKNOWN) if level in counts]
        return Volume(self.span.start_ns, self.step_ns, {level: tuple(counts[level].tolist()) for level in order})


def _counted(lines: str, width_ns: int, offset_ns: int = 0) -> str:
    moved = f" offset {duration(offset_ns)}" if offset_ns else ""
    return f"sum by ({', '.join(LEVEL_SOURCES)}) (count_over_time({lines} [{duration(width_ns)}]{moved}))"


def duration(nanoseconds: int) -> str:
    """A duration in LogQL's words: in seconds where it is whole seconds, else in nanoseconds.

    >>> duration(90_000_000_000), duration(1)
    ('90s', '1ns')
    """
    return f"{nanoseconds}ns" if nanoseconds % SECOND else f"{nanoseconds // SECOND}s"


def seconds(nanoseconds: int) -> str:
    """A step as the API takes it: in seconds, exactly.

    >>> seconds(15_000_000_000), seconds(250_000_000)
    ('15', '0.25')
    """
    return f"{nanoseconds / SECOND:.9f}".rstrip("0").rstrip(".")
