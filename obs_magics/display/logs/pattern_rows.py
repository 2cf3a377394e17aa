"""What of a table of patterns is shown, before any drawing: which rows, in which order, with what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from obs_magics.display import times
from obs_magics.display.logs import levels
from obs_magics.display.logs.events import Event, without_pattern
from obs_magics.display.units import count_text


@dataclass(frozen=True, slots=True)
class Pattern:
    """One row of the table of patterns, as Python has it."""

    count: int
    share: float
    template: str
    service: str
    level: str
    services: tuple[str, ...]
    first_ns: int
    last_ns: int
    examples: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    spark: tuple[int, ...]
    events: tuple[Event, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """Its services, the one with most lines first."""
        return tuple(dict.fromkeys([*([self.service] if self.service else []), *self.services]))


@dataclass(frozen=True, slots=True)
class PatternTable:
    """What of the patterns is shown, the most important first, and what is said of the rest."""

    shown: tuple[Pattern, ...]
    total: int
    lines: int
    counts: tuple[int, ...]
    gone: tuple[Event, ...]
    zone: str
    start_ns: int
    end_ns: int
    span_ns: tuple[int, int] | None

    @property
    def day(self) -> bool:
        """Whether times need their day."""
        return times.several_days(self.start_ns, self.end_ns, self.zone)

    def about(self, shown: int) -> tuple[str, str]:
        """How many patterns of how many; then of how many lines, in which order, when, and how they are drawn."""
        many = f"{'' if shown == self.total else f'{shown} of '}{count_text(self.total, 'pattern')}"
        when = times.days_and_zone(self.start_ns, self.end_ns, self.zone)
        order = f"in {count_text(self.lines, 'line')}: errors first, then what changed, then by lines · {when}"
        drawn = any(one.spark for one in self.shown)
        return many, f"{order} · bars of each on their own scale" if drawn else order

    def rest(self, shown: int) -> tuple[int, int]:
        """Patterns that are not shown when `shown` are, and their lines."""
        return self.total - shown, self.lines - sum(self.counts[:shown])


def rows_of(
    patterns: pd.DataFrame,
    spark: Mapping[str, Sequence[int]],
    *,
    events: Sequence[Event],
    zone: str,
    limit: int,
    span_ns: tuple[int, int] | None,
) -> PatternTable:
    """The rows that are shown, at most `limit`, and what is said of the others."""
    order = _most_important(patterns, events)
    ids = [str(one) for one in patterns["id"]]
    first, last = (times.nanoseconds(patterns[name]) for name in ("first_seen", "last_seen"))
    counts = patterns["count"].to_numpy(dtype=np.int64)
    moments = [*first.tolist(), *last.tolist(), *(event.start_ns for event in events), *(span_ns or ())]
    return PatternTable(
        shown=tuple(_patterns(patterns.iloc[order[:limit]], spark, events)),
        total=len(patterns),
        lines=int(counts.sum()),
        counts=tuple(counts[order].tolist()),
        gone=tuple(without_pattern(events, ids)),
        zone=zone,
        start_ns=min(moments, default=0),
        end_ns=max(moments, default=0),
        span_ns=span_ns,
    )


def _most_important(patterns: pd.DataFrame, events: Sequence[Event]) -> list[int]:
    """Rows in order: errors before what changed before the rest; in each, most lines first, ties by template."""
    changed = {event.pattern for event in events}
    error = levels.severity("error")
    rows = zip(
        levels.codes(patterns["level"]).tolist(),
        patterns["id"].tolist(),
        patterns["count"].tolist(),
        patterns["template"].tolist(),
        strict=True,
    )
    keys = [
        (-(2 * (code >= error) + (id_ in changed)), -count, template, place)
        for place, (code, id_, count, template) in enumerate(rows)
    ]
    return [place for *_, place in sorted(keys)]


def _patterns(patterns: pd.DataFrame, spark: Mapping[str, Sequence[int]], events: Sequence[Event]) -> Iterator[Pattern]:
    first, last = (times.nanoseconds(patterns[name]).tolist() for name in ("first_seen", "last_seen"))
    for place, row in enumerate(patterns.to_dict("records")):
        yield Pattern(
            count=int(row["count"]),
            share=float(row["share"]),
            template=str(row["template"]),
            service=row["service"] if isinstance(row["service"], str) else "",
            level=levels.level_of(row["level"]),
            services=_texts(row["services"]),
            first_ns=first[place],
            last_ns=last[place],
            examples=_texts(row["examples"]),
            values=tuple(_texts(one) for one in _items(row["values"])),
            spark=tuple(spark.get(row["id"], ())),
            events=tuple(event for event in events if event.pattern == row["id"]),
        )


def _items(cell: object) -> list[object]:
    """The members of a list in a frame, whatever holds it; none of a missing one."""
    return list(cell) if isinstance(cell, list | tuple | np.ndarray) else []


def _texts(cell: object) -> tuple[str, ...]:
    return tuple(str(one) for one in _items(cell) if one is not None)
