"""What changed just before something became unusual: deployments, configuration, flags, alerts, weighed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from obs_magics.analysis.correlation.relations import Relation, Relations
from obs_magics.analysis.correlation.windows import Windows
from obs_magics.model.errors import UsageError
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE, categories

Array = np.ndarray[Any, Any]

TOLERANCE = timedelta(minutes=2)  # after the onset: clocks differ, and an onset is as exact as its step
LEAST_CONFIDENCE = 0.05

KIND_WEIGHTS: Mapping[str, float] = {
    "deployment": 0.95,
    "config_change": 0.95,
    "feature_flag": 0.85,
    "scale": 0.7,
    "restart": 0.6,
    "annotation": 0.5,
    "alert": 0.4,
    "incident": 0.3,
}
"""How often an event of a kind is a cause rather than a companion or an effect; a judgement, not a measurement."""

RELATION_WEIGHTS: Mapping[Relation, float] = {
    "same": 1.0,
    "downstream": 0.7,
    "upstream": 0.5,
    "general": 0.6,
    "unknown": 0.4,
    "none": 0.15,
}
"""What an event at another service says, next to one at the same; a judgement, too."""
_FURTHER = 0.7  # times as much for each call further away
_NEAR_SHARE = 0.5  # of a window: in it the confidence is highest
_NEAR_FALL = 0.25  # that it loses there; the rest it loses in the other half
_MINUTES = timedelta(minutes=10)
_MINUTES_SHARE = 0.1
_AFTER = 0.8  # what lies after the onset, within the tolerance
_LEAST_LOOK = timedelta(minutes=5)  # events do not become more telling by being nearer than this
_EFFECTS = frozenset({"alert", "incident"})
_KIND_WORDS = {"config_change": "config change", "feature_flag": "feature flag"}


_LASTING = frozenset({"alert", "incident", "annotation"})


@dataclass(frozen=True, slots=True)
class _Known:
    """An events frame as arrays, in order of time, and how many events there are of each kind at each service."""

    times_ns: Array
    kinds: list[str]
    services: list[str]
    titles: list[str]
    counts: Mapping[tuple[str, str], int]
    hours: float  # that they span


@dataclass(frozen=True, slots=True)
class _Search:
    """What is looked for, and among what."""

    known: _Known
    windows: Windows
    graph: Relations
    after_ns: int


@dataclass(frozen=True, slots=True)
class _Found:
    """An event in its window: `offset` in nanoseconds from the onset, `others` like it in the whole frame."""

    kind: str
    title: str
    service: str
    time_ns: int
    offset: int
    relation: Relation
    calls: int
    others: int
    hours: float
    confidence: float


def correlate_with_events(
    onsets: pd.DataFrame,
    events: pd.DataFrame,
    *,
    windows: Windows | None = None,
    relations: Relations | Iterable[tuple[str, str]] | None = None,
    tolerance: timedelta = TOLERANCE,
    least: float = LEAST_CONFIDENCE,
) -> pd.DataFrame:
    """Find for each onset the events that may have to do with it, most likely first.

    The confidence is a product of four numbers between 0 and 1:

    - the kind of event (`KIND_WEIGHTS`);
    - the distance d in its window w: 1 - 0.25 d / (w/2) in the nearer half (an hour for deployments, half an hour for
      configuration changes), then 0.75 (1 - (d - w/2) / (w/2)), and times 0.9 + 0.1 exp(-d / 10 min), for minutes tell
      more than windows do; 0.8 for what lies after the onset, within `tolerance`;
    - the relation of the services (`RELATION_WEIGHTS`; 0.7 times as much for each call beyond the first);
    - exp(-r d): the chance that no such event (same kind, same service) would have fallen as near by itself, for the
      rate r of the others in `events`, and d at least five minutes. Give `events` of some days for this to mean much.

    It orders what to look at; it is not a probability of being the cause.

    Args:
        onsets: An anomalies frame, or any frame with `series` and `start` (and `service`).
        events: An events frame; it need not be cut to the time of the onsets.
        windows: How far back each kind is looked for.
        relations: The call graph, or its edges (caller, callee); without it services are the same or not.
        tolerance: How far after an onset an event may lie.
        least: Less confidence is left out.

    Returns:
        `anomaly` (string, the series), `start` (datetime64[ns, UTC], its onset), `event_type` (category), `event`
        (string, its title), `event_time` (datetime64[ns, UTC]), `service` (category, of the event), `time_offset`
        (timedelta64[ns], negative: before the onset), `confidence` (float64, 0 to 1), `reason` (string). Onsets in
        their order, the events of each by confidence, then by nearness.

    Raises:
        UsageError: `onsets` lacks `series` or `start`.
    """
    if missing := [name for name in ("series", "start") if name not in onsets.columns]:
        raise UsageError(f"onsets need the columns series and start; missing: {', '.join(missing)}")
    graph = relations if isinstance(relations, Relations) else Relations.of(relations or ())
    search = _Search(_known(events), windows or Windows(), graph, _ns(tolerance))
    starts = pd.DatetimeIndex(onsets["start"]).as_unit("ns").asi8.tolist()
    names, services = _texts(onsets, "series"), _texts(onsets, "service")
    rows: list[tuple[str, int, _Found]] = []
    for name, start, service in zip(names, starts, services, strict=True):
        found = [one for one in _before(search, start, service) if one.confidence >= least]
        found.sort(key=lambda one: (-one.confidence, abs(one.offset), one.kind, one.title))
        rows += [(name, start, one) for one in found]
    return _frame(rows)


def _known(events: pd.DataFrame) -> _Known:
    ordered = events.sort_values("timestamp", kind="stable")
    times = pd.DatetimeIndex(ordered["timestamp"]).as_unit("ns").asi8
    kinds, services, titles = (_texts(ordered, name) for name in ("kind", "service", "title"))
    # What goes on for long is in a frame wherever it began: only moments tell for how long events are known.
    moments = times[[kind not in _LASTING for kind in kinds]]
    told = moments if len(moments) > 1 else times
    hours = float(told[-1] - told[0]) / 3600e9 if len(told) else 0.0
    return _Known(times, kinds, services, titles, Counter(zip(kinds, services, strict=True)), hours)


def _texts(frame: pd.DataFrame, name: str) -> list[str]:
    if name not in frame.columns:
        return [""] * len(frame)
    column = frame[name]
    return ["" if gone else str(value) for value, gone in zip(column, column.isna(), strict=True)]


def _before(search: _Search, start: int, service: str) -> list[_Found]:
    """The events in their windows before an onset, or just after it."""
    known, windows = search.known, search.windows
    first = int(np.searchsorted(known.times_ns, start - _ns(windows.longest), side="left"))
    last = int(np.searchsorted(known.times_ns, start + search.after_ns, side="right"))
    found = []
    for number in range(first, last):
        kind, other, time = known.kinds[number], known.services[number], int(known.times_ns[number])
        window, offset = _ns(windows.of(kind)), time - start
        if not window or -offset > window:
            continue
        relation, calls = search.graph.between(service, other)
        others = known.counts[kind, other] - 1
        rate = others / max(known.hours, windows.longest / timedelta(hours=1))
        rare = math.exp(-rate * max(abs(offset), _ns(_LEAST_LOOK)) / 3600e9)
        related = RELATION_WEIGHTS[relation] * _FURTHER ** max(0, calls - 1)
        confidence = KIND_WEIGHTS.get(kind, 0.0) * _nearness(offset, window) * related * rare
        title = known.titles[number]
        found.append(_Found(kind, title, other, time, offset, relation, calls, others, known.hours, confidence))
    return found


def _nearness(offset: int, window: int) -> float:
    if offset > 0:
        return _AFTER
    near = window * _NEAR_SHARE
    minutes = 1 - _MINUTES_SHARE + _MINUTES_SHARE * math.exp(offset / _ns(_MINUTES))
    if -offset <= near:
        return minutes * (1 - _NEAR_FALL * (-offset / near))
    return minutes * (1 - _NEAR_FALL) * (1 - (-offset - near) / (window - near))


def _ns(length: timedelta) -> int:
    return length // timedelta(microseconds=1) * 1000


def _reason(found: _Found) -> str:
    """In words: what it was, how near, whose, and how usual."""
    word = _KIND_WORDS.get(found.kind, found.kind)
    parts = [f"{word} {_offset_words(found.offset)}", _relation_words(found.service, found.relation, found.calls)]
    if found.kind in _EFFECTS:
        parts.append("may be an effect rather than a cause")
    span = f"{found.hours / 24:.0f} days" if found.hours >= 48 else f"{max(found.hours, 1):.0f} h"
    parts.append(f"{found.others} more like it in {span}" if found.others else f"the only one like it in {span}")
    return "; ".join(parts)


def _offset_words(offset: int) -> str:
    seconds = abs(offset) // 10**9
    size = f"{seconds} s" if seconds < 60 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
    return "at the onset" if seconds < 1 else f"{size} {'after' if offset > 0 else 'before'} the onset"


def _relation_words(service: str, relation: Relation, calls: int) -> str:
    words: dict[Relation, str] = {
        "same": "at the service itself",
        "downstream": f"at {service}, which it calls",
        "upstream": f"at {service}, which calls it",
        "general": "at no service in particular",
        "unknown": f"at {service}, whose relation is not known",
        "none": f"at {service}, which is not related by calls",
    }
    return words[relation] + (f" over {calls - 1} other{'s' if calls > 2 else ''}" if calls > 1 else "")


def _frame(rows: Sequence[tuple[str, int, _Found]]) -> pd.DataFrame:
    found = [one for _, _, one in rows]
    return pd.DataFrame(
        {
            "anomaly": pd.array([name for name, _, _ in rows], dtype=STRING_DTYPE),
            "start": _instants([start for _, start, _ in rows]),
            "event_type": categories([one.kind for one in found]),
            "event": pd.array([one.title for one in found], dtype=STRING_DTYPE),
            "event_time": _instants([one.time_ns for one in found]),
            "service": categories([one.service or None for one in found]),
            "time_offset": np.array([one.offset for one in found], np.int64).astype("timedelta64[ns]"),
            "confidence": np.array([one.confidence for one in found], np.float64),
            "reason": pd.array([_reason(one) for one in found], dtype=STRING_DTYPE),
        }
    )


def _instants(values: Sequence[int]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.array(values, np.int64), dtype=TIMESTAMP_DTYPE)
