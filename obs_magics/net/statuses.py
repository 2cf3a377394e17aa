"""What HTTP's error statuses mean to a user, when the vendor's own error body does not say it better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from obs_magics.model.errors import (
    AuthError,
    BadAnswer,
    LimitExceeded,
    ObsError,
    QueryError,
    RateLimited,
    SourceTimeout,
    SourceUnavailable,
)
from obs_magics.net.reply import Reply

RETRIED = frozenset({502, 503, 504})
"""Worth another try. Not 500: a server that failed after long work (Loki: 16 s) fails again."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row: the error, what happened, the way out."""

    kind: type[ObsError]
    message: str
    hint: str


_SMALLER = "ask for a shorter range, a larger step or fewer series"
_PLACE = "wrong address, or a path prefix missing at its end?"
_CREDENTIALS = "set auth: for this source in the YAML, or %obs connect NAME URL --token …"
_LATER = "ask again later; is the server starting, or overloaded?"

MEANINGS: Mapping[int, Meaning] = {
    400: Meaning(QueryError, "the server refused the question", "look at the query; is the source of the right type:?"),
    401: Meaning(AuthError, "the server wants to know who asks", f"{_CREDENTIALS} (or --tenant, where it has tenants)"),
    403: Meaning(AuthError, "these credentials may not ask this", _CREDENTIALS),
    404: Meaning(BadAnswer, "nothing there", _PLACE),
    405: Meaning(BadAnswer, "the server does not take this kind of request there", _PLACE),
    407: Meaning(
        AuthError,
        "the proxy in between wants credentials",
        "put them into HTTPS_PROXY: http://user:password@proxy:port",
    ),
    408: Meaning(SourceTimeout, "the server waited too long for the question", "ask again"),
    413: Meaning(LimitExceeded, "the question or its answer is too large for the server", _SMALLER),
    414: Meaning(LimitExceeded, "the question is too long for the server", _SMALLER),
    422: Meaning(QueryError, "the server could not answer the question", "look at the query, or " + _SMALLER),
    431: Meaning(LimitExceeded, "the request's headers are too large for the server", "look at headers: in the YAML"),
    500: Meaning(SourceUnavailable, "the server failed", "its own log says why; asking the same again seldom helps"),
    501: Meaning(BadAnswer, "the server cannot do this", "is the source of the right type:?"),
    502: Meaning(SourceUnavailable, "the proxy got no answer from the server behind it", _LATER),
    503: Meaning(SourceUnavailable, "the server is not available", _LATER),
    504: Meaning(SourceUnavailable, "the proxy waited too long for the server behind it", _SMALLER),
}
_REJECTED = Meaning(
    AuthError, "the server does not accept these credentials", "are they typed right and still valid? " + _CREDENTIALS
)
_OTHER = {
    3: Meaning(BadAnswer, "the server answered with a redirect to nowhere", _PLACE),
    4: Meaning(BadAnswer, "the server refused the request", _PLACE),
    5: Meaning(SourceUnavailable, "the server failed", _LATER),
}


def by_status(reply: Reply, where: str, *, with_credentials: bool = False) -> ObsError:
    """The error for an answer with an error status, in the server's own words where it has some.

    Args:
        reply: The answer.
        where: Source name and address.
        with_credentials: Were credentials sent?
    """
    meaning = MEANINGS.get(reply.status) or _OTHER.get(reply.status // 100, _OTHER[4])
    if reply.status == 401 and with_credentials:
        meaning = _REJECTED
    words = words_of(reply)
    message = f"{meaning.message} ({reply.status} at {urlsplit(reply.url).path or '/'}){': ' + words if words else ''}"
    if issubclass(meaning.kind, QueryError):
        return meaning.kind(message, words=words, where=where, hint=meaning.hint)
    return meaning.kind(message, where=where, hint=meaning.hint)


def words_of(reply: Reply) -> str:
    """The server's first line, or the title of its page."""
    if reply.is_html:
        return f"an HTML page, title: {reply.title}" if reply.title else "an HTML page"
    return reply.first_line()


def rate_limited(reply: Reply, where: str, delay: float | None) -> RateLimited:
    """The error for a refusal because of too many requests."""
    words = words_of(reply)
    wait = f"ask again in {delay:.0f} s" if delay is not None and delay >= 1 else "ask again in a while"
    return RateLimited(
        f"asked too often ({reply.status}){': ' + words if words else ''}",
        retry_after=delay,
        where=where,
        hint=f"{wait}; rate_limit: in the YAML keeps a source below its limit",
    )
