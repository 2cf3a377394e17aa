"""Examining many series: a pure function mapped over chunks of them, on whatever executor there is.

The chunks hold whole series, and the answer does not depend on how many there are, nor on who computes them: threads
of this process, other processes, or a cluster (`dask.distributed.Client.get_executor()`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from obs_magics.model.anomalies import Sensitivity
from obs_magics.model.sources import Progress, ProgressListener
from obs_magics.session.dress import joined
from obs_magics.session.traits import Traits, traits_of

if TYPE_CHECKING:
    import pandas as pd

    from obs_magics.analysis.anomaly import Findings, Threshold

_MOST_AT_ONCE = 16
CHUNK = 500
"""Series in one chunk: enough for numpy, little enough for memory (500 × 1,440 points are 6 MB a column)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How series are examined; the same for every chunk, and small enough to be sent along with each.

    Args:
        sensitivity: `low`, `medium` or `high`.
        baseline_ns: How far back is looked for what is usual.
        since_ns: Events that end before are not told.
        thresholds: Rules of the configuration.
    """

    sensitivity: Sensitivity
    baseline_ns: int
    since_ns: int
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What came of one chunk.

    Args:
        events: An anomalies frame, without who fell silent.
        series: How many series there were.
        traits: What tells them apart.
        latest: Of each metric of each service the series that goes on the longest.
        skipped: Series that could not be judged, with the reason.
    """

    events: pd.DataFrame
    series: int
    traits: Traits
    latest: pd.DataFrame
    skipped: tuple[str, ...] = field(default=())


def examine_part(frame: pd.DataFrame, terms: Terms) -> Part:
    """Examine the series of one chunk. Pure: equal arguments give equal answers, in any process."""
    found = _found(frame, terms)
    silent = _fell_silent(found.events)
    return Part(
        events=found.events[~silent].reset_index(drop=True),
        series=found.series,
        traits=traits_of(frame),
        latest=latest_of(frame),
        skipped=tuple(f"{name}: {reason}" for name, reason in found.skipped),
    )


def silences(parts: Sequence[Part], terms: Terms) -> pd.DataFrame:
    """Who fell silent, in all chunks of a question together: a chunk alone cannot tell where the others end."""
    events = _found(joined([part.latest for part in parts]), terms).events
    return events[_fell_silent(events)].reset_index(drop=True)


def latest_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Of each metric of each service the series that goes on the longest, the first of equals."""
    import numpy as np

    from obs_magics.analysis.anomaly.still import ALIKE
    from obs_magics.model.frames import series_ids

    if frame.empty:
        return frame
    ids = series_ids(frame)
    ends = frame["timestamp"].astype("int64").groupby(ids).max().to_numpy()
    firsts = np.unique(ids, return_index=True)[1]
    whose = frame.iloc[firsts].reset_index(drop=True)
    labels = [name for name in ALIKE if name in frame.columns]
    owner = whose[labels].astype(object).bfill(axis=1).iloc[:, 0] if labels else whose["metric"].astype(object)
    table = whose[["metric"]].astype(object).assign(owner=owner, end=-ends, place=np.arange(len(ends)))
    kept = table.sort_values(["end", "place"]).groupby(["metric", "owner"], dropna=False, sort=False)["place"].first()
    return frame[np.isin(ids, kept.to_numpy())].reset_index(drop=True)


def _fell_silent(events: pd.DataFrame) -> pd.Series[bool]:
    return (events["kind"] == "silence") & events["value"].isna() & events["ongoing"]


def chunks(frame: pd.DataFrame, size: int = CHUNK) -> Iterator[pd.DataFrame]:
    """The frame in chunks of whole series, in order of their first appearance; labels keep their categories."""
    import numpy as np

    from obs_magics.model.frames import series_ids

    ids = series_ids(frame).astype(np.int32)
    count = int(ids.max()) + 1 if len(ids) else 0
    if count <= size:
        yield frame
        return
    together = bool((ids[1:] >= ids[:-1]).all())  # as sources give them: then a chunk is a slice, and nothing is copied
    order = None if together else np.argsort(ids, kind="stable")
    edges = np.searchsorted(ids if order is None else ids[order], np.arange(0, count + size, size))
    for first, last in pairwise(edges):
        if first < last:
            rows = frame.iloc[first:last] if order is None else frame.take(order[first:last])
            yield rows.reset_index(drop=True)


async def mapped(
    function: Callable[[Any, Terms], Part],
    pieces: AsyncIterator[Any],
    terms: Terms,
    *,
    executor: Executor | None = None,
    progress: ProgressListener,
    total: int = 0,
    note: str = "looking for anomalies",
) -> list[Part]:
    """Map a pure function over chunks, a few at a time, and give the answers in order of the chunks.

    Cancelling the task lets chunks that are under way end and begins no other.

    Args:
        function: Of a chunk and the terms; importable by name, so that other processes find it.
        pieces: The chunks; no more are taken than there are workers, so that memory stays bounded.
        terms: For each of them.
        executor: Who computes; None for threads of this process.
        progress: Told after each chunk.
        total: How many chunks there will be; 0 when that is not known.
        note: What is going on, for the progress.
    """
    workers = _workers(executor)
    own = ThreadPoolExecutor(workers, thread_name_prefix="obs-magics-scan") if executor is None else None
    loop = asyncio.get_running_loop()
    waiting: dict[asyncio.Future[Part], int] = {}
    done: dict[int, Part] = {}
    try:
        number = 0
        async for piece in pieces:
            waiting[loop.run_in_executor(own or executor, function, piece, terms)] = number
            number += 1
            if len(waiting) > workers:
                await _some(waiting, done)
                progress(Progress(len(done), max(total, number), sum(part.series for part in done.values()), note))
        while waiting:
            await _some(waiting, done)
            progress(Progress(len(done), max(total, number), sum(part.series for part in done.values()), note))
    finally:
        for future in waiting:
            future.cancel()
        if own is not None:
            own.shutdown(wait=False, cancel_futures=True)
    return [done[place] for place in sorted(done)]


def _workers(executor: Executor | None) -> int:
    """How many chunks are computed at once: as many as there are workers, within what memory takes."""
    known = getattr(executor, "_max_workers", None) or os.cpu_count() or 1  # no executor tells it in public
    return min(int(known), _MOST_AT_ONCE)


async def _some(waiting: dict[asyncio.Future[Part], int], done: dict[int, Part]) -> None:
    """Wait until at least one chunk is done."""
    finished, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for future in finished:
        done[waiting.pop(future)] = future.result()


async def from_frames(frames: Sequence[pd.DataFrame], size: int = CHUNK) -> AsyncIterator[pd.DataFrame]:
    """The chunks of frames that are there already, cut off the loop."""
    for frame in frames:
        pieces = chunks(frame, size)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece


def _found(frame: pd.DataFrame, terms: Terms) -> Findings:
    from datetime import timedelta

    import pandas as pd

    from obs_magics.analysis.anomaly import examine

    return examine(
        frame,
        sensitivity=terms.sensitivity,
        baseline=timedelta(microseconds=terms.baseline_ns / 1000),
        since=pd.Timestamp(terms.since_ns, tz="UTC"),
        thresholds=terms.thresholds,
    )
