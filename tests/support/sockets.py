"""Servers on loopback that misbehave as told: each connection's requests are answered by a script of steps."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Asked:
    """A request as it reached the server."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Step = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Stage:
    """A running server: its address, what it was asked, how many connections are open and were at most."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    open: int = 0
    opened: int = 0
    most_at_once: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def all_gone(self, seconds: float = 30) -> None:
        """Wait until no connection is open."""
        async with asyncio.timeout(seconds):
            while self.open:
                self.gone.clear()
                await self.gone.wait()


def raw(content: bytes, *, close: bool = True) -> Step:
    """Send these bytes as they are."""

    async def step(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        if close:
            writer.close()

    return step


def answer(
    body: bytes | str = b"{}",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    kind: str = "application/json",
    announced: int | None = None,
    delay: float = 0.0,
) -> Step:
    """A whole answer; with `announced`, a Content-Length that is not that of the body, and the connection ends."""
    content = body.encode() if isinstance(body, str) else body
    length = len(content) if announced is None else announced
    lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {length}", *([f"Content-Type: {kind}"] if kind else [])]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    send = raw(whole, close=announced is not None)

    async def step(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(delay)
        await send(asked, writer)

    return step


async def hang(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Say nothing until the client goes away."""
    await writer.wait_closed()


async def drop(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Hang up."""
    writer.close()


def reset_after(content: bytes) -> Step:
    """Send something, then break the connection hard."""

    async def step(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()

    return step


@contextlib.asynccontextmanager
async def serving(*steps: Step, tls: ssl.SSLContext | None = None) -> AsyncIterator[Stage]:
    """Serve a script: the first request gets the first step, and so on; the last step is repeated."""
    stage = Stage()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        stage.open += 1
        stage.opened += 1
        stage.most_at_once = max(stage.most_at_once, stage.open)
        try:
            while (asked := await _read(reader)) is not None:
                stage.asked.append(asked)
                step = steps[min(len(stage.asked), len(steps)) - 1]
                await _until_gone(step(asked, writer), reader)
                if writer.is_closing():
                    break
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            writer.transport.abort()
        finally:
            stage.open -= 1
            stage.gone.set()
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    stage.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield stage
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def _until_gone(work: Awaitable[None], reader: asyncio.StreamReader) -> None:
    """Stop answering when the client hangs up."""
    answering = asyncio.ensure_future(work)

    async def watch() -> None:
        while not reader.at_eof():
            await asyncio.sleep(0.01)

    watching = asyncio.ensure_future(watch())
    try:
        await asyncio.wait({answering, watching}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            answering.result()
    finally:
        for task in (answering, watching):
            task.cancel()
        await asyncio.gather(answering, watching, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError):  # also between head and body
        return None
    method, target, _ = first.split(" ", 2)
    return Asked(method, target, headers, body)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and localhost, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
