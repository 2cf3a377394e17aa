"""What a detector says: one thing about one service that is not as usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Signal = Literal["logs", "calls", "latency", "errors", "metrics", "symptom"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about one service that is not as usual.

    Args:
        service: Whose it is.
        signal: Which detector says so.
        kind: What it is: vanished, appeared, slower, cpu …
        subject: What in particular: the metric, the log statement, the operation, the other side of a call.
        surprise: How unlikely by chance, in the unit of `statistics`; what findings are compared by.
        before: The number in the reference.
        during: The number in the incident.
        counts: Rows that the two numbers rest on, before and during.
        details: What else the evidence needs to be computed again.
    """

    service: str
    signal: Signal
    kind: str
    subject: str
    surprise: float
    before: float
    during: float
    counts: tuple[int, int] = (0, 0)
    details: Mapping[str, str] = field(default_factory=dict)
