"""Where a redirect may lead: to the same server. Credentials never go anywhere else."""

from __future__ import annotations

import re

import httpx

from obs_magics.model.errors import AuthError, BadAnswer, ObsError
from obs_magics.net.statuses import MEANINGS

MOST = 5
_LOGIN_WORDS = (
    *("login", "log-in", "signin", "sign-in", "signon", "sso", "saml", "saml2"),
    *("oauth", "oauth2", "oidc", "openid", "auth", "authorize", "idp", "cas"),
)
_LOGIN = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(_LOGIN_WORDS)})(?![a-z0-9])", re.IGNORECASE | re.ASCII)


def follow(request: httpx.Request, response: httpx.Response, where: str) -> tuple[str, httpx.URL] | ObsError | None:
    """Method and address of the next request, the error that says why there is none, or None: this is no redirect.

    A POST stays one (browsers turn it into a GET and lose the form), except after 303, which asks for the GET.
    """
    if response.next_request is None:
        return None
    target = response.next_request.url
    if _login_words(target) - _login_words(request.url):
        message = f"the server redirects to a login page ({display(target)})"
        return AuthError(message, where=where, hint=MEANINGS[401].hint)
    if not _same_server(request.url, target):
        message = f"the server redirects to another one ({display(target)}), which was not asked: credentials stay here"
        return BadAnswer(message, where=where, hint="if that is the right address, use it as url:")
    method = "GET" if response.status_code == 303 and request.method != "HEAD" else request.method
    return method, target


def in_a_circle(where: str) -> ObsError:
    """The error for a server that redirects without end."""
    hint = "look at the address and its path prefix; is there a login or a proxy in between?"
    return BadAnswer(f"the server redirects in a circle (more than {MOST} times)", where=where, hint=hint)


def display(url: httpx.URL) -> str:
    """A URL as shown to people: without credentials and query."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}{url.path}"


def _login_words(url: httpx.URL) -> set[str]:
    """The words of a login in a URL's path and in the first part of its host."""
    return {word.lower() for word in _LOGIN.findall(f"{url.host.partition('.')[0]}/{url.path}")}


def _same_server(asked: httpx.URL, target: httpx.URL) -> bool:
    """The same scheme, host and port; or the same host's TLS instead of plain HTTP, never the other way round."""
    if (asked.scheme, asked.host, asked.port) == (target.scheme, target.host, target.port):
        return True
    upgraded = asked.scheme == "http" and target.scheme == "https"
    return upgraded and asked.host == target.host and asked.port is None and target.port is None
