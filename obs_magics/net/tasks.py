"""Tasks that are not left behind: whoever starts some waits for their end, also when it is cancelled itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def stop(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel those that still run, and wait until they have let go of what they hold; what they raise is not told."""
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def together(works: Iterable[Awaitable[T]]) -> list[T]:
    """The answers of all of them, in their order; the first error, or a cancellation, ends the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await stop(tasks)
