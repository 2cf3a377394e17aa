"""The background loop: called from threads, other loops and a forked process, and interrupted by real signals."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from obs_magics.net.loop import BackgroundLoop, background


@pytest.fixture
def loop() -> Iterator[BackgroundLoop]:
    made = BackgroundLoop()
    yield made
    made.close()


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def fail() -> None:
    raise ValueError("as told")


async def outcome(seen: list[str], seconds: float = 30) -> None:
    """Sleeps, and says how it ended."""
    try:
        seen.append("begun")
        await asyncio.sleep(seconds)
        seen.append("finished")
    except asyncio.CancelledError:
        await asyncio.sleep(0.05)
        seen.append("cancelled")
        raise


def interrupt_when(begun: Callable[[], bool]) -> None:
    """Ctrl-C a moment after the work has begun."""

    def wait() -> None:
        while not begun():
            time.sleep(0.005)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


def test_there_is_one_loop_for_the_process_and_a_new_one_after_close() -> None:
    first = background()
    assert background() is first
    first.close()
    first.close()
    assert not first.alive
    second = background()
    assert second is not first
    assert second.run(double(21)) == 42


def test_results_and_errors_come_back(loop: BackgroundLoop) -> None:
    assert loop.run(double(4)) == 8
    with pytest.raises(ValueError, match="as told"):
        loop.run(fail())
    with pytest.raises(TimeoutError):
        loop.run(asyncio.wait_for(asyncio.sleep(9), 0.01))


def test_many_threads_may_call_at_once(loop: BackgroundLoop) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: loop.run(double(n)), range(64))) == [2 * n for n in range(64)]


def test_work_longer_than_a_poll_is_waited_for(loop: BackgroundLoop) -> None:
    assert loop.run(asyncio.sleep(0.05, "late"), poll=0.01) == "late"


def test_run_on_the_loops_own_thread_is_refused(loop: BackgroundLoop) -> None:
    async def inside() -> None:
        loop.run(double(1))

    with pytest.raises(RuntimeError, match="own thread"):
        loop.run(inside())


def test_a_closed_loop_says_so(loop: BackgroundLoop) -> None:
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run(double(1))
    with pytest.raises(RuntimeError, match="closed"):
        loop.submit(double(1))


def test_closing_cancels_what_is_in_flight() -> None:
    made = BackgroundLoop()
    seen: list[str] = []
    future = made.submit(outcome(seen))
    while "begun" not in seen:
        time.sleep(0.005)
    made.close()
    assert seen == ["begun", "cancelled"]
    assert future.cancelled()


def test_an_interrupt_cancels_the_work_and_waits_for_its_end(loop: BackgroundLoop) -> None:
    seen: list[str] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    start = time.monotonic()
    try:
        interrupt_when(lambda: bool(seen))
        with pytest.raises(KeyboardInterrupt):
            loop.run(outcome(seen))
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == ["begun", "cancelled"]
    assert time.monotonic() - start < 20, "the work alone takes 30 s"
    assert loop.run(double(3)) == 6, "the loop lives on"


def test_an_interrupt_waits_two_seconds_at_most(loop: BackgroundLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obs_magics.net.loop.GRACE_SECONDS", 0.1)
    begun, release = threading.Event(), threading.Event()

    async def stubborn() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.to_thread(release.wait, 60)
            raise

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt_when(begun.is_set)
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run(stubborn())
    finally:
        signal.signal(signal.SIGINT, before)
        release.set()
    assert time.monotonic() - start < 30


def test_a_submitted_coroutine_is_cancelled_with_its_future(loop: BackgroundLoop) -> None:
    assert loop.submit(double(5)).result(2) == 10
    seen: list[str] = []
    future = loop.submit(outcome(seen))
    while "begun" not in seen:
        time.sleep(0.005)
    assert future.cancel()
    until = time.monotonic() + 2
    while "cancelled" not in seen and time.monotonic() < until:
        time.sleep(0.005)
    assert seen == ["begun", "cancelled"]


async def test_bridge_gives_results_and_errors_to_another_loop(loop: BackgroundLoop) -> None:
    assert await loop.bridge(double(6)) == 12
    with pytest.raises(ValueError, match="as told"):
        await loop.bridge(fail())


async def test_bridge_on_the_loop_itself_just_awaits(loop: BackgroundLoop) -> None:
    async def inside() -> int:
        return await loop.bridge(double(7))

    assert await loop.bridge(inside()) == 14


async def test_cancelling_a_bridge_cancels_the_work_and_waits_for_it(loop: BackgroundLoop) -> None:
    seen: list[str] = []
    waiting = asyncio.create_task(loop.bridge(outcome(seen)))
    while "begun" not in seen:
        await asyncio.sleep(0.005)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert seen == ["begun", "cancelled"]


async def test_work_that_fails_while_it_is_cancelled_is_no_noise(loop: BackgroundLoop) -> None:
    begun = threading.Event()

    async def clumsy() -> None:
        try:
            begun.set()
            await asyncio.sleep(30)
        finally:
            raise ValueError("on the way out")

    waiting = asyncio.create_task(loop.bridge(clumsy()))
    while not begun.is_set():
        await asyncio.sleep(0.005)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_work_that_cancels_itself_is_a_cancellation_here(loop: BackgroundLoop) -> None:
    async def gives_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await loop.bridge(gives_up())


def test_another_process_id_means_another_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = background()
    monkeypatch.setattr("obs_magics.net.loop.os.getpid", lambda: parent.pid + 1)
    child = background()
    assert child is not parent
    assert not parent.alive
    parent.close()
    child.close()
    monkeypatch.undo()
    assert parent.alive, "a child does not close its parent's loop"
    parent.close()


def test_a_loop_that_stops_meanwhile_ends_the_wait(loop: BackgroundLoop) -> None:
    inner = loop._loop
    threading.Timer(0.1, inner.call_soon_threadsafe, (inner.stop,)).start()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run(asyncio.sleep(30), poll=0.05)
    inner.run_until_complete(asyncio.sleep(0.01))  # the cancelled task gets its turn


def test_work_in_flight_ends_with_a_clear_error_when_the_loop_is_closed(loop: BackgroundLoop) -> None:
    threading.Timer(0.1, loop.close).start()
    with pytest.raises(RuntimeError, match="was cancelled"):
        loop.run(asyncio.sleep(30))


def test_an_interrupt_closes_the_connection_in_flight() -> None:
    from support.sockets import hang, serving

    from obs_magics.net.client import HttpClient
    from obs_magics.net.connection import Connection

    servers, mine = BackgroundLoop(), BackgroundLoop()
    context = serving(hang)
    stage = servers.run(context.__aenter__())
    client = HttpClient(Connection(name="prom", base_url=stage.url))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt_when(lambda: bool(stage.asked))
    try:
        with pytest.raises(KeyboardInterrupt):
            mine.run(client.request("GET", "/"))
    finally:
        signal.signal(signal.SIGINT, before)
    servers.run(stage.all_gone())
    assert len(stage.asked) == 1
    mine.run(client.close())
    servers.run(context.__aexit__(None, None, None))
    mine.close()
    servers.close()


FORKING = """
import asyncio, os, sys
from obs_magics.net.loop import background
parent = background()
assert parent.run(asyncio.sleep(0, 1)) == 1
child = os.fork()
if child == 0:
    assert not parent.alive
    parent.close()
    own = background()
    assert own is not parent
    print("child", own.run(asyncio.sleep(0, 2)), flush=True)
    sys.exit(0)
_, status = os.waitpid(child, 0)
print("parent", status, parent.run(asyncio.sleep(0, 3)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_gets_a_loop_of_its_own() -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.stdout.split() == ["child", "2", "parent", "0", "3"], ended.stderr
    assert ended.stderr == ""


INTERRUPTED = """
import asyncio, os, signal, sys, threading
from obs_magics.net.loop import background
async def work():
    try:
        print("begun", flush=True)
        await asyncio.sleep(30)
    finally:
        print("let go", flush=True)
async def cell():  # as ipykernel runs one: inside the main thread's own loop
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    background().run(work())
loop = asyncio.new_event_loop()
try:
    loop.run_until_complete(cell())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_an_interrupt_inside_a_running_loop_as_in_a_kernel() -> None:
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=30, check=False)
    assert ended.stdout.split("\n")[:3] == ["begun", "let go", "interrupted"], ended.stderr


def test_a_process_ends_although_work_is_in_flight() -> None:
    script = "import asyncio\nfrom obs_magics.net.loop import background\nbackground().submit(asyncio.sleep(60))\n"
    start = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.monotonic() - start < 10
