"""When to ask again and how long to wait before: exponential backoff with jitter inside one time budget.

A loop of our own and not `stamina`: the wait comes from the vendor's answer, a wait that does not fit into the time
left ends the question at once, a test hands in its own clock-free `sleep` and `random`, and nothing is logged as a
warning into a notebook (stamina does, through the root logger's last resort).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from obs_magics.model.errors import ObsError
from obs_magics.net.reply import Reply

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that came to nothing.

    Args:
        error: What to tell if nobody asks again.
        again: May asking again help?
        delay: Seconds the server wants to be left alone; None when it did not say.
    """

    error: ObsError
    again: bool = False
    delay: float | None = None


class Budget:
    """The seconds left for one question: its attempts and the waits between them, not the queue in front of them."""

    def __init__(self, seconds: float) -> None:
        self.total = seconds
        self.left = seconds

    def spend(self, seconds: float) -> None:
        """Take seconds off."""
        self.left = max(0.0, self.left - seconds)

    def measure(self) -> _Measured:
        """A context manager that takes off what passes inside."""
        return _Measured(self)


class _Measured:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._start = 0.0

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, *_exception: object) -> None:
        self._budget.spend(time.monotonic() - self._start)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to try and how long to wait between two tries.

    Args:
        tries: Attempts altogether.
        first_delay: Seconds before the second try when the server does not say; doubled for each further one.
        max_delay: No wait of ours is longer.
        sleep: Waits; a test hands in its own.
        random: Gives numbers in [0, 1); a test hands in its own.
    """

    tries: int = 3
    first_delay: float = 0.25
    max_delay: float = 8.0
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    random: Callable[[], float] = random.random

    async def run(
        self, attempt: Callable[[], Awaitable[Reply | Failure]], budget: Budget, *, repeatable: bool
    ) -> Reply:
        """Ask until there is an answer, or until asking again cannot help.

        Args:
            attempt: Asks once.
            budget: The time there is.
            repeatable: May the same request be sent twice?

        Raises:
            ObsError: That of the last attempt.
        """
        number = 1
        while True:
            outcome = await attempt()
            if isinstance(outcome, Reply):
                return outcome
            delay = self._delay(outcome, number)
            if not (repeatable and outcome.again and number < self.tries and delay < budget.left):
                raise outcome.error
            _log.debug("try %d ended in %s, next one in %.2f s", number, type(outcome.error).__name__, delay)
            await self.sleep(delay)
            budget.spend(delay)
            number += 1

    def _delay(self, failure: Failure, number: int) -> float:
        """At least what the server wants; the jitter keeps those refused together from coming back together."""
        backoff: float = min(self.max_delay, self.first_delay * 2.0 ** (number - 1))
        if failure.delay is None:
            return backoff * (0.5 + 0.5 * self.random())
        return failure.delay + self.first_delay * self.random()
