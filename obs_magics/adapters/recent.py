"""Catalogs that look at the recent past, and where that has nothing, at the range that was asked for last."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import ClassVar

from obs_magics.adapters.shared import Shared
from obs_magics.model.time import TimeRange
from obs_magics.net.client import HttpClient


class RecentCatalog:
    """The part of a catalog that is the same on every platform: what is investigated may be old.

    Args:
        client: Gives the source's client.
        shared: Where answers are kept.
        now_ns: What time it is.
    """

    recent_ns: ClassVar[int]
    """How far back the recent past goes."""

    def __init__(
        self, client: Callable[[], HttpClient], shared: Shared, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._client = client
        self._shared = shared
        self._now_ns = now_ns
        self.asked: TimeRange | None = None

    def _range(self) -> TimeRange:
        now_ns = self._now_ns()
        return TimeRange(now_ns - self.recent_ns, now_ns)

    async def _recently(self, key: Hashable, ask: Callable[[TimeRange], Awaitable[list[str]]]) -> list[str]:
        """What `ask` gives for the recent past, else for the range that was asked for last; kept under `key`."""

        async def asked() -> list[str]:
            found = await ask(self._range())
            return found if found or self.asked is None else await ask(self.asked)

        found: list[str] = await self._shared.get(("recent", key, self.asked), asked)
        return found
