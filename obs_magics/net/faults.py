"""What can go wrong on the wire, as a table from httpx's exceptions to the errors a user meets.

No message repeats an exception's own text: some hold the header that was sent, or a URL with a token in it.
A test fails when httpx has an exception that is missing here.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from obs_magics.model.errors import (
    BadAnswer,
    ConfigError,
    ObsError,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from obs_magics.net.connection import Connection
from obs_magics.net.receive import BrokenBody, StrangeEncoding
from obs_magics.net.retry import Failure


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: which error it is, what it says, the way out, and whether asking again may help.

    `message` may name ``{host}`` (with its port), ``{name}`` (without), ``{timeout}``, ``{connect}`` and ``{total}``
    (seconds).
    """

    kind: type[ObsError]
    message: str
    hint: str
    again: bool = False


_SERVER_THERE = "is the server running, and is the address right (host, port, http or https)?"
_LONGER = "ask for a shorter range or fewer series, or raise timeout: in the YAML"
_OURS = "please report it: this is a mistake in obs_magics"
_PROXY = "look at HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the environment"
_NO_WORD = "the server does not speak HTTP there: is it the right port, and http or https?"

_UNREACHABLE = Fault(SourceUnavailable, "no connection to {host}", _SERVER_THERE, again=True)
_INTERRUPTED = Fault(
    SourceUnavailable,
    "the connection to {host} broke",
    "ask again; is there a proxy in between, or is it https:// there?",
    again=True,
)
_SILENT = Fault(SourceTimeout, "no answer for {timeout:g} s", _LONGER)
_SLOW_CONNECT = Fault(SourceTimeout, "no connection to {host} within {connect:g} s", _SERVER_THERE)
_OUR_MISTAKE = Fault(SourceError, "the answer could not be read", _OURS)
_UNREADABLE = Fault(
    BadAnswer, "the answer cannot be decompressed", "is there a proxy in between that rewrites answers?"
)

FAULTS: Mapping[type[BaseException], Fault] = {
    httpx.ConnectError: _UNREACHABLE,
    httpx.ConnectTimeout: _SLOW_CONNECT,
    httpx.ReadTimeout: _SILENT,
    httpx.WriteTimeout: Fault(SourceTimeout, "the server took nothing in for {timeout:g} s", _LONGER),
    httpx.PoolTimeout: Fault(SourceTimeout, "no connection became free for {timeout:g} s", _LONGER),
    httpx.TimeoutException: _SILENT,
    httpx.ReadError: _INTERRUPTED,
    httpx.WriteError: _INTERRUPTED,
    httpx.CloseError: _INTERRUPTED,
    httpx.NetworkError: _INTERRUPTED,
    httpx.RemoteProtocolError: Fault(
        SourceUnavailable, "{host} hung up without an answer, or its answer is not HTTP", _NO_WORD, again=True
    ),
    httpx.LocalProtocolError: Fault(
        ConfigError, "the request cannot be sent as HTTP", "look at auth: and headers: in the YAML for line breaks"
    ),
    httpx.ProtocolError: Fault(BadAnswer, "{host} does not keep to HTTP", _NO_WORD),
    httpx.ProxyError: Fault(
        SourceUnavailable, "the proxy of the environment cannot be reached, or refused the connection to {host}", _PROXY
    ),
    httpx.UnsupportedProtocol: Fault(
        ConfigError, "the address does not begin with http:// or https://", "look at url: in the YAML"
    ),
    httpx.TransportError: _INTERRUPTED,
    httpx.DecodingError: _UNREADABLE,
    httpx.TooManyRedirects: Fault(
        BadAnswer, "the server redirects in a circle", "look at the address and its path prefix"
    ),
    httpx.RequestError: _INTERRUPTED,
    httpx.HTTPStatusError: Fault(BadAnswer, "the server answered with an error", _SERVER_THERE),
    httpx.HTTPError: _INTERRUPTED,
    # Too long ones never get here: `question` refuses them before.
    httpx.InvalidURL: Fault(ConfigError, "the address is not one that can be asked", "look at the host in url:"),
    httpx.CookieConflict: Fault(BadAnswer, "the server set two cookies of one name", "is there a proxy in between?"),
    httpx.StreamError: _OUR_MISTAKE,
    httpx.StreamConsumed: _OUR_MISTAKE,
    httpx.StreamClosed: _OUR_MISTAKE,
    httpx.ResponseNotRead: _OUR_MISTAKE,
    httpx.RequestNotRead: _OUR_MISTAKE,
    TimeoutError: Fault(SourceTimeout, "not done within {total:g} s, retries included", _LONGER),
    OSError: _INTERRUPTED,
    UnicodeError: Fault(ConfigError, "{name} is not a name of a host", "look at url: in the YAML"),
    StrangeEncoding: _UNREADABLE,
}
"""Every exception class of httpx, and what else passes through it."""

