"""The volume of every level beside an answer that holds some levels alone: whether traffic changed at the time."""

from __future__ import annotations

import asyncio
import dataclasses
import logging

from obs_magics.model.errors import ObsError
from obs_magics.model.logs import Volume
from obs_magics.model.query import LogsQuery
from obs_magics.model.sources import Answer, LogsSource, ProgressListener
from obs_magics.net.tasks import stop

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 5.0  # how much longer than the lines themselves the counts may take


async def with_every_level(target: LogsSource, query: LogsQuery, progress: ProgressListener) -> Answer:
    """Ask for lines; where a level is asked for, the volume in the answer counts all others too.

    The source is asked for both at the same time. Counts that do not come are no reason to fail: the answer then has
    the volume of its own lines.
    """
    if query.level is None:
        return await target.logs(query, progress)
    counts = asyncio.create_task(_volume(target, dataclasses.replace(query, level=None, limit=1)))
    try:
        answer = await target.logs(query, progress)
        await asyncio.wait([counts], timeout=_PATIENCE_SECONDS)
        every = counts.result() if counts.done() else None
    finally:
        await stop([counts])
    return answer if every is None else dataclasses.replace(answer, volume=every)


async def _volume(target: LogsSource, query: LogsQuery) -> Volume | None:
    try:
        return (await target.logs(query)).volume
    except ObsError as error:
        _log.debug("the lines of every level could not be counted: %s", error)
        return None
