"""When things happen in the demo world: its day, the times at which it is scraped, and curves over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

DAY = "2026-11-22"
NOW = "16:00:00"
SCRAPE_MS = 15_000
COARSE_MS = 300_000
HISTORY_MS = 7 * 86_400_000
HOUR_MS = 3_600_000

# Requests over a day of 24 hours, UTC, as a share of the busiest hour; between the hours in straight lines.
_DAILY = (.35, .28, .24, .22, .22, .26, .36, .50, .68, .82, .92, .96, .98, .98, .97, .97, .97, .98, 1., .97, .88, .74, .58, .45)  # fmt: skip  # noqa: E501
_WEEKEND = 0.94


def at(text: str) -> int:
    """Milliseconds since the epoch of ``14:12``, ``14:12:30`` (on the day of the story) or ``11-18 11:20``.

    >>> at("16:00")
    1795363200000
    """
    date, _, time = text.rpartition(" ")
    day = f"{DAY[:5]}{date}" if date else DAY
    return int(datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC).timestamp() * 1000)


def iso(timestamp_ms: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Axis:
    """When the world is looked at: `times_ms` and the seconds `dt` since the look before, 7 coarse days first.

    `fine_ms` is where detail begins, `end_ms` the world's now.
    """

    times_ms: Array
    dt: Array
    fine_ms: int
    end_ms: int

    def __len__(self) -> int:
        return len(self.times_ms)

    def position(self, timestamp_ms: int) -> int:
        """The first row at or after a time."""
        return int(np.searchsorted(self.times_ms, timestamp_ms))


def axis(hours: int) -> Axis:
    """Detail every 15 s for the last `hours`, every 5 min for 7 days before that."""
    end = at(NOW)
    fine = end - hours * HOUR_MS
    coarse = np.arange(fine - HISTORY_MS, fine, COARSE_MS, dtype=np.int64)
    times = np.concatenate([coarse, np.arange(fine, end + 1, SCRAPE_MS, dtype=np.int64)])
    dt = np.diff(times, prepend=times[0] - COARSE_MS) / 1000
    return Axis(times, dt, fine, end)


def curve(times_ms: Array, points: Sequence[tuple[str, float]]) -> Array:
    """Straight lines through (time, value), constant before the first and after the last."""
    return np.interp(times_ms, [at(time) for time, _ in points], [value for _, value in points])


def daily(times_ms: Array) -> Array:
    """How busy the shop is, as a share of its busiest hour on a weekday."""
    hour = (times_ms % (24 * HOUR_MS)) / HOUR_MS
    rhythm = np.interp(hour, np.arange(25), [*_DAILY, _DAILY[0]])
    weekday = (times_ms // (24 * HOUR_MS) + 3) % 7  # the epoch was a Thursday; 0 is Monday
    return np.where(weekday >= 5, rhythm * _WEEKEND, rhythm)
