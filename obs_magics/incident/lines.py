"""Error lines around an incident: patterns over all of them, and few that stand for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from obs_magics.analysis.patterns import pattern_table
from obs_magics.incident.parts import Parts
from obs_magics.incident.reach import Desks
from obs_magics.incident.timeline import first_errors
from obs_magics.model import provenance
from obs_magics.model.errors import ObsError
from obs_magics.model.logs import empty_logs
from obs_magics.model.provenance import Provenance
from obs_magics.model.query import LogWords
from obs_magics.model.ranges import TimeRange
from obs_magics.model.sources import no_progress
from obs_magics.model.zones import to_datetime
from obs_magics.net.tasks import together
from obs_magics.session.plan_logs import LogsOptions

_STRETCHES = 24
_MOST_LINES = 20_000
"""Of each source: four pages of Loki's, and more than one reads."""
_FIRST_LINES = 5000
"""Likewise of the beginning, where there are more in all: one page."""
_HALVINGS, _ENOUGH = 10, 500  # to find as many lines of the beginning


@dataclass(frozen=True, slots=True)
class Lines:
    """Error lines.

    Args:
        kept: A logs frame of those that are kept.
        every: A logs frame of all that were fetched.
        total: How many there are.
        patterns: Of all that were fetched.
        first: When each service first wrote each pattern.
        counts: Lines of each pattern in equal stretches of the time that was asked for, by its id.
        questions: Where they come from.
        warnings: Of which time lines were not read.
    """

    kept: pd.DataFrame
    every: pd.DataFrame
    total: int
    patterns: pd.DataFrame
    first: pd.DataFrame
    counts: Mapping[str, tuple[int, ...]]
    questions: tuple[Provenance, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """What one source told: the newest lines, and where those are not all, the first ones.

    Args:
        newest: A logs frame.
        first: Logs frames of the time from the beginning to `read_ns`, of which all lines are there.
        read_ns: Until when; None where the newest are all.
    """

    newest: pd.DataFrame
    first: tuple[pd.DataFrame, ...] = ()
    read_ns: int | None = None

    @property
    def unread(self) -> TimeRange | None:
        """From when to when lines were not read."""
        return None if self.read_ns is None else TimeRange(self.read_ns, max(_oldest(self.newest), self.read_ns))


async def error_lines(
    desks: Desks, sources: Sequence[str], services: Sequence[str], span: TimeRange, *, most: int, parts: Parts
) -> Lines:
    """Ask every source for the error lines of services, and mine their patterns.

    Args:
        desks: Where questions are answered.
        sources: Names of those with logs.
        services: Whose lines.
        span: From when to when; the end is not part of it.
        most: How many lines are kept.
        parts: Told what did not come.
    """
    frames = await together(
        parts.run(f"error lines from {name}", _ask(desks, name, services, span)) for name in sources
    )
    told = [one for one in frames if one is not None]
    return await asyncio.to_thread(_mined, told, span, most)


async def _ask(desks: Desks, name: str, services: Sequence[str], span: TimeRange) -> _Told:
    target = desks.core.book.logs_source(name)
    query = await target.words_query(LogWords(services=tuple(services)))

    async def lines(within: TimeRange, limit: int = _FIRST_LINES) -> pd.DataFrame:
        options = LogsOptions(start=within.start_ns, end=within.end_ns, level="error", limit=limit)
        return await desks.core.logs(query, options, source=name, progress=no_progress)

    newest = await lines(span, _MOST_LINES)
    return await _with_beginning(newest, span, lines) if _cut(newest) else _Told(newest)


def _cut(frame: pd.DataFrame) -> bool:
    """Whether there are more lines than were fetched, rather than that a source failed half-way."""
    origin = provenance.of(frame)
    return origin is not None and bool(origin.truncated) and not origin.failed and len(frame) > 0


async def _with_beginning(
    newest: pd.DataFrame, span: TimeRange, lines: Callable[[TimeRange], Awaitable[pd.DataFrame]]
) -> _Told:
    """The first lines too: sources give the newest, and how it began stands in the others.

    The time before the newest lines is halved until a part of it holds no more lines than are fetched at once.
    """
    first: list[pd.DataFrame] = []
    read_ns, until_ns = span.start_ns, _oldest(newest)
    end_ns = until_ns
    for _ in range(_HALVINGS):
        if read_ns >= until_ns:
            break
        try:
            part = await lines(TimeRange(read_ns, end_ns))
        except ObsError:  # the newest lines stand, and `unread` says what is missing
            break
        if _cut(part):
            until_ns = end_ns
        else:
            first.append(part)
            read_ns = end_ns
            if sum(map(len, first)) >= _ENOUGH:
                break
        end_ns = read_ns + (until_ns - read_ns) // 2
    return _Told(newest, tuple(first), read_ns)


def _oldest(frame: pd.DataFrame) -> int:
    return int(frame["timestamp"].iloc[0].as_unit("ns").value)


def _mined(told: Sequence[_Told], span: TimeRange, most: int) -> Lines:
    origins = tuple(origin for one in told if (origin := provenance.of(one.newest)) is not None)
    lines = _joined([frame for one in told for frame in (*one.first, one.newest)])
    table, assigned = pattern_table(lines)
    first = first_errors(lines, table, assigned.tolist())
    unread = [gap for one in told if (gap := one.unread) is not None and gap.end_ns > gap.start_ns]
    if unread:  # what is first seen behind a gap may have been there before
        since = max(gap.start_ns for gap in unread)
        first = first[first["first_seen"].astype("int64") < since].reset_index(drop=True)
    return Lines(
        kept=lines.iloc[_telling(lines, assigned, most)].reset_index(drop=True),
        every=lines,
        total=sum(origin.total or origin.rows for origin in origins),
        patterns=table,
        first=first,
        counts=_counts(lines, table, assigned, span),
        questions=origins,
        warnings=tuple(_unread(gap) for gap in unread),
    )


def _unread(gap: TimeRange) -> str:
    start, end = (f"{to_datetime(ns):%H:%M:%S}" for ns in (gap.start_ns, gap.end_ns))
    return f"error lines from {start} to {end} UTC were counted and not read: which patterns began then is not known"


def _counts(
    lines: pd.DataFrame, table: pd.DataFrame, assigned: np.ndarray, span: TimeRange
) -> dict[str, tuple[int, ...]]:
    since = lines["timestamp"].astype("int64").to_numpy() - span.start_ns
    stretch = np.clip(since * _STRETCHES // max(span.duration_ns, 1), 0, _STRETCHES - 1)
    counts = np.bincount(assigned * _STRETCHES + stretch, minlength=len(table) * _STRETCHES)
    rows = counts.reshape(-1, _STRETCHES).tolist()
    return {str(name): tuple(row) for name, row in zip(table["id"], rows, strict=True)}


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    if not frames:
        return empty_logs()
    if len(frames) == 1:
        return frames[0]
    from pandas.api.types import union_categoricals

    columns = list(dict.fromkeys(str(name) for frame in frames for name in frame.columns))
    joined = pd.concat([frame.reindex(columns=columns) for frame in frames], ignore_index=True)
    joined["level"] = union_categoricals([frame["level"].array for frame in frames])
    joined["service"] = union_categoricals([frame["service"].array for frame in frames])
    return joined.sort_values("timestamp", kind="stable", ignore_index=True)


def _telling(lines: pd.DataFrame, assigned: np.ndarray, most: int) -> np.ndarray:
    """Positions of at most so many lines: of each service and pattern the first, then the second, and so on."""
    if len(lines) <= most:
        return np.arange(len(lines))
    groups = pd.Series(lines["service"].cat.codes.to_numpy().astype(np.int64) * (int(assigned.max()) + 1) + assigned)
    turn = groups.groupby(groups).cumcount().to_numpy()
    chosen: np.ndarray = np.sort(np.lexsort((np.arange(len(lines)), turn))[:most])
    return chosen
