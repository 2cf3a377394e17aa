"""Every exception of httpx has its row in the table; TLS and proxies fail with a way out."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.servers import free_port
from support.sockets import answer, make_certificate, serving

from obs_magics.model.errors import AuthError, ConfigError, ObsError, SourceTimeout, SourceUnavailable
from obs_magics.net import faults
from obs_magics.net.client import HttpClient
from obs_magics.net.connection import Basic, Connection
from obs_magics.net.receive import BrokenBody, StrangeEncoding
from obs_magics.net.retry import Retry

CONNECTION = Connection(name="prom", base_url="https://prom.example.com:9090/x")
SECRET = "tok-3f9a8c"


def subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for below in kind.__subclasses__():
        yield from subclasses(below)


EXPORTED = [getattr(httpx, name) for name in httpx.__all__]
ROOTS = [kind for kind in EXPORTED if isinstance(kind, type) and issubclass(kind, Exception)]
OF_HTTPX = sorted({kind for root in ROOTS for kind in subclasses(root)}, key=lambda kind: kind.__name__)


def test_httpx_has_the_exceptions_this_file_is_about() -> None:
    assert len(OF_HTTPX) >= 28
    assert httpx.ConnectError in OF_HTTPX


@pytest.mark.parametrize("kind", OF_HTTPX, ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_is_mapped(kind: type[Exception]) -> None:
    assert kind in faults.FAULTS, f"httpx.{kind.__name__} has no row in net/faults.py"
    assert issubclass(kind, faults.CAUGHT)
    error = kind.__new__(kind, SECRET)
    for proxied in (False, True):
        failure = faults.explain(error, CONNECTION, timeout=3, total=6, proxied=proxied)
        assert isinstance(failure.error, ObsError)
        assert failure.error.where == "prom (https://prom.example.com:9090/x)"
        assert failure.error.hint
        assert SECRET not in str(failure.error)
        assert "{" not in str(failure.error)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (BrokenBody(5, None), ObsError, "the answer broke off after 5 bytes"),
        (BrokenBody(5, 1234), ObsError, "the answer broke off after 5 of 1,234 bytes"),
        (StrangeEncoding("br"), ObsError, "cannot be decompressed"),
        (TimeoutError(), SourceTimeout, "not done within 6 s, retries included"),
        (httpx.ConnectTimeout("x"), SourceTimeout, "no connection to prom.example.com:9090 within 3 s"),
        (httpx.InvalidURL("x"), ConfigError, "not one that can be asked"),
        (UnicodeError("x"), ConfigError, "prom.example.com is not a name of a host"),
        (ConnectionResetError(), SourceUnavailable, "the connection to prom.example.com:9090 broke"),
    ],
)
def test_what_else_is_caught(error: Exception, kind: type[ObsError], said: str) -> None:
    assert isinstance(error, faults.CAUGHT)
    found = faults.explain(error, CONNECTION, timeout=3, total=6, proxied=False).error
    assert isinstance(found, kind)
    assert said in found.message


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (9, "not valid yet"),
        (10, "has expired"),
        (62, "for another host"),
        (64, "for another host"),
        (18, "not trusted"),
    ],
)
def test_what_is_wrong_with_a_certificate(code: int, said: str) -> None:
    cause = ssl.SSLCertVerificationError("x")
    cause.verify_code = code
    error = httpx.ConnectError("x")
    error.__cause__ = OSError("all attempts failed")
    error.__cause__.__cause__ = ExceptionGroup("attempts", [OSError("first"), cause])
    assert said in faults.explain(error, CONNECTION, timeout=3, total=6, proxied=True).error.message


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate, and a server's TLS context that shows it."""
    path, key = make_certificate(tmp_path_factory.mktemp("tls"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return path, context


async def ask(url: str, *, verify: bool | str = True, auth: Basic | None = None) -> HttpClient:
    connection = Connection(name="prom", base_url=url, verify=verify, auth=auth, timeout_seconds=5)
    client = HttpClient(connection, retry=Retry(tries=1))
    try:
        first = await client.request("GET", "/")
        second = await client.request("GET", "/")
        assert first.notes == second.notes == client._notes
    finally:
        await client.close()
    return client


async def test_a_certificate_nobody_knows(certificate: tuple[Path, ssl.SSLContext]) -> None:
    async with serving(answer(), tls=certificate[1]) as stage:
        with pytest.raises(SourceUnavailable, match=r"certificate of 127.0.0.1:\d+ is not trusted\n→ .*verify: /path"):
            await ask(stage.url)
    assert stage.asked == []


async def test_a_private_ca(certificate: tuple[Path, ssl.SSLContext], caplog: pytest.LogCaptureFixture) -> None:
    async with serving(answer(), tls=certificate[1]) as stage:
        assert (await ask(stage.url, verify=str(certificate[0])))._notes == ()
    assert len(stage.asked) == 2
    assert "verify" not in caplog.text


async def test_a_certificate_for_another_host(certificate: tuple[Path, ssl.SSLContext]) -> None:
    async with serving(answer(), tls=certificate[1]) as stage:
        url = stage.url.replace("127.0.0.1", "127.0.0.2")
        with pytest.raises(SourceUnavailable, match=r"refused|for another host"):
            await ask(url, verify=str(certificate[0]))


async def test_checking_nothing_is_noted_on_each_answer_and_logged_once(
    certificate: tuple[Path, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with serving(answer(), tls=certificate[1]) as stage:
        for _ in range(2):
            client = await ask(stage.url, verify=False)
            assert "is not checked (verify: false)" in client._notes[0]
    assert len(caplog.records) == 1


async def test_https_where_http_is_spoken() -> None:
    async def complain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # as Go's servers do at once
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(complain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SourceUnavailable, match=r"no TLS with 127.0.0.1:\d+\n→ does it want http://"):
            await ask(f"https://127.0.0.1:{port}")


async def test_http_where_tls_is_spoken(certificate: tuple[Path, ssl.SSLContext]) -> None:
    async with serving(answer(), tls=certificate[1]) as stage:
        with pytest.raises(SourceUnavailable):
            await ask(stage.url.replace("https:", "http:"))


# --- passwords and proxies --------------------------------------------------------------------------------------------


async def test_a_wrong_password() -> None:
    async with serving(answer("Unauthorized", status=401, kind="text/plain")) as stage:
        with pytest.raises(
            AuthError, match=r"does not accept these credentials \(401 at /\): Unauthorized\n→ are they typed right"
        ) as caught:
            await ask(stage.url, auth=Basic("ann", "wrong-pw"))
    assert "wrong-pw" not in str(caught.value)
    assert stage.asked[0].headers["authorization"].startswith("Basic ")


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in ("no_proxy", "all_proxy", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


async def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(through: pytest.MonkeyPatch) -> None:
    async with serving(answer()) as proxy, serving(answer()) as stage:
        through.setenv("http_proxy", proxy.url)
        await ask("http://prometheus.example.com/x")
        assert proxy.asked[0].target == "http://prometheus.example.com/x/"
        await ask(stage.url)
    assert (len(proxy.asked), len(stage.asked)) == (2, 2)


async def test_a_proxy_that_is_not_there(through: pytest.MonkeyPatch) -> None:
    through.setenv("http_proxy", f"http://ann:hidden-pw@127.0.0.1:{free_port()}")
    with pytest.raises(SourceUnavailable, match=r"the proxy of the environment.*\n→ look at HTTP_PROXY") as caught:
        await ask("http://prometheus.example.com")
    assert "hidden-pw" not in str(caught.value)


async def test_a_proxy_that_refuses(through: pytest.MonkeyPatch) -> None:
    async with serving(answer("no", status=403)) as proxy:
        through.setenv("https_proxy", proxy.url)
        with pytest.raises(SourceUnavailable, match=r"refused the connection to prometheus\.example"):
            await ask("https://prometheus.example.com")
    assert proxy.asked[0].method == "CONNECT"
