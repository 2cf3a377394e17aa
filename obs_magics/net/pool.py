"""Connections that nobody waits for any more are closed: a cancelled request must not keep its place in the pool.

A request over httpcore that is cancelled after its handshake and before its first byte leaves a connection behind
that is neither idle nor closed: it stays open, and its place in the pool is lost until the process ends (seen with
httpcore 1.0.9). Ctrl-C in the wrong millisecond is enough, and after as many as the pool has places nothing gets
through.
"""

from __future__ import annotations

import ssl

import httpcore
import httpx


class Transport(httpx.AsyncHTTPTransport):
    """httpx's own, whose pool hands out connections that close themselves when their request ends half-way."""

    def __init__(self, *, verify: ssl.SSLContext, limits: httpx.Limits, proxy: str | None) -> None:
        super().__init__(verify=verify, limits=limits, proxy=proxy, trust_env=False)
        create = self._pool.create_connection

        def closing(origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
            return _Closing(create(origin))

        self._pool.create_connection = closing  # type: ignore[method-assign]


class _Closing(httpcore.AsyncConnectionInterface):
    """A connection over HTTP/1.1, which serves one request at a time."""

    def __init__(self, inner: httpcore.AsyncConnectionInterface) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        try:
            return await self._inner.handle_async_request(request)
        except httpcore.ConnectionNotAvailable:  # another request has it
            raise
        except BaseException:
            if not (self._inner.is_idle() or self._inner.is_closed()):
                # Closed before the first point at which it could be cancelled again.
                await self._inner.aclose()
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()

    def info(self) -> str:
        return self._inner.info()

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        return self._inner.can_handle_request(origin)

    def is_available(self) -> bool:
        return self._inner.is_available()

    def has_expired(self) -> bool:
        return self._inner.has_expired()

    def is_idle(self) -> bool:
        return self._inner.is_idle()

    def is_closed(self) -> bool:
        return self._inner.is_closed()
