"""Many questions at once: what fails is named and the rest goes on; how far it is, is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from obs_magics.model.errors import ObsError
from obs_magics.model.sources import Progress, ProgressListener
from obs_magics.net.tasks import stop

T = TypeVar("T")
U = TypeVar("U")


class Parts:
    """The parts of one gathering.

    Args:
        progress: Told whenever a part begins or ends, and what is waited for longest.
    """

    def __init__(self, progress: ProgressListener) -> None:
        self._progress = progress
        self._begun: list[str] = []
        self._failed: list[tuple[int, str]] = []
        self._done = 0
        self._open: dict[int, str] = {}
        self.rows = 0

    async def run(self, name: str, work: Awaitable[T]) -> T | None:
        """The answer of a part; None when it could not be had, which `failed` then tells."""
        number = len(self._begun)
        self._begun.append(name)
        self._open[number] = name
        self._tell(name)
        try:
            return await work
        except ObsError as error:
            self.fail(name, error, number)
            return None
        finally:
            self._done += 1
            del self._open[number]
            self._tell(next(iter(self._open.values()), name))

    def fail(self, name: str, error: ObsError, number: int | None = None) -> None:
        """Note that a part did not come, and why."""
        where = f"{error.where}: " if error.where and error.where != name else ""
        self._failed.append((len(self._begun) if number is None else number, f"{name}: {where}{error.message}"))

    def note(self, reason: str) -> None:
        """Note that something is missing, in words of its own."""
        self._failed.append((len(self._begun), reason))

    @property
    def failed(self) -> tuple[str, ...]:
        """What did not come, each a sentence without a full stop, in the order in which it was asked for."""
        return tuple(dict.fromkeys(reason for _, reason in sorted(self._failed)))

    def _tell(self, note: str) -> None:
        self._progress(Progress(self._done, len(self._begun), self.rows, note))


async def both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """The answers of two; the first error, or a cancellation, ends the other."""
    one, other = asyncio.create_task(first), asyncio.create_task(second)
    try:
        return await asyncio.gather(one, other)
    finally:
        await stop([one, other])
