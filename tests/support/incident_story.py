"""The incident of the demo's payments: its events, shifts, first errors and notes; without any source."""

from __future__ import annotations

import pandas as pd

from obs_magics.demo.world.clock import at, axis
from obs_magics.demo.world.happenings import happenings
from obs_magics.model.events import Event, events_frame
from obs_magics.model.incident import Incident, Remark, Shift

NEAR = ("checkout-api", "user-service", "order-service", "redis", "postgres")
HOSTILE = "<img src=x onerror=alert(1)> \x00\u202ecod.exe \x1b[31mred ${x} " + "é" * 5 + "a\u0301" * 30


def ns(time: str) -> int:
    """Nanoseconds since the epoch of a time of the story."""
    return at(time) * 1_000_000


def incident(end: str | None = "14:50", **options: str) -> Incident:
    return Incident(
        service="payment-api",
        start_ns=ns("14:15"),
        end_ns=None if end is None else ns(end),
        found_by="measured",
        start_because="measured: p99 latency",
        end_because="p99 latency back to 400 ms" if end else "not over: p99 latency is high",
        **options,
    )


def events(since: str = "12:15") -> pd.DataFrame:
    """What happened on the day of the story, and what began before it and still goes on."""
    told = [one for one in happenings(axis(6)) if at(one.time) >= at(since) or one.title.startswith("Disk")]
    return events_frame(
        Event(
            start_ns=ns(one.time),
            end_ns=ns(one.end) if one.end else None,
            kind=one.kind,  # type: ignore[arg-type]
            service=one.service,
            title=one.title,
            version=one.version,
            severity=one.severity,
            source=one.source,
            attributes=one.attributes,
        )
        for one in told
    )


def shift(service: str, measure: str, title: str, *, start: str, end: str | None, usual: float, value: float) -> Shift:
    return Shift(
        service=service,
        measure=measure,
        title=title,
        unit="1" if measure == "error_rate" else "s",
        start_ns=ns(start),
        end_ns=None if end is None else ns(end),
        usual=usual,
        value=value,
        peak=value,
    )


def shifts() -> list[Shift]:
    return [
        shift("payment-api", "latency_p99", "p99 latency", start="14:15", end="14:50", usual=0.4, value=2.3),
        shift("payment-api", "error_rate", "error rate", start="14:23", end="14:50", usual=0.0008, value=0.12),
        shift("checkout-api", "latency_p99", "p99 latency", start="14:15:15", end="14:50", usual=0.82, value=2.9),
    ]


def _times(*clocks: str) -> pd.DatetimeIndex:
    return pd.to_datetime([f"2026-11-22T{clock}Z" for clock in clocks])


def first_errors() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "service": ["payment-api", "user-service", "order-service", "mail"],
            "template": [
                "Connection pool exhausted",
                "Connection timeout after <*>",
                "Unable to acquire connection",
                "x",
            ],
            "pattern": ["a", "b", "c", "d"],
            "level": ["error", "error", "error", None],
            "count": [41, 16, 3, 1],
            "first_seen": _times("14:23:02", "14:24:20", "14:25:40", "14:05:00"),
            "last_seen": _times("14:46:31", "14:45:20", "14:27:49", "14:05:00"),
        }
    )


def notes() -> list[Remark]:
    return [
        Remark(at_ns=ns("14:31"), text="suspect the deploy\nrolling back", author="anna"),
        Remark(at_ns=ns("14:41"), text=HOSTILE, author="<b>ben</b>", service="payment-api", source="chat"),
    ]
