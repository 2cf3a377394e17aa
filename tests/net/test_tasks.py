"""Nothing that was started is left behind."""

from __future__ import annotations

import asyncio

import pytest

from obs_magics.net.tasks import stop, together


async def test_stopping_waits_until_they_have_let_go() -> None:
    ended: list[str] = []

    async def holds() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("let go")

    async def breaks() -> None:
        raise RuntimeError("nobody is told")

    tasks = [asyncio.create_task(work) for work in (holds(), breaks())]
    await asyncio.sleep(0)
    await stop(tasks)
    assert ended == ["let go"]
    assert all(task.done() for task in tasks)
    await stop([])


async def test_answers_come_in_order_and_an_error_ends_the_others() -> None:
    ended: list[str] = []

    async def waits() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")
        return 0

    async def gives(number: int) -> int:
        if number > 2:
            raise RuntimeError("too many")
        await asyncio.sleep(0)
        return number

    assert await together(gives(number) for number in (2, 1)) == [2, 1]
    with pytest.raises(RuntimeError, match="too many"):
        await together([waits(), gives(3)])
    assert ended == ["waits"]
    task = asyncio.create_task(together([waits(), waits()]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["waits"] * 3
