"""The one background event loop on which all HTTP runs, and the ways to call it from other threads and loops.

A notebook kernel has an event loop of its own in the main thread, which waits for the cell; so ours runs in a daemon
thread, one per process, started when first used. An interrupt of the cell cancels what is in flight.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_CLOSED = "the background loop is closed, or belongs to the process this one was forked from"

# How long an interrupt waits for the cancelled work to let go of its connections.
GRACE_SECONDS = 2.0
# Windows wakes a waiting main thread for Ctrl-C only between two waits.
_POLL_SECONDS = 0.2


class _Job(Generic[T]):
    """A coroutine on its way through the loop; `done` is set only when its task has really ended."""

    def __init__(self, work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        self._task: asyncio.Task[T] | None = None
        self.done: concurrent.futures.Future[T] = concurrent.futures.Future()

    def start(self) -> None:
        self._loop.call_soon_threadsafe(self._begin)

    def cancel(self) -> None:
        if not self.done.done() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def ended(self, seconds: float) -> bool:
        """Wait until the task has ended, at most so long."""
        with contextlib.suppress(TimeoutError, concurrent.futures.CancelledError):
            self.done.exception(seconds)  # gives the work's own errors back instead of raising them
        return self.done.done()

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._work)
        self._task.add_done_callback(self._end)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _end(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            self.done.cancel()
            self.done.set_running_or_notify_cancel()
        elif (error := task.exception()) is not None:
            self.done.set_exception(error)
        else:
            self.done.set_result(task.result())


class BackgroundLoop:
    """An event loop in a daemon thread. Get the process's own through `background`."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._loop.run_forever, name="obs-magics-loop", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Does it take work? Not after `close`, and not in a process that was forked off."""
        return self.pid == os.getpid() and self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T], *, poll: float = _POLL_SECONDS) -> T:
        """Run a coroutine to its end and give its result; callable from every thread but the loop's own.

        An interrupt cancels the work, waits up to two seconds for it to end, and is raised again.

        Args:
            work: What to run.
            poll: Seconds between two looks for an interrupt, where the system does not wake a waiting thread.

        Raises:
            RuntimeError: Called on the loop's own thread, which would wait for itself for ever; or after `close`.
        """
        self._check(work)
        job = _Job(work, self._loop)
        try:
            job.start()
            while not job.ended(poll):
                if not self.alive:
                    raise RuntimeError(_CLOSED)  # by somebody else, meanwhile
        except BaseException:
            job.cancel()
            if self.alive:
                job.ended(GRACE_SECONDS)
            raise
        if job.done.cancelled():
            raise RuntimeError("the work was cancelled: the background loop was closed, or it gave itself up")
        return job.done.result()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start a coroutine and give its future; cancelling the future cancels the work."""
        self._check(work, own_thread=True)
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def bridge(self, work: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine of this loop from another one; cancelling there cancels here, and waits for the end."""
        if asyncio.get_running_loop() is self._loop:
            return await work
        self._check(work)
        job = _Job(work, self._loop)
        job.start()
        ended = asyncio.wrap_future(job.done)
        try:
            return await asyncio.shield(ended)
        except asyncio.CancelledError:
            job.cancel()
            await asyncio.wait([ended], timeout=GRACE_SECONDS)
            if ended.done() and not ended.cancelled():
                ended.exception()  # looked at, so that nobody warns that it never was
            raise

    def close(self) -> None:
        """Cancel what is in flight and end the thread; does nothing in a process that was forked off."""
        if self.pid != os.getpid():
            return
        with self._closing:
            if self._thread.is_alive():
                self._end_thread()
            if not self._thread.is_alive() and not self._loop.is_closed():
                self._loop.close()

    def _end_thread(self) -> None:
        stopping = asyncio.run_coroutine_threadsafe(self._wind_down(), self._loop)
        concurrent.futures.wait([stopping], timeout=GRACE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(GRACE_SECONDS)

    async def _wind_down(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

    def _check(self, work: Coroutine[Any, Any, T], *, own_thread: bool = False) -> None:
        if not self.alive:
            work.close()
            raise RuntimeError(_CLOSED)
        if not own_thread and threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("run() was called on the background loop's own thread: await the coroutine instead")


_lock = threading.Lock()
_current: BackgroundLoop | None = None
# Loops of parent processes: kept, since collecting them would touch the event queue they share with the parent.
_inherited: list[BackgroundLoop] = []


def background() -> BackgroundLoop:
    """The process's background loop, started when first asked for."""
    global _current  # noqa: PLW0603 - one per process is the point
    with _lock:
        if _current is None or not _current.alive:
            if _current is not None and _current.pid != os.getpid():
                _inherited.append(_current)
            _current = BackgroundLoop()
            atexit.register(_current.close)
        return _current


def _new_lock() -> None:
    """In a forked child: another thread of the parent may have held the lock, and is not here to let go of it."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)