# What OpenSSL found wrong with a certificate, by the codes of x509_vfy.h.
_UNTRUSTED = Fault(
    SourceUnavailable,
    "the certificate of {host} is not trusted",
    "if it is your own, give the file of its CA as verify: /path/ca.pem (verify: false would trust anyone)",
)
_WRONG_HOST = Fault(
    SourceUnavailable,
    "the certificate that {host} shows is for another host",
    "use the name the certificate is made for in url:",
)
CERTIFICATES: Mapping[int, Fault] = {
    9: Fault(SourceUnavailable, "the certificate of {host} is not valid yet", "is the clock of this machine right?"),
    10: Fault(SourceUnavailable, "the certificate of {host} has expired", "it has to be renewed on the server"),
    62: _WRONG_HOST,
    64: _WRONG_HOST,
}

# Finer than httpx: it raises one ConnectError for all of these, and what it was stands in the exception's causes.
CAUSES: Mapping[type[BaseException], Fault] = {
    ssl.SSLError: Fault(
        SourceUnavailable, "no TLS with {host}", "does it want http:// instead of https://, or a newer TLS?"
    ),
    socket.gaierror: Fault(
        SourceUnavailable, "there is no host {name}", "look for a typing error in url:, or is a VPN needed?"
    ),
    ConnectionRefusedError: Fault(
        SourceUnavailable, "{host} refused the connection: nobody listens there", _SERVER_THERE, again=True
    ),
}

CAUGHT: tuple[type[Exception], ...] = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    httpx.StreamError,
    OSError,
    UnicodeError,
    BrokenBody,
    StrangeEncoding,
)
"""What an attempt catches and hands to `explain`."""


def explain(error: Exception, connection: Connection, *, timeout: float, total: float, proxied: bool) -> Failure:
    """The failed attempt that an exception of the wire stands for.

    Args:
        error: One of `CAUGHT`.
        connection: Whose attempt it was.
        timeout: Longest silence, seconds.
        total: Longest time for the whole question, seconds.
        proxied: Was it asked through a proxy?
    """
    if isinstance(error, BrokenBody):
        return _broken(error, connection)
    fault = _fault(error, proxied=proxied)
    message = fault.message.format(
        host=connection.authority,
        name=connection.host,
        timeout=timeout,
        connect=min(timeout, connection.connect_seconds),
        total=total,
    )
    return Failure(fault.kind(message, where=connection.where, hint=fault.hint), again=fault.again)


def _fault(error: BaseException, *, proxied: bool) -> Fault:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return CERTIFICATES.get(cause.verify_code, _UNTRUSTED)
            # Behind a proxy, a refused connection or an unknown name is the proxy's own.
            found = _row(CAUSES, cause) if not proxied or isinstance(cause, ssl.SSLError) else None
            if found is not None:
                return found
        if proxied:
            return FAULTS[httpx.ProxyError]
    return _row(FAULTS, error) or _INTERRUPTED


def _row(table: Mapping[type[BaseException], Fault], error: BaseException) -> Fault | None:
    """The row of the error's own class, else that of the nearest class it derives from."""
    return next((table[kind] for kind in type(error).__mro__ if kind in table), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception's causes, their causes, and the members of groups among them (one for each address tried)."""
    waiting: list[BaseException | None] = [error.__cause__ or error.__context__]
    while waiting:
        cause = waiting.pop()
        if cause is None:
            continue
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            waiting.extend(cause.exceptions)
        waiting.append(cause.__cause__ or cause.__context__)


def _broken(error: BrokenBody, connection: Connection) -> Failure:
    of = f" of {error.expected:,}" if error.expected is not None else ""
    return Failure(
        BadAnswer(
            f"the answer broke off after {error.received:,}{of} bytes",
            where=connection.where,
            hint="ask again; when it stays so, ask for a shorter range: a proxy in between may cut long answers",
        ),
        again=True,
    )
