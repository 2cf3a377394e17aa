"""Which lines of a logs frame are listed, before any drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from obs_magics.display import times
from obs_magics.display.inline import Highlight
from obs_magics.display.logs import levels
from obs_magics.display.logs.gist import gist
from obs_magics.display.units import count_text
from obs_magics.model.logs import Array, log_label_columns

Order = Literal["newest", "severest"]
Labels = tuple[tuple[str, str], ...]

_BEFORE_MATCH = 40  # characters of a line that stand before what was found, where its start is left out
_NEAR = 100  # a match that starts within so many characters is seen without leaving out anything
_READ = 20_000  # characters of a line in which is looked for a match


@dataclass(frozen=True, slots=True)
class Line:
    """One line as listed. `short` is what its row says, `folded` how many lines are folded into its first."""

    at_ns: int
    level: str
    service: str
    message: str
    short: str
    folded: int
    trace_id: str
    span_id: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class LineList:
    """The lines that are listed, what all of them have in common, and how many there are."""

    lines: tuple[Line, ...]
    common: Labels
    order: Order
    rows: int
    total: int | None
    zone: str
    highlight: Highlight
    shortened: bool

    @property
    def start_ns(self) -> int:
        """Of the lines that are listed, the first."""
        return min((line.at_ns for line in self.lines), default=0)

    @property
    def end_ns(self) -> int:
        """Of the lines that are listed, the last."""
        return max((line.at_ns for line in self.lines), default=0)

    @property
    def day(self) -> bool:
        """Whether times need their day."""
        return times.several_days(self.start_ns, self.end_ns, self.zone)

    def count(self, shown: int) -> str:
        """How many of how many: "50 of 1,000 lines shown, of 48,211 in all"."""
        in_all = f", of {self.total:,} in all" if self.total is not None and self.total != self.rows else ""
        return f"{shown:,} of {count_text(self.rows, 'line')} shown{in_all}"

    def about(self) -> str:
        """In which order, and in which days and zone."""
        order = {"newest": "newest first", "severest": "most severe first, then newest"}[self.order]
        return f"{order} · {times.days_and_zone(self.start_ns, self.end_ns, self.zone)}"


def rows_of(
    frame: pd.DataFrame, *, zone: str, limit: int, order: Order, phrases: Sequence[str], total: int | None
) -> LineList:
    """The lines to be listed, at most `limit`."""
    places = _newest(len(frame), limit) if order == "newest" else _severest(levels.codes(frame["level"]), limit)
    picked = frame.iloc[places]
    highlight = Highlight(phrases)
    labels = _labels(picked)
    common = _common(labels)
    lines = [_line(row, own, common, highlight) for row, own in zip(_records(picked), labels, strict=True)]
    return LineList(
        lines=tuple(lines),
        common=common,
        order=order,
        rows=len(frame),
        total=total,
        zone=zone,
        highlight=highlight,
        shortened=any(not line.message.startswith(line.short) for line in lines),
    )


def _newest(rows: int, limit: int) -> Array:
    return np.arange(rows)[::-1][:limit]


def _severest(severity: Array, limit: int) -> Array:
    places: list[Array] = []
    room = limit
    for code in range(int(severity.max(initial=-1)), -2, -1):
        found = np.flatnonzero(severity == code)[::-1][:room]
        places.append(found)
        room -= len(found)
        if not room:
            break
    return np.concatenate(places) if places else np.empty(0, np.int64)


def _records(picked: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, the missing among their texts as empty ones."""
    names = ("level", "service", "message", "trace_id", "span_id")
    texts = [[value if isinstance(value, str) else "" for value in picked[name]] for name in names]
    moments = times.nanoseconds(picked["timestamp"]).tolist()
    return [dict(zip(("at_ns", *names), row, strict=True)) for row in zip(moments, *texts, strict=True)]


def _line(row: dict[str, Any], labels: Labels, common: Labels, highlight: Highlight) -> Line:
    message, said = row["message"], gist(row["message"], service=row["service"], trace_id=row["trace_id"])
    return Line(
        at_ns=row["at_ns"],
        level=levels.level_of(row["level"]),
        service=row["service"],
        message=message,
        short=_short(message, said, highlight),
        folded=message[:_READ].rstrip("\n").count("\n"),
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        labels=tuple(pair for pair in labels if pair not in common),
    )


def _short(message: str, said: str, highlight: Highlight) -> str:
    """What the row says: around what was found, when its start would not show it."""
    place = highlight.first(said)
    if place < 0:
        whole = message[:_READ]
        elsewhere = highlight.first(whole)
        if elsewhere >= 0:
            said, place = whole, elsewhere
    return said if place < _NEAR else f"…{said[place - _BEFORE_MATCH :]}"


def _labels(picked: pd.DataFrame) -> list[Labels]:
    names = log_label_columns(picked)
    columns = [picked[name].tolist() for name in names]
    return [
        tuple((name, value) for name, value in zip(names, values, strict=True) if isinstance(value, str) and value)
        for values in (zip(*columns, strict=True) if columns else [()] * len(picked))
    ]


def _common(labels: Sequence[Labels]) -> Labels:
    """Labels that every line has with the same value; none when a line stands alone."""
    if len(labels) < 2:
        return ()
    first, *rest = labels
    others = [frozenset(own) for own in rest]
    return tuple(pair for pair in first if all(pair in own for own in others))
