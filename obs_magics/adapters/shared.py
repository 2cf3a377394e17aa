"""Answers of catalogs, kept for a while and shared by all who ask for the same at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from obs_magics.net.tasks import stop

KEPT_SECONDS = 60.0


class Shared:
    """Answers kept for a while; who asks for one that is under way waits for it instead of asking again.

    Failures are not kept; and what nobody waits for any more is stopped.

    Args:
        seconds: How long an answer is kept.
        clock: Seconds on any scale that only goes forward.
    """

    def __init__(self, seconds: float = KEPT_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[Any, tuple[float, asyncio.Task[Any]]] = {}
        self._waiting: dict[asyncio.Task[Any], int] = {}

    async def get(self, key: Any, ask: Callable[[], Awaitable[Any]]) -> Any:
        """The answer under `key`, asked for when there is none that is fresh enough."""
        self._forget()
        found = self._kept.get(key)
        if found is None:
            task = asyncio.create_task(_run(ask))
            task.add_done_callback(_looked_at)
            self._kept[key] = (self._clock() + self._seconds, task)
        else:
            task = found[1]
        self._waiting[task] = self._waiting.get(task, 0) + 1
        try:
            return await asyncio.shield(task)  # one that gives up waiting does not stop the others
        finally:
            self._waiting[task] -= 1
            if not self._waiting[task]:
                del self._waiting[task]
                if not _good(task):
                    self._drop(key, task)
                    await stop([task])

    def _drop(self, key: Any, task: asyncio.Task[Any]) -> None:
        if self._kept.get(key, (0.0, None))[1] is task:
            del self._kept[key]

    def _forget(self) -> None:
        now = self._clock()
        loop = asyncio.get_running_loop()
        stale = [key for key, (until, task) in self._kept.items() if until <= now or task.get_loop() is not loop]
        for key in stale:
            del self._kept[key]

    async def close(self) -> None:
        """Stop what is under way."""
        tasks = [task for _, task in self._kept.values() if not task.done()]
        self._kept.clear()
        await stop(tasks)


def _good(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _run(ask: Callable[[], Awaitable[Any]]) -> Any:
    return await ask()


def _looked_at(task: asyncio.Task[Any]) -> None:
    """When all who waited have left, nobody is to be warned that a failure was not looked at."""
    if not task.cancelled():
        task.exception()
