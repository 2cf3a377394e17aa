"""For tests of what happens on its own time, and of how long something takes, on machines that are slow or busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_SECONDS = 60.0
_PAUSE = 0.01


def eventually(look: Callable[[], T], seconds: float = _SECONDS) -> T:
    """Look until there is something true to see, and give it; what was seen last is shown when nothing comes."""
    until = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < until, f"after {seconds:g} s still {seen!r}"
        time.sleep(_PAUSE)
    return seen


async def eventually_async(look: Callable[[], T], seconds: float = _SECONDS) -> T:
    """The same in a loop that goes on meanwhile."""
    until = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < until, f"after {seconds:g} s still {seen!r}"
        await asyncio.sleep(_PAUSE)
    return seen


def least_seconds(work: Callable[[], object], enough: float = 0.0, *, tries: int = 3) -> float:
    """CPU seconds that `work` takes in this thread, at best: what else the machine or the collector does, counts not.

    Args:
        work: What to measure; called again only when it took longer than `enough`.
        enough: What it may take.
        tries: How often it is called at most.
    """
    best = float("inf")
    for _ in range(tries):
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
        if best < enough:
            break
    return best
