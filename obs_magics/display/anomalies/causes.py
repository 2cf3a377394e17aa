"""What happened shortly before an anomaly: the rows of a correlation with events, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from obs_magics.display import times
from obs_magics.display.anomalies.found import Found, length_text
from obs_magics.display.marks import event_word
from obs_magics.display.units import plain, round_digits
from obs_magics.display.visible import short

MAX_CAUSES = 3
_TITLE, _REASON, _SERVICE = 120, 160, 60


@dataclass(frozen=True, slots=True)
class Cause:
    """An event that may have to do with an anomaly; `offset_ns` is negative before its onset."""

    kind: str
    title: str
    service: str
    at_ns: int
    offset_ns: int
    confidence: float
    reason: str

    def offset(self) -> str:
        """How long before or after the onset: "2 min before"."""
        if abs(self.offset_ns) < 1_000_000_000:
            return "at the same time"
        length = length_text(abs(self.offset_ns) / 1e9)
        return f"{length} {'after' if self.offset_ns > 0 else 'before'}"

    def said(self, zone: str, *, day: bool) -> str:
        """In a line: "2 min before, 14:13: config change payment-api: redis pool … (confidence 90 %: same service)"."""
        where = f" {short(self.service, _SERVICE)}:" if self.service and self.service not in self.title else ""
        why = f": {short(self.reason, _REASON)}" if self.reason else ""
        sure = f"confidence {plain(round_digits(100 * self.confidence, 2))} %{why}"
        when = f"{self.offset()}, {times.clock(self.at_ns, zone, day=day)}"
        return f"{when}: {event_word(self.kind)}{where} {short(self.title, _TITLE)} ({sure})"


def causes_of(found: Found, correlated: pd.DataFrame | None) -> list[Cause]:
    """The events that were found together with an anomaly, the most confident first.

    Args:
        found: The anomaly.
        correlated: `anomaly` (short name of the series), `start` (of the anomaly), `event_type`, `event`, `event_time`,
            `service`, `time_offset` (negative: before the onset), `confidence`, `reason`.
    """
    if correlated is None or correlated.empty:
        return []
    starts = times.nanoseconds(correlated["start"])
    rows = correlated[(correlated["anomaly"].astype(object) == found.series).to_numpy() & (starts == found.start_ns)]
    causes = [_cause(row) for row in rows.to_dict("records")]
    return sorted(causes, key=lambda one: (-one.confidence, abs(one.offset_ns), one.title))


def _cause(row: dict[Any, Any]) -> Cause:
    service, reason = row["service"], row["reason"]
    return Cause(
        kind=str(row["event_type"]),
        title=str(row["event"]),
        service=service if isinstance(service, str) else "",
        at_ns=int(pd.Timestamp(row["event_time"]).as_unit("ns").value),
        offset_ns=int(pd.Timedelta(row["time_offset"]).as_unit("ns").value),
        confidence=float(row["confidence"]),
        reason=_without_offset(reason) if isinstance(reason, str) else "",
    )


def _without_offset(reason: str) -> str:
    """The reason without the part that says when: that is said already."""
    first, separator, rest = reason.partition("; ")
    return rest if separator and first.endswith("the onset") else reason
