"""Is it a Loki that answers, and in which version?"""

from __future__ import annotations

from typing import Any

import msgspec

from obs_magics.model.errors import BadAnswer
from obs_magics.net.client import HttpClient
from obs_magics.net.reply import Reply

BUILD_INFO = "/loki/api/v1/status/buildinfo"
_LABELS = "/loki/api/v1/labels"


async def find_version(client: HttpClient) -> str:
    """Ask the server for its version; empty when it does not tell (builds of their own, gateways).

    Raises:
        BadAnswer: This is no Loki.
        SourceError: It could not be asked.
    """
    reply = await client.request("GET", BUILD_INFO, accept=(404,))
    if reply.status == 404:  # before Loki 2.2, and behind gateways that let queries through only
        reply = await client.request("GET", _LABELS)
        if _object(reply).get("status") != "success":
            raise BadAnswer("the answer is not one of Loki's API", where=client.where)
        return ""
    found = _object(reply)
    if not isinstance(found.get("version"), str):
        raise BadAnswer("the server does not say what it is", where=client.where)
    return str(found["version"])


def _object(reply: Reply) -> dict[str, Any]:
    try:
        return msgspec.json.decode(reply.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise reply.not_json(str(error)) from None
