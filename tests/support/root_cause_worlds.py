"""Small worlds for the root-cause engine: series, requests with spans and lines, and events, all of them exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from obs_magics.analysis.root_cause import Observations, Symptom, Window
from obs_magics.model.events import Event, events_frame
from obs_magics.model.frames import categories, metrics_frame
from obs_magics.model.logs import LEVELS, logs_frame
from obs_magics.model.spans import ATTRIBUTES_TYPE, STATUSES, spans_frame

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START_NS = 1_790_000_040 * SECOND  # a full minute
MINUTES = 120
INCIDENT = Window(START_NS + 90 * MINUTE, START_NS + 100 * MINUTE)


def at(minute: float) -> int:
    """Nanoseconds since the epoch of a minute of the world."""
    return START_NS + int(minute * MINUTE)


def inside(minute: float) -> bool:
    """Whether a minute belongs to the incident."""
    return INCIDENT.start_ns <= at(minute) < INCIDENT.end_ns


def noise(seed: int, level: float, spread: float = 0.05) -> np.ndarray:
    """A level with a little noise, one value a minute."""
    return level * (1 + spread * np.random.default_rng(seed).standard_normal(MINUTES))


def lifted(values: np.ndarray, factor: float, *, first: int = 90, last: int = 100) -> np.ndarray:
    """The values, multiplied from the first minute until before the last."""
    result = values.copy()
    result[first:last] *= factor
    return result


def metrics(series: Mapping[tuple[str, str], Sequence[float] | np.ndarray]) -> pd.DataFrame:
    """A metrics frame of (service, metric) → one value a minute."""
    labels = [{"__name__": metric, "service": service} for service, metric in series]
    counts = [len(values) for values in series.values()]
    times = np.concatenate([START_NS + MINUTE * np.arange(count) for count in counts])
    return metrics_frame(labels, counts, times, np.concatenate([np.asarray(v, float) for v in series.values()]))


@dataclass
class Call:
    """A span and what it calls; durations in milliseconds: what the caller waits is the work plus the gap."""

    service: str
    operation: str
    work: float = 5.0
    gap: float = 1.0
    calls: list[Call] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""

    @property
    def took(self) -> float:
        """How long its own span is."""
        return self.work + sum(call.took + call.gap for call in self.calls)


def requests(
    make: Callable[[int, float, np.random.Generator], Call], many: int = 200
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spans and lines of so many requests, evenly spread over the world.

    Args:
        make: Of the number of a request, the minute and a generator, the call that it is.
        many: How many.
    """
    rng = np.random.default_rng(7)
    spans: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []
    for number in range(many):
        minute = number * MINUTES / many
        _write(make(number, minute, rng), number, None, at(minute), (spans, lines))
    return _spans(spans), _lines(lines)


def _write(call: Call, trace: int, parent: int | None, start_ns: int, told: tuple[list, list]) -> None:
    spans, lines = told
    own = len(spans) + 1
    took = int(call.took * 1e6)
    spans.append({"trace": trace, "id": own, "parent": parent, "call": call, "start": start_ns, "took": took})
    for level, text in call.lines:
        lines.append(
            {"trace": trace, "span": own, "at": start_ns, "service": call.service, "level": level, "text": text}
        )
    begins = start_ns + int(call.work * 1e6 / 2)
    for below in call.calls:
        if below.service == call.service:
            _write(below, trace, own, begins, told)
            continue
        # the client's span stands between, as instrumentation writes it
        client = len(spans) + 1
        waits = int((below.took + below.gap) * 1e6)
        spans.append(
            {
                "trace": trace,
                "id": client,
                "parent": own,
                "call": Call(call.service, f"call {below.service}", error=below.error),
                "start": begins,
                "took": waits,
            }
        )
        _write(below, trace, client, begins + int(below.gap * 1e6 / 2), told)
        begins += waits


def _spans(rows) -> pd.DataFrame:
    return spans_frame(
        trace_id=pa.array([f"{row['trace']:032x}" for row in rows]),
        span_id=pa.array([f"{row['id']:016x}" for row in rows]),
        parent_id=pa.array([None if row["parent"] is None else f"{row['parent']:016x}" for row in rows], pa.string()),
        service=categories([row["call"].service for row in rows]),
        operation=categories([row["call"].operation for row in rows]),
        kind_codes=np.full(len(rows), -1),
        start_ns=np.array([row["start"] for row in rows], np.int64),
        duration_ns=np.array([row["took"] for row in rows], np.int64),
        status_codes=np.array([STATUSES.index("error") if row["call"].error else 0 for row in rows]),
        status_message=pa.array([row["call"].error or None for row in rows], pa.string()),
        attributes=pa.array([[] for _ in rows], ATTRIBUTES_TYPE),
    )


def _lines(rows) -> pd.DataFrame:
    rows = sorted(rows, key=lambda row: row["at"])
    return logs_frame(
        np.array([row["at"] for row in rows], np.int64),
        pa.array([row["text"] for row in rows], pa.string()),
        level_codes=np.array([LEVELS.index(row["level"]) for row in rows], np.int64),
        service=categories([row["service"] for row in rows]),
        trace_id=pa.array([f"{row['trace']:032x}" if row["trace"] is not None else None for row in rows], pa.string()),
        span_id=pa.array([f"{row['span']:016x}" if row["span"] is not None else None for row in rows], pa.string()),
        labels={},
    )


def lines(rows: Sequence[tuple[float, str, str, str]]) -> pd.DataFrame:
    """Lines without traces: minute, service, level, text."""
    return _lines(
        [
            {"trace": None, "span": None, "at": at(minute), "service": service, "level": level, "text": text}
            for minute, service, level, text in rows
        ]
    )


def events(*told: Event) -> pd.DataFrame:
    """An events frame."""
    return events_frame(list(told))


def deployment(minute: float, service: str, title: str, **attributes: str) -> Event:
    """A deployment, with `id`, `files`, `diff` and the like as attributes."""
    return Event(
        start_ns=at(minute),
        kind="deployment",
        service=service,
        title=title,
        version=attributes.pop("version", ""),
        attributes=attributes,
    )


def given(**parts: object) -> Observations:
    """Observations of the world's incident; `symptom` as (service, metric)."""
    symptom = parts.pop("symptom", None)
    incident = parts.pop("incident", INCIDENT)
    told = Symptom(*symptom) if symptom else None
    return Observations(incident=incident, symptom=told, **parts)  # type: ignore[arg-type]
