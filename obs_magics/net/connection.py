"""Where a source is and how it is spoken to: address, credentials, TLS, limits, in one frozen dataclass.

Example:
    >>> connection = Connection(name="prom", base_url="https://ann:s3cret@prometheus.example.com/prefix/")
    >>> connection.where
    'prom (https://prometheus.example.com/prefix)'
    >>> connection.auth
    Basic(user='ann', password=Secret('**********'))
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import SplitResult, unquote, urlsplit

from obs_magics.model.errors import ConfigError
from obs_magics.net.auth import Auth, Basic, Bearer, HeaderAuth, Secret, SecretLike, header_text

__all__ = ["Auth", "Basic", "Bearer", "Connection", "HeaderAuth", "Secret", "SecretLike"]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_GIB = 1 << 30
# Shorter ones would hide ordinary words of a message; nobody is helped by a message full of asterisks.
_SHORTEST_SECRET = 4


@dataclass(frozen=True, kw_only=True)
class Connection:
    """All that is needed to ask a source over HTTP.

    Args:
        name: As the user calls the source.
        base_url: ``http(s)://host[:port][/prefix]``. A ``user:password@`` in it becomes `auth` and is taken off.
        auth: Credentials; None for a source that wants none.
        headers: More headers, sent with every request; their values count as secret.
        tenant: Value of the tenant header (``team-a``, or ``a|b`` for several); empty for none.
        tenant_header: Its name.
        verify: Check the server's certificate against the public CAs (True), a file or folder of private CAs (a
            path), or not at all (False).
        timeout_seconds: Longest silence while waiting for the server.
        connect_seconds: Longest time to get a connection.
        deadline_seconds: Longest time for one question, its retries and the waits between them included, the queue
            in front of it not; None is twice `timeout_seconds`.
        rate_limit: Requests a second; None for no limit.
        max_concurrent: Requests under way at one time.
        max_answer_bytes: Longest answer, counted after decompression.
        proxy: Use the proxies of the environment (True) or not (False); None uses them, except for this machine.
        compress: Ask for gzip (True) or not (False); None asks for it where the network is slower than gzip: not
            from hosts that look local or private, since compressing costs a Prometheus 3 to 14 times the CPU.

    Raises:
        ConfigError: The address, a header or a limit makes no sense.
    """

    name: str
    base_url: str
    auth: Auth | None = None
    headers: Mapping[str, SecretLike] = field(default_factory=dict)
    tenant: str = ""
    tenant_header: str = "X-Scope-OrgID"
    verify: bool | str = True
    timeout_seconds: float = 30.0
    connect_seconds: float = 5.0
    deadline_seconds: float | None = None
    rate_limit: float | None = None
    max_concurrent: int = 5
    max_answer_bytes: int = 2 * _GIB
    proxy: bool | None = None
    compress: bool | None = None

    def __post_init__(self) -> None:
        parts = _split(self.name, self.base_url)
        if parts.username is not None and self.auth is None:
            credentials = Basic(unquote(parts.username), unquote(parts.password or ""))
            object.__setattr__(self, "auth", credentials)
        object.__setattr__(self, "base_url", _without_credentials(parts))
        object.__setattr__(self, "headers", MappingProxyType(_checked_headers(self.headers)))
        object.__setattr__(self, "tenant", header_text(self.tenant, what="the tenant").get_secret_value())
        _check_header_name(self.tenant_header)
        for limit in ("timeout_seconds", "connect_seconds", "max_concurrent", "max_answer_bytes"):
            _check_positive(self, limit, getattr(self, limit))
        for limit in ("deadline_seconds", "rate_limit"):
            _check_positive(self, limit, getattr(self, limit), optional=True)

    @property
    def address(self) -> str:
        """The URL as shown to people: no credentials, no query."""
        return self.base_url

    @property
    def where(self) -> str:
        """``name (address)``, as errors say it."""
        return f"{self.name} ({self.base_url})"

    @property
    def host(self) -> str:
        """The host's name or number, lower-case, without a port."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def authority(self) -> str:
        """Host and port, as the URL has them."""
        return urlsplit(self.base_url).netloc

    @property
    def total_seconds(self) -> float:
        """Longest time for one question with its retries."""
        return self.deadline_seconds or 2 * self.timeout_seconds

    def sent_headers(self) -> dict[str, str]:
        """Credentials, tenant and extra headers by lower-case name, in plain text: for the wire only."""
        found = {name.lower(): Secret.of(value).get_secret_value() for name, value in self.headers.items()}
        if self.tenant:
            found[self.tenant_header.lower()] = self.tenant
        if self.auth is not None:
            name, value = self.auth.header()
            found[name.lower()] = value.get_secret_value()
        return found

    def secrets(self) -> tuple[str, ...]:
        """Everything that must not be shown, longest first, so that none is left over as a part of another."""
        found = {Secret.of(value).get_secret_value() for value in self.headers.values()}
        found.update(self.auth.secrets() if self.auth is not None else ())
        return tuple(
            sorted((s for s in found if len(s) >= _SHORTEST_SECRET), key=lambda secret: (-len(secret), secret))
        )


def _split(name: str, url: str) -> SplitResult:
    hint = "write it like http://localhost:9090 or https://example.com/prometheus"
    try:
        parts = urlsplit(url.strip())
        port = parts.port  # raises when it is not a number
    except ValueError:
        raise ConfigError(f"the address of {name} is not a URL", hint=hint) from None
    if parts.scheme not in {"http", "https"}:
        raise ConfigError(f"the address of {name} does not begin with http:// or https://", hint=hint)
    if not parts.hostname or port == 0:
        raise ConfigError(f"the address of {name} names no host", hint=hint)
    if parts.query or parts.fragment:
        raise ConfigError(
            f"the address of {name} holds a query (the part after ? or #)",
            hint="leave it out; a token belongs under auth: or headers:, where it is kept secret",
        )
    return parts


def _without_credentials(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


def _checked_headers(headers: Mapping[str, SecretLike]) -> dict[str, SecretLike]:
    for name in headers:
        _check_header_name(name)
    return {name: header_text(value, what=f"the value of the header {name}") for name, value in headers.items()}


def _check_header_name(name: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not a name for a header", hint="it takes letters, digits and hyphens")


def _check_positive(connection: Connection, what: str, value: float | None, *, optional: bool = False) -> None:
    if value is None and optional:
        return
    if value is None or not value > 0:
        raise ConfigError(f"{what} of {connection.name} has to be more than 0, not {value}", where=connection.name)
