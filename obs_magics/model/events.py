"""The events frame: one row per thing that happened (a deployment, an alert, …), in order of time. See DESIGN 3.

`timestamp` (datetime64[ns, UTC]) · `end` (likewise, NaT for a moment, and for what still goes on) · `kind` (category,
`KINDS`) · `service` (category, missing when it concerns none in particular) · `title` (string) · `version` (string) ·
`severity` (category, in the source's own words) · `url` (string) · `source` (category: who recorded it) · one string
column per attribute, sorted by name. An attribute whose name is taken gets the prefix `label_`.

Events overlap a range when they happen in it, or lie across its start: an alert or an incident without an end
(`ONGOING`) still goes on, anything else without one is a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from obs_magics.model.errors import BadAnswer
from obs_magics.model.frames import STRING_DTYPE, TIMESTAMP_DTYPE, categories, free_column

EventKind = Literal[
    "deployment",
    "config_change",
    "feature_flag",
    "alert",
    "incident",
    "restart",
    "scale",
    "annotation",
]

KINDS: tuple[EventKind, ...] = get_args(EventKind)
KIND_DTYPE = pd.CategoricalDtype(pd.Index(list(KINDS), dtype=STRING_DTYPE))
ONGOING: frozenset[str] = frozenset({"alert", "incident"})
"""Kinds that still go on when they have no end."""
CHANGES: tuple[EventKind, ...] = ("deployment", "config_change", "feature_flag", "restart", "scale")
"""Kinds that say that somebody, or something, changed the system."""
EVENT_COLUMNS = ("timestamp", "end", "kind", "service", "title", "version", "severity", "url", "source")
EVENT_RESERVED = frozenset(EVENT_COLUMNS)
_STRINGS = ("title", "version", "url")
_CATEGORIES = ("service", "severity", "source")
_LATEST_NS = np.iinfo(np.int64).max

# How severe the words are that people and platforms use, from 0 (nothing wrong) to 4; see `severity_rank`.
_RANKS: Mapping[str, int] = {
    **dict.fromkeys(("none", "info", "informational", "information", "notice", "debug", "ok", "p5", "sev5"), 0),
    **dict.fromkeys(("low", "minor", "p4", "sev4"), 1),
    **dict.fromkeys(("warning", "warn", "medium", "moderate", "p3", "sev3", "ticket"), 2),
    **dict.fromkeys(("error", "high", "major", "average", "p2", "sev2"), 3),
    **dict.fromkeys(("critical", "crit", "page", "fatal", "emergency", "disaster", "urgent", "p1", "sev1", "sev0"), 4),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened; times in nanoseconds since the epoch.

    Args:
        start_ns: When it happened, or began.
        end_ns: When it was over; None for a moment, and for what still goes on.
        kind: What it was.
        service: Which service it concerns; empty for none in particular.
        title: In a few words.
        version: What was deployed; empty for what has none.
        severity: In the source's own words.
        url: Where one can read more.
        source: Who recorded it: a tool (`argo-cd`), or the source's own name.
        attributes: What else is known, by the attribute's own name (not the column's).
    """

    start_ns: int
    end_ns: int | None = None
    kind: EventKind
    service: str = ""
    title: str = ""
    version: str = ""
    severity: str = ""
    url: str = ""
    source: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def until_ns(self) -> int:
        """The last nanosecond of it, as far as is known."""
        if self.end_ns is not None:
            return max(self.end_ns, self.start_ns)
        return _LATEST_NS if self.kind in ONGOING else self.start_ns


def severity_rank(word: str) -> int:
    """How severe a word is: 0 nothing wrong, 1 low, 2 warning, 3 error, 4 critical; -1 for words nobody knows.

    >>> severity_rank("page"), severity_rank("Warning"), severity_rank("")
    (4, 2, -1)
    """
    return _RANKS.get(word.strip().lower(), -1)


def attribute_column(name: str) -> str:
    """The column an attribute lives in."""
    return free_column(name, EVENT_RESERVED)


