"""Is it a Tempo that answers, and in which version?"""

from __future__ import annotations

from typing import Any

import msgspec

from obs_magics.model.errors import BadAnswer, QueryError, SourceError
from obs_magics.net.client import HttpClient
from obs_magics.net.reply import Reply

BUILD_INFO = "/api/status/buildinfo"
ECHO = "/api/echo"
READY = "/ready"
_NOT_READY = 503


async def find_version(client: HttpClient) -> str:
    """Ask the server for its version; empty when it does not tell (gateways that let queries through only).

    Raises:
        BadAnswer: This is no Tempo.
        SourceError: It could not be asked.
    """
    reply = await client.request("GET", BUILD_INFO, accept=(404,))
    if reply.status == 404:
        echo = await client.request("GET", ECHO)
        if echo.body.strip() != b"echo":
            raise BadAnswer("the server does not say what it is", where=client.where)
        return ""
    version = _object(reply).get("version")
    if not isinstance(version, str):  # others have their build information in an envelope
        raise BadAnswer("the server does not say what it is", where=client.where)
    return version


async def why_not_ready(client: HttpClient) -> str:
    """What a server that is starting or stopping says of itself; empty for one that is ready, or does not tell."""
    try:
        reply = await client.request("GET", READY, accept=(_NOT_READY,), timeout=5.0)
    except (SourceError, QueryError):  # gateways do not let it through
        return ""
    return reply.first_line() if reply.status == _NOT_READY else ""


def _object(reply: Reply) -> dict[str, Any]:
    try:
        return msgspec.json.decode(reply.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise reply.not_json(str(error)) from None
