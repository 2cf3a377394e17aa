"""Time as people type it, and time ranges as nanoseconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True, order=True)
class TimeRange:
    """From `start_ns` to `end_ns`, both included, in nanoseconds since the epoch."""

    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        """Length in nanoseconds."""
        return self.end_ns - self.start_ns

    @property
    def start(self) -> datetime:
        """Start in UTC, to the microsecond."""
        return datetime.fromtimestamp(self.start_ns / SECOND, UTC)

    @property
    def end(self) -> datetime:
        """End in UTC, to the microsecond."""
        return datetime.fromtimestamp(self.end_ns / SECOND, UTC)
