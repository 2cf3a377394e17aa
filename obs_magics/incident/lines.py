"""Error lines around an incident: patterns over all of them, and few that stand for all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from obs_magics.analysis.patterns import pattern_table
from obs_magics.incident.parts import Parts, together
from obs_magics.incident.reach import Desks
from obs_magics.incident.timeline import first_errors
from obs_magics.model import provenance
from obs_magics.model.logs import empty_logs
from obs_magics.model.provenance import Provenance
from obs_magics.model.query import LogWords
from obs_magics.model.ranges import TimeRange
from obs_magics.model.sources import no_progress
from obs_magics.session.plan_logs import LogsOptions

_STRETCHES = 24
_MOST_LINES = 5000
"""Of each source: what Loki gives by default, and more than one reads."""


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
    """

    kept: pd.DataFrame
    every: pd.DataFrame
    total: int
    patterns: pd.DataFrame
    first: pd.DataFrame
    counts: Mapping[str, tuple[int, ...]]
    questions: tuple[Provenance, ...] = ()


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
    whole = [frame for frame in frames if frame is not None]
    origins = tuple(origin for frame in whole if (origin := provenance.of(frame)) is not None)
    total = sum(origin.total or origin.rows for origin in origins)
    return await asyncio.to_thread(_mined, whole, span, total, most, origins)


async def _ask(desks: Desks, name: str, services: Sequence[str], span: TimeRange) -> pd.DataFrame:
    target = desks.core.book.logs_source(name)
    query = await target.words_query(LogWords(services=tuple(services)))
    options = LogsOptions(start=span.start_ns, end=span.end_ns, level="error", limit=_MOST_LINES)
    return await desks.core.logs(query, options, source=name, progress=no_progress)


def _mined(
    frames: Sequence[pd.DataFrame], span: TimeRange, total: int, most: int, origins: tuple[Provenance, ...]
) -> Lines:
    lines = _joined(frames)
    table, assigned = pattern_table(lines)
    first = first_errors(lines, table, assigned.tolist())
    kept = lines.iloc[_telling(lines, assigned, most)].reset_index(drop=True)
    return Lines(kept, lines, total, table, first, _counts(lines, table, assigned, span), origins)


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
