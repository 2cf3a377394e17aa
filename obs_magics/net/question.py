"""A request, made once and ready to be sent as often as it takes."""

from __future__ import annotations

import json as json_module
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from obs_magics.model.errors import LimitExceeded
from obs_magics.net.connection import Connection

Pairs: TypeAlias = Sequence[tuple[str, str]] | Mapping[str, str | Sequence[str]]
"""Names and values of a query or a form; a mapping's list of values is one pair each."""

# httpx refuses a longer URL (`InvalidURL`), whatever the server would take.
_MOST_OF_A_URL = 65_536
# What may stand in a path as it is; a percent sign is the caller's own quoting.
_PATH_SAFE = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent, how long a silence is borne (`timeout`, seconds), and which error statuses are answers."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)
    timeout: float
    accept: Collection[int]

    @classmethod
    def make(
        cls,
        connection: Connection,
        method: str,
        path: str,
        *,
        params: Pairs | None = None,
        form: Pairs | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        accept: Collection[int] = (),
    ) -> Question:
        """Encode a request; the arguments are those of `HttpClient.request`.

        Raises:
            LimitExceeded: The URL would be longer than httpx sends.
        """
        kind, content = _body(form, json)
        return cls(
            method=method.upper(),
            url=_url(connection, path, params),
            headers={**({"Content-Type": kind} if kind else {}), **(headers or {})},
            content=content,
            timeout=connection.timeout_seconds if timeout is None else timeout,
            accept=accept,
        )


def _body(form: Pairs | None, json: Any) -> tuple[str, bytes | None]:
    """Content type and bytes."""
    if form is not None and json is not None:
        raise ValueError("a request has one body: form or json, not both")
    if form is not None:
        return "application/x-www-form-urlencoded", urlencode(_pairs(form)).encode()
    if json is not None:
        return "application/json", json_module.dumps(json, separators=(",", ":")).encode()
    return "", None


def _url(connection: Connection, path: str, params: Pairs | None) -> str:
    url = f"{connection.address}/{quote(path.lstrip('/'), safe=_PATH_SAFE)}"
    pairs = _pairs(params or ())
    if pairs:
        url = f"{url}?{urlencode(pairs)}"
    if len(url) > _MOST_OF_A_URL:
        raise LimitExceeded(
            f"the question does not fit into an address ({len(url):,} characters; at most {_MOST_OF_A_URL:,})",
            where=connection.where,
            hint="make the query shorter, or name fewer series at once",
        )
    return url


def _pairs(given: Pairs) -> list[tuple[str, str]]:
    if not isinstance(given, Mapping):
        return list(given)
    return [(name, value) for name, values in given.items() for value in _listed(values)]


def _listed(values: str | Sequence[str]) -> Sequence[str]:
    return [values] if isinstance(values, str) else values
