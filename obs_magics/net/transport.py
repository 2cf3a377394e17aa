"""How a connection is made: which certificates are trusted, which proxy is used, whether answers are compressed."""

from __future__ import annotations

import ipaddress
import os
import ssl
import urllib.request
from urllib.parse import urlsplit

import httpx

from obs_magics.model.errors import ConfigError
from obs_magics.net.connection import Connection
from obs_magics.net.pool import Transport

# Names that do not leave the building, where compressing takes longer than sending.
_NEAR_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".svc", ".svc.cluster.local")


def open_client(connection: Connection, headers: dict[str, str]) -> httpx.AsyncClient:
    """The shared client of one source. Redirects are not followed by it: `redirects` decides.

    Raises:
        ConfigError: The private CA or the proxy of the environment cannot be used.
    """
    timeout = httpx.Timeout(connection.timeout_seconds, connect=connection.connect_seconds)
    return httpx.AsyncClient(
        transport=_transport(connection), trust_env=False, follow_redirects=False, timeout=timeout, headers=headers
    )


def _transport(connection: Connection) -> Transport:
    limits = httpx.Limits(
        max_connections=connection.max_concurrent,
        max_keepalive_connections=connection.max_concurrent,
        keepalive_expiry=30.0,
    )
    try:
        return Transport(verify=tls_context(connection), proxy=proxy_for(connection), limits=limits)
    except (ValueError, ImportError, httpx.InvalidURL):
        # Its text would show the proxy's password.
        error = ConfigError(
            "the proxy that the environment names cannot be used",
            where=connection.where,
            hint="HTTP_PROXY, HTTPS_PROXY and ALL_PROXY take http://host:port (socks5:// needs the package socksio)",
        )
    raise error


def tls_context(connection: Connection) -> ssl.SSLContext:
    """Public CAs (or SSL_CERT_FILE), private ones, or none at all, as the connection says.

    Raises:
        ConfigError: There is no such file, or it holds no certificate.
    """
    if isinstance(connection.verify, bool):
        return _public(connection)
    path = os.path.expanduser(connection.verify)
    hint = "verify: takes a PEM file with the CA's certificate (-----BEGIN CERTIFICATE-----), or a folder of them"
    if not os.path.exists(path):
        raise ConfigError(f"there is no file {path}, named under verify:", where=connection.where, hint=hint)
    try:
        if os.path.isdir(path):
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError:  # ssl.SSLError is one
        error = ConfigError(f"{path}, named under verify:, holds no certificate", where=connection.where, hint=hint)
    raise error


def _public(connection: Connection) -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context(verify=connection.verify)
    except OSError:
        error = ConfigError(
            "the trusted certificates cannot be read",
            where=connection.where,
            hint="SSL_CERT_FILE and SSL_CERT_DIR in the environment have to name a PEM file, or a folder of them",
        )
    raise error


def proxy_for(connection: Connection) -> str | None:
    """The proxy of the environment for this host, None for none; this machine is never asked through one unasked."""
    wanted = not is_this_machine(connection.host) if connection.proxy is None else connection.proxy
    if not wanted or urllib.request.proxy_bypass(connection.authority):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(urlsplit(connection.base_url).scheme) or proxies.get("all")
    return found if not found or "://" in found else f"http://{found}"


def wants_gzip(connection: Connection) -> bool:
    """Is sending likely to take longer than compressing?"""
    return not is_near(connection.host) if connection.compress is None else connection.compress


def is_this_machine(host: str) -> bool:
    """Is it the machine we run on?"""
    address = _number(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def is_near(host: str) -> bool:
    """Does a host look like one of the same network: a private number, a name without dots, a local domain?"""
    address = _number(host)
    if address is not None:
        return address.is_private
    return "." not in host or host.endswith(_NEAR_SUFFIXES)


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
