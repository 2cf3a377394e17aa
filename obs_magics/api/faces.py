"""The two faces of a call: `Session` waits for the answer, `AsyncSession` has it awaited.

Every call is written once, as a method that waits: it says `return self._run(work)` and nothing after that. In a class
that is `Waiting`, `_run` runs the work on the background loop and gives its result. `awaited` makes the other face of
the same method, for a class that is `Awaiting`: there `_run` gives something to be awaited, from any loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from obs_magics.net.loop import background

if TYPE_CHECKING:
    import pandas as pd

P = ParamSpec("P")
T = TypeVar("T")


class Waiting:
    """Its calls wait for their answers; an interrupt cancels what is in flight."""

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return background().run(work)


class Awaiting:
    """Its calls are to be awaited; cancelling one cancels what is in flight."""

    def _run(self, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
        return background().bridge(work)


def awaited(call: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """The same call for a class that is `Awaiting`: the same parameters and words, to be awaited."""

    @wraps(call)
    async def asked(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await cast("Awaitable[T]", call(self, *args, **kwargs))

    return asked


class _Report(Protocol):
    @property
    def frame(self) -> pd.DataFrame: ...


async def frame_of(report: Awaitable[_Report]) -> pd.DataFrame:
    """The frame of a report that is still to come."""
    return (await report).frame
