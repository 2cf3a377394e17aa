"""The client against real sockets on loopback: what is sent, what is read, what goes wrong, and what is left behind."""

from __future__ import annotations

import asyncio
import email.utils
import gzip
import logging
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable

import pytest
from support.servers import free_port
from support.sockets import Step, answer, drop, hang, raw, reset_after, serving

from obs_magics.model.errors import (
    AuthError,
    BadAnswer,
    LimitExceeded,
    ObsError,
    QueryError,
    RateLimited,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from obs_magics.net.client import HttpClient
from obs_magics.net.connection import Basic, Bearer, Connection
from obs_magics.net.reply import Reply
from obs_magics.net.retry import Retry
from obs_magics.net.vendor import Vendor, epoch_milliseconds, epoch_seconds, seconds_to_wait

TOKEN = "tok-3f9a8c"


class Waits(list[float]):
    """A sleep that takes no time and notes what it was asked for."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


class Clients:
    """Makes clients and closes them."""

    def __init__(self, waits: Waits) -> None:
        self.made: list[HttpClient] = []
        self._retry = Retry(sleep=waits.sleep, random=lambda: 0.0)

    def __call__(self, url: str, *, vendor: Vendor | None = None, **options: object) -> HttpClient:
        connection = Connection(name="prom", base_url=url, **options)  # type: ignore[arg-type]
        self.made.append(HttpClient(connection, vendor, retry=self._retry))
        return self.made[-1]


@pytest.fixture
async def client(waits: Waits) -> AsyncIterator[Clients]:
    clients = Clients(waits)
    yield clients
    for made in clients.made:
        await made.close()


async def refused(asking: asyncio.Future[Reply] | object, kind: type[ObsError], *said: str) -> ObsError:
    """The error, after looking that it is a few lines with a place and a way out."""
    with pytest.raises(kind) as caught:
        await asking  # type: ignore[misc]
    error = caught.value
    assert type(error) is kind
    for words in said:
        assert words in str(error)
    assert error.where.startswith("prom (http")
    assert error.hint
    assert len(str(error).splitlines()) <= 4
    assert error.__context__ is None, "a traceback would show the lower library's own words"
    return error


# --- what is sent and what comes back ---------------------------------------------------------------------------------


async def test_a_question_and_its_answer(client: Clients) -> None:
    async with serving(answer('{"status": "success"}', headers={"X-Two": "a", "x-two": "b"})) as stage:
        prom = client(f"{stage.url}/prefix/", auth=Basic("ann", "s3cret"), tenant="t1", headers={"X-Env": "prod"})
        reply = await prom.request(
            "post", "api/v1/query", params=[("a", "1"), ("a", "ü")], form={"query": "up{}", "match[]": ["x", "y"]}
        )
    assert reply.json() == {"status": "success"}
    assert (reply.status, reply.headers["x-two"], reply.notes) == (200, "a, b", ())
    assert (reply.url, reply.where) == (f"{prom.address}/api/v1/query", f"prom ({prom.address})")
    assert (prom.name, prom.address) == ("prom", f"{stage.url}/prefix")
    asked = stage.asked[0]
    assert (asked.method, asked.target) == ("POST", "/prefix/api/v1/query?a=1&a=%C3%BC")
    assert asked.body == b"query=up%7B%7D&match%5B%5D=x&match%5B%5D=y"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.headers["authorization"] == "Basic YW5uOnMzY3JldA=="
    assert asked.headers["x-scope-orgid"] == "t1"
    assert asked.headers["x-env"] == "prod"
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.headers["user-agent"].startswith("obs-magics/")


async def test_json_bodies_own_headers_and_quoted_paths(client: Clients) -> None:
    async with serving(answer()) as stage:
        prom = client(stage.url)
        await prom.request("POST", "/x", json={"a": ["ü"]}, headers={"Accept": "text/plain"})
        await prom.request("GET", "/label/a%2Fb c?#/values")
    assert (stage.asked[0].body, stage.asked[0].headers["content-type"]) == (b'{"a":["\\u00fc"]}', "application/json")
    assert stage.asked[0].headers["accept"] == "text/plain"
    assert stage.asked[1].target == "/label/a%2Fb%20c%3F%23/values"


async def test_a_request_has_one_body(client: Clients) -> None:
    with pytest.raises(ValueError, match="one body"):
        await client("http://localhost:1").request("POST", "/x", json={}, form={})


async def test_one_connection_serves_many_requests(client: Clients) -> None:
    async with serving(answer()) as stage:
        prom = client(stage.url)
        for _ in range(5):
            await prom.request("GET", "/x")
        assert (len(stage.asked), stage.opened) == (5, 1)
        await prom.close()
        await stage.all_gone()
        await prom.close()
        assert (await prom.request("GET", "/x")).status == 200, "a closed client opens again"


def test_a_client_may_be_used_on_another_loop_later() -> None:
    prom = HttpClient(Connection(name="prom", base_url=f"http://127.0.0.1:{free_port()}"), retry=Retry(tries=1))

    async def ask() -> None:
        with pytest.raises(SourceUnavailable):
            await prom.request("GET", "/")

    asyncio.run(ask())
    asyncio.run(ask())
    asyncio.run(prom.close())


async def test_an_error_status_can_be_an_answer(client: Clients) -> None:
    async with serving(answer("no such trace", status=404)) as stage:
        reply = await client(stage.url).request("GET", "/api/traces/1", accept={404})
        assert (reply.status, reply.text()) == (404, "no such trace")
        assert (await client(stage.url).request("HEAD", "/", accept={404})).body == b""


# --- statuses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (304, BadAnswer, "address"),
        (400, QueryError, "query"),
        (401, AuthError, "%obs connect NAME URL --token"),
        (403, AuthError, "auth: for this source in the YAML"),
        (404, BadAnswer, "path prefix"),
        (405, BadAnswer, "address"),
        (407, AuthError, "HTTPS_PROXY"),
        (408, SourceTimeout, "again"),
        (413, LimitExceeded, "shorter range"),
        (414, LimitExceeded, "shorter range"),
        (418, BadAnswer, "address"),
        (422, QueryError, "query"),
        (431, LimitExceeded, "headers:"),
        (500, SourceUnavailable, "log"),
        (501, BadAnswer, "type:"),
        (507, SourceUnavailable, "later"),
    ],
)
async def test_error_statuses_are_told_once_in_the_server_s_words(
    client: Clients, waits: Waits, status: int, kind: type[ObsError], hint: str
) -> None:
    body = b"" if status == 304 else b"\nfirst\x1b[0m line <b>\nsecond line"
    async with serving(answer(body, status=status, kind="text/plain")) as stage:
        asking = client(stage.url).request("GET", "/api", params={"token": TOKEN})
        error = await refused(asking, kind, f"({status} at /api)", "" if status == 304 else "first line <b>")
    assert hint in error.hint
    assert "second" not in str(error)
    assert TOKEN not in str(error)
    assert (len(stage.asked), waits) == (1, [])


async def test_an_html_error_page_is_named_by_its_title(client: Clients) -> None:
    page = answer("<html><title>502 Bad Gateway</title>", status=502, kind="text/html")
    async with serving(page) as stage:
        await refused(client(stage.url).request("GET", "/"), SourceUnavailable, "HTML page, title: 502 Bad Gateway")
        assert len(stage.asked) == 3
    async with serving(answer("<html>", status=403, kind="text/html")) as stage:
        await refused(client(stage.url).request("GET", "/"), AuthError, ": an HTML page")


async def test_html_where_json_belongs(client: Clients) -> None:
    async with serving(answer("<!doctype html><title>Sign in</title>", kind="text/html")) as stage:
        reply = await client(stage.url).request("GET", "/")
    with pytest.raises(BadAnswer, match=r"prom \(http.*HTML page \(title: Sign in\) instead of JSON: a login page"):
        reply.json()


async def test_what_the_vendor_explains_goes_first_and_is_not_asked_again(client: Clients, waits: Waits) -> None:
    def explain(reply: Reply, where: str) -> ObsError | None:
        return QueryError("too slow", words=reply.text(), where=where) if reply.status == 503 else None

    async with serving(answer("timeout", status=503)) as stage:
        with pytest.raises(QueryError, match="too slow"):
            await client(stage.url, vendor=Vendor(explain=explain)).request("GET", "/")
    assert (len(stage.asked), waits) == (1, [])


async def test_a_server_that_echoes_a_secret_does_not_make_us_show_it(client: Clients) -> None:
    def explain(reply: Reply, where: str) -> ObsError | None:
        return QueryError(reply.text(), where=where)

    for vendor in (Vendor(), Vendor(explain=explain)):
        async with serving(answer(f"bad token {TOKEN} and key k-5551", status=401)) as stage:
            prom = client(stage.url, vendor=vendor, auth=Bearer(TOKEN), headers={"X-Key": "k-5551"})
            with pytest.raises(ObsError, match=r"bad token \*\*\* and key \*\*\*"):
                await prom.request("GET", "/")


async def test_of_a_long_error_only_the_beginning_is_read(client: Clients) -> None:
    body = b"it failed\n" + b"x" * 5_000_000
    async with serving(answer(body, status=500)) as stage:
        await refused(client(stage.url).request("GET", "/"), SourceUnavailable, "it failed")


# --- asking again -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_gateway_s_error_is_asked_again_with_growing_waits(client: Clients, waits: Waits, status: int) -> None:
    async with serving(answer(status=status), answer(status=status), answer('{"ok": 1}')) as stage:
        assert (await client(stage.url).request("GET", "/")).json() == {"ok": 1}
    assert len(stage.asked) == 3
    assert waits == [0.125, 0.25]


async def test_three_tries_are_enough(client: Clients) -> None:
    async with serving(answer("down", status=503)) as stage:
        await refused(client(stage.url).request("GET", "/"), SourceUnavailable, "not available (503 at /): down")
    assert len(stage.asked) == 3


@pytest.mark.parametrize(("repeatable", "times"), [(None, 1), (False, 1), (True, 3)])
async def test_a_post_is_repeated_only_when_declared_so(client: Clients, repeatable: bool | None, times: int) -> None:
    async with serving(answer(status=503)) as stage:
        asking = client(stage.url).request("POST", "/q", form={"a": "b"}, repeatable=repeatable)
        await refused(asking, SourceUnavailable)
    assert [asked.body for asked in stage.asked] == [b"a=b"] * times


@pytest.mark.parametrize(
    ("vendor", "header", "seconds"),
    [
        (Vendor(), ("Retry-After", lambda: "7"), (7, 7)),
        (Vendor(), ("Retry-After", lambda: _http_date(20)), (18, 20)),
        (Vendor(retry_delay=seconds_to_wait("x-reset")), ("X-Reset", lambda: "2"), (2, 2)),
        (Vendor(retry_delay=epoch_seconds("x-reset")), ("X-Reset", lambda: f"{time.time() + 9}"), (8, 9)),
        (Vendor(retry_delay=epoch_milliseconds("x-reset")), ("X-Reset", lambda: f"{time.time() * 1e3 + 9e3}"), (8, 9)),
        (Vendor(), ("X-Other", lambda: "7"), (0.125, 0.125)),
    ],
)
async def test_too_many_requests_waits_as_long_as_the_vendor_says(
    client: Clients,
    waits: Waits,
    *,
    vendor: Vendor,
    header: tuple[str, Callable[[], str]],
    seconds: tuple[float, float],
) -> None:
    refusal = answer(status=429, headers={header[0]: header[1]()})
    async with serving(refusal, answer('{"ok": 1}')) as stage:
        assert (await client(stage.url, vendor=vendor).request("GET", "/")).json() == {"ok": 1}
    assert len(waits) == 1
    assert seconds[0] <= waits[0] <= seconds[1]


def _http_date(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


async def test_a_wait_longer_than_the_time_left_is_an_error_at_once(client: Clients, waits: Waits) -> None:
    async with serving(answer("slow down", status=429, headers={"Retry-After": "3600"})) as stage:
        error = await refused(client(stage.url).request("GET", "/"), RateLimited, "asked too often (429): slow down")
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3600
    assert "ask again in 3600 s" in error.hint
    assert "rate_limit:" in error.hint
    assert (len(stage.asked), waits) == (1, [])


async def test_waits_use_up_the_time_there_is(client: Clients, waits: Waits) -> None:
    async with serving(answer(status=429, headers={"Retry-After": "6"})) as stage:
        error = await refused(client(stage.url, deadline_seconds=10.0).request("GET", "/"), RateLimited)
    assert (len(stage.asked), waits) == (2, [6.0])
    assert isinstance(error, RateLimited)
    assert error.retry_after == 6


async def test_a_refusal_without_a_time_says_so(client: Clients) -> None:
    async with serving(answer(status=429)) as stage:
        error = await refused(client(stage.url).request("POST", "/"), RateLimited)
    assert isinstance(error, RateLimited)
    assert error.retry_after is None
    assert error.hint.startswith("ask again in a while")


async def test_a_vendor_may_throttle_with_another_status(client: Clients, waits: Waits) -> None:
    def throttled(reply: Reply) -> bool:
        return "Throttling" in reply.text()

    steps = answer('{"__type": "ThrottlingException"}', status=400), answer('{"ok": 1}')
    async with serving(*steps) as stage:
        assert (await client(stage.url, vendor=Vendor(throttled=throttled)).request("GET", "/")).status == 200
    assert len(waits) == 1


async def test_the_jitter_spreads_those_who_were_refused_together() -> None:
    waits = Waits()
    retry = Retry(sleep=waits.sleep, random=lambda: 0.5)
    async with serving(answer(status=429, headers={"Retry-After": "1"}), answer(status=503), answer()) as stage:
        prom = HttpClient(Connection(name="prom", base_url=stage.url), retry=retry)
        await prom.request("GET", "/")
        await prom.close()
    assert waits == [1.125, 0.375]


# --- connections that break -------------------------------------------------------------------------------------------


async def test_nobody_listens(client: Clients, waits: Waits) -> None:
    prom = client(f"http://127.0.0.1:{free_port()}")
    error = await refused(prom.request("GET", "/"), SourceUnavailable, "refused the connection: nobody listens there")
    assert "is the server running" in error.hint
    assert len(waits) == 2


async def test_no_such_host(client: Clients, waits: Waits) -> None:
    error = await refused(
        client("http://prometheus.invalid").request("GET", "/"), SourceUnavailable, "there is no host"
    )
    assert "typing error" in error.hint
    assert waits == []


async def test_a_name_that_can_be_no_host(client: Clients) -> None:
    with pytest.raises(ObsError, match=r"the address is not one that can be asked\n→ look at the host"):
        await client("http://☃.example").request("GET", "/")


async def test_a_server_that_never_answers(client: Clients, waits: Waits) -> None:
    async with serving(hang) as stage:
        prom = client(stage.url, timeout_seconds=0.1)
        error = await refused(prom.request("GET", "/"), SourceTimeout, "no answer for 0.1 s")
        assert "timeout:" in error.hint
        await stage.all_gone()
        await refused(client(stage.url).request("GET", "/", timeout=0.05), SourceTimeout, "no answer for 0.05 s")
    assert (len(stage.asked), waits) == (2, []), "it is not asked again: it is busy with the first one"


async def test_a_server_that_trickles_is_cut_off_by_the_total_time(client: Clients) -> None:
    async def trickle(_asked: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(trickle) as stage:
        prom = client(stage.url, timeout_seconds=0.1)
        await refused(prom.request("GET", "/"), SourceTimeout, "not done within 0.2 s, retries included")
        await stage.all_gone()


CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (answer(b'{"a": [', announced=1000), "broke off after 7 of 1,000 bytes"),
        (raw(CHUNKED), "broke off after 5 bytes"),
        (reset_after(CHUNKED), "broke off after 5 bytes"),
        (
            answer(gzip.compress(b"{}" * 999)[:20], headers={"Content-Encoding": "gzip"}),
            "broke off after 20 of 20 bytes",
        ),
    ],
)
async def test_a_body_cut_in_half_is_asked_for_again_then_told(client: Clients, step: Step, said: str) -> None:
    async with serving(step) as stage:
        await refused(client(stage.url).request("GET", "/"), BadAnswer, said)
        assert len(stage.asked) == 3
    async with serving(step, answer('{"ok": 1}')) as stage:
        assert (await client(stage.url).request("GET", "/")).json() == {"ok": 1}


async def test_a_content_length_too_short_leaves_half_a_json(client: Clients) -> None:
    async with serving(answer('{"data": [1, 2, 3]}', announced=12)) as stage:
        reply = await client(stage.url).request("GET", "/")
    with pytest.raises(BadAnswer, match="broke off after 12 bytes"):
        reply.json()


@pytest.mark.parametrize("step", [drop, raw(b"SSH-2.0-OpenSSH_9.2\r\n"), raw(b"HTTP/1.1 200 OK\r\nbroken")])
async def test_what_does_not_speak_http(client: Clients, step: Step) -> None:
    async with serving(step) as stage:
        error = await refused(client(stage.url).request("GET", "/"), SourceUnavailable, "hung up without an answer")
    assert "right port" in error.hint


async def test_a_connection_the_server_closed_in_the_meantime_is_no_error(client: Clients) -> None:
    async def last(asked: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async with serving(last) as stage:
        prom = client(stage.url)
        for _ in range(3):
            assert (await prom.request("GET", "/")).body == b"{}"


# --- size and compression ---------------------------------------------------------------------------------------------


async def test_an_answer_announced_too_long_is_not_read(client: Clients) -> None:
    async with serving(answer(b"x" * 2_000_000)) as stage:
        prom = client(stage.url, max_answer_bytes=1000)
        error = await refused(prom.request("GET", "/"), LimitExceeded, "2,000,000 bytes; at most 1,000 are taken")
        assert "shorter range" in error.hint
        await stage.all_gone()


async def test_a_head_of_a_long_answer_is_not_a_long_answer(client: Clients) -> None:
    async with serving(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", close=False)) as stage:
        reply = await client(stage.url, max_answer_bytes=1000).request("HEAD", "/")
    assert (reply.body, reply.headers["content-length"]) == (b"", "5000")


async def test_an_answer_of_unknown_length_is_read_up_to_the_limit(client: Clients) -> None:
    sent = 0

    async def endless(_asked: object, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            sent += 65_536
            await writer.drain()

    async with serving(endless) as stage:
        prom = client(stage.url, max_answer_bytes=100_000)
        await refused(prom.request("GET", "/"), LimitExceeded, "more than 100,000 bytes")
        await stage.all_gone()
    assert sent < 20_000_000


async def test_a_body_of_exactly_the_limit_passes(client: Clients) -> None:
    async with serving(answer(b"x" * 1000)) as stage:
        assert len((await client(stage.url, max_answer_bytes=1000).request("GET", "/")).body) == 1000


async def test_a_decompression_bomb_is_noticed_before_it_is_unpacked(client: Clients) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    assert len(bomb) < 300_000
    async with serving(answer(bomb, headers={"Content-Encoding": "gzip"})) as stage:
        prom = client(stage.url, max_answer_bytes=5_000_000)
        tracemalloc.start()
        await refused(prom.request("GET", "/"), LimitExceeded, "more than 5,000,000 bytes")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (gzip.compress(b"0123456789" * 500_000), "gzip"),
        (gzip.compress(b"0123456789" * 250_000) + gzip.compress(b"0123456789" * 250_000), "x-gzip"),
        (zlib.compress(b"0123456789" * 500_000), "deflate"),
        (b"0123456789" * 500_000, "identity"),
    ],
)
async def test_compressed_answers(client: Clients, packed: bytes, encoding: str) -> None:
    async with serving(answer(packed, headers={"Content-Encoding": encoding})) as stage:
        reply = await client(stage.url, compress=True).request("GET", "/")
    assert reply.body == b"0123456789" * 500_000
    assert stage.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
async def test_compressed_answers_around_the_size_of_a_step(client: Clients, size: int) -> None:
    async with serving(answer(gzip.compress(bytes(size)), headers={"Content-Encoding": "gzip"})) as stage:
        assert (await client(stage.url).request("GET", "/")).body == bytes(size)


@pytest.mark.parametrize(("body", "encoding"), [(b"x", "br"), (b"not gzip at all", "gzip")])
async def test_an_answer_that_cannot_be_decompressed(client: Clients, body: bytes, encoding: str) -> None:
    async with serving(answer(body, headers={"Content-Encoding": encoding})) as stage:
        await refused(client(stage.url).request("GET", "/"), BadAnswer, "cannot be decompressed")
        assert len(stage.asked) == 1


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_held_once(client: Clients, chunked: bool) -> None:
    size = 48_000_000
    piece = b"x" * 60_000

    async def large(_asked: object, writer: asyncio.StreamWriter) -> None:
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
        writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n")
        for _ in range(size // len(piece)):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
        if chunked:
            writer.write(b"0\r\n\r\n")

    async with serving(large) as stage:
        prom = client(stage.url)
        tracemalloc.start()
        reply = await prom.request("GET", "/")
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(reply.body) == size
    assert held < 1.05 * size
    assert peak < 1.25 * size, f"{peak / size:.2f} times the body"


async def test_a_question_too_long_for_an_address_is_not_sent(client: Clients) -> None:
    prom = client("http://localhost:1")
    await refused(
        prom.request("GET", "/", params={"query": "x" * 70_000}), LimitExceeded, "does not fit into an address"
    )


# --- redirects --------------------------------------------------------------------------------------------------------


def redirect(target: str, status: int = 302) -> Step:
    return answer(b"", status=status, headers={"Location": target})


@pytest.mark.parametrize(
    ("status", "methods"),
    [(301, ["POST", "POST"]), (302, ["POST", "POST"]), (303, ["POST", "GET"]), (308, ["POST", "POST"])],
)
async def test_a_redirect_on_the_same_server_is_followed(client: Clients, status: int, methods: list[str]) -> None:
    async with serving(redirect("/prometheus/api?x=1", status), answer()) as stage:
        prom = client(stage.url, auth=Bearer(TOKEN))
        reply = await prom.request("POST", "/api", form={"query": "up"}, repeatable=True)
    assert reply.url == f"{stage.url}/prometheus/api"
    assert [asked.method for asked in stage.asked] == methods
    assert [asked.body for asked in stage.asked] == [b"query=up", b"" if status == 303 else b"query=up"]
    assert stage.asked[1].target == "/prometheus/api?x=1"
    assert stage.asked[1].headers["authorization"] == f"Bearer {TOKEN}"


async def test_credentials_never_go_to_another_server(client: Clients) -> None:
    async with serving(answer()) as elsewhere, serving(redirect(f"{elsewhere.url}/api?t={TOKEN}")) as stage:
        prom = client(stage.url, auth=Bearer(TOKEN))
        error = await refused(prom.request("GET", "/"), BadAnswer, f"redirects to another one ({elsewhere.url}/api)")
    assert elsewhere.asked == []
    assert TOKEN not in str(error)
    assert "url:" in error.hint


@pytest.mark.parametrize(
    "target",
    ["/login?next=/api", "https://login.example.com/x", "https://sso.example.com/", "/oauth2/start", "/auth/realms/x"],
)
async def test_a_redirect_to_a_login_page(client: Clients, target: str) -> None:
    async with serving(redirect(target)) as stage:
        error = await refused(client(stage.url).request("GET", "/"), AuthError, "redirects to a login page (http")
    assert "--token" in error.hint
    assert "next=" not in str(error)
    assert len(stage.asked) == 1


async def test_a_prefix_that_sounds_like_a_login_is_none(client: Clients) -> None:
    async with serving(redirect("/auth-proxy/api/"), answer()) as stage:
        assert (await client(f"{stage.url}/auth-proxy").request("GET", "/api")).status == 200


async def test_redirects_in_a_circle(client: Clients) -> None:
    async with serving(redirect("/round")) as stage:
        await refused(client(stage.url).request("GET", "/"), BadAnswer, "in a circle")
    assert len(stage.asked) == 6


@pytest.mark.parametrize("target", ["http://[::1", "http://host:port/"])
async def test_a_redirect_to_nonsense(client: Clients, target: str) -> None:
    async with serving(redirect(target)) as stage:
        await refused(client(stage.url).request("GET", "/"), SourceUnavailable, "its answer is not HTTP")


# --- many at once, and nothing left behind ----------------------------------------------------------------------------


async def test_five_at_once_and_not_more(client: Clients) -> None:
    async with serving(answer(delay=0.02)) as stage:
        prom = client(stage.url)
        await asyncio.gather(*(prom.request("GET", f"/{number}") for number in range(20)))
    assert len(stage.asked) == 20
    assert stage.most_at_once == 5


async def test_waiting_for_another_try_holds_nobody_up(client: Clients) -> None:
    gate = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await gate.wait()

    async with serving(answer(status=503), answer()) as stage:
        prom = HttpClient(Connection(name="prom", base_url=stage.url, max_concurrent=1), retry=Retry(sleep=sleep))
        first = asyncio.create_task(prom.request("GET", "/first"))
        while not stage.asked:
            await asyncio.sleep(0.005)
        await asyncio.wait_for(prom.request("GET", "/second"), 60)
        assert not first.done()
        gate.set()
        assert (await first).status == 200
        await prom.close()


async def test_time_in_the_queue_does_not_count(client: Clients) -> None:
    async with serving(answer(delay=0.1)) as stage:
        prom = client(stage.url, max_concurrent=1, timeout_seconds=0.5, deadline_seconds=0.5)
        replies = await asyncio.gather(*(prom.request("GET", "/") for _ in range(6)))
    assert [reply.status for reply in replies] == [200] * 6


async def test_a_rate_limit_spreads_requests(client: Clients) -> None:
    async with serving(answer()) as stage:
        prom = client(stage.url, rate_limit=20.0)
        start = time.monotonic()
        await asyncio.gather(*(prom.request("GET", "/") for _ in range(24)))
        took = time.monotonic() - start
        slow = client(stage.url, rate_limit=0.5)
        await slow.request("GET", "/")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow.request("GET", "/"), 0.1)
    assert took >= 0.15, "20 at once, then one each 50 ms"
    assert len(stage.asked) == 25


@pytest.mark.parametrize("step", [hang, raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", close=False)])
async def test_cancelling_leaves_nothing_behind(client: Clients, step: Step) -> None:
    """Neither the connection nor the only slot is kept."""
    async with serving(step, step, answer('{"ok": 1}')) as stage:
        prom = client(stage.url, max_concurrent=1)
        running = asyncio.create_task(prom.request("GET", "/"))
        queued = asyncio.create_task(prom.request("GET", "/queued"))
        while not stage.asked:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        queued.cancel()
        running.cancel()
        assert [type(e) for e in await asyncio.gather(running, queued, return_exceptions=True)] == [
            asyncio.CancelledError
        ] * 2
        await stage.all_gone()
        second = asyncio.create_task(prom.request("GET", "/"))
        while len(stage.asked) < 2:
            await asyncio.sleep(0.005)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert (await asyncio.wait_for(prom.request("GET", "/"), 60)).json() == {"ok": 1}
        assert len(stage.asked) == 3, "what stood in the queue was never sent"


async def test_cancelling_while_waiting_for_another_try() -> None:
    async with serving(answer(status=503), answer()) as stage:
        prom = HttpClient(Connection(name="prom", base_url=stage.url, max_concurrent=1), retry=Retry(first_delay=20))
        waiting = asyncio.create_task(prom.request("GET", "/"))
        while not stage.asked:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert (await prom.request("GET", "/")).status == 200
        await prom.close()


async def test_closing_ends_those_in_the_queue_with_a_clear_error(client: Clients) -> None:
    async with serving(hang) as stage:
        prom = client(stage.url, max_concurrent=1)
        asking = [asyncio.create_task(prom.request("GET", "/")) for _ in range(2)]
        while not stage.asked:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        await prom.close()
        asking[0].cancel()
        first, second = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(first, SourceError | asyncio.CancelledError)
    assert isinstance(second, SourceUnavailable)
    assert "closed" in second.message


# --- the log ----------------------------------------------------------------------------------------------------------


async def test_the_log_holds_no_secret(client: Clients, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(answer(status=503), answer()) as stage:
        prom = client(stage.url.replace("//", "//ann:s3cret-pw@"), headers={"X-Key": TOKEN}, tenant="team-a")
        await prom.request("POST", "/api", form={"query": TOKEN}, repeatable=True)
    assert "GET" not in caplog.text
    assert "POST" in caplog.text
    assert "next one in" in caplog.text
    for secret in ("s3cret-pw", TOKEN, "YW5uOnMzY3JldC1wdw=="):
        assert secret not in caplog.text


async def test_cancelling_at_any_moment_keeps_the_places_of_the_pool() -> None:
    """Whichever step of connecting or sending is cut, nothing stays open, and the next question gets through."""
    for steps in range(60):
        async with serving(hang) as stage:
            prom = HttpClient(Connection(name="prom", base_url=stage.url, max_concurrent=1))
            running = asyncio.create_task(prom.request("GET", "/"))
            for _ in range(steps):
                await asyncio.sleep(0)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await stage.all_gone(30)
            asked = len(stage.asked)
            again = asyncio.create_task(prom.request("GET", "/"))
            async with asyncio.timeout(30):
                while len(stage.asked) == asked:
                    await asyncio.sleep(0.001)
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)
