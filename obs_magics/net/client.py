"""The one HTTP client of a source: asks, waits its turn, asks again where that helps, and says clearly what failed.

Example::

    client = HttpClient(Connection(name="prom", base_url="http://localhost:9090"), Vendor())
    reply = await client.request("POST", "/api/v1/query", form={"query": "up"}, repeatable=True)
    reply.json()
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from aiolimiter import AsyncLimiter

from obs_magics import __version__
from obs_magics.model.errors import ObsError, RateLimited, SourceUnavailable
from obs_magics.net import faults, redirects, statuses, transport
from obs_magics.net.connection import Connection
from obs_magics.net.question import Pairs, Question
from obs_magics.net.receive import read_body
from obs_magics.net.reply import Reply
from obs_magics.net.retry import Budget, Failure, Retry
from obs_magics.net.vendor import Vendor

_log = logging.getLogger(__name__)

_MOST_OF_AN_ERROR = 256 * 1024


@cache
def _warn_once(note: str) -> None:
    """Connecting makes a client to find out what answers, and another to ask it: that is one thing to say."""
    _log.warning(note)


@dataclass(frozen=True, slots=True)
class _Opened:
    """What belongs to one event loop: the connections and the two queues in front of them."""

    loop: asyncio.AbstractEventLoop
    http: httpx.AsyncClient
    proxied: bool
    slots: asyncio.Semaphore
    rate: AsyncLimiter | None


class HttpClient:
    """Speaks to one source. Cheap to make: connections are opened on first use, on the loop that uses them.

    Args:
        connection: Where and how.
        vendor: What is special about who answers.
        retry: How often to ask again, and how to wait.
    """

    def __init__(self, connection: Connection, vendor: Vendor | None = None, *, retry: Retry | None = None) -> None:
        self.connection = connection
        self._vendor = vendor or Vendor()
        self._retry = retry or Retry()
        self._secrets = connection.secrets()
        self._opened: _Opened | None = None
        self._notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As the user calls the source."""
        return self.connection.name

    @property
    def address(self) -> str:
        """The URL as shown to people; holds no secret."""
        return self.connection.address

    @property
    def where(self) -> str:
        """``name (address)``, for errors."""
        return self.connection.where

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Pairs | None = None,
        form: Pairs | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        timeout: float | None = None,
        accept: Collection[int] = (),
    ) -> Reply:
        """Ask, and give a good answer (status below 400).

        Args:
            method: HTTP method.
            path: Below the source's address; characters with a meaning in URLs (a ``/`` in a label's name) have to
                be quoted already, everything else is quoted here.
            params: For the URL's query.
            form: For a form in the body.
            json: For a JSON body.
            headers: More headers for this request.
            repeatable: May it be sent twice? None: GET and HEAD may.
            timeout: Longest silence in seconds, instead of the connection's; the deadline is then twice that.
            accept: Error statuses that are answers here (404 for "no such trace").

        Returns:
            The whole answer.

        Raises:
            SourceError: Nobody answers, not in time, too much, or not what was asked for; the subclass says which.
            QueryError: The server refused the question.
            ConfigError: The private CA or the proxy cannot be used.
        """
        question = Question.make(
            self.connection,
            method,
            path,
            params=params,
            form=form,
            json=json,
            headers=headers,
            timeout=timeout,
            accept=accept,
        )
        if repeatable is None:
            repeatable = question.method in {"GET", "HEAD"}
        budget = Budget(self.connection.total_seconds if timeout is None else 2 * timeout)
        return await self._retry.run(lambda: self._attempt(question, budget), budget, repeatable=repeatable)

    async def close(self) -> None:
        """Let go of the connections; the client may be used again, and then opens new ones."""
        opened, self._opened = self._opened, None
        if opened is not None and opened.loop is asyncio.get_running_loop():
            await opened.http.aclose()

    async def _attempt(self, question: Question, budget: Budget) -> Reply | Failure:
        """Wait for the turn, ask once. Nothing is waited for while a slot is held but the server."""
        opened = self._open()
        if opened.rate is not None:
            await opened.rate.acquire()
        async with opened.slots:
            with budget.measure():
                try:
                    async with asyncio.timeout(budget.left):
                        reply = await self._exchange(opened.http, question)
                except ObsError as error:
                    return Failure(error)
                except faults.CAUGHT as error:
                    return faults.explain(
                        error, self.connection, timeout=question.timeout, total=budget.total, proxied=opened.proxied
                    )
        return self._judge(reply, question)

    async def _exchange(self, http: httpx.AsyncClient, question: Question) -> Reply:
        """Send, follow the server's redirects within itself, read the answer."""
        if http.is_closed:  # while this question stood in the queue
            raise SourceUnavailable("the source was closed", where=self.where, hint="connect it again")
        method, url = question.method, httpx.URL(question.url)
        for _ in range(redirects.MOST + 1):
            content = None if method == "GET" else question.content
            request = http.build_request(
                method, url, headers=question.headers, content=content, timeout=self._timeouts(question)
            )
            response = await http.send(request, stream=True)
            try:
                next_step = redirects.follow(request, response, self.where)
                if next_step is None:
                    return await self._read(response, question)
            finally:
                await response.aclose()
            if isinstance(next_step, ObsError):
                raise next_step
            method, url = next_step
        raise redirects.in_a_circle(self.where)

    async def _read(self, response: httpx.Response, question: Question) -> Reply:
        failed = response.status_code >= 400 and response.status_code not in question.accept
        limit = _MOST_OF_AN_ERROR if failed else self.connection.max_answer_bytes
        body = await read_body(response, limit, where=self.where, cut=failed)
        return Reply(
            status=response.status_code,
            headers=dict(response.headers),
            body=body,
            url=redirects.display(response.url),
            where=self.where,
            notes=self._notes,
        )

    def _judge(self, reply: Reply, question: Question) -> Reply | Failure:
        """Is it an answer, or which error is it, and may asking again help?"""
        _log.debug("%s %s: %d, %d bytes", question.method, reply.url, reply.status, len(reply.body))
        if reply.status < 300 or reply.status in question.accept:
            return reply
        reply = reply.hiding(self._secrets)
        delay = self._vendor.retry_delay(reply)
        if self._vendor.throttled(reply):
            return Failure(statuses.rate_limited(reply, self.where, delay), again=True, delay=delay)
        error = self._vendor.explain(reply, self.where) or statuses.by_status(
            reply, self.where, with_credentials=self.connection.auth is not None
        )
        # A vendor who says what was wrong with the question will say it again.
        again = reply.status in statuses.RETRIED and isinstance(error, (SourceUnavailable, RateLimited))
        return Failure(error, again=again, delay=delay if again else None)

    def _open(self) -> _Opened:
        """What belongs to the running loop; a client used on another loop than before starts afresh there."""
        loop = asyncio.get_running_loop()
        if self._opened is None or self._opened.loop is not loop:
            limit = self.connection.rate_limit
            self._opened = _Opened(
                loop=loop,
                http=transport.open_client(self.connection, self._own_headers()),
                proxied=transport.proxy_for(self.connection) is not None,
                slots=asyncio.Semaphore(self.connection.max_concurrent),
                # A bucket holds at least one request, also when the limit is less than one a second.
                rate=None if limit is None else AsyncLimiter(max(1.0, limit), max(1.0, limit) / limit),
            )
            self._note_unverified()
        return self._opened

    def _own_headers(self) -> dict[str, str]:
        return {
            "user-agent": f"obs-magics/{__version__}",
            "accept": "application/json, */*;q=0.5",
            "accept-encoding": "gzip" if transport.wants_gzip(self.connection) else "identity",
            **self.connection.sent_headers(),
        }

    def _note_unverified(self) -> None:
        if self.connection.verify is False and self.address.startswith("https:") and not self._notes:
            note = f"the certificate of {self.where} is not checked (verify: false): anyone in between can read along"
            self._notes = (note,)
            _warn_once(note)

    def _timeouts(self, question: Question) -> httpx.Timeout:
        return httpx.Timeout(question.timeout, connect=min(question.timeout, self.connection.connect_seconds))