def attribute_columns(frame: pd.DataFrame) -> list[str]:
    """The columns of an events frame that hold attributes."""
    return [str(name) for name in frame.columns if name not in EVENT_RESERVED]


def events_frame(found: Iterable[Event]) -> pd.DataFrame:
    """Build an events frame, in order of time."""
    ordered = sorted(found, key=lambda one: (one.start_ns, KINDS.index(one.kind), one.service, one.title, one.source))
    ends = [pd.NaT.value if one.end_ns is None else one.end_ns for one in ordered]
    data: dict[str, Any] = {
        "timestamp": pd.DatetimeIndex(np.array([one.start_ns for one in ordered], np.int64), dtype=TIMESTAMP_DTYPE),
        "end": pd.DatetimeIndex(np.array(ends, np.int64), dtype=TIMESTAMP_DTYPE),
        "kind": pd.Categorical([one.kind for one in ordered], dtype=KIND_DTYPE),
        "service": categories([one.service or None for one in ordered]),
        "title": _texts([one.title for one in ordered]),
        "version": _texts([one.version or None for one in ordered]),
        "severity": categories([one.severity or None for one in ordered]),
        "url": _texts([one.url or None for one in ordered]),
        "source": categories([one.source or None for one in ordered]),
    }
    for name in sorted({name for one in ordered for name in one.attributes}):
        data[attribute_column(name)] = _texts([one.attributes.get(name) for one in ordered])
    return pd.DataFrame(data)


def _texts(values: Sequence[str | None]) -> Any:
    return pd.array(list(values), dtype=STRING_DTYPE)


def empty_events() -> pd.DataFrame:
    """An events frame with no rows and the right dtypes."""
    return events_frame([])


def events_of(frame: pd.DataFrame) -> list[Event]:
    """The rows of an events frame, in their order: what `events_frame` made of them, undone."""
    columns = {name: frame[name].astype(object).where(frame[name].notna(), "").tolist() for name in _own(frame)}
    starts = frame["timestamp"].astype("int64").tolist()
    ends = frame["end"].astype("int64").where(frame["end"].notna(), _LATEST_NS).tolist()
    names = {column: _attribute_name(column) for column in attribute_columns(frame)}
    found = []
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        own = {name: str(columns[name][row]) for name in ("service", "title", "version", "severity", "url", "source")}
        kept = {name: str(columns[column][row]) for column, name in names.items() if columns[column][row] != ""}
        kind = columns["kind"][row]
        end_ns = None if end == _LATEST_NS else end
        found.append(Event(start_ns=start, end_ns=end_ns, kind=kind, **own, attributes=kept))
    return found


def _own(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.columns if name not in ("timestamp", "end")]


def _attribute_name(column: str) -> str:
    bare = column.removeprefix("label_")
    return bare if attribute_column(bare) == column else column


def check_events(frame: pd.DataFrame) -> None:
    """Raise `BadAnswer` when a frame is not an events frame; for adapters' tests and outside adapters."""
    hint = "build it with events_frame()"
    missing = [name for name in EVENT_COLUMNS if name not in frame.columns]
    if missing:
        raise BadAnswer(f"an events frame needs the columns {', '.join(missing)}", hint=hint)
    expected: dict[str, Any] = {
        **dict.fromkeys(("timestamp", "end"), TIMESTAMP_DTYPE),
        **dict.fromkeys((*_STRINGS, *attribute_columns(frame)), STRING_DTYPE),
        "kind": KIND_DTYPE,
    }
    wrong = [
        f"{name} is {frame[name].dtype}, not {dtype}" for name, dtype in expected.items() if frame[name].dtype != dtype
    ]
    wrong += [
        f"{name} is {frame[name].dtype}, not category"
        for name in _CATEGORIES
        if not isinstance(frame[name].dtype, pd.CategoricalDtype)
    ]
    if frame["timestamp"].isna().any() or frame["kind"].isna().any():
        wrong.append("a row has no time or no kind")
    if not frame["timestamp"].is_monotonic_increasing:
        wrong.append("the rows are not in order of time")
    if wrong:
        raise BadAnswer("; ".join(wrong), hint=hint)
