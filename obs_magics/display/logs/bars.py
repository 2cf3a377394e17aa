"""The volume of logs as it is drawn: few enough bars, the most severe level first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from obs_magics.display.clock import MS, clock_text
from obs_magics.display.logs import levels, spark
from obs_magics.display.logs.levels import SEVEREST_FIRST
from obs_magics.display.marks import Mark, Pin, pins_of
from obs_magics.display.units import count_text, seconds_text
from obs_magics.display.visible import short
from obs_magics.model.logs import Array, Volume

CountedBy = Literal["source", "fetched"]

MAX_BARS = 90
_TITLE_LENGTH, _NOTE_LENGTH = 100, 300


@dataclass(frozen=True, slots=True)
class Bars:
    """What a picture of the volume shows. `counts` are int64, one per bar, by level, the most severe first."""

    title: str
    start_ms: int
    step_ms: int
    counts: dict[str, Array]
    zone: str
    pins: tuple[Pin, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """How many bars there are."""
        return len(next(iter(self.counts.values())))

    @property
    def end_ms(self) -> int:
        """Where the last bar ends."""
        return self.start_ms + self.number * self.step_ms

    @property
    def totals(self) -> Array:
        """int64: lines of each bar."""
        totals: Array = np.sum(list(self.counts.values()), axis=0)
        return totals

    @property
    def unit(self) -> str:
        """What one bar counts: "lines per 30 s"."""
        return f"lines per {seconds_text(self.step_ms / 1000)}"

    def spoken(self) -> str:
        """The picture in a sentence, for those who cannot see it."""
        told = ", ".join(f"{count:,} {level}" for level, count in self.sums().items())
        start, end = (clock_text(ms, self.zone, day=True) for ms in (self.start_ms, self.end_ms))
        most = int(self.totals.argmax())
        peak = clock_text(self.start_ms + most * self.step_ms, self.zone)
        lines = count_text(int(self.totals.sum()), "line")
        highest = f"{int(self.totals[most]):,} {self.unit}"
        return f"{self.title}: {lines} from {start} to {end} ({told}); most at {peak}: {highest}"

    def sums(self) -> dict[str, int]:
        """All lines of each level."""
        return {level: int(counts.sum()) for level, counts in self.counts.items()}


def bars_of(
    volume: Volume, *, title: str, zone: str, marks: Sequence[Mark], notes: Sequence[str], counted_by: CountedBy
) -> Bars | None:
    """Choose what to draw; None when there are no lines."""
    length = max(map(len, volume.counts.values()), default=0)
    if not volume.total:
        return None
    size = -(-length // MAX_BARS)
    bars = Bars(
        title=short(title, _TITLE_LENGTH) or "lines",
        start_ms=volume.start_ns // MS,
        step_ms=max(1, volume.step_ns * size // MS),
        counts=_counts(volume, size, length),
        zone=zone,
    )
    pins, left_out = pins_of(marks, bars.start_ms, bars.end_ms, zone)
    fetched = ["counted are the fetched lines only: there may be more"] if counted_by == "fetched" else []
    said = [short(note, _NOTE_LENGTH) for note in notes]
    return replace(bars, pins=pins, notes=(*fetched, *said, *left_out))


def _counts(volume: Volume, size: int, length: int) -> dict[str, Array]:
    """By level, the most severe first; what is none of ours counts as unknown, levels without lines are left out."""
    sums: dict[str, Array] = {}
    for name, counts in volume.counts.items():
        level = levels.level_of(name)
        values = spark.merged([*counts, *[0] * (length - len(counts))], -(-length // size))
        sums[level] = sums.get(level, np.zeros(len(values), np.int64)) + values
    return {level: sums[level] for level in SEVEREST_FIRST if level in sums and sums[level].any()}
