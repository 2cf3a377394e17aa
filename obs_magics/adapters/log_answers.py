"""The answer to a question for lines: the frame, how many lines there are in all, and what is not here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from obs_magics.adapters.log_levels import volume_of
from obs_magics.adapters.log_pages import Pages
from obs_magics.model.errors import UsageError
from obs_magics.model.logs import UNKNOWN, Level, Volume, levels_from
from obs_magics.model.sources import Answer

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.model.query import LogsQuery
    from obs_magics.model.time import TimeRange


@dataclass(frozen=True, slots=True)
class Counted:
    """What the server counted, or why it did not."""

    volume: Volume | None = None
    problem: str = ""


def check(span: TimeRange, limit: int | None) -> None:
    """Raise `UsageError` for a range or a limit that makes no sense."""
    if span.end_ns < span.start_ns:
        raise UsageError("the range ends before it begins", hint="look at --start and --end")
    if limit is not None and limit < 1:
        raise UsageError(f"a limit of {limit} makes no sense", hint="--limit 10, or leave it out")


def lines_answer(
    query: LogsQuery, native: str, pages: Pages, frame: pd.DataFrame, *, counted: Counted, warnings: Sequence[str]
) -> Answer:
    """The answer of lines: what is missing, and how many there are in all.

    Args:
        query: What was asked.
        native: What was sent.
        pages: What came.
        frame: Its lines.
        counted: What the server counted.
        warnings: The server's.
    """
    volume, total, notes = counted.volume, None, [*warnings]
    if pages.whole:  # they are all here, so their own levels count, those read from the text too
        volume, total = volume_of(frame, query.range, query.volume_step_ns), len(frame)
    elif volume is not None and query.level is None:
        total = max(volume.total, len(frame))
    elif volume is not None and query.level is not None:
        notes += _on_unknown_levels(volume)
        volume = _only(volume, query.level)
        total = max(volume.total, len(frame))
    if counted.problem:
        notes.append(counted.problem)
    return Answer(
        frame=frame,
        native_query=native,
        warnings=tuple(notes),
        truncated="; ".join([*_cut(query, pages, total), *pages.truncated]),
        failed=(pages.failed,) if pages.failed else (),
        signal="logs",
        total=total,
        volume=volume,
    )


def _only(volume: Volume, level: Level) -> Volume:
    return replace(volume, counts={name: volume.counts[name] for name in levels_from(level) if name in volume.counts})


def _on_unknown_levels(volume: Volume) -> list[str]:
    unknown = sum(volume.counts.get(UNKNOWN, ()))
    if not unknown:
        return []
    if unknown == volume.total:
        return [
            "this server does not know the level of any of these lines: it was read from the text of those that were "
            "fetched, and no others are counted"
        ]
    return [
        f"the server does not know the level of {unknown:,} lines: of these, those that were fetched are judged by "
        "their text, and none is in the counts"
    ]


def _cut(query: LogsQuery, pages: Pages, total: int | None) -> list[str]:
    """Why there are fewer lines than there could be."""
    if pages.failed:
        of_all = f" of {total:,}" if total is not None else ""
        return [f"{len(pages.rows):,}{of_all} lines: the source failed half-way"]
    if pages.whole or len(pages.rows) < query.limit:
        return []
    if total is None:
        return [f"the newest {len(pages.rows):,} lines (--limit); there may be more"]
    return [f"the newest {len(pages.rows):,} of {total:,} lines (--limit)"] if total > len(pages.rows) else []
